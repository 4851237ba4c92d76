//! Those who are measured: each a process of its own, held to one core.
//!
//! A contender is this bench's own executable with a hidden first argument. It ends with the bench, says where it
//! listens as the server does, and serves; Switchboard itself is put in its place by exec, so that it is the binary that
//! people run.

use crate::floors::{self, Writes};
use crate::pump;
use crate::twin::{self, Flavour};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use switchboard::load::plan::Protocol;
use switchboard::net::descriptors;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contender {
    Switchboard,
    TokioSingle,
    TokioMulti,
    /// On all cores, which it shares with the load.
    TokioUnpinned,
    BatchFloor,
    WriteFloor,
    Pump,
}

use Contender::*;

impl Contender {
    pub const ALL: [Contender; 7] =
        [Switchboard, TokioSingle, TokioMulti, TokioUnpinned, BatchFloor, WriteFloor, Pump];

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
        }
    }

    pub fn protocol(self) -> Protocol {
        match self {
            Switchboard | TokioSingle | TokioMulti | TokioUnpinned => Protocol::Native,
            BatchFloor | WriteFloor | Pump => Protocol::Raw,
        }
    }

    fn serve(self) -> std::io::Result<()> {
        let listen = || {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            // The same backlog as the server's; a second listen(2) changes it.
            rustix::net::listen(&listener, BACKLOG)?;
            println!("listening on {} (TCP)", listener.local_addr()?);
            std::io::Result::Ok(listener)
        };
        match self {
            Switchboard => {
                let mut server = Command::new(env!("CARGO_BIN_EXE_switchboard"));
                Err(server.args(["serve", "--listen", "127.0.0.1:0"]).exec())
            }
            TokioSingle => twin::serve(listen()?, Flavour::CurrentThread),
            TokioMulti | TokioUnpinned => twin::serve(listen()?, Flavour::MultiThread),
            BatchFloor => floors::serve(listen()?, Writes::PerTurn),
            WriteFloor => floors::serve(listen()?, Writes::PerMessage),
            Pump => pump::serve(listen()?),
        }
    }
}

/// The hidden first argument.
const SERVE_AS: &str = "serve-as";

const BACKLOG: i32 = 4_096;

/// Becomes a contender and never returns, if that is what the process was started for.
pub fn serve_if_asked() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, serve_as, which, cores] = &arguments[..] else { return };
    if serve_as != SERVE_AS {
        return;
    }
    let which = which.parse::<usize>().ok().and_then(|which| Contender::ALL.get(which)).copied();
    let contender = which.expect("the bench names one of its contenders");
    set_parent_process_death_signal(Some(Signal::KILL)).expect("it can end with the bench");
    descriptors::raise_limit();
    let cores: Vec<usize> = cores.split(',').map(|core| core.parse().expect("a core")).collect();
    hold_to(&cores);
    let served = contender.serve();
    panic!("{} stopped: {served:?}", contender.name());
}

/// Who runs where: contenders on the last core, the load on the others.
#[derive(Clone, Debug)]
pub struct Cores(Vec<usize>);

impl Cores {
    /// The cores that the process may use, as it was started.
    pub fn allowed() -> Cores {
        let set = sched_getaffinity(None).expect("an affinity");
        Cores((0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect())
    }

    /// With one core there is nothing to divide.
    pub fn is_one(&self) -> bool {
        self.0.len() < 2
    }

    pub fn of_load(&self) -> &[usize] {
        if self.is_one() { &self.0 } else { &self.0[..self.0.len() - 1] }
    }

    fn of(&self, contender: Contender) -> &[usize] {
        if contender == TokioUnpinned { &self.0 } else { &self.0[self.0.len() - 1..] }
    }
}

/// Holds this thread, and those that it starts, to these cores.
pub fn hold_to(cores: &[usize]) {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    sched_setaffinity(None, &set).expect("it can be held to a core");
}

/// A contender that serves; killed when it goes out of scope.
pub struct Serving {
    child: Child,
    pub address: SocketAddr,
}

impl Serving {
    pub fn start(contender: Contender, cores: &Cores) -> Serving {
        let which = Contender::ALL.iter().position(|&other| other == contender).expect("it is one of all");
        let cores: Vec<String> = cores.of(contender).iter().map(usize::to_string).collect();
        let mut command = Command::new(std::env::current_exe().expect("this bench"));
        command.args([SERVE_AS, &which.to_string(), &cores.join(",")]).env("RUST_LOG", "warn");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.split_whitespace().nth(2).and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{}: no address in {line:?}", contender.name()));
        Serving { child, address }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
