//! `switchboard chat` and accounts: passwords come from a file, from the environment or from somebody who types them, and
//! are shown nowhere.

mod common;
#[path = "common/screen.rs"]
mod screen;

use common::{SWITCHBOARD, Server, wait_for};
use screen::Screen;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A file with a password in it, which goes with this.
struct PasswordFile(PathBuf);

impl PasswordFile {
    fn new(name: &str, password: &str) -> PasswordFile {
        let path = std::env::temp_dir().join(format!("switchboard-{}-{name}", std::process::id()));
        fs::write(&path, format!("{password}\nnot this\n")).expect("a file");
        PasswordFile(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for PasswordFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs a chat that has nothing to say; whether it went well, and what it tells.
fn chat(server: &Server, password: Option<&str>, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["chat", &server.address.to_string(), "--room", "lobby"]).args(args);
    command
        .env_remove("SWITCHBOARD_PASSWORD")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if let Some(password) = password {
        command.env("SWITCHBOARD_PASSWORD", password);
    }
    let mut child = command.spawn().expect("chat starts");
    let mut told = String::new();
    child.stderr.take().expect("stderr is piped").read_to_string(&mut told).expect("text");
    (wait_for(&mut child).success(), told)
}

fn quick_server(args: &[&str]) -> Server {
    Server::start(&[&["--account-delay-seconds", "1e-9"], args].concat())
}

#[test]
fn an_account_is_made_and_from_then_on_its_name_is_for_those_who_have_the_password() {
    let server = quick_server(&[]);
    let file = PasswordFile::new("makes", "sesame");
    let register = ["--nick", "ann", "--register", "--password-file", file.path()];
    let (is_well, told) = chat(&server, None, &register);
    assert!(is_well && told.contains("ann is your account now"), "{told}");
    let (is_well, told) = chat(&server, None, &["--nick", "ann"]);
    assert!(!is_well && told.contains("somebody's account") && told.contains("--account NAME"), "{told}");
    let (is_well, told) = chat(&server, Some("sesame"), &["--nick", "ann", "--account", "ANN"]);
    assert!(is_well && told.contains("you are logged in to the account ann"), "{told}");
    let (is_well, told) = chat(&server, Some("sesam"), &["--nick", "ann", "--account", "ann"]);
    assert!(!is_well && told.contains("does not let us in") && told.contains("not its password"), "{told}");
    // The file is more particular than the environment.
    let (is_well, told) =
        chat(&server, Some("wrong"), &["--nick", "bob", "--account", "ann", "--password-file", file.path()]);
    assert!(is_well && told.contains("you are logged in to the account ann"), "{told}");
    let again = ["--nick", "bob", "--account", "ann", "--register", "--password-file", file.path()];
    let (is_well, told) = chat(&server, None, &again);
    assert!(
        !is_well && told.contains("the account was not made: there is an account of that name"),
        "{told}"
    );
}

#[test]
fn a_password_that_is_nowhere_is_asked_for_in_a_sentence() {
    let server = quick_server(&[]);
    let (is_well, told) = chat(&server, None, &["--nick", "ann", "--account", "ann"]);
    assert!(!is_well && told.contains("--password-file FILE, or in SWITCHBOARD_PASSWORD"), "{told}");
    let (is_well, told) =
        chat(&server, None, &["--nick", "ann", "--register", "--password-file", "/nowhere/at/all"]);
    assert!(!is_well && told.contains("/nowhere/at/all"), "{told}");
    let (is_well, told) = chat(&server, None, &["--nick", "ann", "--password-file", "/dev/null"]);
    assert!(!is_well && told.contains("an account, which --account names"), "{told}");
    let (is_well, told) = chat(&server, Some(""), &["--nick", "ann", "--account", "ann"]);
    assert!(!is_well && told.contains("the password is empty"), "{told}");
}

/// Of the password correct-horse.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$3fXYTweKLhkYqWDBArfHFA$AlgWfPOgx10l3euPd1h49BqWJP8E89v+rOUte3asHho";

#[test]
fn a_server_with_a_password_lets_those_in_who_give_it() {
    let server = quick_server(&["--password", HASH]);
    let (right, wrong) =
        (PasswordFile::new("right", "correct-horse"), PasswordFile::new("wrong", "wrong-horse"));
    let (is_well, told) = chat(&server, None, &["--nick", "ann", "--server-password-file", right.path()]);
    assert!(is_well && told.contains("connected as ann"), "{told}");
    let (is_well, told) = chat(&server, None, &["--nick", "ann", "--server-password-file", wrong.path()]);
    assert!(!is_well && told.contains("does not let us in"), "{told}");
    let both = ["--nick", "ann", "--register", "--server-password-file", right.path()];
    let (is_well, told) = chat(&server, Some("sesame"), &both);
    assert!(is_well && told.contains("ann is your account now"), "{told}");
}

#[test]
fn at_a_prompt_passwords_are_typed_and_not_seen() {
    let server = quick_server(&[]);
    let address = server.address;
    let ann = Screen::run(&format!(
        "{SWITCHBOARD} chat {address} --nick ann --room lobby; echo status $?; read -r line"
    ));
    let answer = |question: &str, password: &str| {
        ann.wait_for_prompt(question);
        ann.enter(password);
    };
    ann.wait_for_prompt("#lobby>");
    ann.enter("/account");
    ann.wait_for("-- you are logged in to no account; /register makes one, /login takes yours");
    ann.enter("/register");
    answer("Password for your account:", "sesame");
    answer("Again:", "sesam");
    ann.wait("a slip is told", |lines| lines.iter().any(|line| line.contains("the two passwords differ")));
    ann.wait_for_prompt("#lobby>");
    ann.enter("/register");
    answer("Password for your account:", "sesame");
    answer("Again:", "sesame");
    ann.wait_for("-- ann is your account now, and you are logged in to it");
    ann.enter("/password");
    answer("Your present password:", "sesame");
    answer("The new one:", "simsim");
    answer("Again:", "simsim");
    ann.wait_for("-- ann has the new password");
    ann.enter("/unregister");
    answer("Your present password:", "simsim");
    ann.wait_for("-- ann is no account any more");
    ann.enter("this is seen again");
    ann.wait_for("#lobby> this is seen again");
    let lines = ann.lines().join("\n");
    assert!(!lines.contains("sesam") && !lines.contains("simsim"), "{lines}");
    ann.enter("/quit");
    ann.wait_for("status 0");
}
