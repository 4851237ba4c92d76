//! Who is measured: a server of our own, one that runs already, or one that a command starts.

use super::child::{self, Child, Launcher, program};
use super::plan::{Protocol, Scenario};
use super::{Plan, Target, probe};
use std::fmt;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

/// How long a server that is said to be there may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);

#[derive(Clone, PartialEq, Debug)]
pub struct Contender {
    /// What tables and plots call it.
    pub label: String,
    pub place: Place,
    pub protocol: Protocol,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// `switchboard serve` of this binary, anew for every run.
    Own,
    /// It runs, and is left running. Its process is looked for unless it is told.
    Running { address: SocketAddr, pid: Option<u32> },
    /// It is started anew for every run.
    Command { line: String, at: Option<SocketAddr> },
}

const USAGE: &str = "a server is HOST:PORT where one runs, or a command to start one in which {port} stands for the port, \
                     or HOST:PORT and behind it a command whose server listens there";

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let line = rest.trim();
        let is_address = first.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        match (is_address, line) {
            (true, "") => Ok(Place::Running { address: resolve(first)?, pid: None }),
            (true, _) => Ok(Place::Command { line: line.to_owned(), at: Some(resolve(first)?) }),
            (false, _) if text.contains("{port}") => Ok(Place::Command { line: text.to_owned(), at: None }),
            _ => Err(USAGE.to_owned()),
        }
    }
}

fn resolve(host_and_port: &str) -> Result<SocketAddr, String> {
    let mut addresses =
        host_and_port.to_socket_addrs().map_err(|error| format!("{host_and_port}: {error}"))?;
    addresses.next().ok_or_else(|| format!("{host_and_port} has no address"))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Own => f.write_str("a server of its own"),
            Place::Running { address, .. } => write!(f, "{address}"),
            Place::Command { line, at: None } => f.write_str(line),
            Place::Command { line, at: Some(at) } => write!(f, "{at} {line}"),
        }
    }
}

impl Contender {
    pub fn new(place: Place, protocol: Protocol) -> Self {
        let label = match &place {
            Place::Own => "switchboard".to_owned(),
            Place::Running { address, .. } => address.to_string(),
            Place::Command { line, .. } => program(line).to_owned(),
        };
        Self { label, place, protocol }
    }

    /// Brings it up, if that is ours to do.
    ///
    /// # Errors
    /// [`Error`], if nobody can connect to it.
    pub fn start(&self, plan: &Plan, launcher: &Launcher<'_>) -> Result<Running, Error> {
        let child = match &self.place {
            Place::Own => launcher.serve(&options_for(plan))?,
            Place::Command { line, at } => launcher.command(line, *at)?,
            Place::Running { address, pid } => {
                let (address, label) = (*address, self.label.clone());
                TcpStream::connect_timeout(&address, CONNECT_TIME)
                    .map_err(|error| Error::Absent { address, error })?;
                let pid = pid.or_else(|| probe::listener_of(address));
                return Ok(Running { child: None, target: Target { address, pid, label } });
            }
        };
        let target = Target { address: child.address, pid: Some(child.pid()), label: self.label.clone() };
        Ok(Running { child: Some(child), target })
    }

    /// Whether the server is the one of this binary, which has to end in order.
    fn is_own(&self) -> bool {
        self.place == Place::Own
    }

    /// Ends what was started.
    ///
    /// # Errors
    /// [`Error`], if it was our own server and did not end with success.
    pub fn stop(&self, running: Running) -> Result<(), Error> {
        match running.child {
            Some(child) => Ok(child.stop(self.is_own())?),
            None => Ok(()),
        }
    }
}

/// A server that can be connected to. One that was started ends with it.
pub struct Running {
    child: Option<Child>,
    pub target: Target,
}

impl Running {
    /// How the server has ended, if it has.
    pub fn obituary(&mut self) -> Option<String> {
        self.child.as_mut()?.obituary()
    }
}

#[derive(Debug)]
pub enum Error {
    Absent { address: SocketAddr, error: std::io::Error },
    Child(child::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Absent { address, error } => {
                write!(f, "cannot connect to {address}: {error}; without --target a server is started")
            }
            Error::Child(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<child::Error> for Error {
    fn from(error: child::Error) -> Self {
        Error::Child(error)
    }
}

/// Our own server's limits, raised to what the plan needs, so that it measures work and not refusals. What bounds a
/// turn or a queue stays as it is: that is how the server works.
fn options_for(plan: &Plan) -> Vec<String> {
    let clients = plan.scenario.clients();
    let payload = plan.scenario.payload();
    let mut options = Vec::new();
    let mut set = |name: &str, value: usize, default: usize| {
        if value > default {
            options.extend([format!("--{name}"), value.to_string()]);
        }
    };
    set("connections-max", clients + clients / 10 + 100, 20_000);
    set("occupants-per-room-max", clients + clients / 10 + 100, 20_000);
    set("rooms-max", clients + 100, 50_000);
    set("relays-max", clients, 10_000);
    if !matches!(plan.scenario, Scenario::Relay(_)) {
        set("text-bytes-max", payload.min(usize::from(u16::MAX)), 4_096);
    }
    set("login-seconds", 60, 10);
    // As many datagrams as one client can send.
    set("datagrams-caused-per-second-max", 10_000_000, 10_000);
    set("datagrams-caused-burst-max", 10_000_000, 10_000);
    if plan.protocol == Protocol::Irc {
        // Flood control would be measured instead.
        options.extend(["--irc-lines-per-second".to_owned(), "0".to_owned()]);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_or_a_command_or_both() {
        let address = "127.0.0.1:7".parse().expect("an address");
        assert_eq!("127.0.0.1:7".parse(), Ok(Place::Running { address, pid: None }));
        let line = "ergo run --port {port}".to_owned();
        assert_eq!(line.parse(), Ok(Place::Command { line, at: None }));
        let both = "127.0.0.1:7  ngircd -n";
        assert_eq!(both.parse(), Ok(Place::Command { line: "ngircd -n".into(), at: Some(address) }));
        for bad in ["", "ngircd -n", "localhost", "127.0.0.1", ":", "127.0.0.1:x"] {
            assert_eq!(bad.parse::<Place>(), Err(USAGE.to_owned()), "{bad}");
        }
        assert!("no-such-host.invalid:1".parse::<Place>().is_err_and(|error| error.contains("no-such-host")));
    }

    #[test]
    fn a_command_is_called_by_its_program() {
        let place = "/usr/sbin/ngircd -p {port}".parse().expect("a command");
        assert_eq!(Contender::new(place, Protocol::Irc).label, "ngircd");
    }
}
