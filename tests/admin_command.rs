//! `switchboard admin`: what it prints, what it does, and what its exit status says.

mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/kept.rs"]
mod kept;
#[path = "common/operator.rs"]
mod operator;

use common::{Client, SWITCHBOARD, Server, eventually};
use irc::{Link, hash_of};
use kept::{CHEAP, register};
use operator::{CONFIG, admin_of, admin_with, log_in_from};
use std::process::{Command, Stdio};
use switchboard::wire::frame::Frame;
use switchboard::wire::{AccountCode, Kind};

/// The columns of a row.
fn columns(line: &str) -> Vec<&str> {
    line.split('\t').collect()
}

#[test]
fn sessions_are_listed_page_by_page_with_where_they_come_from() {
    let server = Server::start(&[&CONFIG[..], &["--page-entries-max", "2"]].concat());
    let mut clients: Vec<Client> = (0..7)
        .map(|n| log_in_from(&format!("127.1.0.{}", n + 1), server.address, &format!("user{n}")))
        .collect();
    clients[3].join("#tea");
    let ran = admin_of(&server, &["sessions"]);
    let rows: Vec<Vec<&str>> = ran.lines().into_iter().map(columns).collect();
    let users: Vec<_> = rows.iter().filter(|row| row[0].starts_with("user")).collect();
    assert_eq!(users.len(), 7, "{rows:?}");
    for (n, row) in users.iter().enumerate() {
        let rooms = if n == 3 { "1" } else { "0" };
        assert_eq!(
            (row[0], row[2], row[3], row[4]),
            (&*format!("user{n}"), "", &*format!("127.1.0.{}", n + 1), rooms)
        );
        assert!(row[1].starts_with('c') && row.len() == 7, "{row:?}");
    }
    assert_eq!(rows.len(), 8, "and the operator's own: {rows:?}");
    let line = server.wait_for_log(" is user3");
    assert!(line.contains(&format!("{} 127.1.0.4 is user3", users[3][1])), "as the log calls it: {line}");
    server.wait_for_log("lists the sessions, as operator root");

    let ran = admin_of(&server, &["--json", "sessions"]);
    let first = ran.lines().into_iter().find(|line| line.contains("user0")).expect("the first");
    let row: serde_json::Value = serde_json::from_str(first).expect("JSON");
    assert_eq!((row["name"].as_str(), row["address"].as_str()), (Some("user0"), Some("127.1.0.1")));
    assert_eq!((row["account"].as_str(), row["rooms"].as_u64()), (Some(""), Some(0)));
}

#[test]
fn rooms_are_listed_hidden_ones_too_and_ended() {
    let server = Server::start(&CONFIG);
    let mut ann = Link::log_in(server.address, "ann", "");
    ann.wait_for(&[" 422 ", " 376 "]);
    ann.send("JOIN #secret\r\nMODE #secret +s\r\n");
    ann.wait_for(&[" MODE #secret +s", " MODE #secret :+s"]);
    let mut bob = Client::login(server.address, "bob");
    bob.join("#tea");
    assert_eq!(admin_of(&server, &["rooms"]).lines(), ["#secret\t1", "#tea\t1"]);
    let args = ["destroy-room", "#TEA", "--go", "#coffee", "--because", "out of tea"];
    assert_eq!(admin_of(&server, &args).lines(), [""; 0]);
    let destroyed = bob.receive_kind(Kind::Destroyed);
    let Frame::Destroyed(destroyed) = destroyed.frame() else { panic!("{destroyed:?}") };
    assert_eq!((destroyed.instead, destroyed.text), ("#coffee", "out of tea"));
    server.wait_for_log("destroys #tea, as operator root");
    assert_eq!(admin_of(&server, &["destroy-room", "#secret"]).lines(), [""; 0]);
    assert_eq!(admin_of(&server, &["rooms"]).lines(), [""; 0]);
    assert_eq!(admin_of(&server, &["destroy-room", "#tea"]).sentence(1), "there is no such room");
}

