//! The steps over TCP: name, connection, login, room, relay.

use super::causes;
use super::pair::{Pair, Trouble, Who};
use super::peer::News;
use crate::chat::link::Link;
use crate::chat::lost::Lost;
use crate::wire::frame::{Accept, Close, Data, Join, Leave, Open, Opened, Said, Say};
use crate::wire::{Flags, Frame, Purpose};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

/// What is said in rooms.
const WORDS: &str = "is this heard?";

/// The addresses of `host:port`. A resolver may take its time, so a thread asks it, and may be left behind.
pub fn resolve(server: &str, until: Instant) -> Result<(Vec<SocketAddr>, String), String> {
    let (sender, answer) = mpsc::channel();
    let asked = server.to_owned();
    let asking = thread::Builder::new().name("resolver".to_owned()).spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(asked.to_socket_addrs().map(Vec::from_iter));
    });
    asking.map_err(|error| format!("this host cannot start a thread to ask DNS: {error}"))?;
    let found = match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(found) => found.and_then(|addresses| match addresses.is_empty() {
            true => Err(io::ErrorKind::NotFound.into()),
            false => Ok(addresses),
        }),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    let addresses = found.map_err(|error| causes::of_resolving(server, &error))?;
    let told = match server.parse::<SocketAddr>() {
        Ok(_) => format!("{server} is an address already"),
        Err(_) => {
            let told: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
            format!("{server} is {}", told.join(", "))
        }
    };
    Ok((addresses, told))
}

/// Both connect, to the first address that takes them.
pub fn connect(pair: &mut Pair, addresses: &[SocketAddr]) -> Result<String, String> {
    let until = pair.until;
    let mut failures = Vec::new();
    for (tried, &address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match connect_to(pair, address, Instant::now() + left / others) {
            Ok(()) => {
                let from = pair.peer(Who::A).link().and_then(Link::local_address);
                let from =
                    from.map_or_else(String::new, |from| format!(", from {}", from.ip().to_canonical()));
                let but = failures.into_iter().map(|cause| format!("; but {cause}")).collect::<String>();
                return Ok(format!("both peers are connected to {address}{from}{but}"));
            }
            Err(cause) => failures.push(cause),
        }
    }
    Err(failures.join("; "))
}

fn connect_to(pair: &mut Pair, address: SocketAddr, until: Instant) -> Result<(), String> {
    for who in Who::BOTH {
        pair.dial(who, address).map_err(|lost| causes::of_connecting(address, &lost))?;
        let connected = |news: &News| matches!(news, News::Connected).then_some(());
        pair.wait_until(until, who, "the connection", connected).map_err(|trouble| match trouble {
            Trouble::Lost(lost @ Lost::Connect(_)) => causes::of_connecting(address, &lost),
            Trouble::Overdue(_) => causes::unanswered(address),
            other => other.into(),
        })?;
    }
    Ok(())
}

/// Both are welcomed.
pub fn login(pair: &mut Pair) -> Result<String, String> {
    for who in Who::BOTH {
        let welcomed = pair.wait_for(who, "welcome", |news| matches!(news, News::Welcome).then_some(()));
        welcomed.map_err(|trouble| causes::of_login(pair.name(who), &trouble))?;
    }
    Ok(format!("as {} and {}", pair.name(Who::A), pair.name(Who::B)))
}

/// One says something in a room, the other hears it, and both leave.
pub fn room(pair: &mut Pair, room: &str) -> Result<String, String> {
    let channel = enter(pair, room)?;
    pair.carry_out(Who::A, channel, "the answer to what was said", |request| Say { request, text: WORDS })?;
    let by_a = pair.name(Who::A).to_owned();
    pair.wait_for_frame(Who::B, "what was said in the room", |_, frame| {
        matches!(frame, Frame::Said(Said { by, text: WORDS }) if by == by_a).then_some(())
    })?;
    leave(pair, channel)?;
    Ok(format!("joined {room}, said and heard, left"))
}

/// Both enter a room. Returns its channel.
pub fn enter(pair: &mut Pair, room: &str) -> Result<u32, Trouble> {
    let mut entered = 0;
    for who in Who::BOTH {
        let sent = pair.request(who, 0, |request| Join { request, past: 0, room, password: "" });
        entered = pair.wait_for_frame(who, "the answer to join", |channel, frame| {
            matches!(frame, Frame::Joined(joined) if joined.request == sent).then_some(channel)
        })?;
    }
    Ok(entered)
}

pub fn leave(pair: &mut Pair, channel: u32) -> Result<(), Trouble> {
    Who::BOTH
        .into_iter()
        .try_for_each(|who| pair.carry_out(who, channel, "the answer to leave", |request| Leave { request }))
}

/// One calls the other: payload both ways, the end of one direction, the end of the other, the end of the relay.
pub fn relay(pair: &mut Pair) -> Result<String, String> {
    let channel = open_relay(pair)?;
    pass(pair, Who::A, channel, Flags::NONE, b"ping")?;
    pass(pair, Who::B, channel, Flags::NONE, b"pong")?;
    pass(pair, Who::A, channel, Flags::END, b"")?;
    pass(pair, Who::B, channel, Flags::NONE, b"after the end of the other direction")?;
    pass(pair, Who::B, channel, Flags::END, b"")?;
    close_relay(pair, channel)?;
    Ok("called, accepted, payload both ways, half-closed, closed".to_owned())
}

/// One calls, the other accepts. Returns the relay's channel.
pub fn open_relay(pair: &mut Pair) -> Result<u32, Trouble> {
    let (to, purpose) = (pair.name(Who::B).to_owned(), Purpose::Conversation.number());
    let call = pair.request(Who::A, 0, |request| Open { request, purpose, to: &to });
    let channel = pair.wait_for_frame(Who::B, "the call", |channel, frame| {
        matches!(frame, Frame::Offer(_)).then_some(channel)
    })?;
    pair.carry_out(Who::B, channel, "the answer to accept", |request| Accept { request })?;
    pair.wait_for_frame(Who::A, "the answer to the call", |_, frame| {
        matches!(frame, Frame::Opened(Opened { request, .. }) if request == call).then_some(())
    })?;
    Ok(channel)
}

pub fn close_relay(pair: &mut Pair, channel: u32) -> Result<(), Trouble> {
    pair.carry_out(Who::A, channel, "the answer to close", |request| Close { request })?;
    pair.wait_for_frame(Who::B, "the end of the relay", |of, frame| {
        (of == channel && matches!(frame, Frame::Closed(_))).then_some(())
    })
}

/// Payload goes from one to the other.
fn pass(pair: &mut Pair, from: Who, channel: u32, flags: Flags, payload: &[u8]) -> Result<(), Trouble> {
    pair.peer(from).send(flags, channel, &Data { payload });
    pair.wait_for(from.other(), "payload on the relay", |news| match news.frame() {
        Some((of, Frame::Data(data))) => {
            (of == channel && data.payload == payload && news.flags() == flags).then_some(())
        }
        _ => None,
    })
}
