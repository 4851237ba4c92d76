//! Switchboard against what else could move the same bytes: an async twin on tokio that shares wire, session and hub with
//! it, and floors that do nothing but I/O. The generator is that of `switchboard bench`.
//!
//! `cargo bench --bench engines` runs all of it, `-- fan-out relay`, say, some parts, `--rounds 9` more rounds, and
//! `--markdown` prints nothing but the table. Each run has a fresh server, held to the last core, while the load has the
//! others; contenders take turns, round by round. A ratio is Switchboard's figure over the other's: the median of the
//! rounds' ratios, with the least and the most. `docs/PERFORMANCE.md` says what the figures mean, and how they mislead.
//!
//! - `contenders` who is measured, as processes; `twin`, `floors` and `pump` are what they do; `lasting` rooms that last;
//! - `parts` the loads and the goals; `spread` and `verdict` what came of them; `table` what is printed.

mod contenders;
mod floors;
mod lasting;
mod parts;
mod peers;
mod pump;
mod spread;
mod table;
mod twin;
mod verdict;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use parts::{Contest, Entry, PARTS, contests};
use peers::Files;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use switchboard::load::cores::{self, Cores};
use switchboard::load::plan::Scenario;
use switchboard::load::{self, Outcome, Plan, Target, Unwatched};
use verdict::{Runs, not_once};

/// What `cargo bench --bench engines --` understands.
#[derive(Parser)]
struct Wanted {
    /// Which loads; all of them, if none is named
    #[arg(value_parser = PossibleValuesParser::new(PARTS))]
    parts: Vec<String>,
    /// How often each of them is carried; more where few rounds agree too little
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Nothing but the table of docs/PERFORMANCE.md on stdout; what is behind it, on stderr
    #[arg(long)]
    markdown: bool,
    /// What cargo says.
    #[arg(long, hide = true)]
    bench: bool,
}

/// So many times fewer clients in a trial.
const TRIAL_SHARE: usize = 100;

/// Seconds of a trial. One that had no time to deliver anything has another one.
const TRIAL_SECONDS: [f64; 3] = [0.03, 0.3, 3.0];

fn main() -> ExitCode {
    contenders::serve_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        // As `cargo test` runs it. What else it may say is a filter of tests, or a wish to list them.
        [] => try_all(),
        arguments if arguments.iter().any(|argument| argument == "--bench") => {
            take_figures(&Wanted::parse());
            Ok(())
        }
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
fn take_figures(wanted: &Wanted) {
    let say = |text: &str| if wanted.markdown { eprintln!("{text}") } else { println!("{text}") };
    let (cores, started) = (Cores::split(), Instant::now());
    match &cores {
        Some(cores) => drop(cores::hold_to(&cores.generator)),
        None => say("there is one core only: server and load share it, and disturb each other"),
    }
    let (mut rows, mut wrong, mut failed) = (Vec::new(), 0, 0);
    for contest in contests(&wanted.parts, 1) {
        let rounds = wanted.rounds.map_or(contest.rounds, |rounds| rounds as usize);
        let runs = carry_out(&contest, rounds, cores.as_ref());
        let (text, of_contest) = table::report(&contest, &runs);
        say(&text);
        rows.extend(of_contest);
        wrong += runs.iter().flatten().flatten().map(not_once).sum::<u64>();
        failed += runs.iter().flatten().filter(|run| run.is_err()).count();
    }
    println!("{}", table::markdown(&rows));
    say(&table::count(&rows));
    say(&format!(
        "{wrong} deliveries of anybody were lost, duplicated or out of order; {failed} runs came to nothing; {} seconds",
        started.elapsed().as_secs()
    ));
}

/// `cargo test`: every contender carries every load, little of it and for a moment. Whether it serves is looked at, and
/// how fast is not.
fn try_all() -> Result<(), String> {
    let cores = Cores::split();
    for contest in contests(&[], TRIAL_SHARE) {
        for entry in &contest.entries {
            let name = format!("{}: {}", contest.work, entry.name());
            try_one(&contest, entry, cores.as_ref()).map_err(|error| format!("{name}: {error}"))?;
            println!("{name} ... ok");
        }
    }
    Ok(())
}

/// Everything comes once and in order, and there is every figure that is wanted.
fn try_one(contest: &Contest, entry: &Entry, cores: Option<&Cores>) -> Result<(), String> {
    let mut missing = "";
    for seconds in TRIAL_SECONDS {
        let outcome = run(contest, entry, seconds, cores)?;
        if not_once(&outcome) > 0 {
            return Err(format!("{:?}", outcome.counts));
        }
        let mut figures = contest.measures.iter().map(|measure| measure.figure);
        match figures.find(|figure| (figure.of)(&outcome).is_none()) {
            None => return Ok(()),
            Some(figure) => missing = figure.name,
        }
    }
    Err(format!("there is no figure: {missing}"))
}

/// Everybody in turns, in every round. Who begins changes, so that nobody always follows the same one.
fn carry_out(contest: &Contest, rounds: usize, cores: Option<&Cores>) -> Vec<Runs> {
    let count = contest.entries.len();
    let mut runs: Vec<Runs> = vec![Vec::new(); count];
    for round in 0..rounds {
        for turn in 0..count {
            let at = (turn + round) % count;
            runs[at].push(run(contest, &contest.entries[at], contest.duration, cores));
        }
    }
    runs
}

/// One run against a server of its own, which is gone afterwards.
fn run(contest: &Contest, entry: &Entry, seconds: f64, cores: Option<&Cores>) -> Result<Outcome, String> {
    let options: Vec<&str> = contest.options.iter().chain(entry.options).copied().collect();
    let files = entry.lasts.then(Files::new).transpose()?;
    let data_dir = files.as_ref().map(|files| format!("--data-dir={}", files.path().display()));
    let options: Vec<&str> = options.into_iter().chain(data_dir.as_deref()).collect();
    let server = entry.contender.start(&options, cores)?;
    if let (true, Scenario::Rooms(rooms)) = (entry.lasts, &entry.scenario) {
        lasting::make(server.process.address, rooms)?;
    }
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
    let target = Target { address: server.process.address, pid: Some(server.process.pid()), label };
    load::run(&plan, &target, &mut Unwatched).map_err(|error| error.to_string())
}
