//! What the server does for a dialect of lines: several steps for one line, fake lag, and passwords that are checked
//! elsewhere.

use super::scene::{Scene, operator, pong, unmetered};
use crate::hub;
use crate::server::Limits;
use crate::server::allowance::Rate;
use crate::server::connection::HangUp;
use crate::server::credentials::{Check, Credentials, Outcome};
use crate::session::{CloseReason, Description};
use std::time::Duration;

/// A scene in which a list of rooms takes a step for each, with so many of them, and Ann in all.
fn rooms(limits: Limits, rooms: usize) -> (Scene, super::scene::Guest) {
    let hub_limits = hub::Limits { page_entries_max: 1, ..hub::Limits::default() };
    let mut scene = Scene::with(limits, hub_limits);
    let ann = scene.login("ann");
    for n in 0..rooms {
        scene.send(&ann, &format!("JOIN #{n:02}\r\n"));
        scene.settle();
    }
    ann.heard();
    (scene, ann)
}

fn list_of(rooms: usize) -> String {
    let entries: String = (0..rooms).map(|n| format!("322 ann #{n:02} 1 :\r\n")).collect();
    format!("321 ann Channel :Users  Name\r\n{entries}323 ann :End of /LIST\r\n")
}

#[test]
fn own_words_and_replies_come_in_order_and_a_line_may_be_many_steps() {
    let (mut scene, ann) = rooms(unmetered(), 3);
    let lines = scene.engine.counters().frames;
    scene.send(&ann, "PING one\r\nLIST\r\nPING two\r\n");
    scene.settle();
    assert_eq!(ann.heard(), format!("{}{}{}", pong("one"), list_of(3), pong("two")));
    assert_eq!(scene.engine.counters().frames, lines + 3, "a line is one, however many steps it takes");
}

#[test]
fn a_line_of_many_steps_stops_at_budgets_and_at_high_water() {
    let (mut scene, ann) = rooms(unmetered(), 50);
    let limits = Limits { frames_per_turn_max: 4, high_water_bytes: 30, ..unmetered() };
    scene.engine.set_limits(limits, hub::Limits { page_entries_max: 1, ..hub::Limits::default() });
    scene.send(&ann, "LIST\r\nPING end\r\n");
    for turns in 0.. {
        scene.turn();
        if !scene.engine.has_work() {
            assert!(turns >= 10, "{turns} turns");
            break;
        }
    }
    assert_eq!(ann.heard(), list_of(50) + &pong("end"));
}

#[test]
fn a_list_that_is_refused_between_two_pages_ends() {
    for (line, end) in [("NAMES #tea", "366 ann #tea "), ("WHO #tea", "315 ann #tea ")] {
        let hub_limits = hub::Limits { page_entries_max: 1, ..hub::Limits::default() };
        let mut scene = Scene::with(unmetered(), hub_limits);
        let guests = ["bob", "ann", "cy", "dan"].map(|name| scene.login(name));
        for guest in &guests {
            scene.send(guest, "JOIN #tea\r\n");
            scene.settle();
        }
        let [bob, ann, ..] = &guests;
        scene.send(bob, "MODE #tea +s\r\n");
        scene.settle();
        ann.heard();
        scene.send(ann, &format!("{line}\r\nPING after\r\n"));
        scene.turn();
        scene.turn();
        assert!(scene.engine.has_work(), "{line} takes a turn for each page");
        scene.send(bob, "KICK #tea ann\r\n");
        scene.settle();
        let heard = ann.heard();
        assert!(heard.contains(" KICK #tea ann "), "{heard}");
        assert_eq!(heard.matches(end).count(), 1, "{heard}");
        assert!(heard.ends_with(&pong("after")), "{heard}");
    }
}

/// PING with each of these tokens.
fn pings(tokens: impl Iterator<Item = usize>) -> String {
    tokens.map(|token| format!("PING {token}\r\n")).collect()
}

fn pongs(tokens: impl Iterator<Item = usize>) -> String {
    tokens.map(pong).collect()
}

