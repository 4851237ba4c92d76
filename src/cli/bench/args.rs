//! The options of `bench`: each scenario has its own, and those that all have.

use super::values::{beginning, bytes, clients, rate, seconds, seconds_or_none, visits, whole};
use crate::load::bench::FindMax;
use crate::load::contender::Place;
use crate::load::limits::{RUNS_MAX, THREADS_MAX, WINDOW_MAX};
use crate::load::plan::{
    Churn, Connect, Idle, Join, Mixed, Pace, Protocol, Relay, Rooms, Scenario, Slow, Transport,
};
use crate::load::slo::Slo;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Where a search begins unless it is told.
const SEARCH_FROM: f64 = 1_000.0;

#[derive(Args, Debug)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub scenario: ScenarioArgs,
}

#[derive(Subcommand, Debug)]
pub enum ScenarioArgs {
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
pub struct Talk<T: Args> {
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
    time: TimeArgs,
    #[command(flatten)]
    common: Common,
}

/// One in which none are.
#[derive(Args, Debug)]
pub struct Other<T: Args> {
    #[command(flatten)]
    what: T,
    #[command(flatten)]
    common: Common,
}

/// For how long; who is over when everybody is through has nothing to set here.
#[derive(Args, Clone, Copy, Debug)]
pub struct TimeArgs {
    /// Seconds that are measured
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, help_heading = "Runs")]
    pub duration: f64,
    /// Seconds of load before that
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds_or_none, help_heading = "Runs")]
    pub warmup: f64,
}

/// What is spoken, where there is a choice.
#[derive(Args, Clone, Copy, Debug)]
pub struct SpeechArgs {
    /// What the clients speak
    #[arg(long, value_name = "PROTOCOL", value_enum, default_value_t = ProtocolArg::Native, help_heading = "Servers")]
    pub protocol: ProtocolArg,
    /// What the clients of the second server speak [default: as --protocol]
    #[arg(long, value_name = "PROTOCOL", value_enum, requires = "versus", help_heading = "Servers")]
    pub versus_protocol: Option<ProtocolArg>,
}

#[derive(Args, Debug)]
pub struct RoomsArgs {
    /// Rooms; every client is in one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clients::<1>)]
    rooms: usize,
    /// Members of each room, its senders among them
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clients::<2>)]
    members: usize,
    /// Members of each room who send; 0 for all
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clients::<0>)]
    senders: usize,
    /// Bytes of each message's text: 17 to 7,168, over IRC to 350
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = bytes)]
    payload: usize,
    /// Enter the rooms #NAME0000, #NAME0001 and so on, which may be there already: persistent ones, for example
    #[arg(long, value_name = "NAME", value_parser = beginning)]
    named: Option<String>,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Args, Debug)]
struct PaceArgs {
    /// Closed loop: so many messages are under way in all, and the next is sent when one has arrived everywhere [default: 32]
    #[arg(long, value_name = "N", value_parser = whole::<1, WINDOW_MAX>, conflicts_with_all = ["rate", "find_max"])]
    window: Option<usize>,
    /// Open loop: so many messages a second in all, by schedule, whether the server keeps up or not
    #[arg(long, value_name = "PER-SECOND", value_parser = rate)]
    rate: Option<f64>,
}

#[derive(Args, Debug)]
pub struct RelayArgs {
    /// Pairs; each has a relay of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clients::<1>)]
    pairs: usize,
    /// How payload travels
    #[arg(long, value_name = "HOW", value_enum, default_value_t = TransportArg::Tcp)]
    transport: TransportArg,
    /// Bytes of payload in each frame: 17 to 32,768 over TCP, to 1,160 over UDP
    #[arg(long, value_name = "BYTES", default_value_t = 1_000, value_parser = bytes)]
    payload: usize,
    #[command(flatten)]
    pace: PaceArgs,
}

