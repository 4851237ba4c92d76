//! What a delivery costs once everything has its size: no allocation, and one write per member and turn, however many
//! messages the turn held.

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
    let (writes, written) = (room.writes(), room.written());
    let allocations = allocation_counter::measure(|| room.busy_turn(500)).count_total;
    let (writes, written) = (room.writes() - writes, room.written() - written);
    // 500 messages, each to 99 members.
    let deliveries = 500 * 99;
    let mut one = Vec::new();
    header::put(&mut one, Flags::NONE, 0, &frame::Said { by: "m0", text: TEXT });
    assert_eq!(written, deliveries * one.len() as u64, "everybody got everything but their own");
    assert_eq!(writes, 100, "one write per member");
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