#[test]
fn somebody_is_killed_and_everybody_is_told_something() {
    let server = Server::start(&CONFIG);
    let mut ann = Link::log_in(server.address, "ann", "");
    ann.wait_for(&[" 376 "]);
    let mut bob = Client::login(server.address, "bob");
    assert_eq!(admin_of(&server, &["announce", "back", "in five"]).lines(), [""; 0]);
    let told = ann.wait_for(&["NOTICE"]);
    assert!(
        told.contains(" NOTICE ann :Announcement by root-") && told.ends_with(": back in five\r\n"),
        "{told}"
    );
    let announced = bob.receive_kind(Kind::Announced);
    let Frame::Announced(announced) = announced.frame() else { panic!("{announced:?}") };
    assert!(announced.by.starts_with("root-") && announced.text == "back in five", "{announced:?}");
    server.wait_for_log("announces \"back in five\", as operator root");

    assert_eq!(admin_of(&server, &["kill", "BOB", "that was", "enough"]).lines(), [""; 0]);
    let bye = bob.receive_kind(Kind::Bye);
    let Frame::Bye(bye) = bye.frame() else { panic!("{bye:?}") };
    assert!(bye.text.ends_with(": that was enough"), "{bye:?}");
    server.wait_for_log("operator root: \"that was enough\"");
    assert_eq!(admin_of(&server, &["kill", "bob"]).sentence(1), "nobody of that name is here");
}

#[test]
fn figures_are_shown() {
    let server = Server::start(&CONFIG);
    let _bob = Client::login(server.address, "bob");
    let ran = admin_of(&server, &["status"]);
    let figures: Vec<Vec<&str>> = ran.lines().into_iter().map(columns).collect();
    for (name, value) in [("users", "2"), ("operators", "1"), ("bans", "0"), ("connections", "2")] {
        assert!(figures.contains(&vec![name, value]), "{name} {value}: {figures:?}");
    }
}

#[test]
fn who_is_no_operator_does_nothing_and_is_told_why() {
    let server = Server::start(&CONFIG);
    let address = server.address.to_string();
    for (operator, password) in
        [("root", "wrong"), ("nobody", "correct-horse"), ("elsewhere", "correct-horse")]
    {
        let ran = admin_with(&["--connect", &address, "--operator", operator], password, &["bans"]);
        let said = format!("not taken for operator {operator}: ");
        assert!(ran.sentence(1).starts_with(&said), "{ran:?}");
    }
    let mut bob = Client::login(server.address, "bob");
    let request = bob.next_request();
    let frame = switchboard::wire::frame::Administer {
        request,
        what: 0,
        seconds: 0,
        value: "192.0.2.1",
        instead: "",
        text: "",
    };
    bob.send(0, &frame);
    let refused = bob.receive_kind(Kind::Refused);
    let Frame::Refused(refused) = refused.frame() else { panic!("{refused:?}") };
    assert_eq!(refused.code, switchboard::wire::RefusalCode::NotAllowed.number());
}

#[test]
fn who_hangs_up_before_anything_was_asked_has_done_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let hangs_up = std::thread::spawn(move || drop(listener.accept()));
    let ran = admin_with(&["--connect", &address, "--operator", "root"], "correct-horse", &["kill", "bob"]);
    let sentence = ran.sentence(1);
    assert!(sentence.contains(&address) && sentence.ends_with("; nothing was done"), "{ran:?}");
    hangs_up.join().expect("it was called");
}

