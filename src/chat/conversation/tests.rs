//! Lines in, frames out; frames in, lines out.

use super::*;
use crate::chat::paths::Mode;
use crate::wire::frame::{
    Changed, Closed, Data, Done, Grants, Invited, Joined, Kicked, Left, ListEntries, Notice, OccupantEntry,
    Occupants, Offer, Opened, Past, Refused, Renamed, Ringing, Said, Told, ToldElsewhere, put_list,
};
use crate::wire::{
    AffiliationCode, BODY_MAX, ChangeCode, ClosedCode, Frame, Kind, Purpose, RefusalCode, Split, split,
};

pub(super) const LOBBY: u32 = 7;
pub(super) const RELAY: u32 = 40;

/// Gives every frame that waits to be sent to `look`, with its channel.
pub(super) fn sent(conversation: &mut Conversation, mut look: impl FnMut(u32, Frame<'_>)) {
    let bytes = conversation.take_frames();
    let mut rest = bytes.as_slice();
    while let Ok(Split::Frame(raw)) = split(rest, BODY_MAX) {
        look(raw.header.channel, raw.decode().expect("what we send decodes"));
        rest = &rest[raw.len()..];
    }
    assert!(rest.is_empty());
}

/// The id of the only request that waits to be sent, which is of that kind.
pub(super) fn request(conversation: &mut Conversation, kind: Kind) -> u32 {
    let mut ids = Vec::new();
    let bytes = conversation.take_frames();
    let mut rest = bytes.as_slice();
    while let Ok(Split::Frame(raw)) = split(rest, BODY_MAX) {
        assert_eq!(raw.kind(), Some(kind));
        ids.push(raw.request());
        rest = &rest[raw.len()..];
    }
    assert_eq!(ids.len(), 1, "{kind:?}");
    ids[0]
}

pub(super) fn receive(conversation: &mut Conversation, channel: u32, frame: Frame<'_>) {
    conversation.receive(channel, Flags::NONE, frame);
}

pub(super) fn lines(conversation: &mut Conversation) -> Vec<String> {
    conversation.take_shown().iter().map(Shown::line).collect()
}

/// Types a line at a fresh prompt.
pub(super) fn typed(conversation: &mut Conversation, line: &str) {
    conversation.prompt();
    conversation.typed(line);
}

/// Peers see no addresses, and nobody asks whether they may.
pub(super) const BY_RELAY: Ways = Ways { mode: Mode::Auto, share: Share::Never, udp: false };

pub(super) fn chat(rooms: &[String], interactive: bool, ways: Ways) -> Conversation {
    Conversation::new("alice", rooms, interactive, ways, Instant::now())
}

pub(super) const WHY_RELAY: &str =
    "-- bob: relay: your addresses are not shown (--share-addresses always shows them)";

/// The payload of a conversation.
pub(super) fn payload(seq: u32, ack: u32, line: &str) -> Vec<u8> {
    [&seq.to_be_bytes(), &ack.to_be_bytes(), line.as_bytes()].concat()
}

/// In #lobby, with nobody else.
pub(super) fn in_lobby(interactive: bool) -> Conversation {
    let mut conversation = chat(&["lobby".to_owned()], interactive, BY_RELAY);
    conversation.connected("alice", 100);
    let request = request(&mut conversation, Kind::Join);
    join(&mut conversation, request, "#lobby", LOBBY);
    conversation.take_shown();
    conversation
}

pub(super) fn join(conversation: &mut Conversation, request: u32, room: &str, channel: u32) {
    let joined = Joined {
        request,
        room,
        occupants: 1,
        flags: 0,
        affiliation: 0,
        grants: 0,
        you: "alice",
        subject_millis: 0,
        subject_by: "",
        subject: "",
    };
    receive(conversation, channel, Frame::Joined(joined));
    receive(
        conversation,
        channel,
        Frame::Past(Past { request, more: 0, entries: ListEntries::of_encoded(&[]) }),
    );
}

pub(super) fn refused(request: u32, code: RefusalCode, text: &str) -> Frame<'_> {
    Frame::Refused(Refused { request, code: code.number(), text })
}

pub(super) fn offer(from: &str, purpose: Purpose) -> Frame<'_> {
    Frame::Offer(Offer { purpose: purpose.number(), payload_max: 1_000, from })
}

