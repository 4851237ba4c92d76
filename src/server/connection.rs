//! One client: its socket, its session, what was read from it and what it is owed.
//!
//! ```text
//!   Open ──close(reason)──▶ Draining ──all is flushed, our side shut, and the client's closed────▶ Dead
//!     │                        ├───────the drain deadline has passed──────────────────────────────▶ Dead
//!     │                        ├───────more than discarded_bytes_max had to be thrown away────────▶ Dead
//!     │                        └───────the connection broke───────────────────────────────────────▶ Dead
//!     └─────────────the connection is dead already────────────────────────────────────────────────▶ Dead
//! ```
//!
//! Why not close at once: close(2) with unread input sends RST, and the peer loses our last bytes. So what the client
//! still sends is read and thrown away until it closes its side, within those bounds.
//!
//! This file owns all transitions. A slot is freed in the reap stage only, whatever happens before.

use super::address::ClientAddress;
use super::allowance::Allowance;
use super::binding::Binding;
use super::checks::Place;
use super::credentials::Operator;
use super::fanout::{Membership, Turn};
use super::flood::Bucket;
use super::limits::Limits;
use crate::hub::{ChannelId, Host, RequestId};
use crate::net::blocks::Expect;
use crate::net::{Alarm, Blocks, Inbox, Key, Outbox, Socket};
use crate::session::{CloseReason, Session};
use smallvec::SmallVec;
use std::fmt;
use std::time::Instant;

/// Where a connection is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Open,
    /// Closed for everybody but the socket: what is queued still goes out, what comes in is thrown away.
    Draining,
    /// The socket is of no use any more, or has served its purpose; what is left is to be reaped.
    Dead,
}

/// What there is to know of a connection that is not open any more.
struct Closing {
    reason: CloseReason,
    /// When draining ends, come what may.
    until: Instant,
    discarded_bytes: usize,
    /// The client has closed its side: nothing is left to throw away.
    input_ended: bool,
    /// The server has: everything queued is out.
    output_ended: bool,
    is_dead: bool,
}

/// What an event has hinted about the client's end of the connection. Reads and writes decide; but a connection that is
/// paused is not read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HangUp {
    No,
    /// The client sends no more.
    SendsNoMore,
    /// The connection is broken.
    Broken,
}

/// Which lists of the coming stages a connection is on; each list has it once.
#[derive(Clone, Copy, Default)]
pub struct Listed {
    pub to_read: bool,
    /// It had a page of a list, and is not read before its turn for the next one.
    pub to_read_later: bool,
    pub to_flush: bool,
    pub to_reap: bool,
}

/// One client, as the exchange and the engine see it. Most of them are idle most of the time, and there are many: what
/// few need lies in boxes that the others do not have.
pub struct Connection<S> {
    pub socket: S,
    pub address: ClientAddress,
    pub session: Session,
    pub inbox: Inbox,
    pub outbox: Outbox,
    /// `None` while it is open.
    closing: Option<Box<Closing>>,
    /// Sticky: set by an event, cleared by `WouldBlock`, or by a read so short that `WouldBlock` would come next.
    pub readable: bool,
    /// Sticky, like `readable`. A new socket counts as writable until it says otherwise.
    pub writable: bool,
    pub listed: Listed,
    pub hang_up: HangUp,
    extras: Option<Box<Extras>>,
    /// Kept by the fan-out.
    pub memberships: SmallVec<[Membership; 2]>,
    /// The room that this connection's latest event went to, and in which turn; at the end of a turn everything is
    /// distributed. No room before the first event.
    pub undistributed: (Turn, ChannelId),
    pub alarm: Alarm,
    heard: Instant,
}

/// What a connection has at times only.
#[derive(Default)]
struct Extras {
    /// Since when the client owes us something: its login, later an answer to a ping.
    awaited_since: Option<Instant>,
    /// Whose queue has to fall before this connection is read again: a relay's other end, or its own.
    waits_for: Option<Key>,
    /// Who waits for this one's queue.
    waiters: Vec<Key>,
    over_soft_since: Option<Instant>,
    /// What it has left to send, where that is counted.
    bucket: Option<Bucket>,
    /// It was too fast, and is not read before.
    throttled_until: Option<Instant>,
    /// It gave a password with this request, and is not read before that is checked. Its time to log in stands still from
    /// that moment, if there is one.
    awaits_verdict: Option<(RequestId, Place, Option<Instant>)>,
    /// What it asked for is written to the disk, under this number, and it is not read before that is done.
    awaits_commit: Option<u64>,
    /// It wants something that storage has, and is not read before that is there.
    awaits_storage: bool,
    /// Whom the client has shown itself to be, of those who run the server.
    operator: Option<Box<Operator>>,
    /// The client's datagrams, if it has asked for them.
    binding: Option<Box<Binding>>,
    /// What it has made the server send in datagrams, whoever they went to.
    caused: Option<Allowance>,
}

