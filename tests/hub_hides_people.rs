//! Whatever people do, what a room that hides them is told has no name that they have elsewhere: commands at random,
//! and every effect looked at.

#[path = "common/random.rs"]
mod random;
#[path = "common/recorder.rs"]
mod recorder;

use random::{Random, with_seeds};
use recorder::{Recorder, moment};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use switchboard::hub::record::{Record, Secret};
use switchboard::hub::{
    Affiliation, ChannelId, Command, Departure, Effect, Effects, Event, Flag, Flags, Form, Host, Hub, Limits,
    Marks, MaskList, Observed, PathKey, Proof, Proved, Reply, RequestId, Role, RoomChange, RoomRef,
    SessionId, Terms, UserName, Words,
};

const PEOPLE: usize = 8;
const HIDING: [&str; 2] = ["#masks", "#veils"];
const KNOWING: &str = "#faces";
const STEPS: usize = 4_000;

/// What everybody is called: one part of it is nobody's in a room that hides people.
fn name_of(session: SessionId) -> String {
    format!("secret{}", session.0)
}

/// Holds every effect against what those may know who get it.
struct Watchman {
    world: Recorder,
    /// Who is subscribed to which room that hides people.
    hidden: BTreeSet<ChannelId>,
    /// Passwords to be looked at, all of which are right: whose, and whether it is a new one.
    proofs: Vec<(SessionId, bool)>,
    /// The names that rooms have given.
    names: BTreeSet<String>,
    /// Who answers for which of these rooms, and may know who is in it.
    keepers: BTreeSet<(SessionId, String)>,
    /// Whom an answer has told to be behind a name.
    real: Vec<String>,
    /// Events and lists that were looked at, so that the test tests something.
    seen: usize,
    /// What is being done.
    doing: String,
}

impl Watchman {
    /// `to`: whose own name is no secret.
    fn check(&mut self, to: Option<SessionId>, what: &str) {
        self.seen += 1;
        let names = what.match_indices("anon-").filter_map(|(at, _)| what.get(at..at + 13));
        self.names.extend(names.map(str::to_owned));
        let own = to.map(name_of).unwrap_or_default();
        let bare = if own.is_empty() { what.to_owned() } else { what.replace(&own, "oneself") };
        assert!(!bare.contains("secret"), "{} tells {to:?}: {what}", self.doing);
    }

    /// `real`: who is said to be behind a name in that room.
    fn note_real(&mut self, to: SessionId, room: &str, real: Option<&str>) {
        let Some(real) = real else { return };
        assert!(self.keepers.contains(&(to, room.to_owned())), "{} tells of {real}", self.doing);
        self.real.push(real.to_owned());
    }

    fn is_hiding(name: &str) -> bool {
        HIDING.contains(&name)
    }
}

