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
