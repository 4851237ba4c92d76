//! What operators do about the whole server: whom they keep out, and what they see.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::{Answered, Happened, Recorded, moment};
use std::net::{IpAddr, SocketAddr};
use switchboard::hub::record::{Record, ScramKeys, Secret};
use switchboard::hub::{
    Command, Departure, Limits, Moment, Network, Observed, Proved, Refusal, RequestId, SessionId,
};

const DAN: SessionId = SessionId(4);

/// When the time of the desk begins, in milliseconds since 1970.
const START: u64 = 1_700_000_000_000;

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

fn comes_from(desk: &mut Desk, session: SessionId, address: &str) {
    let observed = Observed { tcp: SocketAddr::new(ip(address), 5_000), udp: None, heard: desk.now };
    desk.recorder.1.observed.insert(session, observed);
}

/// Ann is an operator; everybody comes from somewhere.
fn desk(limits: Limits) -> Desk {
    let mut desk = Desk::new(limits);
    for (session, address) in [(ANN, "198.51.100.1"), (BOB, "192.0.2.7"), (CY, "2001:db8::7")] {
        comes_from(&mut desk, session, address);
    }
    desk.ask(ANN, Command::BecomeOperator);
    desk
}

fn ban(pattern: &str) -> Command<'_> {
    Command::Ban { pattern, text: "spam", seconds: None }
}

/// What somebody with this address reads who knocks so many milliseconds after the start.
fn kept_out(desk: &Desk, address: &str, millis: u64) -> Option<String> {
    desk.hub.ban_on(ip(address), START + millis).map(|ban| ban.pattern.to_string())
}

fn patterns(desk: &mut Desk, after: &str) -> Vec<String> {
    let Answered::Other(answer) = desk.answer(ANN, Command::ListBans { after }) else { panic!("no list") };
    answer.split("pattern: \"").skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect()
}

#[test]
fn all_that_is_for_operators_alone() {
    let mut desk = desk(Limits::default());
    for command in [
        ban("192.0.2.0/24"),
        ban("garbage"),
        Command::Unban { pattern: "192.0.2.0/24" },
        Command::ListBans { after: "" },
        Command::ListSessions { after: "", session: None },
        Command::ListAccounts { after: "" },
        Command::DropAccount { name: "ann" },
        Command::ShowStatus { after: "" },
    ] {
        assert_eq!(desk.refusal(BOB, command.clone()), Refusal::NotOperator, "{command:?}");
        assert_eq!(desk.refusal(DAN, command), Refusal::NotLoggedIn);
    }
    assert_eq!(desk.hub.bans_len(), 0);
}

#[test]
fn a_ban_is_written_down_answered_and_ends_what_comes_from_there() {
    let mut desk = desk(Limits::default());
    let channel = desk.join(BOB, "#tea");
    desk.join(CY, "#tea");
    let effects = desk.ask(ANN, ban("192.0.2.9/24"));
    let network = Network::parse("192.0.2.0/24").expect("a network");
    let Recorded::Store(Record::Ban(record)) = &effects[0] else { panic!("{effects:?}") };
    assert_eq!((&*record.pattern, &*record.note.by, &*record.note.reason), ("192.0.2.0/24", "ann", "spam"));
    assert_eq!((record.note.at_millis, record.note.until_millis), (START, None));
    assert!(matches!(effects[1], Recorded::Reply { to: ANN, .. }), "{effects:?}");
    let killed = Happened::Killed { by: "ann".into(), text: "banned: spam".into() };
    let Recorded::Send { to: BOB, cause: ANN, event, .. } = &effects[2] else { panic!("{effects:?}") };
    assert_eq!(*event, killed);
    let quit = Happened::Quit { who: "bob".into(), how: "Killed by ann: banned: spam".into() };
    assert_eq!(
        effects[3..],
        [
            Recorded::Unsubscribe { channel, session: BOB },
            Recorded::Neighbours { cause: BOB, channels: vec![channel], event: quit },
            Recorded::HangUp { session: BOB },
            Recorded::ShutOut { network, text: "spam".into() },
        ]
    );
    assert_eq!(kept_out(&desk, "192.0.2.250", 0).as_deref(), Some("192.0.2.0/24"));
    assert_eq!(kept_out(&desk, "::ffff:192.0.2.250", 0).as_deref(), Some("192.0.2.0/24"));
    assert_eq!(kept_out(&desk, "192.0.3.1", 0), None);
    assert_eq!(kept_out(&desk, "2001:db8::7", 0), None);

    let effects = desk.ask(ANN, Command::Unban { pattern: "192.0.2.77/24" });
    assert_eq!(effects[0], Recorded::Store(Record::BanGone { pattern: "192.0.2.0/24".into() }));
    assert_eq!(kept_out(&desk, "192.0.2.250", 0), None);
    assert_eq!(desk.refusal(ANN, Command::Unban { pattern: "192.0.2.0/24" }), Refusal::NoSuchBan);
    assert_eq!(desk.refusal(ANN, Command::Unban { pattern: "bob" }), Refusal::BadBan);
}

