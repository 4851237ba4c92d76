use super::dialogue::{CHANNEL, Dialogue};
use super::host::{Host, Served};
use super::*;
use crate::chat::partner::Partner;
use crate::chat::shown::Shown;
use crate::wire::frame::{Body, Close, Data, Done, Hello, Join, Open, Pong, Refused, VERSION};
use crate::wire::{BODY_MAX, BODY_MAX_FLOOR, Frame, Kind, RefusalCode, Split, split};

/// A host, its dialogue, and bytes as a guest sends them.
struct Waiter {
    host: Host,
    dialogue: Dialogue,
    now: Instant,
}

impl Waiter {
    fn new() -> Waiter {
        Waiter { host: Host::new("bob"), dialogue: Dialogue::default(), now: Instant::now() }
    }

    /// A frame, and the kinds of the answers.
    fn ask<'a>(&mut self, channel: u32, body: &impl Body<'a>) -> Vec<Kind> {
        let mut bytes = Vec::new();
        put(&mut bytes, Flags::NONE, channel, body);
        self.serve(&bytes).expect("it goes on");
        kinds(&self.dialogue.take_frames())
    }

    /// The code with which a frame is refused.
    fn refusal<'a>(&mut self, channel: u32, body: &impl Body<'a>) -> RefusalCode {
        let mut bytes = Vec::new();
        put(&mut bytes, Flags::NONE, channel, body);
        self.serve(&bytes).expect("it goes on");
        let answer = self.dialogue.take_frames();
        let (_, frame) = frames(&answer).next().expect("an answer");
        let Frame::Refused(Refused { code, .. }) = frame else { panic!("{frame:?}") };
        RefusalCode::from_number(code).expect("a code")
    }

    fn serve(&mut self, bytes: &[u8]) -> Result<Served, Lost> {
        let Ok(Split::Frame(raw)) = split(bytes, u16::MAX) else { panic!("no frame") };
        self.host.serve(self.now, &raw, &mut self.dialogue)
    }

    fn with_guest() -> Waiter {
        let mut waiter = Waiter::new();
        waiter.ask(0, &hello("alice"));
        waiter.ask(0, &open(Purpose::Conversation));
        waiter.dialogue.take_shown();
        waiter
    }
}

use crate::wire::Purpose;

fn hello(name: &str) -> Hello<'_> {
    Hello { request: 7, version: VERSION, body_max: BODY_MAX, name }
}

fn open(purpose: Purpose) -> Open<'static> {
    Open { request: 1, purpose: purpose.number(), to: "" }
}

fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (RawFlags, Frame<'_>)> {
    std::iter::from_fn(move || {
        let Ok(Split::Frame(raw)) = split(bytes, u16::MAX) else { return None };
        bytes = &bytes[raw.len()..];
        Some(((raw.header.channel, raw.flags()), raw.decode().expect("a frame")))
    })
}

type RawFlags = (u32, Flags);

fn kinds(bytes: &[u8]) -> Vec<Kind> {
    frames(bytes).map(|(_, frame)| frame.kind()).collect()
}

/// Takes what one side has to send to the other until neither has anything.
fn exchange(waiter: &mut Waiter, caller: &mut Dialogue) {
    loop {
        caller.pump(waiter.now);
        waiter.dialogue.pump(waiter.now);
        let (to_waiter, to_caller) = (caller.take_frames(), waiter.dialogue.take_frames());
        if to_waiter.is_empty() && to_caller.is_empty() {
            return;
        }
        let mut rest = &to_waiter[..];
        while let Ok(Split::Frame(raw)) = split(rest, u16::MAX) {
            rest = &rest[raw.len()..];
            waiter.host.serve(waiter.now, &raw, &mut waiter.dialogue).expect("it goes on");
        }
        for ((channel, flags), frame) in frames(&to_caller) {
            caller::hear(waiter.now, channel, flags, frame, caller).expect("it goes on");
        }
    }
}

fn talking() -> (Waiter, Dialogue) {
    let (mut waiter, mut caller) = (Waiter::new(), Dialogue::default());
    waiter.ask(0, &hello("alice"));
    caller::call(&mut caller);
    exchange(&mut waiter, &mut caller);
    assert!(caller.has_peer() && waiter.dialogue.has_peer());
    (waiter, caller)
}

