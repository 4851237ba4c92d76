//! Which way lines go, and who may see which address.

use crate::chat::conversation::tests::*;
use crate::chat::conversation::{AtOnce, Conversation, Share, Ways};
use crate::chat::paths::Mode;
use crate::wire::frame::{AddressEntry, Done, ListEntries, Opened, Paths};
use crate::wire::{Flags, Frame, HEADER_LEN, Kind, Purpose, RefusalCode, Transport};

/// A call with bob that he took, in which alice shows her addresses when asked.
fn direct_call(mode: Mode, share: Share) -> Conversation {
    let mut alice = chat(&[], true, Ways { mode, share, udp: false });
    alice.connected("alice", 100);
    alice.take_shown();
    typed(&mut alice, "/call bob");
    let request = request(&mut alice, Kind::Open);
    receive(&mut alice, RELAY, Frame::Opened(Opened { request, payload_max: 1_000, peer: "bob" }));
    alice.take_shown();
    alice
}

fn offers(alice: &mut Conversation) -> Vec<(u32, bool)> {
    alice.take_way_out().offers
}

fn no_addresses() -> Frame<'static> {
    let addresses = ListEntries::encode(Box::leak(Box::default()), []);
    Frame::Paths(Paths { round: 1, role: 0, key: [0; 32], addresses })
}

#[test]
fn the_user_is_asked_whether_a_peer_may_see_addresses() {
    for (line, shown) in [("y", true), ("YES", true), ("n", false), ("", false)] {
        let mut alice = direct_call(Mode::Auto, Share::Ask);
        assert!(offers(&mut alice).is_empty(), "nothing is shown unasked");
        assert_eq!(alice.prompt(), "show bob your addresses, to talk directly? [y/N] ");
        alice.typed(line);
        assert_eq!(offers(&mut alice), [(RELAY, shown)], "{line:?}");
        alice.pump();
        assert!(alice.take_frames().is_empty(), "an answer is not said");
        assert_eq!(alice.prompt(), "@bob> ", "asked once");
    }
    let mut alice = direct_call(Mode::Auto, Share::Ask);
    alice.prompt();
    alice.typed("hello");
    assert_eq!(offers(&mut alice), [(RELAY, false)], "what is no answer is no consent");
    alice.pump();
    sent(&mut alice, |_, frame| {
        assert!(matches!(frame, Frame::Data(data) if data.payload == payload(1, 0, "hello")))
    });
}

#[test]
fn an_answer_given_while_it_rings_holds_for_the_call() {
    let mut alice = chat(&[], true, Ways::default());
    alice.connected("alice", 100);
    typed(&mut alice, "/call bob");
    let id = request(&mut alice, Kind::Open);
    typed(&mut alice, "y");
    assert!(offers(&mut alice).is_empty(), "there is no relay yet");
    receive(&mut alice, RELAY, Frame::Opened(Opened { request: id, payload_max: 1_000, peer: "bob" }));
    assert_eq!(offers(&mut alice), [(RELAY, true)]);
    // A call that comes to nothing asks nothing.
    typed(&mut alice, "/call carol");
    let id = request(&mut alice, Kind::Open);
    receive(&mut alice, 0, refused(id, RefusalCode::NoSuchPeer, "nobody"));
    assert!(!alice.prompt().contains('?'));
}

#[test]
fn settings_answer_for_the_user() {
    for (mode, share, shown) in [
        (Mode::Auto, Share::Always, true),
        (Mode::Auto, Share::Never, false),
        (Mode::Direct, Share::Always, true),
        (Mode::Relay, Share::Always, false),
    ] {
        let mut alice = direct_call(mode, share);
        assert_eq!(offers(&mut alice), [(RELAY, shown)], "{mode:?} {share:?}");
        assert_eq!(alice.prompt(), "@bob> ");
    }
    let mut script = chat(&[], false, Ways::default());
    script.at_once(AtOnce::TakeCalls);
    script.connected("script", 100);
    receive(&mut script, RELAY, offer("bob", Purpose::Conversation));
    let id = request(&mut script, Kind::Accept);
    receive(&mut script, RELAY, Frame::Done(Done { request: id }));
    assert_eq!(offers(&mut script), [(RELAY, false)], "nobody can be asked");
}