#[test]
fn nobody_locks_themselves_or_everybody_out() {
    let mut desk = desk(Limits::default());
    for own in ["198.51.100.1", "198.51.100.0/24", "128.0.0.0/1", "::ffff:198.51.100.1"] {
        assert_eq!(desk.refusal(ANN, ban(own)), Refusal::BanIsYours, "{own}");
    }
    for everybody in ["0.0.0.0/0", "::/0"] {
        assert_eq!(desk.refusal(ANN, ban(everybody)), Refusal::BanTooWide, "{everybody}");
    }
    for garbage in ["", "bob", "192.0.2.*", "*!*@*", "192.0.2.1/33"] {
        assert_eq!(desk.refusal(ANN, ban(garbage)), Refusal::BadBan, "{garbage:?}");
    }
    let long = "x".repeat(Limits::default().kick_bytes_max as usize + 1);
    let command = Command::Ban { pattern: "192.0.2.1", text: &long, seconds: None };
    assert!(matches!(desk.refusal(ANN, command), Refusal::TextTooLong { .. }));
    let command = Command::Ban { pattern: "192.0.2.1", text: "a\r\nb", seconds: None };
    assert!(matches!(desk.refusal(ANN, command), Refusal::BadText(_)));
    assert_eq!(desk.hub.bans_len(), 0);
}

#[test]
fn there_are_only_so_many_and_one_for_the_same_network_replaces_the_other() {
    let mut desk = desk(Limits { bans_max: 2, ..Limits::default() });
    desk.ask(ANN, ban("203.0.113.1"));
    desk.ask(ANN, ban("203.0.113.0/24"));
    assert_eq!(desk.refusal(ANN, ban("203.0.113.2")), Refusal::TooManyBans { bans_max: 2 });
    desk.ask(ANN, Command::Ban { pattern: "203.0.113.1", text: "again", seconds: Some(60) });
    assert_eq!(desk.hub.bans_len(), 2);
    assert_eq!(kept_out(&desk, "203.0.113.1", 59_999).as_deref(), Some("203.0.113.1"), "the narrowest");
    assert_eq!(kept_out(&desk, "203.0.113.1", 60_000).as_deref(), Some("203.0.113.0/24"), "what still holds");
}

#[test]
fn a_ban_for_a_time_is_over_by_itself_and_makes_room() {
    let mut desk = desk(Limits { bans_max: 1, ..Limits::default() });
    desk.ask(ANN, Command::Ban { pattern: "203.0.113.1", text: "", seconds: Some(2) });
    assert_eq!(kept_out(&desk, "203.0.113.1", 1_999).as_deref(), Some("203.0.113.1"));
    assert_eq!(kept_out(&desk, "203.0.113.1", 2_000), None);
    let later = Moment { monotonic: desk.now, unix_millis: START + 2_000 };
    desk.hub.handle(later, ANN, RequestId(900), Command::ListBans { after: "" }, &mut desk.recorder);
    let listed = format!("{:?}", desk.recorder.take());
    assert!(!listed.contains("203.0.113.1"), "{listed}");
    desk.hub.handle(later, ANN, RequestId(901), ban("203.0.113.9"), &mut desk.recorder);
    let effects = desk.recorder.take();
    assert_eq!(effects[0], Recorded::Store(Record::BanGone { pattern: "203.0.113.1".into() }));
    assert!(matches!(&effects[1], Recorded::Store(Record::Ban(record)) if &*record.pattern == "203.0.113.9"));
    let forever = Command::Ban { pattern: "203.0.113.9", text: "", seconds: Some(u64::MAX) };
    desk.ask(ANN, forever);
    assert_eq!(kept_out(&desk, "203.0.113.9", u64::MAX - START - 1).as_deref(), Some("203.0.113.9"));
}

