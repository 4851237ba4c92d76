//! The steps in datagrams with the server: binding, room, relay.

use super::causes;
use super::pair::{Pair, Trouble, Who};
use super::peer::{By, News};
use super::steps::{close_relay, enter, leave, open_relay};
use crate::chat::link::Link;
use crate::wire::frame::{Body, Bound, Data, GetTicket, Said, Say, Wants};
use crate::wire::header::put;
use crate::wire::{Flags, Frame, Transport};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Datagrams of one exchange.
const COUNT: usize = 20;

/// Time between two of them: a burst would test buffers.
const PACE: Duration = Duration::from_millis(5);

/// How long the last ones may take.
const LAST_TIME: Duration = Duration::from_millis(800);

/// Both prove the addresses that their datagrams come from.
pub fn bind(pair: &mut Pair) -> Result<String, String> {
    let wants = Wants::ROOMS | Wants::RELAYS;
    for who in Who::BOTH {
        pair.request(who, 0, |request| GetTicket { request, wants });
    }
    // Both answers are waited for, whatever the first one is: the next step must not take the second for its own.
    let seen = Who::BOTH.map(|who| bound(pair, who));
    Ok(told(&seen.into_iter().collect::<Result<Vec<_>, _>>()?))
}

/// A peer's address as it knows it, and as the server sees it.
fn bound(pair: &mut Pair, who: Who) -> Result<(Option<SocketAddr>, SocketAddr), String> {
    let local = pair.peer(who).addresses(Transport::Udp).first().map(|entry| entry.address);
    let observed = pair.wait_for(who, "the server's word that it sees our datagrams", |news| match news {
        News::NotBound(reason) => Some(Err(reason.clone())),
        news => match news.frame() {
            Some((_, Frame::Bound(Bound { address }))) => Some(Ok(address)),
            _ => None,
        },
    });
    let server = pair.peer(who).link().and_then(Link::server_address);
    let observed = observed.map_err(|trouble| causes::of_ticket(&trouble))?;
    let observed = observed.map_err(|reason| match server {
        Some(server) => causes::of_binding(server, &reason),
        None => reason,
    })?;
    Ok((local, observed))
}

/// The addresses as the server sees them, and whether they are others than this host's.
fn told(seen: &[(Option<SocketAddr>, SocketAddr)]) -> String {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let same = |(local, observed): &(Option<SocketAddr>, SocketAddr)| {
        local.map(canonical) == Some(canonical(*observed))
    };
    let each: Vec<String> = seen
        .iter()
        .map(|pair| match pair {
            (Some(local), observed) if !same(pair) => {
                format!("{} for {}", canonical(*observed), canonical(*local))
            }
            (_, observed) => canonical(*observed).to_string(),
        })
        .collect();
    let nat = if seen.iter().all(same) {
        "this host's own, so no NAT is in between"
    } else {
        "not this host's own, so it is behind a NAT"
    };
    format!("the server sees {}: {nat}", each.join(" and "))
}

/// What is said in datagrams arrives in datagrams.
pub fn room(pair: &mut Pair, room: &str) -> Result<String, String> {
    let channel = enter(pair, room)?;
    let say = |n: usize| encoded(channel, &Say { request: 0, text: &word(n) });
    let heard = |frame: Frame<'_>| match frame {
        Frame::Said(Said { text, .. }) => (0..COUNT).find(|&n| text == word(n)),
        _ => None,
    };
    let arrived = send_some(pair, Who::A, say, heard)?;
    leave(pair, channel)?;
    let loss = arrived.judge()?;
    Ok(format!("said and heard in datagrams, {loss}"))
}

/// Payload of a relay, both ways, in datagrams.
pub fn relay(pair: &mut Pair) -> Result<String, String> {
    let channel = open_relay(pair)?;
    let data = |n: usize| encoded(channel, &Data { payload: word(n).as_bytes() });
    let got = |frame: Frame<'_>| match frame {
        Frame::Data(Data { payload }) => (0..COUNT).find(|&n| payload == word(n).as_bytes()),
        _ => None,
    };
    let there = send_some(pair, Who::A, data, got)?;
    let back = send_some(pair, Who::B, data, got)?;
    close_relay(pair, channel)?;
    Ok(format!("payload in datagrams, {} there, {} back", there.judge()?, back.judge()?))
}