#[test]
fn lines_move_from_the_relay_to_a_direct_path_and_back_without_loss_or_double() {
    let at = "192.0.2.7:7000".parse().expect("an address");
    let mut alice = direct_call(Mode::Auto, Share::Always);
    offers(&mut alice);
    typed(&mut alice, "one");
    alice.pump();
    sent(&mut alice, |_, frame| {
        assert!(matches!(frame, Frame::Data(data) if data.payload == payload(1, 0, "one")))
    });

    alice.path_opened(RELAY, Transport::Tcp, at);
    alice.pump();
    typed(&mut alice, "two");
    alice.pump();
    let frames = |alice: &mut Conversation| -> Vec<Vec<u8>> {
        let direct = alice.take_way_out().direct;
        direct
            .into_iter()
            .map(|(channel, frame)| {
                assert_eq!(channel, RELAY);
                frame[HEADER_LEN..].to_vec()
            })
            .collect()
    };
    assert_eq!(
        frames(&mut alice),
        [payload(1, 0, "one"), payload(2, 0, "two")],
        "the first is not acknowledged"
    );
    assert!(alice.take_frames().is_empty(), "nothing goes by the relay any more");
    alice.receive_payload(RELAY, &payload(1, 1, "hi"), Flags::NONE);
    alice.receive_payload(RELAY, &payload(1, 1, "hi"), Flags::NONE);
    alice.path_lost(RELAY, "no answer");
    alice.pump();
    assert_eq!(
        lines(&mut alice),
        ["-- bob: direct tcp, at 192.0.2.7:7000", "@bob <bob> hi"],
        "the peer may just have hung up"
    );
    alice.set_now(alice.now + std::time::Duration::from_secs(1));
    alice.pump();
    sent(&mut alice, |_, frame| {
        assert!(matches!(frame, Frame::Data(data) if data.payload == payload(2, 1, "two")))
    });
    assert_eq!(lines(&mut alice), ["-- bob: relay: the direct path is lost: no answer"]);
}

#[test]
fn why_there_is_no_direct_path_is_told() {
    let mut alice = direct_call(Mode::Auto, Share::Always);
    receive(&mut alice, RELAY, no_addresses());
    assert_eq!(lines(&mut alice), ["-- bob: relay: bob does not show its addresses"]);
    let mut alice = direct_call(Mode::Auto, Share::Always);
    alice.search_again(RELAY);
    assert_eq!(offers(&mut alice), [(RELAY, true), (RELAY, true)]);
    let entry = AddressEntry { transport: 0, origin: 0, address: "192.0.2.1:7".parse().expect("an address") };
    alice.offer_paths(RELAY, &[entry]);
    let id = request(&mut alice, Kind::OfferPaths);
    receive(&mut alice, RELAY, refused(id, RefusalCode::TooManyRounds, "3 rounds have found none"));
    assert_eq!(lines(&mut alice), ["-- bob: relay: 3 rounds have found none"]);
}

#[test]
fn with_only_direct_paths_wanted_nothing_is_said_by_the_relay() {
    let mut alice = direct_call(Mode::Direct, Share::Always);
    typed(&mut alice, "for bob alone");
    alice.pump();
    assert!(alice.take_frames().is_empty());
    alice.path_failed(RELAY, "no answer");
    request(&mut alice, Kind::Close);
    let told = lines(&mut alice);
    assert!(told[0].starts_with("!! no direct path to bob: no answer;"), "{told:?}");
    assert!(alice.calls.is_empty());
}

#[test]
fn a_direct_call_outlives_the_server_and_ends_with_its_path() {
    let at = "192.0.2.7:7000".parse().expect("an address");
    let mut alice = direct_call(Mode::Auto, Share::Always);
    alice.path_opened(RELAY, Transport::Udp, at);
    alice.disconnected();
    typed(&mut alice, "still there?");
    alice.pump();
    assert_eq!(alice.take_way_out().direct.len(), 1, "the line, with the acknowledgement that is owed");
    alice.take_shown();
    alice.path_lost(RELAY, "no answer");
    let told = lines(&mut alice);
    assert_eq!(told, ["!! not confirmed: @bob: still there?", "-- the call with bob has ended: no answer"]);
    assert!(alice.calls.is_empty());
}

#[test]
fn a_call_hung_up_waits_for_what_is_under_way_on_a_direct_path() {
    let at = "192.0.2.7:7000".parse().expect("an address");
    for acknowledged in [true, false] {
        let mut alice = direct_call(Mode::Auto, Share::Always);
        alice.path_opened(RELAY, Transport::Udp, at);
        typed(&mut alice, "bye");
        alice.pump();
        typed(&mut alice, "/hangup");
        alice.pump();
        assert!(alice.take_frames().is_empty(), "not yet");
        if acknowledged {
            alice.receive_payload(RELAY, &payload(0, 1, ""), Flags::NONE);
        } else {
            alice.set_now(alice.now + std::time::Duration::from_secs(4));
        }
        alice.pump();
        let mut kinds = Vec::new();
        sent(&mut alice, |_, frame| kinds.push(frame.kind()));
        assert_eq!(kinds, [Kind::Data, Kind::Close], "the end does not overtake the last acknowledgement");
        assert_eq!(alice.take_way_out().closed, [RELAY]);
        assert_eq!(alice.unconfirmed(), usize::from(!acknowledged));
    }
}

