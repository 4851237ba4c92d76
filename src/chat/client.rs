//! The poll loop of a chat client: one connection that is made again when it breaks, one [`Conversation`], and a
//! [`Face`] to the user.
//!
//! The turn: poll, note, read, timers, input, show, flush.

use super::bypass::Bypass;
use super::capture::Capture;
use super::conversation::Conversation;
use super::error::Error;
use super::link::{Incoming, Link};
use super::lost::Lost;
use super::partner::Partner;
use super::pause::Pause;
use super::shown::Shown;
use super::{ChatOptions, LINK, SIGNALS};
use mio::event::Event;
use mio::{Events, Interest, Poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// How long goodbye may take: what is queued goes out, and the server answers.
pub const FAREWELL_TIME: Duration = Duration::from_secs(5);

/// How long what is still to be written on direct paths may take, where there is no server to say goodbye to.
const PATHS_TIME: Duration = Duration::from_secs(1);

/// How long a prompt waits for the answer that may change it.
const PROMPT_TIME: Duration = Duration::from_millis(500);

/// Reads from the server in one turn, so that the user gets theirs.
const READS_MAX: usize = 8;

/// A terminal or a script.
pub trait Face {
    fn show(&mut self, shown: &Shown);

    /// Moves on what waits to be written, at the end of every turn.
    ///
    /// # Errors
    /// When it cannot be written.
    fn pump(&mut self) -> Result<(), Error>;

    /// Whether nothing more can be shown for now, so that nothing more should be read.
    fn is_stalled(&self) -> bool;

    /// Whether nobody sees any more what is shown.
    fn is_gone(&self) -> bool;

    /// Carries out what the user did since the last turn, as far as there is room for it.
    ///
    /// # Errors
    /// When nothing that comes after makes sense.
    fn take_input(&mut self, partner: &mut dyn Partner) -> Result<(), Error>;

    /// Whether the user is done, apart from what is still under way.
    fn is_done(&self) -> bool;

    /// Whether a prompt is due, because the line typed at the last one has been dealt with.
    fn wants_prompt(&self) -> bool;

    fn prompt(&mut self, text: String, typing: Typing);

    /// How it all went, in the end.
    ///
    /// # Errors
    /// When something did not go well that only becomes clear in the end.
    fn verdict(&self, partner: &dyn Partner) -> Result<(), Error>;
}

/// Whether what is typed at a prompt is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typing {
    Shown,
    Hidden,
}

/// How the client came to its end, if not by an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Quit,
    Signal(i32),
}

pub struct Client<'a, F> {
    options: &'a ChatOptions,
    poll: Poll,
    signals: Signals,
    face: F,
    conversation: Conversation,
    connection: Connection,
    bypass: Bypass,
    pause: Pause,
    /// Whether the server has ever welcomed us: from then on a lost connection is made again.
    welcomed: bool,
    /// Since when the present connection is open.
    open_since: Option<Instant>,
    /// When the prompt is shown even though an answer is missing that may change it.
    prompt_due: Option<Instant>,
    farewell: Option<Farewell>,
    capture: Capture,
}

enum Connection {
    Up(Box<Link>),
    Down { retry_at: Instant },
}

struct Farewell {
    deadline: Instant,
    end: End,
}

