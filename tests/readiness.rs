//! Edge-triggered readiness: what is noted once is worked off to its end, in whatever portions, without another edge.

#[path = "common/flaky.rs"]
mod flaky;
#[path = "common/random.rs"]
mod random;
#[path = "common/stage.rs"]
mod stage;

use stage::{Guest, Stage};
use switchboard::server::Limits;
use switchboard::server::connection::HangUp;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Kind, LeftCode};

const WINDOW: usize = 65_536;

fn flags(stage: &Stage, guest: &Guest) -> (bool, bool) {
    let connection = stage.engine.exchange().connections.get(guest.key).expect("a connection");
    (connection.readable, connection.writable)
}

#[test]
fn a_short_read_tells_as_much_as_would_block_where_the_socket_says_so() {
    for (says_so, calls) in [(true, 1), (false, 2)] {
        let mut stage = Stage::new(Limits::default());
        let mut guest = stage.login("ann", WINDOW);
        guest.line.borrow_mut().is_emptied_by_short_reads = says_so;
        for token in 0..3 {
            guest.send(0, &frame::Ping { token });
            let reads = guest.line.borrow().read_calls;
            stage.turn(&[&guest]);
            assert_eq!(guest.line.borrow().read_calls - reads, calls);
            assert_eq!(flags(&stage, &guest), (false, true));
            assert_eq!(guest.kinds(), [Kind::Pong]);
        }
    }
}

#[test]
fn the_end_is_found_behind_a_short_read_when_its_event_was_the_same() {
    let mut stage = Stage::new(Limits::default());
    let mut guest = stage.login("ann", WINDOW);
    guest.send(0, &frame::Ping { token: 1 });
    guest.shut();
    guest.line.borrow_mut().take_edge();
    stage.engine.note_hang_up(guest.key, HangUp::SendsNoMore);
    stage.engine.note(guest.key, true, false);
    stage.turn(&[]); // no other edge
    assert!(!stage.is_open(&guest));
    assert_eq!(guest.kinds(), [Kind::Pong]);
}

#[test]
fn would_block_alone_clears_writability() {
    let mut stage = Stage::new(Limits { flush_bytes_per_turn_max: 50, ..Limits::default() });
    let mut guest = stage.login("ann", 300);
    assert_eq!(flags(&stage, &guest), (false, true), "read to the end, and nothing kept it from writing");
    for token in 0..100 {
        guest.send(0, &frame::Ping { token });
    }
    stage.turn(&[&guest]);
    assert_eq!(flags(&stage, &guest), (false, true));
    // Budget after budget, without an edge, until the socket says that it is full.
    while flags(&stage, &guest).1 {
        assert!(stage.engine.has_work(), "writable, but nobody writes");
        stage.turn(&[]);
    }
    assert_eq!(guest.line.borrow().to_client.len(), 300);
    assert!(!stage.engine.has_work(), "blocked, and yet on a list");
    let writes = guest.line.borrow().write_calls;
    stage.turn(&[]);
    assert_eq!(guest.line.borrow().write_calls, writes, "nothing is tried without an edge");
    guest.receive();
    stage.turn(&[&guest]);
    assert_eq!(flags(&stage, &guest), (false, true));
}

#[test]
fn an_event_without_substance_costs_one_call_and_no_spinning() {
    let mut stage = Stage::new(Limits::default());
    let guest = stage.login("ann", WINDOW);
    let reads = guest.line.borrow().read_calls;
    stage.engine.note(guest.key, true, true);
    stage.turn(&[]);
    assert_eq!((guest.line.borrow().read_calls - reads, stage.engine.has_work()), (1, false));
    assert!(stage.is_open(&guest));
}

#[test]
fn one_edge_is_enough_for_a_hundred_turns() {
    for limits in [
        Limits { frames_per_turn_max: 1, ..Limits::default() },
        Limits { frames_per_turn_max: 3, read_bytes_per_turn_max: 4_096, ..Limits::default() },
        Limits { read_bytes_per_turn_max: 4_096, ..Limits::default() },
    ] {
        let mut stage = Stage::new(limits);
        let mut guest = stage.login("ann", 1 << 20);
        let text = "x".repeat(1_000);
        for request in 1..=100 {
            guest.send(0, &frame::Tell { request, to: "nobody", text: &text });
        }
        stage.turn(&[&guest]);
        while stage.engine.has_work() {
            stage.turn(&[]);
        }
        assert_eq!(guest.receive().len(), 100);
        assert_eq!(guest.unread(), 0);
    }
}

