//! A disk that takes no more, or has errors: chat goes on, what has to last is refused, operators are told, and all is
//! well again once that is over, without a restart.

mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/kept.rs"]
mod kept;

use common::{Client, SWITCHBOARD, Server};
use irc::hash_of;
use kept::{CHEAP, Directory, register};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use switchboard::wire::frame::Frame;
use switchboard::wire::{CredentialsCode, Kind, RefusalCode};

/// What SQLite says of a disk that does not take what it is given, for another reason than that it is full.
const ERRORS: &str = "I/O error";

/// A server that keeps what lasts in `place`, with root for an operator, started by `before`.
fn serve(directory: &Directory, place: &Path, before: &[&str]) -> Server {
    let config = directory.path().join("config.toml");
    let operator = format!("[[operators]]\nname = \"root\"\npassword = \"{}\"\n", hash_of("secret"));
    std::fs::write(&config, operator).expect("a config file");
    let mut command = Command::new(before[0]);
    command.args(&before[1..]).args([
        SWITCHBOARD,
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--drain-seconds",
        "0.2",
    ]);
    command.arg("--config").arg(&config).arg("--data-dir").arg(place).args(CHEAP);
    Server::spawn(command)
}

/// What is said by the server itself.
fn notice(client: &mut Client) -> String {
    let received = client.receive_kind(Kind::Notice);
    match received.frame() {
        Frame::Notice(notice) if notice.by.contains('.') => notice.text.to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The disk fails and recovers, as these two have it do; `fail` until nothing more can be written. `why` is what operators
/// are told of it.
fn assert_lives_through(
    mut server: Server,
    why: &str,
    fail: impl FnOnce(&Server),
    recover: impl FnOnce(&Server),
) -> Server {
    let address = server.address;
    let [mut root, mut ann, mut bob, mut cy] =
        ["op", "ann", "bob", "cy"].map(|name| Client::login(address, name));
    kept::send(&mut root, CredentialsCode::Operator, "root", "secret", "");
    root.receive_kind(Kind::Done);
    register(&mut ann, "", "sesame").expect("all is well");
    let tea = ann.join("#tea");
    bob.join("#tea");

    fail(&server);
    kept::send(&mut bob, CredentialsCode::Register, "", "sesame", "");
    let told = notice(&mut root);
    assert!(told.starts_with("Storage fails") && told.contains(why), "{told}");
    assert_eq!(register(&mut cy, "", "sesame"), Err(RefusalCode::Unavailable));
    server.wait_for_log("storage fails");
    ann.say(tea, "does this arrive?");
    let told = notice(&mut bob);
    assert!(told.contains("could not be saved yet"), "{told}");
    bob.receive_kind(Kind::Account);
    let arrived = bob.receive_kind(Kind::Said);
    assert!(matches!(arrived.frame(), Frame::Said(said) if said.text == "does this arrive?"));
    assert_eq!(server.child.try_wait().expect("wait"), None, "it runs on");

    recover(&server);
    let told = notice(&mut root);
    assert!(told.starts_with("Storage works again"), "{told}");
    server.wait_for_log("Storage works again");
    register(&mut cy, "", "sesame").expect("all is well again");
    server
}

#[test]
fn files_that_may_not_grow_are_no_end() {
    let directory = Directory::new("grow");
    // The signal that comes with the error would end the process.
    let server = serve(&directory, directory.path(), &["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    let limit = |server: &Server, bytes: &str| {
        let (pid, limit) = (server.pid().to_string(), format!("--fsize={bytes}:unlimited"));
        let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
        assert!(status.expect("prlimit, of util-linux").success());
    };
    let server = assert_lives_through(
        server,
        ERRORS,
        |server| limit(server, "4096"),
        |server| limit(server, "unlimited"),
    );
    assert_kept(&directory, server);
}

/// The accounts of [`assert_lives_through`] survive the end.
fn assert_kept(directory: &Directory, server: Server) {
    drop(server); // with a kill
    let server = directory.serve(&[]);
    let mut client = Client::login(server.address, "dan");
    for name in ["ann", "bob", "cy"] {
        assert_eq!(register(&mut client, name, "sesame"), Err(RefusalCode::AccountExists), "{name}");
    }
}

/// What makes a disk fail, built for this machine; `None` where there is no compiler for C.
fn failing_disk(directory: &Directory) -> Option<PathBuf> {
    let library = directory.path().join("failing_disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/failing_disk.c");
    let status =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    match status {
        Ok(status) => assert!(status.success(), "{source} is not compiled"),
        Err(_) => {
            let _ = writeln!(std::io::stderr(), "\nLEFT OUT: a failing disk needs a compiler for C (cc)");
            return None;
        }
    }
    Some(library)
}

#[test]
fn a_disk_with_errors_is_no_end() {
    for variable in ["FAILING_WRITES", "FAILING_SYNCS"] {
        let directory = Directory::new(&format!("errors-{variable}"));
        let Some(library) = failing_disk(&directory) else { return };
        let sign = directory.path().join("fails");
        let (load, sign_is) =
            (format!("LD_PRELOAD={}", library.display()), format!("{variable}={}", sign.display()));
        let server = serve(&directory, directory.path(), &["env", &load, &sign_is]);
        let server = assert_lives_through(
            server,
            ERRORS,
            |_| std::fs::write(&sign, "").expect("a file"),
            |_| std::fs::remove_file(&sign).expect("it is removed"),
        );
        assert_kept(&directory, server);
    }
}

/// Whether file systems can be mounted here, in a namespace of one's own. Where they cannot, it says so past the test
/// harness, which would swallow it.
fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
        .stderr(Stdio::null())
        .status();
    let may = tried.is_ok_and(|status| status.success());
    if !may {
        let _ = writeln!(
            std::io::stderr(),
            "\nLEFT OUT: a full disk needs namespaces of users and mounts (unshare -rm)"
        );
    }
    may
}

#[test]
fn a_full_disk_is_no_end() {
    if !may_mount() {
        return;
    }
    let directory = Directory::new("full");
    let place = directory.path().join("disk");
    std::fs::create_dir(&place).expect("a directory");
    let script = format!("mount -t tmpfs -o size=4m none '{}' && exec \"$0\" \"$@\"", place.display());
    let server = serve(&directory, &place, &["unshare", "-rm", "sh", "-c", &script]);
    let filler = PathBuf::from(format!("/proc/{}/root{}/filler", server.pid(), place.display()));
    let fill = |_: &Server| {
        let mut file = std::fs::File::create(&filler).expect("a file on the small disk");
        for size in [65_536, 4_096, 1] {
            while file.write(&vec![b'x'; size]).is_ok() {}
        }
    };
    let free = |_: &Server| std::fs::remove_file(&filler).expect("it is removed");
    assert_lives_through(server, "full", fill, free);
}

#[test]
fn a_server_that_is_told_to_stop_says_what_it_could_not_save() {
    let directory = Directory::new("unsaved");
    let mut server = serve(&directory, directory.path(), &["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    let mut ann = Client::login(server.address, "ann");
    let pid = server.pid().to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, "--fsize=4096:unlimited"]).status();
    assert!(status.expect("prlimit, of util-linux").success());
    kept::send(&mut ann, CredentialsCode::Register, "", "sesame", "");
    server.wait_for_log("storage fails");
    ann.stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    server.signal("TERM");
    let line = server.wait_for_log("could not be saved before the end");
    assert!(line.contains("1 changes"), "{line}");
    assert_eq!(server.wait().code(), Some(1));
}
