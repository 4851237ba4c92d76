//! Those who are measured: each a process of its own, held to one core.
//!
//! They are started as `switchboard bench` starts its servers ([`Launcher`]). For everybody but Switchboard, this bench's
//! own executable stands in for the binary: it understands `held` and `serve` as that does, with `--contender` for who is
//! to serve, and says where it listens in the same words.

use crate::floors::{self, Writes};
use crate::peers::{Files, Peer};
use crate::pump;
use crate::twin::{self, Flavour};
use clap::{Parser, ValueEnum};
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use switchboard::config::ServeArgs;
use switchboard::load::child::{self, Child, HELD, Launcher};
use switchboard::load::cores::{self, Cores};
use switchboard::load::plan::Protocol;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Contender {
    Switchboard,
    TokioSingle,
    TokioMulti,
    /// On all cores, which it shares with the load.
    TokioUnpinned,
    BatchFloor,
    WriteFloor,
    Pump,
    Ngircd,
    Inspircd,
}

/// A contender's process, and what has to be there as long as that.
pub struct Server {
    pub process: Child,
    _files: Option<Files>,
}

use Contender::*;

impl Contender {
    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Switchboard => "switchboard",
            TokioSingle => "tokio, one thread",
            TokioMulti => "tokio, multi-threaded",
            TokioUnpinned => "tokio, on all cores",
            BatchFloor => "batch floor",
            WriteFloor => "write floor",
            Pump => "pump",
            Ngircd => "ngIRCd",
            Inspircd => "InspIRCd",
        }
    }

    pub fn protocol(self) -> Protocol {
        match self {
            Switchboard | TokioSingle | TokioMulti | TokioUnpinned => Protocol::Native,
            BatchFloor | WriteFloor | Pump => Protocol::Raw,
            Ngircd | Inspircd => Protocol::Irc,
        }
    }

    /// Starts it on a free port, with these options of `switchboard serve`. It ends when it goes out of scope.
    ///
    /// # Errors
    /// A sentence, if it does not come to listen.
    pub fn start(self, options: &[&str], cores: Option<&Cores>) -> Result<Server, String> {
        let mut options: Vec<String> = options.iter().copied().map(String::from).collect();
        if let Some(value) = self.to_possible_value().filter(|_| self != Switchboard) {
            options.push(format!("--contender={}", value.get_name()));
        }
        let mut core = cores.map(|cores| cores.server);
        let told = |error: child::Error| error.to_string();
        if let Some(peer) = self.peer() {
            let at = child::free_port().map_err(|error| format!("no port is free: {error}"))?;
            let (line, files) = peer.command(at.port())?;
            // The binary that holds it to its core is Switchboard's own.
            let switchboard = Switchboard.binary();
            let launcher = Launcher { switchboard: &switchboard, core, cancelled: &AtomicBool::new(false) };
            return Ok(Server {
                process: launcher.command(&line, Some(at)).map_err(told)?,
                _files: Some(files),
            });
        }
        if let (TokioUnpinned, Some(cores)) = (self, cores) {
            core = None;
            options
                .extend(cores.generator.iter().chain([&cores.server]).map(|core| format!("--core={core}")));
        }
        let launcher = Launcher { switchboard: &self.binary(), core, cancelled: &AtomicBool::new(false) };
        Ok(Server { process: launcher.serve(&options).map_err(told)?, _files: None })
    }

    fn peer(self) -> Option<Peer> {
        match self {
            Ngircd => Some(Peer::Ngircd),
            Inspircd => Some(Peer::Inspircd),
            _ => None,
        }
    }

    fn binary(self) -> PathBuf {
        if self == Switchboard {
            return Path::new(env!("CARGO_BIN_EXE_switchboard")).into();
        }
        std::env::current_exe().expect("this bench has a path")
    }

    fn serve(self, args: &ServeArgs) -> std::io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        // The same backlog as the server's; a second listen(2) changes it.
        rustix::net::listen(&listener, BACKLOG)?;
        println!("listening on {} (TCP)", listener.local_addr()?);
        let limits = || args.settings().map(|settings| settings.limits).map_err(std::io::Error::other);
        match self {
            Switchboard | Ngircd | Inspircd => unreachable!("it is a binary of its own"),
            TokioSingle => twin::serve(listener, Flavour::CurrentThread, limits()?),
            TokioMulti | TokioUnpinned => twin::serve(listener, Flavour::MultiThread, limits()?),
            BatchFloor => floors::serve(listener, Writes::PerTurn),
            WriteFloor => floors::serve(listener, Writes::PerMessage),
            Pump => pump::serve(listener),
        }
    }
}

const BACKLOG: i32 = 4_096;

/// What the launcher says to the binary that it starts.
#[derive(Parser)]
enum Order {
    Held {
        #[arg(long)]
        parent: u32,
        #[arg(long)]
        core: Option<usize>,
        #[arg(last = true)]
        command: Vec<OsString>,
    },
    Serve {
        #[arg(long)]
        contender: Contender,
        /// The cores to be held to, where it is not one.
        #[arg(long = "core")]
        cores: Vec<usize>,
        #[command(flatten)]
        args: Box<ServeArgs>,
    },
}

/// Becomes a contender and never returns, if that is what the process was started for.
pub fn serve_if_asked() {
    let first = std::env::args().nth(1);
    if !first.is_some_and(|first| first == HELD || first == "serve") {
        return;
    }
    match Order::parse() {
        Order::Held { parent, core, command } => {
            panic!("it cannot be started: {}", child::become_server(parent, core, &command))
        }
        Order::Serve { contender, cores, args } => {
            if !cores.is_empty() {
                cores::hold_to(&cores);
            }
            panic!("{} stopped: {:?}", contender.name(), contender.serve(&args));
        }
    }
}
