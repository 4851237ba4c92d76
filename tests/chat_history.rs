//! `switchboard chat` and what was said before: shown on entering, read back, searched, taken back.

mod common;
#[path = "common/screen.rs"]
mod screen;

use common::{Client, SWITCHBOARD, Server, wait_for};
use screen::Screen;
use std::io::Read;
use std::process::{Command, Stdio};
use switchboard::wire::frame::{PastEntry, Retracted, ShowPast};
use switchboard::wire::{Frame, Kind, PartCode};

fn on_screen(server: &Server, name: &str, args: &str) -> Screen {
    Screen::run(&format!(
        "{SWITCHBOARD} chat {} --nick {name} {args}; echo status $?; read -r line",
        server.address
    ))
}

/// Somebody in #tea who has said these.
fn talker(server: &Server, name: &str, texts: &[&str]) -> (Client, u32) {
    let mut talker = Client::login(server.address, name);
    let channel = talker.join("#tea");
    texts.iter().for_each(|text| talker.say(channel, text));
    talker.round_trip();
    (talker, channel)
}

/// What a script that has nothing to say prints.
fn printed(server: &Server, args: &[&str]) -> String {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["chat", &server.address.to_string(), "--nick", "log", "--room", "tea"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("chat starts");
    let mut text = String::new();
    child.stdout.take().expect("stdout is piped").read_to_string(&mut text).expect("text");
    assert!(wait_for(&mut child).success());
    text
}

/// A line without its time, which has the right form.
fn timeless(line: &str) -> String {
    let (head, rest) = line.split_once(" [").unwrap_or_else(|| panic!("no time in {line:?}"));
    let (time, rest) = rest.split_once("] ").unwrap_or_else(|| panic!("no time in {line:?}"));
    let form: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(form, "0000-00-00T00:00:00Z", "{line:?}");
    format!("{head} {rest}")
}

#[test]
fn what_was_said_before_is_shown_on_entering_with_its_time() {
    let server = Server::start(&[]);
    let (mut bob, channel) = talker(&server, "bob", &["tea?", "\u{1}ACTION pours\u{1}"]);
    let ann = on_screen(&server, "ann", "--room tea");
    ann.wait_for_prompt("#tea>");
    ann.wait_for_part("Z] <bob> tea?");
    ann.wait_for_part("Z] * bob pours");
    bob.say(channel, "ann!");
    ann.wait_for_part("#tea <bob> ann!");
}

#[test]
fn a_script_is_shown_what_was_said_before_only_if_it_wants_it() {
    let server = Server::start(&[]);
    let texts: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
    let _bob = talker(&server, "bob", &texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(printed(&server, &[]), "");
    let lines: Vec<String> = printed(&server, &["--history", "3"]).lines().map(timeless).collect();
    assert_eq!(lines, ["#tea <bob> line 27", "#tea <bob> line 28", "#tea <bob> line 29"]);
}

#[test]
fn it_is_read_back_searched_and_taken_back() {
    let server = Server::start(&["--history-page-max", "2"]);
    let (mut bob, channel) = talker(&server, "bob", &["one tea", "two", "three", "four tea"]);
    let ann = on_screen(&server, "ann", "--room tea --history 0");
    ann.wait_for_prompt("#tea>");
    ann.enter("my tea");
    bob.receive_kind(Kind::Said);
    ann.enter("/history 3");
    ann.wait_for_part("#tea: 3 messages; /more shows those before");
    ann.wait_for_part("Z] <bob> three");
    ann.enter("/more");
    ann.wait_for_part("#tea: 2 messages");
    ann.wait_for_part("#tea 4 [");
    ann.wait_for_part("Z] <bob> one tea");
    ann.enter("/history after 4");
    ann.wait_for_part("#tea: 4 messages");
    ann.enter("/search TEA four");
    ann.wait_for_part("#tea: 1 message");
    ann.enter("/retract 2 not hers");
    ann.wait_for_part("!! #tea:");
    ann.enter("/retract last a slip");
    ann.wait_for_part("is taken back");
    let retracted = bob.receive_kind(Kind::Retracted);
    assert!(matches!(retracted.frame(), Frame::Retracted(Retracted { by: "ann", text: "a slip", .. })));
    ann.enter("/history 1");
    ann.wait_for_part("-- ann took back what ann said: a slip");
    // Another's words, as who takes them back may see them.
    let request = bob.next_request();
    let latest = PartCode::Latest.number();
    bob.send(channel, &ShowPast { request, part: latest, events: 0, limit: 1, id: 0, to: 0 });
    let past = bob.receive_kind(Kind::Past);
    let Frame::Past(past) = past.frame() else { panic!("no past") };
    let entries: Vec<PastEntry<'_>> = past.entries.iter().collect();
    assert!(matches!(entries.as_slice(), [PastEntry { retracted_by: "ann", text: "a slip", .. }]));
}