fn texts(dialogue: &mut Dialogue) -> Vec<String> {
    let shown = dialogue.take_shown();
    shown.into_iter().filter(Shown::is_message).map(|shown| shown.line()).collect()
}

fn lines(dialogue: &mut Dialogue) -> Vec<String> {
    dialogue.take_shown().iter().map(Shown::line).collect()
}

#[test]
fn hello_is_answered_as_a_server_answers_it() {
    let mut waiter = Waiter::new();
    assert_eq!(waiter.refusal(0, &Hello { version: 9, ..hello("") }), RefusalCode::Version);
    assert_eq!(waiter.refusal(0, &hello("a b")), RefusalCode::BadName);
    assert_eq!(waiter.refusal(0, &hello("<b>")), RefusalCode::BadName);
    assert_eq!(waiter.refusal(0, &hello("BOB")), RefusalCode::NameTaken);
    let mut bytes = Vec::new();
    put(&mut bytes, Flags::NONE, 0, &Hello { body_max: 1, ..hello("alice") });
    assert!(matches!(waiter.serve(&bytes), Ok(Served::Welcomed { body_max: BODY_MAX_FLOOR })));
    assert_eq!(kinds(&waiter.dialogue.take_frames()), [Kind::Welcome]);
    assert_eq!(waiter.refusal(0, &hello("carol")), RefusalCode::AlreadyLoggedIn);
}

#[test]
fn there_is_one_relay_and_nothing_else() {
    let mut waiter = Waiter::new();
    waiter.ask(0, &hello("alice"));
    assert_eq!(waiter.refusal(CHANNEL, &Data { payload: b"early" }), RefusalCode::NoSuchRelay);
    assert_eq!(waiter.refusal(0, &open(Purpose::Pipe)), RefusalCode::UnknownRequest);
    assert_eq!(
        waiter.refusal(0, &Join { request: 3, past: 0, room: "#a", password: "" }),
        RefusalCode::UnknownRequest
    );
    assert_eq!(waiter.ask(0, &open(Purpose::Conversation)), [Kind::Ringing, Kind::Opened]);
    assert_eq!(waiter.refusal(0, &open(Purpose::Conversation)), RefusalCode::UnknownRequest);
    assert_eq!(waiter.refusal(2, &Close { request: 4 }), RefusalCode::NoSuchRelay);
    assert_eq!(waiter.refusal(0, &Done { request: 4 }), RefusalCode::UnknownRequest);
    assert_eq!(waiter.ask(CHANNEL, &Close { request: 4 }), [Kind::Done]);
    assert!(!waiter.dialogue.has_peer());
    assert_eq!(waiter.ask(0, &open(Purpose::Conversation)), [Kind::Ringing, Kind::Opened], "again");
}

#[test]
fn what_is_no_line_and_what_is_no_frame_end_it() {
    for payload in [&b"short"[..], b"\0\0\0\x01\0\0\0\0\xff", b"\0\0\0\x01\0\0\0\x09x"] {
        let mut waiter = Waiter::with_guest();
        let mut bytes = Vec::new();
        put(&mut bytes, Flags::NONE, CHANNEL, &Data { payload });
        assert!(matches!(waiter.serve(&bytes), Err(Lost::Broken(_))), "{payload:?}");
    }
    let mut waiter = Waiter::with_guest();
    assert!(
        matches!(waiter.serve(&[0xb5, 0, 0, 0, 0, 0, 0, 1]), Err(Lost::Broken(_))),
        "close without its id"
    );
    let unknown = [0xf0, 0, 0, 0, 0, 0, 0, 0];
    assert!(matches!(waiter.serve(&unknown), Ok(Served::Answered)), "a newer client may know it");
}

