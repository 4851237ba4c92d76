//! Changes of a room: several at once, each judged for itself, told together. Of what it is set to here; of who is what
//! in it, and of its lists, in `affiliations` and `moderation`.

use super::affiliations::ACCOUNT_SIGN;
use super::lasting::check_durable;
use super::members::Stood;
use super::moderation::check_act;
use super::name::UserName;
use super::privileges::{Act, Rank};
use super::role::{Affiliation, Role};
use super::rooms::room_mut;
use super::settings::{Flag, Flags, KnownPassword, MaskList, Preset, RoomChange, Terms};
use super::veil::to_oneself;
use super::{Asker, ChannelId, Effects, Event, Hub, Outcome, Refusal, Reply, RequestId, RoomRef, UserKey};

/// What became of one change that was allowed. By default: it was so before.
#[derive(Default)]
pub(super) struct Applied {
    pub is_change: bool,
    /// Whom it is about, as those know them who are told.
    pub name: Option<UserName>,
    /// It is about an account that is not there, of which not everybody is told.
    pub is_quiet: bool,
    /// It ends a ban, by saying what else the account is.
    pub lifts_ban: bool,
    pub stood: Vec<Stood>,
    /// Who does not stay.
    pub leaving: Vec<UserKey>,
}

/// What became of several.
struct Outcomes<'a> {
    asked: &'a [RoomChange<'a>],
    applied: &'a [(RoomChange<'a>, Applied)],
    /// By their index among those asked for.
    refused: &'a [(usize, Refusal)],
}

impl Applied {
    /// As it was asked for.
    pub fn yes() -> Applied {
        Applied { is_change: true, ..Applied::default() }
    }

    /// The same, with a name as its owner writes it.
    pub fn to(name: UserName) -> Applied {
        Applied { name: Some(name), ..Applied::yes() }
    }
}

