//! What it costs that a commit is on the disk when it is said to be (`synchronous=FULL`), against one that is in the
//! kernel's hands (`NORMAL`). SWITCHBOARD_SECONDS=4 with `--nocapture` measures for so long each.

use super::*;
use std::time::Instant;

/// Messages that wait to be confirmed at one time.
const WINDOWS: [u64; 3] = [1, 16, 4_096];

const TEXT: &str = "what people say in one message, about so long";

/// Of this process.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<u64>().expect("a number");
    Duration::from_millis((ticks(11) + ticks(12)) * 10) // USER_HZ is 100 on Linux
}

/// Messages, and the transactions that they took.
fn confirm(mode: &str, window: u64, time: Duration) -> (u64, usize) {
    let directory = Directory::new();
    let database = Database::open(&directory.0).expect("it opens");
    database.connection.pragma_update(None, "synchronous", mode).expect("a mode");
    let (mut storage, answers) = started(database);
    storage.put(room(1)).expect("room for it");
    wait(&mut storage, &answers);
    let (begun, before) = (Instant::now(), cpu());
    let (mut messages, mut commits) = (0, 0);
    while begun.elapsed() < time {
        while storage.waiting() < window {
            messages += 1;
            storage.put(said(messages, 1, TEXT)).expect("room for it");
        }
        commits += 1;
        storage.flush();
        storage.note(&answers.recv_timeout(PATIENCE).expect("an answer"));
    }
    commits += wait(&mut storage, &answers);
    let (took, used) = (begun.elapsed(), cpu().saturating_sub(before));
    let per_second = messages as f64 / took.as_secs_f64();
    let each = used.as_secs_f64() * 1e6 / messages as f64;
    println!(
        "{mode:6} {window:5} at a time: {per_second:7.0} confirmed per second, {each:6.1} us of CPU each"
    );
    (messages, commits)
}

#[test]
fn many_messages_share_one_wait_for_the_disk() {
    let seconds = std::env::var("SWITCHBOARD_SECONDS").ok().map(|text| text.parse().expect("a number"));
    let time = seconds.map_or(Duration::from_millis(100), Duration::from_secs_f64);
    for window in WINDOWS {
        for mode in ["FULL", "NORMAL"] {
            let (messages, commits) = confirm(mode, window, time);
            let together = (window.min(100) / 4).max(1); // at least, as a rule
            assert!(commits as u64 <= messages / together + 2, "{messages} in {commits}, {window} at a time");
        }
    }
}
