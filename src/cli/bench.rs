//! `switchboard bench`: what is to be measured, and where the report goes.

use crate::load::bench::{Bench, Failure, FindMax};
use crate::load::child::{Launcher, become_server};
use crate::load::contender::{Contender, Place};
use crate::load::cores::{Cores, hold_to};
use crate::load::plan::{
    Churn, Connect, Idle, Join, Mixed, Pace, Protocol, Relay, Rooms, Scenario, Slow, Transport,
};
use crate::load::progress::Progress;
use crate::load::report::{Machine, Report, html::html, json::json, table::table};
use crate::load::slo::Slo;
use crate::load::{self, Plan};
use clap::{Args, Subcommand, ValueEnum};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long messages that have not arrived are waited for after the last one that did.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a search begins unless it is told.
const SEARCH_FROM: f64 = 1_000.0;

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

#[derive(Args, Debug)]
pub struct BenchArgs {
    #[command(subcommand)]
    scenario: ScenarioArgs,
}

#[derive(Subcommand, Debug)]
enum ScenarioArgs {
    /// Members of rooms talk
    Rooms(Talk<RoomsArgs>),
    /// Pairs exchange payload over a relay, one way
    Relay(Talk<RelayArgs>),
    /// A storm of log-ins
    Connect(Other<ConnectArgs>),
    /// Everyone enters one room at once
    Join(Other<JoinArgs>),
    /// Memory and CPU of connections that are logged in and silent
    Idle(Other<IdleArgs>),
    /// As rooms, and part of the listeners stop reading
    Slow(Talk<SlowArgs>),
    /// As rooms, while others come and go
    Churn(Talk<ChurnArgs>),
    /// Rooms, private messages, relays, comings and goings at once
    Mixed(Talk<MixedArgs>),
}

/// A scenario in which messages are sent.
#[derive(Args, Debug)]
struct Talk<T: Args> {
    #[command(flatten)]
    what: T,
    /// Search for the highest rate at which --slo holds; begins at --rate, and doubles it as long as that goes well
    #[arg(long, conflicts_with_all = ["versus", "repeat"], help_heading = "Search")]
    find_max: bool,
    /// What has to hold: p50, p90, p99, p99.9, p99.99 or max of the latency, last- in front of it for the last receiver, lost<=N, cpu<N%; several with commas
    #[arg(
        long,
        value_name = "CONDITIONS",
        default_value = "p99<10ms",
        requires = "find_max",
        help_heading = "Search"
    )]
    slo: Slo,
    #[command(flatten)]
    common: Common,
}

/// One in which none are.
#[derive(Args, Debug)]
struct Other<T: Args> {
    #[command(flatten)]
    what: T,
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
struct RoomsArgs {
    /// Rooms; every client is in one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least::<1>)]
    rooms: usize,
    /// Members of each room, its senders among them
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least::<2>)]
    members: usize,
    /// Members of each room who send; 0 for all
    #[arg(long, value_name = "N", default_value_t = 10)]
    senders: usize,
    /// Bytes of each message's text
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = at_least::<1>)]
    payload: usize,
    #[command(flatten)]
    pace: PaceArgs,
}

#[derive(Args, Debug)]
struct PaceArgs {
    /// Closed loop: so many messages are under way in all, and the next is sent when one has arrived everywhere [default: 32]
    #[arg(long, value_name = "N", value_parser = at_least::<1>, conflicts_with_all = ["rate", "find_max"])]
    window: Option<usize>,
    /// Open loop: so many messages a second in all, by schedule, whether the server keeps up or not
    #[arg(long, value_name = "PER-SECOND", value_parser = positive)]
    rate: Option<f64>,
}

#[derive(Args, Debug)]
struct RelayArgs {
    /// Pairs; each has a relay of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least::<1>)]
    pairs: usize,
    /// How payload travels
    #[arg(long, value_name = "HOW", value_enum, default_value_t = TransportArg::Tcp)]
    transport: TransportArg,
    /// Bytes of payload in each frame
    #[arg(long, value_name = "BYTES", default_value_t = 1_000, value_parser = at_least::<1>)]
    payload: usize,
    #[command(flatten)]
    pace: PaceArgs,
}

#[derive(Args, Debug)]
struct ConnectArgs {
    /// Clients that log in
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = at_least::<1>)]
    clients: usize,
    /// How many of them are on their way at one time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least::<1>)]
    at_once: usize,
}

#[derive(Args, Debug)]
struct JoinArgs {
    /// Clients that enter the room
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = at_least::<2>)]
    members: usize,
}

#[derive(Args, Debug)]
struct IdleArgs {
    /// Clients that are logged in
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = at_least::<1>)]
    clients: usize,
}

#[derive(Args, Debug)]
struct SlowArgs {
    #[command(flatten)]
    rooms: RoomsArgs,
    /// How many in a hundred of those who do not send stop reading when the measured time begins
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=99))]
    stalled: u8,
}