fn word(n: usize) -> String {
    format!("datagram {n}")
}

fn encoded<'a>(channel: u32, body: &impl Body<'a>) -> Vec<u8> {
    let mut frame = Vec::new();
    put(&mut frame, Flags::NONE, channel, body);
    frame
}

/// What has come of [`COUNT`] datagrams.
#[derive(Default)]
struct Arrived {
    numbers: BTreeSet<usize>,
    /// Others that came over TCP.
    by_connection: usize,
}

impl Arrived {
    /// How many got lost.
    ///
    /// # Errors
    /// The likely cause, when all of them did.
    fn judge(&self) -> Result<String, String> {
        match COUNT - self.numbers.len() {
            COUNT => Err(causes::of_datagrams(self.by_connection)),
            0 => Ok(format!("none of {COUNT} lost")),
            lost => Ok(format!("{lost} of {COUNT} lost on the way")),
        }
    }
}

/// Sends numbered frames in datagrams from one to the other, and sees which of them arrive.
fn send_some(
    pair: &mut Pair,
    from: Who,
    frame: impl Fn(usize) -> Vec<u8>,
    number: impl Fn(Frame<'_>) -> Option<usize>,
) -> Result<Arrived, Trouble> {
    let mut arrived = Arrived::default();
    for n in 0..COUNT {
        let now = Instant::now();
        pair.peer(from).paths.send_to_server(&frame(n));
        let last = n + 1 == COUNT;
        let until = now + if last { LAST_TIME } else { PACE };
        let outcome = pair.wait_until(until.min(pair.until), from.other(), "datagrams", |news| {
            match (news.frame().and_then(|(_, frame)| number(frame)), news.by()) {
                (Some(number), Some(By::Datagram)) => {
                    arrived.numbers.insert(number);
                }
                (Some(_), Some(_)) => arrived.by_connection += 1,
                _ => {}
            }
            (arrived.numbers.len() + arrived.by_connection >= COUNT).then_some(())
        });
        match outcome {
            Ok(()) | Err(Trouble::Overdue(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(arrived)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(local: &str, observed: &str) -> (Option<SocketAddr>, SocketAddr) {
        (Some(local.parse().expect("an address")), observed.parse().expect("an address"))
    }

    #[test]
    fn a_nat_is_known_by_the_address_that_the_server_sees() {
        let (plain, mapped) =
            (seen("192.0.2.1:5", "192.0.2.1:5"), seen("192.0.2.1:6", "[::ffff:192.0.2.1]:6"));
        assert_eq!(
            told(&[plain, mapped]),
            "the server sees 192.0.2.1:5 and 192.0.2.1:6: this host's own, so no NAT is in between"
        );
        let behind = told(&[seen("10.0.0.1:5", "192.0.2.1:5")]);
        assert_eq!(
            behind,
            "the server sees 192.0.2.1:5 for 10.0.0.1:5: not this host's own, so it is behind a NAT"
        );
    }

    #[test]
    fn some_loss_is_told_and_only_total_loss_is_a_failure() {
        let arrived = |numbers: std::ops::Range<usize>, by_connection| Arrived {
            numbers: numbers.collect(),
            by_connection,
        };
        assert_eq!(arrived(0..COUNT, 0).judge(), Ok("none of 20 lost".to_owned()));
        assert_eq!(arrived(3..COUNT, 0).judge(), Ok("3 of 20 lost on the way".to_owned()));
        assert!(arrived(0..0, 0).judge().is_err_and(|cause| cause.contains("lost")));
        assert!(arrived(0..0, 5).judge().is_err_and(|cause| cause.contains("over TCP")));
    }
}