impl Effects for Watchman {
    fn emit(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Publish { channel, room, event, .. } if Self::is_hiding(room.shown()) => {
                self.hidden.insert(channel);
                self.check(None, &format!("{event:?}"));
            }
            Effect::Send { to, room: Some(room), event, .. }
                if Self::is_hiding(room.shown())
                // Who is invited, the one says who invites.
                && !matches!(event, Event::GuestInvited { .. }) =>
            {
                self.check(Some(to), &format!("{event:?}"));
            }
            Effect::Send { to, event: Event::Told { from, words, .. }, .. } if from.hidden_host.is_some() => {
                self.check(Some(to), &format!("{from:?} {words:?}"));
            }
            Effect::PublishToNeighbours { channels, .. } => {
                let told: Vec<_> = channels.iter().filter(|channel| self.hidden.contains(channel)).collect();
                assert!(told.is_empty(), "{} is told through {told:?}", self.doing);
            }
            Effect::Reply { to, reply: Reply::Occupants { room, entries, .. }, .. }
                if Self::is_hiding(room.shown()) =>
            {
                for entry in entries.iter().filter(|entry| entry.person.session != to) {
                    self.check(Some(to), &format!("{:?} {:?}", entry.person, entry.place));
                    self.note_real(to, room.shown(), entry.real.map(UserName::shown));
                }
            }
            Effect::Reply { to, reply: Reply::Look(look), .. } => {
                if look.person.hidden_host.is_some() {
                    self.check(Some(to), &format!("{:?} {:?}", look.person, look.places));
                    let [place] = look.places else { panic!("{:?}", look.places) };
                    let real = look.real.filter(|real| real.session != to);
                    self.note_real(to, place.room.shown(), real.map(|real| real.name.shown()));
                } else if look.person.session != to {
                    let rooms = look.places.iter().map(|place| place.room.shown());
                    for room in rooms.filter(|name| Self::is_hiding(name)) {
                        assert!(self.keepers.contains(&(to, room.to_owned())), "{}", self.doing);
                    }
                }
            }
            Effect::Reply { to, reply: Reply::Joined { room, subject, standing, .. }, .. }
                if Self::is_hiding(room.shown()) =>
            {
                self.check(Some(to), &format!("{subject:?}"));
                let keeper = (to, room.shown().to_owned());
                match standing.affiliation >= Affiliation::Admin {
                    true => self.keepers.insert(keeper),
                    false => self.keepers.remove(&keeper),
                };
            }
            Effect::Reply { to, reply, .. } if format!("{reply:?}").contains("anon-") => {
                if matches!(reply, Reply::Subject { .. } | Reply::Masks { .. } | Reply::Sent { .. }) {
                    self.check(Some(to), &format!("{reply:?}"));
                }
            }
            _ => {}
        }
    }

    fn observed(&self, session: SessionId) -> Option<Observed> {
        self.world.observed(session)
    }

    fn host(&self, session: SessionId) -> Host {
        self.world.host(session)
    }

    fn prove(&mut self, session: SessionId, proof: Proof<'_>) {
        self.proofs.push((session, !matches!(proof, Proof::Check { .. })));
    }

    fn guess_wait(&self, _: SessionId, _: &str) -> Option<Duration> {
        None
    }

    fn note_guess(&mut self, _: SessionId, _: &str, _: bool) {}

    fn can_store(&self) -> bool {
        true
    }

    fn store(&mut self, _: Record) {}

    fn digest(&self, what: &[u8]) -> [u8; 5] {
        self.world.digest(what)
    }

    fn fresh_key(&mut self) -> PathKey {
        self.world.fresh_key()
    }
}

struct Play {
    hub: Hub,
    watchman: Watchman,
    random: Random,
    now: Instant,
}

impl Play {
    fn new(seed: u64) -> Play {
        let limits = Limits { new_rooms: Flags::NONE.with(Flag::SemiAnonymous), ..Limits::default() };
        let watchman = Watchman {
            world: Recorder::default(),
            hidden: BTreeSet::new(),
            proofs: Vec::new(),
            names: BTreeSet::new(),
            keepers: BTreeSet::new(),
            real: Vec::new(),
            seen: 0,
            doing: String::new(),
        };
        Play { hub: Hub::new(limits), watchman, random: Random::new(seed), now: Instant::now() }
    }

    fn ask(&mut self, session: SessionId, command: Command<'_>) {
        self.watchman.doing = format!("{session:?}: {command:?}");
        self.now += Duration::from_millis(700);
        self.hub.handle(moment(self.now), session, RequestId(1), command, &mut self.watchman);
        for (session, is_new) in std::mem::take(&mut self.watchman.proofs) {
            let proved = match is_new {
                true => Proved::Made(Secret { hash: "hash".into(), scram: None }),
                false => Proved::Right,
            };
            self.hub.proved(moment(self.now), session, proved, &mut self.watchman);
        }
        if let Err(why) = self.hub.audit() {
            panic!("{}: {why}", self.watchman.doing);
        }
    }

    fn log_in(&mut self, session: SessionId) {
        let name = name_of(session);
        // Which is somebody's account by now, or is not.
        self.ask(session, Command::Identify { name: &name, password: "sesame" });
        let (username, realname) = (format!("{name}u"), format!("{name} r"));
        let command =
            Command::Login { name: &name, payload_max: 100, username: &username, realname: &realname };
        self.ask(session, command);
    }

    fn a_name(&mut self) -> String {
        let names: Vec<&String> = self.watchman.names.iter().collect();
        match self.random.below(3) {
            0 if !names.is_empty() => (*self.random.pick(&names)).clone(),
            _ => name_of(self.anybody()),
        }
    }

    fn anybody(&mut self) -> SessionId {
        SessionId(1 + self.random.below(PEOPLE) as u64)
    }