#[test]
fn lines_go_both_ways_and_a_script_is_through_once_both_are() {
    let (mut waiter, mut caller) = talking();
    waiter.dialogue.take_text("one\r");
    caller.take_text("/quit");
    caller.take_text("a\0b");
    exchange(&mut waiter, &mut caller);
    assert_eq!(texts(&mut waiter.dialogue), ["@alice <alice> /quit"]);
    let shown = lines(&mut caller);
    assert!(shown.contains(&"@bob <bob> one".to_owned()), "{shown:?}");
    assert!(shown.iter().any(|line| line.starts_with("!! bob did not get \"a^@b\"")), "{shown:?}");
    caller.end_input();
    exchange(&mut waiter, &mut caller);
    assert!(!caller.is_through(waiter.now));
    let patience = caller.next_look().expect("it does not wait for ever") - waiter.now;
    assert!(caller.is_through(waiter.now + patience));
    waiter.now += patience / 2;
    waiter.dialogue.take_text("two");
    exchange(&mut waiter, &mut caller);
    assert_eq!(caller.next_look(), Some(waiter.now + patience), "the peer is not through");
    waiter.dialogue.end_input();
    exchange(&mut waiter, &mut caller);
    assert!(caller.is_through(waiter.now));
    assert!(matches!(caller.verdict(), Err(Error::Unsaid { refused: 1, unconfirmed: 0 })));
    waiter.dialogue.peer_left("");
    assert!(waiter.dialogue.is_finished() && waiter.dialogue.verdict().is_ok());
}

#[test]
fn what_was_not_acknowledged_is_told_and_no_success() {
    let (mut waiter, mut caller) = talking();
    caller.take_text("into the dark");
    caller.pump(waiter.now);
    lines(&mut caller);
    caller.peer_lost("the connection broke");
    assert_eq!(
        lines(&mut caller),
        ["!! not confirmed: bob: into the dark", "!! bob is gone: the connection broke"]
    );
    assert!(matches!(caller.verdict(), Err(Error::Unsaid { refused: 0, unconfirmed: 1 })));
    waiter.dialogue.end_input();
    waiter.dialogue.peer_lost("the connection broke");
    assert!(!waiter.dialogue.is_finished(), "the peer may call again");
}

#[test]
fn a_peer_that_leaves_before_everything_was_said_is_no_success() {
    let (_, mut caller) = talking();
    caller.peer_left("tea time");
    assert_eq!(lines(&mut caller).last().map(String::as_str), Some("-- bob left: tea time"));
    assert!(matches!(caller.verdict(), Err(Error::Left { .. })));
    caller.end_input();
    assert!(caller.verdict().is_ok());
}

#[test]
fn what_is_typed_goes_to_the_peer_that_the_prompt_showed() {
    let (waiter, _) = talking();
    let mut bob = waiter.dialogue;
    assert_eq!(bob.prompt(), "@alice> ");
    bob.peer_left("");
    bob.begin("carol", 100, waiter.now);
    lines(&mut bob);
    bob.take_typed("for alice alone");
    bob.take_typed("/rooms");
    bob.take_typed("//x");
    let shown = lines(&mut bob);
    assert_eq!(shown[0], "!! that peer is gone; not said: for alice alone");
    assert!(shown[1].contains("needs a server") && shown[2].contains("that peer is gone"), "{shown:?}");
    assert_eq!(bob.prompt(), "@carol> ");
    bob.take_typed("//x");
    bob.take_typed("/help");
    bob.take_typed("/quit see you");
    bob.pump(waiter.now);
    let said = bob.take_frames();
    let payload = frames(&said).find_map(|(_, frame)| match frame {
        Frame::Data(Data { payload }) => Some(payload.to_vec()),
        _ => None,
    });
    assert_eq!(payload.as_deref(), Some(&b"\0\0\0\x01\0\0\0\0/x"[..]));
    assert_eq!(bob.leaving(), Some("see you"));
}

#[test]
fn a_long_text_is_several_lines_that_fit() {
    let now = Instant::now();
    let mut dialogue = Dialogue::default();
    dialogue.begin("alice", 18, now);
    dialogue.take_text(&"é".repeat(12));
    dialogue.pump(now);
    let sent = dialogue.take_frames();
    let lengths: Vec<usize> = frames(&sent)
        .filter_map(|(_, frame)| if let Frame::Data(data) = frame { Some(data.payload.len()) } else { None })
        .collect();
    assert_eq!(lengths, [18, 18, 12]);
}

#[test]
fn a_name_that_no_server_has_looked_at_is_looked_at() {
    let mut caller = Dialogue::default();
    let opened = crate::wire::frame::Opened { request: 1, payload_max: 100, peer: "bob> you owe me" };
    let heard = caller::hear(Instant::now(), CHANNEL, Flags::NONE, Frame::Opened(opened), &mut caller);
    assert!(matches!(heard, Err(Lost::Broken(_))) && !caller.has_peer());
    let heard = caller::hear(Instant::now(), 0, Flags::NONE, Frame::Pong(Pong { token: 0 }), &mut caller);
    assert!(heard.is_ok());
}
