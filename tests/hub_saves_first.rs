//! Whatever lasts is handed to storage before whoever asked for it is told that it is so: what comes behind it in their
//! queue waits for the disk. For each kind of record, by everything that leads to one.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk};
use recorder::Recorded;
use switchboard::hub::record::{PastRecord, Record, ScramKeys, Secret, Wish};
use switchboard::hub::{
    Affiliation, Command, Flag, HistoryLimits, Limits, MaskList, MessageId, Preset, Proved, Role, RoomChange,
    RoomRef, SessionId, Terms, Words,
};

const TEA: RoomRef<'static> = RoomRef::Named("#tea");

/// Who asks, and all that follows.
type Scenario = fn(&mut Desk) -> (SessionId, Vec<Recorded>);

/// Every kind of record there is, with what leads to it. One that is missing here does not compile.
macro_rules! kinds {
    ($($kind:ident: $scenarios:expr;)*) => {
        fn kind_of(record: &Record) -> &'static str {
            match record {
                $(Record::$kind { .. } => stringify!($kind),)*
            }
        }

        fn scenarios() -> Vec<(&'static str, Vec<Scenario>)> {
            vec![$((stringify!($kind), $scenarios)),*]
        }
    };
}

kinds! {
    Account: vec![register, |desk| {
        proved(desk, ANN, Command::ChangePassword { old: "sesame", new: "simsim" }, made())
    }];
    AccountGone: vec![delete, |desk| asked(desk, CY, Command::DropAccount { name: "ann" })];
    Room: vec![
        |desk| {
            desk.join(ANN, "#new");
            (ANN, desk.change(ANN, "#new", flag(Flag::Persistent, true)))
        },
        |desk| changed(desk, flag(Flag::Hidden, true)),
        |desk| changed(desk, flag(Flag::Moderated, true)),
        |desk| changed(desk, RoomChange::Password(Some("tulip"))),
        |desk| changed(desk, RoomChange::OccupantsMax(Some(9))),
        |desk| changed(desk, RoomChange::Preset(Preset::Private)),
        |desk| asked(desk, ANN, Command::SetSubject { room: TEA, text: "green" }),
        |desk| asked(desk, ANN, Command::RenameRoom { room: TEA, to: "#mate", text: "" }),
    ];
    RoomGone: vec![
        |desk| changed(desk, flag(Flag::Persistent, false)),
        |desk| asked(desk, ANN, Command::Destroy { room: TEA, text: "", instead: "" }),
        |desk| asked(desk, CY, Command::Destroy { room: TEA, text: "", instead: "" }),
        delete,
    ];
    Member: vec![
        |desk| changed(desk, affiliate(Affiliation::Owner)),
        |desk| changed(desk, affiliate(Affiliation::Admin)),
        |desk| changed(desk, affiliate(Affiliation::Member)),
        |desk| changed(desk, affiliate(Affiliation::Outcast)),
        |desk| changed(desk, add(MaskList::Mutes, "~a:bob")),
        |desk| asked(desk, ANN, Command::ReserveName { room: TEA, name: "ann" }),
        |desk| {
            changed(desk, flag(Flag::Moderated, true));
            changed(desk, RoomChange::Grant { role: Role::Participant, to: "bob" })
        },
        |desk| {
            let wish = Wish::Membership;
            asked(desk, BOB, Command::Wish { room: TEA, wish, text: "please" });
            asked(desk, ANN, Command::Decide { room: TEA, who: "bob", wish, grant: true })
        },
        |desk| {
            changed(desk, affiliate(Affiliation::Admin));
            delete(desk) // whose room then is bob's
        },
    ];
    MemberGone: vec![
        |desk| {
            changed(desk, affiliate(Affiliation::Member));
            changed(desk, affiliate(Affiliation::None))
        },
        |desk| {
            changed(desk, add(MaskList::Mutes, "~a:bob"));
            changed(desk, RoomChange::RemoveMask { list: MaskList::Mutes, mask: "~a:bob" })
        },
    ];
    Mask: MaskList::ALL.iter().map(|list| -> Scenario {
        match list {
            MaskList::Bans => |desk| changed(desk, add(MaskList::Bans, "x!*@*")),
            MaskList::BanExceptions => |desk| changed(desk, add(MaskList::BanExceptions, "x!*@*")),
            MaskList::InviteExceptions => |desk| changed(desk, add(MaskList::InviteExceptions, "x!*@*")),
            MaskList::Mutes => |desk| changed(desk, add(MaskList::Mutes, "x!*@*")),
        }
    }).collect();
    MaskGone: vec![
        |desk| {
            changed(desk, add(MaskList::Bans, "x!*@*"));
            changed(desk, RoomChange::RemoveMask { list: MaskList::Bans, mask: "x!*@*" })
        },
        |desk| {
            changed(desk, add(MaskList::Bans, "x!*@*"));
            let terms = Terms { reason: "again", ..Terms::NONE };
            changed(desk, RoomChange::AddMask { list: MaskList::Bans, mask: "X!*@*", terms })
        },
    ];
    Past: vec![say];
    PastGone: vec![
        |desk| {
            say(desk);
            changed(desk, flag(Flag::NoHistory, true))
        },
        |desk| {
            say(desk);
            desk.ask(BOB, Command::Leave { room: TEA, text: "" });
            changed(desk, flag(Flag::SemiAnonymous, true))
        },
    ];
    LatestSaid: vec![]; // found when everything is read back, and never written
    Retracted: vec![
        |desk| {
            let id = said(desk);
            asked(desk, BOB, Command::Retract { room: TEA, id, text: "" })
        },
        |desk| {
            let id = said(desk);
            asked(desk, ANN, Command::Retract { room: TEA, id, text: "no" })
        },
    ];
    ReadUpTo: vec![|desk| asked(desk, ANN, Command::MarkRead { conversation: "#tea", at_millis: 7 })];
    ReadUpToGone: vec![|desk| {
        asked(desk, ANN, Command::MarkRead { conversation: "#tea", at_millis: 7 });
        asked(desk, ANN, Command::MarkRead { conversation: "bob", at_millis: 9 })
    }];
    Ban: vec![ban];
    BanGone: vec![|desk| {
        ban(desk);
        asked(desk, CY, Command::Unban { pattern: "192.0.2.0/24" })
    }];
}

