//! Rooms that last and in which nobody is: each takes little memory, all of them come back fast, and none of them ever
//! asks for the time.

#[path = "common/recorder.rs"]
mod recorder;
#[path = "common/resting.rs"]
mod resting;

use recorder::{Recorder, moment};
use resting::{ROOM_BYTES_MAX, ROOMS};
use std::time::{Duration, Instant};
use switchboard::hub::record::Given;
use switchboard::hub::{Hub, Limits};

/// In kibibytes, of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

#[test]
fn a_room_at_rest_takes_little_memory_and_no_time() {
    let mut hub = Hub::new(Limits::default());
    for record in resting::accounts() {
        hub.restore(record).expect("an account");
    }
    let before = resident();
    let began = Instant::now();
    for record in resting::rooms() {
        hub.restore(record).expect("a room, or its owner");
    }
    hub.restored(Given::default());
    let took = began.elapsed();
    let bytes = (resident() - before) * 1_024 / ROOMS;
    println!("{bytes} bytes for each of {ROOMS} rooms, which took {took:?} to come back");
    assert_eq!(hub.rooms_len() as u64, ROOMS);
    assert!(bytes <= ROOM_BYTES_MAX, "{bytes} bytes for each of {ROOMS} rooms");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let mut recorder = Recorder::default();
    hub.expire(moment(Instant::now()), &mut recorder);
    assert_eq!((hub.next_deadline(), recorder.take()), (None, vec![]), "there is nothing to wait for");
}
