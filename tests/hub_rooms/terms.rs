//! What holds for a time ends by itself.

use super::{DAN, TEA, join, said, with_room};
use crate::desk::{ANN, BOB, CY, Desk};
use crate::recorder::{Happened, Recorded, moment};
use switchboard::hub::{Affiliation, Command, MaskList, Refusal, RoomChange, Terms};

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
    assert!(changes.iter().any(|change| change == "None bob"), "{changes:?}");
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
