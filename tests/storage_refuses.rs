//! A database that cannot be used: the server says why in a sentence, does not start, and leaves everything as it was.

mod common;
#[path = "common/kept.rs"]
mod kept;

use common::{Client, SWITCHBOARD};
use kept::{Directory, register};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// The version of the tables, in the header of the file (SQLite's file format, §1.3).
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;
const PAGE: usize = 4_096;

/// A directory that a server has left, with an account in it.
fn left(name: &str) -> Directory {
    let directory = Directory::new(name);
    let mut server = directory.serve(&[]);
    let mut ann = Client::login(server.address, "ann");
    register(&mut ann, "", "sesame").expect("an account");
    drop(ann);
    server.signal("TERM");
    assert!(server.wait().success());
    directory
}

/// What its files hold, but for the lock, which is empty.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(directory) else { return BTreeMap::new() };
    entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| {
            entry.file_type().expect("a type").is_file() && entry.file_name() != "switchboard.lock"
        })
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

/// It says these parts in one sentence, and nothing in the directory is another.
#[track_caller]
fn assert_refused(directory: &Path, parts: &[&str]) {
    let before = contents(directory);
    let place = directory.to_str().expect("a path in UTF-8");
    let mut child = Command::new(SWITCHBOARD)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", place])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut said = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("UTF-8");
    if !said.is_empty() {
        let _ = child.kill();
    }
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((&*said, output.status.code()), ("", Some(1)), "{told}");
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with('[')).collect(); // without the log
    let [told] = told[..] else { panic!("not one line: {told:?}") };
    for part in parts {
        assert!(told.contains(part), "{told:?} does not say {part:?}");
    }
    let after = contents(directory);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after), "{told}");
    assert!(before == after, "a file has changed: {told}");
}

fn change(directory: &Directory, change: impl FnOnce(&mut Vec<u8>)) {
    let path = directory.path().join("switchboard.db");
    let mut bytes = std::fs::read(&path).expect("a database");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("it is written");
}

#[test]
fn a_database_that_is_damaged_anywhere_is_left_as_it_is() {
    let directory = left("damaged");
    let whole = std::fs::read(directory.path().join("switchboard.db")).expect("a database");
    let pages = whole.len() / PAGE;
    assert!(pages > 10, "{pages} pages");
    for page in 0..pages {
        let start = page * PAGE + if page == 0 { 100 } else { 0 }; // behind the header of the file
        change(&directory, |bytes| bytes[start..start + 64].fill(0xff));
        eprintln!("page {page} of {pages}");
        assert_refused(directory.path(), &["is damaged", "put a backup in its place"]);
        change(&directory, |bytes| bytes.clone_from(&whole));
    }
    for length in [PAGE, whole.len() / 2, whole.len() - PAGE] {
        eprintln!("{length} bytes of {}", whole.len());
        change(&directory, |bytes| bytes.truncate(length));
        assert_refused(directory.path(), &["is damaged"]);
        change(&directory, |bytes| bytes.clone_from(&whole));
    }
    drop(directory.serve(&[]));
}

#[test]
fn a_database_of_a_later_version_is_left_as_it_is() {
    let directory = left("newer");
    change(&directory, |bytes| {
        bytes[USER_VERSION_AT..USER_VERSION_AT + 4].copy_from_slice(&99_u32.to_be_bytes())
    });
    assert_refused(
        directory.path(),
        &["was written by a later version", "it has version 99", "run that version"],
    );
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let directory = left("foreign");
    change(&directory, |bytes| bytes[APPLICATION_ID_AT..APPLICATION_ID_AT + 4].copy_from_slice(b"Else"));
    assert_refused(directory.path(), &["is no database of this program", "move it away"]);
    for text in [&b"x"[..], &b"Dear diary,\n".repeat(100)] {
        change(&directory, |bytes| *bytes = text.to_vec());
        assert_refused(directory.path(), &["is no database of this program"]);
    }
}

#[test]
fn two_servers_do_not_share_a_directory() {
    let directory = Directory::new("shared");
    let server = directory.serve(&[]);
    let mut ann = Client::login(server.address, "ann");
    register(&mut ann, "", "sesame").expect("an account");
    let files = directory.files();
    let place = directory.path().to_str().expect("a path in UTF-8");
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir", place]).stdin(Stdio::null());
    let output = command.output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("another server uses") && told.contains("--data-dir"), "{told}");
    assert_eq!(directory.files(), files);
    let mut bob = Client::login(server.address, "bob");
    register(&mut bob, "", "sesame").expect("the first one goes on");
}

#[test]
fn a_directory_that_cannot_be_is_told() {
    let directory = Directory::new("cannot");
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("a file");
    assert_refused(&file, &["cannot be used", "--data-dir", "--ephemeral"]);
    assert_refused(&file.join("below"), &["cannot be used", "--data-dir", "--ephemeral"]);
    let place = directory.path().join("place");
    std::fs::create_dir_all(place.join("switchboard.db")).expect("a directory in place of the database");
    assert_refused(&place, &["switchboard.db"]);
}
