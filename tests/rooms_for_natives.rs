//! Who runs a room over frames: everything that can be asked for, done and refused, and what everybody else is told.

#[path = "common/asking.rs"]
mod asking;
mod common;

use asking::{REQUEST, ask, change, changes, join, member, quick_server, say, undo};
use common::{Client, Server};
use switchboard::wire::frame::{self, Frame, Grants};
use switchboard::wire::{AffiliationCode, ChangeCode, Flags, Kind, RefusalCode, WishCode};

/// The next change that somebody is told of: its code, whether it is on, what goes with it, how long, why.
fn told(client: &mut Client) -> (u8, u8, String, u32, String) {
    let received = client.receive_kind(Kind::Changed);
    let Frame::Changed(changed) = received.frame() else { panic!("no change") };
    (changed.change, changed.on, changed.value.to_owned(), changed.seconds, changed.reason.to_owned())
}

/// Ann, whose room it is, Bob, who is in it, and its channel; both have accounts.
fn tea(server: &Server) -> (Client, Client, u32) {
    let (mut ann, mut bob) = (member(server, "ann"), member(server, "bob"));
    let tea = ann.join("#tea");
    bob.join("#tea");
    (ann, bob, tea)
}

#[test]
fn what_a_room_is_set_to_its_owner_changes_and_everybody_sees() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    let flags = [
        ChangeCode::Hidden,
        ChangeCode::MembersOnly,
        ChangeCode::Moderated,
        ChangeCode::SubjectLocked,
        ChangeCode::NoControlMessages,
        ChangeCode::NoHistory,
        ChangeCode::VisitorsPassive,
        ChangeCode::ModeratorsInvite,
        ChangeCode::SubjectOpen,
    ];
    for flag in flags {
        assert_eq!(change(&mut bob, tea, flag, ""), Err(RefusalCode::NotAllowed), "{flag:?}");
        assert_eq!(change(&mut ann, tea, flag, ""), Ok(()), "{flag:?}");
        assert_eq!(told(&mut bob), (flag.number(), 1, String::new(), 0, String::new()));
    }
    assert_eq!(change(&mut ann, tea, ChangeCode::Password, "key"), Ok(()));
    assert_eq!(change(&mut ann, tea, ChangeCode::OccupantsMax, "25"), Ok(()));
    for (code, bad) in
        [(ChangeCode::OccupantsMax, "many"), (ChangeCode::OccupantsMax, "0"), (ChangeCode::Password, "a b")]
    {
        assert_eq!(change(&mut ann, tea, code, bad), Err(RefusalCode::BadText), "{bad:?}");
    }
    ann.send(tea, &frame::ShowSettings { request: REQUEST });
    let settings = ann.receive_kind(Kind::Settings);
    let Frame::Settings(settings) = settings.frame() else { panic!("no settings") };
    let expected = flags
        .iter()
        .fold(1 << ChangeCode::ClosedToOutsiders.number(), |bits, flag| bits | 1 << flag.number());
    assert_eq!((settings.flags, settings.occupants_max), (expected, 25));
    assert_eq!((settings.has_password, settings.password), (1, "key"));
    for flag in flags {
        assert_eq!(undo(&mut ann, tea, flag, ""), Ok(()), "{flag:?}");
    }
    assert_eq!(undo(&mut ann, tea, ChangeCode::Password, ""), Ok(()));
    ann.send(tea, &frame::ShowSettings { request: REQUEST });
    let settings = ann.receive_kind(Kind::Settings);
    let Frame::Settings(settings) = settings.frame() else { panic!("no settings") };
    assert_eq!((settings.flags, settings.has_password), (1 << ChangeCode::ClosedToOutsiders.number(), 0));
}

#[test]
fn one_word_sets_all_that_goes_together() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    assert_eq!(change(&mut bob, tea, ChangeCode::Preset, "private"), Err(RefusalCode::NotAllowed));
    assert_eq!(change(&mut ann, tea, ChangeCode::Preset, "secret"), Err(RefusalCode::BadText));
    assert_eq!(undo(&mut ann, tea, ChangeCode::Preset, "private"), Err(RefusalCode::UnknownRequest));
    assert_eq!(change(&mut ann, tea, ChangeCode::Preset, "private"), Ok(()));
    let mut codes = [told(&mut bob).0, told(&mut bob).0];
    codes.sort_unstable();
    assert_eq!(codes, [ChangeCode::Hidden.number(), ChangeCode::MembersOnly.number()]);
}

