//! The domain: who is here, who is in which room, who relays to whom. Pure: a command and the time go in, effects
//! come out. No socket, no clock, no bytes of any wire: the hub does not know what a frame looks like, or that there are
//! several dialects. What happened in a room it keeps as bytes of its own, so that memory and disk share one copy.
//!
//! - [`Command`] what a session wants, [`Effect`] and [`Event`] what follows from it, [`Refusal`] why not;
//! - `accounts`, `users`, `seats`, `rooms`, `occupants`, `veil`, `speech`, `moderation`, `guests`, `invitations`,
//!   `members`, `affiliations`, `owners`, `wishes`, `changes`, `times`, `lists`, `directory`, `watch`, `relays`, `paths`,
//!   `past`, `retract`, `read_marks`, `operators`, `bans`: one part of [`Hub`] each; `audit` whether they agree;
//! - [`Person`] somebody, with `host` where they come from; `view` what lists and look-ups show of them and of rooms;
//! - [`Settings`] what a room is set to, and [`RoomChange`] how that changes;
//! - [`record`] what lasts, and `lasting` how it comes back; `history` what happened in a room, and [`happening`] one
//!   thing of it as bytes;
//! - [`Role`] and [`Affiliation`] what one is in a room, and [`privileges`] what that allows;
//! - [`Network`] where a ban is for;
//! - [`name`] what may be a name, and when two are the same, with `combining` marks; [`mask`] patterns for them;
//! - [`channel`] the numbers of rooms and relays; [`Limits`] what there may be of everything.

mod accounts;
mod affiliations;
mod audit;
mod bans;
mod changes;
pub mod channel;
mod combining;
mod command;
mod directory;
mod effect;
mod event;
mod guests;
pub mod happening;
mod history;
mod host;
mod invitations;
mod lasting;
mod limits;
mod lists;
pub mod mask;
mod members;
mod moderation;
pub mod name;
mod network;
mod occupants;
mod operators;
mod owners;
mod past;
mod paths;
mod person;
pub mod privileges;
mod read_marks;
pub mod record;
mod refusal;
mod relays;
mod retract;
mod role;
mod rooms;
mod seats;
mod settings;
mod speech;
mod times;
mod users;
mod veil;
mod view;
mod watch;
mod wishes;

pub use accounts::{AccountChange, Proof, Proved, Registration};
pub use channel::ChannelId;
pub use command::{
    Command, Form, MessageId, Moment, Part, Purpose, RequestId, RoomFilter, RoomRef, SessionId, UserFilter,
    UserKey, Words,
};
pub use effect::{Effect, Effects, Reply};
pub use event::{Departure, Ending, Event, Killing, RelayEnd, Trait};
pub use host::Host;
pub use limits::{HistoryLimits, Limits};
pub use name::{RoomName, UserName};
pub use network::Network;
pub use past::PastBytes;
pub use paths::{Address, Observed, Offers, Origin, PathKey, PathRole, Transport, is_reachable};
pub use person::{Marks, Person, Profile};
pub use record::{Past, Wish};
pub use refusal::{BadName, BadText, Refusal};
pub use relays::Route;
pub use role::{Affiliation, Role, Standing};
pub use settings::{Flag, Flags, KnownPassword, MaskEntry, MaskList, Preset, RoomChange, Settings, Terms};
pub use view::{
    AccountView, Census, Counts, Entry, Figure, Formerly, Look, MemberView, PastView, Place, RoomSummary,
    Seen, SessionView, SubjectView, WishView,
};

use accounts::{Accounts, Identity};
use bans::Bans;
use channel::Channels;
use past::Pasts;
use paths::Listing;
use read_marks::ReadMarks;
use record::{AccountId, RoomId};
use rooms::Room;
use seats::Seats;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use times::Times;
use users::Newcomer;
use wishes::Wishes;

