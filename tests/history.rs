//! What was said before, for those who come later, over real connections in both dialects.

mod common;
#[path = "common/irc.rs"]
mod irc;

use common::{Client, Received, Server};
use irc::Link;
use std::net::SocketAddr;
use switchboard::wire::frame::{self, Frame, PastEntry};
use switchboard::wire::{Flags, Kind, PartCode, PastCode, RefusalCode};

/// What an answer has: numbers, and texts.
fn entries(received: &Received) -> (Vec<(u64, String)>, bool) {
    let Frame::Past(past) = received.frame() else { panic!("{:?}", received.frame()) };
    assert!(!received.has(Flags::MORE), "it fits");
    let told = |entry: PastEntry<'_>| (entry.id, format!("{}: {}", entry.by, entry.text));
    (past.entries.iter().map(told).collect(), past.more != 0)
}

fn texts(found: &[(u64, String)]) -> Vec<&str> {
    found.iter().map(|(_, text)| text.as_str()).collect()
}

fn show(client: &mut Client, room: u32, part: PartCode, limit: u16, id: u64, to: u64) -> Vec<(u64, String)> {
    let request = client.next_request();
    let part = part.number();
    client.send(room, &frame::ShowPast { request, part, events: 0, limit, id, to });
    entries(&client.receive_kind(Kind::Past)).0
}

/// Somebody who has said these numbers in a room.
fn talker(address: SocketAddr, room: &str, count: usize) -> (Client, u32) {
    let mut ann = Client::login(address, "ann");
    let channel = ann.join(room);
    for n in 0..count {
        ann.say(channel, &n.to_string());
    }
    (ann, channel)
}

#[test]
fn who_enters_sees_what_was_said_before_what_is_said_from_then_on() {
    let server = Server::start(&[]);
    let (mut ann, room) = talker(server.address, "#tea", 5);
    let mut bob = Client::login(server.address, "bob");
    // While somebody talks, so that what is live would have come first if it could.
    for n in 5..50 {
        ann.send(room, &frame::Say { request: 0, text: &n.to_string() });
    }
    bob.send(0, &frame::Join { request: 7, past: 100, room: "#tea", password: "" });
    for n in 50..100 {
        ann.send(room, &frame::Say { request: 0, text: &n.to_string() });
    }
    assert_eq!(bob.receive().kind(), Kind::Joined);
    let past = bob.receive();
    assert!(matches!(past.frame(), Frame::Past(frame::Past { request: 7, .. })));
    let (found, more) = entries(&past);
    assert!(!more && found.len() >= 5);
    for n in 0..100 {
        match found.get(n) {
            Some((_, text)) => assert_eq!(*text, format!("ann: {n}")),
            None => assert_eq!(
                bob.receive_kind(Kind::Said).frame(),
                Frame::Said(frame::Said { by: "ann", text: &n.to_string() })
            ),
        }
    }
    // Fewer than there are, and none.
    let mut cy = Client::login(server.address, "cy");
    cy.send(0, &frame::Join { request: 1, past: 2, room: "#tea", password: "" });
    let (found, more) = entries(&cy.receive_kind(Kind::Past));
    assert_eq!((texts(&found), more), (vec!["ann: 98", "ann: 99"], true));
    let mut dan = Client::login(server.address, "dan");
    dan.send(0, &frame::Join { request: 1, past: 0, room: "#tea", password: "" });
    dan.round_trip();
}

