//! No password, key or ticket gets into a capture, whatever it is said in, unless that is asked for.

#[path = "common/captured.rs"]
mod captured;
mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/kept.rs"]
mod kept;

use captured::complaints;
use common::{Client, SWITCHBOARD, Server};
use irc::{Link, hash_of};
use kept::{CHEAP, Directory, register};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ChangeCode, CredentialsCode, Kind};

/// Every one of them; no other word in the test has it in it.
const SECRET: &str = "s3s4me";

/// A server that wants a password, keeps accounts and has an operator, and captures.
fn serve(directory: &Directory, args: &[&str]) -> (Server, PathBuf) {
    let config = directory.path().join("config.toml");
    let hash = hash_of(&format!("{SECRET}-server"));
    let root = hash_of(&format!("{SECRET}-root"));
    let text = format!("password = \"{hash}\"\n[[operators]]\nname = \"root\"\npassword = \"{root}\"\n");
    std::fs::write(&config, text).expect("a config file");
    let file = directory.path().join("all.pcapng");
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--listen", "127.0.0.1:0", "--drain-seconds", "1", "--irc-lines-per-second", "0"]);
    command.arg("--config").arg(&config).arg("--data-dir").arg(directory.path()).args(CHEAP);
    command.arg("--capture").arg(&file).args(args);
    (Server::spawn(command), file)
}

/// Says every secret there is, in lines and in frames.
fn say_all(server: &Server) -> [u8; 32] {
    let mut ann = Link::log_in(server.address, "ann", &format!("{SECRET}-server"));
    ann.wait_for(&[" 376 ", " 422 "]);
    ann.ask(&format!("OPER root {SECRET}-root"));
    ann.ask(&format!("NS REGISTER {SECRET}-account"));
    ann.ask(&format!("PRIVMSG NickServ :IDENTIFY ann {SECRET}-account"));
    ann.ask(&format!("NICKSERV :SET PASSWORD {SECRET}-account {SECRET}-other"));
    ann.ask(&format!("VERIFY ann {SECRET}"));
    ann.ask("JOIN #tea");
    ann.ask(&format!("MODE #tea +k {SECRET}-key"));
    assert!(ann.ask("MODE #tea").concat().contains(&format!("{SECRET}-key")), "who is in it is shown it");
    let mut bob = Link::log_in(server.address, "bob", &format!("{SECRET}-server"));
    bob.wait_for(&[" 376 ", " 422 "]);
    assert!(bob.ask(&format!("JOIN #tea {SECRET}-key")).concat().contains(" 366 "));
    bob.ask(&format!("MODE #tea -k {SECRET}-key"));
    bob.ask(&format!("REGISTER bob * {SECRET}-bob"));
    bob.ask("CAP REQ sasl");
    bob.ask("AUTHENTICATE PLAIN");
    bob.ask("AUTHENTICATE czNzNG1l"); // the secret in base64

    let mut cy = Client::connect(server.address);
    kept::send(&mut cy, CredentialsCode::Server, "", &format!("{SECRET}-server"), "");
    cy.receive_kind(Kind::Done);
    cy.hello("cy");
    cy.receive_kind(Kind::Welcome);
    register(&mut cy, "", &format!("{SECRET}-cy")).expect("an account");
    kept::send(&mut cy, CredentialsCode::Change, "", &format!("{SECRET}-cy"), &format!("{SECRET}-new"));
    cy.receive_kind(Kind::Account);
    let cups = cy.join("#cups");
    let (request, value) = (cy.next_request(), format!("{SECRET}-cups"));
    let change = ChangeCode::Password as u8;
    cy.send(cups, &frame::Change { request, change, on: 1, seconds: 0, value: &value, reason: "" });
    cy.receive_kind(Kind::Done);
    let request = cy.next_request();
    cy.send(cups, &frame::ShowSettings { request });
    let settings = cy.receive_kind(Kind::Settings);
    assert!(matches!(settings.frame(), Frame::Settings(settings) if settings.password == value));
    let mut dan = Client::connect(server.address);
    kept::send(&mut dan, CredentialsCode::Server, "", &format!("{SECRET}-server"), "");
    dan.receive_kind(Kind::Done);
    dan.hello("dan");
    let request = dan.next_request();
    dan.send(0, &frame::Join { request, past: 0, room: "#cups", password: &value });
    let channel = dan.receive_kind(Kind::Joined).channel();
    dan.say(channel, "this is no secret");
    let (request, value) = (cy.next_request(), format!("{SECRET}-again"));
    cy.send(cups, &frame::Change { request, change, on: 1, seconds: 0, value: &value, reason: "" });
    let changed = dan.receive_kind(Kind::Changed);
    assert!(
        matches!(changed.frame(), Frame::Changed(changed) if changed.value == value),
        "others are told it"
    );
    let request = dan.next_request();
    dan.send(0, &frame::GetTicket { request, wants: 0 });
    let ticket = dan.receive_kind(Kind::Ticket);
    let Frame::Ticket(ticket) = ticket.frame() else { panic!("no ticket") };
    ticket.key
}

