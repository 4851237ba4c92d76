//! The domain: who is here, who is in which room, who relays to whom. Pure: a command and the time go in, effects
//! come out. No socket, no clock, no bytes: the hub does not know what a frame looks like, or that there are several
//! dialects.
//!
//! - [`Command`] what a session wants, [`Effect`] what follows from it, [`Refusal`] why not;
//! - `rooms`, `directory`, `relays`, `paths`: one part of [`Hub`] each;
//! - [`name`] what may be a name, and when two are the same;
//! - [`channel`] the numbers of rooms and relays.

pub mod channel;
mod command;
mod directory;
mod effect;
mod host;
mod limits;
pub mod name;
mod paths;
mod refusal;
mod relays;
mod rooms;

pub use channel::ChannelId;
pub use command::{Command, Purpose, RequestId, SessionId};
pub use effect::{Departure, Effect, Effects, Event, RelayEnd, Reply, RoomSummary};
pub use host::Host;
pub use limits::Limits;
pub use name::{RoomName, UserName};
pub use paths::{Address, Observed, Offers, Origin, PathKey, PathRole, Transport, is_reachable};
pub use refusal::{BadName, BadText, Refusal};
pub use relays::Route;

use channel::Channels;
use paths::Listing;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Everything that the server knows about people. Two indexes hold every occupancy, the user's and the room's;
/// [`Hub::audit`] says whether they agree.
pub struct Hub {
    limits: Limits,
    /// Boxed: the table itself is half empty at times.
    users: HashMap<SessionId, Box<User>>,
    /// By folded name, in the order in which lists show them.
    names: BTreeMap<Arc<str>, SessionId>,
    /// By folded name, in the order in which lists show them.
    room_names: BTreeMap<Arc<str>, ChannelId>,
    channels: Channels,
    /// Calls that nobody has answered, by the time at which they are given up.
    ringing: BTreeSet<(Instant, ChannelId)>,
}

/// Somebody who is logged in.
struct User {
    name: UserName,
    rooms: SmallVec<[ChannelId; 4]>,
    since: Instant,
    /// The longest relay payload the user's session takes, in bytes; 0 when it takes no relays at all.
    payload_max: u16,
    /// Boxed, because most have none of it.
    peering: Option<Box<Peering>>,
}

/// What a user has to do with single others.
#[derive(Default)]
struct Peering {
    relays: Vec<ChannelId>,
    /// What the user has put into the directory.
    listing: Option<Listing>,
}

impl User {
    fn relays(&self) -> &[ChannelId] {
        self.peering.as_ref().map_or(&[], |peering| &peering.relays)
    }

    fn listing(&self) -> Option<&Listing> {
        self.peering.as_ref()?.listing.as_ref()
    }

    fn peering_mut(&mut self) -> &mut Peering {
        self.peering.get_or_insert_default()
    }
}

/// What a request leads to: effects, or a refusal that [`Hub::handle`] turns into one.
type Outcome = Result<(), Refusal>;

/// The session that a request came from, and how to answer it.
#[derive(Clone, Copy)]
struct Asker {
    session: SessionId,
    request: RequestId,
    channel: ChannelId,
}

impl Asker {
    /// Carried out, and nothing more to tell; to those who want to know.
    fn done(self, fx: &mut impl Effects) {
        if self.request != RequestId::NONE {
            self.reply(fx, Reply::Done);
        }
    }

    fn reply(self, fx: &mut impl Effects, reply: Reply<'_>) {
        let Asker { session, request, channel } = self;
        fx.emit(Effect::Reply { to: session, cause: session, request, channel, reply });
    }
}

impl Hub {
    pub fn new(limits: Limits) -> Self {
        Hub {
            limits,
            users: HashMap::new(),
            names: BTreeMap::new(),
            room_names: BTreeMap::new(),
            channels: Channels::default(),
            ringing: BTreeSet::new(),
        }
    }

