//! Saying what an account is to a room: member, admin, owner, outcast, or nothing (XEP-0045 §9 and §10). Who may say
//! what, [`privileges`](super::privileges) has; here is what follows from it.

use super::changes::Applied;
use super::name::UserName;
use super::privileges::{Act, Rank, act_of, may_touch};
use super::record::{AccountId, MemberRecord, Note};
use super::role::{Affiliation, Role};
use super::rooms::Room;
use super::settings::{Flag, Terms};
use super::{Asker, ChannelId, Effect, Effects, Event, Hub, Outcome, Refusal, SessionId, User};

/// What stands before the name of an account where a mask is expected, as IRC servers have it ("account extban").
pub(super) const ACCOUNT_SIGN: &str = "~a:";

/// An account that is spoken of in a room.
struct Meant {
    account: AccountId,
    /// What it is called there, if it is there.
    name: Option<UserName>,
    /// By that name it was spoken of.
    is_by_name: bool,
}

impl Hub {
    /// `only`: nothing is changed unless the account is this.
    pub(super) fn affiliate(
        &mut self,
        asker: Asker,
        rank: Rank,
        channel: ChannelId,
        (affiliation, only): (Affiliation, Option<Affiliation>),
        (whom, terms): (&str, Terms<'_>),
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        self.check_text_or_empty(terms.reason, self.limits.kick_bytes_max)?;
        let meant = self.account_meant(asker, channel, whom);
        let (room, user) = (self.room(channel)?, self.user(asker.user)?);
        let own = user.identity().map(|identity| identity.id);
        // Where people are not known, the answer must not tell what an account is there, or whether somebody has one.
        if room.settings.flags.has(Flag::SemiAnonymous)
            && meant.as_ref().map_or(true, |meant| own != Some(meant.account))
        {
            rank.check(Act::EditMembers)?;
        }
        let meant = meant?;
        let record = room.member_or_stranger(meant.account);
        let before = record.affiliation;
        let is_own = own == Some(meant.account);
        if is_own && affiliation == Affiliation::Outcast {
            return Err(Refusal::NotToYourself);
        }
        // To be less is for everybody, where it is about themselves.
        if !(is_own && (Affiliation::None..=before).contains(&affiliation)) {
            check_affiliating(rank, before, affiliation)?;
        }
        let until_millis = match affiliation {
            Affiliation::Outcast => terms.until_millis(asker.now.unix_millis),
            _ => None,
        };
        if self.accounts.name_of(meant.account).is_none() {
            return self.take_standing(channel, meant.account, affiliation);
        }
        let is_same = before == affiliation && record.note.until_millis == until_millis;
        if is_same || only.is_some_and(|only| only != before) {
            return Ok(Applied::default());
        }
        self.check_consequences(room, &record, affiliation)?;
        let note = Note {
            by: room.name_of(user).shown().into(),
            reason: terms.reason.into(),
            at_millis: asker.now.unix_millis,
            until_millis,
        };
        let is_banned = affiliation == Affiliation::Outcast;
        let record = MemberRecord {
            affiliation,
            has_voice: record.has_voice && !is_banned,
            // Only members reserve names (XEP-0045 §7.10, §9.1).
            reserved: record.reserved.filter(|_| affiliation >= Affiliation::Member),
            note,
            ..record
        };
        let is_kept_out = affiliation < Affiliation::Member && before >= Affiliation::Member;
        let is_turned_out = is_banned || (is_kept_out && room.settings.flags.has(Flag::MembersOnly));
        self.set_member(channel, record, fx);
        self.drop_wishes_of(channel, meant.account);
        let here = self.occupants_under(channel, meant.account);
        let stood = here.iter().filter_map(|&key| self.refresh(channel, key)).collect();
        let leaving = if is_turned_out { here } else { Vec::new() };
        let is_quiet = meant.name.is_none();
        let name = meant.name.or_else(|| self.accounts.name_of(meant.account).cloned());
        let lifts_ban = before == Affiliation::Outcast && !is_banned && only.is_none();
        Ok(Applied { is_change: true, name, is_quiet, lifts_ban, stood, leaving })
    }

    /// Who entered a room in which people are not known with an account that is no more is still what it was.
    fn take_standing(
        &mut self,
        channel: ChannelId,
        account: AccountId,
        affiliation: Affiliation,
    ) -> Result<Applied, Refusal> {
        if affiliation != Affiliation::None {
            return Err(Refusal::NoSuchAccount);
        }
        let here = self.occupants_under(channel, account);
        let stood: Vec<_> = here.iter().filter_map(|&key| self.refresh(channel, key)).collect();
        let name = stood.first().map(|stood| stood.name.clone());
        Ok(Applied { is_change: !stood.is_empty(), name, stood, ..Applied::default() })
    }

    /// What cannot be, whoever wants it.
    fn check_consequences(&self, room: &Room, record: &MemberRecord, after: Affiliation) -> Outcome {
        let owners = room.members().map_or(0, |members| members.owners_len());
        if record.affiliation == Affiliation::Owner && owners == 1 {
            return Err(Refusal::LastOwner);
        }
        if after == Affiliation::Owner && room.is_lasting() {
            self.check_lasting_rooms(record.account)?;
        }
        let members_max = self.members_max();
        let is_new = room.member(record.account).is_none();
        if is_new && room.members().is_some_and(|members| members.len() >= members_max) {
            return Err(Refusal::TooManyMembers { members_max });
        }
        Ok(())
    }

    /// Whether somebody may own one more room that lasts.
    pub(super) fn check_lasting_rooms(&self, owner: AccountId) -> Outcome {
        let rooms_max = self.limits.rooms_per_account_max;
        let owned = self.lasting_of.get(&owner).copied().unwrap_or_default();
        if owned >= rooms_max { Err(Refusal::TooManyLastingRooms { rooms_max }) } else { Ok(()) }
    }

    /// Keeps an account from speaking in a room, or no longer.
    pub(super) fn mute(
        &mut self,
        asker: Asker,
        rank: Rank,
        channel: ChannelId,
        (whom, on): (&str, bool),
        terms: Terms<'_>,
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        self.check_text_or_empty(terms.reason, self.limits.kick_bytes_max)?;
        let meant = self.account_meant(asker, channel, whom)?;
        let (room, user) = (self.room(channel)?, self.user(asker.user)?);
        // Where people are not known, to find out whose account it is there is for those alone who may know.
        let is_hiding = room.settings.flags.has(Flag::SemiAnonymous);
        if is_hiding && !meant.is_by_name && rank.check(Act::EditMembers).is_err() {
            return Err(Refusal::NoSuchAccount);
        }
        if self.accounts.name_of(meant.account).is_none() {
            return Err(Refusal::NoSuchAccount);
        }
        let record = room.member_or_stranger(meant.account);
        let is_out_of_reach = record.affiliation >= Affiliation::Admin
            || !may_touch(rank.standing.affiliation, record.affiliation);
        if on && is_out_of_reach {
            return Err(Refusal::OutOfReach);
        }
        let until_millis = terms.until_millis(asker.now.unix_millis).filter(|_| on);
        if record.muted.is_some() == on && record.muted_until_millis() == until_millis {
            return Ok(Applied::default());
        }
        self.check_consequences_of_note(room, meant.account)?;
        let (by, reason) = (room.name_of(user).shown().into(), terms.reason.into());
        let muted = on.then(|| Box::new(Note { by, reason, at_millis: asker.now.unix_millis, until_millis }));
        let record = MemberRecord { muted, has_voice: record.has_voice && !on, ..record };
        self.set_member(channel, record, fx);
        let here = self.occupants_under(channel, meant.account);
        let stood = here.iter().filter_map(|&key| self.refresh(channel, key)).collect();
        Ok(Applied { is_change: true, stood, is_quiet: is_hiding && !meant.is_by_name, ..Applied::default() })
    }

    fn check_consequences_of_note(&self, room: &Room, account: AccountId) -> Outcome {
        let members_max = self.members_max();
        let is_full = room.members().is_some_and(|members| members.len() >= members_max);
        if is_full && room.member(account).is_none() {
            return Err(Refusal::TooManyMembers { members_max });
        }
        Ok(())
    }

    /// Who has a voice in a moderated room keeps it, if they have an account and there is space; likewise who has none
    /// any more.
    pub(super) fn keep_voice(&mut self, channel: ChannelId, user: UserName, on: bool, fx: &mut impl Effects) {
        let Some(room) = self.channels.room(channel) else { return };
        let key = room.user_at(user.key(), &self.names);
        let Some(user) = key.and_then(|key| self.users.get(&key)) else { return };
        let Some(account) = room.account_here(user) else { return };
        if self.accounts.name_of(account).is_none() {
            return;
        }
        let record = room.member_or_stranger(account);
        let is_kept = on && room.settings.flags.has(Flag::Moderated);
        if record.has_voice == is_kept || (is_kept && self.check_consequences_of_note(room, account).is_err())
        {
            return;
        }
        self.set_member(channel, MemberRecord { has_voice: is_kept, ..record }, fx);
    }

    /// An occupant's account, or that of this name.
    fn account_meant(&self, asker: Asker, channel: ChannelId, whom: &str) -> Result<Meant, Refusal> {
        let room = self.room(channel)?;
        if let Ok((key, name)) = self.occupant_of(asker, channel, whom) {
            let account = room.account_here(self.user(key)?).ok_or(Refusal::NoSuchAccount)?;
            return Ok(Meant { account, name: Some(name.clone()), is_by_name: true });
        }
        let account = self.account_named(whom).ok_or(Refusal::NoSuchAccount)?;
        let here = self.occupants_under(channel, account);
        let here = here.first().and_then(|key| self.users.get(key));
        let name = here.map(|user| room.name_of(user).clone());
        Ok(Meant { account, name, is_by_name: false })
    }

    /// An account that is spoken of in a room, and what it is called there.
    pub(super) fn account_in(
        &self,
        asker: Asker,
        channel: ChannelId,
        whom: &str,
    ) -> Result<(AccountId, UserName), Refusal> {
        let Meant { account, name, .. } = self.account_meant(asker, channel, whom)?;
        let name = name.or_else(|| self.accounts.name_of(account).cloned());
        Ok((account, name.ok_or(Refusal::NoSuchAccount)?))
    }

    /// To those who say who is what in a room: its admins and owners; where it has no owner, whoever moderates it. Not to
    /// the session whose doing it is.
    pub(super) fn tell_keepers(
        &self,
        cause: SessionId,
        channel: ChannelId,
        room: &Room,
        event: Event<'_>,
        fx: &mut impl Effects,
    ) {
        for name in room.ranked.keys() {
            let Some(key) = room.user_at(name, &self.names) else { continue };
            let Some(user) = self.users.get(&key) else { continue };
            if Rank::of(user, room).check(Act::EditMembers).is_ok() {
                for to in user.seats(key).filter(|seat| *seat != cause) {
                    fx.emit(Effect::Send { to, cause, channel, room: Some(&room.name), event });
                }
            }
        }
    }
}

impl Rank {
    pub(super) fn of(user: &User, room: &Room) -> Rank {
        let standing = room.standing(room.key_of(user));
        Rank { standing, flags: room.settings.flags, is_owned: room.is_owned() }
    }

    /// Of somebody who need not be in the room: there they would have no role.
    pub(super) fn from_outside(user: &User, room: &Room) -> Rank {
        let rank = Rank::of(user, room);
        Rank { standing: super::Standing { affiliation: room.affiliation(user), ..rank.standing }, ..rank }
    }
}

/// Whether a rank is enough to make an account that is `before` into `after`.
fn check_affiliating(rank: Rank, before: Affiliation, after: Affiliation) -> Outcome {
    rank.check(act_of(before, after)).map_err(|refusal| match refusal {
        // Who could do it to others learns that it is because of whom.
        Refusal::NotOwner if after < before && rank.check(Act::EditMembers).is_ok() => Refusal::OutOfReach,
        refusal => refusal,
    })
}

/// The role of moderator that comes with an affiliation is not taken without it (XEP-0045 §5.1.1, §9.7).
pub(super) fn is_by_affiliation(affiliation: Affiliation, role: Role) -> bool {
    affiliation >= Affiliation::Admin && role >= Role::Participant
}
