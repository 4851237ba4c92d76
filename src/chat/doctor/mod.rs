//! `switchboard doctor`: two peers of its own go through a server step by step, and what does not work is named with its
//! likely cause.
//!
//! - `plan` the steps, what each one needs, what became of it, pure; `causes` what a failure comes from, pure;
//! - `steps` those over TCP, `datagrams` those in datagrams, `direct` those past the server;
//! - `peer` one of the two, `pair` both of them in one poll loop.
//!
//! A step is written as what happens one after the other; while it waits for something the loop goes round.

mod causes;
mod datagrams;
mod direct;
mod pair;
mod peer;
mod plan;
mod steps;

use super::Credentials;
use super::error::Error;
use super::sanitise::sanitise;
use crate::wire::Transport;
use pair::Pair;
use plan::{Outcome, Record, Step, line};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long all of it may take; what is left then is not begun.
const WHOLE_TIME: Duration = Duration::from_secs(28);

/// Examines a server (host:port), with a line on standard output for each step as it is done. `server_password`: what it
/// wants of everybody. Returns whether all of them went well.
///
/// # Errors
/// [`Error`], when this host does not give what it takes, or nobody reads.
pub fn doctor(server: &str, server_password: Option<String>) -> Result<bool, Error> {
    let tag = random_tag()?;
    let credentials = Credentials { server_password, ..Credentials::default() };
    let pair = Pair::new(&tag, &credentials, Instant::now());
    let pair = pair.map_err(|error| Error::System { what: "set up two clients", error })?;
    let record = Record::default();
    let mut doctor = Doctor {
        server,
        room: format!("#doctor-{tag}"),
        pair,
        record,
        addresses: Vec::new(),
        end: Instant::now() + WHOLE_TIME,
    };
    let examined = doctor.examine();
    doctor.pair.say_farewell();
    examined?;
    tell(&sanitise(&doctor.record.summary(server)))?;
    Ok(doctor.record.is_content())
}

struct Doctor<'a> {
    server: &'a str,
    /// A room that nobody else is in.
    room: String,
    pair: Pair,
    record: Record,
    /// Of the server, once they are known.
    addresses: Vec<SocketAddr>,
    end: Instant,
}

impl Doctor<'_> {
    fn examine(&mut self) -> Result<(), Error> {
        for step in Step::ALL {
            let began = Instant::now();
            let outcome = match self.obstacle(step, began) {
                Some(why) => Outcome::Skipped(why),
                None => {
                    self.pair.begin(step != Step::Login, self.end.min(began + step.limit()));
                    self.take(step).map_or_else(Outcome::Failed, Outcome::Ok)
                }
            };
            tell(&line(step, &outcome, began.elapsed()))?;
            self.record.note(step, outcome);
        }
        Ok(())
    }

    /// Why a step cannot be taken.
    fn obstacle(&self, step: Step, now: Instant) -> Option<String> {
        if let Some(needed) = self.record.obstacle(step) {
            return Some(format!("needs {}", needed.name()));
        }
        if !matches!(step, Step::Name | Step::Tcp | Step::Login) && !self.pair.is_connected() {
            return Some("the connection to the server is gone".to_owned());
        }
        (now >= self.end).then(|| format!("no time: {} seconds are over", WHOLE_TIME.as_secs()))
    }

    fn take(&mut self, step: Step) -> Result<String, String> {
        let Doctor { pair, room, .. } = self;
        match step {
            Step::Name => {
                let (addresses, told) = steps::resolve(self.server, pair.until)?;
                self.addresses = addresses;
                Ok(told)
            }
            Step::Tcp => steps::connect(pair, &self.addresses),
            Step::Login => steps::login(pair),
            Step::Room => steps::room(pair, room),
            Step::Relay => steps::relay(pair),
            Step::UdpBind => datagrams::bind(pair),
            Step::UdpRoom => datagrams::room(pair, room),
            Step::UdpRelay => datagrams::relay(pair),
            Step::DirectTcp => direct::path(pair, Transport::Tcp),
            Step::DirectUdp => direct::path(pair, Transport::Udp),
        }
    }
}

/// A line, at once: somebody is watching.
fn tell(line: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Names that end in it are nobody else's.
fn random_tag() -> Result<String, Error> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::System { what: "get random numbers", error: io::Error::other(error) })?;
    Ok(format!("{:08x}", u32::from_be_bytes(bytes)))
}
