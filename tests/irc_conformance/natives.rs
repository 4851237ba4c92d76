//! What native clients and those of IRC hear of each other, where the two languages say it differently.

use crate::common::{self, Server};
use crate::harness::Client;
use switchboard::wire::frame::Said;
use switchboard::wire::{Frame, Kind};

/// The trailing of a PRIVMSG to `#tea`.
fn text(line: &str) -> &str {
    line.split_once(" PRIVMSG #tea :").unwrap_or_else(|| panic!("no message: {line}")).1
}

#[test]
fn a_long_text_of_a_native_client_is_never_taken_for_a_message_to_programs() {
    let server = Server::start(&["--irc-lines-per-second", "0"]);
    let mut ann = Client::register(server.address, "ann", "");
    ann.send("JOIN #tea");
    ann.send("MODE #tea +C");
    ann.told();
    let mut wanda = common::Client::login(server.address, "wanda");
    let tea = wanda.join("#tea");
    let before = "x".repeat(400);
    for at in 400..500 {
        let said = format!("{}\u{1}VERSION\u{1} and more", &before[..].repeat(2)[..at]);
        wanda.say(tea, &said);
        wanda.round_trip();
        let told = ann.told();
        let told: Vec<&str> =
            told.iter().filter(|line| line.contains("PRIVMSG")).map(|line| text(line)).collect();
        assert!(!told.is_empty() && told.iter().all(|text| !text.starts_with('\u{1}')), "{at}: {told:?}");
    }
}

#[test]
fn each_piece_of_a_long_action_is_an_action() {
    let server = Server::start(&["--irc-lines-per-second", "0"]);
    let mut ann = Client::register(server.address, "ann", "");
    ann.send("JOIN #tea");
    ann.told();
    let mut wanda = common::Client::login(server.address, "wanda");
    let tea = wanda.join("#tea");
    let words = "waves and ".repeat(100);
    wanda.say(tea, &format!("\u{1}ACTION {words}\u{1}"));
    wanda.round_trip();
    let told = ann.told();
    let told = told.iter().filter(|line| line.contains("PRIVMSG")).map(|line| text(line));
    let told: Vec<&str> = told
        .map(|text| {
            text.strip_prefix("\u{1}ACTION ").and_then(|text| text.strip_suffix('\u{1}')).expect(text)
        })
        .collect();
    assert!(told.len() > 2 && told.concat() == words, "{told:?}");
}

#[test]
fn what_is_for_moderators_alone_reaches_natives_among_them() {
    let server = Server::start(&["--irc-lines-per-second", "0"]);
    let mut wanda = common::Client::login(server.address, "wanda");
    let tea = wanda.join("#tea"); // who comes first moderates
    let mut nat = common::Client::login(server.address, "nat");
    nat.join("#tea");
    let mut ann = Client::register(server.address, "ann", "");
    ann.send("JOIN #tea");
    ann.told();
    ann.send("PRIVMSG @#tea :for moderators");
    ann.send("PRIVMSG #tea :for all");
    assert_eq!(ann.told(), Vec::<String>::new(), "nothing is refused");
    let heard = |client: &mut common::Client| {
        let said = client.receive_kind(Kind::Said);
        assert_eq!(said.channel(), tea);
        let Frame::Said(Said { by: "ann", text }) = said.frame() else { panic!("somebody else") };
        text.to_owned()
    };
    assert_eq!([heard(&mut wanda), heard(&mut wanda)], ["for moderators", "for all"]);
    assert_eq!(heard(&mut nat), "for all");
}
