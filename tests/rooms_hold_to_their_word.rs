//! What rooms promise, over real connections: presets, what is hidden, who is sent away, what is reserved, what lasts when
//! everybody has gone, and what ends by itself.

#[path = "common/asking.rs"]
mod asking;
mod common;
#[path = "common/irc.rs"]
mod irc;

use asking::{REQUEST, SESAME, ask, change, changes, join, member, quick_server, say, undo};
use common::{Client, Received, Server};
use irc::Link;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{AffiliationCode, ChangeCode, Kind, RefusalCode, WishCode};

/// Ann, whose room it is, Bob, who is in it, and its channel; both have accounts.
fn tea(server: &Server) -> (Client, Client, u32) {
    let (mut ann, mut bob) = (member(server, "ann"), member(server, "bob"));
    let tea = ann.join("#tea");
    bob.join("#tea");
    (ann, bob, tea)
}

/// A client of IRC that is logged in to an account of its name.
fn line_member(server: &Server, name: &str) -> Link {
    let mut link = Link::log_in(server.address, name, "");
    let told = link.ask(&format!("REGISTER * * :{SESAME}"));
    assert!(told.iter().any(|line| line.contains(" 900 ")), "{told:?}");
    link
}

fn leave(client: &mut Client, room: u32) {
    ask(client, room, &frame::Leave { request: REQUEST }).expect("they are in");
}

/// The rooms that somebody is shown.
fn rooms(client: &mut Client) -> Vec<String> {
    client.send(0, &frame::ListRooms { request: REQUEST, after: "" });
    let list = client.receive_kind(Kind::RoomList);
    let Frame::RoomList(list) = list.frame() else { panic!("no list") };
    list.rooms.iter().map(|room| room.name.to_owned()).collect()
}

/// What a room is set to: bit n is change code n.
fn flags(client: &mut Client, room: u32) -> u16 {
    client.send(room, &frame::ShowSettings { request: REQUEST });
    let settings = client.receive_kind(Kind::Settings);
    let Frame::Settings(settings) = settings.frame() else { panic!("no settings") };
    settings.flags
}

fn bits(flags: &[ChangeCode]) -> u16 {
    flags.iter().fold(0, |bits, flag| bits | 1 << flag.number())
}

/// The occupants, with what they are to the room.
fn who(client: &mut Client, room: u32) -> Vec<(String, u8)> {
    client.send(room, &frame::Who { request: REQUEST, after: "" });
    let page = client.receive_kind(Kind::Occupants);
    let Frame::Occupants(list) = page.frame() else { panic!("no list") };
    list.occupants.iter().map(|one| (one.name.to_owned(), one.affiliation)).collect()
}

fn is_kick_of(received: &Received, whom: &str) -> bool {
    matches!(received.frame(), Frame::Kicked(kicked) if kicked.who == whom)
}

/// The table of presets: whether everybody finds the room, enters it, speaks in it, and sees who is who.
#[test]
fn each_preset_is_what_the_table_says() {
    let server = quick_server();
    let (mut ann, mut bob) = (member(&server, "ann"), member(&server, "bob"));
    for (preset, is_found, is_entered, is_spoken, is_seen) in [
        ("public", true, true, true, true),
        ("private", false, false, true, true),
        ("announce", true, true, false, true),
        ("anonymous", true, true, true, false),
        ("club", true, false, true, true),
    ] {
        let name = format!("#{preset}");
        let room = ann.join(&name);
        // A preset decides, whatever was set before, and leaves the rest.
        for flag in [ChangeCode::ModeratorsInvite, ChangeCode::Hidden, ChangeCode::NoControlMessages] {
            change(&mut ann, room, flag, "").expect("ann owns it");
        }
        assert_eq!(change(&mut ann, room, ChangeCode::Preset, preset), Ok(()), "{preset}");
        let kept = bits(&[ChangeCode::NoControlMessages, ChangeCode::ClosedToOutsiders]);
        let set = flags(&mut ann, room);
        assert_eq!((set & kept, set & bits(&[ChangeCode::ModeratorsInvite])), (kept, 0), "{preset}");
        assert_eq!(rooms(&mut bob).contains(&name), is_found, "{preset}");
        let entered = join(&mut bob, &name, "");
        assert_eq!(entered, if is_entered { Ok(room) } else { Err(RefusalCode::MembersOnly) }, "{preset}");
        if !is_entered {
            let invited = ask(&mut ann, room, &frame::Invite { request: REQUEST, who: "bob" });
            assert_eq!(invited, Ok(()), "{preset}");
            assert_eq!(join(&mut bob, &name, ""), Ok(room), "{preset}: who is invited enters");
        }
        let spoken = say(&mut bob, room);
        assert_eq!(spoken, if is_spoken { Ok(()) } else { Err(RefusalCode::NoVoice) }, "{preset}");
        let sees_ann = who(&mut bob, room).iter().any(|(name, _)| name == "ann");
        assert_eq!(sees_ann, is_seen, "{preset}");
        leave(&mut bob, room);
        if preset == "announce" {
            change(&mut ann, room, ChangeCode::Member, "bob").expect("ann owns it");
            assert_eq!(join(&mut bob, &name, ""), Ok(room));
            assert_eq!(say(&mut bob, room), Ok(()), "members have a voice");
        }
        if !is_entered {
            change(&mut ann, room, ChangeCode::Member, "bob").expect("ann owns it");
            assert_eq!(join(&mut bob, &name, ""), Ok(room), "{preset}: members enter");
        }
    }
}