impl Hub {
    pub(super) fn change(
        &mut self,
        asker: Asker,
        room: RoomRef<'_>,
        changes: &[RoomChange<'_>],
        fx: &mut impl Effects,
    ) -> Outcome {
        let (channel, user, room) = self.occupied(asker, room)?;
        let changes_max = self.limits.changes_max;
        if changes.len() > changes_max {
            return Err(Refusal::TooManyChanges { changes_max });
        }
        // As things were before the first of them: who takes the role from themselves still does the rest.
        let rank = Rank::of(user, room);
        let (before, was_lasting) = (room.settings.clone(), room.is_lasting());
        let (mut applied, mut refused) = (Vec::new(), Vec::new());
        for (index, &change) in changes.iter().enumerate() {
            let change = canonical(change);
            let mut outcome = self.check_change(rank, channel, change, fx);
            for change in parts(change) {
                outcome = outcome.and_then(|()| {
                    let one = self.apply(asker, rank, channel, change, fx)?;
                    applied.extend(one.is_change.then_some((change, one)));
                    Ok(())
                });
            }
            refused.extend(outcome.err().map(|refusal| (index, refusal)));
        }
        // Who makes a room last has all of it written down by that.
        let is_kept = !was_lasting && changes.len() == 1;
        if !is_kept && self.room(channel)?.settings != before {
            self.keep_room(channel, fx);
        }
        self.tell_changes(
            asker,
            channel,
            Outcomes { asked: changes, applied: &applied, refused: &refused },
            fx,
        )
    }

    /// One change that follows from something else than a request for it.
    pub(super) fn change_one(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        change: RoomChange<'_>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let room = self.room(channel)?;
        let rank = Rank::of(self.user(asker.user)?, room);
        self.check_change(rank, channel, change, fx)?;
        let one = self.apply(asker, rank, channel, change, fx)?;
        let applied = [(change, one)];
        let applied = if applied.iter().all(|(_, one)| one.is_change) { &applied[..] } else { &[] };
        let cause = Asker { request: RequestId::NONE, ..asker };
        self.tell_changes(cause, channel, Outcomes { asked: &[], applied, refused: &[] }, fx)
    }

    /// Whether the asker may do that at all, and whether it can last where it has to.
    fn check_change(
        &self,
        rank: Rank,
        channel: ChannelId,
        change: RoomChange<'_>,
        fx: &impl Effects,
    ) -> Outcome {
        let room = self.room(channel)?;
        let for_the_visit = match change {
            RoomChange::Grant { role: Role::Participant, .. }
            | RoomChange::Revoke { role: Role::Participant, .. } => {
                rank.check(Act::Grant)?;
                !room.settings.flags.has(Flag::Moderated)
            }
            RoomChange::Grant { .. } | RoomChange::Revoke { .. } => {
                rank.check(Act::MakeModerators)?;
                true
            }
            RoomChange::AddMask { .. } | RoomChange::RemoveMask { .. } => {
                rank.check(Act::Ban)?;
                false
            }
            // Who may do that depends on whom it is about.
            RoomChange::Affiliate { .. } | RoomChange::Unaffiliate { .. } => false,
            RoomChange::Flag { .. }
            | RoomChange::Password(_)
            | RoomChange::OccupantsMax(_)
            | RoomChange::Preset(_) => {
                rank.check(Act::Configure)?;
                false
            }
            RoomChange::Stands { .. } => return Err(Refusal::BadRole),
        };
        if let RoomChange::Preset(preset) = change {
            let (decided, set) = preset.flags();
            if decided.has(Flag::SemiAnonymous) {
                self.check_hiding(channel, set.has(Flag::SemiAnonymous))?;
            }
        }
        if room.is_lasting() && !for_the_visit { check_durable(fx) } else { Ok(()) }
    }

    fn apply(
        &mut self,
        asker: Asker,
        rank: Rank,
        channel: ChannelId,
        change: RoomChange<'_>,
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        match change {
            RoomChange::Flag { flag, on } => self.set_flag(asker, channel, flag, on, fx),
            RoomChange::Password(password) => {
                check_password(password, self.limits.password_bytes_max)?;
                let settings = &mut room_mut(&mut self.channels, channel)?.settings;
                Ok(replaced(&mut settings.password, password.map(Into::into)))
            }
            RoomChange::OccupantsMax(Some(0)) => Err(Refusal::BadOccupantsMax),
            RoomChange::OccupantsMax(occupants_max) => {
                let settings = &mut room_mut(&mut self.channels, channel)?.settings;
                Ok(replaced(&mut settings.occupants_max, occupants_max))
            }
            RoomChange::Grant { role, to } => self.grant(asker, rank, channel, (role, to, true), fx),
            RoomChange::Revoke { role, from } => self.grant(asker, rank, channel, (role, from, false), fx),
            RoomChange::AddMask { list, mask, terms } => match account_in(mask) {
                None => self.add_mask(asker, channel, (list, mask, terms), fx),
                Some(whom) if list == MaskList::Mutes => {
                    self.mute(asker, rank, channel, (whom, true), terms, fx)
                }
                Some(_) => Err(Refusal::BadMask),
            },
            RoomChange::RemoveMask { list, mask } => match account_in(mask) {
                Some(whom) if list == MaskList::Mutes => {
                    self.mute(asker, rank, channel, (whom, false), Terms::NONE, fx)
                }
                _ => self.remove_mask(channel, list, mask, fx),
            },
            RoomChange::Affiliate { affiliation, whom, terms } => {
                self.affiliate(asker, rank, channel, (affiliation, None), (whom, terms), fx)
            }
            RoomChange::Unaffiliate { affiliation, whom } => {
                let change = (Affiliation::None, Some(affiliation));
                self.affiliate(asker, rank, channel, change, (whom, Terms::NONE), fx)
            }
            RoomChange::Stands { .. } | RoomChange::Preset(_) => Ok(Applied::default()),
        }
    }

    fn set_flag(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        flag: Flag,
        on: bool,
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        let flags = self.room(channel)?.settings.flags;
        if flags.has(flag) == on {
            return Ok(Applied::default());
        }
        match flag {
            Flag::Persistent if on => self.begin_lasting(channel, fx)?,
            Flag::Persistent => self.end_lasting(channel, fx),
            Flag::SemiAnonymous => {
                self.check_hiding(channel, on)?;
                self.set_semi_anonymous(asker, channel, on, fx)?;
                let stood = self.refresh(channel, asker.user).into_iter().collect();
                return Ok(Applied { stood, ..Applied::yes() });
            }
            Flag::NoHistory if on => {
                self.put_flag(channel, flag, on)?;
                self.end_past(channel, fx);
            }
            flag => self.put_flag(channel, flag, on)?,
        }
        Ok(Applied::yes())
    }

    pub(super) fn put_flag(&mut self, channel: ChannelId, flag: Flag, on: bool) -> Outcome {
        let flags: &mut Flags = &mut room_mut(&mut self.channels, channel)?.settings.flags;
        *flags = if on { flags.with(flag) } else { flags.without(flag) };
        Ok(())
    }

    /// Whether people are known in a room changes only while there is nobody to be told of, or to tell.
    fn check_hiding(&self, channel: ChannelId, on: bool) -> Outcome {
        let room = self.room(channel)?;
        let is_change = room.settings.flags.has(Flag::SemiAnonymous) != on;
        if is_change && room.occupants.len() > 1 { Err(Refusal::OthersAreThere) } else { Ok(()) }
    }

    /// First what has changed, then who does not stay because of it, then the answer.
    fn tell_changes(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        Outcomes { asked, applied, refused }: Outcomes<'_>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let asker = Asker { channel, ..asker };
        let (mut public, mut quiet, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for (change, one) in applied {
            let change = named(*change, &one.name);
            let told = if one.is_quiet { &mut quiet } else { &mut public };
            let lifted = change.lifted().filter(|_| one.lifts_ban);
            for change in lifted.into_iter().chain([change]) {
                all.push(change);
                told.push(change);
            }
            let stood = one.stood.iter().map(Stood::change);
            all.extend(stood.clone());
            public.extend(stood);
        }
        let room = self.room(channel)?;
        let user = self.user(asker.user)?;
        let by = Some(room.person(asker.user, user));
        if !public.is_empty() {
            self.publish_changes((asker.session, channel), room, (by, &public), fx);
        }
        if !quiet.is_empty() {
            self.tell_keepers(asker.session, channel, room, Event::Changed { by, changes: &quiet }, fx);
        }
        let all = to_oneself(room, user, &all);
        let reply = Reply::Changed { room: &room.name, asked, changes: &all, refused };
        asker.reply(fx, reply);
        for (change, one) in applied {
            for &key in &one.leaving {
                self.turn_out(Some(asker), channel, key, reason_of(*change), fx);
            }
        }
        Ok(())
    }

    /// The password itself is shown to those who could set another one.
    pub(super) fn show_settings(&self, asker: Asker, room: RoomRef<'_>, fx: &mut impl Effects) -> Outcome {
        let (channel, user, room) = self.found(asker, room)?;
        let is_inside = user.is_in(channel);
        let password = match room.settings.password.as_deref() {
            None => KnownPassword::None,
            Some(password) if is_inside && check_act(user, room, Act::Configure).is_ok() => {
                KnownPassword::Shown(password)
            }
            Some(_) => KnownPassword::Secret,
        };
        let reply = Reply::Settings {
            room: &room.name,
            flags: room.settings.flags,
            occupants_max: room.settings.occupants_max,
            password,
            made_millis: room.made_millis,
        };
        asker.reply(fx, reply);
        Ok(())
    }
}

fn replaced<T: PartialEq>(place: &mut T, new: T) -> Applied {
    if *place == new {
        return Applied::default();
    }
    *place = new;
    Applied::yes()
}

impl<'a> RoomChange<'a> {
    /// The ban that ends where an account becomes something else.
    fn lifted(self) -> Option<RoomChange<'a>> {
        let RoomChange::Affiliate { whom, .. } = self else { return None };
        Some(RoomChange::Unaffiliate { affiliation: Affiliation::Outcast, whom })
    }
}

/// The account that stands where a mask is expected.
fn account_in(mask: &str) -> Option<&str> {
    mask.strip_prefix(ACCOUNT_SIGN)
}

/// A change in the one way in which it is told: to ban an account's mask is to ban the account.
fn canonical(change: RoomChange<'_>) -> RoomChange<'_> {
    let banned = |mask| account_in(mask).map(|whom| (Affiliation::Outcast, whom));
    match change {
        RoomChange::AddMask { list: MaskList::Bans, mask, terms } => match banned(mask) {
            Some((affiliation, whom)) => RoomChange::Affiliate { affiliation, whom, terms },
            None => change,
        },
        RoomChange::RemoveMask { list: MaskList::Bans, mask } => match banned(mask) {
            Some((affiliation, whom)) => RoomChange::Unaffiliate { affiliation, whom },
            None => change,
        },
        change => change,
    }
}

/// The single changes that one comes to.
fn parts(change: RoomChange<'_>) -> impl Iterator<Item = RoomChange<'_>> {
    let preset: Option<Preset> = match change {
        RoomChange::Preset(preset) => Some(preset),
        _ => None,
    };
    let flags = preset.into_iter().flat_map(|preset| {
        let (decided, set) = preset.flags();
        decided.iter().map(move |flag| RoomChange::Flag { flag, on: set.has(flag) })
    });
    flags.chain(preset.is_none().then_some(change))
}

/// Why somebody does not stay.
fn reason_of(change: RoomChange<'_>) -> &str {
    match change {
        RoomChange::Affiliate { terms, .. } => terms.reason,
        _ => "",
    }
}

/// A change with the name as its owner writes it.
fn named<'a>(change: RoomChange<'a>, name: &'a Option<UserName>) -> RoomChange<'a> {
    let Some(name) = name else { return change };
    match change {
        RoomChange::Grant { role, .. } => RoomChange::Grant { role, to: name.shown() },
        RoomChange::Revoke { role, .. } => RoomChange::Revoke { role, from: name.shown() },
        RoomChange::Affiliate { affiliation, terms, .. } => {
            RoomChange::Affiliate { affiliation, whom: name.shown(), terms }
        }
        RoomChange::Unaffiliate { affiliation, .. } => {
            RoomChange::Unaffiliate { affiliation, whom: name.shown() }
        }
        change => change,
    }
}

/// One word that can be said in a list of words.
fn check_password(password: Option<&str>, bytes_max: u8) -> Outcome {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || c == ',';
    let is_good = |text: &str| {
        !text.is_empty() && text.len() <= bytes_max.into() && !text.starts_with(':') && !text.contains(is_bad)
    };
    if password.is_none_or(is_good) { Ok(()) } else { Err(Refusal::BadRoomPassword) }
}