impl Extras {
    fn is_empty(&self) -> bool {
        let Extras { awaited_since, over_soft_since, waiters, bucket, operator, binding, caused, .. } = self;
        let is_quiet = awaited_since.is_none() && over_soft_since.is_none() && !self.is_paused();
        let is_nobody = operator.is_none() && binding.is_none() && caused.is_none();
        is_quiet && is_nobody && waiters.is_empty() && bucket.is_none()
    }

    fn is_paused(&self) -> bool {
        let is_waited_out = self.waits_for.is_some() || self.throttled_until.is_some();
        is_waited_out || self.awaits_verdict.is_some() || self.awaits_commit.is_some() || self.awaits_storage
    }
}

/// What a connection's deadline is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    Login,
    Ping,
    PingAnswer,
    SlowConsumer,
    /// A client that was too fast may go on.
    Throttled,
    DrainTimeout,
}

impl<S> Connection<S> {
    pub fn new(socket: S, address: ClientAddress, host: Host, now: Instant) -> Self {
        Connection {
            socket,
            address,
            session: Session::new(host),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            closing: None,
            readable: false,
            writable: true,
            listed: Listed::default(),
            hang_up: HangUp::No,
            extras: Some(Box::new(Extras { awaited_since: Some(now), ..Extras::default() })),
            memberships: SmallVec::new(),
            undistributed: (0, ChannelId::NONE),
            alarm: Alarm::default(),
            heard: now,
        }
    }

    pub fn is_open(&self) -> bool {
        self.closing.is_none()
    }

    pub fn phase(&self) -> Phase {
        match &self.closing {
            None => Phase::Open,
            Some(closing) if closing.is_dead => Phase::Dead,
            Some(_) => Phase::Draining,
        }
    }

    pub fn is_dead(&self) -> bool {
        self.phase() == Phase::Dead
    }

    /// Why it closes, if it does.
    pub fn reason(&self) -> Option<CloseReason> {
        self.closing.as_ref().map(|closing| closing.reason)
    }

    /// Ends an open connection: last words where there is somebody to hear them, then draining. Only the first
    /// reason counts.
    pub fn close(
        &mut self,
        reason: CloseReason,
        words: &dyn fmt::Display,
        blocks: &mut Blocks,
        now: Instant,
        limits: &Limits,
    ) {
        if !self.is_open() {
            return;
        }
        if reason.has_farewell() {
            let Connection { session, outbox, .. } = self;
            outbox.push_own(blocks, Expect::Little, |out| session.encode_farewell(reason, words, out));
        }
        self.closing = Some(Box::new(Closing {
            reason,
            until: now + limits.drain_time,
            discarded_bytes: 0,
            input_ended: reason == CloseReason::PeerClosed,
            output_ended: false,
            is_dead: matches!(reason, CloseReason::Io(_)),
        }));
    }

    /// What there is to know of it while it drains.
    fn draining(&mut self) -> Option<&mut Closing> {
        self.closing.as_deref_mut().filter(|closing| !closing.is_dead)
    }

    /// Ends draining, whether or not it has come to its end.
    pub fn finish(&mut self) {
        if let Some(draining) = self.draining() {
            draining.is_dead = true;
        }
    }

    /// Everything queued is sent. `true` when that was so before.
    pub fn note_output_ended(&mut self) -> bool {
        self.draining().is_none_or(|draining| std::mem::replace(&mut draining.output_ended, true))
    }

    /// The client sends no more.
    pub fn note_input_ended(&mut self) {
        if let Some(draining) = self.draining() {
            draining.input_ended = true;
        }
    }

