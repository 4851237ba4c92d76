//! Changes of a room: several at once, each judged for itself, told together. Of what it is set to here; of who is what
//! in it, and of its lists, in `moderation`.

use super::moderation::check_act;
use super::name::UserName;
use super::privileges::Act;
use super::rooms::room_mut;
use super::settings::{Flag, KnownPassword, RoomChange};
use super::veil::to_oneself;
use super::{Asker, ChannelId, Effects, Hub, Outcome, Refusal, Reply, RoomRef};

/// What became of one change that was allowed.
pub(super) enum Applied {
    /// It was so before.
    NoChange,
    /// As it was asked for.
    Yes,
    /// The name as its owner writes it.
    To(UserName),
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
        let allowed = |act| check_act(user, room, act);
        let (configures, grants, bans) = (allowed(Act::Configure), allowed(Act::Grant), allowed(Act::Ban));
        let (mut applied, mut refused) = (Vec::new(), Vec::new());
        for (index, &change) in changes.iter().enumerate() {
            let outcome = match change {
                RoomChange::Grant { .. } | RoomChange::Revoke { .. } => grants,
                RoomChange::AddMask { .. } | RoomChange::RemoveMask { .. } => bans,
                _ => configures,
            };
            match outcome.and_then(|()| self.apply(asker, channel, change, fx)) {
                Ok(Applied::NoChange) => {}
                Ok(Applied::Yes) => applied.push((change, None)),
                Ok(Applied::To(name)) => applied.push((change, Some(name))),
                Err(refusal) => refused.push((index, refusal)),
            }
        }
        let told: Vec<RoomChange<'_>> = applied.iter().map(|(change, name)| named(*change, name)).collect();
        let (asker, room) = (Asker { channel, ..asker }, self.room(channel)?);
        if !told.is_empty() {
            let by = room.person(asker.user, self.user(asker.user)?);
            self.publish_changes(asker, room, (by, &told), fx);
        }
        let told = to_oneself(room, self.user(asker.user)?, &told);
        let reply = Reply::Changed { room: &room.name, asked: changes, changes: &told, refused: &refused };
        asker.reply(fx, reply);
        Ok(())
    }

    fn apply(
        &mut self,
        asker: Asker,
        channel: ChannelId,
        change: RoomChange<'_>,
        fx: &mut impl Effects,
    ) -> Result<Applied, Refusal> {
        match change {
            RoomChange::Flag { flag: Flag::SemiAnonymous, on } => {
                self.set_semi_anonymous(asker, channel, on, fx)
            }
            RoomChange::Flag { flag, on } => {
                let settings = &mut room_mut(&mut self.channels, channel)?.settings;
                let flags = if on { settings.flags.with(flag) } else { settings.flags.without(flag) };
                let applied = replaced(&mut settings.flags, flags);
                if flag == Flag::NoHistory && on {
                    self.end_past(channel, fx);
                }
                Ok(applied)
            }
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
            RoomChange::Grant { role, to } => self.grant(asker, channel, role, to, true),
            RoomChange::Revoke { role, from } => self.grant(asker, channel, role, from, false),
            RoomChange::AddMask { list, mask, .. } => self.add_mask(asker, channel, (list, mask), fx),
            RoomChange::RemoveMask { list, mask } => self.remove_mask(channel, list, mask),
            RoomChange::Affiliate { .. }
            | RoomChange::Unaffiliate { .. }
            | RoomChange::Stands { .. }
            | RoomChange::Preset(_) => Err(Refusal::NotOwner),
        }
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
        return Applied::NoChange;
    }
    *place = new;
    Applied::Yes
}

/// A change with the name as its owner writes it.
fn named<'a>(change: RoomChange<'a>, name: &'a Option<UserName>) -> RoomChange<'a> {
    match (change, name) {
        (RoomChange::Grant { role, .. }, Some(name)) => RoomChange::Grant { role, to: name.shown() },
        (RoomChange::Revoke { role, .. }, Some(name)) => RoomChange::Revoke { role, from: name.shown() },
        (change, _) => change,
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