#[test]
fn who_sends_too_fast_is_read_no_further_and_told_once() {
    let limits = Limits { irc_lines: Rate { per_second: 2, burst: 3 }, ..Limits::default() };
    let mut scene = Scene::new(limits);
    let (ann, bob) = (scene.login("ann"), scene.login("bob"));
    scene.pass(Duration::from_secs(2));
    let told =
        "NOTICE ann :You send faster than this server takes lines; your next one is taken in 0.5 s\r\n";
    scene.send(&ann, &pings(0..6));
    scene.settle();
    assert_eq!(ann.heard(), pongs(0..3) + told);
    let reads = ann.reads();
    scene.send(&ann, &pings(6..7));
    scene.send(&bob, &pings(0..1));
    scene.settle();
    assert_eq!(bob.heard(), pongs(0..1), "others are not held up");
    assert_eq!((ann.heard().as_str(), ann.reads()), ("", reads), "it is not even read");
    assert_eq!(scene.pass(Duration::from_millis(499)), 0, "and nobody is woken up for it");
    assert!(scene.pass(Duration::from_millis(1)) <= 2);
    assert_eq!(ann.heard(), pongs(3..4));
    scene.pass(Duration::from_secs(5));
    assert_eq!(ann.heard(), pongs(4..7), "and not told again");
    scene.send(&ann, &pings(7..11));
    scene.settle();
    assert_eq!(ann.heard(), pongs(7..10) + told, "until it was quiet for a while");
}

#[test]
fn silence_that_is_our_doing_ends_no_connection_and_what_a_broken_one_sent_is_not_sped_up() {
    let limits = Limits {
        irc_lines: Rate { per_second: 1, burst: 2 },
        ping_after: Duration::from_secs(5),
        ping_timeout: Duration::from_secs(5),
        ..Limits::default()
    };
    let mut scene = Scene::new(limits);
    let ann = scene.login("ann");
    scene.send(&ann, &"PONG :here\r\n".repeat(60));
    scene.settle();
    scene.pass(Duration::from_secs(55));
    assert_eq!(scene.engine.connections_len(), 1, "it answered, only that nobody has read it yet");
    scene.send(&ann, "PING never\r\n");
    let lines = scene.engine.counters().frames;
    scene.engine.note_hang_up(ann.key, HangUp::Broken);
    scene.settle();
    assert!(scene.engine.counters().frames <= lines + 1);
}

#[test]
fn who_floods_and_does_not_stop_is_closed() {
    let limits = Limits {
        irc_lines: Rate { per_second: 1, burst: 5 },
        irc_held_bytes_max: 1_000,
        ..Limits::default()
    };
    let mut scene = Scene::new(limits);
    let ann = scene.login("ann");
    scene.send(&ann, &pings(0..200));
    scene.settle();
    assert_eq!(ann.heard(), pongs(0..4) + "ERROR :Closing Link: Excess Flood\r\n");
    assert_eq!(scene.engine.counters().closed(CloseReason::Flood), 1);
}

#[test]
fn who_changes_its_dialect_has_its_rooms_changed_with_it() {
    let mut scene = Scene::new(unmetered());
    let (ann, bob) = (scene.login("ann"), scene.login("bob"));
    for guest in [&ann, &bob] {
        scene.send(guest, "JOIN #tea\r\n");
        scene.settle();
    }
    ann.heard();
    scene.send(&bob, "PRIVMSG #tea :one\r\n");
    scene.send(&ann, "CAP REQ :server-time\r\n");
    scene.settle();
    scene.send(&bob, "PRIVMSG #tea :two\r\n");
    scene.settle();
    let heard = ann.heard();
    let lines: Vec<&str> = heard.lines().collect();
    let [one, ack, two] = lines[..] else { panic!("{heard}") };
    assert!(one.starts_with(":bob!") && one.ends_with(":one"), "{heard}");
    assert!(ack.starts_with("CAP ann ACK"), "{heard}");
    assert!(two.starts_with("@time=") && two.ends_with(":two"), "{heard}");
}

const WRONG: &str = "464 ann :Wrong name or password, or not from your address\r\n";