#[test]
fn rooms_are_entered_and_lines_said_to_the_target() {
    let mut alice = in_lobby(true);
    assert_eq!(alice.prompt(), "#lobby> ");
    alice.typed("hello");
    sent(&mut alice, |channel, frame| {
        assert!(matches!((channel, frame), (LOBBY, Frame::Say(say)) if say.text == "hello"));
    });
    receive(&mut alice, LOBBY, Frame::Said(Said { by: "bob", text: "hi\u{1b}[2J" }));
    receive(&mut alice, 0, Frame::Told(Told { from: "bob", text: "psst" }));
    assert_eq!(lines(&mut alice), ["#lobby <bob> hi^[[2J", "*bob* psst"]);
}

#[test]
fn what_others_do_with_rooms_and_names_is_shown() {
    let mut alice = in_lobby(true);
    let changed = |change: ChangeCode, on, value| {
        Frame::Changed(Changed { by: "bob", change: change.number(), on, seconds: 0, value, reason: "" })
    };
    for (frame, line) in [
        (changed(ChangeCode::Moderated, 1, ""), "-- #lobby is moderated (set by bob)"),
        (changed(ChangeCode::Moderator, 0, "eve"), "-- #lobby has eve as a moderator no more (set by bob)"),
        (changed(ChangeCode::Ban, 0, "eve!*@*"), "-- #lobby no longer bans eve!*@* (set by bob)"),
        (Frame::Kicked(Kicked { who: "eve", by: "bob", text: "spam" }), "-- bob made eve leave #lobby: spam"),
        (Frame::Notice(Notice { by: "bob", text: "beep" }), "-- notice of bob to #lobby: beep"),
    ] {
        receive(&mut alice, LOBBY, frame);
        assert_eq!(lines(&mut alice), [line]);
    }
    receive(
        &mut alice,
        LOBBY,
        Frame::Changed(Changed { by: "bob", change: 255, on: 1, seconds: 0, value: "", reason: "" }),
    );
    assert!(lines(&mut alice)[0].contains("does not know"));
    receive(&mut alice, 0, Frame::Invited(Invited { by: "bob", room: "#tea" }));
    assert_eq!(lines(&mut alice), ["-- bob invites you to #tea; /join #tea enters it"]);
}

#[test]
fn a_room_that_one_is_kicked_out_of_is_no_place_any_more() {
    let mut alice = in_lobby(true);
    receive(&mut alice, 0, Frame::Renamed(Renamed { who: "alice", to: "Alicia" }));
    receive(&mut alice, LOBBY, Frame::Kicked(Kicked { who: "Alicia", by: "bob", text: "" }));
    assert_eq!(lines(&mut alice), ["-- you are now Alicia", "!! bob made you leave #lobby"]);
    assert_eq!(alice.prompt(), "> ");
    assert!(!alice.has_rooms());
}

#[test]
fn what_another_client_of_ours_does_is_ours() {
    let mut alice = in_lobby(true);
    join(&mut alice, 0, "#tea", 9);
    receive(&mut alice, 9, Frame::Said(Said { by: "alice", text: "from my desk" }));
    receive(&mut alice, 0, Frame::ToldElsewhere(ToldElsewhere { to: "bob", text: "psst" }));
    receive(&mut alice, 9, Frame::Left(Left { who: "alice", code: 0, text: "" }));
    assert_eq!(
        lines(&mut alice),
        [
            "-- you are in #tea, with nobody else yet",
            "-- in #tea everybody sees who you are, and what is said may be kept",
            "#tea <alice> from my desk",
            "-- you said to bob, with another client: psst",
            "-- you left #tea, with another client",
        ]
    );
    assert_eq!(alice.prompt(), "#lobby> ", "what one does elsewhere turns to no other room");
    receive(&mut alice, LOBBY, Frame::Left(Left { who: "alice", code: 0, text: "" }));
    assert!(!alice.has_rooms());
}

#[test]
fn a_call_follows_the_name_of_its_peer() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/call bob");
    receive(&mut alice, 0, Frame::Renamed(Renamed { who: "bob", to: "rob" }));
    assert_eq!(alice.prompt(), "@rob> ");
}

