//! Whatever people do, what a room that hides them is told has no name that they have elsewhere: commands at random,
//! and every effect looked at.

#[path = "common/random.rs"]
mod random;
#[path = "common/recorder.rs"]
mod recorder;

use random::{Random, with_seeds};
use recorder::{Recorder, moment};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use switchboard::hub::record::{Record, Secret, Span};
use switchboard::hub::{
    Affiliation, ChannelId, Command, Departure, Effect, Effects, Event, Flag, Flags, Form, Host, Hub, Limits,
    Marks, MaskList, MessageId, Observed, Part, PathKey, Proof, Proved, Reply, RequestId, Role, RoomChange,
    RoomRef, SessionId, Terms, UserName, Wish, Words,
};

const PEOPLE: usize = 8;
const HIDING: [&str; 3] = ["#masks", "#veils", "#capes"];
const KNOWING: &str = "#faces";
const STEPS: usize = 4_000;

/// What everybody is called: one part of it is nobody's in a room that hides people. Everybody has two clients.
fn name_of(session: SessionId) -> String {
    format!("secret{}", session.0 % SECOND)
}

/// How much more the number of somebody's second client is.
const SECOND: u64 = 100;

fn are_one(session: SessionId, other: SessionId) -> bool {
    session.0 % SECOND == other.0 % SECOND
}

/// Without what somebody is besides their name, where it is they who are told.
fn without_own_profile(what: &str, own: &str) -> String {
    let mut parts = what.split(", profile: Some(");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let whose = bare.rsplit("name: \"").next().unwrap_or_default();
        match part.split_once(", account: ") {
            Some((_, rest)) if whose.starts_with(own) => bare.push_str(rest),
            _ => bare.push_str(part),
        }
    }
    bare
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
    /// Who gets what is published, and what the others there call them.
    inside: BTreeSet<(ChannelId, SessionId)>,
    called: BTreeMap<(ChannelId, SessionId), String>,
    asker: SessionId,
    /// A name that is in the command: who wrote it learns nothing by reading it again.
    written: String,
    /// The message that was said last.
    last: MessageId,
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
        let bare = if own.is_empty() {
            what.to_owned()
        } else {
            without_own_profile(what, &own).replace(&own, "oneself")
        };
        let bare = match to {
            Some(to) if to == self.asker => bare.replace(&format!("{:?}", self.written), "the one"),
            _ => bare,
        };
        assert!(!bare.contains("secret"), "{} tells {to:?}: {what}", self.doing);
    }

    /// `real`: who is said to be behind a name in that room.
    fn note_real(&mut self, to: SessionId, room: &str, real: Option<&str>) {
        let Some(real) = real else { return };
        assert!(self.keeps(to, room), "{} tells of {real}", self.doing);
        self.real.push(real.to_owned());
    }

    fn is_hiding(name: &str) -> bool {
        HIDING.contains(&name)
    }

    fn keeps(&self, session: SessionId, room: &str) -> bool {
        // An account answers for it from outside as well, and by each of its clients.
        self.keepers.iter().any(|(keeper, of)| are_one(*keeper, session) && of == room)
    }

    /// What one hears of oneself is about oneself: nobody knows themselves by the name that the others know.
    fn check_own(&self, channel: ChannelId, cause: SessionId, what: &str) {
        let told = self.inside.iter().filter(|&&(of, session)| of == channel && session != cause);
        for key @ (_, session) in told {
            let called = self.called.get(key);
            let is_strange = called.is_some_and(|called| what.contains(called.as_str()));
            assert!(!is_strange, "{} tells {session:?} of themselves as {called:?}: {what}", self.doing);
        }
    }

    /// Who stands otherwise is told so by their own name; of an account that is not there, those are told who may know it.
    fn note_standing(&mut self, to: SessionId, room: &str, changes: &[RoomChange<'_>]) {
        for change in changes {
            let (whom, affiliation) = match *change {
                RoomChange::Stands { whom, after, .. } => (whom, after.affiliation),
                RoomChange::Affiliate { whom, affiliation, .. } => (whom, affiliation),
                RoomChange::Unaffiliate { whom, .. } => (whom, Affiliation::None),
                _ => continue,
            };
            let named = whom.strip_prefix("secret").map(|rest| rest.trim_end_matches('x').parse());
            let Some(Ok(number)) = named else { continue };
            let whose = if whom.starts_with(&name_of(to)) { to } else { SessionId(number) };
            self.keepers.retain(|(keeper, of)| !are_one(*keeper, whose) || of != room);
            self.set_keeper(whose, room, affiliation);
        }
    }

    fn set_keeper(&mut self, session: SessionId, room: &str, affiliation: Affiliation) {
        let keeper = (session, room.to_owned());
        match affiliation >= Affiliation::Admin {
            true => self.keepers.insert(keeper),
            false => self.keepers.remove(&keeper),
        };
    }

    /// The answer to a question about a room that hides people, or to a change of it.
    fn check_answer(&mut self, to: SessionId, reply: Reply<'_>) {
        let (room, told) = match reply {
            Reply::Past { room, entries, .. } => (room, format!("{entries:?}")),
            Reply::Members { room, entries, .. } => (room, format!("{entries:?}")),
            Reply::Wishes { room, entries } => (room, format!("{entries:?}")),
            Reply::Kicked { room, who, .. } => (room, format!("{who:?}")),
            Reply::Decided { room, who, .. } => (room, format!("{who:?}")),
            Reply::Changed { room, changes, .. } => (room, format!("{changes:?}")),
            Reply::Masks { room, entries, .. } => (room, format!("{entries:?}")),
            Reply::Subject { room, subject } => (room, format!("{subject:?}")),
            Reply::NameReserved { room, name } => (room, format!("{name:?}")),
            _ => return,
        };
        if !Self::is_hiding(room.shown()) {
            return;
        }
        if let Reply::Changed { changes, .. } = reply {
            self.note_standing(to, room.shown(), changes);
        }
        // Who answers for the room knows accounts; what was said there has none in it for them either.
        let is_for_keepers = !matches!(reply, Reply::Past { .. } | Reply::Subject { .. });
        if !(is_for_keepers && self.keeps(to, room.shown())) {
            self.check(Some(to), &told);
        }
    }
}

