//! What the hub executes where a room has bans: how much a message takes, in instructions, and another name.

#[path = "common/instructions.rs"]
mod instructions;

use instructions::{Budget, asked, check};
use std::time::Instant;
use switchboard::hub::{
    Command, Effect, Effects, HistoryLimits, Host, Hub, Limits, MaskList, Moment, Observed, PathKey, Proof,
    RequestId, RoomChange, RoomRef, SessionId, Terms, Words,
};

const ANN: SessionId = SessionId(1);
const BOB: SessionId = SessionId(2);

/// Surroundings that want to know nothing.
struct Nobody;

impl Effects for Nobody {
    fn emit(&mut self, _: Effect<'_>) {}

    fn observed(&self, _: SessionId) -> Option<Observed> {
        None
    }

    fn host(&self, _: SessionId) -> Host {
        Host { address: *b"fooba", network: *b"foobb", wider: *b"foobc" }
    }

    fn prove(&mut self, _: SessionId, _: Proof<'_>) {}

    fn digest(&self, _: &[u8]) -> [u8; 5] {
        [0; 5]
    }

    fn fresh_key(&mut self) -> PathKey {
        PathKey([0; 32])
    }
}

/// Bob, under a name of 31 letters, in rooms of Ann's.
struct Rooms {
    hub: Hub,
    now: Moment,
}

impl Rooms {
    fn new(rooms: usize, bans: usize, mask: fn(usize) -> String) -> Rooms {
        let now = Moment { monotonic: Instant::now(), unix_millis: 0 };
        // What it takes to keep what is said is counted elsewhere.
        let history = HistoryLimits { messages_max: 0, ..HistoryLimits::default() };
        let mut rooms_of = Rooms { hub: Hub::new(Limits { history, ..Limits::default() }), now };
        for (session, name) in [(ANN, "ann"), (BOB, &"a".repeat(31))] {
            let login = Command::Login { name, payload_max: 0, username: "", realname: "" };
            rooms_of.ask(session, login);
        }
        for room in (0..rooms).map(|n| format!("#{n}")) {
            rooms_of.ask(ANN, Command::Join { room: &room, password: "", past: 0 });
            rooms_of.ask(BOB, Command::Join { room: &room, password: "", past: 0 });
            for mask in (0..bans).map(mask) {
                let changes =
                    [RoomChange::AddMask { list: MaskList::Bans, mask: &mask, terms: Terms::NONE }].into();
                rooms_of.ask(ANN, Command::Change { room: RoomRef::Named(&room), changes });
            }
        }
        rooms_of
    }

    fn ask(&mut self, session: SessionId, command: Command<'_>) {
        self.hub.handle(self.now, session, RequestId::NONE, command, &mut Nobody);
    }
}

/// As moderators set them: a name with anything behind it, or an address in some networks.
fn usual(n: usize) -> String {
    let letters = ["k", "l"].map(|letter| letter.repeat(n % 9));
    match n % 2 {
        0 => format!("*!*@{}{n:0>3}{}.*.ip", letters[0], letters[1]),
        _ => format!("spammer{n}*!*@*"),
    }
}

/// Begins and ends as Bob does, and takes many ways through his name.
fn hard(n: usize) -> String {
    format!("a*{}?x{n:03}?*.ip", "a?".repeat(10))
}

/// `message usual 100`: messages to a room that has a hundred usual bans. `name hard 10`: other names for Bob in ten
/// rooms of a hundred bans.
fn work(workload: &str, times: usize) -> usize {
    let words: Vec<&str> = workload.split(' ').collect();
    let [what, kind, number] = words[..] else { panic!("no such workload: {workload}") };
    let mask = if kind == "usual" { usual } else { hard };
    let number = number.parse().expect("a number");
    if what == "message" {
        let mut rooms = Rooms::new(1, number, mask);
        let (room, words) = (RoomRef::Named("#0"), Words::message("hello"));
        (0..times).for_each(|_| rooms.ask(BOB, Command::Say { room, words, least: None }));
    } else {
        let mut rooms = Rooms::new(number, 100, mask);
        let names = [30, 31].map(|letters| "a".repeat(letters));
        (0..times).for_each(|n| rooms.ask(BOB, Command::Rename { name: &names[n % 2] }));
    }
    1
}

/// Under valgrind it does what is asked for; otherwise it shows that all of it can be done.
#[test]
fn workload() {
    match asked() {
        Some((workload, times)) => _ = work(&workload, times),
        None => assert_eq!((work("message usual 2", 2), work("name hard 2", 2)), (1, 1)),
    }
}

#[test]
fn a_message_where_nobody_is_banned() {
    check(Budget { workload: "message usual 0", instructions_max: 1_500.0, short: 10, long: 1_010 }, work);
}

#[test]
fn a_message_where_ten_are_banned() {
    check(Budget { workload: "message usual 10", instructions_max: 13_200.0, short: 10, long: 1_010 }, work);
}

#[test]
fn a_message_where_a_hundred_are_banned() {
    check(Budget { workload: "message usual 100", instructions_max: 32_700.0, short: 10, long: 1_010 }, work);
}

#[test]
fn a_message_where_a_hundred_bans_are_hard_to_match() {
    check(Budget { workload: "message hard 100", instructions_max: 96_000.0, short: 10, long: 1_010 }, work);
}

#[test]
fn another_name_where_a_thousand_bans_are_hard_to_match() {
    check(Budget { workload: "name hard 10", instructions_max: 880_000.0, short: 10, long: 110 }, work);
}
