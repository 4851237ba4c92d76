//! One person with several clients, of both dialects, over real connections: the telephone and the desk are one user.

mod common;
#[path = "common/irc.rs"]
mod irc;

use common::{Client, PATIENCE, Server};
use irc::Link;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use switchboard::wire::frame::{self, Credentials, Frame};
use switchboard::wire::{ByeCode, CredentialsCode, Kind, RefusalCode};

/// `\0ann\0sesame`, as SASL has it.
const PLAIN: &str = "AGFubgBzZXNhbWU=";

/// Gives the password of ann's account, and reads what came of it.
fn give_password(client: &mut Client, what: CredentialsCode) {
    let request = client.next_request();
    let (what, name) = (what.number(), "ann");
    client.send(0, &Credentials { request, what, name, password: "sesame", new: "" });
    let answer = client.receive();
    assert_eq!(answer.kind(), Kind::Account, "{:?}", answer.frame());
}

/// Ann at her desk, who has an account, in #tea with bob.
fn desk_and_bob(server: &Server) -> (Client, Client, u32) {
    let mut desk = Client::login(server.address, "ann");
    give_password(&mut desk, CredentialsCode::Register);
    let mut bob = Client::login(server.address, "bob");
    let room = desk.join("#tea");
    bob.join("#tea");
    desk.receive_kind(Kind::Entered);
    (desk, bob, room)
}

/// Another native client of ann's.
fn another(address: SocketAddr) -> Client {
    let mut client = Client::connect(address);
    give_password(&mut client, CredentialsCode::Identify);
    client.hello("ANN");
    let welcome = client.receive();
    assert!(matches!(welcome.frame(), Frame::Welcome(w) if w.name == "ann"), "{:?}", welcome.frame());
    client
}

/// A client of ann's that speaks IRC, once it has been welcomed.
fn telephone(address: SocketAddr) -> Link {
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut link = Link(BufReader::new(stream));
    link.send("CAP LS 302\r\nNICK ann\r\nUSER ann 0 * :Ann\r\nCAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\n");
    link.wait_for(&["AUTHENTICATE +"]);
    link.send(&format!("AUTHENTICATE {PLAIN}\r\n"));
    link.wait_for(&[" 903 "]);
    link.send("CAP END\r\n");
    link.wait_for(&[" 001 ann "]);
    link
}

#[test]
fn each_message_is_at_every_seat_once() {
    let server = Server::start(&[]);
    let (mut desk, mut bob, room) = desk_and_bob(&server);
    let mut laptop = another(server.address);
    let joined = laptop.receive();
    assert!(matches!(joined.frame(), Frame::Joined(j) if (j.request, j.room, j.occupants) == (0, "#tea", 2)));
    assert_eq!(joined.channel(), room);
    let mut phone = telephone(server.address);
    phone.wait_for(&["JOIN #tea"]);
    let names = phone.wait_for(&[" 353 "]);
    assert!(names.contains("ann") && names.contains("bob"), "{names}");
    phone.wait_for(&[" 366 ann #tea "]);

    bob.say(room, "one");
    phone.send("PRIVMSG #tea :two\r\n");
    phone.wait_for(&["PRIVMSG #tea :one"]);
    for client in [&mut desk, &mut laptop, &mut bob] {
        let said = client.receive_kind(Kind::Said);
        let (by, text) = ("ann", "two");
        let is_first = said.frame() == Frame::Said(frame::Said { by: "bob", text: "one" });
        let second = if is_first { client.receive() } else { said };
        assert_eq!(second.frame(), Frame::Said(frame::Said { by, text }));
    }
    let request = desk.next_request();
    desk.send(0, &frame::Tell { request, to: "bob", text: "psst" });
    desk.receive_kind(Kind::Done);
    assert_eq!(bob.receive().frame(), Frame::Told(frame::Told { from: "ann", text: "psst" }));
    assert_eq!(
        laptop.receive().frame(),
        Frame::ToldElsewhere(frame::ToldElsewhere { to: "bob", text: "psst" })
    );
    let line = phone.wait_for(&["PRIVMSG"]);
    assert!(line.starts_with(":ann!") && line.ends_with(" PRIVMSG bob :psst\r\n"), "{line}");
    bob.send(0, &frame::Tell { request: 0, to: "ann", text: "what?" });
    for client in [&mut desk, &mut laptop] {
        assert_eq!(client.receive().frame(), Frame::Told(frame::Told { from: "bob", text: "what?" }));
    }
    phone.wait_for(&["PRIVMSG ann :what?"]);
    for client in [&mut desk, &mut laptop, &mut bob] {
        client.send(0, &frame::Ping { token: 1 });
        assert_eq!(client.receive().kind(), Kind::Pong, "nothing came twice");
    }
}

