//! One thread of the load: a poll, its clients, and what they count.
//!
//! A turn: poll; read whoever is readable, and send what becomes due meanwhile; take letters and orders; go on with the
//! present order; send; write. Nothing in it waits but the poll.

mod appearing;
mod binding;
mod own_use;
mod reading;
mod talking;
mod visiting;

use super::cast::Part;
use super::client::{Client, State};
use super::error::Error;
use super::flights::{Flights, Landing};
use super::latencies::Latencies;
use super::outcome::Counts;
use super::setup::{Meter, Order, Report, Setup};
use super::talk::Talk;
use super::tally::Tally;
use super::timer::{TOO_SOON, Timer};
use crate::net::datagram::ReceiveBuffers;
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};
use own_use::{OwnUse, Used};
use std::io::ErrorKind;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;
use visiting::Visits;

pub const WAKER: Token = Token(usize::MAX);
const TIMER: Token = Token(usize::MAX - 1);

/// Bytes of one read. All clients share the buffer.
const READ_BYTES: usize = 256 * 1_024;

const EVENTS_PER_TURN: usize = 1_024;

/// Between two looks at what has no event of its own.
const IDLE: Duration = Duration::from_millis(100);

pub struct Worker {
    index: usize,
    setup: Arc<Setup>,
    poll: Poll,
    timer: Timer,
    orders: Receiver<Order>,
    reports: Sender<Report>,
    task: Task,
    clients: Vec<Client>,
    /// Clients that have something new to send.
    dirty: Vec<usize>,
    /// Bytes that the clients' sockets have not taken.
    backlog: usize,
    scratch: Vec<u8>,
    /// What datagrams are received into, if there are any.
    buffers: Option<ReceiveBuffers>,
    tally: Tally,
    latencies: Latencies,
    flights: Flights,
    /// What landed in the present read.
    landed: Vec<Landing>,
    /// What landed here of other threads' messages, by thread.
    letters: Vec<Vec<(Landing, u64)>>,
    talk: Option<Talk>,
    refused: u64,
    /// What the server said the first time.
    refusal: Option<String>,
    disconnected: u64,
    visits: Visits,
    /// Occupants of whom somebody was told, and should be, when all enter a room at one time.
    told: u64,
    to_be_told: u64,
    /// Stallers whose connection the server has ended.
    dropped: u64,
    /// Whether stallers have stopped reading.
    is_stalled: bool,
    /// When what is lost was last given up.
    swept: u64,
    /// When clients with datagrams last gave a sign of life.
    kept_alive: u64,
    /// At the beginning and at the end of the measured time.
    used: [Option<Used>; 2],
}

/// What a thread is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Task {
    Nothing,
    Appear {
        at_once: usize,
        enter: bool,
        measured: bool,
        /// The first client that has not begun.
        next: usize,
        under_way: usize,
        done: usize,
    },
    Enter {
        done: usize,
    },
    Call {
        missing: usize,
    },
    Bind {
        /// When those who are not bound ask again.
        again: u64,
    },
    Settle {
        token: u64,
        /// When floors are asked again, who have no other way to say that they have accepted everybody.
        again: u64,
    },
    Talk,
}

/// What a thread has found out.
pub struct Share {
    pub counts: Counts,
    pub latency: Histogram<u64>,
    pub last_receiver: Option<Histogram<u64>>,
    pub behind: Option<Histogram<u64>>,
    /// Of the measured time.
    pub own_use: OwnUse,
    /// How many cores the thread may run on.
    pub cores: usize,
    pub refusal: Option<String>,
    pub uncounted: u64,
    pub strange: u64,
    /// Visitors' comings, and stallers' ends, if there are stallers.
    pub visits: u64,
    pub dropped: Option<u64>,
}

