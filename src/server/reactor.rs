//! The turn, with the sockets of the real world around the [`Engine`]: mio's poll, listeners, signals, and a mailbox
//! for other threads.
//!
//! mio reports *edges*: a socket is named when it becomes ready, and not again until it has said `WouldBlock`. So
//! readiness is remembered in flags that `WouldBlock` clears (or a short read, which on Linux tells the same), and
//! whoever is stopped by a budget stays on `to_read` or `to_flush`: while these hold anybody, the timeout of poll is
//! zero.

use super::binding::Path;
use super::connection::HangUp;
use super::credentials::Outcome;
use super::engine::{Engine, FULL};
use super::limits::Settings;
use super::listening::listen;
use super::mailbox::{Handle, Message};
use super::stages::{Laps, Stage};
use super::trace::{self, trace};
use super::worker::Worker;
use crate::capture::Recorder;
use crate::net::Key;
use crate::net::datagram::{DatagramSocket, Ends, ReceiveBuffers};
use crate::net::listener::{self, Accepted, Reserve};
use log::{debug, warn};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Events that one poll can report. Those beyond come with the next one, which costs more than a system call: what many
/// rooms say at once is then written to their members in two turns instead of one.
const EVENTS_PER_POLL: usize = 4_096;

/// How long to wait before trying again to accept when no descriptor was free. A close tries at once.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Newcomers that may turn out to be gone in one turn. More of them are no coincidence, and not worth a busy loop.
const SKIPPED_MAX: u32 = 1_000;

/// After how much silence the kernel asks whether the client's machine is still there, and how often it asks again; it
/// gives up after a few. Our own ping does not reach those whom a slow relay keeps us from reading.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));

/// Tokens that are no connection's: no slab gets that large.
const SIGNALS: Token = Token(usize::MAX);
const MAILBOX: Token = Token(usize::MAX - 1);
const FIRST_DATAGRAM: usize = FIRST_LISTENER - (1 << 20);
const FIRST_LISTENER: usize = usize::MAX - 2;

/// Reads the settings anew; what it returns replaces those that can change while the server runs.
pub type Reload = Box<dyn FnMut() -> Result<Settings, String>>;

/// The server: the engine, its poll, and everything else that the turn looks at.
pub struct Reactor {
    pub(super) poll: Poll,
    events: Events,
    pub(super) engine: Engine<TcpStream>,
    pub(super) listeners: Vec<Listening>,
    /// One beside every listener, on the same port; or none, where datagrams are not exchanged.
    datagrams: Vec<DatagramSocket>,
    /// Which of them is read first; each turn another, because they share one budget.
    first_datagrams: usize,
    buffers: ReceiveBuffers,
    reserve: Reserve,
    /// Whether the last attempt to accept found no descriptor free; so that a flood is one line in the log.
    out_of_descriptors: bool,
    /// When to try to accept again after descriptors ran out.
    accept_again: Option<Instant>,
    pub(super) signals: Option<Signals>,
    pub(super) terminations: u32,
    pub(super) reload: Option<Reload>,
    pub(super) settings: Settings,
    mailbox: Receiver<Message>,
    handle: Handle,
    /// There once a password was given.
    worker: Option<Worker>,
    data_dir: Option<PathBuf>,
    /// At the end: how long to wait for what is still to be saved.
    pub(super) saved_by: Option<Instant>,
    laps: Laps,
}

pub(super) struct Listening {
    pub(super) socket: TcpListener,
    /// Sticky, like a connection's readiness.
    ready: bool,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everybody got what was queued for them, or had the time for it.
    Drained,
    /// A second signal cut that short.
    AtOnce,
    /// The same as the first, but not everything that lasts could be saved. The log says why.
    Unsaved,
}