    fn step(&mut self) {
        let session = self.anybody();
        let room = *self.random.pick(&[HIDING[0], HIDING[1], KNOWING]);
        let named = RoomRef::Named(room);
        let who = self.a_name();
        let (who, words) = (&*who, Words { form: Form::Message, text: "words", tags: "" });
        let change = |change| Command::Change { room: named, changes: Box::new([change]) };
        let flag = *self.random.pick(&[Flag::Moderated, Flag::Hidden]);
        let role = *self.random.pick(&[Role::Moderator, Role::Participant]);
        let on = self.random.chance(50);
        let command = match self.random.below(26) {
            0..=3 => Command::Join { room, password: "", past: 0 },
            4 => Command::Leave { room: named, text: "bye" },
            5 => Command::Say { room: named, words, least: None },
            6 => Command::Say { room: named, words, least: Some(Role::Moderator) },
            7 => Command::Tell { to: who, words, even_oneself: on },
            8 => Command::SetSubject { room: named, text: "subject" },
            9 => change(RoomChange::Flag { flag, on }),
            10 => change(RoomChange::Grant { role, to: who }),
            11 => change(RoomChange::Revoke { role, from: who }),
            12 => {
                change(RoomChange::AddMask { list: MaskList::Bans, mask: "nobody!*@*", terms: Terms::NONE })
            }
            13 => Command::Kick { room: named, who, text: "" },
            14 => Command::Invite { room: named, who },
            15 => Command::Who { room: named, after: "", in_full: on },
            16 | 17 => Command::Look { name: who },
            18 => Command::SetAway { text: on.then_some("secretly") },
            19 => Command::SetRealName { text: "secret name" },
            20 => Command::SetMarks { set: Marks::INVISIBLE, clear: Marks::NONE },
            21 => Command::Register { name: "", password: "sesame" },
            22 => Command::Identify { name: "", password: "sesame" },
            23 => Command::Watch { names: Box::new([who]) },
            24 => Command::ListMasks { room: named, list: MaskList::Bans, from: 0 },
            _ => {
                let name = format!("{}{}", name_of(session), if on { "" } else { "x" });
                return self.ask(session, Command::Rename { name: &name });
            }
        };
        self.ask(session, command);
    }
}

#[test]
fn no_name_from_elsewhere_gets_into_a_room_that_hides_people() {
    with_seeds(0..8, |seed| {
        let mut play = Play::new(seed);
        // Somebody keeps the one room in which people are known.
        let keeper = SessionId(PEOPLE as u64 + 1);
        play.log_in(keeper);
        play.ask(keeper, Command::Join { room: KNOWING, password: "", past: 0 });
        let change = RoomChange::Flag { flag: Flag::SemiAnonymous, on: false };
        play.ask(keeper, Command::Change { room: RoomRef::Named(KNOWING), changes: Box::new([change]) });
        (1..=PEOPLE as u64).for_each(|n| play.log_in(SessionId(n)));
        for _ in 0..STEPS {
            if play.random.below(60) == 0 {
                let session = play.anybody();
                play.watchman.doing = format!("{session:?} is gone");
                let (now, why) = (moment(play.now), Departure::Quit("secretly"));
                play.hub.disconnect(now, session, why, &mut play.watchman);
                play.log_in(session);
            }
            play.step();
        }
        assert!(play.watchman.seen > STEPS / 10, "{} looked at", play.watchman.seen);
        assert!(play.watchman.names.len() > PEOPLE, "{:?}", play.watchman.names);
    });
}

#[test]
fn who_answers_for_a_room_learns_who_is_behind_a_name_and_nobody_else_does() {
    let mut play = Play::new(1);
    let [owner, guest, other] = [1, 2, 3].map(SessionId);
    for session in [owner, guest, other] {
        play.log_in(session);
    }
    play.ask(owner, Command::Register { name: "", password: "sesame" });
    for session in [owner, guest, other] {
        play.ask(session, Command::Join { room: HIDING[0], password: "", past: 0 });
    }
    for (session, expected) in [(owner, &["secret2", "secret3"][..]), (other, &[])] {
        let who = Command::Who { room: RoomRef::Named(HIDING[0]), after: "", in_full: true };
        play.ask(session, who);
        let mut real = std::mem::take(&mut play.watchman.real);
        real.sort_unstable();
        assert_eq!(real, expected, "as {session:?} sees it");
    }
    let names: Vec<String> = play.watchman.names.iter().cloned().collect();
    assert_eq!(names.len(), 3);
    for (session, expected) in [(owner, 2), (other, 0)] {
        for name in &names {
            play.ask(session, Command::Look { name });
        }
        assert_eq!(std::mem::take(&mut play.watchman.real).len(), expected, "as {session:?} sees it");
    }
}