fn holds(file: &Path, part: &[u8]) -> bool {
    let all = std::fs::read(file).expect("a capture");
    all.windows(part.len()).any(|window| window == part)
}

#[test]
fn no_secret_is_in_a_capture() {
    let directory = Directory::new("captured-secrets");
    let (mut server, file) = serve(&directory, &[]);
    let ticket = say_all(&server);
    server.signal("TERM");
    server.wait();
    for secret in [SECRET.as_bytes(), b"czNzNG1l", &ticket, &ticket[..8]] {
        assert!(!holds(&file, secret), "{:?} is in it", String::from_utf8_lossy(secret));
    }
    for shown in
        ["this is no secret", "NS REGISTER ****", "MODE #tea +k ****", "JOIN #tea ****", "OPER root ****"]
    {
        assert!(holds(&file, shown.as_bytes()), "{shown} is not in it");
    }
    let odd: Vec<String> = complaints(&file).into_iter().filter(|odd| !odd.contains("reset (RST)")).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn secrets_are_shown_where_that_is_asked_for_and_the_log_warns_of_it() {
    let directory = Directory::new("captured-secrets-shown");
    let (mut server, file) = serve(&directory, &["--capture-secrets"]);
    server.wait_for_log("passwords, keys and tickets are in it");
    let ticket = say_all(&server);
    server.signal("TERM");
    server.wait();
    let parts = ["server", "root", "account", "other", "key", "bob", "cy", "new", "cups", "again"];
    for secret in parts.map(|part| format!("{SECRET}-{part}")) {
        assert!(holds(&file, secret.as_bytes()), "{secret} is not in it");
    }
    assert!(holds(&file, &ticket) && holds(&file, b"czNzNG1l"));
}

#[test]
fn what_a_chat_says_to_log_in_is_masked_in_its_own_capture() {
    let directory = Directory::new("captured-secrets-chat");
    let (server, _) = serve(&directory, &[]);
    let [password, account, file] =
        ["server", "account", "chat.pcapng"].map(|name| directory.path().join(name));
    std::fs::write(&password, format!("{SECRET}-server\n")).expect("a file");
    std::fs::write(&account, format!("{SECRET}-eve\n")).expect("a file");
    let mut chat = Command::new(SWITCHBOARD);
    chat.args([
        "chat",
        &server.address.to_string(),
        "--nick",
        "eve",
        "--register",
        "--room",
        "#tea",
        "--server-password-file",
    ]);
    chat.arg(&password).arg("--password-file").arg(&account).arg("--capture").arg(&file);
    assert!(chat.stdin(Stdio::null()).status().expect("chat runs").success());
    assert!(holds(&file, b"#tea") && !holds(&file, SECRET.as_bytes()));
}