#[derive(Args, Debug)]
pub struct ConnectArgs {
    /// Clients that log in
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clients::<1>)]
    clients: usize,
    /// How many of them are on their way at one time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clients::<1>)]
    at_once: usize,
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Args, Debug)]
pub struct JoinArgs {
    /// Clients that enter the room
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clients::<2>)]
    members: usize,
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Args, Debug)]
pub struct IdleArgs {
    /// Clients that are logged in
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clients::<1>)]
    clients: usize,
    #[command(flatten)]
    speech: SpeechArgs,
    #[command(flatten)]
    time: TimeArgs,
}

#[derive(Args, Debug)]
pub struct SlowArgs {
    #[command(flatten)]
    rooms: RoomsArgs,
    /// How many in a hundred of those who do not send stop reading when the measured time begins
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=99))]
    stalled: u8,
}

#[derive(Args, Debug)]
pub struct ChurnArgs {
    #[command(flatten)]
    rooms: RoomsArgs,
    /// Clients beyond the members, who enter and leave
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clients::<1>)]
    visitors: usize,
    /// How many of them leave and come back in a second, by a new connection every second time
    #[arg(long, value_name = "PER-SECOND", default_value_t = 100.0, value_parser = visits)]
    per_second: f64,
}

#[derive(Args, Debug)]
pub struct MixedArgs {
    /// Members, in rooms of ten; for every ten there is one visitor more, who comes and goes
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clients::<10>)]
    clients: usize,
    /// Bytes of each message: 17 to 7,168, over IRC to 350
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = bytes)]
    payload: usize,
    /// Messages a second: in rooms, private, and over relays, 8 : 1 : 1; over IRC, which has no relays, 9 : 1
    #[arg(long, value_name = "PER-SECOND", default_value_t = SEARCH_FROM, value_parser = rate)]
    rate: f64,
    /// Visitors that leave and come back in a second
    #[arg(long, value_name = "PER-SECOND", default_value_t = 10.0, value_parser = visits)]
    churn: f64,
    #[command(flatten)]
    speech: SpeechArgs,
}

