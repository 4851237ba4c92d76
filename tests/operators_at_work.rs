//! What the log tells those who run a server, what their requests lead to, and that they may do no more than the config
//! file says.

mod common;
#[path = "common/irc.rs"]
mod irc;

use common::{Client, Server};
use irc::{Link, hash_of};
use std::path::PathBuf;
use switchboard::wire::frame::Frame;
use switchboard::wire::{ByeCode, Kind};

/// A config file of its own, gone when the test is over.
struct ConfigFile(PathBuf);

impl ConfigFile {
    fn new(name: &str, text: &str) -> ConfigFile {
        let path = std::env::temp_dir().join(format!("switchboard-{}-{name}.toml", std::process::id()));
        let file = ConfigFile(path);
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).expect("a file in the temporary directory");
    }

    fn serve(&self) -> Server {
        Server::start(&["--config", self.0.to_str().expect("a path in UTF-8")])
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn operator(name: &str, hash: &str) -> String {
    format!("[[operators]]\nname = \"{name}\"\npassword = \"{hash}\"\n")
}

fn log_in(server: &Server, name: &str) -> Link {
    let mut link = Link::log_in(server.address, name, "");
    link.wait_for(&[" 422 "]);
    link
}

#[test]
fn the_log_tells_who_is_where_and_what_operators_do() {
    let file = ConfigFile::new("log", &operator("root", &hash_of("secret")));
    let server = file.serve();
    let mut ann = log_in(&server, "ann");
    let line = server.wait_for_log(" is ann");
    assert!(line.contains(" 127.0.0.1 is ann"), "{line}");
    ann.send("NICK anna\r\nOPER root secret\r\n");
    server.wait_for_log(" 127.0.0.1 is anna, who was ann");
    server.wait_for_log(" 127.0.0.1 is operator root");
    ann.wait_for(&[" 381 "]);
    let mut bob = log_in(&server, "bob");
    bob.send("OPER root guess\r\n");
    let line = server.wait_for_log("wrong password");
    assert!(
        line.contains("WARN") && line.contains(" 127.0.0.1 gave a wrong password for operator \"root\""),
        "{line}"
    );
    bob.wait_for(&[" 464 "]);
    ann.send("KILL bob :spam\r\nREHASH\r\n");
    let line = server.wait_for_log(" 127.0.0.1 was bob, killed by ");
    assert!(line.ends_with(" 127.0.0.1, operator root: \"spam\""), "{line}");
    server.wait_for_log(" 127.0.0.1 rehashes, as operator root");
    server.wait_for_log("settings reloaded");
    ann.send("WALLOPS :hear, hear\r\n");
    server.wait_for_log(" 127.0.0.1 announces \"hear, hear\", as operator root");
}

#[test]
fn the_log_tells_who_is_dropped_for_a_flood() {
    let server = Server::start(&[]);
    let mut ann = log_in(&server, "ann");
    ann.send(&"PING x\r\n".repeat(10_000));
    let line = server.wait_for_log(" floods and is dropped: ");
    assert!(line.contains(" 127.0.0.1 floods"), "{line}");
    ann.wait_for(&["ERROR :Closing Link: Excess Flood"]);
}

#[test]
fn who_asks_for_the_settings_to_be_read_again_is_told_what_came_of_it() {
    let root = operator("root", &hash_of("secret"));
    let file = ConfigFile::new("asker", &root);
    let server = file.serve();
    let mut ann = log_in(&server, "ann");
    ann.send("OPER root secret\r\n");
    ann.wait_for(&[" 381 "]);
    file.write(&format!("rooms-max = many\n{root}"));
    ann.send("REHASH\r\nPING after\r\n");
    ann.wait_for(&[" 382 "]);
    let told = ann.wait_for(&["NOTICE", "PONG"]);
    assert!(told.contains(" NOTICE ann :Settings not reloaded, the old ones stay: "), "{told}");
    assert!(told.contains("line 1"), "{told}");
    ann.wait_for(&["PONG"]);
    file.write(&format!("listen = [\"127.0.0.1:1\"]\n{root}"));
    ann.send("REHASH\r\n");
    ann.wait_for(&[" 382 "]);
    server.wait_for_log("settings reloaded");
    let told = ann.wait_for(&["NOTICE"]);
    assert!(told.contains(" NOTICE ann :Settings reloaded"), "{told}");
}

#[test]
fn an_operator_who_is_none_in_the_file_any_more_is_none() {
    let hashes = ["one", "two"].map(hash_of);
    let file = ConfigFile::new("former", &(operator("root", &hashes[0]) + &operator("helper", &hashes[0])));
    let server = file.serve();
    let (mut ann, mut bob, mut cy) = (log_in(&server, "ann"), log_in(&server, "bob"), log_in(&server, "cy"));
    for (link, name) in [(&mut ann, "root"), (&mut bob, "root"), (&mut cy, "helper")] {
        link.send(&format!("OPER {name} one\r\n"));
        link.wait_for(&[" 381 "]);
    }
    bob.send("MODE bob -o\r\n");
    bob.wait_for(&[" MODE bob :-o"]);

    file.write(&(operator("root", &hashes[1]) + &operator("helper", &hashes[0])));
    server.signal("HUP");
    ann.wait_for(&[" MODE ann :-o"]);
    assert!(ann.wait_for(&["NOTICE"]).contains("You are no longer an operator: "));
    for (link, answer) in [(&mut ann, " 481 "), (&mut bob, " 481 "), (&mut cy, " 412 ")] {
        link.send("WALLOPS :\r\n");
        let told = link.wait_for(&[" 481 ", " 412 ", "NOTICE"]);
        assert!(told.contains(answer), "{told}");
    }
    ann.send("OPER root two\r\n");
    ann.wait_for(&[" 381 "]);

    let elsewhere = operator("helper", &hashes[0]) + "host = \"192.0.2.*\"\n";
    file.write(&(operator("root", &hashes[1]) + &elsewhere));
    server.signal("HUP");
    cy.wait_for(&[" :-o"]);
    file.write("");
    server.signal("HUP");
    ann.wait_for(&[" :-o"]);
}

#[test]
fn who_is_killed_natively_is_told_by_whom_and_why() {
    let file = ConfigFile::new("native", &operator("root", &hash_of("secret")));
    let server = file.serve();
    let mut ann = log_in(&server, "ann");
    ann.send("OPER root secret\r\n");
    ann.wait_for(&[" 381 "]);
    for (kill, text) in [("KILL bob :spam", "Killed by ann: spam"), ("KILL bob", "Killed by ann")] {
        let mut bob = Client::login(server.address, "bob");
        ann.send(&format!("{kill}\r\n"));
        let bye = bob.receive_kind(Kind::Bye);
        let Frame::Bye(bye) = bye.frame() else { panic!("{bye:?}") };
        assert_eq!((bye.code, bye.text), (ByeCode::Killed.number(), text));
    }
}
