//! Many sessions ask a small hub for anything, in any order; after every step its books have to agree with each
//! other and with what it has told.

mod books;
mod kept;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/recorder.rs"]
mod recorder;
#[path = "../common/requests.rs"]
mod requests;
mod verdicts;

use kept::Kept;
use random::{Random, with_seeds};
use recorder::{Answered, Happened, Recorded, Recorder, moment};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use switchboard::hub::record::{ScramKeys, Secret};
use switchboard::hub::{
    Address, ChannelId, Command, Departure, Flag, Flags, HistoryLimits, Hub, Limits, Moment, Offers, Origin,
    Preset, Proved, Purpose, Refusal, Registration, RelayEnd, RequestId, RoomChange, RoomFilter, RoomRef,
    SessionId, Transport, Words,
};

const STEPS: usize = 8_000;

/// How often the server is started in that time.
const LIVES: usize = 8;

/// Those who have an account.
const ACCOUNTS: [&str; 2] = ["gus", "hal"];

/// That of everybody's keys.
const SALT: [u8; 16] = [1; 16];

/// Small enough that every limit is met.
fn limits() -> Limits {
    Limits {
        name_bytes_max: 8,
        room_name_bytes_max: 8,
        text_bytes_max: 16,
        subject_bytes_max: 8,
        rooms_max: 4,
        rooms_per_user_max: 3,
        occupants_per_room_max: 4,
        relays_max: 4,
        relays_per_user_max: 2,
        page_entries_max: 2,
        scanned_entries_max: 3,
        username_bytes_max: 4,
        realname_bytes_max: 8,
        away_bytes_max: 8,
        kick_bytes_max: 8,
        tags_bytes_max: 8,
        password_bytes_max: 4,
        mask_bytes_max: 12,
        masks_per_list_max: 1,
        mask_bytes_per_room_max: 190,
        mask_bytes_on_server_max: 1 << 20,
        changes_max: 3,
        invitations_max: 1,
        members_per_room_max: 2,
        members_on_server_max: 100,
        rooms_per_account_max: 1,
        wishes_per_room_max: 1,
        wishes_per_user_max: 1,
        watches_per_user_max: 2,
        former_names_max: 4,
        former_names_per_host_max: 2,
        history: HistoryLimits { messages_max: 3, ..HistoryLimits::default() },
        accounts_max: ACCOUNTS.len(),
        seats_per_user_max: 3,
        bans_max: 2,
        account_password_bytes_max: 8,
        registration: Registration::Open,
        new_rooms: Flags::NONE,
        relay_answer_time: Duration::from_secs(10),
        addresses_per_user_max: 2,
        path_rounds_max: 1,
    }
}

#[test]
fn the_books_agree_whatever_is_asked() {
    let mut refusals = BTreeSet::new();
    with_seeds(0..60, |seed| refusals.extend(World::new(seed).run()));
    if std::env::var("SWITCHBOARD_SEED").is_err() {
        let len = refusals.len();
        assert!(len >= 58, "every refusal but NoInvitations and some that are rare occurred: {refusals:?}");
    }
}

/// The books know people by their names.
fn needs_other_books(command: &Command<'_>) -> bool {
    let Command::Change { changes, .. } = command else { return false };
    changes.iter().any(|change| match change {
        RoomChange::Flag { flag, on } => *on && *flag == Flag::SemiAnonymous,
        RoomChange::Preset(preset) => *preset == Preset::Anonymous,
        _ => false,
    })
}

