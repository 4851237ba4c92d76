//! Instructions, as valgrind counts them: no kernel, no clock, and so the same on a busy machine as on an idle one. What
//! is counted is the difference between a long run and a short one, over what the long one did more.
//!
//! A test has a `workload` among its tests, which is run under valgrind and does what [`asked`] says.

use std::process::Command;

/// What is counted, the instructions that one of it may take, and how often it is done in the short and in the long run.
/// Budgets are a fifth above what was counted when they were set, in the profile that the tests are built in.
pub struct Budget {
    pub workload: &'static str,
    pub instructions_max: f64,
    pub short: usize,
    pub long: usize,
}

/// Names the workload to whoever is run under valgrind, and how often to do it.
const WORKLOAD: &str = "SWITCHBOARD_WORKLOAD";

/// What whoever runs this under valgrind wants to be done, and how often.
pub fn asked() -> Option<(String, usize)> {
    let asked = std::env::var(WORKLOAD).ok()?;
    let (workload, times) = asked.rsplit_once(' ').expect("what, and how often");
    Some((workload.to_owned(), times.parse().expect("a number of times")))
}

/// Holds a workload to its budget. `work` does it so many times, and returns how much was done each time.
pub fn check(Budget { workload, instructions_max, short, long }: Budget, work: fn(&str, usize) -> usize) {
    let more = (work(workload, 0) * (long - short)) as f64;
    let each = (instructions(workload, long) - instructions(workload, short)) / more;
    println!("{workload}: {each:.1} instructions each, {instructions_max} at most");
    assert!(
        each <= instructions_max,
        "\"{workload}\" takes {each:.1} instructions each, and {instructions_max} are allowed.\n\
         Find out what takes them: SWITCHBOARD_WORKLOAD=\"{workload} {long}\" valgrind --tool=callgrind THIS-TEST \
         --exact workload, then callgrind_annotate. Make it cheaper, or raise the budget and say in \
         docs/PERFORMANCE.md what is had for it.",
    );
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