/// Everything that the server knows about people. Two indexes hold every occupancy, the user's and the room's;
/// [`Hub::audit`] says whether they agree.
pub struct Hub {
    limits: Limits,
    /// Boxed: the table itself is half empty at times.
    /// Hashed fast, as nobody chooses these numbers, and each message asks.
    users: HashMap<UserKey, Box<User>, foldhash::fast::FixedState>,
    /// Those sessions of users that are not their first.
    seats: HashMap<SessionId, UserKey>,
    /// By folded name, in the order in which lists show them.
    names: BTreeMap<Arc<str>, UserKey>,
    /// Rooms, likewise.
    room_names: BTreeMap<Arc<str>, ChannelId>,
    accounts: Accounts,
    bans: Bans,
    channels: Channels,
    /// The highest number that a room was given.
    rooms_last: RoomId,
    /// Calls that nobody has answered, by the time at which they are given up.
    ringing: BTreeSet<(Instant, ChannelId)>,
    /// By folded name, which may be nobody's, those who want to hear of it. Sets, because everybody may watch the same
    /// few names, and leave at once.
    watchers: BTreeMap<Arc<str>, BTreeSet<UserKey>>,
    /// Names that were given up, the latest first.
    former: VecDeque<Formerly>,
    pasts: Pasts,
    read_marks: ReadMarks,
    /// What the lists of masks of all rooms take, in bytes.
    mask_bytes: usize,
    /// How many accounts are something to rooms, all rooms together.
    members: usize,
    /// The rooms that last, and how many of them whose are.
    lasting: HashMap<RoomId, ChannelId>,
    lasting_of: HashMap<AccountId, usize>,
    times: Times,
    wishes: Wishes,
    /// How many users are invisible, and how many are operators.
    invisible: usize,
    operators: usize,
    /// The most users there were at one time.
    users_most: usize,
}

/// Somebody who is logged in.
struct User {
    name: UserName,
    /// By number, so that they are found fast.
    rooms: SmallVec<[ChannelId; 4]>,
    since: Instant,
    /// The longest relay payload the user's only session takes, in bytes; 0 when it takes no relays at all.
    payload_max: u16,
    /// Boxed, because most have none of it.
    rare: Option<Box<Rare>>,
}

/// What few users have.
#[derive(Default)]
struct Rare {
    relays: Vec<ChannelId>,
    /// What the user's only session has put into the directory.
    listing: Option<Box<Listing>>,
    /// The account that they have identified themselves for.
    identity: Option<Box<Identity>>,
    /// What they say of themselves, or what their dialect does.
    profile: Option<Box<Profile>>,
    /// Their sessions, for those who have had more than one.
    seats: Option<Box<Seats>>,
}

