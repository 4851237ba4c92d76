//! Seats: the sessions of one user. Whoever has identified themselves for the account that a user is identified for, and
//! asks for that user's name, joins the user instead of being refused: the telephone and the desk are one person.
//!
//! - *Of the user*, and so the same at every seat: the name, the rooms and what one is in them, being away, the realname,
//!   whom one watches, invitations, the account.
//! - *Of the seat*: relays and calls, what it has put into the directory, and whether it is an operator of the server.
//!   Others see an operator as long as one seat is one; but only that seat may do what operators do, because it is the
//!   one that gave the password, from a place from which it may be given.
//!
//! The user's key is the session they came with, for as long as one seat is left. What one seat changes, the others are
//! told of, as an answer to no request; what it says in a room, they hear as everybody does, but by one's own name where
//! the others know another; and of what it says to one person they hear as [`Event::ToldElsewhere`]. When a seat leaves and others stay, nobody is told.

use super::paths::Listing;
use super::person::Marks;
use super::rooms::Room;
use super::{
    Asker, Effect, Effects, Ending, Event, Hub, Moment, Outcome, Person, Refusal, RelayEnd, Reply, RequestId,
    SessionId, User, UserKey, UserName,
};
use smallvec::SmallVec;

/// One of several sessions of a user. Where a user has but one, the user has what is a seat's.
pub(super) struct Seat {
    session: SessionId,
    /// The longest relay payload it takes, in bytes; 0 when it takes no relays at all.
    payload_max: u16,
    is_operator: bool,
    listing: Option<Box<Listing>>,
}

/// Those who are here, the one that has been here longest first.
#[derive(Default)]
pub(super) struct Seats(SmallVec<[Seat; 2]>);

/// Where a call for a user rings, and what the directory says of them.
pub(super) struct Reached<'a> {
    pub session: SessionId,
    pub payload_max: u16,
    pub listing: Option<&'a Listing>,
}

impl User {
    fn several(&self) -> &[Seat] {
        self.rare.as_ref().and_then(|rare| rare.seats.as_ref()).map_or(&[], |seats| &seats.0)
    }

    fn seat_mut(&mut self, session: SessionId) -> Option<&mut Seat> {
        self.rare.as_mut()?.seats.as_mut()?.0.iter_mut().find(|seat| seat.session == session)
    }

    /// The sessions that the user is here with, the one that has been here longest first.
    pub(super) fn seats(&self, key: UserKey) -> impl Iterator<Item = SessionId> + '_ {
        let several = self.several();
        let alone = several.is_empty().then_some(key.0);
        alone.into_iter().chain(several.iter().map(|seat| seat.session))
    }

    /// The one of them that says where the user comes from.
    pub(super) fn first_seat(&self, key: UserKey) -> SessionId {
        self.several().first().map_or(key.0, |seat| seat.session)
    }

    /// All of them but this one.
    pub(super) fn other_seats(&self, session: SessionId) -> impl Iterator<Item = SessionId> + '_ {
        self.several().iter().map(|seat| seat.session).filter(move |&other| other != session)
    }

    pub(super) fn payload_max_at(&self, session: SessionId) -> u16 {
        let seat = self.several().iter().find(|seat| seat.session == session);
        seat.map_or(self.payload_max, |seat| seat.payload_max)
    }

    /// The seat that takes relays and has put something into the directory, or else takes relays; of several such, the
    /// one that came last.
    pub(super) fn reached(&self, key: UserKey) -> Reached<'_> {
        let rank = |seat: &&Seat| (seat.payload_max > 0, seat.listing.is_some());
        match self.several().iter().max_by_key(rank) {
            Some(seat) => {
                let Seat { session, payload_max, .. } = *seat;
                Reached { session, payload_max, listing: seat.listing.as_deref() }
            }
            None => {
                let listing = self.rare.as_ref().and_then(|rare| rare.listing.as_deref());
                Reached { session: key.0, payload_max: self.payload_max, listing }
            }
        }
    }

    pub(super) fn set_listing(&mut self, session: SessionId, listing: Listing) {
        let listing = Some(Box::new(listing));
        match self.seat_mut(session) {
            Some(seat) => seat.listing = listing,
            None => self.rare_mut().listing = listing,
        }
    }

    /// The marks as this seat has them.
    pub(super) fn marks_at(&self, session: SessionId) -> Marks {
        match self.several().iter().find(|seat| seat.session == session) {
            Some(seat) if !seat.is_operator => self.marks().without(Marks::OPERATOR),
            _ => self.marks(),
        }
    }

    /// Notes whether this seat is an operator's. Returns whether the user is to be marked as one.
    pub(super) fn set_operator_at(&mut self, session: SessionId, is_operator: bool) -> bool {
        let Some(seat) = self.seat_mut(session) else { return is_operator };
        seat.is_operator = is_operator;
        self.several().iter().any(|seat| seat.is_operator)
    }

    fn add_seat(&mut self, key: UserKey, session: SessionId, payload_max: u16) {
        let (of_first, is_operator) = (self.payload_max, self.is_operator());
        let rare = self.rare_mut();
        let listing = rare.listing.take();
        let seats = rare.seats.get_or_insert_with(|| {
            let first = Seat { session: key.0, payload_max: of_first, is_operator, listing };
            Box::new(Seats(SmallVec::from_iter([first])))
        });
        seats.0.push(Seat { session, payload_max, is_operator: false, listing: None });
    }

    /// Takes a seat that is not the last one. Where the user's first is the only one left, it is as if there had been no
    /// other.
    fn remove_seat(&mut self, key: UserKey, session: SessionId) {
        let Some(seats) = self.rare.as_mut().and_then(|rare| rare.seats.as_mut()) else { return };
        seats.0.retain(|seat| seat.session != session);
        if matches!(&seats.0[..], [alone] if alone.session == key.0)
            && let Some(seat) = seats.0.pop()
        {
            self.payload_max = seat.payload_max;
            let rare = self.rare_mut();
            (rare.seats, rare.listing) = (None, seat.listing);
        }
    }
}