#[derive(Args, Debug)]
struct ChurnArgs {
    #[command(flatten)]
    rooms: RoomsArgs,
    /// Clients beyond the members, who enter and leave
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = at_least::<1>)]
    visitors: usize,
    /// How many of them leave and come back in a second, by a new connection every second time
    #[arg(long, value_name = "PER-SECOND", default_value_t = 100.0, value_parser = positive)]
    per_second: f64,
}

#[derive(Args, Debug)]
struct MixedArgs {
    /// Clients, in rooms of ten
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = at_least::<10>)]
    clients: usize,
    /// Bytes of each message
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = at_least::<1>)]
    payload: usize,
    /// Messages a second: in rooms, private, and over relays, 8 : 1 : 1
    #[arg(long, value_name = "PER-SECOND", default_value_t = SEARCH_FROM, value_parser = positive)]
    rate: f64,
    /// Clients that leave and come back in a second
    #[arg(long, value_name = "PER-SECOND", default_value_t = 10.0, value_parser = positive)]
    churn: f64,
}

/// What every scenario has.
#[derive(Args, Debug)]
struct Common {
    /// Server to measure instead of one of its own: HOST:PORT where one runs, a command to start one in which {port} stands for the port, or HOST:PORT and behind it a command whose server listens there
    #[arg(long, value_name = "ADDR|CMD", help_heading = "Servers")]
    target: Option<Place>,
    /// Process of a server that runs already, to read its CPU and memory; as a rule it is found
    #[arg(long, value_name = "PID", requires = "target", help_heading = "Servers")]
    pid: Option<u32>,
    /// What the clients speak
    #[arg(long, value_name = "PROTOCOL", value_enum, default_value_t = ProtocolArg::Native, help_heading = "Servers")]
    protocol: ProtocolArg,
    /// A second server, in the forms of --target, to compare with in alternating runs
    #[arg(long, value_name = "ADDR|CMD", help_heading = "Servers")]
    versus: Option<Place>,
    /// What the clients of the second server speak [default: as --protocol]
    #[arg(long, value_name = "PROTOCOL", value_enum, requires = "versus", help_heading = "Servers")]
    versus_protocol: Option<ProtocolArg>,
    /// Seconds that are measured
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, help_heading = "Runs")]
    duration: f64,
    /// Seconds of load before that
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds_or_none, help_heading = "Runs")]
    warmup: f64,
    /// Runs of each server, to see how much they differ [default: 1, or 3 with --versus]
    #[arg(long, value_name = "N", value_parser = at_least::<1>, help_heading = "Runs")]
    repeat: Option<usize>,
    /// Threads that drive clients
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least::<1>, help_heading = "Runs")]
    threads: usize,
    /// Connect from all over 127.0.0.0/8, which takes a server on this machine: for more clients than an address has ports
    #[arg(long, help_heading = "Runs")]
    spread_sources: bool,
    /// Leave it to the system on which cores server and load run
    #[arg(long, help_heading = "Runs")]
    no_pin: bool,
    /// Count the server's system calls, which takes root, and makes each of them slower: not for figures of CPU
    #[arg(long, help_heading = "Runs")]
    count_system_calls: bool,
    /// Write everything that was measured to this file, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
    /// Write a page with plots to this file, which needs nothing else
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum ProtocolArg {
    Native,
    Irc,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum TransportArg {
    Tcp,
    Udp,
}

fn at_least<const MIN: usize>(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number >= MIN);
    number.ok_or_else(|| format!("it is a whole number, at least {MIN}"))
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "it is a number above 0".to_owned())
}

/// A day is more than anybody waits for.
const SECONDS_MAX: f64 = 86_400.0;

fn seconds(text: &str) -> Result<f64, String> {
    let number = positive(text).ok().filter(|number| *number <= SECONDS_MAX);
    number.ok_or_else(|| format!("it is a number of seconds above 0, at most {SECONDS_MAX}"))
}

fn seconds_or_none(text: &str) -> Result<f64, String> {
    if text.parse() == Ok(0.0) { Ok(0.0) } else { seconds(text) }
}

impl PaceArgs {
    fn pace(&self) -> Pace {
        match (self.rate, self.window) {
            (Some(rate), _) => Pace::Rate(rate),
            (None, window) => Pace::Window(window.unwrap_or(32)),
        }
    }
}

impl RoomsArgs {
    fn rooms(&self) -> Result<Rooms, String> {
        let senders = if self.senders == 0 { self.members } else { self.senders };
        if senders > self.members {
            return Err(format!(
                "--senders {senders} is more than --members {}: the senders are members, too",
                self.members
            ));
        }
        let Self { rooms, members, payload, pace, .. } = self;
        Ok(Rooms { rooms: *rooms, members: *members, senders, payload: *payload, pace: pace.pace() })
    }
}

impl From<ProtocolArg> for Protocol {
    fn from(protocol: ProtocolArg) -> Self {
        match protocol {
            ProtocolArg::Native => Protocol::Native,
            ProtocolArg::Irc => Protocol::Irc,
        }
    }
}

/// Where a search begins, and what for.
type Wanted = Option<FindMax>;

