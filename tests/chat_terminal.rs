//! `switchboard chat` on a terminal: the line that is being typed stays usable while messages come in.
//!
//! The terminal is tmux's, which draws what a person would see. Without tmux these tests fail.

mod common;
#[path = "common/screen.rs"]
mod screen;

use common::{Client, SWITCHBOARD, Server};
use screen::Screen;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use switchboard::wire::frame::{Said, Tell};
use switchboard::wire::{Frame, Kind};

/// A chat on a screen of its own.
fn chat(server: &Server, name: &str, args: &str) -> Screen {
    chat_with(&format!("{} --nick {name} {args}", server.address))
}

/// `switchboard chat` with these arguments.
fn chat_with(args: &str) -> Screen {
    // The shell stays, so that the exit status and the terminal's mode can be seen afterwards.
    Screen::run(&format!("{SWITCHBOARD} chat {args}; echo status $?; stty -a; read -r line"))
}

#[test]
fn a_message_appears_above_the_line_being_typed() {
    let server = Server::start(&[]);
    let alice = chat(&server, "alice", "--room lobby");
    alice.wait_for_prompt("#lobby>");
    let mut bob = Client::login(server.address, "bob");
    let channel = bob.join("#lobby");
    alice.wait_for("-- bob entered #lobby");
    alice.type_text("half ty");
    alice.wait_for_prompt("#lobby> half ty");
    bob.say(channel, "hi \u{1b}[2Jall");
    alice.wait_for("#lobby <bob> hi ^[[2Jall");
    alice.wait_for_prompt("#lobby> half ty");
    alice.enter("ped");
    let said = bob.receive_kind(Kind::Said);
    assert!(matches!(said.frame(), Frame::Said(Said { by: "alice", text: "half typed" })));
    let request = bob.next_request();
    bob.send(0, &Tell { request, to: "alice", text: "psst" });
    alice.wait_for("*bob* psst");
}

/// One line after the other.
struct BusyRoom {
    going: Arc<AtomicBool>,
    saying: Option<JoinHandle<()>>,
}

impl BusyRoom {
    /// Somebody else says lines in the lobby until this goes out of scope.
    fn start(server: &Server) -> BusyRoom {
        let mut bob = Client::login(server.address, "bob");
        let channel = bob.join("#lobby");
        let going = Arc::new(AtomicBool::new(true));
        let go_on = Arc::clone(&going);
        let saying = std::thread::spawn(move || {
            while go_on.load(Ordering::Relaxed) {
                bob.say(channel, "so much to say");
                bob.round_trip();
            }
        });
        BusyRoom { going, saying: Some(saying) }
    }
}

impl Drop for BusyRoom {
    fn drop(&mut self) {
        self.going.store(false, Ordering::Relaxed);
        let said = self.saying.take().map(JoinHandle::join);
        assert!(matches!(said, Some(Ok(()))) || std::thread::panicking(), "bob was cut off");
    }
}

#[test]
fn in_a_busy_room_every_line_that_is_typed_is_said() {
    let server = Server::start(&[]);
    let mut carol = Client::login(server.address, "carol");
    carol.join("#quiet");
    let alice = chat(&server, "alice", "--room quiet --room lobby");
    alice.wait_for_prompt("#quiet>");
    let busy = BusyRoom::start(&server);
    for n in 0..50 {
        alice.enter(&format!("line {n}"));
        let said = carol.receive_kind(Kind::Said);
        let expected = format!("line {n}");
        assert!(matches!(said.frame(), Frame::Said(Said { by: "alice", text }) if text == expected));
    }
    drop(busy);
    alice.wait_for_prompt("#quiet>");
    alice.enter("/quit");
    alice.wait_for("status 0");
}

#[test]
fn it_ends_with_its_terminal() {
    let server = Server::start(&[]);
    let alice = chat(&server, "alice", "--room lobby");
    alice.wait_for_prompt("#lobby>");
    let chat = alice.children();
    let _busy = BusyRoom::start(&server);
    alice.wait_for("#lobby <bob> so much to say");
    drop(alice);
    // Nobody may have waited for it yet.
    let stat = format!("/proc/{chat}/stat");
    common::eventually("it ends", || {
        !std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "))
    });
}

#[test]
fn the_commands_do_what_help_says() {
    let server = Server::start(&[]);
    let mut bob = Client::login(server.address, "bob");
    bob.join("#lobby");
    let alice = chat(&server, "alice", "--room lobby");
    alice.wait_for("-- you are in #lobby, with one other");
    alice.wait_for("-- alice, @bob");
    alice.wait_for_prompt("#lobby>");
    alice.enter("/help");
    alice.wait("help", |lines| lines.iter().any(|line| line.contains("/join ROOM")));
    alice.enter("/frobnicate");
    alice.wait("a clear word", |lines| {
        lines.iter().any(|line| line.contains("there is no command /frobnicate"))
    });
    alice.enter("/msg bob for you");
    assert_eq!(bob.receive_kind(Kind::Told).kind(), Kind::Told);
    alice.enter("/join ops");
    alice.wait_for_prompt("#ops>");
    alice.enter("/subject all things ops");
    alice.wait_for("-- #ops is now about: all things ops");
    alice.enter("/rooms");
    alice.wait_for("-- #lobby (2)");
    alice.enter("/who");
    alice.wait_for("-- 1 user in #ops:");
    alice.enter("/peers");
    alice.wait_for("-- 2 users on the server:");
    alice.enter("/switch lobby");
    alice.wait_for_prompt("#lobby>");
    alice.enter("/leave");
    alice.wait_for_prompt("#ops>");
    alice.enter("/quit so long");
    alice.wait_for("status 0");
}