#[test]
fn who_gives_a_password_waits_for_its_verdict() {
    let mut scene = Scene::new(unmetered());
    let (ann, bob) = (scene.login("ann"), scene.login("bob"));
    scene.send(&ann, "OPER ann secret\r\nPING after\r\n");
    scene.settle();
    let Check { hash, password, .. } = scene.engine.next_check().expect("a check");
    assert_eq!((hash.as_deref(), password.as_str()), (Some("ann's"), "secret"));
    scene.send(&bob, "OPER nobody secret\r\nPING after\r\n");
    scene.settle();
    assert!(scene.engine.next_check().is_none(), "one at a time");
    assert_eq!((ann.heard().as_str(), bob.heard().as_str()), ("", ""));
    scene.engine.checked(Outcome::Right);
    scene.engine.checked(Outcome::Wrong);
    scene.settle();
    assert_eq!(scene.engine.hub().counts().operators, 1, "no verdict comes twice");
    assert!(ann.heard().ends_with(&pong("after")));
    assert_eq!(bob.heard(), "");

    let check = scene.engine.next_check().expect("a check");
    assert_eq!(check.hash.as_deref(), Some("ann's"), "it takes as long for no name");
    scene.engine.checked(Outcome::Right);
    scene.settle();
    assert_eq!(bob.heard(), WRONG.replace("ann", "bob") + &pong("after"), "and is wrong whatever it is");
}

#[test]
fn a_verdict_for_one_who_is_gone_is_nobodys() {
    let mut scene = Scene::new(unmetered());
    let (ann, bob) = (scene.login("ann"), scene.login("bob"));
    for guest in [&ann, &bob] {
        scene.send(guest, "OPER ann secret\r\n");
    }
    scene.settle();
    scene.engine.next_check().expect("a check");
    for guest in [&ann, &bob] {
        scene.engine.exchange.close(guest.key, CloseReason::ServerStopping);
    }
    scene.settle();
    scene.engine.checked(Outcome::Right);
    scene.settle();
    assert!(ann.heard().starts_with("ERROR"));
    assert!(scene.engine.next_check().is_none(), "and one who waited in line has left it");
}

#[test]
fn after_a_wrong_password_the_next_one_from_there_has_to_wait() {
    let mut scene = Scene::new(unmetered());
    let (ann, bob) = (scene.login("ann"), scene.login("bob"));
    for guest in [&ann, &bob] {
        scene.send(guest, "OPER ann guess\r\n");
    }
    scene.settle();
    scene.engine.next_check().expect("a check");
    scene.engine.checked(Outcome::Wrong);
    assert!(scene.engine.next_check().is_none(), "not even of one who is waiting already");
    scene.settle();
    assert_eq!(ann.heard(), WRONG);
    assert_eq!(bob.heard(), "263 bob OPER :A wrong password came from your address; try again in 2.0 s\r\n");
    scene.pass(Duration::from_secs(2));
    scene.send(&ann, "OPER ann secret\r\n");
    scene.settle();
    scene.engine.next_check().expect("a check");
    scene.engine.checked(Outcome::Right);
    scene.settle();
    assert!(ann.heard().starts_with("381 ann "));
}

#[test]
fn who_was_right_before_the_settings_were_read_again_may_be_wrong_after_it() {
    let mut scene = Scene::new(unmetered());
    let ann = scene.login("ann");
    scene.send(&ann, "OPER ann secret\r\n");
    scene.settle();
    scene.engine.next_check().expect("a check");
    scene.engine.checked(Outcome::Right);
    scene.engine.describe(Description::default(), Credentials::default());
    scene.settle();
    assert_eq!(scene.engine.hub().counts().operators, 0);
    assert!(ann.heard().contains("MODE ann :-o"));
}

/// A scene whose server has a password.
fn behind_a_password() -> Scene {
    let mut scene = Scene::new(unmetered());
    let credentials = Credentials {
        password: Some("hash".to_owned()),
        operators: vec![operator("ann")],
        ..Credentials::default()
    };
    scene.engine.describe(Description::default(), credentials);
    scene
}

fn log_in(name: &str, password: &str) -> String {
    format!("PASS {password}\r\nNICK {name}\r\nUSER {name} 0 * :{name}\r\n")
}

#[test]
fn a_password_that_was_right_is_not_checked_again_until_the_settings_are_read_again() {
    let mut scene = behind_a_password();
    let guests: Vec<_> = (0..10).map(|_| scene.connect()).collect();
    for (n, guest) in guests.iter().enumerate() {
        scene.send(guest, &log_in(&format!("n{n}"), "secret"));
    }
    scene.settle();
    assert_eq!(scene.engine.next_check().expect("a check").hash.as_deref(), Some("hash"));
    scene.engine.checked(Outcome::Right);
    assert!(scene.engine.next_check().is_none());
    scene.settle();
    assert!(guests.iter().all(|guest| guest.heard().contains(" :Welcome ")));

    let (other, late) = (scene.connect(), scene.connect());
    scene.send(&other, &log_in("other", "guess"));
    scene.settle();
    scene.engine.next_check().expect("another one is checked");
    scene.engine.checked(Outcome::Wrong);
    scene.settle();
    assert!(other.heard().contains("464 * "));
    let credentials = scene.engine.exchange.credentials.clone();
    scene.engine.describe(Description::default(), credentials);
    scene.send(&late, &log_in("late", "secret"));
    scene.settle();
    assert!(scene.engine.next_check().is_some());
}

