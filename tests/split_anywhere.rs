//! TCP may cut a stream anywhere: a whole session gives the same answers however its bytes arrive.

#[path = "common/pieces.rs"]
mod pieces;

use pieces::Pieces;
use std::net::SocketAddr;
use std::time::Instant;
use switchboard::hub;
use switchboard::server::{Engine, Limits};
use switchboard::wire::frame::{self, Body};
use switchboard::wire::{BODY_MAX, Flags, header};

/// One of every request that a client alone on a server can make, and a few that are refused.
fn frames() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut put = |channel: u32, body: &dyn Fn(&mut Vec<u8>, u32)| body(&mut bytes, channel);
    fn encoded<'a>(body: impl Body<'a>) -> impl Fn(&mut Vec<u8>, u32) {
        move |out, channel| header::put(out, Flags::NONE, channel, &body)
    }
    let room = 1 << 20; // the first channel of a new server
    let long = "long ".repeat(400);
    put(
        0,
        &encoded(frame::Hello { request: 1, version: frame::VERSION, body_max: BODY_MAX, name: "élodie" }),
    );
    put(0, &encoded(frame::Join { request: 2, past: 0, room: "#tea", password: "" }));
    put(room, &encoded(frame::Say { request: 3, text: &long }));
    put(room, &encoded(frame::Say { request: 4, text: "" }));
    put(room, &encoded(frame::SetSubject { request: 5, text: "tea" }));
    put(room, &encoded(frame::Who { request: 6, after: "" }));
    put(0, &encoded(frame::ListRooms { request: 7, after: "" }));
    put(0, &encoded(frame::ListPeers { request: 8, after: "a" }));
    put(0, &encoded(frame::Lookup { request: 9, name: "ÉLODIE" }));
    put(0, &encoded(frame::Tell { request: 10, to: "nobody", text: "hello?" }));
    put(0, &encoded(frame::Open { request: 11, purpose: 0, to: "élodie" }));
    put(room, &encoded(frame::Data { payload: &[0; 300] }));
    put(0, &encoded(frame::Ping { token: 12 }));
    put(room, &encoded(frame::Leave { request: 13 }));
    put(0, &encoded(frame::Bye { code: 0, text: "done" }));
    bytes
}

/// Every command of IRC, and a few things that are none.
const LINES: &str = "\
CAP LS 302\r\nNICK \u{e9}lodie\r\nUSER elodie 0 * :\u{c9}lodie\r\n\
CAP REQ :message-tags server-time echo-message batch labeled-response multi-prefix userhost-in-names\r\n\
CAP REQ :nonsense\r\nCAP LIST\r\nCAP END\r\n\r\n\n\
@label=1 JOIN #tea,#cake,bad key\r\nPRIVMSG #tea :hello you\r\n@label=2;+x=y PRIVMSG #tea,#none,\u{e9}lodie :again\r\n\
@+typing=active TAGMSG #tea\r\nNOTICE #tea :a notice\nMODE #tea\r\nMODE #tea +ovmntkl-x \u{e9}lodie nobody key 5\r\n\
MODE #tea +b a!b@c\r\nMODE #tea b\r\nMODE \u{e9}lodie +iwB\r\nTOPIC #tea :what we drink\r\nTOPIC #tea\r\n\
NAMES #tea\r\n@label=3 WHO #tea\r\nWHO #tea %tcuhnfar,7\r\nWHOIS \u{e9}lodie\r\nWHOWAS nobody\r\nLIST\r\nINVITE nobody #tea\r\n\
KICK #tea nobody :why\r\nAWAY :back soon\r\nAWAY\r\nISON a \u{e9}lodie\r\nUSERHOST \u{e9}lodie\r\nMONITOR + a,b\r\n\
MONITOR L\r\nMOTD\r\nLUSERS\r\nVERSION\r\nADMIN\r\nINFO\r\nLINKS\r\nHELP\r\nSETNAME :E\r\nNICK elodie\r\n\
OPER nobody nothing\r\nKILL a :b\r\nWALLOPS :x\r\n@label=4 PONG x\r\nNONSENSE\r\n:source PING :to ken\r\n@a=b;c\r\n\
PART #tea :bye\r\nJOIN 0\r\nQUIT :done\r\n";

/// Whole conversations, in each dialect.
fn sessions() -> [Vec<u8>; 2] {
    let too_long = format!("PRIVMSG #tea :{}\r\n@{} PING x\r\n", "x".repeat(600), "t".repeat(5_000));
    let not_utf8 = b"PRIVMSG #tea :\xff\r\n";
    let (front, back) = LINES.split_once("PART #tea").expect("it is there");
    [frames(), [front.as_bytes(), too_long.as_bytes(), not_utf8, b"PART #tea", back.as_bytes()].concat()]
}

fn answers_to(pieces: Vec<Vec<u8>>) -> Vec<u8> {
    let mut limits = Limits::default();
    limits.irc_lines.per_second = 0; // time stands still, and lines would be held back
    let mut engine = Engine::new(limits, hub::Limits::default(), [0; 32], Instant::now());
    let socket = Pieces::default();
    socket.0.borrow_mut().input = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
    let key = engine.admit(socket.clone(), SocketAddr::from(([127, 0, 0, 1], 1))).expect("room for one");
    engine.note(key, true, true);
    while engine.has_work() {
        engine.read();
        engine.flush();
        engine.reap(drop);
    }
    let answers = std::mem::take(&mut socket.0.borrow_mut().output);
    assert!(answers.len() > 300, "only {} bytes of answers", answers.len());
    answers
}

#[test]
fn a_session_cut_in_two_at_every_byte_gets_the_same_answers() {
    for session in sessions() {
        let whole = answers_to(vec![session.clone()]);
        for cut in 0..=session.len() {
            let (front, back) = session.split_at(cut);
            assert!(answers_to(vec![front.to_vec(), back.to_vec()]) == whole, "cut at {cut}");
        }
    }
}

#[test]
fn a_session_in_pieces_of_any_size_gets_the_same_answers() {
    for session in sessions() {
        let whole = answers_to(vec![session.clone()]);
        for size in (1..70).chain([1_000, 1_024, 1_025]) {
            let pieces = session.chunks(size).map(<[u8]>::to_vec).collect();
            assert!(answers_to(pieces) == whole, "pieces of {size}");
        }
    }
}
