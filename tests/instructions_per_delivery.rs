//! What the engine executes per delivery, in instructions. A change that costs more than the headroom below fails here,
//! whether or not any timing would show it.

#[path = "common/instructions.rs"]
mod instructions;
#[path = "common/memory.rs"]
mod memory;

use instructions::{Budget, asked, check};
use memory::Room;

const MEMBERS: usize = 100;

/// Does it so many times, and returns how much was done each time.
fn work(workload: &str, times: usize) -> usize {
    match workload.split_once(' ') {
        Some((say @ ("say" | "forget"), messages)) => {
            let messages = messages.parse().expect("a number of messages");
            let is_kept = say == "say";
            let mut room = if is_kept { Room::with_members(MEMBERS) } else { Room::without_history(MEMBERS) };
            (0..times).for_each(|_| room.busy_turn(messages));
            messages * (MEMBERS - 1)
        }
        Some(("capture", messages)) => {
            let messages = messages.parse().expect("a number of messages");
            let mut room = Room::captured(MEMBERS);
            (0..times).for_each(|_| room.busy_turn(messages));
            messages * (MEMBERS - 1)
        }
        Some(("enter", members)) => {
            let members = members.parse().expect("a number of members");
            (0..times).for_each(|_| drop(Room::with_members(members)));
            members
        }
        _ => panic!("no such workload: {workload}"),
    }
}

/// Under valgrind it does what is asked for; otherwise it shows that all of it can be done.
#[test]
fn workload() {
    match asked() {
        Some((workload, times)) => _ = work(&workload, times),
        None => {
            let done = (work("say 8", 1), work("capture 8", 1), work("enter 50", 1));
            assert_eq!(done, (8 * 99, 8 * 99, 50));
        }
    }
}

#[test]
fn a_delivery_when_little_is_said() {
    check(Budget { workload: "say 8", instructions_max: 158.0, short: 5, long: 105 }, work);
}

#[test]
fn a_delivery_when_some_is_said() {
    check(Budget { workload: "say 32", instructions_max: 80.0, short: 5, long: 55 }, work);
}

#[test]
fn a_delivery_when_more_is_said() {
    check(Budget { workload: "say 128", instructions_max: 59.0, short: 5, long: 35 }, work);
}

#[test]
fn a_delivery_when_much_is_said() {
    check(Budget { workload: "say 512", instructions_max: 54.0, short: 5, long: 15 }, work);
}

/// What the past of a room costs is the difference to "say 128".
#[test]
fn a_delivery_when_what_is_said_is_not_kept() {
    check(Budget { workload: "forget 128", instructions_max: 44.0, short: 5, long: 35 }, work);
}

/// Admitted, logged in, and in the room, of which everybody else is told.
#[test]
fn an_entry() {
    check(Budget { workload: "enter 1000", instructions_max: 31_500.0, short: 1, long: 4 }, work);
}

/// Of which there is a packet for each member and turn.
#[test]
fn a_delivery_that_is_captured_when_little_is_said() {
    check(Budget { workload: "capture 8", instructions_max: 955.0, short: 5, long: 55 }, work);
}

#[test]
fn a_delivery_that_is_captured_when_much_is_said() {
    check(Budget { workload: "capture 512", instructions_max: 535.0, short: 5, long: 10 }, work);
}
