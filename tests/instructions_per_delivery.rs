//! What the engine executes per delivery, in instructions, as valgrind counts them: no kernel, no clock, and so the same
//! on a busy machine as on an idle one. A change that costs more than the headroom below fails here, whether or not any
//! timing would show it.
//!
//! Each figure is the difference between a long run and a short one, over what the long one did more.

#[path = "common/memory.rs"]
mod memory;

use memory::Room;
use std::process::Command;

/// What is counted, the instructions that one of it may take, and how often it is done in the short and in the long run.
/// Budgets are a fifth above what was counted when they were set, in the profile that the tests are built in.
struct Budget {
    workload: &'static str,
    instructions_max: f64,
    short: usize,
    long: usize,
}

const MEMBERS: usize = 100;

/// Names the workload to whoever is run under valgrind, and how often to do it.
const WORKLOAD: &str = "SWITCHBOARD_WORKLOAD";

/// Does it so many times, and returns how much was done each time.
fn work(workload: &str, times: usize) -> usize {
    match workload.split_once(' ') {
        Some(("say", messages)) => {
            let messages = messages.parse().expect("a number of messages");
            let mut room = Room::with_members(MEMBERS);
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

/// Under valgrind it does what [`WORKLOAD`] says; otherwise it shows that all of it can be done.
#[test]
fn workload() {
    let Ok(asked) = std::env::var(WORKLOAD) else {
        assert_eq!((work("say 8", 1), work("enter 50", 1)), (8 * 99, 50));
        return;
    };
    let (workload, times) = asked.rsplit_once(' ').expect("what, and how often");
    work(workload, times.parse().expect("a number of times"));
}

fn instructions(workload: &str, times: usize) -> f64 {
    let this = std::env::current_exe().expect("this test's executable");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["--exact", "workload", "--test-threads=1"])
        .env(WORKLOAD, format!("{workload} {times}"))
        .output()
        .expect("this test needs valgrind: install it with `apt-get install valgrind`");
    let said = String::from_utf8_lossy(&valgrind.stderr);
    assert!(valgrind.status.success(), "valgrind ends with {}:\n{said}", valgrind.status);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("valgrind counts nothing:\n{said}"))
}

fn check(Budget { workload, instructions_max, short, long }: Budget) {
    let more = (work(workload, 0) * (long - short)) as f64;
    let each = (instructions(workload, long) - instructions(workload, short)) / more;
    println!("{workload}: {each:.1} instructions each, {instructions_max} at most");
    assert!(
        each <= instructions_max,
        "\"{workload}\" takes {each:.1} instructions each, and {instructions_max} are allowed.\n\
         Find out what takes them: SWITCHBOARD_WORKLOAD=\"{workload} {long}\" valgrind --tool=callgrind THIS-TEST \
         --exact workload, then callgrind_annotate. Make it cheaper, or raise the budget in {} and say in \
         docs/PERFORMANCE.md what is had for it.",
        file!()
    );
}

#[test]
fn a_delivery_when_little_is_said() {
    check(Budget { workload: "say 8", instructions_max: 137.0, short: 5, long: 105 });
}

#[test]
fn a_delivery_when_some_is_said() {
    check(Budget { workload: "say 32", instructions_max: 57.0, short: 5, long: 55 });
}

#[test]
fn a_delivery_when_more_is_said() {
    check(Budget { workload: "say 128", instructions_max: 35.0, short: 5, long: 35 });
}

#[test]
fn a_delivery_when_much_is_said() {
    check(Budget { workload: "say 512", instructions_max: 30.0, short: 5, long: 15 });
}

/// Admitted, logged in, and in the room, of which everybody else is told.
#[test]
fn an_entry() {
    check(Budget { workload: "enter 1000", instructions_max: 25_000.0, short: 1, long: 4 });
}
