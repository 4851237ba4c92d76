//! CPU per relayed datagram: the server, which checks a tag and a replay window and seals anew, against bare loops that
//! receive and send and do nothing else. The server's side is held to one core and the load to another.
//!
//! - *singly*: one pair, one datagram in flight;
//! - *many pairs*: 64 pairs and two datagrams of each in flight, so that no two in a row have the same way;
//! - *bursts*: one pair, whose sender hands the kernel 64 datagrams at a time.
//!
//! The figure is user and system time of the one thread that relays, as the scheduler counts it, over the datagrams that
//! arrived and were checked. The contenders take turns, several times; shown are the median and the extremes.
//!
//! `cargo bench --bench udp_relay` runs all of it, with `-- bursts`, say, a part.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "udp_relay/contenders.rs"]
mod contenders;
#[path = "udp_relay/load.rs"]
mod load;
#[path = "udp_relay/peer.rs"]
mod peer;

use contenders::Contender;
use load::{Load, PAYLOAD_BYTES};

/// What coturn 4.6 spends on a datagram of the same payload, in nanoseconds, measured once on such a machine.
const COTURN: f64 = 6_850.0;

/// What the server may spend, against the blocking loop, where datagrams come singly.
const SINGLY_MAX: f64 = 1.1;

/// What the server may spend, against coturn, where they come in bursts.
const BURSTS_MAX: f64 = 0.25;

struct Mode {
    name: &'static str,
    datagrams: usize,
    run: fn(&mut Load, usize) -> usize,
}

const MODES: [Mode; 3] = [
    Mode { name: "singly", datagrams: 10_000, run: Load::singly },
    Mode { name: "many pairs", datagrams: 60_000, run: Load::many_pairs },
    Mode { name: "bursts", datagrams: 200_000, run: Load::bursts },
];

fn main() {
    // `cargo test` runs benches too, to see that they work.
    let (runs, share) = if std::env::args().any(|arg| arg == "--bench") { (11, 1) } else { (1, 20) };
    contenders::pin_load();
    let mut contenders = contenders::all();
    println!(
        "{PAYLOAD_BYTES} bytes of payload; ns of CPU per datagram, median of {runs} runs (least to most)\n"
    );
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for mode in MODES.iter().filter(|mode| wanted.is_empty() || wanted.iter().any(|w| mode.name.contains(w)))
    {
        let mut costs = vec![Vec::new(); contenders.len()];
        let mut lost = vec![0; contenders.len()];
        for _ in 0..runs {
            for (index, contender) in contenders.iter_mut().enumerate() {
                let datagrams = mode.datagrams / share;
                let (cost, missing) = measure(contender, mode, datagrams);
                costs[index].push(cost);
                lost[index] += missing;
            }
        }
        report(mode, &contenders, &mut costs, &lost);
    }
}

/// One run: CPU per datagram that arrived, in nanoseconds, and how many did not.
fn measure(contender: &mut Contender, mode: &Mode, datagrams: usize) -> (f64, usize) {
    contender.load.warm_up();
    let before = contender.cpu();
    let arrived = (mode.run)(&mut contender.load, datagrams);
    let cpu = contender.cpu() - before;
    assert!(arrived > 0, "{}: nothing arrived", contender.name);
    (cpu.as_nanos() as f64 / arrived as f64, datagrams - arrived)
}

fn report(mode: &Mode, contenders: &[Contender], costs: &mut [Vec<f64>], lost: &[usize]) {
    let medians: Vec<f64> = costs.iter_mut().map(|costs| median(costs)).collect();
    println!(
        "{:<11} {:<34} {:>7}  {:>15}  {:>9} {:>6}",
        mode.name, "", "median", "spread", "× blocking", "lost"
    );
    for (index, contender) in contenders.iter().enumerate() {
        let (least, most) = (costs[index][0], costs[index][costs[index].len() - 1]);
        let spread = format!("{least:.0} to {most:.0}");
        let ratio = medians[index] / medians[0];
        println!(
            "{:<11} {:<34} {:>7.0}  {spread:>15}  {ratio:>9.2} {:>6}",
            "", contender.name, medians[index], lost[index]
        );
    }
    let server = medians[contenders::SERVER];
    let (goal, max) = match mode.name {
        "bursts" => (format!("{BURSTS_MAX} × coturn's {COTURN:.0} ns"), BURSTS_MAX * COTURN),
        _ => (format!("{SINGLY_MAX} × the blocking loop"), SINGLY_MAX * medians[0]),
    };
    let verdict = if server <= max { "met" } else { "MISSED" };
    println!("            goal: {goal}, {max:.0} ns: {verdict} with {server:.0}\n");
}

fn median(costs: &mut [f64]) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}