#[test]
fn a_call_is_between_two() {
    let server = Server::start(&[]);
    let mut carol = Client::login(server.address, "carol");
    carol.join("#lobby");
    let alice = chat(&server, "alice", "--room lobby");
    let bob = chat(&server, "bob", "--room lobby");
    alice.wait_for("-- bob entered #lobby");
    bob.wait_for_prompt("#lobby>");
    alice.enter("/call nobody");
    alice.wait("a refusal", |lines| lines.iter().any(|line| line.starts_with("!! no call with nobody")));
    alice.wait_for_prompt("#lobby>");
    alice.enter("/call bob");
    bob.wait_for("-- alice is calling you; /accept or /decline");
    alice.wait_for_prompt("show bob your addresses, to talk directly? [y/N]");
    alice.enter("y");
    bob.enter("/accept");
    bob.wait_for_prompt("show alice your addresses, to talk directly? [y/N]");
    bob.enter("y");
    alice.wait_for("-- bob took the call");
    alice.wait("a path", |lines| lines.iter().any(|line| line.starts_with("-- bob: direct tcp, at ")));
    alice.wait_for_prompt("@bob>");
    alice.enter("only for you");
    bob.wait_for("@alice <alice> only for you");
    bob.enter("got it");
    alice.wait_for("@bob <bob> got it");
    alice.enter("/hangup");
    bob.wait_for("-- alice hung up");
    alice.wait_for_prompt("#lobby>");
    alice.enter("back again");
    let said = carol.receive_kind(Kind::Said);
    assert!(
        matches!(said.frame(), Frame::Said(Said { text: "back again", .. })),
        "the call was heard by nobody"
    );
}

#[test]
fn every_way_out_leaves_the_terminal_as_it_was() {
    let server = Server::start(&[]);
    for (name, key) in [("with-d", "C-d"), ("with-c", "C-c")] {
        let screen = chat(&server, name, "--room lobby");
        screen.wait_for_prompt("#lobby>");
        screen.key(key);
        screen.wait_for("status 0");
        screen.wait("a cooked terminal", |lines| lines.iter().any(|line| line.contains(" icanon")));
    }
    let screen = chat(&server, "by-signal", "--room lobby");
    screen.wait_for_prompt("#lobby>");
    let chat = screen.children();
    let status = Command::new("kill").args(["-TERM", &chat]).status();
    assert!(status.expect("kill runs").success(), "{chat:?}");
    screen.wait_for("status 143");
    screen.wait("a cooked terminal", |lines| lines.iter().any(|line| line.contains(" icanon")));
}

#[test]
fn it_says_that_the_connection_is_lost_and_comes_back() {
    let mut server = Server::start(&[]);
    let address = server.address.to_string();
    let alice = chat(&server, "alice", "--room lobby --room ops");
    alice.wait_for_prompt("#lobby>");
    server.child.kill().expect("kill");
    server.wait();
    alice.wait("a word about it", |lines| lines.iter().any(|line| line.contains("trying again in")));
    alice.enter("lost in space");
    alice.wait("a word about that", |lines| {
        lines.iter().any(|line| line.contains("there is no connection now"))
    });
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", &address]);
    let again = Server::spawn(command);
    alice.wait("back in both rooms", |lines| {
        ["#lobby", "#ops"].iter().all(|room| {
            lines.iter().filter(|line| line.starts_with(&format!("-- you are in {room},"))).count() == 2
        })
    });
    let mut bob = Client::login(again.address, "bob");
    bob.join("#lobby");
    alice.enter("here again");
    assert_eq!(bob.receive_kind(Kind::Said).kind(), Kind::Said);
}

#[test]
fn two_talk_without_a_server_and_the_one_that_waited_goes_on_waiting() {
    let bob = chat_with("--nick bob --listen 127.0.0.1:0");
    bob.wait_for_prompt(">");
    let waiting = bob.lines().into_iter().find(|line| line.starts_with("-- waiting for a call at "));
    let address = waiting.and_then(|line| line.rsplit(' ').next().map(str::to_owned)).expect("an address");
    bob.enter("to nobody");
    bob.wait_for("!! nobody is here; not said: to nobody");
    let alice = chat_with(&format!("--nick alice --peer {address}"));
    alice.wait_for_prompt("@bob>");
    bob.wait_for("-- alice called; you are talking to each other");
    alice.enter("hello bob");
    bob.wait_for("@alice <alice> hello bob");
    bob.enter("hello alice");
    alice.wait_for("@bob <bob> hello alice");
    bob.wait_for_prompt("@alice>");
    alice.enter("/quit tea time");
    alice.wait_for("status 0");
    bob.wait_for("-- alice left: tea time");
    bob.wait_for("-- waiting for the next call");
    bob.key("C-d");
    bob.wait_for("status 0");
}
