//! People in a room, and two of them in private, over real connections.

mod common;

use common::{Client, Server};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{AffiliationCode, ChangeCode, Kind, LeftCode};

#[test]
fn what_one_says_the_others_get_once_and_in_order() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    let mut carol = Client::login(server.address, "carol");
    let room = alice.join("#lobby");
    assert_eq!(bob.join("#Lobby"), room, "capitals make no other room");
    assert_eq!(carol.join("#lobby"), room);
    for n in 0..100 {
        alice.send(room, &frame::Say { request: 0, text: &n.to_string() });
    }
    for client in [&mut bob, &mut carol] {
        for n in 0..100 {
            let said = client.receive_kind(Kind::Said);
            assert_eq!(said.frame(), Frame::Said(frame::Said { by: "alice", text: &n.to_string() }));
            assert_eq!(said.channel(), room);
        }
    }
    let mut to_alice = Vec::new();
    alice.send(0, &frame::Bye { code: 0, text: "see you" });
    to_alice.extend(alice.receive_all());
    let kinds: Vec<Kind> = to_alice.iter().map(|f| f.kind()).collect();
    assert_eq!(kinds, [Kind::Entered, Kind::Entered, Kind::Bye], "no word of her own comes back");
    let left = bob.receive_kind(Kind::Left);
    assert_eq!(
        left.frame(),
        Frame::Left(frame::Left { who: "alice", code: LeftCode::Quit.number(), text: "see you" })
    );
}

#[test]
fn private_words_reach_one_and_do_not_overtake_the_room() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let mut bob = Client::login(server.address, "bob");
    let mut carol = Client::login(server.address, "carol");
    let (one, two) = (alice.join("#one"), alice.join("#two"));
    bob.join("#one");
    bob.join("#two");
    carol.join("#two");
    let mut burst = Vec::new();
    for n in 0..50 {
        let text = &n.to_string();
        let body = frame::Say { request: 0, text };
        switchboard::wire::header::put(&mut burst, switchboard::wire::Flags::NONE, [one, two][n % 2], &body);
        let body = frame::Tell { request: 0, to: "bob", text };
        switchboard::wire::header::put(&mut burst, switchboard::wire::Flags::NONE, 0, &body);
    }
    alice.send_bytes(&burst);
    for n in 0..50 {
        let text = &n.to_string();
        let said = bob.receive_kind(Kind::Said);
        assert_eq!(
            (said.frame(), said.channel()),
            (Frame::Said(frame::Said { by: "alice", text }), [one, two][n % 2])
        );
        let told = bob.receive();
        assert_eq!(told.frame(), Frame::Told(frame::Told { from: "alice", text }));
    }
    carol.send(0, &frame::Bye { code: 0, text: "" });
    assert!(carol.receive_all().iter().all(|f| f.kind() != Kind::Told));
}

#[test]
fn a_subject_is_told_to_those_inside_and_to_those_who_come() {
    let server = Server::start(&[]);
    let mut alice = Client::login(server.address, "alice");
    let room = alice.join("#lobby");
    let mut bob = Client::login(server.address, "bob");
    bob.join("#lobby");
    alice.send(room, &frame::SetSubject { request: 9, text: "tea at five" });
    let subject = bob.receive_kind(Kind::Subject);
    let Frame::Subject(set) = subject.frame() else { panic!("{subject:?}") };
    assert_eq!((set.by, set.text), ("alice", "tea at five"));
    assert!(set.at_millis > 1_700_000_000_000, "in milliseconds since 1970: {}", set.at_millis);
    let mut carol = Client::login(server.address, "carol");
    carol.send(0, &frame::Join { request: 5, past: 0, room: "#lobby", password: "" });
    let joined = carol.receive();
    let expected = frame::Joined {
        request: 5,
        room: "#lobby",
        occupants: 3,
        flags: 1 << ChangeCode::ClosedToOutsiders.number(),
        affiliation: AffiliationCode::None.number(),
        grants: 0,
        you: "carol",
        subject_millis: set.at_millis,
        subject_by: "alice",
        subject: "tea at five",
    };
    assert_eq!(joined.frame(), Frame::Joined(expected));
    carol.send(room, &frame::Who { request: 6, after: "" });
    let reply = carol.receive();
    let Frame::Occupants(list) = reply.frame() else { panic!("no occupants") };
    let occupants: Vec<_> = list.occupants.iter().map(|one| (one.name, one.grants)).collect();
    assert_eq!(occupants, [("alice", frame::Grants::MODERATOR), ("bob", 0), ("carol", 0)]);
}
