//! `switchboard pipe`: standard input of one end becomes standard output of the other, through a relay.
//!
//! ```text
//!   sender                          server                        receiver
//!     open bob, for a pipe  ──────────▶   ──── offer ────────────────▶
//!     ◀──── opened ───────────────────   ◀──── accept ─────────────────
//!     data … data, end      ──────────▶   ──── data … data, end ──────▶  written, all of it
//!     ◀──── closed: done ─────────────   ◀──── close ──────────────────
//! ```
//!
//! The data takes a direct path where both ends want one (`route`); all else goes through the server.
//!
//! So closed is the receiver's word that everything is written, and the sender ends with success only then. Nothing
//! is tried a second time: what had gone through cannot be taken back.

mod receiver;
mod route;
mod sender;

use super::error::Error;
use super::link::{Incoming, Link, Outgoing};
use super::lost::Lost;
use super::sanitise::sanitise;
use super::{Credentials, LINK, Ways, poll_and_waker};
use crate::wire::Flags;
use indicatif::{ProgressBar, ProgressStyle};
use mio::{Events, Poll, Waker};
use receiver::Receiver;
use route::Route;
use sender::Sender;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long goodbye may take once everything is done.
const FAREWELL_TIME: Duration = Duration::from_secs(2);

/// Reads from the server in one turn.
const READS_MAX: usize = 8;

/// Which end of the pipe this is, and the name of the other one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PipeRole {
    /// Standard input goes to them.
    To(String),
    /// Standard output comes from them.
    From(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipeOptions {
    /// `host:port`; every address that the host has is tried.
    pub server: String,
    pub nick: String,
    pub credentials: Credentials,
    pub role: PipeRole,
    pub ways: Ways,
    /// Addresses at which the other end can reach this one, beyond those that it finds out itself.
    pub declared: Vec<SocketAddr>,
}

/// Moves everything from one end to the other.
///
/// # Errors
/// [`Error`], in one sentence for the user, unless all of the input was written to the output.
pub fn pipe(options: PipeOptions) -> Result<(), Error> {
    if options.ways.is_impossible(false) {
        return Err(Error::Unshown);
    }
    let (poll, waker) = poll_and_waker()?;
    // Held to the end: with its last holder the waker closes, and takes a wake-up along that nobody has polled yet.
    let _held = Arc::clone(&waker);
    let progress = progress();
    let route = Route::open(poll.registry(), options.ways, options.declared);
    let entrance =
        Entrance { server: &options.server, nick: &options.nick, credentials: options.credentials.frames() };
    let outcome = match options.role {
        PipeRole::To(peer) => {
            let sender = Sender::new(peer, waker, progress.clone());
            run(entrance, poll, route, &progress, sender)
        }
        PipeRole::From(peer) => {
            let receiver = Receiver::new(peer, waker, progress.clone())
                .map_err(|error| Error::System { what: "start writing standard output", error })?;
            run(entrance, poll, route, &progress, receiver)
        }
    };
    progress.finish_and_clear();
    outcome
}

/// How an end comes in.
struct Entrance<'a> {
    server: &'a str,
    nick: &'a str,
    /// Frames that are said before hello.
    credentials: Vec<u8>,
}

/// Where an end sends.
struct Out<'a> {
    server: &'a mut Outgoing,
    route: &'a mut Route,
    /// This end of the connection to the server.
    local: Option<SocketAddr>,
    now: Instant,
}

/// One end, without its connection.
trait PipeEnd {
    /// The name of the other end.
    fn peer(&self) -> &str;

    fn welcomed(&mut self, out: &mut Outgoing);

    fn take(&mut self, out: &mut Out<'_>, incoming: Incoming<'_>);

    /// Payload, whichever way it came.
    fn receive(&mut self, channel: u32, flags: Flags, payload: &[u8]);

    /// The way that was chosen, or was to be, is none.
    fn route_failed(&mut self, why: &str);

    /// Whether nothing more should be read from the server for now.
    fn is_stalled(&self) -> bool;

    /// Whether the server can be expected to answer a ping.
    fn expects_answers(&self) -> bool;

