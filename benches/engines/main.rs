//! Switchboard against what else could move the same bytes: an async twin on tokio that shares everything with it but
//! the I/O, and floors that do nothing but I/O. The generator is that of `switchboard bench`.
//!
//! `cargo bench --bench engines` runs all of it, `-- fan-out relay`, say, some parts, and `--rounds 5` more rounds. Each
//! run has a fresh server, held to the last core, while the load has the others; contenders take turns, round by round.
//! A ratio is the median of the rounds' ratios. `docs/PERFORMANCE.md` says what the figures mean, and how they mislead.
//!
//! - `contenders` who is measured, as processes; `twin`, `floors` and `pump` are what they do;
//! - `parts` the loads and the goals; `table` what is printed.

mod contenders;
mod floors;
mod parts;
mod pump;
mod table;
mod twin;

use parts::{Contest, Entry, PARTS, contests};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use switchboard::load::cores::{self, Cores};
use switchboard::load::{self, Outcome, Plan, Target, Unwatched};
use table::{Runs, not_once};

/// How much is done.
struct Scale {
    rounds: usize,
    /// So many times fewer clients, and so many times shorter.
    share: usize,
}

const FIGURES: Scale = Scale { rounds: 3, share: 1 };

/// To see that everybody serves.
const TRIAL: Scale = Scale { rounds: 1, share: 100 };

fn main() -> ExitCode {
    contenders::serve_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        // As `cargo test` runs it. What else it may say is a filter of tests, or a wish to list them.
        [] => try_all(),
        arguments if arguments.iter().any(|argument| argument == "--bench") => take_figures(arguments),
        _ => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

/// `cargo bench`: all figures, and what became of the goals. A goal that is missed is a figure, and no failure.
fn take_figures(arguments: &[String]) -> Result<(), String> {
    let (parts, rounds) = wanted(arguments)?;
    let (cores, started) = (Cores::split(), Instant::now());
    match &cores {
        Some(cores) => drop(cores::hold_to(&cores.generator)),
        None => println!("there is one core only: server and load share it, and disturb each other"),
    }
    let mut rows = Vec::new();
    for contest in contests(&parts, FIGURES.share) {
        let runs = carry_out(&contest, &Scale { rounds, ..FIGURES }, cores.as_ref());
        rows.extend(table::report(&contest, &runs));
    }
    table::summary(&rows);
    println!("{rounds} rounds in {} seconds", started.elapsed().as_secs());
    Ok(())
}

/// `cargo test`: every contender carries every load, little of it and for a moment. Whether it serves is looked at, and
/// how fast is not.
fn try_all() -> Result<(), String> {
    let cores = Cores::split();
    for contest in contests(&[], TRIAL.share) {
        for (entry, runs) in contest.entries.iter().zip(carry_out(&contest, &TRIAL, cores.as_ref())) {
            let name = format!("{}: {}", contest.work, entry.name());
            for run in runs {
                let outcome = run.map_err(|error| format!("{name}: {error}"))?;
                if not_once(&outcome) > 0 {
                    return Err(format!("{name}: {:?}", outcome.counts));
                }
                let missing = contest.measures.iter().find(|measure| (measure.figure.of)(&outcome).is_none());
                if let Some(measure) = missing.filter(|_| outcome.counts.delivered > 0) {
                    return Err(format!("{name}: {} is not told any more", measure.figure.name));
                }
                println!("{name} ... ok");
            }
        }
    }
    Ok(())
}

/// What the command line asks for: parts, none for all, and how many rounds.
fn wanted(arguments: &[String]) -> Result<(Vec<String>, usize), String> {
    let (mut parts, mut rounds) = (Vec::new(), FIGURES.rounds);
    let mut arguments = arguments.iter().filter(|argument| *argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            let count = arguments.next().and_then(|count| count.parse().ok()).filter(|count| *count > 0);
            rounds = count.ok_or("--rounds wants a number, at least 1")?;
        } else if PARTS.contains(&argument.as_str()) {
            parts.push(argument.clone());
        } else {
            return Err(format!("there is no part {argument}; there are {}", PARTS.join(", ")));
        }
    }
    Ok((parts, rounds))
}

/// Everybody in turns, in every round. Who begins changes, so that nobody always follows the same one.
fn carry_out(contest: &Contest, scale: &Scale, cores: Option<&Cores>) -> Vec<Runs> {
    let count = contest.entries.len();
    let mut runs: Vec<Runs> = vec![Vec::new(); count];
    for round in 0..scale.rounds {
        for turn in 0..count {
            let at = (turn + round) % count;
            runs[at].push(run(contest, &contest.entries[at], scale, cores));
        }
    }
    runs
}

/// One run against a server of its own, which is gone afterwards.
fn run(contest: &Contest, entry: &Entry, scale: &Scale, cores: Option<&Cores>) -> Result<Outcome, String> {
    let seconds = contest.duration / scale.share as f64;
    let server = entry.contender.start(contest.options, cores).map_err(|error| error.to_string())?;
    let plan = Plan {
        scenario: entry.scenario.clone(),
        protocol: entry.protocol,
        threads: 1,
        spread_sources: false,
        warmup: Duration::from_secs_f64((seconds / 3.0).min(0.5)),
        duration: Duration::from_secs_f64(seconds),
        patience: Duration::from_secs(5),
    };
    let label = entry.contender.name().to_owned();
    let target = Target { address: server.address, pid: Some(server.pid()), label };
    load::run(&plan, &target, &mut Unwatched).map_err(|error| error.to_string())
}