#[test]
fn a_room_typed_becomes_the_target_once_entered() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/join ops");
    assert!(alice.is_moving());
    let id = request(&mut alice, Kind::Join);
    join(&mut alice, id, "#Ops", 8);
    assert!(!alice.is_moving());
    assert_eq!(alice.prompt(), "#Ops> ");
    typed(&mut alice, "/switch #LOBBY");
    assert_eq!(alice.prompt(), "#lobby> ");
    typed(&mut alice, "/join OPS");
    assert_eq!(alice.prompt(), "#Ops> ", "no second request for a room one is in");
    typed(&mut alice, "/leave");
    let id = request(&mut alice, Kind::Leave);
    receive(&mut alice, 8, Frame::Done(Done { request: id }));
    assert_eq!(alice.prompt(), "#lobby> ");
}

#[test]
fn a_line_goes_to_the_place_its_prompt_showed_or_nowhere() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/call bob");
    let id = request(&mut alice, Kind::Open);
    assert_eq!(alice.prompt(), "@bob> ");
    alice.typed("are you there?");
    assert!(alice.take_frames().is_empty(), "bob has not answered");
    alice.prompt();
    receive(&mut alice, 0, refused(id, RefusalCode::Declined, "not now"));
    alice.take_shown();
    alice.typed("just between us");
    assert!(alice.take_frames().is_empty(), "what was meant for bob is not said in the room");
    assert_eq!(lines(&mut alice), ["!! that room or call is no more; not said: just between us"]);
    assert_eq!(alice.prompt(), "#lobby> ");
}

#[test]
fn a_call_that_we_make() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/call bob");
    let request = request(&mut alice, Kind::Open);
    receive(&mut alice, RELAY, Frame::Opened(Opened { request, payload_max: 18, peer: "Bob" }));
    typed(&mut alice, "hello there");
    alice.pump();
    let mut payloads = Vec::new();
    sent(&mut alice, |channel, frame| {
        let Frame::Data(data) = frame else { panic!("no data") };
        assert_eq!(channel, RELAY);
        payloads.push(data.payload.to_vec());
    });
    assert_eq!(payloads, [payload(1, 0, "hello ther"), payload(2, 0, "e")]);
    assert_eq!(lines(&mut alice).last().map(String::as_str), Some(WHY_RELAY));
    receive(&mut alice, RELAY, Frame::Data(Data { payload: &payload(1, 1, "hé") }));
    receive(&mut alice, RELAY, Frame::Closed(Closed { code: ClosedCode::Done.number(), text: "" }));
    let expected = ["@bob <bob> hé", "!! not confirmed: @bob: e", "-- bob hung up"];
    assert_eq!(lines(&mut alice), expected, "the second piece was not acknowledged");
    assert_eq!(alice.prompt(), "#lobby> ");
    receive(&mut alice, RELAY, refused(0, RefusalCode::NoSuchRelay, "no such relay"));
    assert!(lines(&mut alice).is_empty(), "payload that crossed the end is no news");
}

#[test]
fn a_call_is_taken_back_as_soon_as_it_has_a_channel() {
    for hung_up_first in [true, false] {
        let mut alice = in_lobby(true);
        typed(&mut alice, "/call bob");
        let id = request(&mut alice, Kind::Open);
        assert!(alice.is_moving(), "the prompt waits for a refusal at once");
        let ringing = Frame::Ringing(Ringing { request: id });
        if hung_up_first {
            typed(&mut alice, "/hangup");
            assert_eq!(alice.prompt(), "#lobby> ");
            receive(&mut alice, RELAY, ringing);
        } else {
            receive(&mut alice, RELAY, ringing);
            assert!(!alice.is_moving());
            typed(&mut alice, "/hangup");
        }
        request(&mut alice, Kind::Close);
        alice.take_shown();
        receive(&mut alice, RELAY, refused(id, RefusalCode::Cancelled, "you took the call back"));
        assert!(alice.calls.is_empty() && lines(&mut alice).is_empty());
    }
}

#[test]
fn a_call_that_we_take_or_do_not_take() {
    let mut alice = in_lobby(true);
    receive(&mut alice, RELAY, offer("bob", Purpose::Conversation));
    receive(&mut alice, RELAY + 1, offer("carol", Purpose::Conversation));
    typed(&mut alice, "/accept");
    assert!(lines(&mut alice).last().is_some_and(|line| line.contains("name one of them")));
    typed(&mut alice, "/accept BOB");
    let id = request(&mut alice, Kind::Accept);
    receive(&mut alice, RELAY, Frame::Done(Done { request: id }));
    assert_eq!(alice.prompt(), "@bob> ");
    typed(&mut alice, "/decline");
    request(&mut alice, Kind::Decline);
    typed(&mut alice, "/hangup");
    request(&mut alice, Kind::Close);
    assert!(alice.calls.is_empty());
}