#[test]
fn the_door_asks_for_what_the_room_says() {
    let server = quick_server();
    let (mut ann, mut bob) = (member(&server, "ann"), member(&server, "bob"));
    let tea = ann.join("#tea");
    change(&mut ann, tea, ChangeCode::Password, "key").expect("ann owns it");
    assert_eq!(join(&mut bob, "#tea", ""), Err(RefusalCode::BadPassword));
    assert_eq!(join(&mut bob, "#tea", "lock"), Err(RefusalCode::BadPassword));
    assert_eq!(join(&mut bob, "#tea", "key"), Ok(tea));
    ask(&mut bob, tea, &frame::Leave { request: REQUEST }).expect("he is in");
    change(&mut ann, tea, ChangeCode::MembersOnly, "").expect("ann owns it");
    assert_eq!(join(&mut bob, "#tea", "key"), Err(RefusalCode::MembersOnly));
    assert_eq!(ask(&mut ann, tea, &frame::Invite { request: REQUEST, who: "bob" }), Ok(()));
    let invited = bob.receive_kind(Kind::Invited);
    assert_eq!(invited.frame(), Frame::Invited(frame::Invited { by: "ann", room: "#tea" }));
    assert_eq!(join(&mut bob, "#tea", ""), Ok(tea), "whatever else would keep him out");
    let again = ask(&mut ann, tea, &frame::Invite { request: REQUEST, who: "bob" });
    assert_eq!(again, Err(RefusalCode::AlreadyInRoom));
}

#[test]
fn ranks_are_given_and_shown_and_the_last_owner_stays() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    let mut guest = Client::login(server.address, "guest");
    guest.join("#tea");
    assert_eq!(change(&mut bob, tea, ChangeCode::Admin, "bob"), Err(RefusalCode::NotAllowed));
    assert_eq!(change(&mut ann, tea, ChangeCode::Admin, "guest"), Err(RefusalCode::NoSuchPeer), "no account");
    assert_eq!(change(&mut ann, tea, ChangeCode::Admin, "bob"), Ok(()));
    assert_eq!(told(&mut guest), (ChangeCode::Admin.number(), 1, "bob".into(), 0, String::new()));
    assert_eq!(
        change(&mut ann, tea, ChangeCode::Member, "ann"),
        Err(RefusalCode::NotAllowed),
        "the last owner"
    );
    guest.send(tea, &frame::Who { request: REQUEST, after: "" });
    let page = guest.receive_kind(Kind::Occupants);
    let Frame::Occupants(list) = page.frame() else { panic!("no list") };
    let ranks: Vec<_> = list.occupants.iter().map(|one| (one.name, one.affiliation)).collect();
    let rank = AffiliationCode::number;
    let expected = [
        ("ann", rank(AffiliationCode::Owner)),
        ("bob", rank(AffiliationCode::Admin)),
        ("guest", rank(AffiliationCode::None)),
    ];
    assert_eq!(ranks, expected);
    let all = frame::ListMembers { request: REQUEST, affiliation: rank(AffiliationCode::None), after: "" };
    assert_eq!(ask(&mut guest, tea, &all), Err(RefusalCode::NotAllowed), "for members");
    bob.send(tea, &all);
    let page = bob.receive_kind(Kind::Members);
    let Frame::Members(list) = page.frame() else { panic!("no list") };
    let accounts: Vec<_> = list.members.iter().map(|one| (one.account, one.affiliation)).collect();
    assert_eq!((accounts, page.has(Flags::MORE)), (expected[..2].to_vec(), false));
    assert_eq!(undo(&mut ann, tea, ChangeCode::Owner, "bob"), Ok(()), "he is none");
    assert_eq!(undo(&mut ann, tea, ChangeCode::Admin, "bob"), Ok(()));
    assert_eq!(ask(&mut bob, tea, &all), Err(RefusalCode::NotAllowed), "he is nothing to the room now");
}

