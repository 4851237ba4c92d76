//! What was acknowledged is there after a restart, over real sockets and in a directory of the test's own.

mod common;
#[path = "common/kept.rs"]
mod kept;

use common::Client;
use kept::{Directory, identify, refusal, register};
use std::os::unix::fs::PermissionsExt;
use switchboard::wire::RefusalCode;

#[test]
fn an_account_outlives_the_server() {
    let directory = Directory::new("outlives");
    let server = directory.serve(&[]);
    let mut ann = Client::login(server.address, "ann");
    register(&mut ann, "", "sesame").expect("an account");
    drop((ann, server));

    let server = directory.serve(&[]);
    let mut bob = Client::connect(server.address);
    bob.hello("ann");
    assert_eq!(refusal(&mut bob), RefusalCode::NameReserved);
    assert_eq!(identify(&mut bob, "ann", "other"), Err(RefusalCode::WrongPassword));
    let mut ann = Client::connect(server.address);
    let wait = |code| code == RefusalCode::TryLater;
    common::eventually("the delay after the wrong password is over", || {
        identify(&mut ann, "ann", "sesame").inspect_err(|&code| assert!(wait(code), "{code:?}")).is_ok()
    });
    ann.hello("ann");
    ann.receive_kind(switchboard::wire::Kind::Welcome);
}

#[test]
fn a_server_that_is_told_to_stop_closes_its_database() {
    let directory = Directory::new("closes");
    let mut server = directory.serve(&[]);
    let mut ann = Client::login(server.address, "ann");
    register(&mut ann, "", "sesame").expect("an account");
    drop(ann);
    server.signal("TERM");
    assert!(server.wait().success());
    let files = directory.files();
    assert_eq!(files, ["switchboard.db", "switchboard.lock"], "everything is in the one file");
    let mode =
        std::fs::metadata(directory.path().join("switchboard.db")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "which nobody else can read");
}

#[test]
fn one_that_keeps_nothing_writes_nothing() {
    let directory = Directory::new("nothing");
    let (path, ephemeral) = (directory.path().to_str().expect("UTF-8"), ["--ephemeral"]);
    let mut command = std::process::Command::new(common::SWITCHBOARD);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(ephemeral).env("STATE_DIRECTORY", path);
    let server = common::Server::spawn(command);
    let mut ann = Client::login(server.address, "ann");
    register(&mut ann, "", "sesame").expect("an account, while the server runs");
    assert_eq!(directory.files(), [""; 0]);
}
