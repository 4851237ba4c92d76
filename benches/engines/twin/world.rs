//! What all tasks share: the hub, and the effects of it carried out, behind one lock that is never held across an await.
//!
//! Whoever holds the lock fills queues in the order in which things happen, so everybody sees one order of events.

use super::queue::{Bytes, Queue};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use switchboard::hub::{
    self, ChannelId, Departure, Effect, Effects, Event, Host, Hub, Moment, Observed, PathKey, Proof, Reply,
    RequestId, SessionId,
};
use switchboard::net::{Key, Slots};
use switchboard::server::Limits;
use switchboard::session::{
    About, CloseReason, Description, Dialect, Session, Stamp, Step, Surroundings, Verdict,
};
use switchboard::wire::RefusalCode;
use tokio::task::AbortHandle;

pub struct World {
    limits: Limits,
    shared: Mutex<Shared>,
}

struct Shared {
    hub: Hub,
    exchange: Exchange,
}

/// Where effects become bytes in queues.
struct Exchange {
    limits: Limits,
    connections: Slots<Connection>,
    rooms: HashMap<ChannelId, Vec<Member>>,
    /// Those whose queue is over its limit, to be dropped once the hub is through with its command.
    overfull: Vec<Key>,
    encoded: Vec<u8>,
    surroundings: Surroundings,
}

struct Connection {
    session: Session,
    queue: Arc<Queue>,
    address: SocketAddr,
    opened: Instant,
    heard: Instant,
    pinged: Option<Instant>,
    task: Option<AbortHandle>,
}

struct Member {
    key: Key,
    dialect: Dialect,
    queue: Arc<Queue>,
}

/// How a reader goes on.
pub enum Then {
    Read,
    /// Not before this queue has fallen.
    WaitFor(Arc<Queue>),
    Closed,
}

impl World {
    pub fn new(limits: Limits) -> io::Result<World> {
        let mut secret = [0; 2];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let mut hub = Hub::new(hub::Limits::default());
        hub.number_channels_from(u16::from_be_bytes(secret).into());
        let frames_alone = Description { irc: false, ..Description::default() };
        let exchange = Exchange {
            limits: limits.clone(),
            connections: Slots::default(),
            rooms: HashMap::new(),
            overfull: Vec::new(),
            encoded: Vec::new(),
            surroundings: Surroundings::new(frames_alone, hub::Limits::default()),
        };
        Ok(World { limits, shared: Mutex::new(Shared { hub, exchange }) })
    }

    /// A newcomer's key and queue; `None` when the server is full.
    pub fn admit(&self, address: SocketAddr) -> Option<(Key, Arc<Queue>)> {
        let now = Instant::now();
        let connections = &mut self.lock().exchange.connections;
        if connections.len() >= self.limits.connections_max {
            return None;
        }
        let (session, queue) = (Session::new(hub::Host::default()), Arc::new(Queue::default()));
        let own = Arc::clone(&queue);
        let connection =
            Connection { session, queue: own, address, opened: now, heard: now, pinged: None, task: None };
        Some((connections.insert(connection), queue))
    }

    /// How to end a connection that does not end by itself.
    pub fn note_task(&self, key: Key, task: AbortHandle) {
        if let Some(connection) = self.lock().exchange.connections.get_mut(key) {
            connection.task = Some(task);
        }
    }

    /// Where those who fill a queue go on.
    pub fn low_water(&self) -> usize {
        self.limits.high_water_bytes / 2
    }

    /// Does what the bytes say, frame by frame. Returns how many of them are done with.
    pub fn consume(&self, key: Key, bytes: &[u8], now: Instant) -> (usize, Then) {
        self.lock().consume(key, bytes, now)
    }

    /// The client sends no more.
    pub fn end(&self, key: Key) {
        self.lock().close(key, CloseReason::PeerClosed);
    }

    /// The connection broke.
    pub fn lose(&self, key: Key, kind: ErrorKind) {
        self.lock().close(key, CloseReason::Io(kind));
    }

    /// When a connection that has just been made is first looked at.
    pub fn first_alarm(&self) -> Instant {
        Instant::now() + self.limits.login_time
    }

    /// A connection's deadline may have come. Returns when to look again; `None` when it is closed.
    pub fn ring(&self, key: Key) -> Option<Instant> {
        let now = Instant::now();
        let Limits { login_time, ping_after, ping_timeout, .. } = self.limits;
        let mut shared = self.lock();
        let connection = shared.exchange.connections.get_mut(key)?;
        let (deadline, overdue) = match connection.pinged {
            _ if !connection.session.is_logged_in() => {
                (connection.opened + login_time, Some(CloseReason::LoginTimeout))
            }
            Some(at) => (at + ping_timeout, Some(CloseReason::IdleTimeout)),
            None => (connection.heard + ping_after, None),
        };
        if now < deadline {
            return Some(deadline);
        }
        if let Some(reason) = overdue {
            shared.close(key, reason);
            return None;
        }
        connection.pinged = Some(now);
        shared.exchange.push(key, |session, surroundings, out| session.encode_ping(surroundings, out));
        Some(now + ping_timeout)
    }