impl Asker {
    /// Tells the asker's user at the other seats what has become of them all.
    pub(super) fn tell_other_seats(self, fx: &mut impl Effects, user: &User, reply: Reply<'_>) {
        for to in user.other_seats(self.session) {
            self.tell_seat(fx, to, reply);
        }
    }

    /// Tells one of them what it has not asked for.
    pub(super) fn tell_seat(self, fx: &mut impl Effects, to: SessionId, reply: Reply<'_>) {
        let Asker { session, channel, .. } = self;
        fx.emit(Effect::Reply { to, cause: session, request: RequestId::NONE, channel, reply });
    }

    /// What the asker does in the room that their channel is: for the others there by the name that they know the asker
    /// by, and for the asker's own other seats by their own.
    pub(super) fn publish_as<'a>(
        self,
        fx: &mut impl Effects,
        room: &'a Room,
        user: &'a User,
        event: impl Fn(Person<'a>) -> Event<'a>,
    ) {
        let others = event(room.person(self.user, user));
        // In most rooms it is one name.
        if room.knows_people() || user.several().is_empty() {
            return self.publish(fx, room, others);
        }
        self.publish_both(fx, room, user, [others, event(user.person(self.user))]);
    }

    /// The first for the others in the room, the second for the asker's other seats: out of the room and in again, so
    /// that what all get is not for them.
    pub(super) fn publish_both(
        self,
        fx: &mut impl Effects,
        room: &Room,
        user: &User,
        [others, own]: [Event<'_>; 2],
    ) {
        let Asker { session: cause, channel, .. } = self;
        let seats = || user.other_seats(cause);
        seats().for_each(|session| fx.emit(Effect::Unsubscribe { channel, session }));
        self.publish(fx, room, others);
        for session in seats() {
            let room = Some(&room.name);
            fx.emit(Effect::Send { to: session, cause, channel, room, event: own });
            fx.emit(Effect::Subscribe { channel, session });
        }
    }

    /// The same, of what others see of it as well.
    pub(super) fn show_other_seats(self, fx: &mut impl Effects, user: &User, event: Event<'_>) {
        for to in user.other_seats(self.session) {
            let Asker { session, channel, .. } = self;
            fx.emit(Effect::Send { to, cause: session, channel, room: None, event });
        }
    }
}

impl Hub {
    /// Whose a session is. Of one that is not logged in, the user it would be.
    pub(super) fn user_of(&self, session: SessionId) -> UserKey {
        self.seats.get(&session).copied().unwrap_or(UserKey(session))
    }

    /// The account that a session is logged in to.
    pub fn account_of(&self, session: SessionId) -> Option<UserName> {
        self.identity(session).map(|identity| identity.name)
    }

