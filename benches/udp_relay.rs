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
        let mut series = vec![Vec::new(); contenders.len()];
        for _ in 0..runs {
            for (contender, runs) in contenders.iter_mut().zip(&mut series) {
                runs.push(measure(contender, mode, mode.datagrams / share));
            }
        }
        report(mode, &contenders, &series);
    }
}

#[derive(Clone, Copy)]
struct Run {
    /// CPU per datagram that arrived, in nanoseconds.
    cost: f64,
    /// Datagrams that arrived each time that the relay had been woken.
    per_turn: f64,
    lost: usize,
}

fn measure(contender: &mut Contender, mode: &Mode, datagrams: usize) -> Run {
    contender.load.warm_up();
    let before = contender.spent();
    let arrived = (mode.run)(&mut contender.load, datagrams);
    let after = contender.spent();
    assert!(arrived > 0, "{}: nothing arrived", contender.name);
    let turns = (after.turns - before.turns).max(1);
    Run {
        cost: (after.nanos - before.nanos) as f64 / arrived as f64,
        per_turn: arrived as f64 / turns as f64,
        lost: datagrams - arrived,
    }
}

fn report(mode: &Mode, contenders: &[Contender], series: &[Vec<Run>]) {
    println!(
        "{:<11} {:<28} {:>7} {:>16} {:>11} {:>9} {:>5}",
        mode.name, "", "median", "spread", "× blocking", "per wake", "lost"
    );
    let cost = |runs: &[Run]| median(runs.iter().map(|run| run.cost));
    // Run by run, so that what else the machine does weighs on both sides of a ratio.
    let ratio =
        |runs: &[Run]| median(runs.iter().zip(&series[0]).map(|(run, blocking)| run.cost / blocking.cost));
    for (contender, runs) in contenders.iter().zip(series) {
        let least = runs.iter().map(|run| run.cost).fold(f64::MAX, f64::min);
        let most = runs.iter().map(|run| run.cost).fold(0.0, f64::max);
        println!(
            "{:<11} {:<28} {:>7.0} {:>16} {:>11.2} {:>9.1} {:>5}",
            "",
            contender.name,
            cost(runs),
            format!("{least:.0} to {most:.0}"),
            ratio(runs),
            median(runs.iter().map(|run| run.per_turn)),
            runs.iter().map(|run| run.lost).sum::<usize>()
        );
    }
    let server = &series[contenders::SERVER];
    let (goal, is, met) = match mode.name {
        "bursts" => {
            let max = BURSTS_MAX * COTURN;
            let goal = format!("{BURSTS_MAX} × coturn's {COTURN:.0} ns, {max:.0} ns");
            (goal, format!("{:.0} ns", cost(server)), cost(server) <= max)
        }
        _ => {
            let goal = format!("{SINGLY_MAX} × the blocking loop");
            (goal, format!("{:.2} ×", ratio(server)), ratio(server) <= SINGLY_MAX)
        }
    };
    println!("            goal: {goal}: {} with {is}\n", if met { "met" } else { "MISSED" });
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
