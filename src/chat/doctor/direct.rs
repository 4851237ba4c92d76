//! The steps past the server: direct paths, one of each kind.
//!
//! Both peers are on one host, so what this tests is the exchange of addresses and the host's own firewall. Whether
//! another host can be reached only that one can tell.

use super::causes;
use super::pair::{Pair, Trouble, Who};
use super::peer::{By, News};
use super::steps::{close_relay, open_relay};
use crate::wire::frame::Data;
use crate::wire::header::put;
use crate::wire::{Flags, Frame, RefusalCode, Transport};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A datagram may get lost; the next one goes after this time.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

const PAYLOAD: &[u8] = b"past the server";

/// The two find a path of this kind, and talk on it.
pub fn path(pair: &mut Pair, transport: Transport) -> Result<String, String> {
    let channel = open_relay(pair)?;
    let outcome = find_and_use(pair, transport, channel);
    // Also after a failure: the next search is not to hear of this one.
    for who in Who::BOTH {
        pair.peer(who).close_path(channel);
    }
    let closed = close_relay(pair, channel);
    let told = outcome?;
    closed?;
    Ok(told)
}

fn find_and_use(pair: &mut Pair, transport: Transport, channel: u32) -> Result<String, String> {
    let name = if transport == Transport::Tcp { "TCP" } else { "UDP" };
    for who in Who::BOTH {
        if pair.peer(who).addresses(transport).is_empty() {
            return Err("this host has no address to offer: check its network interfaces".to_owned());
        }
        pair.peer(who).search(channel, transport);
    }
    let peer = find(pair).map_err(|reason| match reason {
        Reason::NoPath(reason) => causes::of_search(name, &reason),
        Reason::Trouble(trouble) => trouble.into(),
    })?;
    for who in Who::BOTH {
        deliver(pair, who, channel)?;
    }
    let report = pair.peer(Who::A).paths.report(channel);
    let round_trip = report
        .and_then(|report| report.round_trip)
        .map_or_else(String::new, |time| format!(" in {:.1} ms", time.as_secs_f64() * 1_000.0));
    Ok(format!(
        "to {peer} and back{round_trip}; both peers are on this host, which says nothing of other hosts' firewalls \
         and NATs"
    ))
}

/// Why there is no path.
enum Reason {
    NoPath(String),
    Trouble(Trouble),
}

/// Both find a path. Returns where it leads.
fn find(pair: &mut Pair) -> Result<SocketAddr, Reason> {
    let mut found = None;
    for who in Who::BOTH {
        let mut in_vain = None;
        let outcome = pair.wait_for(who, "the start of a round", |news| match news {
            News::PathOpened { peer } => Some(Ok(*peer)),
            News::RoundFailed { again: false, reason } => Some(Err(reason.clone())),
            News::RoundFailed { again: true, reason } => {
                in_vain = Some(reason.clone());
                None
            }
            News::PathLost(reason) => Some(Err(reason.clone())),
            _ => None,
        });
        let peer = match (outcome, in_vain) {
            (Ok(outcome), _) => outcome.map_err(Reason::NoPath)?,
            // The server may allow fewer rounds than there is time for.
            (Err(trouble), Some(reason))
                if matches!(trouble, Trouble::Overdue(_))
                    || trouble.is_refusal(RefusalCode::TooManyRounds) =>
            {
                return Err(Reason::NoPath(reason));
            }
            (Err(trouble), _) => return Err(Reason::Trouble(trouble)),
        };
        found.get_or_insert(peer);
    }
    found.ok_or_else(|| Reason::NoPath("none was found".to_owned()))
}

/// Payload goes from one to the other on the path.
fn deliver(pair: &mut Pair, from: Who, channel: u32) -> Result<(), Trouble> {
    let mut frame = Vec::new();
    put(&mut frame, Flags::NONE, channel, &Data { payload: PAYLOAD });
    loop {
        let now = Instant::now();
        pair.peer(from).paths.send_to_peer(channel, &frame, now);
        let until = pair.until.min(now + AGAIN_AFTER);
        let outcome = pair.wait_until(until, from.other(), "payload on the direct path", |news| {
            let is_it = matches!(news.frame(), Some((_, Frame::Data(data))) if data.payload == PAYLOAD);
            (is_it && news.by() == Some(By::DirectPath)).then_some(())
        });
        match outcome {
            Err(Trouble::Overdue(_)) if until < pair.until => {}
            outcome => return outcome,
        }
    }
}