#[test]
fn what_one_seat_enters_and_leaves_the_others_do() {
    let server = Server::start(&[]);
    let (mut desk, mut bob, _) = desk_and_bob(&server);
    let mut phone = telephone(server.address);
    phone.wait_for(&[" 366 ann #tea "]);
    desk.join("#cake");
    phone.wait_for(&["JOIN #cake"]);
    phone.wait_for(&[" 366 ann #cake "]);
    phone.send("JOIN #pie\r\n");
    let joined = desk.receive();
    assert!(matches!(joined.frame(), Frame::Joined(j) if (j.request, j.room) == (0, "#pie")));
    phone.send("PART #pie\r\n");
    let left = desk.receive();
    assert!(matches!(left.frame(), Frame::Left(l) if l.who == "ann"), "{:?}", left.frame());
    assert_eq!(left.channel(), joined.channel());
    phone.send("NICK annie\r\n");
    let renamed = frame::Renamed { who: "ann", to: "annie" };
    assert_eq!(desk.receive().frame(), Frame::Renamed(renamed));
    assert_eq!(bob.receive().frame(), Frame::Renamed(renamed), "once");
    bob.send(0, &frame::Ping { token: 1 });
    assert_eq!(bob.receive().kind(), Kind::Pong);
}

#[test]
fn nobody_hears_that_one_of_several_seats_is_left() {
    let server = Server::start(&[]);
    let (mut desk, mut bob, room) = desk_and_bob(&server);
    let mut phone = telephone(server.address);
    phone.wait_for(&[" 366 ann #tea "]);
    desk.send(0, &frame::Bye { code: 0, text: "to the train" });
    desk.receive_all();
    phone.send("PRIVMSG #tea :still here\r\n");
    assert_eq!(bob.receive().frame(), Frame::Said(frame::Said { by: "ann", text: "still here" }));
    let mut desk = another(server.address);
    assert_eq!(desk.receive().channel(), room, "she never left");
    phone.send("QUIT\r\n");
    phone.wait_for(&["ERROR"]);
    desk.say(room, "back");
    assert_eq!(bob.receive().frame(), Frame::Said(frame::Said { by: "ann", text: "back" }));
    desk.send(0, &frame::Bye { code: 0, text: "good night" });
    assert!(
        matches!(bob.receive().frame(), Frame::Left(left) if left.who == "ann" && left.text == "good night")
    );
}

#[test]
fn seats_are_for_those_who_have_the_account_and_are_so_many() {
    let server = Server::start(&["--seats-per-user-max", "2"]);
    let (mut desk, _bob, _) = desk_and_bob(&server);
    let mut stranger = Client::connect(server.address);
    stranger.hello("ann");
    let refused = stranger.receive();
    assert!(matches!(refused.frame(), Frame::Refused(r) if r.code == RefusalCode::NameTaken.number()));
    let mut second = another(server.address);
    let mut third = Client::connect(server.address);
    give_password(&mut third, CredentialsCode::Identify);
    third.hello("ann");
    let refused = third.receive();
    assert!(matches!(refused.frame(), Frame::Refused(r) if r.code == RefusalCode::LimitReached.number()));
    // Who gives up the account stays alone.
    give_password(&mut desk, CredentialsCode::Delete);
    let bye = second.receive_kind(Kind::Bye);
    assert!(matches!(bye.frame(), Frame::Bye(bye) if bye.code == ByeCode::LoggedOut.number()));
    desk.round_trip();
}