impl<'a, F: Face> Client<'a, F> {
    /// # Errors
    /// [`Error::System`].
    pub fn new(options: &'a ChatOptions, poll: Poll, face: F, interactive: bool) -> Result<Self, Error> {
        let system = |error| Error::System { what: "watch for signals", error };
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(system)?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE).map_err(system)?;
        let now = Instant::now();
        let ways = options.ways;
        let capture = Capture::open(&options.capture)?;
        let mut bypass = Bypass::open(poll.registry(), ways, interactive, &options.declared);
        bypass.capture(&capture);
        let mut conversation = Conversation::new(&options.nick, &options.rooms, interactive, ways, now);
        conversation.at_once(options.at_once.clone());
        if let Some(messages) = options.history {
            conversation.show_on_entering(messages);
        }
        conversation.log_in_with(options.credentials.clone());
        Ok(Client {
            options,
            poll,
            signals,
            face,
            conversation,
            connection: Connection::Down { retry_at: now },
            bypass,
            pause: Pause::default(),
            welcomed: false,
            open_since: None,
            prompt_due: None,
            farewell: None,
            capture,
        })
    }

    /// Until the user leaves, a signal comes, or there is no point in going on. The face is given back in any case,
    /// with what it may still have to write.
    pub fn run(mut self) -> (Result<End, Error>, F) {
        let mut events = Events::with_capacity(64);
        let result = loop {
            match self.turn(&mut events) {
                Ok(None) => {}
                Ok(Some(End::Quit)) => break self.face.verdict(&self.conversation).map(|()| End::Quit),
                Ok(Some(end)) => break Ok(end),
                Err(error) => break Err(error),
            }
        };
        self.show();
        (result, self.face)
    }

    fn turn(&mut self, events: &mut Events) -> Result<Option<End>, Error> {
        let timeout = self.timeout(Instant::now());
        self.poll.poll(events, timeout).or_else(go_on_if_interrupted)?;
        let now = Instant::now();
        self.conversation.set_now(now);
        events.iter().for_each(|event| self.note(event));
        let driven = self.drive(now);
        self.heed(driven, now)?;
        self.bypass.drive(&mut self.conversation, self.face.is_stalled(), now);
        self.heed_signals(now);
        if self.farewell.is_none() {
            self.face.take_input(&mut self.conversation)?;
        }
        self.serve_ways(now);
        if self.farewell.is_none() {
            self.consider_leaving(now);
        }
        self.show();
        self.offer_prompt(now);
        self.face.pump()?;
        let flushed = self.flush();
        self.capture.hand_over();
        self.heed(flushed, now)?;
        Ok(self.end(now))
    }

    /// How long there is nothing to do unless something happens.
    fn timeout(&mut self, now: Instant) -> Option<Duration> {
        let link_at = match &mut self.connection {
            Connection::Down { .. } if self.farewell.is_some() => now + FAREWELL_TIME,
            Connection::Down { retry_at } => *retry_at,
            Connection::Up(link) if link.is_flushable() => now,
            Connection::Up(link) if link.is_readable() && !self.face.is_stalled() => now,
            // A link that is lost is found out in the turn.
            Connection::Up(link) => link.next_look(),
        };
        let deadline = self.farewell.as_ref().map(|farewell| farewell.deadline);
        let bypass_at = if self.bypass.is_busy() { Some(now) } else { self.bypass.next_look() };
        let ats = [Some(link_at), deadline, self.prompt_due, bypass_at, self.conversation.next_deadline()];
        let at = ats.into_iter().flatten().min();
        at.map(|at| at.saturating_duration_since(now))
    }

    /// Connects, reads, looks at the clock.
    fn drive(&mut self, now: Instant) -> Result<(), Lost> {
        let registry = self.poll.registry();
        let link = match &mut self.connection {
            Connection::Down { retry_at } if now < *retry_at || self.farewell.is_some() => return Ok(()),
            Connection::Down { .. } => {
                let dialler = self.bypass.dialler();
                let ChatOptions { server, nick, .. } = self.options;
                let mut link = Link::dial(registry, LINK, server, nick, dialler, now)?;
                link.capture(&self.capture);
                link.say_before_hello(self.conversation.credentials());
                self.connection = Connection::Up(Box::new(link));
                return Ok(());
            }
            Connection::Up(link) => link,
        };
        link.advance(registry, now)?;
        let (local, server) = (link.local_address(), link.server_address());
        let (conversation, open_since, bypass) =
            (&mut self.conversation, &mut self.open_since, &mut self.bypass);
        for _ in 0..READS_MAX {
            if !link.is_readable() || self.face.is_stalled() {
                break;
            }
            link.read(now, |_, incoming| match incoming {
                Incoming::Welcome { nick, text_max } => {
                    *open_since = Some(now);
                    conversation.connected(nick, text_max);
                    bypass.welcomed(conversation, local, now);
                }
                Incoming::Frame { channel, flags, frame } => {
                    bypass.see(channel, &frame, server, now);
                    conversation.receive(channel, flags, frame);
                }
                Incoming::Request(_) => {} // a server asks for nothing
            })?;
            // What was read is on its way before more is: a stalled face is noticed in between.
            conversation.take_shown().iter().for_each(|shown| self.face.show(shown));
        }
        self.welcomed |= open_since.is_some();
        link.expect_answers(!self.face.is_stalled(), now);
        link.tick(now)
    }

    fn note(&mut self, event: &Event) {
        match &mut self.connection {
            Connection::Up(link) if event.token() == LINK => link.note(event),
            _ => self.bypass.note(event),
        }
    }

    /// Sends what is due in calls, and what does not go over the connection to the server.
    fn serve_ways(&mut self, now: Instant) {
        let link = match &mut self.connection {
            Connection::Up(link) if link.is_open() => Some(&mut **link),
            _ => None,
        };
        self.conversation.set_stalled(self.face.is_stalled());
        self.conversation.pump();
        self.bypass.serve(&mut self.conversation, link, now);
    }

    fn flush(&mut self) -> Result<(), Lost> {
        let frames = self.conversation.take_frames();
        let Connection::Up(link) = &mut self.connection else { return Ok(()) };
        if !frames.is_empty() {
            link.out().send_encoded(&frames);
        }
        link.flush()
    }

    /// Takes a lost connection for what it is: the end of a goodbye, a reason to try again, or to give up.
    fn heed(&mut self, outcome: Result<(), Lost>, now: Instant) -> Result<(), Error> {
        let Err(lost) = outcome else { return Ok(()) };
        if let Connection::Up(link) = &mut self.connection {
            link.hang_up(self.poll.registry());
        }
        self.connection = Connection::Down { retry_at: now };
        if self.farewell.is_some() {
            return Ok(());
        }
        self.bypass.server_lost();
        self.conversation.disconnected();
        if !self.welcomed || !lost.is_worth_another_try() {
            return Err(Error::Server { server: self.options.server.clone(), lost });
        }
        let held = self.open_since.take().map(|since| now.saturating_duration_since(since));
        let pause = self.pause.next(held);
        self.connection = Connection::Down { retry_at: now + pause };
        let seconds = pause.as_secs_f32();
        self.conversation.trouble(format!("{}: {lost}; trying again in {seconds:.1} s", self.options.server));
        Ok(())
    }

    fn heed_signals(&mut self, now: Instant) {
        let signals: Vec<i32> = self.signals.pending().collect();
        for signal in signals {
            if self.farewell.is_some() {
                // The second one does not wait for anybody.
                self.farewell = Some(Farewell { deadline: now, end: End::Signal(signal) });
            } else {
                self.say_farewell(End::Signal(signal), "", now);
            }
        }
    }

    fn consider_leaving(&mut self, now: Instant) {
        let reachable = matches!(&self.connection, Connection::Up(link) if link.is_open()) || self.welcomed;
        let delivered = self.face.is_done() && self.conversation.is_settled() && reachable;
        let words = self.conversation.leaving().map(str::to_owned);
        if words.is_none() && !delivered && !self.face.is_gone() {
            return;
        }
        // Peers get what was said to them, and hear that it is over.
        self.conversation.end_calls();
        if !self.conversation.has_calls() {
            self.say_farewell(End::Quit, &words.unwrap_or_default(), now);
        }
    }

    fn say_farewell(&mut self, end: End, words: &str, now: Instant) {
        let mut deadline = now;
        self.conversation.end_calls();
        self.conversation.end_endings();
        self.serve_ways(now);
        let frames = self.conversation.take_frames();
        if let Connection::Up(link) = &mut self.connection
            && link.is_open()
        {
            link.out().send_encoded(&frames);
            link.say_bye(words);
            deadline += FAREWELL_TIME;
        } else if self.bypass.are_closing() {
            deadline += PATHS_TIME;
        }
        self.farewell = Some(Farewell { deadline, end });
    }

    fn end(&self, now: Instant) -> Option<End> {
        let farewell = self.farewell.as_ref()?;
        let is_down = matches!(self.connection, Connection::Down { .. }) && !self.bypass.are_closing();
        let over = is_down || now >= farewell.deadline;
        over.then_some(farewell.end)
    }

    fn show(&mut self) {
        self.conversation.take_shown().iter().for_each(|shown| self.face.show(shown));
    }

    /// Shows the next prompt; not before the answer that it depends on, unless that takes long.
    fn offer_prompt(&mut self, now: Instant) {
        if !self.face.wants_prompt() || !self.welcomed || self.farewell.is_some() {
            self.prompt_due = None;
            return;
        }
        let due = *self.prompt_due.get_or_insert(now + PROMPT_TIME);
        if now >= due || !self.conversation.is_moving() {
            self.prompt_due = None;
            let (prompt, typing) = (self.conversation.prompt(), self.conversation.typing());
            self.face.prompt(prompt, typing);
        }
    }
}

pub fn go_on_if_interrupted(error: io::Error) -> Result<(), Error> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        _ => Err(Error::System { what: "wait for events", error }),
    }
}