/// XEP-0045 §7.2.2 has another order: docs/PROTOCOL.md says why this is the one here.
#[test]
fn who_enters_is_told_of_the_subject_then_of_the_past_then_of_what_is_live() {
    let server = Server::start(&[]);
    let (mut ann, room) = talker(server.address, "#tea", 3);
    ann.send(room, &frame::SetSubject { request: 1, text: "green" });
    ann.receive_kind(Kind::Done);
    let mut bob = Client::login(server.address, "bob");
    let mut cy = Client::login(server.address, "cy");
    bob.send(0, &frame::Join { request: 7, past: 9, room: "#tea", password: "" });
    ann.say(room, "live");
    cy.join("#tea");
    let joined = bob.receive();
    let Frame::Joined(joined) = joined.frame() else { panic!("{joined:?}") };
    assert_eq!((joined.request, joined.subject, joined.subject_by), (7, "green", "ann"));
    assert!(joined.subject_millis > 1_700_000_000_000, "{}", joined.subject_millis);
    let past = bob.receive();
    let (found, _) = entries(&past);
    // Where the server read what was said live before it read that bob enters, it belongs to the past.
    let is_past = found.len() == 4;
    assert_eq!(texts(&found)[..3], ["ann: 0", "ann: 1", "ann: 2"]);
    if !is_past {
        assert_eq!(bob.receive().frame(), Frame::Said(frame::Said { by: "ann", text: "live" }));
    }
    assert_eq!(bob.receive().frame(), Frame::Entered(frame::Entered { who: "cy" }));
    // Who is there is asked for.
    bob.send(room, &frame::Who { request: 8, after: "" });
    let list = bob.receive();
    let Frame::Occupants(list) = list.frame() else { panic!("no list") };
    assert_eq!(list.occupants.iter().map(|one| one.name).collect::<Vec<_>>(), ["ann", "bob", "cy"]);
}

#[test]
fn the_past_is_paged_by_messages_and_by_time() {
    let server = Server::start(&[]);
    let (mut ann, room) = talker(server.address, "#tea", 20);
    let all = show(&mut ann, room, PartCode::Latest, 100, 0, 0);
    assert_eq!(all.len(), 20);
    assert!(all.is_sorted());
    let id = |n: usize| all[n].0;
    let mut page = |part, limit, id, to| show(&mut ann, room, part, limit, id, to);
    assert_eq!(page(PartCode::Latest, 3, 0, 0), all[17..]);
    assert_eq!(page(PartCode::Before, 3, id(10), 0), all[7..10]);
    assert_eq!(page(PartCode::After, 3, id(10), 0), all[11..14]);
    assert_eq!(page(PartCode::Around, 3, id(10), 0), all[9..12]);
    assert_eq!(page(PartCode::Between, 3, id(10), id(19)), all[11..14]);
    assert_eq!(page(PartCode::Between, 3, id(19), id(10)), all[16..19]);
    assert_eq!(page(PartCode::Between, 50, id(3), id(6)), all[4..6]);
    // A moment is a number as well.
    assert_eq!(page(PartCode::After, 100, (id(0) >> 20 << 20) - 1, 0), all);
    assert!(page(PartCode::After, 100, u64::MAX, 0).is_empty());
    let mut bob = Client::login(server.address, "bob");
    bob.send(room, &frame::ShowPast { request: 9, part: 0, events: 0, limit: 1, id: 0, to: 0 });
    let refused = bob.receive_kind(Kind::Refused);
    let Frame::Refused(refused) = refused.frame() else { panic!("no refusal") };
    assert_eq!(refused.code, RefusalCode::NotInRoom.number(), "who is outside reads nothing");
}

#[test]
fn comings_and_goings_are_shown_to_those_who_want_them() {
    let server = Server::start(&[]);
    let (mut ann, room) = talker(server.address, "#tea", 1);
    let mut bob = Client::login(server.address, "bob");
    let channel = bob.join("#tea");
    bob.send(channel, &frame::SetSubject { request: 3, text: "green" });
    bob.send(0, &frame::Bye { code: 0, text: "see you" });
    ann.receive_kind(Kind::Left);
    ann.send(room, &frame::ShowPast { request: 9, part: 0, events: 1, limit: 50, id: 0, to: 0 });
    let past = ann.receive_kind(Kind::Past);
    let Frame::Past(past) = past.frame() else { panic!("no past") };
    let told: Vec<_> = past.entries.iter().map(|entry| (entry.what, entry.by, entry.text)).collect();
    let code = PastCode::number;
    assert_eq!(
        told,
        [
            (code(PastCode::Entered), "ann", ""),
            (code(PastCode::Said), "ann", "0"),
            (code(PastCode::Entered), "bob", ""),
            (code(PastCode::SubjectSet), "bob", "green"),
            (code(PastCode::Quit), "bob", "see you"),
        ]
    );
}

