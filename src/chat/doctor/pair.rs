//! The two peers in one poll loop, and how a step waits for something.

use super::causes;
use super::peer::{News, Peer};
use crate::chat::Credentials;
use crate::chat::lost::Lost;
use crate::wire::Frame;
use crate::wire::frame::{Body, Done, Refused};
use crate::wire::{Flags, RefusalCode};
use mio::{Events, Poll, Token};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the server may take to answer goodbye.
const FAREWELL_TIME: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    A,
    B,
}

impl Who {
    pub const BOTH: [Who; 2] = [Who::A, Who::B];

    pub fn other(self) -> Who {
        if self == Who::A { Who::B } else { Who::A }
    }
}

pub struct Pair {
    poll: Poll,
    events: Events,
    a: Peer,
    b: Peer,
    /// When the present step has to be over.
    pub until: Instant,
}

/// Why what was waited for did not come.
#[derive(Debug)]
pub enum Trouble {
    /// The connection to the server is gone, for this reason.
    Lost(Lost),
    Refused {
        code: u16,
        text: String,
    },
    /// Not in time.
    Overdue(&'static str),
    /// The poll does not work.
    System(io::Error),
}

impl Trouble {
    pub fn is_refusal(&self, of: RefusalCode) -> bool {
        matches!(self, Trouble::Refused { code, .. } if *code == of.number())
    }
}

impl From<Trouble> for String {
    fn from(trouble: Trouble) -> String {
        causes::of_trouble(&trouble)
    }
}

impl Pair {
    /// Two peers whose names end so.
    ///
    /// # Errors
    /// Those of setting up a poll and of opening ports.
    pub fn new(tag: &str, credentials: &Credentials, now: Instant) -> io::Result<Pair> {
        let poll = Poll::new()?;
        let peer = |token, letter| {
            let name = format!("doctor-{letter}-{tag}");
            Peer::new(poll.registry(), Token(token), name, credentials.frames())
        };
        let (a, b) = (peer(0, 'a')?, peer(1, 'b')?);
        Ok(Pair { poll, events: Events::with_capacity(64), a, b, until: now })
    }

    pub fn peer(&mut self, who: Who) -> &mut Peer {
        match who {
            Who::A => &mut self.a,
            Who::B => &mut self.b,
        }
    }

    pub fn name(&self, who: Who) -> &str {
        match who {
            Who::A => &self.a.name,
            Who::B => &self.b.name,
        }
    }

    /// Whether both are connected.
    pub fn is_connected(&self) -> bool {
        self.a.link().is_some() && self.b.link().is_some()
    }

    /// A step begins, and has to be over by then. `fresh`: what came during the one before is of no use.
    pub fn begin(&mut self, fresh: bool, until: Instant) {
        self.until = until;
        if fresh {
            self.a.clear_news();
            self.b.clear_news();
        }
    }

    /// Begins to connect one of them.
    ///
    /// # Errors
    /// [`Lost::Connect`].
    pub fn dial(&mut self, who: Who, server: SocketAddr) -> Result<(), Lost> {
        let peer = if who == Who::A { &mut self.a } else { &mut self.b };
        peer.dial(self.poll.registry(), server, Instant::now())
    }

    /// Sends a request, which gets its id, to the server. Returns the id.
    pub fn request<'a, B: Body<'a>>(&mut self, who: Who, channel: u32, body: impl FnOnce(u32) -> B) -> u32 {
        let peer = self.peer(who);
        let request = peer.next_request();
        peer.send(Flags::NONE, channel, &body(request));
        request
    }

    /// Sends a request and waits until it is done.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn carry_out<'a, B: Body<'a>>(
        &mut self,
        who: Who,
        channel: u32,
        what: &'static str,
        body: impl FnOnce(u32) -> B,
    ) -> Result<(), Trouble> {
        let sent = self.request(who, channel, body);
        self.wait_for_frame(who, what, |_, frame| {
            matches!(frame, Frame::Done(Done { request }) if request == sent).then_some(())
        })
    }

    /// Waits for a frame that `pick` wants; others are passed over.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn wait_for_frame<T>(
        &mut self,
        who: Who,
        what: &'static str,
        mut pick: impl FnMut(u32, Frame<'_>) -> Option<T>,
    ) -> Result<T, Trouble> {
        self.wait_for(who, what, |news| news.frame().and_then(|(channel, frame)| pick(channel, frame)))
    }

    /// Waits, as long as the step may take, for news that `pick` wants; others are passed over.
    ///
    /// # Errors
    /// [`Trouble`]; no step makes a request that should be refused.
    pub fn wait_for<T>(
        &mut self,
        who: Who,
        what: &'static str,
        pick: impl FnMut(&News) -> Option<T>,
    ) -> Result<T, Trouble> {
        self.wait_until(self.until, who, what, pick)
    }

    /// The same, with an end of its own.
    ///
    /// # Errors
    /// Those of [`Pair::wait_for`].
    pub fn wait_until<T>(
        &mut self,
        until: Instant,
        who: Who,
        what: &'static str,
        mut pick: impl FnMut(&News) -> Option<T>,
    ) -> Result<T, Trouble> {
        loop {
            while let Some(news) = self.peer(who).take_news() {
                if let Some(found) = pick(&news) {
                    return Ok(found);
                }
                if let Some((_, Frame::Refused(Refused { code, text, .. }))) = news.frame() {
                    return Err(Trouble::Refused { code, text: text.to_owned() });
                }
            }
            if let Some(lost) = self.peer(who).take_lost() {
                return Err(Trouble::Lost(lost));
            }
            if Instant::now() >= until || self.peer(who).link().is_none() {
                // What has become of the other one may explain it.
                let lost = self.peer(who.other()).take_lost();
                return Err(lost.map_or(Trouble::Overdue(what), Trouble::Lost));
            }
            self.turn(until).map_err(Trouble::System)?;
        }
    }

    /// One turn of the loop, which waits no longer than until then.
    ///
    /// # Errors
    /// Those of poll.
    pub fn turn(&mut self, until: Instant) -> io::Result<()> {
        let now = Instant::now();
        let is_busy = self.a.is_busy() || self.b.is_busy();
        let looks = [self.a.next_look(), self.b.next_look(), Some(until)];
        let next = if is_busy { now } else { looks.into_iter().flatten().min().unwrap_or(until) };
        match self.poll.poll(&mut self.events, Some(next.saturating_duration_since(now))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &self.events {
            // The sockets of the two for paths have the same tokens. Who looks in vain finds that it would block.
            self.a.note(event);
            self.b.note(event);
        }
        let now = Instant::now();
        self.a.turn(self.poll.registry(), now);
        self.b.turn(self.poll.registry(), now);
        Ok(())
    }

    /// Says goodbye, and waits a moment for the server to have heard it: nothing of the two stays behind there.
    pub fn say_farewell(&mut self) {
        let until = Instant::now() + FAREWELL_TIME;
        for who in Who::BOTH {
            self.peer(who).say_bye();
        }
        while Instant::now() < until && (self.a.is_open() || self.b.is_open()) {
            if let Err(error) = self.turn(until) {
                log::debug!("goodbye: {error}");
                return;
            }
        }
    }
}