    /// Who has this name, if it is somebody of the same account.
    pub(super) fn same_person(&self, session: SessionId, name: &str) -> Option<UserKey> {
        let identity = self.identity(session)?;
        let key = *self.names.get(&*super::name::fold(name))?;
        (self.user(key).ok()?.identity()?.id == identity.id).then_some(key)
    }

    /// A newcomer joins a user. What they are told is what they would have been told, had they been here from the
    /// beginning.
    pub(super) fn take_seat(
        &mut self,
        asker: Asker,
        key: UserKey,
        payload_max: u16,
        fx: &mut impl Effects,
    ) -> Outcome {
        let asker = Asker { user: key, ..asker };
        self.check_seats(key)?;
        self.take_identity(asker.session);
        self.user_mut(key)?.add_seat(key, asker.session, payload_max);
        self.seats.insert(asker.session, key);
        let user = self.user(key)?;
        let (name, text_bytes_max) = (user.name.shown(), self.limits.text_bytes_max);
        asker.reply(fx, Reply::LoggedIn { name, text_bytes_max });
        let marks = user.marks_at(asker.session);
        if !marks.is_empty() {
            asker.tell_seat(fx, asker.session, Reply::Marks { now: marks, before: Marks::NONE });
        }
        for &channel in &user.rooms {
            let Some(room) = self.channels.room(channel) else { continue };
            let joined = room.joined((key, user), false);
            Asker { channel, ..asker }.tell_seat(fx, asker.session, joined);
            fx.emit(Effect::Subscribe { channel, session: asker.session });
        }
        Ok(())
    }

    /// Whether one more would be too many.
    pub(super) fn check_seats(&self, key: UserKey) -> Outcome {
        let seats_max = self.limits.seats_per_user_max;
        if self.user(key)?.seats(key).count() >= seats_max {
            return Err(Refusal::TooManySeats { seats_max });
        }
        Ok(())
    }

    /// One of several seats is left; `false` where it is the last one. Whoever had a relay with it is told.
    pub(super) fn leave_seat(&mut self, session: SessionId, fx: &mut impl Effects) -> bool {
        let key = self.user_of(session);
        let Some(user) = self.users.get(&key) else { return false };
        if user.other_seats(session).next().is_none() {
            return false;
        }
        let is_held = |&relay: &_| self.channels.relay(relay).is_some_and(|relay| relay.is_of(session));
        let relays: SmallVec<[_; 4]> = user.relays().iter().copied().filter(is_held).collect();
        for &channel in &user.rooms {
            fx.emit(Effect::Unsubscribe { channel, session });
        }
        for relay in relays {
            self.end_relay(session, relay, RelayEnd::PeerLeft, fx);
        }
        self.revoke_operator(session);
        if let Some(user) = self.users.get_mut(&key) {
            user.remove_seat(key, session);
        }
        self.seats.remove(&session);
        true
    }

    /// Whoever is no longer identified for what the seats have in common loses theirs; one stays.
    pub(super) fn end_other_seats(
        &mut self,
        now: Moment,
        key: UserKey,
        stays: SessionId,
        fx: &mut impl Effects,
    ) {
        let Ok(user) = self.user(key) else { return };
        let (name, others): (_, SmallVec<[_; 2]>) = (user.name.clone(), user.other_seats(stays).collect());
        for session in others {
            self.disconnect(now, session, super::Departure::Lost, fx);
            fx.emit(Effect::HangUp { session, name: name.shown(), by: stays, why: Ending::LoggedOut });
        }
    }

    pub(super) fn audit_seats(&self) -> Result<(), String> {
        let further =
            self.users.iter().map(|(key, user)| user.seats(*key).filter(|seat| *seat != key.0).count());
        let further = further.sum::<usize>();
        if further != self.seats.len() {
            return Err(format!("{further} further seats are taken, {} are in the index", self.seats.len()));
        }
        for (&key, user) in &self.users {
            let several = user.several();
            if user.seats(key).any(|seat| self.user_of(seat) != key) {
                return Err(format!("{} has a seat that is not in the index", user.name));
            }
            if matches!(several, [alone] if alone.session == key.0) {
                return Err(format!("{} has several seats, of which there is one", user.name));
            }
            if several.len() > 1 && user.identity().is_none() {
                return Err(format!("{} has several seats and no account", user.name));
            }
            if !several.is_empty() && several.iter().any(|seat| seat.is_operator) != user.is_operator() {
                return Err(format!("{} is marked as no seat has it", user.name));
            }
        }
        Ok(())
    }
}