impl User {
    fn relays(&self) -> &[ChannelId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.relays)
    }

    fn identity(&self) -> Option<&Identity> {
        self.rare.as_ref()?.identity.as_deref()
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// Something for one user that is in no room: to each of their sessions.
fn send(to: (UserKey, &User), cause: SessionId, channel: ChannelId, event: Event<'_>, fx: &mut impl Effects) {
    send_in(to, cause, channel, None, event, fx);
}

/// The same, of what is in a room.
fn send_in(
    (key, user): (UserKey, &User),
    cause: SessionId,
    channel: ChannelId,
    room: Option<&RoomName>,
    event: Event<'_>,
    fx: &mut impl Effects,
) {
    for to in user.seats(key) {
        fx.emit(Effect::Send { to, cause, channel, room, event });
    }
}

/// To those who share one of these rooms with somebody, but to none of that one's own sessions.
fn tell_neighbours(
    user: &User,
    rooms: &[ChannelId],
    cause: SessionId,
    event: Event<'_>,
    fx: &mut impl Effects,
) {
    if !rooms.is_empty() {
        let except: SmallVec<[SessionId; 2]> = user.other_seats(cause).collect();
        fx.emit(Effect::PublishToNeighbours { cause, except: &except, channels: rooms, event });
    }
}

/// What a request leads to: effects, or a refusal that [`Hub::handle`] turns into one.
type Outcome = Result<(), Refusal>;

/// Where a request came from, and how to answer it: the session that is told, and the user whose it is, by whom
/// everything is found that a user has.
#[derive(Clone, Copy)]
struct Asker {
    now: Moment,
    session: SessionId,
    /// Of a session that is not logged in, the user it would be.
    user: UserKey,
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

    /// Carried out, and this is how; to those who want to know.
    fn tell(self, fx: &mut impl Effects, reply: Reply<'_>) {
        if self.request != RequestId::NONE {
            self.reply(fx, reply);
        }
    }

    fn reply(self, fx: &mut impl Effects, reply: Reply<'_>) {
        let Asker { session, request, channel, .. } = self;
        fx.emit(Effect::Reply { to: session, cause: session, request, channel, reply });
    }

    /// To the other occupants of the room that the asker's channel is.
    fn publish(self, fx: &mut impl Effects, room: &Room, event: Event<'_>) {
        let Asker { session, channel, .. } = self;
        fx.emit(Effect::Publish { channel, room: &room.name, cause: session, event });
    }

    /// To those who share one of these rooms with the asker, who is this user.
    fn tell_neighbours(self, fx: &mut impl Effects, user: &User, rooms: &[ChannelId], event: Event<'_>) {
        tell_neighbours(user, rooms, self.session, event, fx);
    }
}

impl Hub {
    pub fn new(limits: Limits) -> Self {
        Hub {
            limits,
            users: HashMap::default(),
            seats: HashMap::new(),
            names: BTreeMap::new(),
            room_names: BTreeMap::new(),
            accounts: Accounts::default(),
            bans: Bans::default(),
            channels: Channels::default(),
            rooms_last: RoomId::default(),
            ringing: BTreeSet::new(),
            watchers: BTreeMap::new(),
            former: VecDeque::new(),
            pasts: Pasts::default(),
            read_marks: ReadMarks::default(),
            mask_bytes: 0,
            members: 0,
            lasting: HashMap::new(),
            lasting_of: HashMap::new(),
            times: Times::default(),
            wishes: Wishes::default(),
            invisible: 0,
            operators: 0,
            users_most: 0,
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
        now: Moment,
        session: SessionId,
        request: RequestId,
        command: Command<'_>,
        fx: &mut impl Effects,
    ) {
        self.times.note(now);
        let asker = self.asker(now, session, request, command.channel());
        if let Err(refusal) = self.carry_out(asker, command, fx) {
            asker.reply(fx, Reply::Refused(refusal));
        }
    }

    fn asker(&self, now: Moment, session: SessionId, request: RequestId, channel: ChannelId) -> Asker {
        Asker { now, session, user: self.user_of(session), request, channel }
    }

    fn carry_out(&mut self, asker: Asker, command: Command<'_>, fx: &mut impl Effects) -> Outcome {
        match command {
            Command::Login { name, payload_max, username, realname } => {
                self.login(asker, Newcomer { name, payload_max, username, realname }, fx)
            }
            Command::Register { name, password } => self.register(asker, name, password, fx),
            Command::Identify { name, password } => self.identify(asker, name, password, fx),
            Command::ShowScramKeys { name } => self.show_scram_keys(asker, name, fx),
            Command::TakeProof { name, is_right } => self.take_proof(asker, name, is_right, fx),
            Command::IdentifyProven { name, salt } => self.identify_proven(asker, name, salt, fx),
            Command::ShowAccount { name } => self.show_account(asker, name, fx),
            Command::LogOut => self.log_out(asker, fx),
            Command::ChangePassword { old, new } => self.change_password(asker, old, new, fx),
            Command::DeleteAccount { password } => self.delete_account(asker, password, fx),
            Command::Rename { name } => self.rename(asker, name, fx),
            Command::SetRealName { text } => self.set_realname(asker, text, fx),
            Command::SetAway { text } => self.set_away(asker, text, fx),
            Command::SetMarks { set, clear } => self.set_marks(asker, set, clear, fx),
            Command::BecomeOperator => self.become_operator(asker, fx),
            Command::Join { room, password, past } => self.enter(asker, (room, password), past, fx),
            Command::Leave { room, text } => self.leave(asker, room, text, fx),
            Command::LeaveAll { text } => self.leave_all(asker, text, fx),
            Command::Say { room, words, least } => self.say(asker, room, words, least, fx),
            Command::Tell { to, words, even_oneself } => self.tell(asker, to, words, even_oneself, fx),
            Command::SetSubject { room, text } => self.set_subject(asker, room, text, fx),
            Command::ShowSubject { room } => self.show_subject(asker, room, fx),
            Command::Change { room, changes } => self.change(asker, room, &changes, fx),
            Command::ShowSettings { room } => self.show_settings(asker, room, fx),
            Command::ListMasks { room, list, from } => self.list_masks(asker, room, list, from, fx),
            Command::Kick { room, who, text } => self.kick(asker, room, who, text, fx),
            Command::Invite { room, who } => self.invite(asker, room, who, fx),
            Command::ListInvited => self.list_invited(asker, fx),
            Command::ListRooms { after, filter } => self.list_rooms(asker, after, filter, fx),
            Command::Who { room, after, in_full } => self.who(asker, room, after, in_full, fx),
            Command::FindUsers { after, filter } => self.find_users(asker, after, filter, fx),
            Command::Look { name } => self.look(asker, name, fx),
            Command::Was { name, entries_max } => self.was(asker, name, entries_max, fx),
            Command::CheckName { name } => self.check_name(asker, name, fx),
            Command::IsHere { names } => self.is_here(asker, &names, fx),
            Command::Count => self.count(asker, fx),
            Command::Watch { names } => self.watch(asker, &names, fx),
            Command::Unwatch { names } => self.unwatch(asker, &names, fx),
            Command::UnwatchAll => self.unwatch_all(asker, fx),
            Command::ListWatched => self.list_watched(asker, fx),
            Command::Announce { text, to_all } => self.announce(asker, text, to_all, fx),
            Command::Kill { name, text } => self.kill(asker, name, text, fx),
            Command::Ban { pattern, text, seconds } => self.ban(asker, pattern, text, seconds, fx),
            Command::Unban { pattern } => self.unban(asker, pattern, fx),
            Command::ListBans { after } => self.list_bans(asker, after, fx),
            Command::ListSessions { after, session } => self.list_sessions(asker, (after, session), fx),
            Command::ListAccounts { after } => self.list_accounts(asker, after, fx),
            Command::DropAccount { name } => self.drop_account(asker, name, fx),
            Command::ShowStatus { after } => self.show_status(asker, after, fx),
            Command::Lookup { name } => self.lookup(asker, name, fx),
            Command::ListPeers { after } => self.list_peers(asker, after, fx),
            Command::Declare { offers, shown, addresses } => {
                self.declare(asker, offers, shown, addresses, fx)
            }
            Command::Open { to, purpose } => self.open_relay(asker, to, purpose, fx),
            Command::Accept { .. } => self.accept(asker, fx),
            Command::Decline { text, .. } => self.decline(asker, text, fx),
            Command::Close { .. } => self.close_relay(asker, fx),
            Command::OfferPaths { addresses, .. } => self.offer_paths(asker, addresses, fx),
            Command::Destroy { room, text, instead } => self.destroy(asker, room, (text, instead), fx),
            Command::RenameRoom { room, to, text } => self.rename_room(asker, room, (to, text), fx),
            Command::ReserveName { room, name } => self.reserve_name(asker, room, name, fx),
            Command::Wish { room, wish, text } => self.wish(asker, room, wish, text, fx),
            Command::Decide { room, who, wish, grant } => self.decide(asker, room, (who, wish, grant), fx),
            Command::ListWishes { room } => self.list_wishes(asker, room, fx),
            Command::ListMembers { room, affiliation, after } => {
                self.list_members(asker, room, affiliation, after, fx)
            }
            Command::ShowPast { room, part } => self.show_past(asker, room, part, fx),
            Command::Search { room, words, before, limit } => {
                self.search(asker, room, words, (before, limit), fx)
            }
            Command::Retract { room, id, text } => self.retract(asker, room, (id, text), fx),
            Command::ShowReadMark { conversation } => self.show_read_mark(asker, conversation, fx),
            Command::MarkRead { conversation, at_millis } => {
                self.mark_read(asker, conversation, at_millis, fx)
            }
            Command::ListSpoken { after_millis, before_millis, limit } => {
                self.list_spoken(asker, (after_millis, before_millis), limit, fx)
            }
        }
    }

    /// When [`Hub::expire`] next has something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        let ringing = self.ringing.first().map(|&(deadline, _)| deadline);
        ringing.into_iter().chain(self.times.next_deadline()).min()
    }

    /// Carries out what is due at `now`: calls that rang for too long are given up, bans and mutes end that were for a
    /// time.
    pub fn expire(&mut self, now: Moment, fx: &mut impl Effects) {
        self.end_what_is_due(now, fx);
        while let Some(&(deadline, relay)) = self.ringing.first()
            && deadline <= now.monotonic
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

    fn user(&self, key: UserKey) -> Result<&User, Refusal> {
        self.users.get(&key).map(|user| &**user).ok_or(Refusal::NotLoggedIn)
    }

    fn user_mut(&mut self, key: UserKey) -> Result<&mut User, Refusal> {
        self.users.get_mut(&key).map(|user| &mut **user).ok_or(Refusal::NotLoggedIn)
    }
}