#[test]
fn who_disturbs_is_made_to_leave_and_kept_out() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    let mut guest = Client::login(server.address, "guest");
    guest.join("#tea");
    let kick = |who| frame::Kick { request: REQUEST, who, text: "enough" };
    assert_eq!(ask(&mut bob, tea, &kick("guest")), Err(RefusalCode::NotAllowed));
    assert_eq!(ask(&mut ann, tea, &kick("ann")), Err(RefusalCode::Yourself));
    assert_eq!(ask(&mut ann, tea, &kick("nobody")), Err(RefusalCode::NoSuchPeer));
    assert_eq!(ask(&mut ann, tea, &kick("guest")), Ok(()));
    let kicked = guest.receive_kind(Kind::Kicked);
    assert_eq!(kicked.frame(), Frame::Kicked(frame::Kicked { who: "guest", by: "ann", text: "enough" }));
    let ban = frame::Change { seconds: 3_600, reason: "spam", ..changes(ChangeCode::Ban, 1, "guest!*@*") };
    assert_eq!(ask(&mut bob, tea, &ban), Err(RefusalCode::NotAllowed));
    assert_eq!(ask(&mut ann, tea, &ban), Ok(()));
    assert_eq!(told(&mut bob), (ChangeCode::Ban.number(), 1, "guest!*@*".into(), 3_600, "spam".into()));
    assert_eq!(join(&mut guest, "#tea", ""), Err(RefusalCode::Banned));
    let masks = frame::ListMasks { request: REQUEST, list: ChangeCode::Ban.number(), from: 0 };
    ann.send(tea, &masks);
    let page = ann.receive_kind(Kind::Masks);
    let Frame::Masks(list) = page.frame() else { panic!("no list") };
    let mut entries = list.masks.iter();
    let entry = entries.next().expect("a ban");
    assert_eq!((entry.mask, entry.reason, entries.next()), ("guest!*@*", "spam", None));
    assert_eq!(entry.until_millis, entry.at_millis + 3_600_000);
    assert!(entry.by.starts_with("ann!"), "{}", entry.by);
    assert_eq!(undo(&mut ann, tea, ChangeCode::Ban, "guest!*@*"), Ok(()));
    assert_eq!(join(&mut guest, "#tea", ""), Ok(tea));
    assert_eq!(change(&mut ann, tea, ChangeCode::Outcast, "bob"), Ok(()));
    bob.receive_kind(Kind::Kicked);
    assert_eq!(join(&mut bob, "#tea", ""), Err(RefusalCode::Banned));
    assert_eq!(undo(&mut ann, tea, ChangeCode::Outcast, "bob"), Ok(()));
    assert_eq!(join(&mut bob, "#tea", ""), Ok(tea));
    assert_eq!(change(&mut ann, tea, ChangeCode::Mute, "bob!*@*"), Ok(()));
    assert_eq!(say(&mut bob, tea), Err(RefusalCode::NoVoice));
    assert_eq!(undo(&mut ann, tea, ChangeCode::Mute, "bob!*@*"), Ok(()));
    assert_eq!(say(&mut bob, tea), Ok(()));
}

#[test]
fn who_answers_for_a_room_is_thrown_out_by_nobody_of_their_rank() {
    let server = quick_server();
    let [mut ann, mut bob, mut cy] = ["ann", "bob", "cy"].map(|name| member(&server, name));
    let tea = ann.join("#tea");
    for (client, name) in [(&mut bob, "bob"), (&mut cy, "cy")] {
        client.join("#tea");
        change(&mut ann, tea, ChangeCode::Admin, name).expect("ann owns it");
    }
    for (code, whom, refusal) in [
        (ChangeCode::Outcast, "ann", RefusalCode::NotAllowed),
        (ChangeCode::Outcast, "cy", RefusalCode::NotAllowed),
        (ChangeCode::Outcast, "bob", RefusalCode::Yourself),
        (ChangeCode::Member, "cy", RefusalCode::NotAllowed),
    ] {
        assert_eq!(change(&mut bob, tea, code, whom), Err(refusal), "{code:?} {whom}");
    }
    let kick = |who| frame::Kick { request: REQUEST, who, text: "" };
    assert_eq!(ask(&mut bob, tea, &kick("ann")), Err(RefusalCode::NotAllowed));
    assert_eq!(undo(&mut bob, tea, ChangeCode::Voice, "cy"), Err(RefusalCode::NotAllowed));
    assert_eq!(change(&mut ann, tea, ChangeCode::Outcast, "cy"), Ok(()), "for owners it is not too high");
    assert_eq!(join(&mut cy, "#tea", ""), Err(RefusalCode::Banned));
}