/// A room of ann's that lasts, in which bob is as well; they have accounts. Cy is an operator, and has none.
fn desk() -> Desk {
    let history = HistoryLimits { read_marks_max: 1, ..HistoryLimits::default() };
    let mut desk = Desk::new(Limits { history, ..Limits::default() });
    desk.recorder.1.keeps_past = true;
    desk.register(ANN);
    desk.register(BOB);
    desk.join(ANN, "#tea");
    desk.join(BOB, "#tea");
    desk.change(ANN, "#tea", flag(Flag::Persistent, true));
    desk.ask(CY, Command::BecomeOperator);
    desk
}

fn flag(flag: Flag, on: bool) -> RoomChange<'static> {
    RoomChange::Flag { flag, on }
}

fn affiliate(affiliation: Affiliation) -> RoomChange<'static> {
    RoomChange::Affiliate { affiliation, whom: "bob", terms: Terms::NONE }
}

fn add(list: MaskList, mask: &str) -> RoomChange<'_> {
    RoomChange::AddMask { list, mask, terms: Terms::NONE }
}

fn changed(desk: &mut Desk, change: RoomChange<'_>) -> (SessionId, Vec<Recorded>) {
    (ANN, desk.change(ANN, "#tea", change))
}

fn asked(desk: &mut Desk, session: SessionId, command: Command<'_>) -> (SessionId, Vec<Recorded>) {
    (session, desk.ask(session, command))
}

fn proved(
    desk: &mut Desk,
    session: SessionId,
    command: Command<'_>,
    proved: Proved,
) -> (SessionId, Vec<Recorded>) {
    desk.ask(session, command);
    (session, desk.proved(session, proved))
}

fn made() -> Proved {
    let scram = ScramKeys { salt: [1; 16], iterations: 4_096, stored_key: [2; 32], server_key: [3; 32] };
    Proved::Made(Secret { hash: "hash".into(), scram: Some(scram) })
}

fn register(desk: &mut Desk) -> (SessionId, Vec<Recorded>) {
    proved(desk, CY, Command::Register { name: "", password: "sesame" }, made())
}

fn delete(desk: &mut Desk) -> (SessionId, Vec<Recorded>) {
    proved(desk, ANN, Command::DeleteAccount { password: "sesame" }, Proved::Right)
}

fn ban(desk: &mut Desk) -> (SessionId, Vec<Recorded>) {
    asked(desk, CY, Command::Ban { pattern: "192.0.2.0/24", text: "", seconds: None })
}

fn say(desk: &mut Desk) -> (SessionId, Vec<Recorded>) {
    asked(desk, BOB, Command::Say { room: TEA, words: Words::message("hello"), least: None })
}

/// The number of what bob has just said.
fn said(desk: &mut Desk) -> MessageId {
    let (_, effects) = say(desk);
    let id = effects.iter().find_map(|effect| match effect {
        Recorded::Store(Record::Past(PastRecord { last, is_said: true, .. })) => Some(*last),
        _ => None,
    });
    id.expect("it is kept")
}

/// Whether this says something to whoever asked, by themselves.
fn tells(effect: &Recorded, asker: SessionId) -> bool {
    matches!(effect, Recorded::Reply { to, .. } | Recorded::Send { to, .. } if *to == asker)
}

/// Comings and goings are written down as well, and nobody waits for that.
fn is_awaited(record: &Record) -> bool {
    !matches!(record, Record::Past(past) if !past.is_said)
}

#[test]
fn what_lasts_is_handed_on_before_it_is_told() {
    for (kind, scenarios) in scenarios() {
        assert_eq!(scenarios.is_empty(), kind == "LatestSaid", "{kind}");
        for (number, scenario) in scenarios.iter().enumerate() {
            let (asker, effects) = scenario(&mut desk());
            let stored = |effect: &Recorded| match effect {
                Recorded::Store(record) if is_awaited(record) => Some(kind_of(record)),
                _ => None,
            };
            let context = || format!("{kind}, scenario {number}: {effects:#?}");
            assert!(effects.iter().any(|effect| stored(effect) == Some(kind)), "{}", context());
            let told = effects.iter().position(|effect| tells(effect, asker));
            let told = told.unwrap_or_else(|| panic!("nothing is answered: {}", context()));
            assert!(effects[told..].iter().all(|effect| stored(effect).is_none()), "{}", context());
        }
    }
}
