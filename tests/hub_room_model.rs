//! One room, held against a model of it that is a few sets and a table of ranks: whoever asks whatever, both say the same
//! of who may, who is in, and what everybody is.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/random.rs"]
mod random;
#[path = "common/recorder.rs"]
mod recorder;

use desk::Desk;
use random::{Random, with_seeds};
use recorder::Answered;
use std::collections::{BTreeMap, BTreeSet};
use switchboard::hub::{
    Affiliation, Command, Departure, Flag, Limits, Refusal, Role, RoomChange, RoomRef, SessionId, Terms,
    Words,
};

const STEPS: usize = 600;

const NAMES: [&str; 5] = ["ann", "bob", "cy", "dan", "eve"];

const TEA: RoomRef<'static> = RoomRef::Named("#tea");

/// What XEP-0045 says of a room, without anything that makes it fast.
#[derive(Default, Debug)]
struct Model {
    /// Not there while nobody has made it.
    exists: bool,
    affiliations: BTreeMap<usize, Affiliation>,
    inside: BTreeSet<usize>,
    moderators: BTreeSet<usize>,
    voiced: BTreeSet<usize>,
    /// Voices that outlast a visit.
    kept: BTreeSet<usize>,
    is_moderated: bool,
    is_for_members: bool,
    is_lasting: bool,
}

impl Model {
    fn affiliation(&self, who: usize) -> Affiliation {
        self.affiliations.get(&who).copied().unwrap_or_default()
    }

    fn role(&self, who: usize) -> Option<Role> {
        if !self.inside.contains(&who) {
            return None;
        }
        let of_affiliation = match self.affiliation(who) {
            Affiliation::Owner | Affiliation::Admin => Role::Moderator,
            Affiliation::Member => Role::Participant,
            _ if self.is_moderated => Role::Visitor,
            _ => Role::Participant,
        };
        let granted = if self.moderators.contains(&who) {
            Role::Moderator
        } else if self.voiced.contains(&who) {
            Role::Participant
        } else {
            Role::Visitor
        };
        Some(of_affiliation.max(granted))
    }

    fn owners(&self) -> usize {
        self.affiliations.values().filter(|affiliation| **affiliation == Affiliation::Owner).count()
    }

    fn join(&mut self, who: usize) -> bool {
        if !self.exists {
            *self = Model { exists: true, ..Model::default() };
            self.affiliations.insert(who, Affiliation::Owner);
        }
        let least = if self.is_for_members { Affiliation::Member } else { Affiliation::None };
        let enters = !self.inside.contains(&who) && self.affiliation(who) >= least;
        if enters {
            self.inside.insert(who);
            if self.kept.contains(&who) {
                self.voiced.insert(who);
            }
        }
        enters
    }

    fn leave(&mut self, who: usize) -> bool {
        let leaves = self.inside.remove(&who);
        self.moderators.remove(&who);
        self.voiced.remove(&who);
        self.exists &= self.is_lasting || !self.inside.is_empty();
        leaves
    }

    fn affiliate(&mut self, by: usize, whom: usize, after: Affiliation) -> bool {
        let before = self.affiliation(whom);
        let least =
            if before.max(after) >= Affiliation::Admin { Affiliation::Owner } else { Affiliation::Admin };
        let resigns = by == whom && after >= Affiliation::None && after <= before;
        let allowed = self.inside.contains(&by)
            && !(by == whom && after == Affiliation::Outcast)
            && (resigns || self.affiliation(by) >= least);
        if !allowed || before == after {
            return allowed;
        }
        if before == Affiliation::Owner && self.owners() == 1 {
            return false;
        }
        self.affiliations.insert(whom, after);
        if after == Affiliation::Outcast {
            self.kept.remove(&whom);
        }
        let is_revoked = self.is_for_members && before >= Affiliation::Member && after < Affiliation::Member;
        if after == Affiliation::Outcast || is_revoked {
            self.leave(whom);
        }
        true
    }

    fn kick(&mut self, by: usize, whom: usize) -> bool {
        let allowed = by != whom
            && self.role(by) == Some(Role::Moderator)
            && self.inside.contains(&whom)
            && self.affiliation(by) >= self.affiliation(whom);
        if allowed {
            self.leave(whom);
        }
        allowed
    }

    fn grant(&mut self, by: usize, whom: usize, role: Role, on: bool) -> bool {
        let may = match role {
            Role::Moderator => self.affiliation(by) >= Affiliation::Admin,
            _ => self.role(by) == Some(Role::Moderator),
        };
        let is_out_of_reach = !on
            && (self.affiliation(whom) >= Affiliation::Admin
                || self.affiliation(by) < self.affiliation(whom));
        if !self.inside.contains(&by) || !may || !self.inside.contains(&whom) || is_out_of_reach {
            return false;
        }
        let set = if role == Role::Moderator { &mut self.moderators } else { &mut self.voiced };
        let is_change = if on { set.insert(whom) } else { set.remove(&whom) };
        if is_change && role == Role::Participant {
            if on && self.is_moderated {
                self.kept.insert(whom);
            } else {
                self.kept.remove(&whom);
            }
        }
        true
    }