#[test]
fn words_go_with_a_decline() {
    let cases = [
        ("/decline", ""),
        ("/decline not now", "not now"),
        ("/decline BOB", ""),
        ("/decline bob at lunch", "at lunch"),
    ];
    for (line, words) in cases {
        let mut alice = in_lobby(true);
        receive(&mut alice, RELAY, offer("bob", Purpose::Conversation));
        typed(&mut alice, line);
        let mut declined = Vec::new();
        sent(&mut alice, |_, frame| {
            let Frame::Decline(decline) = frame else { panic!("{line}") };
            declined.push(decline.text.to_owned());
        });
        assert_eq!(declined, [words], "{line}");
    }
    let mut alice = in_lobby(true);
    for (from, channel) in [("bob", RELAY), ("carol", RELAY + 1)] {
        receive(&mut alice, channel, offer(from, Purpose::Conversation));
    }
    typed(&mut alice, "/decline not now");
    assert!(alice.take_frames().is_empty(), "it is not clear who is meant");
}

#[test]
fn a_call_is_under_way_once_the_server_has_agreed() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/call alice");
    let id = request(&mut alice, Kind::Open);
    assert!(lines(&mut alice).is_empty());
    receive(&mut alice, 0, refused(id, RefusalCode::NoSuchPeer, "nobody of that name is here"));
    let expected = "!! no call with alice: nobody of that name is here; /peers lists who is";
    assert_eq!(lines(&mut alice), [expected]);
    typed(&mut alice, "/call bob");
    let request = request(&mut alice, Kind::Open);
    receive(&mut alice, RELAY, Frame::Ringing(Ringing { request }));
    assert_eq!(lines(&mut alice), ["-- calling bob; /hangup gives up"]);
}

#[test]
fn who_lists_the_room_named() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/join ops");
    let id = request(&mut alice, Kind::Join);
    join(&mut alice, id, "#ops", 8);
    alice.take_shown();
    typed(&mut alice, "/who lobby");
    sent(&mut alice, |channel, frame| assert!(matches!((channel, frame), (LOBBY, Frame::Who(_)))));
    typed(&mut alice, "/who tea");
    assert!(alice.take_frames().is_empty());
    assert_eq!(lines(&mut alice), ["!! you are not in #tea; /join it first"]);
}

#[test]
fn pipes_are_declined_and_scripts_decline_everything() {
    for (interactive, purpose) in
        [(true, Purpose::Pipe), (false, Purpose::Conversation), (false, Purpose::Pipe)]
    {
        let mut alice = in_lobby(interactive);
        receive(&mut alice, RELAY, offer("bob", purpose));
        request(&mut alice, Kind::Decline);
        assert!(alice.calls.is_empty());
    }
}

#[test]
fn what_was_not_confirmed_when_the_connection_broke_is_told_and_not_sent_again() {
    let mut alice = in_lobby(false);
    alice.say_in_first_room("one\r");
    let first = request(&mut alice, Kind::Say);
    alice.say_in_first_room("two");
    receive(&mut alice, LOBBY, Frame::Done(Done { request: first }));
    alice.disconnected();
    assert_eq!(lines(&mut alice), ["!! not confirmed: #lobby: two"]);
    assert_eq!((alice.unconfirmed(), alice.is_in_first_room(), alice.is_settled()), (1, false, true));
    alice.connected("alice", 100);
    let id = request(&mut alice, Kind::Join);
    join(&mut alice, id, "#lobby", 9);
    assert!(alice.is_in_first_room() && alice.take_frames().is_empty());
}

#[test]
fn refused_lines_are_counted_and_told() {
    let mut alice = in_lobby(false);
    alice.say_in_first_room("a\0b");
    let id = request(&mut alice, Kind::Say);
    receive(&mut alice, LOBBY, refused(id, RefusalCode::BadText, "a text must be one line"));
    assert_eq!(lines(&mut alice), ["!! #lobby did not get \"a^@b\": a text must be one line"]);
    assert_eq!((alice.refused(), alice.is_settled()), (1, true));
}

#[test]
fn a_room_that_cannot_be_entered_is_told() {
    let mut alice = chat(&["a b".to_owned()], false, Ways::default());
    alice.connected("alice", 100);
    let id = request(&mut alice, Kind::Join);
    receive(&mut alice, 0, refused(id, RefusalCode::BadRoomName, "it contains ' '"));
    assert_eq!(alice.failed_room(), Some(("#a b".to_owned(), "it contains ' '".to_owned())));
    assert_eq!(lines(&mut alice), ["-- connected as alice"], "a script says it once, as it ends");
}

