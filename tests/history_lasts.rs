//! What was said in a room that lasts survives the end of the process: what was confirmed is there after a kill, is
//! paged and found as before, and what was taken back stays so.

mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/kept.rs"]
mod kept;

use common::{Client, Server};
use irc::Link;
use kept::{Directory, enter, identify, past, register};
use std::net::SocketAddr;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ChangeCode, CredentialsCode, Kind, PartCode, RefusalCode};

const PASSWORD: &str = "correct horse";

/// More than memory has.
const MESSAGES: usize = 250;

/// One with an account, and an owner of the room.
fn ann(address: SocketAddr) -> Client {
    let mut ann = Client::connect(address);
    identify(&mut ann, "ann", PASSWORD).expect("it is her password");
    ann.hello("ann");
    ann
}

fn show(client: &mut Client, room: u32, part: PartCode, id: u64) -> (Vec<(u64, String, String)>, bool) {
    let request = client.next_request();
    let part = part.number();
    client.send(room, &frame::ShowPast { request, part, events: 0, limit: 100, id, to: 0 });
    past(client)
}

fn search(client: &mut Client, room: u32, words: &str) -> Vec<String> {
    let request = client.next_request();
    client.send(room, &frame::Search { request, before: 0, limit: 10, room: "", words });
    past(client).0.into_iter().map(|(_, _, text)| text).collect()
}

/// Everything, page by page, from the latest on.
fn everything(client: &mut Client, room: u32) -> Vec<(u64, String, String)> {
    let (mut all, mut more) = show(client, room, PartCode::Latest, 0);
    while more {
        let (mut older, still_more) = show(client, room, PartCode::Before, all[0].0);
        assert!(!older.is_empty() || !still_more);
        older.append(&mut all);
        (all, more) = (older, still_more);
    }
    all
}

/// A room that lasts, in which this was said and confirmed.
fn begin(server: &Server) -> (Client, u32) {
    let mut ann = Client::login(server.address, "ann");
    register(&mut ann, "", PASSWORD).expect("an account");
    let room = ann.join("#tea");
    ann.say(room, "before it lasts");
    let (change, value, reason) = (ChangeCode::Persistent.number(), "", "");
    let request = ann.next_request();
    ann.send(room, &frame::Change { request, change, on: 1, seconds: 0, value, reason });
    ann.receive_kind(Kind::Done);
    for n in 1..MESSAGES {
        let request = ann.next_request();
        ann.send(room, &frame::Say { request, text: &format!("message {n}") });
    }
    for _ in 1..MESSAGES {
        ann.receive_kind(Kind::Done);
    }
    (ann, room)
}

fn text_of(n: usize) -> String {
    if n == 0 { "before it lasts".to_owned() } else { format!("message {n}") }
}

#[test]
fn what_was_confirmed_is_there_after_a_kill() {
    let directory = Directory::new("history-kill");
    let mut server = directory.serve(&[]);
    let (_ann, _) = begin(&server);
    server.signal("KILL");
    server.wait();
    let server = directory.serve(&[]);
    let mut ann = ann(server.address);
    // Who enters is shown the latest first of all, though nothing of it is in memory.
    let room = enter(&mut ann, "#tea", 3);
    let (latest, more) = past(&mut ann);
    let texts: Vec<&str> = latest.iter().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!((texts, more), (vec!["message 247", "message 248", "message 249"], true));
    let texts =
        |all: &[(u64, String, String)]| all.iter().map(|(_, _, text)| text.clone()).collect::<Vec<_>>();
    let all = everything(&mut ann, room);
    assert_eq!(texts(&all), (0..MESSAGES).map(text_of).collect::<Vec<_>>());
    assert!(all.is_sorted(), "numbers grow");
    // What is said now comes behind it, with higher numbers.
    ann.say(room, "after it");
    let longer = everything(&mut ann, room);
    assert_eq!((texts(&longer[..MESSAGES]), longer[MESSAGES].2.as_str()), (texts(&all), "after it"));
    assert!(longer.is_sorted());
}

#[test]
fn what_was_taken_back_stays_so_and_words_are_found() {
    let directory = Directory::new("history-retract");
    let mut server = directory.serve(&[]);
    let (mut client, mut room) = begin(&server);
    assert_eq!(search(&mut client, room, "lasts BEFORE"), ["before it lasts"]);
    let all = everything(&mut client, room);
    // One that memory has not any more, and one that it has.
    for id in [all[7].0, all[MESSAGES - 1].0] {
        let request = client.next_request();
        client.send(room, &frame::Retract { request, id, text: "no" });
        client.receive_kind(Kind::Done);
    }
    for _ in 0..2 {
        let left = everything(&mut client, room);
        for (n, (_, retracted_by, text)) in left.iter().enumerate() {
            let is_gone = n == 7 || n == MESSAGES - 1;
            let expected = if is_gone { ("ann", "no".to_owned()) } else { ("", text_of(n)) };
            assert_eq!((retracted_by.as_str(), text.clone()), expected);
        }
        assert!(search(&mut client, room, "message 7").is_empty());
        assert_eq!(search(&mut client, room, "message 8"), ["message 8"]);
        server.signal("KILL");
        server.wait();
        server = directory.serve(&[]);
        client = ann(server.address);
        room = enter(&mut client, "#tea", 0);
    }
    let bytes = std::fs::read(directory.path().join("switchboard.db")).expect("the database");
    assert!(!bytes.windows(9).any(|window| window == b"message 7"), "nor is it on the disk");
}