#[test]
fn who_knows_the_password_does_not_wait_behind_those_who_guess() {
    let mut scene = behind_a_password();
    let first = scene.connect();
    scene.send(&first, &log_in("first", "secret"));
    scene.settle();
    scene.engine.next_check().expect("a check");
    scene.engine.checked(Outcome::Right);
    let guesser = scene.connect_from("192.0.2.1").1.expect("there is room");
    scene.send(&guesser, &log_in("guesser", "guess"));
    scene.settle();
    scene.engine.next_check().expect("the guess is checked, and that takes its time");
    let ann = scene.connect();
    scene.send(&ann, &log_in("ann", "secret"));
    scene.settle();
    assert!(ann.heard().contains(" :Welcome "));
}

#[test]
fn who_connects_anew_has_sent_what_they_had_sent() {
    let limits = Limits { irc_lines: Rate { per_second: 2, burst: 5 }, ..Limits::default() };
    let mut scene = Scene::new(limits);
    let mut answers = |ip: &str, name: &str| {
        let guest = scene.connect_from(ip).1.expect("there is room");
        scene.send(&guest, &format!("NICK {name}\r\nUSER {name} 0 * :{name}\r\n{}", pings(0..5)));
        scene.settle();
        let answers = guest.heard().matches("PONG ").count();
        scene.engine.exchange.close(guest.key, CloseReason::PeerClosed);
        scene.settle();
        answers
    };
    assert_eq!(answers("192.0.2.1", "ann"), 4, "and the line that shows what is spoken is free");
    assert_eq!(answers("192.0.2.1", "ann"), 0, "it is the same client, for all that is known");
    assert_eq!(answers("192.0.2.2", "bob"), 4);
}

#[test]
fn lists_of_many_take_turns_and_others_are_read_meanwhile() {
    let (mut scene, ann) = rooms(unmetered(), 20);
    let askers: Vec<_> = (0..100).map(|n| scene.login(&format!("n{n}"))).collect();
    for asker in &askers {
        scene.send(asker, "LIST\r\n");
    }
    scene.turn();
    let entries = || askers.iter().map(|asker| asker.heard().matches("322 ").count()).sum::<usize>();
    assert_eq!(entries(), 100, "a first page for everybody");
    for _ in 0..10 {
        scene.send(&ann, "PING now\r\n");
        scene.turn();
        assert_eq!(ann.heard(), pong("now"));
        assert_eq!(entries(), 32);
    }
    scene.settle();
    assert_eq!(entries(), 100 * 20 - 100 - 10 * 32);
}

#[test]
fn who_waits_for_its_turn_to_log_in_waits_no_longer_than_a_login_may_take() {
    let mut scene = behind_a_password();
    let (ann, bob) = (scene.connect(), scene.connect());
    scene.send(&ann, &log_in("ann", "guess"));
    scene.send(&bob, &log_in("bob", "guess"));
    scene.settle();
    scene.engine.next_check().expect("a check");
    scene.pass(Duration::from_secs(10));
    assert_eq!(bob.heard(), "ERROR :Closing Link: no login in time\r\n");
    scene.engine.checked(Outcome::Wrong);
    assert!(scene.engine.next_check().is_none(), "it has left the line");
}

#[test]
fn a_password_that_cannot_be_checked_lets_nobody_in_and_keeps_nobody_hanging() {
    let mut scene = behind_a_password();
    let guest = scene.connect();
    scene.send(&guest, &log_in("guest", "secret"));
    scene.settle();
    scene.engine.next_check().expect("a check");
    scene.engine.checked(Outcome::Unknown);
    scene.settle();
    let told = "ERROR :Closing Link: the password cannot be checked at this time; connect again\r\n";
    assert_eq!(guest.heard(), told);
}
