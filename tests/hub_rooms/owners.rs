//! What owners do with a room: end it, give it another name, set it up by one word (XEP-0045 §10).

use super::{DAN, TEA, affiliate, join, records, said, set, with_lasting_room, with_room};
use crate::desk::{ANN, BOB, CY};
use crate::recorder::{Answered, Happened, Recorded};
use switchboard::hub::record::Record;
use switchboard::hub::{Affiliation, Command, Flag, Preset, Refusal, RoomChange, RoomRef, Words};

/// XEP-0045 §10.9.
#[test]
fn an_owner_ends_a_room_and_says_where_to_go() {
    let mut desk = with_lasting_room();
    for session in [BOB, CY] {
        desk.join(session, "#tea");
    }
    let destroy = |instead| Command::Destroy { room: TEA, text: "closed", instead };
    assert_eq!(desk.refusal(BOB, destroy("")), Refusal::NotOwner, "an admin");
    assert!(matches!(desk.refusal(ANN, destroy("coffee")), Refusal::BadRoomName(_)));
    let effects = desk.ask(ANN, destroy("#coffee"));
    for (effect, told) in effects.iter().zip([BOB, CY]) {
        let Recorded::Send { to, event: Happened::Other(event), .. } = effect else { panic!("{effects:?}") };
        assert_eq!(*to, told, "each occupant, before they are out");
        assert!(event.contains("Destroyed") && event.contains("#coffee") && event.contains("closed"));
    }
    assert!(matches!(records(&effects)[..], [Record::RoomGone(_)]));
    let gone = effects.iter().filter(|effect| matches!(effect, Recorded::Unsubscribe { .. })).count();
    assert_eq!((gone, desk.hub.rooms_len()), (3, 0), "in mid-conversation");
    assert_eq!(said(&mut desk, CY), Err(Refusal::NoSuchRoom));
    desk.join(CY, "#tea");
    assert_eq!(desk.unchanged(CY, "#tea", affiliate(Affiliation::Owner, "bob")), None, "a new room, Cy's");
}

#[test]
fn operators_of_the_server_end_rooms_too_and_owners_need_not_be_there() {
    let mut desk = with_lasting_room();
    desk.ask(ANN, Command::Leave { room: TEA, text: "" });
    let destroy = Command::Destroy { room: TEA, text: "", instead: "" };
    assert_eq!(desk.refusal(DAN, destroy.clone()), Refusal::NotOwner);
    assert!(matches!(desk.answer(ANN, destroy.clone()), Answered::Other(_)));
    assert_eq!(desk.hub.rooms_len(), 0);
    desk.join(BOB, "#tea");
    desk.ask(DAN, Command::BecomeOperator);
    assert!(matches!(desk.answer(DAN, destroy), Answered::Other(_)));
    assert_eq!(desk.hub.rooms_len(), 0);
}

#[test]
fn a_room_gets_another_name_in_mid_conversation() {
    let mut desk = with_lasting_room();
    let channel = desk.join(BOB, "#tea");
    desk.join(CY, "#coffee");
    desk.ask(ANN, Command::Invite { room: TEA, who: "dan" });
    let rename = |to| Command::RenameRoom { room: TEA, to, text: "" };
    assert_eq!(desk.refusal(BOB, rename("#chai")), Refusal::NotOwner);
    assert_eq!(desk.refusal(ANN, rename("#COFFEE")), Refusal::RoomExists);
    let effects = desk.ask(ANN, rename("#chai"));
    assert!(effects.iter().any(|effect| matches!(effect, Recorded::Send { to: BOB, channel: of, event: Happened::Other(event), .. } if *of == channel && event.contains("RoomRenamed"))));
    assert!(matches!(&records(&effects)[..], [Record::Room(room)] if &*room.name == "#chai"));
    let say =
        Command::Say { room: RoomRef::Channel(channel), words: Words::message("still here"), least: None };
    assert!(matches!(desk.answer(BOB, say), Answered::Sent { to, .. } if to == "#chai"));
    assert_eq!(desk.answer(DAN, Command::ListInvited), Answered::Invitations(vec!["#chai".into()]));
    assert_eq!(desk.refusal(BOB, Command::ShowSubject { room: TEA }), Refusal::NoSuchRoom);
    let room = RoomRef::Named("#chai");
    desk.ask(ANN, Command::RenameRoom { room, to: "#Chai", text: "" });
    assert_eq!(desk.join(DAN, "#chai"), channel, "only its case has changed");
}