impl Reactor {
    /// Binds every address. Connections are served once [`Reactor::run`] is called.
    ///
    /// # Errors
    /// A sentence with the address that cannot be listened on, and why; or what kept the poll from being set up.
    pub fn bind(mut settings: Settings) -> io::Result<Reactor> {
        let poll = Poll::new()?;
        let (handle, mailbox) = Handle::new(Waker::new(poll.registry(), MAILBOX)?);
        let (mut listeners, mut datagrams) = (Vec::new(), Vec::new());
        for (index, &address) in settings.listen.iter().enumerate() {
            let (mut socket, beside) = listen(address, settings.limits.datagrams)?;
            poll.registry().register(&mut socket, Token(FIRST_LISTENER - index), Interest::READABLE)?;
            listeners.push(Listening { socket, ready: false });
            if let Some(mut beside) = beside {
                let token = Token(FIRST_DATAGRAM - index);
                poll.registry().register(beside.source(), token, Interest::READABLE)?;
                datagrams.push(beside);
            }
        }
        settings.fit_descriptors(None); // may log; a server that cannot listen says that alone
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|e| io::Error::other(format!("no random numbers: {e}")))?;
        let mut engine = Engine::new(settings.limits.clone(), settings.hub.clone(), secret, Instant::now());
        engine.set_wall_time(unix_millis());
        engine.describe(settings.server.clone(), settings.credentials.clone());
        let data_dir = open_data(&settings, &mut engine, &handle)?;
        if !settings.cloak_key.is_empty() {
            engine.set_cloak_key(&settings.cloak_key); // rather than the one that is kept
        }
        if let Some(recorder) = Recorder::create(&settings.capture)? {
            let addresses = datagrams.iter_mut().map(|socket| socket.source().local_addr());
            engine.set_recorder(recorder, addresses.collect::<io::Result<_>>()?);
        }
        Ok(Reactor {
            poll,
            events: Events::with_capacity(EVENTS_PER_POLL),
            engine,
            listeners,
            datagrams,
            first_datagrams: 0,
            buffers: ReceiveBuffers::default(),
            reserve: Reserve::new(),
            out_of_descriptors: false,
            accept_again: None,
            signals: None,
            terminations: 0,
            reload: None,
            settings,
            mailbox,
            handle,
            worker: None,
            data_dir,
            saved_by: None,
            laps: Laps::new(),
        })
    }

    /// SIGTERM and SIGINT drain, a second one ends at once, SIGHUP calls `reload`.
    ///
    /// # Errors
    /// When the signals cannot be caught.
    pub fn catch_signals(&mut self, reload: Option<Reload>) -> io::Result<()> {
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        self.poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
        (self.signals, self.reload) = (Some(signals), reload);
        Ok(())
    }

    /// Where it listens; a port that was asked for as 0 has its number here.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listening| listening.socket.local_addr().ok()).collect()
    }

    /// The directory that keeps what lasts, where something does.
    pub fn data_dir(&self) -> Option<&std::path::Path> {
        self.data_dir.as_deref()
    }

    /// What it listens for at each of them, in words.
    pub fn transports(&self) -> &'static str {
        if self.datagrams.is_empty() { "TCP" } else { "TCP and UDP" }
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Turns until it is stopped.
    ///
    /// # Errors
    /// Only when poll itself fails; nothing that a client does ends the process.
    pub fn run(&mut self) -> io::Result<Exit> {
        loop {
            self.turn()?;
            if self.terminations > 1 {
                return Ok(Exit::AtOnce);
            }
            if self.engine.is_stopped()
                && let Some(exit) = self.end()
            {
                return Ok(exit);
            }
        }
    }

    /// One turn, in its seven stages.
    fn turn(&mut self) -> io::Result<()> {
        self.poll()?;
        self.note();
        self.end_of(Stage::Note);
        self.read();
        self.end_of(Stage::Read);
        self.engine.timers();
        self.end_of(Stage::Timers);
        self.replies();
        self.hand_over_check();
        self.end_of(Stage::Replies);
        self.flush();
        self.end_of(Stage::Flush);
        self.reap();
        self.engine.end_turn();
        let took = self.end_of(Stage::Reap) - self.engine.now();
        let turns = self.engine.turns_mut();
        turns.note_turn(took);
        trace!("turn {} ends after {} µs", turns.count(), took.as_micros());
        Ok(())
    }

    /// Reads the clock at the end of a stage.
    fn end_of(&mut self, stage: Stage) -> Instant {
        self.laps.end(stage, self.engine.turns_mut())
    }

    /// Stage 1: sleeps until something is ready. Not at all while work is left over: whoever was stopped by a budget
    /// gets no new edge.
    fn poll(&mut self) -> io::Result<()> {
        let timeout = self.sleep_time();
        trace!("poll: {}", trace::Sleep(timeout));
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        // What the whole turn takes for now.
        let now = self.end_of(Stage::Poll);
        self.engine.set_now(now);
        self.engine.set_wall_time(unix_millis());
        Ok(())
    }

    fn sleep_time(&self) -> Option<Duration> {
        let receiving = self.datagrams.iter().any(|socket| socket.ready);
        let accepting = self.accept_again.is_none() && self.listeners.iter().any(|listening| listening.ready);
        if self.engine.has_work() || accepting || receiving {
            return Some(Duration::ZERO);
        }
        let deadlines = [self.engine.next_deadline(), self.accept_again, self.saved_by];
        let deadline = deadlines.into_iter().flatten().min()?;
        Some(deadline.saturating_duration_since(Instant::now())) // the turn has taken its time
    }

    /// Stage 2: readiness goes into flags, and newcomers are accepted.
    fn note(&mut self) {
        let (mut signalled, events, turns) = (false, self.events.iter().count(), self.engine.turns_mut());
        turns.note_events(events);
        trace!("turn {} begins: events: {events}", turns.count() + 1);
        for event in &self.events {
            match event.token() {
                SIGNALS => signalled = true,
                MAILBOX => {} // stage 5 looks into it every turn
                Token(token) if FIRST_LISTENER - token < self.listeners.len() => {
                    self.listeners[FIRST_LISTENER - token].ready = true;
                }
                Token(token) if FIRST_DATAGRAM.wrapping_sub(token) < self.datagrams.len() => {
                    self.datagrams[FIRST_DATAGRAM - token].ready = true;
                }
                token => {
                    // HUP, RDHUP and ERR are hints: a read or a write will say what really happened.
                    let hint = event.is_error() || event.is_read_closed() || event.is_write_closed();
                    let (readable, writable) = (event.is_readable() || hint, event.is_writable() || hint);
                    let key = Key::from(token);
                    if event.is_error() || event.is_write_closed() {
                        self.engine.note_hang_up(key, HangUp::Broken);
                    } else if event.is_read_closed() {
                        self.engine.note_hang_up(key, HangUp::SendsNoMore);
                    }
                    self.engine.note(key, readable, writable);
                }
            }
        }
        if signalled {
            self.take_signals();
        }
        self.accept();
    }

    /// Stage 3: connections, then datagrams.
    fn read(&mut self) {
        self.engine.read();
        let wishes = self.engine.take_wishes_to_reload();
        if !wishes.is_empty() {
            self.reload(&wishes);
        }
        self.read_datagrams();
    }

    /// Stage 6: connections, then datagrams.
    fn flush(&mut self) {
        self.engine.flush();
        self.send_datagrams();
    }

    /// Stage 3, for datagrams: as many as the budget allows.
    fn read_datagrams(&mut self) {
        let Reactor { engine, datagrams, first_datagrams, buffers, .. } = self;
        let mut budget = engine.limits().datagrams_per_turn_max;
        let sockets = datagrams.len();
        *first_datagrams = (*first_datagrams + 1) % sockets.max(1);
        for index in (*first_datagrams..sockets).chain(0..*first_datagrams) {
            let socket = &mut datagrams[index];
            while socket.ready && budget > 0 {
                let received = socket.receive(buffers, budget, |Ends { theirs, ours }, datagram| {
                    engine.receive_datagram(Path { socket: index, server: ours, client: theirs }, datagram);
                });
                budget = budget.saturating_sub(received);
            }
        }
    }

    /// Stage 6, for datagrams: what a socket does not take is dropped, and counted.
    fn send_datagrams(&mut self) {
        let datagrams = &self.datagrams;
        self.engine
            .send_datagrams(|socket, train| datagrams.get(socket).map_or(0, |socket| socket.send(train)));
    }

    fn accept(&mut self) {
        if self.accept_again.is_some_and(|at| self.engine.now() < at) {
            return;
        }
        self.accept_again = None;
        let mut skipped = 0;
        for index in 0..self.listeners.len() {
            let mut budget = self.engine.limits().accepts_per_turn_max;
            while self.listeners[index].ready && budget > 0 {
                budget -= 1;
                match listener::accept(&self.listeners[index].socket) {
                    Accepted::Connection(socket, address) => {
                        self.out_of_descriptors = false;
                        self.admit(socket, address);
                    }
                    Accepted::Drained => self.listeners[index].ready = false,
                    Accepted::Skipped(error) if skipped < SKIPPED_MAX => {
                        skipped += 1;
                        debug!("a newcomer was gone before it was accepted: {error}");
                    }
                    Accepted::Skipped(error) => {
                        warn!("accepting fails again and again: {error}");
                        self.accept_again = Some(self.engine.now() + ACCEPT_RETRY);
                        return;
                    }
                    Accepted::OutOfDescriptors(error) => {
                        if !std::mem::replace(&mut self.out_of_descriptors, true) {
                            warn!("newcomers are turned away: {error} (see ulimit -n, and connections-max)");
                        }
                        if !self.turn_away(index) {
                            self.accept_again = Some(self.engine.now() + ACCEPT_RETRY);
                            return;
                        }
                    }
                }
            }
        }
    }

    fn admit(&mut self, socket: TcpStream, address: SocketAddr) {
        if let Err(error) = self.set_options(&socket) {
            debug!("{address} was gone at once: {error}");
            return;
        }
        let Some(key) = self.engine.admit(socket, address) else { return };
        let Some(socket) = self.engine.socket_mut(key) else { return };
        let both = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(socket, key.into(), both) {
            warn!("{key} {address} cannot be watched: {error}");
            self.engine.lose(key, error.kind());
        }
    }

    /// A frame must not wait for the one before it to be acknowledged (Nagle's algorithm). The send buffer is the
    /// kernel's affair unless it is set.
    fn set_options(&self, socket: &TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        SockRef::from(socket).set_tcp_keepalive(&KEEPALIVE)?;
        match self.engine.limits().send_buffer_bytes {
            0 => Ok(()),
            bytes => SockRef::from(socket).set_send_buffer_size(bytes),
        }
    }

    /// No descriptor is free: gives up the one in reserve, so that at least one newcomer can be told. `false` when
    /// that cannot be done now.
    fn turn_away(&mut self, index: usize) -> bool {
        if !self.reserve.spend() {
            return self.reserve.refill();
        }
        let accepted = listener::accept(&self.listeners[index].socket);
        if let Accepted::Connection(socket, address) = accepted {
            debug!("{address} turned away");
            self.engine.turn_away(socket, address, FULL);
        } else if let Accepted::Drained = accepted {
            self.listeners[index].ready = false;
        }
        self.reserve.refill()
    }

    /// Stage 5: what other threads have sent.
    fn replies(&mut self) {
        while let Ok(message) = self.mailbox.try_recv() {
            match message {
                Message::Stop => self.terminate(),
                Message::Checked(outcome) => self.engine.checked(outcome),
                #[cfg(feature = "storage")]
                Message::Stored(answer) => self.engine.stored(&answer),
            }
        }
    }

    /// The next password goes to be checked, if none is: after those that clients gave in stage 3, and after the verdicts
    /// of stage 5.
    fn hand_over_check(&mut self) {
        while let Some(check) = self.engine.next_check() {
            if self.worker.is_none() {
                self.worker = Worker::start(self.handle.clone());
            }
            if !self.worker.as_ref().is_some_and(|worker| worker.take(check)) {
                self.worker = None;
                self.engine.checked(Outcome::Unknown);
            }
        }
    }

    /// Stage 7: the closed connections give up their slots, and with them their descriptors.
    fn reap(&mut self) {
        let Reactor { engine, poll, accept_again, reserve, .. } = self;
        engine.reap(|mut socket| {
            let _ = poll.registry().deregister(&mut socket);
            drop(socket);
            if accept_again.take().is_some() {
                reserve.refill();
            }
        });
    }
}

/// Takes back what was kept, and keeps what lasts from now on. Returns where, if anywhere.
///
/// # Errors
/// A sentence: why what is there cannot be used. It is left as it was.
#[cfg(feature = "storage")]
fn open_data(
    settings: &Settings,
    engine: &mut Engine<TcpStream>,
    handle: &Handle,
) -> io::Result<Option<PathBuf>> {
    let Some(directory) = &settings.data_dir else { return Ok(None) };
    let begun = Instant::now();
    engine.load(directory, handle).map_err(io::Error::other)?;
    let hub = engine.hub();
    log::info!(
        "{} accounts and {} rooms read from {} in {} ms",
        hub.accounts_len(),
        hub.rooms_len(),
        directory.display(),
        begun.elapsed().as_millis()
    );
    Ok(Some(directory.clone()))
}

#[cfg(not(feature = "storage"))]
fn open_data(_: &Settings, _: &mut Engine<TcpStream>, _: &Handle) -> io::Result<Option<PathBuf>> {
    Ok(None)
}

/// The wall clock, as it stands; before 1970 it is 1970.
fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
