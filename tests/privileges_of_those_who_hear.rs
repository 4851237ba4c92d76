//! Who hears what is said and done in a room, and who writes to a single occupant where people are not known, over real
//! connections in both dialects: the rows of XEP-0045 §5.1.1 that are about others than the one who does something.

#[path = "common/asking.rs"]
mod asking;
mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/privileges.rs"]
mod privileges;

use asking::{REQUEST, ask, change, member, undo};
use common::{Client, Server};
use irc::Link;
use privileges::{ROLES, WHISPERS};
use switchboard::hub::Role;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ChangeCode, Kind, RefusalCode};

fn server() -> Server {
    let no_bounds = ["--registrations-per-address-max", "0", "--irc-lines-per-second", "0"];
    Server::start(&[&["--account-delay-seconds", "1e-9"], &no_bounds[..]].concat())
}

/// Gives a role to somebody in a moderated room.
fn grant(ann: &mut Client, room: u32, role: Role, to: &str) {
    let code = match role {
        Role::Visitor => return,
        Role::Participant => ChangeCode::Voice,
        Role::Moderator => ChangeCode::Moderator,
    };
    assert_eq!(change(ann, room, code, to), Ok(()));
}

/// Ann's room, which is moderated and set so.
fn room(ann: &mut Client, name: &str, flags: &[ChangeCode]) -> u32 {
    let room = ann.join(name);
    for &flag in [ChangeCode::Moderated].iter().chain(flags) {
        assert_eq!(change(ann, room, flag, ""), Ok(()), "{flag:?}");
    }
    room
}

/// What somebody is called there who enters now.
fn entered(ann: &mut Client) -> String {
    let entered = ann.receive_kind(Kind::Entered);
    let Frame::Entered(entered) = entered.frame() else { panic!("nobody") };
    entered.who.to_owned()
}

/// "Receive messages" and "receive occupant presence", which are for every role.
#[test]
fn every_role_hears_what_is_said_and_who_comes_and_goes() {
    let server = server();
    let (mut ann, mut cy) = (member(&server, "ann"), Client::login(server.address, "cy"));
    for role in ROLES {
        let name = format!("#{role:?}");
        let tea = room(&mut ann, &name, &[]);
        let mut bob = Client::login(server.address, &format!("bob{role:?}"));
        let mut bea = Link::log_in(server.address, &format!("bea{role:?}"), "");
        bob.join(&name);
        bea.ask(&format!("JOIN {name}"));
        for who in ["bob", "bea"] {
            grant(&mut ann, tea, role, &format!("{who}{role:?}"));
        }
        bea.told();
        ann.say(tea, "the kettle is on");
        cy.join(&name);
        ask(&mut cy, tea, &frame::Leave { request: REQUEST }).expect("cy is in");
        let heard = [Kind::Said, Kind::Entered, Kind::Left].map(|kind| {
            loop {
                let heard = bob.receive_kind(kind);
                match heard.frame() {
                    Frame::Entered(entered) if entered.who != "cy" => {}
                    Frame::Said(said) => break said.text.to_owned(),
                    Frame::Entered(entered) => break entered.who.to_owned(),
                    Frame::Left(left) => break left.who.to_owned(),
                    other => panic!("{other:?}"),
                }
            }
        });
        assert_eq!(heard, ["the kettle is on", "cy", "cy"], "{role:?}");
        let told = bea.told();
        for (by, what) in [("ann", "PRIVMSG"), ("cy", "JOIN"), ("cy", "PART")] {
            let is = |line: &String| line.starts_with(&format!(":{by}!")) && line.contains(what);
            assert_eq!(told.iter().filter(|line| is(line)).count(), 1, "{role:?}: {what} in {told:?}");
        }
    }
}

