//! What one command may take: whoever sets masks, asks for lists, or leaves together with many others keeps nobody
//! else waiting.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, moment};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use switchboard::hub::{
    Command, Departure, Limits, MaskList, Refusal, RoomChange, RoomFilter, RoomRef, SessionId, Terms,
    UserFilter, Words,
};

/// What this thread has taken of a core: others who want it as well do not count.
fn own_cpu() -> Duration {
    let taken = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(taken.tv_sec as u64, taken.tv_nsec as u32)
}

/// As hard to match as a mask can be for a name of 60 times the same letter.
fn hard() -> String {
    format!("*{}b*", "a".repeat(30))
}

/// The rooms that a filter finds, and on how many pages.
fn list(desk: &mut Desk, filter: RoomFilter<'_>) -> (Vec<String>, usize) {
    let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        pages += 1;
        match desk.answer_unaudited(CY, Command::ListRooms { after: &after, filter }) {
            Answered::Rooms(rooms, next) => {
                found.extend(rooms.into_iter().map(|(name, _)| name));
                match next {
                    Some(next) => after = next,
                    None => return (found, pages),
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_page_ends_when_masks_are_hard_and_the_list_goes_on_behind_it() {
    let mut desk = Desk::new(Limits { rooms_per_user_max: 1_000, ..Limits::default() });
    let names: Vec<String> = (0..800).map(|n| format!("#{}{n:03}", "a".repeat(60))).collect();
    for name in &names {
        desk.answer_unaudited(ANN, Command::Join { room: name, password: "", past: 0 });
    }
    let hard = hard();
    let filter = RoomFilter { mask: Some(&hard), ..RoomFilter::default() };
    let (found, pages) = list(&mut desk, filter);
    assert!(found.is_empty() && pages > 2, "{found:?} on {pages} pages");
    let all_but = RoomFilter { not_mask: Some(&hard), ..RoomFilter::default() };
    let (found, pages) = list(&mut desk, all_but);
    assert_eq!(found, names);
    assert!(pages > 2, "{pages} pages");
    let easy = RoomFilter { mask: Some("*aa7?7"), ..RoomFilter::default() };
    let (found, pages) = list(&mut desk, easy);
    assert_eq!((found.len(), pages), (10, 1), "most masks take next to nothing");
}

#[test]
fn a_search_for_users_ends_early_where_it_is_hard_and_goes_on() {
    let mut desk = Desk::new(Limits::default());
    for n in 0..400 {
        let (name, realname) = (format!("u{n}"), "A".repeat(150));
        let (name, realname) = (&*name, &*realname);
        let login = Command::Login { name, payload_max: 0, username: "", realname };
        desk.answer_unaudited(SessionId(100 + n), login);
    }
    let hard = format!("*{}b*", "a".repeat(75));
    let filter = UserFilter { mask: Some(&hard), operators_only: false };
    let (mut after, mut pages) = (String::new(), 1);
    while let Answered::Users(found, next) =
        desk.answer_unaudited(ANN, Command::FindUsers { after: &after, filter })
    {
        assert_eq!(found, Vec::<String>::new());
        let Some(next) = next else { break };
        assert!(next > after, "the list goes on");
        (after, pages) = (next, pages + 1);
    }
    assert!(pages > 2, "{pages} pages");
}

/// Fills a room's list of bans with masks that begin and end as everybody's `name!username@host`, and do not match.
fn ban_nobody(desk: &mut Desk, room: &str, bans: usize) {
    for n in 0..bans {
        let mask = format!("a*{}?x{n:03}?*.ip", "a?".repeat(10));
        let change = RoomChange::AddMask { list: MaskList::Bans, mask: &mask, terms: Terms::NONE };
        let changes = [change].into();
        desk.answer_unaudited(ANN, Command::Change { room: RoomRef::Named(room), changes });
    }
}

/// The least time that something takes, of a few times: the machine may have something else to do.
fn fastest(mut work: impl FnMut()) -> Duration {
    let times = (0..20).map(|_| {
        let start = own_cpu();
        work();
        own_cpu() - start
    });
    times.min().expect("twenty times")
}

#[test]
fn another_name_is_had_at_once_however_many_bans_there_are() {
    let mut desk = Desk::new(Limits::default());
    let names = ["a".repeat(32), "a".repeat(31)];
    desk.answer(BOB, Command::Rename { name: &names[1] });
    for n in 0..100 {
        let room = format!("#{n}");
        desk.answer_unaudited(ANN, Command::Join { room: &room, password: "", past: 0 });
        desk.answer_unaudited(BOB, Command::Join { room: &room, password: "", past: 0 });
        ban_nobody(&mut desk, &room, 100);
    }
    let mut turn = 0;
    let took = fastest(|| {
        let name = &names[turn % 2];
        turn += 1;
        let renamed = desk.answer_unaudited(BOB, Command::Rename { name });
        assert!(matches!(renamed, Answered::Renamed { .. }), "{renamed:?}");
    });
    // Ten thousand bans, at a tenth of a microsecond each in a release; tests are built with less care.
    assert!(took < Duration::from_millis(20), "{took:?}");
}

/// So many people watch the same names, and leave.
fn watch_and_leave(watchers: u64) -> Duration {
    let mut desk = Desk::new(Limits::default());
    let names: Vec<String> = (0..10).map(|n| format!("friend{n}")).collect();
    let names: Box<[&str]> = names.iter().map(String::as_str).collect();
    for n in 0..watchers {
        let name = format!("u{n}");
        let login = Command::Login { name: &name, payload_max: 0, username: "", realname: "" };
        desk.answer_unaudited(SessionId(100 + n), login);
        desk.answer_unaudited(SessionId(100 + n), Command::Watch { names: names.clone() });
    }
    desk.hub.audit().expect("the books agree");
    let start = own_cpu();
    for n in 0..watchers {
        // The last who came go first, so that those before them are always there to be passed over.
        let session = SessionId(100 + watchers - 1 - n);
        desk.hub.disconnect(moment(desk.now), session, Departure::Lost, &mut desk.recorder);
    }
    let took = own_cpu() - start;
    desk.hub.audit().expect("the books agree");
    took
}

#[test]
fn who_watches_the_same_names_as_everybody_leaves_as_fast_as_anybody() {
    let fastest = |watchers| (0..3).map(|_| watch_and_leave(watchers)).min().expect("three times");
    let (few, many) = (fastest(1_000), fastest(8_000));
    assert!(many < few * 32, "eight times as many take {many:?} instead of {few:?}");
}

#[test]
fn a_ban_holds_whatever_the_case_and_however_its_stars_stand() {
    let mut desk = Desk::new(Limits::default());
    desk.join(ANN, "#tea");
    let room = RoomRef::Named("#tea");
    let ban = |mask| Command::Change {
        room,
        changes: [RoomChange::AddMask { list: MaskList::Bans, mask, terms: Terms::NONE }].into(),
    };
    desk.ask(ANN, ban("B*?b!*@*"));
    assert_eq!(desk.refusal(BOB, Command::Join { room: "#tea", password: "", past: 0 }), Refusal::Banned);
    let again = desk.answer(ANN, ban("b?*B!*@*"));
    assert_eq!(again, Answered::Changed { changes: vec![], refused: vec![] }, "it says the same");
    let changes = [RoomChange::RemoveMask { list: MaskList::Bans, mask: "b**?b!*@**" }].into();
    desk.ask(ANN, Command::Change { room, changes });
    desk.join(BOB, "#tea");
    let words = Words::message("hello");
    let say = Command::Say { room, words, least: None };
    assert!(matches!(desk.answer(BOB, say), Answered::Sent { .. }));
}