#[test]
fn visitors_ask_for_a_voice_and_get_it() {
    let server = quick_server();
    let (mut ann, mut bob) = (member(&server, "ann"), member(&server, "bob"));
    let tea = ann.join("#tea");
    change(&mut ann, tea, ChangeCode::Moderated, "").expect("ann owns it");
    bob.join("#tea");
    assert_eq!(say(&mut bob, tea), Err(RefusalCode::NoVoice));
    let (voice, text) = (WishCode::Voice.number(), "please");
    let wish = frame::Wish { request: REQUEST, wish: voice, room: "", text };
    assert_eq!(ask(&mut bob, tea, &wish), Ok(()));
    assert_eq!(ask(&mut bob, tea, &wish), Err(RefusalCode::NotThere), "once is enough");
    let wished = ann.receive_kind(Kind::Wished);
    assert_eq!(wished.frame(), Frame::Wished(frame::Wished { who: "bob", wish: voice, text }));
    ann.send(tea, &frame::ListWishes { request: REQUEST });
    let page = ann.receive_kind(Kind::Wishes);
    let Frame::Wishes(list) = page.frame() else { panic!("no list") };
    let wishes: Vec<_> = list.wishes.iter().map(|one| (one.who, one.wish, one.text)).collect();
    assert_eq!(wishes, [("bob", voice, text)]);
    let decide = |who| frame::Decide { request: REQUEST, wish: voice, grant: 1, who };
    assert_eq!(ask(&mut bob, tea, &decide("bob")), Err(RefusalCode::NotAllowed));
    assert_eq!(ask(&mut ann, tea, &decide("bob")), Ok(()));
    let decided = bob.receive_kind(Kind::Decided);
    let expected = frame::Decided { wish: voice, is_granted: 1, room: "#tea" };
    assert_eq!((decided.frame(), decided.channel()), (Frame::Decided(expected), tea));
    assert_eq!(say(&mut bob, tea), Ok(()));
    assert_eq!(ask(&mut ann, tea, &decide("bob")), Err(RefusalCode::NotThere), "decided already");
    assert_eq!(undo(&mut ann, tea, ChangeCode::Voice, "bob"), Ok(()));
    assert_eq!(say(&mut bob, tea), Err(RefusalCode::NoVoice));
}

#[test]
fn membership_is_asked_for_from_outside() {
    let server = quick_server();
    let (mut ann, mut bob) = (member(&server, "ann"), member(&server, "bob"));
    let mut guest = Client::login(server.address, "guest");
    let tea = ann.join("#tea");
    change(&mut ann, tea, ChangeCode::MembersOnly, "").expect("ann owns it");
    let membership = WishCode::Membership.number();
    let wish = frame::Wish { request: REQUEST, wish: membership, room: "#tea", text: "" };
    assert_eq!(ask(&mut guest, 0, &wish), Err(RefusalCode::NotIdentified));
    assert_eq!(ask(&mut bob, 0, &wish), Ok(()));
    ann.receive_kind(Kind::Wished);
    let decide = frame::Decide { request: REQUEST, wish: membership, grant: 1, who: "bob" };
    assert_eq!(ask(&mut ann, tea, &decide), Ok(()));
    let decided = bob.receive_kind(Kind::Decided);
    let expected = frame::Decided { wish: membership, is_granted: 1, room: "#tea" };
    assert_eq!(decided.frame(), Frame::Decided(expected));
    assert_eq!(join(&mut bob, "#tea", ""), Ok(tea));
}

#[test]
fn a_name_is_reserved_for_a_member() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    let reserve = |name| frame::ReserveName { request: REQUEST, name };
    assert_eq!(ask(&mut bob, tea, &reserve("kit")), Err(RefusalCode::NotAllowed), "for members");
    change(&mut ann, tea, ChangeCode::Member, "bob").expect("ann owns it");
    assert_eq!(ask(&mut bob, tea, &reserve("kit")), Ok(()));
    let mut kit = Client::login(server.address, "kit");
    assert_eq!(join(&mut kit, "#tea", ""), Err(RefusalCode::NameReserved));
    assert_eq!(ask(&mut bob, tea, &reserve("")), Ok(()));
    assert_eq!(join(&mut kit, "#tea", ""), Ok(tea));
}