#[test]
fn what_is_read_at_one_seat_the_others_know_to_be_read() {
    let server = Server::start(&["--account-delay-seconds", "1e-9"]);
    let (mut desk, _bob, _) = desk_and_bob(&server);
    let mut phone = telephone(server.address);
    phone.send("CAP REQ :draft/read-marker\r\n");
    phone.wait_for(&[" ACK :draft/read-marker"]);
    let request = desk.next_request();
    desk.send(0, &frame::MarkRead { request, at_millis: 1_800_000_000_000, conversation: "#tea" });
    let marked = desk.receive_kind(Kind::ReadMark);
    assert!(matches!(marked.frame(), Frame::ReadMark(mark) if mark.request == request));
    phone.wait_for(&["MARKREAD #tea timestamp=2027-01-15T08:00:00.000Z"]);
    phone.send("MARKREAD #tea timestamp=2027-01-15T08:00:01.500Z\r\n");
    phone.wait_for(&["MARKREAD #tea timestamp=2027-01-15T08:00:01.500Z"]);
    let marked = desk.receive_kind(Kind::ReadMark);
    let Frame::ReadMark(mark) = marked.frame() else { panic!("{:?}", marked.frame()) };
    assert_eq!((mark.request, mark.at_millis, mark.conversation), (0, 1_800_000_001_500, "#tea"));
    // It never goes back, of which nobody need be told.
    phone.send("MARKREAD #tea timestamp=2027-01-15T08:00:01.000Z\r\n");
    phone.wait_for(&["MARKREAD #tea timestamp=2027-01-15T08:00:01.500Z"]);
}

/// The names by which the others know ann and bob in `#masks`, where ann is at a desk, with a native client, and by
/// telephone.
fn hidden(server: &Server) -> ((Client, Link, Client, u32), [String; 2]) {
    let mut desk = Client::login(server.address, "ann");
    give_password(&mut desk, CredentialsCode::Register);
    let mut phone = telephone(server.address);
    phone.send("JOIN #masks\r\nMODE #masks +A\r\n");
    phone.wait_for(&["MODE #masks +A"]);
    let room = desk.receive_kind(Kind::Joined).channel();
    let changed = desk.receive_kind(Kind::Changed);
    assert!(matches!(changed.frame(), Frame::Changed(changed) if changed.by == "ann"), "{changed:?}");
    let mut bob = Client::login(server.address, "bob");
    bob.join("#masks");
    let entered = desk.receive_kind(Kind::Entered);
    let Frame::Entered(entered) = entered.frame() else { panic!("nobody") };
    let bob_name = entered.who.to_owned();
    bob.send(room, &frame::Who { request: 9, after: "" });
    let list = bob.receive_kind(Kind::Occupants);
    let Frame::Occupants(list) = list.frame() else { panic!("no list") };
    let ann_name = list.occupants.iter().map(|one| one.name).find(|name| *name != "bob").map(str::to_owned);
    phone.wait_for(&["JOIN #masks"]);
    ((desk, phone, bob, room), [ann_name.expect("ann is there"), bob_name])
}