#[test]
fn what_is_hidden_only_those_find_who_are_in_it_or_members_of_it() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    let mut cy = member(&server, "cy");
    let mut dan = Link::log_in(server.address, "dan", "");
    change(&mut ann, tea, ChangeCode::Hidden, "").expect("ann owns it");
    let wish = frame::Wish { request: REQUEST, wish: WishCode::Membership.number(), room: "#tea", text: "" };
    assert_eq!(rooms(&mut cy), Vec::<String>::new());
    assert_eq!(ask(&mut cy, 0, &wish), Err(RefusalCode::NotInRoom));
    let outside = ask(&mut cy, tea, &frame::Who { request: REQUEST, after: "" });
    let nowhere = ask(&mut cy, tea + 1_000, &frame::Who { request: REQUEST, after: "" });
    assert_eq!((outside, nowhere), (Err(RefusalCode::NotInRoom), Err(RefusalCode::NotInRoom)));
    let asked = [("LIST", "322"), ("NAMES #tea", "353"), ("WHO #tea", "352"), ("WHOIS ann", "319")];
    for (line, numeric) in asked {
        let told = dan.ask(line);
        assert!(!told.iter().any(|line| line.contains(&format!(" {numeric} "))), "{line}: {told:?}");
    }
    assert_eq!(rooms(&mut bob), ["#tea"], "he is in it");
    leave(&mut bob, tea);
    assert_eq!(rooms(&mut bob), Vec::<String>::new());
    change(&mut ann, tea, ChangeCode::Member, "bob").expect("ann owns it");
    assert_eq!(rooms(&mut bob), ["#tea"], "he is a member");
    assert_eq!(join(&mut cy, "#tea", ""), Ok(tea), "hidden is not closed");
    assert_eq!(rooms(&mut cy), ["#tea"]);
}

#[test]
fn requests_are_denied_and_may_be_made_again() {
    let server = quick_server();
    let (mut ann, mut bob) = (member(&server, "ann"), member(&server, "bob"));
    let tea = ann.join("#tea");
    change(&mut ann, tea, ChangeCode::Moderated, "").expect("ann owns it");
    bob.join("#tea");
    for (wish, channel, room) in [(WishCode::Voice, tea, ""), (WishCode::Membership, 0, "#tea")] {
        let wish = wish.number();
        if channel == 0 {
            leave(&mut bob, tea);
            change(&mut ann, tea, ChangeCode::MembersOnly, "").expect("ann owns it");
        }
        let wanted = frame::Wish { request: REQUEST, wish, room, text: "" };
        let decide = frame::Decide { request: REQUEST, wish, grant: 0, who: "bob" };
        assert_eq!(ask(&mut ann, tea, &decide), Err(RefusalCode::NotThere), "nothing is wished yet");
        for _ in 0..2 {
            assert_eq!(ask(&mut bob, channel, &wanted), Ok(()));
            assert_eq!(ask(&mut ann, tea, &decide), Ok(()));
            let decided = bob.receive_kind(Kind::Decided);
            let expected = frame::Decided { wish, is_granted: 0, room: "#tea" };
            assert_eq!(decided.frame(), Frame::Decided(expected));
        }
        assert_eq!(ask(&mut ann, tea, &decide), Err(RefusalCode::NotThere), "it is decided");
        if channel == 0 {
            assert_eq!(join(&mut bob, "#tea", ""), Err(RefusalCode::MembersOnly));
        } else {
            assert_eq!(say(&mut bob, tea), Err(RefusalCode::NoVoice));
        }
    }
}

