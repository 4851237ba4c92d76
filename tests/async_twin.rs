//! The async twin of the benches keeps the server's promises. A twin that does less would be no yardstick.

mod common;
#[path = "../benches/engines/twin/mod.rs"]
mod twin;

use common::{Client, eventually, open_relay};
use std::net::{SocketAddr, TcpListener};
use switchboard::server::Limits;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ByeCode, ClosedCode, Flags, Kind, LeftCode, header};
use twin::Flavour;

/// A twin of each kind, in threads that end with the test.
fn twins() -> impl Iterator<Item = SocketAddr> {
    [Flavour::CurrentThread, Flavour::MultiThread].into_iter().map(|flavour| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        std::thread::spawn(move || twin::serve(listener, flavour, Limits::default()).expect("it serves"));
        address
    })
}

#[test]
fn what_one_says_the_others_get_once_and_in_order_and_private_words_do_not_overtake_it() {
    for address in twins() {
        let mut alice = Client::login(address, "alice");
        let mut bob = Client::login(address, "bob");
        let room = alice.join("#lobby");
        assert_eq!(bob.join("#Lobby"), room);
        let mut burst = Vec::new();
        for n in 0..500 {
            let text = &n.to_string();
            header::put(&mut burst, Flags::NONE, room, &frame::Say { request: 0, text });
            header::put(&mut burst, Flags::NONE, 0, &frame::Tell { request: 0, to: "bob", text });
        }
        alice.send_bytes(&burst);
        for n in 0..500 {
            let (text, by) = (&*n.to_string(), "alice");
            assert_eq!(bob.receive().frame(), Frame::Said(frame::Said { by, text }));
            assert_eq!(bob.receive().frame(), Frame::Told(frame::Told { from: by, text }));
        }
        alice.send(0, &frame::Bye { code: 0, text: "see you" });
        let kinds: Vec<Kind> = alice.receive_all().iter().map(|frame| frame.kind()).collect();
        assert_eq!(kinds, [Kind::Entered, Kind::Bye], "no word of her own comes back");
        let (who, code, text) = ("alice", LeftCode::Quit.number(), "see you");
        assert_eq!(bob.receive().frame(), Frame::Left(frame::Left { who, code, text }));
    }
}

#[test]
fn who_does_not_read_is_told_and_dropped_and_holds_up_nobody() {
    for address in twins() {
        let mut alice = Client::login(address, "alice");
        let mut bob = Client::login(address, "bob");
        let mut sleeper = Client::login(address, "sleeper");
        let room = alice.join("#lobby");
        bob.join("#lobby");
        sleeper.join("#lobby");
        let text = "x".repeat(4_000);
        let mut said = 0;
        let left = loop {
            alice.say(room, &text);
            said += 1;
            assert!(said < 20_000, "80 MB are queued for somebody who does not read");
            let mut next = bob.receive();
            while next.kind() == Kind::Entered {
                next = bob.receive();
            }
            if next.kind() == Kind::Left {
                break next;
            }
        };
        assert!(matches!(left.frame(), Frame::Left(frame::Left { who: "sleeper", .. })), "{left:?}");
        let heard = sleeper.receive_all();
        let last = heard.last().expect("what was queued, and why it ends");
        assert!(matches!(last.frame(), Frame::Bye(bye) if bye.code == ByeCode::SlowConsumer.number()));
        assert!(heard.iter().filter(|frame| frame.kind() == Kind::Said).count() <= said);
    }
}

#[test]
fn a_relay_carries_everything_and_stops_a_sender_whose_peer_does_not_read() {
    for address in twins() {
        let mut caller = Client::login(address, "caller");
        let mut callee = Client::login(address, "callee");
        let relay = open_relay(&mut caller, &mut callee, "callee");
        let (mut sent, mut frame) = (0, Vec::new());
        header::put(&mut frame, Flags::NONE, relay, &frame::Data { payload: &[7; 16_000] });
        caller.stream.set_nonblocking(true).expect("it can");
        let mut stuck = 0;
        eventually("the sender is stopped", || {
            let before = sent;
            while let Ok(n) = std::io::Write::write(&mut caller.stream, &frame[sent % frame.len()..]) {
                sent += n;
                assert!(sent < 200_000_000, "nothing stops the sender");
            }
            stuck = if sent == before { stuck + 1 } else { 0 };
            stuck > 20
        });
        caller.stream.set_nonblocking(false).expect("it can");
        let (whole, rest) = (sent / frame.len(), frame[sent % frame.len()..].to_vec());
        let ending = std::thread::spawn(move || {
            caller.send_bytes(&rest);
            let request = caller.next_request();
            caller.send(relay, &frame::Close { request });
            caller.receive_kind(Kind::Done);
        });
        for _ in 0..=whole {
            assert_eq!(callee.receive().body.len(), 16_000);
        }
        let closed = callee.receive_kind(Kind::Closed);
        assert!(matches!(closed.frame(), Frame::Closed(closed) if closed.code == ClosedCode::Done.number()));
        ending.join().expect("the rest is taken");
    }
}
