//! What a delivery costs once everything has its size: no allocation, one read per sender and one write per member and
//! turn, however many messages the turn held. Counted, not timed: it is the same on every machine.

#[path = "common/memory.rs"]
mod memory;

use memory::{Room, TEXT};
use switchboard::wire::{Flags, frame, header};

#[test]
fn a_turn_of_many_messages_is_one_write_per_member_and_allocates_nothing() {
    let mut room = Room::with_members(100);
    for _ in 0..3 {
        room.busy_turn(500); // every buffer finds its size
    }
    let (reads, writes, written) = (room.reads(), room.writes(), room.written());
    let ranges = room.engine.counters().ranges_queued;
    let allocations = allocation_counter::measure(|| room.busy_turn(500)).count_total;
    let (reads, writes, written) = (room.reads() - reads, room.writes() - writes, room.written() - written);
    // 500 messages, each to 99 members.
    let deliveries = 500 * 99;
    let mut one = Vec::new();
    header::put(&mut one, Flags::NONE, 0, &frame::Said { by: "m0", text: TEXT });
    assert_eq!(written, deliveries * one.len() as u64, "everybody got everything but their own");
    assert_eq!(reads, 10, "one read per sender; that it was short tells the rest");
    assert_eq!(writes, 100, "one write per member");
    let ranges = room.engine.counters().ranges_queued - ranges;
    assert_eq!(ranges, 99, "one range per member, but for the last to speak");
    assert_eq!(allocations, 0, "for {deliveries} deliveries");
}

#[test]
fn nothing_that_is_queued_outlives_its_readers() {
    let mut room = Room::with_members(10);
    room.busy_turn(500);
    assert!(room.engine.exchange().blocks.is_empty());
    room.engine.stop();
    for _ in 0..3 {
        room.turn();
    }
    assert_eq!(room.engine.hub().users_len(), 0);
}

#[test]
fn to_enter_and_to_leave_takes_few_writes_each_however_many_do_it_at_once() {
    for members in [100, 10_000] {
        let mut room = Room::with_members(members);
        let entering = room.writes();
        room.leave_at_once();
        let leaving = room.writes() - entering;
        // Each of them is written to in the turn of it, and when a turn's block is full in between.
        println!("{members}: {entering} writes for entering, {leaving} for leaving");
        assert!(entering <= 2 * members as u64, "{entering} writes for {members} who enter");
        assert!(leaving <= 2 * members as u64, "{leaving} writes for {members} who leave");
    }
}
