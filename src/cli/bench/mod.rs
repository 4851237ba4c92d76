//! `switchboard bench`: what is to be measured, and where the report goes.

mod args;
mod files;
mod values;

pub use args::BenchArgs;

use crate::load::bench::{Bench, Failure};
use crate::load::child::{Launcher, become_server};
use crate::load::contender::{Contender, Place};
use crate::load::cores::{Cores, hold_to};
use crate::load::plan::Protocol;
use crate::load::probe::is_ignored;
use crate::load::progress::Progress;
use crate::load::report::{Machine, Report, html::html, json::json, table::table};
use crate::load::{self, Plan};
use crate::net::descriptors::raise_limit;
use args::{Common, Wanted};
use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long messages that have not arrived are waited for after the last one that did.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs of each of two servers that are compared.
const VERSUS_RUNS: usize = 3;

pub const HELP: &str = "\
Without --target a server of this binary is started for each run, held to a core of its own where there are two, and \
ended afterwards: one command gives a result.

    switchboard bench rooms
    switchboard bench rooms --rate 1000 --html report.html
    switchboard bench rooms --find-max --slo 'p99<10ms'
    switchboard bench rooms --versus '127.0.0.1:7001 ngircd -n -f ngircd.conf' --versus-protocol irc

The table goes to standard output, progress to standard error. Exit status 0 means that everything was measured, \
whatever came of it. docs/BENCH.md says of each figure what it means and how it can mislead.";

/// Runs what the command line says, and writes the reports.
pub fn bench(args: BenchArgs) -> Result<ExitCode, String> {
    let Wanted { scenario, common, time, protocol, versus_protocol, find_max } = args.scenario.wanted()?;
    let plan = Plan {
        protocol,
        threads: common.threads,
        spread_sources: common.spread_sources,
        warmup: Duration::from_secs_f64(time.warmup),
        duration: Duration::from_secs_f64(time.duration),
        patience: PATIENCE,
        scenario,
    };
    let contenders = common.contenders(protocol, versus_protocol)?;
    // Before minutes of measuring, and not behind them.
    let files = raise_limit();
    for contender in &contenders {
        plan.check(contender.protocol, files)?;
    }
    common.files().try_for_each(|file| files::try_to_write(file))?;
    let signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let switchboard = std::env::current_exe()
        .map_err(|error| format!("cannot find this program, to start servers: {error}"))?;
    let mut machine = Machine::this();
    let cores = if common.no_pin { None } else { Cores::split() };
    if let Some(cores) = &cores {
        hold_to(&cores.generator);
    }
    // Where a server runs that was there before is its own affair.
    machine.pinned = cores.clone();
    let repeat = common.repeat.unwrap_or(if common.versus.is_some() { VERSUS_RUNS } else { 1 });
    let mut progress = Progress::new(plan.duration, Arc::clone(&signals.cancelled));
    let bench = Bench {
        plan,
        contenders,
        repeat,
        find_max,
        count_system_calls: common.count_system_calls,
        machine,
        launcher: Launcher {
            switchboard: &switchboard,
            core: cores.map(|cores| cores.server),
            cancelled: &signals.cancelled,
        },
        run: load::run,
    };
    let measured = bench.measure(&mut progress);
    drop(progress);
    match measured {
        Ok(mut report) => {
            report.command = command_line();
            common.write(&report)?;
            Ok(ExitCode::SUCCESS)
        }
        // What was started has ended: now this ends as the signal would have ended it.
        Err(Failure::Cancelled) => {
            let _ = emulate_default_handler(signals.which());
            Err(Failure::Cancelled.to_string())
        }
        Err(failure) => Err(failure.to_string()),
    }
}

/// The first INT, TERM or HUP, unless that was ignored from the start, ends the run in order, a second one the process.
struct Signals {
    cancelled: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        let signals = Self { cancelled: Arc::default(), which: Arc::default() };
        // Under nohup(1) a run is to go on when its terminal is gone.
        let hang_up = (!is_ignored(SIGHUP)).then_some(SIGHUP);
        for signal in [SIGINT, SIGTERM].into_iter().chain(hang_up) {
            // In this order: it does nothing the first time.
            flag::register_conditional_default(signal, Arc::clone(&signals.cancelled))?;
            flag::register_usize(signal, Arc::clone(&signals.which), signal as usize)?;
            flag::register(signal, Arc::clone(&signals.cancelled))?;
        }
        Ok(signals)
    }

    fn which(&self) -> i32 {
        i32::try_from(self.which.load(Ordering::Relaxed)).unwrap_or(SIGTERM)
    }
}

impl Common {
    fn contenders(&self, protocol: Protocol, versus_protocol: Protocol) -> Result<Vec<Contender>, String> {
        let mut first = self.target.clone().unwrap_or(Place::Own);
        if let Some(pid) = self.pid {
            match &mut first {
                Place::Running { pid: known, .. } => *known = Some(pid),
                _ => {
                    return Err(
                        "--pid is for a server that runs already: of one that a command starts it is known"
                            .into(),
                    );
                }
            }
        }
        let mut contenders = vec![Contender::new(first, protocol)];
        if let Some(versus) = &self.versus {
            let mut second = Contender::new(versus.clone(), versus_protocol);
            if contenders.iter().any(|first| first.label == second.label) {
                second.label.push_str(" (versus)");
            }
            contenders.push(second);
        }
        Ok(contenders)
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.json, &self.html].into_iter().flatten()
    }

    /// The table goes to standard output, and the rest to its files even if nobody takes that.
    fn write(&self, report: &Report) -> Result<(), String> {
        let printed = print(&table(report));
        let reports = [(&self.json, json as fn(&Report) -> String), (&self.html, html)];
        for (file, make) in reports {
            if let Some(file) = file {
                files::write(file, &make(report))?;
            }
        }
        printed
    }
}

/// Who has stopped reading has had enough. A disk that is full is another matter.
fn print(text: &str) -> Result<(), String> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// This command as a shell would take it.
fn command_line() -> String {
    let quote = |argument: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,%+@".contains(c);
        match !argument.is_empty() && argument.chars().all(plain) {
            true => argument,
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    };
    let arguments =
        std::env::args_os().skip(1).map(|argument| quote(argument.to_string_lossy().into_owned()));
    std::iter::once("switchboard".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// The hidden half of it: becomes a server that ends with who started it.
#[derive(Args, Debug)]
pub struct HeldArgs {
    #[arg(long)]
    parent: u32,
    #[arg(long)]
    core: Option<usize>,
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub fn held(args: &HeldArgs) -> Result<ExitCode, String> {
    let program =
        args.command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
    Err(format!("cannot start {program}: {}", become_server(args.parent, args.core, &args.command)))
}