#[test]
fn bans_are_listed_in_the_order_of_addresses_page_by_page() {
    let mut desk = desk(Limits { page_entries_max: 2, ..Limits::default() });
    for pattern in ["2001:db8:1::/48", "203.0.113.10", "203.0.113.9", "203.0.113.0/25", "203.0.113.0/24"] {
        desk.ask(ANN, ban(pattern));
    }
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = patterns(&mut desk, &after);
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after.clone_from(last);
        all.extend(page);
    }
    assert_eq!(all, ["203.0.113.0/24", "203.0.113.0/25", "203.0.113.9", "203.0.113.10", "2001:db8:1::/48"]);
    assert_eq!(desk.refusal(ANN, Command::ListBans { after: "zebra" }), Refusal::BadBan);
}

#[test]
fn sessions_are_listed_by_name_page_by_page_with_where_they_come_from() {
    let mut desk = desk(Limits { page_entries_max: 2, ..Limits::default() });
    desk.join(BOB, "#tea");
    let mut list = |after: &str, session| match desk.answer(ANN, Command::ListSessions { after, session }) {
        Answered::Other(answer) => answer,
        other => panic!("{other:?}"),
    };
    let first = list("", None);
    assert!(first.contains("\"ann\"") && first.contains("\"bob\"") && !first.contains("\"cy\""), "{first}");
    assert!(
        first.contains("198.51.100.1") && first.contains("192.0.2.7") && first.contains("rooms: 1"),
        "{first}"
    );
    assert!(first.contains("next: Some((\"bob\", SessionId(2)))"), "{first}");
    for behind in [list("bob", Some(BOB)), list("BOB", None), list("bobby", Some(DAN))] {
        assert!(behind.contains("\"cy\"") && behind.contains("next: None"), "{behind}");
        assert!(!behind.contains("\"bob\""), "{behind}");
    }
    let again = list("bob", Some(SessionId(1)));
    assert!(again.contains("\"bob\"") && again.contains("\"cy\""), "what is behind that one: {again}");
}

#[test]
fn an_account_that_is_dropped_is_nobodys_any_more() {
    let mut desk = desk(Limits::default());
    desk.ask(BOB, Command::Register { name: "", password: "sesame" });
    let scram = ScramKeys { salt: [1; 16], iterations: 4_096, stored_key: [2; 32], server_key: [3; 32] };
    let made = Proved::Made(Secret { hash: "hash".into(), scram: Some(scram) });
    desk.hub.proved(moment(desk.now), BOB, made, &mut desk.recorder);
    desk.recorder.take();
    let Answered::Other(list) = desk.answer(ANN, Command::ListAccounts { after: "" }) else {
        panic!("no list")
    };
    assert!(list.contains("name: \"bob\"") && list.contains("sessions: 1"), "{list}");
    assert_eq!(desk.refusal(ANN, Command::DropAccount { name: "nobody" }), Refusal::NoSuchAccount);

    let effects = desk.ask(ANN, Command::DropAccount { name: "BOB" });
    assert!(matches!(effects[0], Recorded::Store(Record::AccountGone(_))), "{effects:?}");
    let told = effects.iter().any(|effect| {
        matches!(effect, Recorded::Reply { to: BOB, request: 0, answer: Answered::Account { .. }, .. })
    });
    assert!(told, "{effects:?}");
    assert_eq!(desk.hub.accounts_len(), 0);
    desk.disconnect(BOB, Departure::Lost);
    desk.login(DAN, "bob");
}