    /// What the hub does by the clock.
    pub fn expire(&self) {
        let shared = &mut *self.lock();
        shared.hub.expire(moment(Instant::now()), &mut shared.exchange);
        shared.drop_overfull();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn consume(&mut self, key: Key, bytes: &[u8], now: Instant) -> (usize, Then) {
        let session = SessionId(key.to_u64());
        if let Some(connection) = self.exchange.connections.get_mut(key) {
            (connection.heard, connection.pinged) = (now, None);
        }
        let (mut notes, mut words) = (String::new(), Vec::new());
        let mut done = 0;
        loop {
            self.drop_overfull();
            let Some(connection) = self.exchange.connections.get_mut(key) else {
                return (done, Then::Closed);
            };
            if connection.queue.queued_bytes() > self.exchange.limits.high_water_bytes {
                return (done, Then::WaitFor(Arc::clone(&connection.queue)));
            }
            let rest = &bytes[done..];
            notes.clear();
            words.clear();
            let step = connection.session.next(rest, &self.exchange.surroundings, &mut notes, &mut words);
            self.exchange.say(key, &words);
            match step {
                Step::Incomplete { .. } => return (done, Then::Read),
                Step::Command { used, request, command } => {
                    done += used;
                    self.hub.handle(moment(now), session, request, command, &mut self.exchange);
                }
                Step::Payload { used, relay, longest } => {
                    done += used;
                    if let Some(queue) = self.pass_on(key, relay, longest, &rest[..used]) {
                        return (done, Then::WaitFor(queue));
                    }
                }
                Step::Ticket { used, request, .. } => {
                    done += used;
                    let text = "this server exchanges no datagrams; everything goes by TCP";
                    self.exchange.refuse(key, request, ChannelId::NONE, (RefusalCode::NoDatagrams, text));
                }
                // Nobody operates a server of frames alone.
                Step::Done { used } | Step::NewDialect { used } | Step::Reload { used } => done += used,
                Step::Verify { used, request, .. } => {
                    done += used;
                    self.exchange.push(key, |session, _, _| {
                        session.verified(request, Verdict::Wrong); // nobody has a password here
                    });
                }
                Step::Quit { used, text } => {
                    done += used;
                    self.hub.disconnect(moment(now), session, Departure::Quit(text), &mut self.exchange);
                    self.close(key, CloseReason::Goodbye);
                }
                // Its figures are not asked for.
                Step::Metrics => {
                    self.close(key, CloseReason::Goodbye);
                    return (done, Then::Closed);
                }
                Step::Close(reason) => {
                    self.close(key, reason);
                    return (done, Then::Closed);
                }
            }
        }
    }

    /// Queues payload for the other end of its relay. Returns whose queue to wait for when that is too long.
    fn pass_on(&mut self, from: Key, relay: ChannelId, longest: usize, payload: &[u8]) -> Option<Arc<Queue>> {
        let Ok(route) = self.hub.route(SessionId(from.to_u64()), relay) else {
            let why = (RefusalCode::NoSuchRelay, "there is no such relay; it may have ended");
            self.exchange.refuse(from, RequestId::NONE, relay, why);
            return None;
        };
        if longest > usize::from(route.payload_max) {
            let (length, max) = (u16::try_from(longest).unwrap_or(u16::MAX), route.payload_max);
            self.close(from, CloseReason::FrameTooLong { length, max });
            return None;
        }
        let peer = self.exchange.connections.get(Key::from_u64(route.to.0))?;
        let queued = peer.queue.push(Bytes::from(payload));
        (queued > self.exchange.limits.high_water_bytes).then(|| Arc::clone(&peer.queue))
    }

    /// Ends a connection: last words where there is somebody to hear them; everybody else is told. The writer
    /// writes what is queued and comes to its end, within the time that draining may take.
    fn close(&mut self, key: Key, reason: CloseReason) {
        if reason.has_farewell() {
            self.exchange.push(key, |session, _, out| session.encode_farewell(reason, &reason, out));
        }
        let now = moment(Instant::now());
        if let Some(why) = reason.departure() {
            self.hub.disconnect(now, SessionId(key.to_u64()), why, &mut self.exchange);
        }
        let Some(connection) = self.exchange.connections.remove(key) else { return };
        connection.queue.end();
        if let Some(task) = connection.task {
            let drain_time = self.exchange.limits.drain_time;
            tokio::spawn(async move {
                tokio::time::sleep(drain_time).await;
                task.abort();
            });
        }
    }

    fn drop_overfull(&mut self) {
        while let Some(key) = self.exchange.overfull.pop() {
            self.close(key, CloseReason::SlowConsumer);
        }
    }
}

/// Nobody here shows wall time.
fn moment(monotonic: Instant) -> Moment {
    Moment { monotonic, unix_millis: 0 }
}

impl Exchange {
    /// Queues something for one connection, which `encode` appends.
    fn push(&mut self, to: Key, encode: impl FnOnce(&mut Session, &Surroundings, &mut Vec<u8>)) {
        let Some(connection) = self.connections.get_mut(to) else { return };
        self.encoded.clear();
        encode(&mut connection.session, &self.surroundings, &mut self.encoded);
        if self.encoded.is_empty() {
            return;
        }
        let queued = connection.queue.push(Bytes::from(&self.encoded[..]));
        let queued_max = if connection.session.is_logged_in() {
            self.limits.queued_bytes_max
        } else {
            self.limits.queued_bytes_before_login_max
        };
        if queued > queued_max {
            self.overfull.push(to);
        }
    }