#[test]
fn authors_and_moderators_take_back_what_was_said_and_nobody_else() {
    let server = Server::start(&[]);
    let (mut ann, room) = talker(server.address, "#tea", 1);
    let [mut bob, mut cy] = ["bob", "cy"].map(|name| Client::login(server.address, name));
    let _ = (bob.join("#tea"), cy.join("#tea"));
    bob.say(room, "my secret");
    bob.say(room, "some spam");
    let all = show(&mut ann, room, PartCode::Latest, 9, 0, 0);
    let retract = |client: &mut Client, id, text| {
        let request = client.next_request();
        client.send(room, &frame::Retract { request, id, text });
        loop {
            let answer = client.receive();
            match answer.frame() {
                Frame::Done(done) if done.request == request => return None,
                Frame::Refused(refused) if refused.request == request => return Some(refused.code),
                _ => {}
            }
        }
    };
    assert_eq!(retract(&mut cy, all[1].0, ""), Some(RefusalCode::NotAllowed.number()));
    assert_eq!(retract(&mut cy, all[2].0 + 1, ""), Some(RefusalCode::NotThere.number()));
    assert_eq!(retract(&mut bob, all[1].0, "oops"), None);
    assert_eq!(retract(&mut ann, all[2].0, "spam"), None);
    assert_eq!(retract(&mut ann, all[2].0, "spam"), Some(RefusalCode::NotThere.number()), "it is gone");
    for (id, by, text) in [(all[1].0, "bob", "oops"), (all[2].0, "ann", "spam")] {
        let told = cy.receive_kind(Kind::Retracted);
        assert_eq!(told.frame(), Frame::Retracted(frame::Retracted { id, by, text }));
    }
    cy.send(room, &frame::ShowPast { request: 50, part: 0, events: 0, limit: 9, id: 0, to: 0 });
    let past = cy.receive_kind(Kind::Past);
    let Frame::Past(past) = past.frame() else { panic!("no past") };
    let left: Vec<_> = past.entries.iter().map(|entry| (entry.by, entry.retracted_by, entry.text)).collect();
    assert_eq!(left, [("ann", "", "0"), ("bob", "bob", "oops"), ("bob", "ann", "spam")]);
}