#[test]
fn a_flooder_does_not_keep_the_others_waiting() {
    let mut stage = Stage::new(Limits::default());
    let (mut flooder, mut other) = (stage.login("flood", 1 << 20), stage.login("other", WINDOW));
    for token in 0..100_000 {
        flooder.send(0, &frame::Ping { token });
    }
    for token in 0..20 {
        other.send(0, &frame::Ping { token });
        stage.turn(&[&flooder, &other]);
        assert_eq!(other.kinds(), [Kind::Pong], "answered in the same turn");
        flooder.receive();
    }
    assert!(flooder.unread() > 0, "the flood was not over");
}

#[test]
fn a_late_event_does_not_reach_the_next_tenant_of_a_slot() {
    let mut stage = Stage::new(Limits::default());
    let (mut ann, bob) = (stage.login("ann", WINDOW), stage.login("bob", WINDOW));
    ann.line.borrow_mut().reset();
    stage.run(&[&ann, &bob]);
    assert!(ann.line.borrow().server_closed);
    let tenant = stage.admit(WINDOW);
    assert_eq!(tenant.key.to_u64() as u32, ann.key.to_u64() as u32, "the same slot");
    let calls = (tenant.line.borrow().read_calls, tenant.line.borrow().write_calls);
    stage.engine.note(ann.key, true, true);
    assert!(!stage.engine.has_work());
    stage.turn(&[]);
    assert_eq!((tenant.line.borrow().read_calls, tenant.line.borrow().write_calls), calls);
    assert_eq!(stage.engine.connections_len(), 2);
    ann.receive();
}

#[test]
fn who_closes_its_side_still_gets_what_it_is_owed() {
    let mut stage = Stage::new(Limits::default());
    let (mut ann, channel) = stage.enter("ann", "#r", WINDOW);
    let (mut bob, _) = stage.enter("bob", "#r", WINDOW);
    ann.send(channel, &frame::Say { request: 0, text: "one" });
    ann.send(channel, &frame::Say { request: 0, text: "two" });
    bob.send(0, &frame::Lookup { request: 9, name: "ann" });
    bob.shut();
    // Both in one turn, Ann first: what she said has not been distributed when Bob ends.
    stage.turn(&[&ann, &bob]);
    stage.run(&[&ann, &bob]);
    let kinds = bob.kinds();
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Said).count(), 2, "{kinds:?}");
    assert!(kinds.contains(&Kind::Peer), "{kinds:?}");
    assert!(bob.is_at_end() && stage.engine.connections_len() == 1);
}

#[test]
fn the_room_hears_of_a_departure_before_the_departed_has_read_all() {
    let mut stage = Stage::new(Limits::default());
    let (mut ann, channel) = stage.enter("ann", "#r", WINDOW);
    let (mut bob, _) = stage.enter("bob", "#r", 40);
    ann.send(channel, &frame::Say { request: 0, text: "a word that does not fit into the window" });
    stage.run(&[&ann, &bob]);
    ann.receive();
    bob.send(0, &frame::Bye { code: 0, text: "bye" });
    stage.run(&[&ann, &bob]);
    let received = ann.receive();
    assert_eq!(
        received[0].frame(),
        Frame::Left(frame::Left { who: "bob", code: LeftCode::Quit.number(), text: "bye" })
    );
    let broken = frame::Data { payload: b"for a channel that is no relay" };
    ann.send(77, &broken);
    ann.send_bytes(&[0]);
    stage.run(&[&ann, &bob]);
    assert_eq!(ann.kinds(), [Kind::Refused, Kind::Bye]);
    assert_eq!(
        stage.engine.hub().users_len(),
        0,
        "the hub knows at once, though both connections are still there"
    );
    assert_eq!(stage.engine.connections_len(), 2);
}
