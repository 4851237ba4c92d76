//! What holds for a time ends by itself.

use super::{DAN, TEA, affiliate, join, said, with_room};
use crate::desk::{ANN, BOB, CY, Desk};
use crate::recorder::{Answered, Happened, Recorded, moment};
use switchboard::hub::{Affiliation, Command, MaskList, Refusal, Role, RoomChange, Terms};

#[test]
fn bans_and_mutes_for_a_time_end_by_themselves() {
    let mut desk = with_room();
    let terms = Terms { reason: "", seconds: Some(60) };
    let ban = RoomChange::Affiliate { affiliation: Affiliation::Outcast, whom: "bob", terms };
    desk.change(ANN, "#tea", ban);
    desk.change(ANN, "#tea", RoomChange::AddMask { list: MaskList::Bans, mask: "cy!*@*", terms });
    desk.change(ANN, "#tea", RoomChange::AddMask { list: MaskList::Mutes, mask: "~a:dan", terms });
    desk.join(DAN, "#tea");
    assert_eq!(desk.hub.next_deadline(), Some(desk.now + std::time::Duration::from_secs(60)));
    let early = after(&desk, 59);
    desk.hub.expire(early, &mut desk.recorder);
    assert_eq!(desk.recorder.take(), []);
    assert_eq!(desk.refusal(BOB, join("#tea", "")), Refusal::Banned);
    let due = after(&desk, 60);
    desk.hub.expire(due, &mut desk.recorder);
    desk.hub.audit().expect("the books agree");
    let changes: Vec<String> = desk
        .recorder
        .take()
        .into_iter()
        .filter_map(|effect| match effect {
            Recorded::Publish { event: Happened::Changed { by, changes }, .. }
            | Recorded::Send { to: ANN, event: Happened::Changed { by, changes }, .. } => {
                assert_eq!(by, "", "nobody did it");
                Some(changes.join(","))
            }
            _ => None,
        })
        .collect();
    assert!(changes.iter().any(|change| change == "not Outcast bob"), "{changes:?}");
    assert!(changes.iter().any(|change| change == "-Bans cy!*@*"), "{changes:?}");
    assert!(changes.iter().any(|change| change == "-Mutes ~a:dan"), "{changes:?}");
    assert_eq!(desk.hub.next_deadline(), None);
    desk.join(BOB, "#tea");
    desk.join(CY, "#tea");
    assert_eq!(said(&mut desk, DAN), Ok(()));
}

#[test]
fn what_was_undone_does_not_end_later() {
    let mut desk = with_room();
    let terms = Terms { reason: "", seconds: Some(60) };
    let mask = |terms| RoomChange::AddMask { list: MaskList::Bans, mask: "cy!*@*", terms };
    desk.change(ANN, "#tea", mask(terms));
    desk.change(ANN, "#tea", mask(Terms::NONE));
    assert_eq!(desk.hub.next_deadline(), None, "now it is until it is undone");
    desk.change(ANN, "#tea", mask(terms));
    desk.change(ANN, "#tea", RoomChange::RemoveMask { list: MaskList::Bans, mask: "cy!*@*" });
    assert_eq!(desk.hub.next_deadline(), None);
    desk.change(ANN, "#tea", mask(terms));
    desk.ask(ANN, Command::Leave { room: TEA, text: "" });
    assert_eq!(desk.hub.next_deadline(), None, "the room is gone");
    let forever = Terms { reason: "", seconds: Some(u64::MAX) };
    desk.join(ANN, "#tea");
    assert_eq!(desk.unchanged(ANN, "#tea", mask(forever)), None);
}

fn after(desk: &Desk, seconds: u64) -> switchboard::hub::Moment {
    let mut now = moment(desk.now + std::time::Duration::from_secs(seconds));
    now.unix_millis += seconds * 1_000;
    now
}

/// Bob is banned and muted, each until its own time or until it is undone, in either order.
#[test]
fn a_ban_and_a_mute_of_one_account_end_without_each_other() {
    let ends = |seconds| Terms { reason: "", seconds };
    for (ban, mute) in [(None, Some(60)), (Some(60), None), (Some(60), Some(120)), (Some(120), Some(60))] {
        for is_ban_first in [true, false] {
            let mut desk = with_room();
            // An admin bans; whoever moderates may mute.
            desk.change(ANN, "#tea", affiliate(Affiliation::Admin, "cy"));
            desk.join(CY, "#tea");
            desk.join(DAN, "#tea");
            desk.change(ANN, "#tea", RoomChange::Grant { role: Role::Moderator, to: "dan" });
            let outcast = Affiliation::Outcast;
            let changes = [
                (CY, RoomChange::Affiliate { affiliation: outcast, whom: "bob", terms: ends(ban) }),
                (DAN, RoomChange::AddMask { list: MaskList::Mutes, mask: "~a:bob", terms: ends(mute) }),
            ];
            let order = if is_ban_first { [0, 1] } else { [1, 0] };
            for (by, change) in order.map(|at| changes[at]) {
                assert_eq!(desk.unchanged(by, "#tea", change), None);
            }
            for minute in [0, 1, 2] {
                let now = after(&desk, minute * 60 + 1);
                desk.hub.expire(now, &mut desk.recorder);
                desk.hub.audit().expect("the books agree");
                let holds = |seconds: Option<u64>| seconds.is_none_or(|seconds| minute * 60 < seconds);
                let lists = [MaskList::Bans, MaskList::Mutes].map(|list| masks(&mut desk, list));
                let expected = [(holds(ban), "cy"), (holds(mute), "dan")];
                let expected =
                    expected.map(|(holds, by)| if holds { format!("~a:bob by {by}") } else { String::new() });
                assert_eq!(lists, expected, "ban {ban:?}, mute {mute:?}, minute {minute}");
            }
        }
    }
}

/// The entries of a list, and who made them.
fn masks(desk: &mut Desk, list: MaskList) -> String {
    match desk.answer(ANN, Command::ListMasks { room: TEA, list, from: 0 }) {
        Answered::Masks(entries, false) => entries.join(" "),
        other => panic!("{other:?}"),
    }
}