/// "Send private messages to all occupants": where people are not known, the room says who may.
#[test]
fn who_writes_to_a_single_occupant_of_an_anonymous_room() {
    let server = server();
    let mut ann = member(&server, "ann");
    for (is_passive, allowed) in WHISPERS {
        for (role, is_allowed) in ROLES.into_iter().zip(allowed) {
            let case = format!("{role:?}, visitors-passive: {is_passive}");
            let (name, suffix) = (format!("#{role:?}{is_passive}"), format!("{role:?}{is_passive}"));
            let flags = [ChangeCode::SemiAnonymous, ChangeCode::VisitorsPassive];
            let tea = room(&mut ann, &name, &flags[..if is_passive { 2 } else { 1 }]);
            let mut cy = Client::login(server.address, &format!("cy{suffix}"));
            cy.join(&name);
            let to_cy = entered(&mut ann);
            let mut bob = Client::login(server.address, &format!("bob{suffix}"));
            bob.join(&name);
            let bob_is = entered(&mut ann);
            grant(&mut ann, tea, role, &bob_is);
            let mut bea = Link::log_in(server.address, &format!("bea{suffix}"), "");
            bea.ask(&format!("JOIN {name}"));
            let bea_is = entered(&mut ann);
            grant(&mut ann, tea, role, &bea_is);
            bea.told();

            let told = ask(&mut bob, 0, &frame::Tell { request: REQUEST, to: &to_cy, text: "psst" });
            let expected = if is_allowed { Ok(()) } else { Err(RefusalCode::NoVoice) };
            assert_eq!(told, expected, "{case}");
            let told = bea.ask(&format!("PRIVMSG {to_cy} :hush"));
            assert_eq!(told.is_empty(), is_allowed, "{case}: {told:?}");
            assert!(is_allowed || told[0].contains(" 404 "), "{case}: {told:?}");
            cy.send(0, &frame::Ping { token: 5 });
            let mut heard = Vec::new();
            loop {
                let received = cy.receive();
                match received.frame() {
                    Frame::Told(told) => heard.push((told.from.to_owned(), told.text.to_owned())),
                    Frame::Pong(_) => break,
                    _ => {}
                }
            }
            let said = [(bob_is, "psst".to_owned()), (bea_is, "hush".to_owned())];
            assert_eq!(heard, if is_allowed { &said[..] } else { &[] }, "{case}");
        }
    }
}

/// The number of what Bob says, as his room knows it.
fn said(by: &mut Client, room: u32, text: &str) -> u64 {
    by.say(room, text);
    by.send(room, &frame::ShowPast { request: REQUEST, part: 0, events: 0, limit: 1, id: 0, to: 0 });
    let past = by.receive_kind(Kind::Past);
    let Frame::Past(past) = past.frame() else { panic!("no past") };
    past.entries.iter().next().expect("what was said").id
}

/// Whoever said it takes it back, whatever they are, and so does who moderates (XEP-0425); in either dialect.
#[test]
fn authors_and_moderators_retract_in_both_dialects() {
    let server = server();
    let mut ann = member(&server, "ann");
    let mut bob = member(&server, "bob");
    let tea = ann.join("#tea");
    bob.join("#tea");
    let mut bea = Link::log_in(server.address, "bea", "");
    bea.ask("CAP REQ :draft/message-redaction message-tags server-time echo-message");
    bea.ask("JOIN #tea");
    let retract = |id| frame::Retract { request: REQUEST, id, text: "a slip" };

    let id = said(&mut bob, tea, "one");
    let told = bea.ask(&format!("REDACT #tea {id:016x} :no"));
    assert!(told.iter().any(|line| line.contains("FAIL REDACT REDACT_FORBIDDEN #tea")), "{told:?}");
    assert_eq!(change(&mut ann, tea, ChangeCode::Moderator, "bea"), Ok(()));
    let told = bea.ask(&format!("REDACT #tea {id:016x} :off the topic"));
    let is_told = |told: &[String], by: &str| {
        told.iter().any(|line| line.contains(&format!(":{by}!")) && line.contains(" REDACT #tea "))
    };
    assert!(is_told(&told, "bea"), "{told:?}");
    let redacted = bob.receive_kind(Kind::Retracted);
    let expected = frame::Retracted { id, by: "bea", text: "off the topic" };
    assert_eq!(redacted.frame(), Frame::Retracted(expected));
    assert_eq!(ask(&mut bob, tea, &retract(id)), Err(RefusalCode::NotThere), "it is gone");

    // Who takes no part in a moderated room still takes back what they said before.
    let id = said(&mut bob, tea, "two");
    change(&mut ann, tea, ChangeCode::Moderated, "").expect("ann owns it");
    let _ = undo(&mut ann, tea, ChangeCode::Voice, "bob");
    let mut cy = Client::login(server.address, "cy");
    cy.join("#tea");
    assert_eq!(ask(&mut cy, tea, &retract(id)), Err(RefusalCode::NotAllowed), "it is not hers");
    assert_eq!(ask(&mut bob, tea, &retract(id)), Ok(()));
    let told = bea.told();
    assert!(is_told(&told, "bob"), "{told:?}");

    let told = bea.ask("PRIVMSG #tea :three");
    let echo = told.iter().find(|line| line.contains(" PRIVMSG #tea :three")).expect("the echo");
    let own = echo.split(['@', ';', ' ']).find_map(|tag| tag.strip_prefix("msgid=")).expect("a msgid");
    assert_eq!(undo(&mut ann, tea, ChangeCode::Moderator, "bea"), Ok(()));
    let told = bea.ask(&format!("REDACT #tea {own}"));
    assert!(is_told(&told, "bea"), "she said it: {told:?}");
}