impl ScenarioArgs {
    fn into_parts(self) -> Result<(Scenario, Common, Wanted), String> {
        let (scenario, common, find_max) = match self {
            Self::Rooms(talk) => {
                (Scenario::Rooms(talk.what.rooms()?), talk.common, talk.find_max.then_some(talk.slo))
            }
            Self::Slow(talk) => {
                let SlowArgs { rooms, stalled } = talk.what;
                let slow = Slow { rooms: rooms.rooms()?, stalled_percent: stalled };
                (Scenario::Slow(slow), talk.common, talk.find_max.then_some(talk.slo))
            }
            Self::Churn(talk) => {
                let ChurnArgs { rooms, visitors, per_second } = talk.what;
                let churn = Churn { rooms: rooms.rooms()?, visitors, per_second };
                (Scenario::Churn(churn), talk.common, talk.find_max.then_some(talk.slo))
            }
            Self::Relay(talk) => {
                let RelayArgs { pairs, transport, payload, pace } = talk.what;
                let transport = match transport {
                    TransportArg::Tcp => Transport::Tcp,
                    TransportArg::Udp => Transport::Udp,
                };
                let relay = Relay { pairs, transport, payload, pace: pace.pace() };
                (Scenario::Relay(relay), talk.common, talk.find_max.then_some(talk.slo))
            }
            Self::Mixed(talk) => {
                let MixedArgs { clients, payload, rate, churn } = talk.what;
                let mixed = Mixed { clients, payload, rate, churn_per_second: churn };
                (Scenario::Mixed(mixed), talk.common, talk.find_max.then_some(talk.slo))
            }
            Self::Connect(other) => {
                let ConnectArgs { clients, at_once } = other.what;
                (Scenario::Connect(Connect { clients, at_once }), other.common, None)
            }
            Self::Join(other) => (Scenario::Join(Join { members: other.what.members }), other.common, None),
            Self::Idle(other) => (Scenario::Idle(Idle { clients: other.what.clients }), other.common, None),
        };
        let start = match scenario.pace() {
            Some(Pace::Rate(rate)) => rate,
            _ => SEARCH_FROM,
        };
        Ok((scenario, common, find_max.map(|slo| FindMax { slo, start })))
    }
}

/// Runs what the command line says, and writes the reports.
pub fn bench(args: BenchArgs) -> Result<ExitCode, String> {
    let (scenario, common, find_max) = args.scenario.into_parts()?;
    if matches!(scenario, Scenario::Relay(_) | Scenario::Mixed(_)) && common.speaks_irc() {
        return Err(format!("{} needs --protocol native: IRC has no relays", scenario.name()));
    }
    let plan = Plan {
        protocol: common.protocol.into(),
        threads: common.threads,
        spread_sources: common.spread_sources,
        warmup: Duration::from_secs_f64(common.warmup),
        duration: Duration::from_secs_f64(common.duration),
        patience: PATIENCE,
        scenario,
    };
    // Before minutes of measuring, and not behind them.
    common.try_files()?;
    let signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let switchboard = std::env::current_exe()
        .map_err(|error| format!("cannot find this program, to start servers: {error}"))?;
    let machine = Machine::this();
    let cores = if common.no_pin { None } else { Cores::split() };
    if let Some(cores) = &cores {
        hold_to(&cores.generator);
    }
    let repeat = common.repeat.unwrap_or(if common.versus.is_some() { VERSUS_RUNS } else { 1 });
    let mut progress = Progress::new(plan.duration, Arc::clone(&signals.cancelled));
    let bench = Bench {
        plan,
        contenders: common.contenders()?,
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

/// The first INT, TERM or HUP ends the run in order, a second one the process.
struct Signals {
    cancelled: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        let signals = Self { cancelled: Arc::default(), which: Arc::default() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
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
    fn speaks_irc(&self) -> bool {
        let protocols = [Some(self.protocol), self.versus_protocol];
        protocols.iter().any(|protocol| matches!(protocol, Some(ProtocolArg::Irc)))
    }

    fn contenders(&self) -> Result<Vec<Contender>, String> {
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
        let mut contenders = vec![Contender::new(first, self.protocol.into())];
        if let Some(versus) = &self.versus {
            let protocol = self.versus_protocol.unwrap_or(self.protocol);
            let mut second = Contender::new(versus.clone(), protocol.into());
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

    /// Whether they can be written; what is in them stays.
    fn try_files(&self) -> Result<(), String> {
        for file in self.files() {
            let opened = std::fs::OpenOptions::new().append(true).create(true).open(file);
            opened.map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
        Ok(())
    }

    fn write(&self, report: &Report) -> Result<(), String> {
        // Nobody may be reading.
        let _ = std::io::stdout().lock().write_all(table(report).as_bytes());
        let reports = [(&self.json, json as fn(&Report) -> String), (&self.html, html)];
        for (file, make) in reports {
            if let Some(file) = file {
                std::fs::write(file, make(report))
                    .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            }
        }
        Ok(())
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