/// Each preset, in a new room and in one that had all set that a preset decides on; the rest is none of its business.
#[test]
fn each_preset_decides_on_the_same_settings() {
    use Flag::{Hidden, MembersOnly, Moderated, SemiAnonymous, SubjectLocked};
    let others = [Flag::ClosedToOutsiders, Flag::NoControlMessages, Flag::NoHistory, Flag::VisitorsPassive];
    let table: [(Preset, &[Flag], bool, bool, bool); 5] = [
        (Preset::Public, &[], true, true, true),
        (Preset::Private, &[Hidden, MembersOnly], false, false, true),
        (Preset::Announce, &[Moderated, SubjectLocked], true, true, false),
        (Preset::Anonymous, &[SemiAnonymous, SubjectLocked], true, true, true),
        (Preset::Club, &[MembersOnly], true, false, true),
    ];
    for (preset, expected, is_found, is_entered, is_spoken) in table {
        for is_set_before in [false, true] {
            let mut desk = with_room();
            if is_set_before {
                for flag in [Hidden, MembersOnly, Moderated, SubjectLocked, SemiAnonymous] {
                    desk.change(ANN, "#tea", set(flag));
                }
                desk.change(ANN, "#tea", set(Flag::ModeratorsInvite));
            }
            for flag in others {
                desk.change(ANN, "#tea", set(flag));
            }
            assert_eq!(desk.unchanged(ANN, "#tea", RoomChange::Preset(preset)), None);
            let Answered::Settings { flags, .. } = desk.answer(ANN, Command::ShowSettings { room: TEA })
            else {
                panic!("no settings")
            };
            let all = expected.iter().chain(&others);
            let all = all.fold(switchboard::hub::Flags::NONE, |flags, &flag| flags.with(flag));
            assert_eq!(flags, all, "{preset:?}");
            let found = desk.answer(BOB, Command::ShowSettings { room: TEA });
            assert_eq!(matches!(found, Answered::Settings { .. }), is_found, "{preset:?}: {found:?}");
            let entered = desk.answer(BOB, join("#tea", ""));
            assert_eq!(matches!(entered, Answered::Joined { .. }), is_entered, "{preset:?}: {entered:?}");
            if is_entered {
                let expected = if is_spoken { Ok(()) } else { Err(Refusal::NoVoice) };
                assert_eq!(said(&mut desk, BOB), expected, "{preset:?}");
            }
        }
    }
}

#[test]
fn one_word_sets_all_that_goes_together() {
    let mut desk = with_room();
    let effects = desk.change(ANN, "#tea", RoomChange::Preset(Preset::Private));
    let Recorded::Publish { event: Happened::Changed { changes, .. }, .. } = &effects[0] else {
        panic!("{effects:?}")
    };
    assert_eq!(changes[..], ["+Hidden", "+MembersOnly"], "the single changes that it came to");
    desk.change(ANN, "#tea", RoomChange::Preset(Preset::Announce));
    let Answered::Settings { flags, .. } = desk.answer(ANN, Command::ShowSettings { room: TEA }) else {
        panic!("no settings")
    };
    let expected = [Flag::Moderated, Flag::ClosedToOutsiders, Flag::SubjectLocked];
    assert_eq!(flags.iter().collect::<Vec<_>>(), expected);
    desk.join(BOB, "#tea");
    let hidden = desk.unchanged(ANN, "#tea", RoomChange::Preset(Preset::Anonymous));
    assert_eq!(hidden, Some(Refusal::OthersAreThere));
    let flag = desk.unchanged(ANN, "#tea", set(Flag::SemiAnonymous));
    assert_eq!(flag, Some(Refusal::OthersAreThere));
}