impl Worker {
    /// # Errors
    /// [`Error::Machine`].
    pub fn new(
        index: usize,
        poll: Poll,
        setup: Arc<Setup>,
        orders: Receiver<Order>,
        reports: Sender<Report>,
    ) -> Result<Worker, Error> {
        let timer = Timer::new(poll.registry(), TIMER).map_err(Error::machine("a timer"))?;
        let mut tally = Tally::new();
        let mut flights = Flights::new(setup.cast.streams.len());
        let mut clients = Vec::new();
        let echo = setup.speech.has_echo();
        for (number, role) in (0..).zip(&setup.cast.roles).filter(|(_, role)| role.thread == index) {
            let seats = tally.seat(role.hears.clone(), &role.hears_alone);
            for (stream, _) in seats.all().filter(|(stream, _)| setup.cast.receives(number, *stream, echo)) {
                flights.add_receivers(stream, 1);
            }
            clients.push(Client::new(number, role.part, seats));
        }
        let letters = vec![Vec::new(); setup.threads];
        Ok(Worker {
            index,
            poll,
            timer,
            orders,
            reports,
            task: Task::Nothing,
            clients,
            dirty: Vec::new(),
            backlog: 0,
            scratch: vec![0; READ_BYTES],
            buffers: None,
            tally,
            latencies: Latencies::new(u64::MAX..u64::MAX),
            flights,
            landed: Vec::new(),
            letters,
            talk: None,
            refused: 0,
            refusal: None,
            disconnected: 0,
            visits: Visits::default(),
            told: 0,
            to_be_told: 0,
            dropped: 0,
            is_stalled: false,
            swept: 0,
            kept_alive: 0,
            used: [None; 2],
            setup,
        })
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// What makes the run impossible.
    pub fn run(mut self) -> Result<Share, Error> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        loop {
            let timeout = self.set_timer();
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    return Err(Error::Machine { what: "waiting for readiness", error });
                }
                _ => {}
            }
            for event in &events {
                if self.setup.is_given_up() {
                    break;
                }
                match event.token() {
                    WAKER => {}
                    TIMER => self.timer.rang(),
                    token if binding::client_of(token).is_some() => {
                        self.receive_datagrams(binding::client_of(token).unwrap_or_default())?;
                    }
                    Token(at) if event.is_error() || event.is_write_closed() => self.ended(at)?,
                    Token(at) => self.ready(at, event.is_readable(), event.is_writable())?,
                }
            }
            for (landing, at) in
                self.setup.mailboxes.get(self.index).map(|own| own.take()).unwrap_or_default()
            {
                self.land(landing, at);
            }
            while let Ok(order) = self.orders.try_recv() {
                match order {
                    Order::Stop => return Ok(self.share()),
                    order => self.obey(order)?,
                }
            }
            self.go_on()?;
            self.flush()?;
            self.tell();
        }
    }

    fn now(&self) -> u64 {
        self.setup.clock.now()
    }

    /// Sets the timer to whatever is next, and returns how long the poll may take besides.
    fn set_timer(&mut self) -> Duration {
        let now = self.now();
        let Some(next) = self.next_wake(now) else { return IDLE };
        if next.saturating_sub(now) < TOO_SOON {
            return Duration::ZERO;
        }
        if self.timer.set(now, next) { IDLE } else { IDLE.min(Duration::from_nanos(next - now)) }
    }

    fn next_wake(&self, now: u64) -> Option<u64> {
        let talk = self.talk.as_ref()?;
        let measured = &talk.timeline().measured;
        let visits = self.visits.next_due().filter(|due| *due < measured.end);
        let marks = [talk.timeline().start, measured.start, measured.end];
        marks.into_iter().filter(|mark| *mark > now).chain(talk.next_due()).chain(visits).min()
    }

    /// A socket is ready.
    fn ready(&mut self, at: usize, readable: bool, writable: bool) -> Result<(), Error> {
        let Some(client) = self.clients.get(at) else { return Ok(()) };
        if client.state == State::Connecting && !self.has_connected(at)? {
            return Ok(());
        }
        if writable {
            self.flush_one(at)?;
        }
        if readable {
            self.read(at)?;
        }
        Ok(())
    }

    /// A connection is broken. Whoever reads finds out by reading, behind what is still to be read.
    fn ended(&mut self, at: usize) -> Result<(), Error> {
        match self.clients.get(at) {
            Some(client) if client.is_connected() && !client.is_reading => self.lose(at, b""),
            _ => self.ready(at, true, true),
        }
    }

    fn obey(&mut self, order: Order) -> Result<(), Error> {
        match order {
            Order::Appear { at_once, enter, measured } => {
                self.measure_until_done(measured);
                self.task = Task::Appear { at_once, enter, measured, next: 0, under_way: 0, done: 0 };
            }
            Order::Bind => self.bind_all(),
            Order::Call => self.call_all(),
            Order::Enter => self.enter_all(),
            Order::Settle { token } => self.settle(token),
            Order::Talk { pace, timeline, churn_per_second } => {
                self.begin_to_talk(pace, timeline, churn_per_second);
            }
            Order::Stop => {}
        }
        Ok(())
    }

    /// Goes on with the present order, and reports when it is carried out.
    fn go_on(&mut self) -> Result<(), Error> {
        let (done, is_done) = match self.task {
            Task::Nothing => return Ok(()),
            Task::Appear { .. } => self.go_on_appearing()?,
            Task::Enter { done } => (done, done == self.clients.len()),
            Task::Bind { again } => self.go_on_binding(again),
            Task::Call { missing } => (0, missing == 0),
            Task::Settle { token, again } => self.go_on_settling(token, again),
            Task::Talk => (0, self.go_on_talking()?),
        };
        if let Some(meter) = self.meter() {
            meter.ready.store(done, Ordering::Relaxed);
        }
        if is_done {
            self.tell_seconds(); // the last one, which nobody listens for behind `Done`
            self.note_use(1);
            self.task = Task::Nothing;
            let _ = self.reports.send(Report::Done); // nobody listens when the run was given up
        }
        Ok(())
    }

    fn meter(&self) -> Option<&Meter> {
        self.setup.meters.get(self.index)
    }

    /// Tells the other threads and the coordinator what is new.
    fn tell(&mut self) {
        self.tell_seconds();
        for (letters, mailbox) in self.letters.iter_mut().zip(&self.setup.mailboxes) {
            if !letters.is_empty() {
                mailbox.put(letters);
            }
        }
        if let (Some(meter), Some(talk)) = (self.meter(), &self.talk) {
            Meter::show(&meter.arrived, self.tally.seen.arrived);
            Meter::show(&meter.expected, talk.expected);
            Meter::show(&meter.gone, self.disconnected + self.dropped);
        }
        let now = self.now();
        self.look_at_own_use(now);
    }

    fn tell_seconds(&mut self) {
        let now = self.now();
        self.latencies.turn_to(now);
        for second in self.latencies.take_seconds() {
            let _ = self.reports.send(Report::Second(second));
        }
    }

    fn share(self) -> Share {
        let own_use = self.own_use();
        let seen = self.tally.seen;
        let counts = Counts {
            offered: self.talk.as_ref().map_or(0, |talk| talk.offered),
            sent: self.latencies.sent,
            delivered: self.latencies.delivered + self.told,
            expected: self.talk.as_ref().map_or(0, |talk| talk.expected) + self.to_be_told,
            arrived: seen.arrived + self.told,
            lost: 0, // known only when all threads are put together
            duplicated: seen.duplicated,
            out_of_order: seen.out_of_order,
            refused: self.refused,
            disconnected: self.disconnected,
        };
        let (last_receiver, behind) = self.talk.map(|talk| (talk.last_receiver, talk.behind)).unzip();
        let has_stallers = self.clients.iter().any(|client| client.part == Part::Staller);
        let dropped = has_stallers.then_some(self.dropped);
        let latency = self.latencies.all;
        Share {
            counts,
            latency,
            last_receiver,
            behind,
            own_use,
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            refusal: self.refusal,
            uncounted: self.latencies.uncounted,
            strange: seen.strange,
            visits: self.visits.done,
            dropped,
        }
    }
}