    fn set(&mut self, by: usize, flag: Flag, on: bool) -> bool {
        let allowed = self.inside.contains(&by) && self.affiliation(by) == Affiliation::Owner;
        if allowed {
            match flag {
                Flag::Moderated => self.is_moderated = on,
                Flag::MembersOnly => self.is_for_members = on,
                _ => self.is_lasting = on,
            }
        }
        allowed
    }
}

struct World {
    desk: Desk,
    model: Model,
    random: Random,
}

fn session(who: usize) -> SessionId {
    SessionId(who as u64 + 1)
}

impl World {
    fn new(seed: u64) -> World {
        let mut desk = Desk::new(Limits::default());
        for (who, name) in NAMES.iter().enumerate() {
            if who >= 3 {
                desk.login(session(who), name);
            }
            desk.register(session(who));
        }
        World { desk, model: Model::default(), random: Random::new(seed) }
    }

    fn step(&mut self) {
        let (by, whom) = (self.random.below(NAMES.len()), self.random.below(NAMES.len()));
        let on = self.random.chance(60);
        let (expected, what) = match self.random.below(12) {
            0..=3 => {
                let joined = Command::Join { room: "#tea", password: "", past: 0 };
                (self.model.join(by), self.asked(by, joined, "join"))
            }
            4 => (self.model.leave(by), self.asked(by, Command::Leave { room: TEA, text: "" }, "leave")),
            5 => {
                let kick = Command::Kick { room: TEA, who: NAMES[whom], text: "" };
                (self.model.kick(by, whom), self.asked(by, kick, "kick"))
            }
            6..=8 => {
                let all = [
                    Affiliation::Outcast,
                    Affiliation::None,
                    Affiliation::Member,
                    Affiliation::Admin,
                    Affiliation::Owner,
                ];
                let affiliation = *self.random.pick(&all);
                let change = RoomChange::Affiliate { affiliation, whom: NAMES[whom], terms: Terms::NONE };
                (self.model.affiliate(by, whom, affiliation), self.changed(by, change))
            }
            9..=10 => {
                let role = *self.random.pick(&[Role::Participant, Role::Moderator]);
                let change = match on {
                    true => RoomChange::Grant { role, to: NAMES[whom] },
                    false => RoomChange::Revoke { role, from: NAMES[whom] },
                };
                (self.model.grant(by, whom, role, on), self.changed(by, change))
            }
            _ => {
                let flag = *self.random.pick(&[Flag::Moderated, Flag::MembersOnly, Flag::Persistent]);
                (self.model.set(by, flag, on), self.changed(by, RoomChange::Flag { flag, on }))
            }
        };
        let (outcome, what) = what;
        assert_eq!(outcome.is_ok(), expected, "{} {what}: {outcome:?} {:?}", NAMES[by], self.model);
        self.compare();
        // Somebody comes back later, with the same account.
        if self.random.chance(2) {
            self.desk.disconnect(session(by), Departure::Lost);
            self.model.leave(by);
            self.desk.identify(session(by), NAMES[by]);
            self.desk.login(session(by), NAMES[by]);
        }
    }

    fn asked(&mut self, by: usize, command: Command<'_>, what: &str) -> (Result<(), Refusal>, String) {
        let outcome = match self.desk.answer(session(by), command) {
            Answered::Refused(refusal) => Err(refusal),
            _ => Ok(()),
        };
        (outcome, what.to_owned())
    }

    fn changed(&mut self, by: usize, change: RoomChange<'_>) -> (Result<(), Refusal>, String) {
        let refusal = self.desk.unchanged(session(by), "#tea", change);
        (refusal.map_or(Ok(()), Err), format!("{change:?}"))
    }

    /// Who is in, who speaks, and what everybody is.
    fn compare(&mut self) {
        assert_eq!(self.desk.hub.rooms_len(), usize::from(self.model.exists), "{:?}", self.model);
        for (who, name) in NAMES.iter().enumerate() {
            let say = Command::Say { room: TEA, words: Words::message("hello"), least: None };
            let speaks = !matches!(self.desk.answer(session(who), say), Answered::Refused(_));
            let expected = self.model.role(who).is_some_and(|role| role > Role::Visitor);
            assert_eq!(speaks, expected, "{name} speaks: {:?}", self.model);
        }
        let mut members: Vec<String> = Vec::new();
        for (&who, &affiliation) in &self.model.affiliations {
            if affiliation != Affiliation::None || self.model.kept.contains(&who) {
                members.push(format!("{}:{affiliation:?}", NAMES[who]));
            }
        }
        let unnamed = self.model.kept.iter().filter(|who| !self.model.affiliations.contains_key(who));
        members.extend(unnamed.map(|&who| format!("{}:None", NAMES[who])));
        members.sort();
        let owner = self.model.affiliations.iter().find(|(_, is)| **is == Affiliation::Owner);
        if let Some((&owner, _)) = owner.filter(|_| self.model.exists) {
            let command = Command::ListMembers { room: TEA, affiliation: None, after: "" };
            let found = self.desk.answer(session(owner), command);
            assert_eq!(found, Answered::Members(members, None), "{:?}", self.model);
        }
    }
}

#[test]
fn a_room_is_what_its_model_is() {
    with_seeds(0..20, |seed| {
        let mut world = World::new(seed);
        (0..STEPS).for_each(|_| world.step());
    });
}