impl Effects for Watchman {
    fn emit(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Subscribe { channel, session } => {
                self.inside.insert((channel, session));
            }
            Effect::Unsubscribe { channel, session } => {
                self.inside.remove(&(channel, session));
            }
            Effect::Publish { channel, room, cause, event } if Self::is_hiding(room.shown()) => {
                self.hidden.insert(channel);
                let told = format!("{event:?}");
                self.check(None, &told);
                self.check_own(channel, cause, &told);
            }
            // Who answers for the room hears who they are that ask to be let in, and of accounts that are not there.
            Effect::Send { to, room: Some(room), event: Event::Changed { changes, .. }, .. }
                if self.keeps(to, room.shown()) =>
            {
                self.note_standing(to, room.shown(), changes);
            }
            Effect::Send { to, room: Some(room), event: Event::Wished { .. }, .. }
                if self.keeps(to, room.shown()) => {}
            Effect::Send { to, room: Some(room), event, .. }
                if Self::is_hiding(room.shown())
                // Who is invited, the one says who invites.
                && !matches!(event, Event::GuestInvited { .. }) =>
            {
                if let Event::Changed { changes, .. } = event {
                    self.note_standing(to, room.shown(), changes);
                }
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
                for entry in entries.iter().filter(|entry| !are_one(entry.person.session, to)) {
                    self.check(Some(to), &format!("{:?} {:?}", entry.person, entry.place));
                    self.note_real(to, room.shown(), entry.real.map(UserName::shown));
                }
            }
            Effect::Reply { to, reply: Reply::Look(look), .. } => {
                if look.person.hidden_host.is_some() {
                    self.check(Some(to), &format!("{:?} {:?}", look.person, look.places));
                    let [place] = look.places else { panic!("{:?}", look.places) };
                    let real = look.real.filter(|real| !are_one(real.session, to));
                    self.note_real(to, place.room.shown(), real.map(|real| real.name.shown()));
                } else if !are_one(look.person.session, to) {
                    let rooms = look.places.iter().map(|place| place.room.shown());
                    for room in rooms.filter(|name| Self::is_hiding(name)) {
                        assert!(self.keeps(to, room), "{}", self.doing);
                    }
                }
            }
            Effect::Reply {
                to,
                channel,
                reply: Reply::Joined { room, subject, standing, known_as, made, .. },
                ..
            } if Self::is_hiding(room.shown()) => {
                self.check(Some(to), &format!("{subject:?}"));
                if made {
                    self.keepers.retain(|(_, of)| of != room.shown());
                }
                self.set_keeper(to, room.shown(), standing.affiliation);
                let called = known_as.expect("a name for the others").shown();
                self.called.insert((channel, to), called.to_owned());
            }
            Effect::Reply { reply: Reply::RoomRenamed { from, to, .. }, .. } => {
                let [from, to] = [from, to].map(|name| name.shown().to_owned());
                let keepers = std::mem::take(&mut self.keepers).into_iter();
                let of = |(session, room)| (session, if room == from { to.clone() } else { room });
                self.keepers = keepers.map(of).collect();
            }
            Effect::Reply { to, reply: reply @ Reply::Sent { id, .. }, .. } => {
                self.last = id;
                if format!("{reply:?}").contains("anon-") {
                    self.check(Some(to), &format!("{reply:?}"));
                }
            }
            Effect::Reply { to, reply, .. } => self.check_answer(to, reply),
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
    /// Those that there are now: of each the first client, then of each the second.
    clients: Vec<SessionId>,
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
            inside: BTreeSet::new(),
            called: BTreeMap::new(),
            asker: SessionId::NONE,
            written: String::new(),
            last: MessageId(0),
            real: Vec::new(),
            seen: 0,
            doing: String::new(),
        };
        let people = 1..=PEOPLE as u64;
        let clients = people.clone().chain(people.map(|n| n + SECOND)).map(SessionId).collect();
        Play { hub: Hub::new(limits), watchman, random: Random::new(seed), now: Instant::now(), clients }
    }

    fn ask(&mut self, session: SessionId, command: Command<'_>) {
        self.watchman.doing = format!("{session:?}: {command:?}");
        self.watchman.asker = session;
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

    /// What people do to rooms as their owners, and ask them for.
    fn step_of_owners(&mut self) {
        let session = self.a_client();
        let [room, other] = [(); 2].map(|()| *self.random.pick(&HIDING));
        let named = RoomRef::Named(room);
        let who = self.a_name();
        self.watchman.written.clone_from(&who);
        let (who, account, id) = (&*who, format!("~a:{who}"), self.watchman.last);
        let change = |change| Command::Change { room: named, changes: Box::new([change]) };
        let on = self.random.chance(50);
        let wish = if on { Wish::Voice } else { Wish::Membership };
        let list = if on { MaskList::Bans } else { MaskList::Mutes };
        let affiliation = *self.random.pick(&[
            Affiliation::Outcast,
            Affiliation::None,
            Affiliation::Member,
            Affiliation::Admin,
            Affiliation::Owner,
        ]);
        let span = Span { after: None, before: None, newest: true, limit: 20, said_only: on };
        let command = match self.random.below(19) {
            0..=2 => Command::ShowPast { room: named, part: Part::Span(span) },
            3 => Command::Search { room: named, words: "words", before: None, limit: 9 },
            4 => Command::Retract { room: named, id, text: "" },
            5 => Command::Destroy { room: named, text: "", instead: "" },
            6 => Command::RenameRoom { room: named, to: other, text: "" },
            7 => Command::Wish { room: named, wish, text: "" },
            8 => Command::Decide { room: named, who, wish, grant: self.random.chance(50) },
            9 => Command::ListWishes { room: named },
            10 | 11 => Command::ListMembers { room: named, affiliation: None, after: "" },
            12 | 13 => change(RoomChange::Affiliate { affiliation, whom: who, terms: Terms::NONE }),
            14 => change(RoomChange::Unaffiliate { affiliation, whom: who }),
            15 => change(RoomChange::AddMask { list, mask: &account, terms: Terms::NONE }),
            16 => change(RoomChange::RemoveMask { list, mask: &account }),
            17 => Command::ReserveName { room: named, name: who },
            _ => Command::Was { name: who, entries_max: 9 },
        };
        self.ask(session, command);
    }

    /// Either of somebody's two clients.
    fn a_client(&mut self) -> SessionId {
        let place = self.random.below(PEOPLE) + if self.random.chance(30) { PEOPLE } else { 0 };
        self.clients[place]
    }

    /// Somebody is gone, and comes back by a session that there was not before.
    fn come_again(&mut self) {
        let session = self.a_client();
        self.watchman.doing = format!("{session:?} is gone");
        self.hub.disconnect(moment(self.now), session, Departure::Quit("secretly"), &mut self.watchman);
        let again = SessionId(session.0 + 2 * SECOND);
        for client in self.clients.iter_mut().filter(|client| **client == session) {
            *client = again;
        }
        self.log_in(again);
    }

    fn step(&mut self) {
        if self.random.chance(40) {
            return self.step_of_owners();
        }
        let session = self.a_client();
        let room = *self.random.pick(&[HIDING[0], HIDING[1], HIDING[2], KNOWING]);
        let named = RoomRef::Named(room);
        let who = self.a_name();
        self.watchman.written.clone_from(&who);
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
        for session in play.clients.clone() {
            play.log_in(session);
        }
        for _ in 0..STEPS {
            if play.random.below(60) == 0 {
                play.come_again();
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