#[test]
fn the_seats_of_somebody_know_each_other_where_nobody_else_does() {
    let server = Server::start(&["--account-delay-seconds", "1e-9"]);
    let ((mut desk, mut phone, mut bob, room), [ann, bob_name]) = hidden(&server);
    // One after the other without a pause, so that what goes to all and what goes past the seats is mixed.
    const LINES: usize = 20;
    for n in 0..LINES {
        desk.send(room, &frame::Say { request: 0, text: &format!("desk {n}") });
        phone.send(&format!("PRIVMSG #masks :phone {n}\r\n"));
        bob.send(room, &frame::Say { request: 0, text: &format!("bob {n}") });
    }
    let mut from_phone = 0;
    let mut from_bob = 0;
    while (from_phone, from_bob) != (LINES, LINES) {
        let said = desk.receive_kind(Kind::Said);
        let Frame::Said(frame::Said { by, text }) = said.frame() else { panic!("{said:?}") };
        let (of, expected) = if by == "ann" { (&mut from_phone, "phone") } else { (&mut from_bob, "bob") };
        assert_eq!(text, format!("{expected} {of}"), "by {by}");
        assert!(by == "ann" || by == bob_name, "{by}");
        *of += 1;
    }
    let mut heard = [0; 2];
    for _ in 0..2 * LINES {
        let said = bob.receive_kind(Kind::Said);
        let Frame::Said(frame::Said { by, text }) = said.frame() else { panic!("{said:?}") };
        let (word, number) = text.split_once(' ').expect("a word and a number");
        let of = &mut heard[usize::from(word == "phone")];
        assert_eq!((by, number), (ann.as_str(), of.to_string().as_str()));
        *of += 1;
    }
    let mut heard = [0; 2];
    for _ in 0..2 * LINES {
        let line = phone.wait_for(&["PRIVMSG #masks "]);
        let (head, text) = line.trim_end().split_once(" PRIVMSG #masks :").expect("a message");
        let (word, number) = text.split_once(' ').expect("a word and a number");
        let by = if word == "desk" { "ann" } else { &bob_name };
        assert!(head.starts_with(&format!(":{by}!")), "{line}");
        let of = &mut heard[usize::from(word == "desk")];
        assert_eq!(number, of.to_string(), "{line}");
        *of += 1;
    }

    phone.send(&format!("PRIVMSG {bob_name} :psst\r\n"));
    let told = bob.receive_kind(Kind::Told);
    assert_eq!(told.frame(), Frame::Told(frame::Told { from: &ann, text: "psst" }));
    let elsewhere = desk.receive_kind(Kind::ToldElsewhere);
    let expected = frame::ToldElsewhere { to: &bob_name, text: "psst" };
    assert_eq!(elsewhere.frame(), Frame::ToldElsewhere(expected));
    desk.send(0, &frame::Tell { request: 0, to: &bob_name, text: "psst again" });
    let line = phone.wait_for(&[":psst again"]);
    assert!(line.starts_with(":ann!") && line.contains(&format!(" PRIVMSG {bob_name} ")), "{line}");

    phone.send("TOPIC #masks :tea\r\n");
    let subject = desk.receive_kind(Kind::Subject);
    assert!(
        matches!(subject.frame(), Frame::Subject(subject) if (subject.by, subject.text) == ("ann", "tea"))
    );
    desk.send(room, &frame::SetSubject { request: 0, text: "cake" });
    let line = phone.wait_for(&["TOPIC #masks :cake"]);
    assert!(line.starts_with(":ann!"), "{line}");
    phone.send("MODE #masks +m\r\n");
    let changed = desk.receive_kind(Kind::Changed);
    assert!(matches!(changed.frame(), Frame::Changed(changed) if changed.by == "ann"), "{changed:?}");
    desk.send(room, &frame::Kick { request: 0, who: &bob_name, text: "out" });
    let line = phone.wait_for(&["KICK"]);
    assert!(
        line.starts_with(":ann!") && line.ends_with(&format!("KICK #masks {bob_name} :out\r\n")),
        "{line}"
    );
    let kicked = bob.receive_kind(Kind::Kicked);
    assert_eq!(kicked.frame(), Frame::Kicked(frame::Kicked { who: "bob", by: &ann, text: "out" }));
    phone.send("PART #masks\r\n");
    let left = desk.receive_kind(Kind::Left);
    assert!(matches!(left.frame(), Frame::Left(left) if left.who == "ann"), "{left:?}");
}