#[test]
fn messages_are_found_by_their_words() {
    let server = Server::start(&[]);
    let (mut ann, room) = talker(server.address, "#tea", 0);
    for text in ["Good morning", "good evening all", "goodness"] {
        ann.say(room, text);
    }
    let mut search = |words| {
        let request = ann.next_request();
        ann.send(room, &frame::Search { request, before: 0, limit: 10, room: "", words });
        let answer = ann.receive_kind(Kind::Past);
        entries(&answer).0.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(search("GOOD"), ["ann: good evening all", "ann: Good morning"]);
    assert_eq!(search("all good"), ["ann: good evening all"]);
    assert!(search("night").is_empty());
    ann.send(room, &frame::Search { request: 99, before: 0, limit: 10, room: "", words: " ... " });
    let refused = ann.receive_kind(Kind::Refused);
    assert!(matches!(refused.frame(), Frame::Refused(r) if r.code == RefusalCode::BadText.number()));
}

#[test]
fn a_server_that_keeps_nothing_says_so() {
    let server = Server::start(&["--history-messages-max", "0"]);
    let (mut ann, room) = talker(server.address, "#tea", 3);
    ann.send(room, &frame::ShowPast { request: 9, part: 0, events: 1, limit: 9, id: 0, to: 0 });
    let refused = ann.receive_kind(Kind::Refused);
    assert!(matches!(refused.frame(), Frame::Refused(r) if r.code == RefusalCode::NotThere.number()));
}

#[test]
fn as_much_is_kept_in_memory_as_the_limit_says() {
    let server = Server::start(&["--history-memory-messages-max", "10"]);
    let (mut ann, room) = talker(server.address, "#tea", 30);
    for _ in 0..20 {
        let mut guest = Client::login(server.address, "guest");
        guest.join("#tea");
        guest.send(0, &frame::Bye { code: 0, text: "" });
        guest.receive_all();
        ann.receive_kind(Kind::Left);
    }
    let found = show(&mut ann, room, PartCode::Latest, 100, 0, 0);
    let expected: Vec<String> = (20..30).map(|n| format!("ann: {n}")).collect();
    assert_eq!(texts(&found), expected, "comings and goings push nothing out");
}

/// A client of IRC with these capabilities.
fn client(address: SocketAddr, name: &str, capabilities: &str) -> Link {
    let mut link = Link::log_in(address, name, "");
    link.wait_for(&[" 422 ", " 376 "]);
    if !capabilities.is_empty() {
        link.send(&format!("CAP REQ :{capabilities}\r\n"));
        assert!(link.wait_for(&["CAP"]).contains("ACK"), "{capabilities}");
    }
    link
}

const READER: &str = "batch message-tags server-time draft/chathistory";

#[test]
fn clients_of_irc_that_do_not_ask_see_the_latest_lines_behind_their_join() {
    let server = Server::start(&["--history-lines-on-join", "2"]);
    let (_ann, _) = talker(server.address, "#tea", 5);
    let mut bob = client(server.address, "bob", "batch server-time");
    bob.send("JOIN #tea\r\n");
    let lines = [
        bob.wait_for(&[" JOIN "]),
        bob.wait_for(&["BATCH +"]),
        bob.wait_for(&["PRIVMSG"]),
        bob.wait_for(&["PRIVMSG"]),
        bob.wait_for(&["BATCH -"]),
        bob.wait_for(&[" 353 "]),
    ];
    assert!(lines[1].contains("chathistory #tea"), "{lines:?}");
    assert!(
        lines[2].starts_with("@batch=h;time=2") && lines[2].ends_with("PRIVMSG #tea :3\r\n"),
        "{lines:?}"
    );
    assert!(lines[3].ends_with("PRIVMSG #tea :4\r\n"), "{lines:?}");
    // Without capabilities they are lines like any others.
    let mut cy = client(server.address, "cy", "");
    cy.send("JOIN #tea\r\n");
    let first = cy.wait_for(&["PRIVMSG", " 353 "]);
    assert!(first.starts_with(":ann!") && first.ends_with("PRIVMSG #tea :3\r\n"), "{first}");
    // And who can ask is not told unasked.
    let mut dan = client(server.address, "dan", READER);
    dan.send("JOIN #tea\r\n");
    let first = dan.wait_for(&["PRIVMSG", " 353 "]);
    assert!(first.contains(" 353 "), "{first}");
}

/// The texts of a batch.
fn batch(link: &mut Link, command: &str) -> Vec<(String, String)> {
    link.send(&format!("{command}\r\n"));
    let begin = link.wait_for(&["BATCH +", "FAIL"]);
    assert!(begin.contains("BATCH +h chathistory"), "{begin}");
    let mut found = Vec::new();
    loop {
        let line = link.wait_for(&[""]);
        if line.contains("BATCH -h") {
            return found;
        }
        let id = line.split("msgid=").nth(1).and_then(|rest| rest.split([' ', ';']).next());
        let text = line.trim_end().rsplit(" :").next().expect("a text");
        found.push((id.unwrap_or_default().to_owned(), text.to_owned()));
    }
}

#[test]
fn clients_of_irc_page_through_the_past() {
    let server = Server::start(&[]);
    let (_ann, _) = talker(server.address, "#tea", 20);
    let mut bob = client(server.address, "bob", READER);
    bob.send("JOIN #tea\r\n");
    bob.wait_for(&[" 366 "]);
    let all = batch(&mut bob, "CHATHISTORY LATEST #tea * 50");
    assert_eq!(all.len(), 20);
    let id = |n: usize| format!("msgid={}", all[n].0);
    let mut page = |command: String| batch(&mut bob, &format!("CHATHISTORY {command}"));
    assert_eq!(page("LATEST #tea * 3".to_owned()), all[17..]);
    assert_eq!(page(format!("LATEST #tea {} 9", id(15))), all[16..]);
    assert_eq!(page(format!("BEFORE #tea {} 3", id(10))), all[7..10]);
    assert_eq!(page(format!("AFTER #tea {} 3", id(10))), all[11..14]);
    assert_eq!(page(format!("AROUND #tea {} 3", id(10))), all[9..12]);
    assert_eq!(page(format!("BETWEEN #tea {} {} 3", id(10), id(19))), all[11..14]);
    assert_eq!(page(format!("BETWEEN #tea {} {} 3", id(19), id(10))), all[16..19]);
    assert_eq!(page("AFTER #tea timestamp=2020-01-01T00:00:00.000Z 3".to_owned()), all[..3]);
    assert_eq!(page("BEFORE #tea timestamp=2999-01-01T00:00:00.000Z 3".to_owned()), all[17..]);
    assert!(page("LATEST bob * 3".to_owned()).is_empty(), "what one says to another is not kept");
    for (wrong, code) in [
        ("CHATHISTORY LATEST #nowhere * 3", "INVALID_TARGET LATEST #nowhere"),
        ("CHATHISTORY LATEST #tea * none", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY LATEST #tea msgid=- 3", "INVALID_PARAMS LATEST #tea"),
        ("CHATHISTORY BEFORE #tea * 3", "INVALID_PARAMS BEFORE #tea"),
        ("CHATHISTORY SIDEWAYS #tea * 3", "INVALID_PARAMS SIDEWAYS"),
    ] {
        bob.send(&format!("{wrong}\r\n"));
        let line = bob.wait_for(&["FAIL"]);
        assert!(line.contains(&format!("FAIL CHATHISTORY {code} :")), "{line}");
    }
    bob.send(
        "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2999-01-01T00:00:00.000Z 9\r\n",
    );
    let line = bob.wait_for(&["TARGETS"]);
    assert!(line.contains("CHATHISTORY TARGETS #tea 2"), "{line}");
}

#[test]
fn events_are_played_back_to_those_who_want_them() {
    let server = Server::start(&[]);
    let mut ann = client(server.address, "ann", "draft/event-playback message-tags batch draft/chathistory");
    ann.send("JOIN #tea\r\nTOPIC #tea :green\r\n");
    ann.wait_for(&["TOPIC"]);
    let mut bob = client(server.address, "bob", "message-tags");
    bob.send("JOIN #tea\r\n");
    bob.wait_for(&[" 366 "]);
    bob.send("TAGMSG #tea\r\n@+typing=active TAGMSG #tea\r\n@+react=yes TAGMSG #tea\r\nNICK rob\r\nPART #tea :see you\r\n");
    ann.wait_for(&["PART"]);
    ann.send("KICK #tea nobody\r\nPRIVMSG #tea :hello\r\nCHATHISTORY LATEST #tea * 50\r\n");
    ann.wait_for(&["BATCH +"]);
    let mut told = Vec::new();
    loop {
        let line = ann.wait_for(&[""]);
        if line.contains("BATCH -") {
            break;
        }
        let (tags, rest) = line.split_once(' ').expect("tags");
        let (who, rest) = rest.split_once(' ').expect("a source");
        let reaction = if tags.contains("+react=yes") { "+react " } else { "" };
        told.push(format!("{reaction}{} {}", who.split('!').next().unwrap_or(who), rest.trim_end()));
    }
    assert_eq!(
        told,
        [
            ":ann JOIN #tea",
            ":ann TOPIC #tea :green",
            ":bob JOIN #tea",
            "+react :bob TAGMSG #tea",
            ":bob NICK rob",
            ":rob PART #tea :see you",
            ":ann PRIVMSG #tea :hello",
        ]
    );
}

#[test]
fn what_is_redacted_is_told_and_not_shown_again() {
    let server = Server::start(&[]);
    let all = "message-tags echo-message batch draft/chathistory draft/message-redaction";
    let mut ann = client(server.address, "ann", all);
    let mut bob = client(server.address, "bob", all);
    ann.send("JOIN #tea\r\n");
    ann.wait_for(&[" 366 "]);
    bob.send("JOIN #tea\r\nPRIVMSG #tea :my secret\r\n");
    let line = bob.wait_for(&["PRIVMSG"]);
    let id = line.split("msgid=").nth(1).and_then(|rest| rest.split([' ', ';']).next()).expect("a number");
    bob.send(&format!("REDACT #tea {id} :oops\r\n"));
    for link in [&mut ann, &mut bob] {
        let line = link.wait_for(&[" REDACT "]);
        assert!(line.contains("bob!") && line.ends_with(&format!(" REDACT #tea {id} :oops\r\n")), "{line}");
    }
    assert!(batch(&mut ann, "CHATHISTORY LATEST #tea * 9").is_empty());
    for (wrong, code) in [
        ("REDACT #nowhere 1".to_owned(), "INVALID_TARGET #nowhere :"),
        ("REDACT ann 1".to_owned(), "INVALID_TARGET ann :"),
        (format!("REDACT #tea {id}"), "UNKNOWN_MSGID #tea "),
        ("REDACT #tea nothing".to_owned(), "UNKNOWN_MSGID #tea nothing :"),
    ] {
        bob.send(&format!("{wrong}\r\n"));
        let line = bob.wait_for(&["FAIL"]);
        assert!(line.contains(&format!("FAIL REDACT {code}")), "{line}");
    }
    ann.send("PRIVMSG #tea :hers\r\n");
    let line = bob.wait_for(&["hers"]);
    let id = line.split("msgid=").nth(1).and_then(|rest| rest.split([' ', ';']).next()).expect("a number");
    bob.send(&format!("REDACT #tea {id}\r\n"));
    assert!(bob.wait_for(&["FAIL"]).contains("REDACT_FORBIDDEN"));
}

#[test]
fn how_far_one_has_read_is_remembered_and_never_goes_back() {
    let server = Server::start(&[]);
    let mut ann = client(server.address, "ann", "draft/read-marker");
    ann.send("JOIN #tea\r\n");
    assert!(ann.wait_for(&["MARKREAD", " 366 "]).ends_with("MARKREAD #tea *\r\n"));
    for (set, told) in [
        ("2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678Z"),
        ("2023-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678Z"),
    ] {
        ann.send(&format!("MARKREAD #tea timestamp={set}\r\n"));
        let line = ann.wait_for(&["MARKREAD"]);
        assert!(line.ends_with(&format!("MARKREAD #tea timestamp={told}\r\n")), "{line}");
    }
    ann.send("PART #tea\r\nJOIN #tea\r\n");
    assert!(ann.wait_for(&["MARKREAD"]).contains("timestamp=2024-"));
    for (wrong, code) in [
        ("MARKREAD", "NEED_MORE_PARAMS"),
        ("MARKREAD #tea *", "INVALID_PARAMS #tea"),
        ("MARKREAD #tea timestamp=soon", "INVALID_PARAMS #tea"),
    ] {
        ann.send(&format!("{wrong}\r\n"));
        let line = ann.wait_for(&["FAIL"]);
        assert!(line.contains(&format!("FAIL MARKREAD {code}")), "{line}");
    }
}