fn name_of(refusal: &Refusal) -> String {
    format!("{refusal:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()
}

/// A relay as the effects tell of it.
#[derive(Clone, Debug)]
struct Call {
    caller: SessionId,
    callee: SessionId,
    request: u32,
    payload_max: u16,
    is_open: bool,
    deadline: Instant,
}

/// The hub, and what it has told.
struct World {
    random: Random,
    hub: Hub,
    begun: Instant,
    now: Instant,
    recorder: Recorder,
    sessions_made: u64,
    requests_made: u32,
    /// Who is connected; with a name when logged in.
    sessions: BTreeMap<SessionId, Option<String>>,
    payload_max: BTreeMap<SessionId, u16>,
    /// Kept by the Subscribe and Unsubscribe effects alone.
    subscribers: BTreeMap<ChannelId, BTreeSet<SessionId>>,
    calls: BTreeMap<ChannelId, Call>,
    /// Requests to open a relay that wait for their answer.
    open_requests: BTreeSet<(SessionId, u32)>,
    /// Every number that was ever a channel's, for asking about those that are gone.
    channels: Vec<ChannelId>,
    /// What every room is called that somebody is in.
    names: BTreeMap<ChannelId, String>,
    /// When those bans and mutes end that were asked for, granted or not.
    terms: BTreeSet<Instant>,
    /// What the hub has had written down.
    kept: Kept,
    refusals: BTreeSet<String>,
}

impl World {
    fn new(seed: u64) -> World {
        let now = Instant::now();
        World {
            random: Random::new(seed),
            hub: Hub::new(limits()),
            begun: now,
            now,
            recorder: Recorder::default(),
            sessions_made: 0,
            requests_made: 0,
            sessions: BTreeMap::new(),
            payload_max: BTreeMap::new(),
            subscribers: BTreeMap::new(),
            calls: BTreeMap::new(),
            open_requests: BTreeSet::new(),
            channels: vec![ChannelId::NONE],
            names: BTreeMap::new(),
            terms: BTreeSet::new(),
            kept: Kept::default(),
            refusals: BTreeSet::new(),
        }
    }

    /// Returns the names of the refusals that occurred.
    fn run(mut self) -> BTreeSet<String> {
        for name in ACCOUNTS {
            self.make_account(name);
        }
        for _ in 0..LIVES {
            for _ in 0..STEPS / LIVES {
                self.step();
                self.check();
            }
            self.begin_anew();
        }
        self.refusals
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..5 => self.connect(),
            5..8 => self.disconnect(),
            8..12 => {
                let seconds = self.random.below(15);
                self.pass_time(seconds);
            }
            12..14 => self.become_operator(),
            14..20 => self.identify(),
            20..43 => self.ask_about_rooms(),
            _ => self.ask(),
        }
    }

    /// Everybody goes, and the server is started again: it has what was written down.
    fn begin_anew(&mut self) {
        while !self.sessions.is_empty() {
            self.disconnect();
            self.check();
        }
        assert_eq!((self.hub.users_len(), self.hub.relays_len()), (0, 0));
        assert_eq!(self.hub.rooms_len(), self.kept.rooms_len(), "those that last are still there");
        assert!(self.subscribers.is_empty() && self.calls.is_empty() && self.open_requests.is_empty());
        self.hub = self.read_back_and_compare();
        self.check();
    }

    /// Somebody comes, makes an account, and goes.
    fn make_account(&mut self, name: &str) {
        self.sessions_made += 1;
        let (session, now) = (SessionId(self.sessions_made), self.moment());
        let fx = &mut self.recorder;
        let login = Command::Login { name, payload_max: 0, username: "", realname: "" };
        self.hub.handle(now, session, RequestId(1), login, fx);
        self.hub.handle(now, session, RequestId(2), Command::Register { name: "", password: "sesame" }, fx);
        let scram = ScramKeys { salt: SALT, iterations: 1, stored_key: [2; 32], server_key: [3; 32] };
        let secret = Secret { hash: "hash".into(), scram: Some(scram) };
        self.hub.proved(now, session, Proved::Made(secret), fx);
        self.hub.disconnect(now, session, Departure::Lost, fx);
        for effect in fx.take() {
            if let Recorded::Store(record) = effect {
                self.kept.keep(&record);
            }
        }
        assert!(self.kept.has_account(name));
    }

    /// Somebody shows that an account is theirs, and mostly comes by its name, if they are not here; or they log out.
    fn identify(&mut self) {
        let Some(session) = self.any_session() else { return };
        if self.random.chance(10) {
            return self.carry_out(session, Command::LogOut);
        }
        let name = *self.random.pick(&ACCOUNTS);
        self.carry_out(session, Command::IdentifyProven { name, salt: SALT });
        if self.sessions[&session].is_none() && self.random.chance(80) {
            let login = Command::Login { name, payload_max: 8_192, username: "", realname: "" };
            self.carry_out(session, login);
        }
    }

    fn connect(&mut self) {
        if self.sessions.len() < 12 {
            self.sessions_made += 1;
            self.sessions.insert(SessionId(self.sessions_made), None);
        }
    }

    fn disconnect(&mut self) {
        let Some(session) = self.any_session() else { return };
        let why = match self.random.below(5) {
            0 => Departure::Quit("see you"),
            1 => Departure::Quit("words\nthat break the rules"),
            2 => Departure::Quit("and words that are too long"),
            3 => Departure::Lost,
            _ => Departure::Dropped("dropped"),
        };
        self.hub.disconnect(self.moment(), session, why, &mut self.recorder);
        let effects = self.recorder.take();
        let has_stayed = self.seats(session).count() > 1;
        for effect in &effects {
            let is_told = matches!(effect, Recorded::Neighbours { .. } | Recorded::Publish { .. });
            assert!(!has_stayed || !is_told, "they have left another connection behind, and are here");
            self.learn(effect, session);
            match effect {
                Recorded::Neighbours { event: Happened::Quit { how, .. }, .. } => {
                    assert!(!how.contains('\n') && how.len() <= "quit: ".len() + 16, "last words: {how:?}");
                }
                Recorded::Send { event: Happened::RelayClosed(why), .. } => {
                    assert!(matches!(why, RelayEnd::PeerLeft | RelayEnd::Cancelled));
                }
                Recorded::Reply { to, answer, .. } => {
                    let expected = if *to == session { Refusal::Cancelled } else { Refusal::PeerLeft };
                    assert_eq!(*answer, Answered::Refused(expected));
                }
                Recorded::Unsubscribe { session: who, .. } => assert_eq!(*who, session),
                Recorded::Send { event: Happened::Vanished(_), .. } => {}
                other => panic!("a departure causes no {other:?}"),
            }
        }
        self.sessions.remove(&session);
        assert!(!self.open_requests.iter().any(|(waiting, _)| *waiting == session), "an answer is missing");
    }

    /// The sessions of whoever this one is.
    fn seats(&self, session: SessionId) -> impl Iterator<Item = SessionId> {
        let name = self.sessions[&session].clone();
        self.sessions
            .iter()
            .filter(move |(_, other)| name.is_some() && **other == name)
            .map(|(&seat, _)| seat)
    }

    /// Both clocks go on together.
    fn moment(&self) -> Moment {
        let elapsed = self.now - self.begun;
        let Moment { monotonic, unix_millis } = moment(self.begun);
        Moment { monotonic: monotonic + elapsed, unix_millis: unix_millis + elapsed.as_millis() as u64 }
    }

    fn pass_time(&mut self, seconds: usize) {
        let before = self.now;
        self.now += Duration::from_secs(seconds as u64);
        self.hub.expire(self.moment(), &mut self.recorder);
        let is_due = self.terms.range(before..=self.now).next().is_some();
        for effect in self.recorder.take() {
            match &effect {
                Recorded::Reply { channel, answer, .. } => {
                    assert_eq!(*answer, Answered::Refused(Refusal::NoAnswer));
                    assert!(self.calls[channel].deadline <= self.now, "given up too early");
                }
                Recorded::Send { event: Happened::RelayClosed(why), .. } => {
                    assert_eq!(*why, RelayEnd::NoAnswer);
                }
                Recorded::Publish { event: Happened::Changed { by, .. }, .. }
                | Recorded::Send { event: Happened::Changed { by, .. }, .. } => {
                    assert!(by.is_empty() && is_due, "nobody's doing, and not too early: {effect:?}");
                }
                Recorded::Store(_) => assert!(is_due, "{effect:?}"),
                other => panic!("time causes no {other:?}"),
            }
            self.learn(&effect, SessionId(0));
        }
        self.terms = self.terms.split_off(&(self.now + Duration::from_nanos(1)));
        assert!(self.hub.next_deadline().is_none_or(|at| at > self.now), "something due is left");
    }

    /// One request of one session, which may not even be logged in.
    fn ask(&mut self) {
        let Some(session) = self.any_session() else { return };
        let texts = ["hi", "how are you", "", "two\nlines", "nul\0", "a text that is much too long"];
        let names =
            ["ann", "ANN", "bob", "Bob", "cy", "dora", "eve", "fay", "", "much-too-long", "#x", "a b", "-"];
        let rooms = ["#a", "#A", "#b", "#c", "#d", "#e", "a", "#", "#too-long-a-name", "#a,b", ""];
        let good = self.random.chance(80);
        let text = if good { "hi" } else { *self.random.pick(&texts) };
        let name = *self.random.pick(if good { &names[..8] } else { &names });
        let room = *self.random.pick(if good { &rooms[..6] } else { &rooms });
        let channel = self.any_channel();
        let payload_max = *self.random.pick(&[0, 8_192, 32_768, 32_768]);
        let command = match self.random.below(19) {
            0 | 1 => Command::Login { name, payload_max, username: "", realname: "" },
            2 => Command::Join { room, password: "", past: 0 },
            3 => Command::Leave { room: RoomRef::Channel(channel), text: "" },
            4 => Command::Say { room: RoomRef::Channel(channel), words: Words::message(text), least: None },
            5 => Command::SetSubject { room: RoomRef::Channel(channel), text },
            6 => Command::ListRooms { after: room, filter: RoomFilter::default() },
            7 => Command::Who { room: RoomRef::Channel(channel), after: name, in_full: false },
            8 => Command::Tell { to: name, words: Words::message(text), even_oneself: false },
            9 => Command::Lookup { name },
            10 => Command::ListPeers { after: name },
            11 => Command::Open { to: name, purpose: Purpose::Pipe },
            12 if self.random.chance(70) => Command::Accept { channel },
            12 => Command::Decline { channel, text },
            13 => Command::Declare {
                offers: Offers::default(),
                shown: self.random.chance(50),
                addresses: self.any_addresses(),
            },
            14 | 15 => {
                // Mostly one that is there.
                let held = self.calls.keys().next().copied().filter(|_| self.random.chance(80));
                Command::OfferPaths { channel: held.unwrap_or(channel), addresses: self.any_addresses() }
            }
            16 => Command::Open { to: name, purpose: Purpose::Conversation },
            _ => Command::Close { channel },
        };
        self.carry_out(session, command);
    }

    /// One request about what people are and what rooms are set to.
    fn ask_about_rooms(&mut self) {
        let Some(session) = self.any_session() else { return };
        let rooms: Vec<ChannelId> = self
            .subscribers
            .iter()
            .filter(|(_, members)| members.contains(&session))
            .map(|(&room, _)| room)
            .collect();
        let is_inside = !rooms.is_empty() && self.random.chance(80);
        let channel = if is_inside { *self.random.pick(&rooms) } else { self.any_channel() };
        let command = requests::any_request(&mut self.random, channel);
        if !needs_other_books(&command) {
            self.carry_out(session, command);
        }
    }

    fn note_terms(&mut self, command: &Command<'_>) {
        let Command::Change { changes, .. } = command else { return };
        for change in changes {
            if let RoomChange::AddMask { terms, .. } | RoomChange::Affiliate { terms, .. } = change {
                let end = |seconds| self.now + Duration::from_secs(seconds);
                self.terms.extend(terms.seconds.map(end));
            }
        }
    }

    fn become_operator(&mut self) {
        let Some(session) = self.any_session() else { return };
        self.carry_out(session, Command::BecomeOperator);
    }

    fn carry_out(&mut self, session: SessionId, command: Command<'_>) {
        self.requests_made += 1;
        self.note_terms(&command);
        let request = self.requests_made;
        if let Command::Login { payload_max, .. } = command
            && self.sessions[&session].is_none()
        {
            self.payload_max.insert(session, payload_max);
        }
        if let Command::Open { .. } = command {
            self.open_requests.insert((session, request));
        }
        self.hub.handle(self.moment(), session, RequestId(request), command.clone(), &mut self.recorder);
        self.judge(session, request, command);
    }

    /// Up to one more than one may have, some of them nobody's.
    fn any_addresses(&mut self) -> Box<[Address]> {
        let any = ["192.0.2.1:1", "192.0.2.2:2", "[2001:db8::1]:3", "127.0.0.1:4", "192.0.2.1:0"];
        let count = self.random.below(4);
        let mut address = |_| Address {
            transport: *self.random.pick(&[Transport::Tcp, Transport::Udp]),
            origin: Origin::Declared,
            at: if self.random.chance(80) {
                self.random.pick(&any[..3])
            } else {
                self.random.pick(&any[3..])
            }
            .parse()
            .expect("an address"),
        };
        (0..count).map(&mut address).collect()
    }

    fn any_session(&mut self) -> Option<SessionId> {
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        (!sessions.is_empty()).then(|| *self.random.pick(&sessions))
    }

    /// A channel that probably exists.
    fn any_channel(&mut self) -> ChannelId {
        let live: Vec<ChannelId> = self.subscribers.keys().chain(self.calls.keys()).copied().collect();
        if live.is_empty() || self.random.chance(10) {
            return *self.random.pick(&self.channels);
        }
        *self.random.pick(&live)
    }
}