#[test]
fn every_call_is_asked_about_one_after_the_other() {
    let mut alice = chat(&[], true, Ways::default());
    alice.connected("alice", 100);
    typed(&mut alice, "/call bob");
    alice.typed("/call carol");
    assert_eq!(alice.prompt(), "show bob your addresses, to talk directly? [y/N] ");
    alice.typed("y");
    assert_eq!(alice.prompt(), "show carol your addresses, to talk directly? [y/N] ");
    alice.typed("n");
    assert_eq!(alice.prompt(), "@carol> ");
}

#[test]
fn a_search_that_the_other_end_gives_up_comes_to_an_end_and_the_other_end_hears_so() {
    let mut alice = direct_call(Mode::Auto, Share::Always);
    offers(&mut alice);
    let later = alice.next_deadline().expect("it does not wait for ever");
    alice.set_now(later);
    alice.pump();
    assert_eq!(lines(&mut alice), ["-- bob: relay: the other end does not look for a direct path"]);
    assert_eq!(offers(&mut alice), [(RELAY, false)]);
    // An offer that the server does not take: the peer would wait for the next one.
    let mut alice = direct_call(Mode::Auto, Share::Always);
    offers(&mut alice);
    let entry = AddressEntry { transport: 0, origin: 0, address: "192.0.2.1:7".parse().expect("an address") };
    alice.offer_paths(RELAY, &[entry]);
    let id = request(&mut alice, Kind::OfferPaths);
    receive(&mut alice, RELAY, refused(id, RefusalCode::BadAddress, "that is no address"));
    assert_eq!(offers(&mut alice), [(RELAY, false)]);
    assert_eq!(lines(&mut alice), ["-- bob: relay: that is no address"]);
    alice.offer_paths(RELAY, &[]);
    let id = request(&mut alice, Kind::OfferPaths);
    receive(&mut alice, RELAY, refused(id, RefusalCode::TooManyRounds, "3 rounds have found none"));
    assert!(offers(&mut alice).is_empty() && lines(&mut alice).is_empty(), "that is the end of it");
}

#[test]
fn while_nothing_can_be_shown_nothing_is_acknowledged_and_the_peer_stops() {
    let at = "192.0.2.7:7000".parse().expect("an address");
    let mut alice = direct_call(Mode::Auto, Share::Always);
    alice.path_opened(RELAY, Transport::Tcp, at);
    alice.pump();
    alice.take_way_out();
    alice.set_stalled(true);
    alice.pump();
    for seq in 1..=64 {
        alice.receive_payload(RELAY, &payload(seq, 0, "a line"), Flags::NONE);
        alice.pump();
    }
    assert!(alice.take_way_out().direct.is_empty(), "no acknowledgement");
    alice.set_stalled(false);
    alice.pump();
    let direct = alice.take_way_out().direct;
    assert_eq!(direct.last().map(|(_, frame)| frame[HEADER_LEN..].to_vec()), Some(payload(0, 64, "")));
    // Who goes on all the same does not keep to the protocol.
    alice.set_stalled(true);
    alice.pump();
    for seq in 65..=130 {
        alice.receive_payload(RELAY, &payload(seq, 0, "a line"), Flags::NONE);
    }
    assert!(alice.calls.is_empty());
    assert!(lines(&mut alice).last().is_some_and(|line| line.contains("too far ahead")));
}

#[test]
fn a_broken_peer_is_complained_about_once() {
    let at = "192.0.2.7:7000".parse().expect("an address");
    let mut alice = direct_call(Mode::Auto, Share::Always);
    alice.path_opened(RELAY, Transport::Udp, at);
    alice.take_shown();
    typed(&mut alice, "bye");
    typed(&mut alice, "/hangup");
    alice.take_shown();
    for _ in 0..100 {
        alice.receive_payload(RELAY, b"nonsense", Flags::NONE);
    }
    assert!(lines(&mut alice).len() <= 1);
    assert_eq!(alice.take_way_out().closed, [RELAY]);
}