#[test]
fn a_room_is_renamed_and_ended_in_mid_conversation() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    bob.join("#taken");
    let rename = |to| frame::RenameRoom { request: REQUEST, to, text: "so" };
    assert_eq!(ask(&mut bob, tea, &rename("#chai")), Err(RefusalCode::NotAllowed));
    assert_eq!(ask(&mut ann, tea, &rename("#taken")), Err(RefusalCode::NameTaken));
    assert_eq!(ask(&mut ann, tea, &rename("chai")), Err(RefusalCode::BadRoomName));
    assert_eq!(ask(&mut ann, tea, &rename("#chai")), Ok(()));
    let renamed = bob.receive_kind(Kind::RoomRenamed);
    let expected = frame::RoomRenamed { by: "ann", to: "#chai", text: "so" };
    assert_eq!((renamed.frame(), renamed.channel()), (Frame::RoomRenamed(expected), tea));
    assert_eq!(say(&mut bob, tea), Ok(()), "the channel is the same");
    let destroy = frame::Destroy { request: REQUEST, instead: "#taken", text: "we move" };
    assert_eq!(ask(&mut bob, tea, &destroy), Err(RefusalCode::NotAllowed));
    assert_eq!(ask(&mut ann, tea, &destroy), Ok(()));
    let destroyed = bob.receive_kind(Kind::Destroyed);
    let expected = frame::Destroyed { by: "ann", instead: "#taken", text: "we move" };
    assert_eq!(destroyed.frame(), Frame::Destroyed(expected));
    assert_eq!(say(&mut bob, tea), Err(RefusalCode::NotInRoom));
}

#[test]
fn who_enters_learns_what_the_room_is_and_what_they_are_there() {
    let server = quick_server();
    let mut ann = member(&server, "ann");
    ann.send(0, &frame::Join { request: REQUEST, past: 0, room: "#tea", password: "" });
    let joined = ann.receive_kind(Kind::Joined);
    let Frame::Joined(own) = joined.frame() else { panic!("not in") };
    assert_eq!((own.affiliation, own.you), (AffiliationCode::Owner.number(), "ann"));
    let tea = joined.channel();
    change(&mut ann, tea, ChangeCode::SemiAnonymous, "").expect("nobody else is there");
    let mut bob = Client::login(server.address, "bob");
    bob.send(0, &frame::Join { request: REQUEST, past: 0, room: "#tea", password: "" });
    let joined = bob.receive_kind(Kind::Joined);
    let Frame::Joined(his) = joined.frame() else { panic!("not in") };
    let hidden = 1 << ChangeCode::SemiAnonymous.number();
    assert_eq!((his.flags & hidden, his.affiliation, his.grants & Grants::MODERATOR), (hidden, 0, 0));
    assert!(his.you.starts_with("anon-"), "{}", his.you);
    let entered = ann.receive_kind(Kind::Entered);
    assert_eq!(entered.frame(), Frame::Entered(frame::Entered { who: his.you }));
    ann.send(tea, &frame::Who { request: REQUEST, after: "" });
    let page = ann.receive_kind(Kind::Occupants);
    let Frame::Occupants(list) = page.frame() else { panic!("no list") };
    let real = list.occupants.iter().find(|one| one.name == his.you).map(|one| one.real);
    assert_eq!(real, Some("bob"), "an admin finds out");
    bob.send(tea, &frame::Who { request: REQUEST, after: "" });
    let page = bob.receive_kind(Kind::Occupants);
    let Frame::Occupants(list) = page.frame() else { panic!("no list") };
    assert!(list.occupants.iter().all(|one| one.real.is_empty() && one.name != "ann"), "others do not");
    let open = undo(&mut ann, tea, ChangeCode::SemiAnonymous, "");
    assert_eq!(open, Err(RefusalCode::NotAllowed), "somebody else is there");
}

#[test]
fn what_is_not_in_the_document_is_refused_and_the_conversation_goes_on() {
    let server = quick_server();
    let mut ann = member(&server, "ann");
    let tea = ann.join("#tea");
    let unknown = frame::Change { change: 200, ..changes(ChangeCode::Hidden, 1, "") };
    assert_eq!(ask(&mut ann, tea, &unknown), Err(RefusalCode::UnknownRequest));
    let members = frame::ListMembers { request: REQUEST, affiliation: 9, after: "" };
    assert_eq!(ask(&mut ann, tea, &members), Err(RefusalCode::UnknownRequest));
    let masks = frame::ListMasks { request: REQUEST, list: ChangeCode::Hidden.number(), from: 0 };
    assert_eq!(ask(&mut ann, tea, &masks), Err(RefusalCode::UnknownRequest));
    let wish = frame::Wish { request: REQUEST, wish: 9, room: "", text: "" };
    assert_eq!(ask(&mut ann, tea, &wish), Err(RefusalCode::UnknownRequest));
    assert_eq!(change(&mut ann, 0, ChangeCode::Hidden, ""), Err(RefusalCode::NotInRoom));
    assert_eq!(change(&mut ann, tea, ChangeCode::Hidden, ""), Ok(()));
}