    /// Moves bytes on. Returns whether there may be more as soon as there is room for it in `out`; nothing else will
    /// say so.
    fn pump(&mut self, out: &mut Out<'_>) -> bool;

    /// How it ended, once it has.
    fn outcome(&mut self) -> Option<Result<(), Error>>;

    /// What a lost connection means: before the relay was there, that; later, an incomplete transfer; at the very end,
    /// nothing.
    fn lost(&self, server: &str, lost: Lost) -> Result<(), Error>;
}

fn run(
    Entrance { server, nick, credentials }: Entrance<'_>,
    mut poll: Poll,
    mut route: Route,
    progress: &ProgressBar,
    mut end: impl PipeEnd,
) -> Result<(), Error> {
    let mut events = Events::with_capacity(16);
    let mut link = Link::dial(poll.registry(), LINK, server, nick, route.dialler(), Instant::now())
        .map_err(|lost| Error::Server { server: server.to_owned(), lost })?;
    link.say_before_hello(credentials);
    let mut more = false;
    loop {
        let readable = link.is_readable() && !end.is_stalled();
        let busy = more || route.is_busy() || link.is_flushable() || readable;
        let next_look = route.next_look().map_or(link.next_look(), |look| look.min(link.next_look()));
        wait(&mut poll, &mut events, if busy { Instant::now() } else { next_look })?;
        for event in &events {
            if event.token() == LINK { link.note(event) } else { route.note(event) }
        }
        let driven = drive(&poll, &mut link, &mut route, &mut end);
        if let Some(news) = route.take_news() {
            tell(progress, &format!("-- {}: {news}", end.peer()));
        }
        // What the last frames said counts more than that the connection ended after them.
        if let Some(outcome) = end.outcome() {
            say_farewell(poll, events, link);
            return outcome;
        }
        more = match driven {
            Ok(more) => more,
            Err(lost) => return end.lost(server, lost),
        };
    }
}

/// One turn. Returns whether the next one has something to do already.
fn drive(poll: &Poll, link: &mut Link, route: &mut Route, end: &mut impl PipeEnd) -> Result<bool, Lost> {
    let now = Instant::now();
    link.advance(poll.registry(), now)?;
    let read = read(link, route, end, now);
    route.stop_reading(end.is_stalled(), now);
    route.drive(link.out(), now, |channel, flags, payload| end.receive(channel, flags, payload));
    if let Some(why) = route.failed() {
        end.route_failed(why);
    }
    let local = link.local_address();
    let more = end.pump(&mut Out { server: link.out(), route, local, now });
    route.flush();
    read?;
    link.flush()?;
    link.expect_answers(end.expects_answers(), now);
    link.tick(now)?;
    // While something is queued that the socket does not take, the socket's readiness is what to wait for.
    Ok(more && route.queued_bytes(link.out()) == 0)
}

fn read(link: &mut Link, route: &mut Route, end: &mut impl PipeEnd, now: Instant) -> Result<(), Lost> {
    let local = link.local_address();
    for _ in 0..READS_MAX {
        if !link.is_readable() || end.is_stalled() {
            break;
        }
        link.read(now, |out, incoming| match incoming {
            Incoming::Welcome { .. } => end.welcomed(out),
            Incoming::Frame { channel, frame, .. } => {
                route.see(channel, &frame, now);
                end.take(&mut Out { server: out, route, local, now }, incoming);
            }
            Incoming::Request(_) => {} // a server asks for nothing
        })?;
        end.pump(&mut Out { server: link.out(), route, local, now });
    }
    Ok(())
}

/// All is said; what is still queued and the server's goodbye get a moment, but nothing depends on them.
fn say_farewell(mut poll: Poll, mut events: Events, mut link: Link) {
    let deadline = Instant::now() + FAREWELL_TIME;
    if link.is_open() {
        link.say_bye("");
    }
    let mut exchange = || -> Result<(), Lost> {
        while Instant::now() < deadline {
            link.flush()?;
            while link.is_readable() {
                link.read(Instant::now(), |_, _| {})?;
            }
            wait(&mut poll, &mut events, deadline).map_err(|_| Lost::Ended)?;
            events.iter().filter(|event| event.token() == LINK).for_each(|event| link.note(event));
        }
        Ok(())
    };
    if let Err(lost) = exchange() {
        log::debug!("{lost}");
    }
}

fn wait(poll: &mut Poll, events: &mut Events, until: Instant) -> Result<(), Error> {
    match poll.poll(events, Some(until.saturating_duration_since(Instant::now()))) {
        Err(error) if error.kind() != ErrorKind::Interrupted => {
            Err(Error::System { what: "wait for events", error })
        }
        _ => Ok(()),
    }
}

/// A line on standard error, above the progress bar if there is one.
fn tell(progress: &ProgressBar, line: &str) {
    let line = sanitise(line);
    if progress.is_hidden() {
        // Nobody may be reading notices.
        let _ = writeln!(io::stderr(), "{line}");
    } else {
        progress.println(line);
    }
}

/// A progress bar where standard error is a terminal, else nothing.
fn progress() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    // The template is a constant; a bar in the default style is still a bar.
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {msg}{bytes} at {binary_bytes_per_sec}, {elapsed}")
    {
        bar.set_style(style);
    }
    bar
}

/// Both ends wake the loop from their threads.
type SharedWaker = Arc<Waker>;