    /// Queues what a session says by itself.
    fn say(&mut self, to: Key, words: &[u8]) {
        if !words.is_empty() {
            self.push(to, |_, _, out| out.extend_from_slice(words));
        }
    }

    fn refuse(&mut self, to: Key, request: RequestId, channel: ChannelId, why: (RefusalCode, &str)) {
        self.push(to, |session, _, out| session.encode_refusal(request, channel, why, out));
    }

    /// Queues an event for everybody in a room but the one who caused it.
    fn publish(&mut self, about: About<'_>, cause: Key, event: &Event<'_>) {
        let Some(members) = self.rooms.get(&about.channel) else { return };
        let stamp = Stamp::new(&self.surroundings, None);
        let mut editions: SmallVec<[(Dialect, Bytes); 2]> = SmallVec::new();
        for member in members.iter().filter(|member| member.key != cause) {
            let index = editions.iter().position(|(dialect, _)| *dialect == member.dialect);
            let index = index.unwrap_or_else(|| {
                self.encoded.clear();
                member.dialect.encode_event(about, event, &stamp, &mut self.encoded);
                editions.push((member.dialect, Bytes::from(&self.encoded[..])));
                editions.len() - 1
            });
            let (_, bytes) = &editions[index];
            if member.queue.push(Arc::clone(bytes)) > self.limits.queued_bytes_max {
                self.overfull.push(member.key);
            }
        }
    }
}

impl Effects for Exchange {
    fn observed(&self, session: SessionId) -> Option<Observed> {
        let connection = self.connections.get(Key::from_u64(session.0))?;
        Some(Observed { tcp: connection.address, udp: None, heard: connection.heard })
    }

    fn host(&self, _: SessionId) -> Host {
        Host::default()
    }

    /// Nobody has an account here.
    fn prove(&mut self, _: SessionId, _: Proof<'_>) {}

    fn digest(&self, _: &[u8]) -> [u8; 5] {
        [0; 5]
    }

    fn fresh_key(&mut self) -> PathKey {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("random numbers, as when the server started");
        PathKey(key)
    }

    fn emit(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Reply { to, request, channel, reply, .. } => {
                self.push(Key::from_u64(to.0), |session, surroundings, out| {
                    session.encode_reply(request, channel, &reply, surroundings, out);
                    if let Reply::LoggedIn { .. } = reply {
                        session.open();
                    }
                });
            }
            Effect::Send { to, channel, room, event, .. } => {
                self.push(Key::from_u64(to.0), |session, surroundings, out| {
                    let stamp = Stamp::new(surroundings, None);
                    session.encode_event(About { channel, room }, &event, &stamp, out);
                });
            }
            Effect::Publish { channel, room, cause, event } => {
                self.publish(About { channel, room: Some(room) }, Key::from_u64(cause.0), &event);
            }
            // Of what goes to neighbours, native clients cause departures alone, which are told in each room.
            Effect::PublishToNeighbours { cause, channels, event, .. } => {
                for &channel in channels {
                    self.publish(About::channel(channel), Key::from_u64(cause.0), &event);
                }
            }
            // There are no operators here.
            Effect::HangUp { .. } | Effect::ShutOut { .. } => {}
            Effect::Subscribe { channel, session } => {
                let key = Key::from_u64(session.0);
                let Some(connection) = self.connections.get(key) else { return };
                let Some(dialect) = connection.session.dialect() else { return };
                let member = Member { key, dialect, queue: Arc::clone(&connection.queue) };
                self.rooms.entry(channel).or_default().push(member);
            }
            Effect::Unsubscribe { channel, session } => {
                let key = Key::from_u64(session.0);
                let Some(members) = self.rooms.get_mut(&channel) else { return };
                if let Some(at) = members.iter().position(|member| member.key == key) {
                    members.swap_remove(at);
                }
                if members.is_empty() {
                    self.rooms.remove(&channel);
                }
            }
        }
    }
}