/// XEP-0045 §9.4.
#[test]
fn who_is_no_member_any_more_leaves_a_room_for_members() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    let mut bea = line_member(&server, "bea");
    for name in ["bob", "bea"] {
        change(&mut ann, tea, ChangeCode::Member, name).expect("ann owns it");
    }
    bea.ask("JOIN #tea");
    assert_eq!(undo(&mut ann, tea, ChangeCode::Member, "bob"), Ok(()));
    bea.told();
    assert_eq!(say(&mut bob, tea), Ok(()), "the room is for everybody");
    change(&mut ann, tea, ChangeCode::Member, "bob").expect("ann owns it");
    change(&mut ann, tea, ChangeCode::MembersOnly, "").expect("ann owns it");
    assert_eq!(undo(&mut ann, tea, ChangeCode::Member, "bob"), Ok(()));
    assert!(is_kick_of(&bob.receive_kind(Kind::Kicked), "bob"));
    assert_eq!(say(&mut bob, tea), Err(RefusalCode::NotInRoom));
    assert_eq!(join(&mut bob, "#tea", ""), Err(RefusalCode::MembersOnly));
    assert!(bea.told().iter().any(|line| line.contains(" KICK #tea bob ")), "the others are told");
    assert_eq!(undo(&mut ann, tea, ChangeCode::Member, "bea"), Ok(()));
    bea.wait_for(&[" KICK #tea bea "]);
    assert!(bea.ask("JOIN #tea").iter().any(|line| line.contains(" 473 ")));
    assert_eq!(who(&mut ann, tea), [("ann".to_owned(), AffiliationCode::Owner.number())]);
}

/// XEP-0045 §7.10 and §9.1.
#[test]
fn a_reserved_name_is_one_members_alone_until_they_are_banned() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    change(&mut ann, tea, ChangeCode::Member, "bob").expect("ann owns it");
    let reserve = |name| frame::ReserveName { request: REQUEST, name };
    assert_eq!(ask(&mut bob, tea, &reserve("kit")), Ok(()));
    assert_eq!(ask(&mut ann, tea, &reserve("Kit")), Err(RefusalCode::NameReserved), "in any case");
    let mut kit = Link::log_in(server.address, "kit", "");
    assert!(kit.ask("JOIN #tea").iter().any(|line| line.contains(" 437 kit #tea ")));
    kit.ask("NICK kitty");
    assert!(kit.ask("JOIN #tea").iter().any(|line| line.contains(" 366 ")));
    let told = kit.ask("NICK kit");
    assert!(told.iter().any(|line| line.contains(" 437 kitty kit ")), "{told:?}");
    assert_eq!(change(&mut ann, tea, ChangeCode::Outcast, "bob"), Ok(()));
    assert_eq!(undo(&mut ann, tea, ChangeCode::Outcast, "bob"), Ok(()));
    let told = kit.ask("NICK kit");
    assert!(told.iter().any(|line| line.contains(" NICK kit")), "nobody has it reserved: {told:?}");
}

#[test]
fn a_room_that_lasts_keeps_what_it_is_when_nobody_is_in_it() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    assert_eq!(change(&mut bob, tea, ChangeCode::Persistent, ""), Err(RefusalCode::NotAllowed));
    let mut guest = Client::login(server.address, "guest");
    let own = guest.join("#own");
    assert_eq!(
        change(&mut guest, own, ChangeCode::Persistent, ""),
        Err(RefusalCode::NotAllowed),
        "no account"
    );
    for flag in [ChangeCode::Persistent, ChangeCode::Moderated, ChangeCode::SubjectLocked] {
        assert_eq!(change(&mut ann, tea, flag, ""), Ok(()));
    }
    change(&mut ann, tea, ChangeCode::Password, "key").expect("ann owns it");
    change(&mut ann, tea, ChangeCode::Admin, "bob").expect("ann owns it");
    change(&mut ann, tea, ChangeCode::Ban, "x!*@*").expect("ann owns it");
    ask(&mut ann, tea, &frame::SetSubject { request: REQUEST, text: "at five" }).expect("ann moderates");
    leave(&mut bob, tea);
    leave(&mut ann, tea);
    assert_eq!(rooms(&mut guest), ["#own", "#tea"], "it is there");
    assert_eq!(join(&mut guest, "#tea", ""), Err(RefusalCode::BadPassword));
    bob.send(0, &frame::Join { request: REQUEST, past: 0, room: "#tea", password: "key" });
    let joined = bob.receive_kind(Kind::Joined);
    let Frame::Joined(found) = joined.frame() else { panic!("not in") };
    let kept = bits(&[ChangeCode::Persistent, ChangeCode::Moderated, ChangeCode::SubjectLocked]);
    assert_eq!((found.flags & kept, found.occupants, found.subject), (kept, 1, "at five"));
    assert_eq!(found.affiliation, AffiliationCode::Admin.number());
    bob.send(tea, &frame::ListMasks { request: REQUEST, list: ChangeCode::Ban.number(), from: 0 });
    let page = bob.receive_kind(Kind::Masks);
    let Frame::Masks(list) = page.frame() else { panic!("no list") };
    assert_eq!(list.masks.iter().map(|one| one.mask).collect::<Vec<_>>(), ["x!*@*"]);
    assert_eq!(join(&mut ann, "#tea", "key"), Ok(tea), "its channel is the same");
    assert_eq!(undo(&mut ann, tea, ChangeCode::Persistent, ""), Ok(()), "still hers");
    leave(&mut bob, tea);
    leave(&mut ann, tea);
    assert_eq!(rooms(&mut guest), ["#own"], "now it ends with the last one who leaves");
}