    /// Whether it drains, and the client has closed its side.
    pub fn is_input_ended(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.input_ended)
    }

    /// So many bytes were thrown away. `true` when these are too many.
    pub fn note_discarded(&mut self, bytes: usize, limits: &Limits) -> bool {
        self.draining().is_some_and(|draining| {
            draining.discarded_bytes += bytes;
            draining.discarded_bytes > limits.discarded_bytes_max
        })
    }

    /// Whether draining has come to its end: nothing more to send, nothing more to expect.
    pub fn is_drained(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.input_ended && closing.output_ended)
    }

    /// The hub has taken the client in.
    pub fn note_logged_in(&mut self) {
        self.session.open();
        self.await_no_more();
    }

    /// Something came from the client.
    pub fn note_heard(&mut self, now: Instant) {
        self.heard = now;
        if self.session.is_logged_in() {
            self.await_no_more();
        }
    }

    /// A read brought less than it had room for.
    pub fn note_short_read(&mut self)
    where
        S: Socket,
    {
        if self.hang_up == HangUp::No && self.socket.is_emptied_by_short_reads() {
            self.readable = false;
        }
    }

    /// When the client was last heard of.
    pub fn heard(&self) -> Instant {
        self.heard
    }

    /// Whether its silence is our doing: we do not read it for now, and nothing has hinted that it is gone.
    pub fn is_silenced(&self) -> bool {
        self.is_paused() && self.hang_up == HangUp::No
    }

    pub fn note_pinged(&mut self, now: Instant) {
        self.extras_mut().awaited_since = Some(now);
    }

    fn await_no_more(&mut self) {
        if let Some(extras) = &mut self.extras {
            extras.awaited_since = None;
            if extras.is_empty() {
                self.extras = None;
            }
        }
    }

    fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Whose queue has to fall before this connection is read again.
    pub fn waits_for(&self) -> Option<Key> {
        self.extras.as_ref().and_then(|extras| extras.waits_for)
    }

    pub fn wait_for(&mut self, target: Key) {
        self.extras_mut().waits_for = Some(target);
    }

    pub fn wait_no_more(&mut self) {
        if let Some(extras) = &mut self.extras {
            extras.waits_for = None;
        }
    }

    /// Whether it is not read for now, whatever it sends.
    pub fn is_paused(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.is_paused())
    }

    /// What it has spent of what it may send, if it has sent anything.
    pub fn spent(&self) -> Option<Allowance> {
        Some(self.extras.as_ref()?.bucket.as_ref()?.spent())
    }

    /// It has spent that before it came.
    pub fn note_spent(&mut self, allowance: Allowance) {
        self.extras_mut().bucket = Some(Bucket::of(allowance));
    }

    /// What it has left to send.
    pub fn bucket(&mut self, now: Instant) -> &mut Bucket {
        self.extras_mut().bucket.get_or_insert_with(|| Bucket::new(now))
    }

    pub fn throttle(&mut self, until: Instant) {
        self.extras_mut().throttled_until = Some(until);
    }

    /// Returns whether it was throttled.
    pub fn throttle_no_more(&mut self) -> bool {
        self.extras.as_mut().is_some_and(|extras| extras.throttled_until.take().is_some())
    }

    /// `place`: where the password stands in line. `stopped`: when its time to log in began to stand still.
    pub fn await_verdict(&mut self, request: RequestId, place: Place, stopped: Option<Instant>) {
        self.extras_mut().awaits_verdict = Some((request, place, stopped));
    }

    /// Whether the verdict of this request is waited for.
    pub fn awaits(&self, request: RequestId) -> bool {
        let awaited = self.extras.as_ref().and_then(|extras| extras.awaits_verdict);
        awaited.is_some_and(|(awaited, ..)| awaited == request)
    }

    /// Whether the hub has to go on with what it asked for.
    pub fn awaits_the_hub(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.awaits_verdict.is_some() || extras.awaits_storage)
    }

    /// It is not read while it waits for something that storage has.
    pub fn await_storage(&mut self, awaits: bool) {
        self.extras_mut().awaits_storage = awaits;
    }

    pub fn await_commit(&mut self, number: u64) {
        let awaited = &mut self.extras_mut().awaits_commit;
        *awaited = (*awaited).max(Some(number));
    }

    /// Everything up to this number is on the disk. Returns whether that was what it waited for.
    pub fn await_commit_no_more(&mut self, upto: u64) -> bool {
        let awaited = self.extras.as_mut().map(|extras| &mut extras.awaits_commit);
        awaited.is_some_and(|awaited| awaited.take_if(|number| *number <= upto).is_some())
    }

    /// No verdict is waited for any more; returns where that password stood, if one was.
    pub fn take_verdict(&mut self, now: Instant) -> Option<Place> {
        let extras = self.extras.as_mut()?;
        let (_, place, stopped) = extras.awaits_verdict.take()?;
        let went_by = |since: Instant| now - stopped.unwrap_or(now).max(since);
        extras.awaited_since = extras.awaited_since.map(|since| since + went_by(since));
        Some(place)
    }

    /// Whom the client has shown itself to be, of those who run the server.
    pub fn operator(&self) -> Option<&Operator> {
        self.extras.as_ref()?.operator.as_deref()
    }

    pub fn note_operator(&mut self, operator: Operator) {
        self.extras_mut().operator = Some(Box::new(operator));
    }

    pub fn take_operator(&mut self) -> Option<Box<Operator>> {
        self.extras.as_mut()?.operator.take()
    }

    /// Who waits for this one's queue.
    pub fn waiters(&self) -> &[Key] {
        self.extras.as_ref().map_or(&[], |extras| &extras.waiters)
    }

    pub fn add_waiter(&mut self, waiter: Key) {
        self.extras_mut().waiters.push(waiter);
    }

    pub fn take_waiters(&mut self) -> Vec<Key> {
        self.extras.as_mut().map(|extras| std::mem::take(&mut extras.waiters)).unwrap_or_default()
    }

    pub fn binding(&self) -> Option<&Binding> {
        self.extras.as_ref()?.binding.as_deref()
    }

    pub fn binding_mut(&mut self) -> Option<&mut Binding> {
        self.binding_and_outbox()?.0.into()
    }

    /// The two ways out, where there are two.
    pub fn binding_and_outbox(&mut self) -> Option<(&mut Binding, &mut Outbox)> {
        let binding = self.extras.as_mut()?.binding.as_deref_mut()?;
        Some((binding, &mut self.outbox))
    }

    /// Returns the one before.
    pub fn replace_binding(&mut self, binding: Binding) -> Option<Box<Binding>> {
        self.extras_mut().binding.replace(Box::new(binding))
    }

    /// What it has made the server send in datagrams.
    pub fn caused(&mut self, now: Instant) -> &mut Allowance {
        self.extras_mut().caused.get_or_insert_with(|| Allowance::new(now))
    }

    /// Looks at the length of the queue. `true` when it is over the hard limit.
    pub fn note_queued(&mut self, now: Instant, limits: &Limits) -> bool {
        let queued = self.outbox.queued_bytes();
        if queued > limits.queued_bytes_soft {
            self.extras_mut().over_soft_since.get_or_insert(now);
        } else if let Some(extras) = &mut self.extras {
            extras.over_soft_since = None;
        }
        queued
            > if self.session.is_logged_in() {
                limits.queued_bytes_max
            } else {
                limits.queued_bytes_before_login_max
            }
    }

    /// Whether those who fill the queue should stop for a while.
    pub fn is_over_high_water(&self, limits: &Limits) -> bool {
        self.outbox.queued_bytes() > limits.high_water_bytes
    }

    pub fn is_under_low_water(&self, limits: &Limits) -> bool {
        self.outbox.queued_bytes() <= limits.high_water_bytes / 2
    }

    /// The next moment at which something has to happen, and what.
    pub fn deadline(&self, limits: &Limits) -> Option<(Instant, Due)> {
        if let Some(closing) = &self.closing {
            return (!closing.is_dead).then_some((closing.until, Due::DrainTimeout));
        }
        let extras = self.extras.as_deref();
        let stopped = extras.and_then(|extras| extras.awaits_verdict?.2);
        let is_logged_in = self.session.is_logged_in();
        let silence = match extras.and_then(|extras| extras.awaited_since) {
            Some(_) if !is_logged_in && stopped.is_some() => None,
            Some(since) if !is_logged_in => Some((since + limits.login_time, Due::Login)),
            Some(since) => Some((since + limits.ping_timeout, Due::PingAnswer)),
            None => Some((self.heard + limits.ping_after, Due::Ping)),
        };
        let over_soft_since = extras.and_then(|extras| extras.over_soft_since);
        let slow = over_soft_since.map(|since| (since + limits.slow_consumer_grace, Due::SlowConsumer));
        let throttled = extras.and_then(|extras| extras.throttled_until).map(|until| (until, Due::Throttled));
        [silence, slow, throttled].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}