#[test]
fn a_room_that_keeps_no_history_has_none_on_the_disk_either() {
    let directory = Directory::new("history-none");
    let mut server = directory.serve(&[]);
    let (mut client, room) = begin(&server);
    let (change, value, reason) = (ChangeCode::NoHistory.number(), "", "");
    let request = client.next_request();
    client.send(room, &frame::Change { request, change, on: 1, seconds: 0, value, reason });
    client.receive_kind(Kind::Done);
    client.say(room, "a secret");
    server.signal("KILL");
    server.wait();
    let server = directory.serve(&[]);
    let mut client = ann(server.address);
    let room = enter(&mut client, "#tea", 0);
    client.send(room, &frame::ShowPast { request: 77, part: 0, events: 0, limit: 9, id: 0, to: 0 });
    let refused = client.receive_kind(Kind::Refused);
    assert!(matches!(refused.frame(), Frame::Refused(r) if r.code == RefusalCode::NotThere.number()));
    let bytes = std::fs::read(directory.path().join("switchboard.db")).expect("the database");
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(!has(b"a secret") && !has(b"message 100"));
}

#[test]
fn who_has_an_account_now_is_not_who_had_one_before() {
    let directory = Directory::new("history-strangers");
    let mut server = directory.serve(&[]);
    let (_keeper, tea) = begin(&server);
    // The latest account of all says something, and is given up.
    let mut bob = Client::login(server.address, "bob");
    register(&mut bob, "", PASSWORD).expect("an account");
    assert_eq!(bob.join("#tea"), tea);
    bob.say(tea, "mine");
    kept::send(&mut bob, CredentialsCode::Delete, "", PASSWORD, "");
    kept::answer(&mut bob).expect("it is no more");
    server.signal("KILL");
    server.wait();
    let server = directory.serve(&[]);
    let mut cy = Client::login(server.address, "cy");
    register(&mut cy, "", PASSWORD).expect("an account");
    let room = enter(&mut cy, "#tea", 1);
    let (latest, _) = past(&mut cy);
    let [(id, _, text)] = &latest[..] else { panic!("{latest:?}") };
    assert_eq!(text, "mine");
    let request = cy.next_request();
    cy.send(room, &frame::Retract { request, id: *id, text: "" });
    assert_eq!(kept::refusal(&mut cy), RefusalCode::NotAllowed, "it is somebody else's");
}

#[test]
fn members_search_it_from_outside_and_nobody_else_does() {
    let directory = Directory::new("history-outside");
    let server = directory.serve(&[]);
    let (mut ann, room) = begin(&server);
    let request = ann.next_request();
    ann.send(room, &frame::Leave { request });
    ann.receive_kind(Kind::Done);
    let mut bob = Client::login(server.address, "bob");
    // Nobody is in it, so that nothing of it is in memory; the second time is as the first.
    for _ in 0..2 {
        let request = ann.next_request();
        ann.send(0, &frame::Search { request, before: 0, limit: 2, room: "#TEA", words: "message" });
        let (found, more) = past(&mut ann);
        let texts: Vec<&str> = found.iter().map(|(_, _, text)| text.as_str()).collect();
        assert_eq!((texts, more), (vec!["message 249", "message 248"], true));
        let request = bob.next_request();
        bob.send(0, &frame::Search { request, before: 0, limit: 2, room: "#tea", words: "message" });
        let refused = bob.receive_kind(Kind::Refused);
        let Frame::Refused(refused) = refused.frame() else { panic!("not refused") };
        assert_eq!(refused.code, RefusalCode::NotInRoom.number());
    }
}

#[test]
fn clients_of_irc_are_told_on_entering_that_it_is_kept() {
    let directory = Directory::new("history-notice");
    let mut server = directory.serve(&[]);
    let _ann = begin(&server);
    let told = "NOTICE cy :What is said in #tea is kept, and everybody in it sees who you are";
    let mut cy = Link::log_in(server.address, "cy", "");
    cy.send("JOIN #tea\r\n");
    cy.wait_for(&[told]);
    server.signal("TERM");
    server.wait();
    let server = directory.serve(&["--history-notice-on-join", "false"]);
    let mut cy = Link::log_in(server.address, "cy", "");
    cy.send("JOIN #tea\r\n");
    let line = cy.wait_for(&[told, " 366 "]);
    assert!(line.contains(" 366 "), "{line}");
}