    /// Lets the numbers of channels begin anywhere, at random best: peers who talk directly go on while the server is
    /// restarted, and the relay they had should not have the number of a new one.
    pub fn number_channels_from(&mut self, generation: u32) {
        self.channels.begin_at(generation);
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// New limits hold for what happens from now on; what already exceeds them stays.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Carries out one command. A refusal is an effect like any other: the reply to that request.
    pub fn handle(
        &mut self,
        now: Instant,
        session: SessionId,
        request: RequestId,
        command: Command<'_>,
        fx: &mut impl Effects,
    ) {
        let asker = Asker { session, request, channel: command.channel() };
        let outcome = match command {
            Command::Login { name, payload_max } => self.login(now, asker, name, payload_max, fx),
            Command::Join { room } => self.join(asker, room, fx),
            Command::Leave { .. } => self.leave(asker, fx),
            Command::Say { text, .. } => self.say(asker, text, fx),
            Command::SetSubject { text, .. } => self.set_subject(asker, text, fx),
            Command::ListRooms { after } => self.list_rooms(asker, after, fx),
            Command::Who { after, .. } => self.who(asker, after, fx),
            Command::Declare { offers, shown, addresses } => {
                self.declare(asker, offers, shown, addresses, fx)
            }
            Command::Tell { to, text } => self.tell(asker, to, text, fx),
            Command::Lookup { name } => self.lookup(now, asker, name, fx),
            Command::ListPeers { after } => self.list_peers(asker, after, fx),
            Command::Open { to, purpose } => self.open_relay(now, asker, to, purpose, fx),
            Command::Accept { .. } => self.accept(asker, fx),
            Command::Decline { text, .. } => self.decline(asker, text, fx),
            Command::Close { .. } => self.close_relay(asker, fx),
            Command::OfferPaths { addresses, .. } => self.offer_paths(asker, addresses, fx),
        };
        if let Err(refusal) = outcome {
            asker.reply(fx, Reply::Refused(refusal));
        }
    }

    /// A session is gone, for whatever reason; everybody who shared a room or a relay with it is told. A session
    /// that never logged in leaves no trace.
    pub fn disconnect(&mut self, session: SessionId, why: Departure<'_>, fx: &mut impl Effects) {
        // Last words are a courtesy: where they break a rule, the departure is told without them.
        let why = match why {
            Departure::Quit(text) if self.check_text_or_empty(text, self.limits.text_bytes_max).is_err() => {
                Departure::Quit("")
            }
            why => why,
        };
        let Some(user) = self.users.get_mut(&session) else { return };
        let (rooms, peering) = (std::mem::take(&mut user.rooms), user.peering.take());
        for relay in peering.map(|peering| peering.relays).unwrap_or_default() {
            self.end_relay(session, relay, RelayEnd::PeerLeft, fx);
        }
        for room in rooms {
            self.vacate(session, room, why, fx);
        }
        if let Some(user) = self.users.remove(&session) {
            self.names.remove(user.name.key());
        }
    }

    /// When [`Hub::expire`] next has something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.ringing.first().map(|&(deadline, _)| deadline)
    }

    /// Carries out what is due at `now`: calls that rang for too long are given up.
    pub fn expire(&mut self, now: Instant, fx: &mut impl Effects) {
        while let Some(&(deadline, relay)) = self.ringing.first()
            && deadline <= now
        {
            self.ringing.pop_first();
            self.give_up_ringing(relay, fx);
        }
    }

    pub fn users_len(&self) -> usize {
        self.users.len()
    }

    pub fn rooms_len(&self) -> usize {
        self.room_names.len()
    }

    /// Relays and calls that ring.
    pub fn relays_len(&self) -> usize {
        self.channels.relays_len()
    }

    fn login(
        &mut self,
        now: Instant,
        asker: Asker,
        name: &str,
        payload_max: u16,
        fx: &mut impl Effects,
    ) -> Outcome {
        if self.users.contains_key(&asker.session) {
            return Err(Refusal::AlreadyLoggedIn);
        }
        let name = UserName::new(name, self.limits.name_bytes_max)?;
        if self.names.contains_key(name.key()) {
            return Err(Refusal::NameTaken);
        }
        self.names.insert(Arc::clone(name.key()), asker.session);
        asker.reply(fx, Reply::LoggedIn { name: name.shown(), text_bytes_max: self.limits.text_bytes_max });
        let user = User { name, rooms: SmallVec::new(), since: now, payload_max, peering: None };
        self.users.insert(asker.session, Box::new(user));
        Ok(())
    }

    fn user(&self, session: SessionId) -> Result<&User, Refusal> {
        self.users.get(&session).map(|user| &**user).ok_or(Refusal::NotLoggedIn)
    }

    fn user_mut(&mut self, session: SessionId) -> Result<&mut User, Refusal> {
        self.users.get_mut(&session).map(|user| &mut **user).ok_or(Refusal::NotLoggedIn)
    }

    /// A text that may be relayed: not empty, not over the limit, and one line in every dialect.
    fn check_text(&self, text: &str, bytes_max: u16) -> Outcome {
        if text.is_empty() {
            return Err(Refusal::BadText(BadText::Empty));
        }
        self.check_text_or_empty(text, bytes_max)
    }

    fn check_text_or_empty(&self, text: &str, bytes_max: u16) -> Outcome {
        if text.len() > usize::from(bytes_max) {
            return Err(Refusal::TextTooLong { bytes_max });
        }
        if text.bytes().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
            return Err(Refusal::BadText(BadText::Control));
        }
        Ok(())
    }

    /// Whether the indexes agree with each other and with the limits. For tests and for anyone who doubts.
    ///
    /// # Errors
    /// One sentence about the first thing that is not as it should be.
    pub fn audit(&self) -> Result<(), String> {
        for (session, user) in &self.users {
            if self.names.get(user.name.key()) != Some(session) {
                return Err(format!("{} is not in the index of names", user.name));
            }
            for &room in &user.rooms {
                let Some(room) = self.channels.room(room) else {
                    return Err(format!("{} is in a room that is not there", user.name));
                };
                if !room.occupants.contains(user.name.key()) {
                    return Err(format!("{} is not among the occupants of {}", user.name, room.name));
                }
            }
            for &relay in user.relays() {
                if !self.channels.relay(relay).is_some_and(|relay| relay.is_of(*session)) {
                    return Err(format!("{} holds a relay that is not theirs", user.name));
                }
            }
        }
        if self.names.len() != self.users.len() {
            return Err(format!("{} names for {} users", self.names.len(), self.users.len()));
        }
        self.audit_rooms()?;
        self.audit_relays()
    }
}