/// What every scenario has.
#[derive(Args, Debug)]
pub struct Common {
    /// Server to measure instead of one of its own: HOST:PORT where one runs, a command to start one in which {port} stands for the port, or HOST:PORT and behind it a command whose server listens there
    #[arg(long, value_name = "ADDR|CMD", help_heading = "Servers")]
    pub target: Option<Place>,
    /// Process of a server that runs already, to read its CPU and memory; as a rule it is found
    #[arg(long, value_name = "PID", requires = "target", help_heading = "Servers")]
    pub pid: Option<u32>,
    /// A second server, in the forms of --target, to compare with in alternating runs
    #[arg(long, value_name = "ADDR|CMD", help_heading = "Servers")]
    pub versus: Option<Place>,
    /// Runs of each server, to see how much they differ [default: 1, or 3 with --versus]
    #[arg(long, value_name = "N", value_parser = whole::<1, RUNS_MAX>, help_heading = "Runs")]
    pub repeat: Option<usize>,
    /// Threads that drive clients
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<1, THREADS_MAX>, help_heading = "Runs")]
    pub threads: usize,
    /// Connect from all over 127.0.0.0/8, which takes a server on this machine: for more clients than an address has ports
    #[arg(long, help_heading = "Runs")]
    pub spread_sources: bool,
    /// Leave it to the system on which cores server and load run
    #[arg(long, help_heading = "Runs")]
    pub no_pin: bool,
    /// Count the server's system calls, which takes root, and makes each of them slower: not for figures of CPU
    #[arg(long, help_heading = "Runs")]
    pub count_system_calls: bool,
    /// Write everything that was measured to this file, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub json: Option<PathBuf>,
    /// Write a page with plots to this file, which needs nothing else
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub html: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
pub enum ProtocolArg {
    Native,
    Irc,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum TransportArg {
    Tcp,
    Udp,
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
        let (rooms, members, payload) = (self.rooms, self.members, self.payload);
        Ok(Rooms { rooms, members, senders, payload, pace: self.pace.pace(), named: self.named.clone() })
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

/// A command line, understood.
pub struct Wanted {
    pub scenario: Scenario,
    pub common: Common,
    pub time: TimeArgs,
    pub protocol: Protocol,
    /// What the second server's clients speak.
    pub versus_protocol: Protocol,
    /// Where a search begins, and what for.
    pub find_max: Option<FindMax>,
}

/// In a plan that is over when everybody is through nobody looks at it.
const NO_TIME: TimeArgs = TimeArgs { duration: 0.0, warmup: 0.0 };

/// Relays are our own protocol's.
const NATIVE: SpeechArgs = SpeechArgs { protocol: ProtocolArg::Native, versus_protocol: None };

impl<T: Args> Talk<T> {
    fn wanted(
        self,
        speech: SpeechArgs,
        scenario: impl FnOnce(T) -> Result<Scenario, String>,
    ) -> Result<Wanted, String> {
        let Self { what, find_max, slo, time, common } = self;
        let mut wanted = Wanted::of(scenario(what)?, speech, time, common);
        let start = match wanted.scenario.pace() {
            Some(Pace::Rate(rate)) => rate,
            _ => SEARCH_FROM,
        };
        wanted.find_max = find_max.then_some(FindMax { slo, start });
        Ok(wanted)
    }
}

impl Wanted {
    fn of(scenario: Scenario, speech: SpeechArgs, time: TimeArgs, common: Common) -> Self {
        let protocol = speech.protocol.into();
        let versus_protocol = speech.versus_protocol.map_or(protocol, Protocol::from);
        Self { scenario, common, time, protocol, versus_protocol, find_max: None }
    }
}

impl ScenarioArgs {
    /// # Errors
    /// A sentence, if the options do not go together.
    pub fn wanted(self) -> Result<Wanted, String> {
        match self {
            Self::Rooms(talk) => {
                let speech = talk.what.speech;
                talk.wanted(speech, |rooms| Ok(Scenario::Rooms(rooms.rooms()?)))
            }
            Self::Slow(talk) => {
                let speech = talk.what.rooms.speech;
                talk.wanted(speech, |SlowArgs { rooms, stalled }| {
                    Ok(Scenario::Slow(Slow { rooms: rooms.rooms()?, stalled_percent: stalled }))
                })
            }
            Self::Churn(talk) => {
                let speech = talk.what.rooms.speech;
                talk.wanted(speech, |ChurnArgs { rooms, visitors, per_second }| {
                    Ok(Scenario::Churn(Churn { rooms: rooms.rooms()?, visitors, per_second }))
                })
            }
            Self::Relay(talk) => talk.wanted(NATIVE, |RelayArgs { pairs, transport, payload, pace }| {
                let transport = match transport {
                    TransportArg::Tcp => Transport::Tcp,
                    TransportArg::Udp => Transport::Udp,
                };
                Ok(Scenario::Relay(Relay { pairs, transport, payload, pace: pace.pace() }))
            }),
            Self::Mixed(talk) => {
                let speech = talk.what.speech;
                talk.wanted(speech, |MixedArgs { clients, payload, rate, churn, .. }| {
                    Ok(Scenario::Mixed(Mixed { clients, payload, rate, churn_per_second: churn }))
                })
            }
            Self::Connect(Other { what: ConnectArgs { clients, at_once, speech }, common }) => {
                Ok(Wanted::of(Scenario::Connect(Connect { clients, at_once }), speech, NO_TIME, common))
            }
            Self::Join(Other { what: JoinArgs { members, speech }, common }) => {
                Ok(Wanted::of(Scenario::Join(Join { members }), speech, NO_TIME, common))
            }
            Self::Idle(Other { what: IdleArgs { clients, speech, time }, common }) => {
                Ok(Wanted::of(Scenario::Idle(Idle { clients }), speech, time, common))
            }
        }
    }
}