#[test]
fn passwords_come_from_files_and_the_servers_comes_first() {
    let directory = std::env::temp_dir().join(format!("switchboard-admin-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let root = format!("[[operators]]\nname = \"root\"\npassword = \"{}\"\n", hash_of("secret"));
    let config = file("config.toml", &format!("password = \"{}\"\n{root}", hash_of("come in")));
    let server = Server::start(&["--config", &config]);
    let address = server.address.to_string();
    let (own, servers) = (file("own", "secret\n"), file("servers", "come in\nnot this\n"));
    let how = ["--connect", &*address, "--operator", "root", "--password-file", &*own];
    let ran = admin_with(&how, "not looked at", &["bans"]);
    assert!(ran.sentence(1).starts_with("the server does not let us in: "), "{ran:?}");
    assert!(ran.sentence(1).contains("--server-password-file"), "{ran:?}");
    let ran = admin_with(&[&how[..], &["--server-password-file", &servers]].concat(), "", &["bans"]);
    assert_eq!(ran.lines(), [""; 0]);
    let missing = format!("{own}.not");
    let ran = admin_with(
        &["--connect", &address, "--operator", "root", "--password-file", &missing],
        "",
        &["bans"],
    );
    assert!(ran.sentence(1).starts_with("cannot read the password in "), "{ran:?}");
    let _ = std::fs::remove_dir_all(&directory);
}

#[test]
fn what_cannot_be_understood_is_one_sentence_and_status_2() {
    for (args, part) in [
        (&["ban"][..], "<ADDRESS|NETWORK>"),
        (&["ban", "192.0.2.1", "--for", "soon"], "a time is a number and a unit, such as 90s"),
        (&["ban", "192.0.2.1", "--for", "2"], "a time is a number and a unit"),
        (&["ban", "192.0.2.1", "--for", "99999d"], "longer than a hundred years"),
        (&["announce"], "<WORDS>"),
        (&["dance"], "dance"),
        (&["kill"], "<NAME>"),
    ] {
        let ran = admin_with(&["--operator", "root"], "x", args);
        assert!(ran.sentence(2).contains(part), "{ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    }
    let ran = admin_with(&[], "x", &["bans"]);
    assert!(ran.sentence(2).contains("--operator <NAME>"), "{ran:?}");
    let ran = admin_with(&["--connect", "127.0.0.1:1", "--operator", "root"], "x", &["bans"]);
    assert!(ran.sentence(1).starts_with("cannot connect to 127.0.0.1:1: "), "{ran:?}");
}

#[test]
fn without_a_password_and_without_a_terminal_it_says_how_to_give_one() {
    let mut command = Command::new(SWITCHBOARD);
    command
        .args(["admin", "--operator", "root", "bans"])
        .env_remove("SWITCHBOARD_PASSWORD")
        .stdin(Stdio::null());
    let output = command.output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("--password-file FILE, or in SWITCHBOARD_PASSWORD"), "{said}");
}

#[test]
fn accounts_are_listed_and_dropped() {
    let server = Server::start(&[&CONFIG[..], &CHEAP, &["--page-entries-max", "2"]].concat());
    let mut clients: Vec<Client> =
        ["ann", "bob", "cy"].map(|name| Client::login(server.address, name)).into();
    for client in &mut clients {
        register(client, "", "sesame").expect("an account");
    }
    drop(clients.pop());
    server.wait_for_log(" is cy");
    let listed = || -> Vec<(String, String)> {
        let ran = admin_of(&server, &["accounts"]);
        let rows = ran.lines().into_iter().map(columns);
        rows.map(|row| (row[0].to_owned(), row[2].to_owned())).collect()
    };
    let row = |name: &str, sessions: &str| (name.to_owned(), sessions.to_owned());
    eventually("cy is gone", || listed() == [row("ann", "1"), row("bob", "1"), row("cy", "0")]);

    assert_eq!(admin_of(&server, &["drop-account", "BOB"]).lines(), [""; 0]);
    server.wait_for_log("deletes the account bob, as operator root");
    let told = clients[1].receive_kind(Kind::Account);
    let Frame::Account(told) = told.frame() else { panic!("{told:?}") };
    assert_eq!((told.code, told.name), (AccountCode::Deleted.number(), "bob"));
    clients[1].round_trip();
    assert_eq!(listed(), [row("ann", "1"), row("cy", "0")]);
    assert!(!admin_of(&server, &["drop-account", "bob"]).sentence(1).is_empty());
}