#[test]
fn lists_are_asked_for_page_by_page() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/peers");
    for (page, more) in [(["alice", "bob"], true), (["carol", "dave"], false)] {
        let request = request(&mut alice, Kind::ListPeers);
        let mut bytes = Vec::new();
        put_list(&mut bytes, Kind::PeerList, 0, request, BODY_MAX, page.into_iter(), more);
        let Ok(Split::Frame(raw)) = split(&bytes, BODY_MAX) else { panic!("no frame") };
        alice.receive(0, raw.flags(), raw.decode().expect("a list"));
    }
    assert_eq!(lines(&mut alice), ["-- 4 users on the server:", "-- alice, bob, carol, dave"]);
}

#[test]
fn long_lines_are_cut_between_characters() {
    let mut alice = in_lobby(false);
    let text = "é".repeat(120);
    alice.say_in_first_room(&text);
    let mut said = Vec::new();
    sent(&mut alice, |_, frame| {
        if let Frame::Say(say) = frame {
            said.push(say.text.to_owned());
        }
    });
    assert!(said.iter().all(|piece| piece.len() <= 100) && said.len() == 3);
    assert_eq!(said.concat(), text);
    assert_eq!(pieces("日本", 1).collect::<Vec<_>>(), ["日", "本"], "never an endless loop");
}

#[test]
fn what_one_does_is_said_as_an_action_and_each_piece_of_it_is_one() {
    let mut alice = in_lobby(true);
    typed(&mut alice, &format!("/me waves {}", "x".repeat(150)));
    let mut said = Vec::new();
    sent(&mut alice, |_, frame| {
        if let Frame::Say(say) = frame {
            said.push(say.text.to_owned());
        }
    });
    assert!(said.len() == 2 && said.iter().all(|piece| piece.len() <= 100), "{said:?}");
    let words: String = said.iter().map(|text| Ctcp::of(text).expect("an action").params).collect();
    assert_eq!(words, format!("waves {}", "x".repeat(150)));
    assert!(said.iter().all(|text| Ctcp::of(text).is_some_and(|ctcp| ctcp.is_action())));
}

#[test]
fn commands_without_a_connection_are_not_lost_silently() {
    let mut alice = in_lobby(true);
    alice.disconnected();
    alice.take_shown();
    for line in ["hello", "/who", "/join x", "/msg bob hi"] {
        typed(&mut alice, line);
        assert!(lines(&mut alice)[0].starts_with("!! there is no connection now"), "{line}");
    }
    typed(&mut alice, "/quit");
    assert_eq!(alice.leaving(), Some(""));
}

#[test]
fn who_is_there_is_listed_with_their_ranks_and_who_they_are() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/who");
    let request = request(&mut alice, Kind::Who);
    let entry = |name, affiliation: AffiliationCode, grants, real| OccupantEntry {
        name,
        affiliation: affiliation.number(),
        grants,
        real,
    };
    let occupants = [
        entry("ann", AffiliationCode::Owner, Grants::MODERATOR, ""),
        entry("bob", AffiliationCode::Admin, 0, ""),
        entry("cy", AffiliationCode::None, Grants::MODERATOR | Grants::VOICE, ""),
        entry("dan", AffiliationCode::Member, 0, ""),
        entry("eve", AffiliationCode::None, Grants::VOICE, "adam"),
        entry("fay", AffiliationCode::None, Grants::MUTED, ""),
    ];
    let mut bytes = Vec::new();
    let occupants = ListEntries::encode(&mut bytes, occupants);
    receive(&mut alice, LOBBY, Frame::Occupants(Occupants { request, occupants }));
    assert_eq!(lines(&mut alice), ["-- 6 users in #lobby:", "-- ~ann, &bob, @cy, +dan, +eve (adam), fay"]);
}

#[test]
fn who_cannot_log_out_is_told_what_can_be_done() {
    let mut alice = in_lobby(true);
    typed(&mut alice, "/logout");
    let request = request(&mut alice, Kind::Credentials);
    receive(&mut alice, 0, refused(request, RefusalCode::NameReserved, "that name is somebody's account"));
    let told = lines(&mut alice).concat();
    assert!(told.contains("still logged in") && told.contains("--nick"), "{told}");
}