/// The next change that somebody is told of that is on or off: its code, and what goes with it.
fn told(client: &mut Client, wanted: u8) -> (u8, String, String) {
    loop {
        let received = client.receive_kind(Kind::Changed);
        let Frame::Changed(changed) = received.frame() else { panic!("no change") };
        if changed.on == wanted {
            return (changed.change, changed.value.to_owned(), changed.by.to_owned());
        }
    }
}

#[test]
fn a_muted_account_is_silent_under_any_name_and_whatever_ends_by_itself_is_told() {
    let server = quick_server();
    let (mut ann, mut bob, tea) = tea(&server);
    let mut bea = line_member(&server, "bea");
    bea.ask("JOIN #tea");
    for mute in ["~a:bob", "~a:bea"] {
        assert_eq!(change(&mut ann, tea, ChangeCode::Mute, mute), Ok(()));
    }
    assert_eq!(say(&mut bob, tea), Err(RefusalCode::NoVoice));
    bea.ask("NICK beatrice");
    assert!(bea.ask("PRIVMSG #tea :hello").iter().any(|line| line.contains(" 404 ")));
    let mut twin = Client::login(server.address, "twin");
    let identify = frame::Credentials {
        request: REQUEST,
        what: switchboard::wire::CredentialsCode::Identify.number(),
        name: "bob",
        password: SESAME,
        new: "",
    };
    twin.send(0, &identify);
    twin.receive_kind(Kind::Account);
    twin.join("#tea");
    assert_eq!(say(&mut twin, tea), Err(RefusalCode::NoVoice), "another name of the same account");
    for mute in ["~a:bob", "~a:bea"] {
        assert_eq!(undo(&mut ann, tea, ChangeCode::Mute, mute), Ok(()));
    }
    assert_eq!(say(&mut bob, tea), Ok(()));
    assert_eq!(say(&mut twin, tea), Ok(()));
    bob.round_trip();
    bea.told();

    // For a second; all are told of the end, and nobody did it.
    let (mute, ban) = (ChangeCode::Mute, ChangeCode::Ban);
    for (code, mask, letters) in
        [(mute, "~a:bob", "-Q ~a:bob"), (mute, "bob!*@*", "-Q bob!*@*"), (ban, "x!*@*", "-b x!*@*")]
    {
        let short = frame::Change { seconds: 1, ..changes(code, 1, mask) };
        assert_eq!(ask(&mut ann, tea, &short), Ok(()), "{mask}");
        for client in [&mut bob, &mut ann] {
            let (code_told, value, by) = told(client, 0);
            assert_eq!((code_told, &*value, &*by), (code.number(), mask, ""));
        }
        let line = bea.wait_for(&[letters]);
        assert!(line.starts_with(":switchboard.local MODE #tea "), "{line}");
        assert_eq!(say(&mut bob, tea), Ok(()), "{mask}");
    }
    let short = frame::Change { seconds: 1, reason: "a break", ..changes(ChangeCode::Outcast, 1, "bob") };
    assert_eq!(ask(&mut ann, tea, &short), Ok(()));
    bob.receive_kind(Kind::Kicked);
    let (code, whom, by) = told(&mut ann, 0);
    assert_eq!((code, &*whom, &*by), (ChangeCode::Outcast.number(), "bob", ""));
    assert_eq!(join(&mut bob, "#tea", ""), Ok(tea), "it has ended");
    change(&mut ann, tea, ChangeCode::Admin, "bea").expect("ann owns it");
    bea.told();
    assert_eq!(ask(&mut ann, tea, &short), Ok(()));
    let line = bea.wait_for(&["-b ~a:bob"]);
    assert!(line.starts_with(":switchboard.local MODE #tea "), "who bans hears of it: {line}");
}
