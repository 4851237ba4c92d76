//! Who runs rooms over frames: each request waits for its answer.
#![allow(dead_code)] // each test file uses its part

use super::common::{Client, Server};
use switchboard::wire::frame::{self, Body, Frame};
use switchboard::wire::{ChangeCode, CredentialsCode, Kind, RefusalCode};

/// Any number but 0 will do: each request waits for its answer.
pub const REQUEST: u32 = 9;

pub const SESAME: &str = "open sesame";

pub fn quick_server() -> Server {
    Server::start(&["--account-delay-seconds", "1e-9"])
}

/// Somebody with an account of that name.
pub fn member(server: &Server, name: &str) -> Client {
    let mut client = Client::login(server.address, name);
    let what = CredentialsCode::Register.number();
    let register = frame::Credentials { request: REQUEST, what, name: "", password: SESAME, new: "" };
    client.send(0, &register);
    client.receive_kind(Kind::Account);
    client
}

/// What becomes of a request that is answered by done, or by a list of members.
pub fn ask<'a>(client: &mut Client, channel: u32, request: &impl Body<'a>) -> Result<(), RefusalCode> {
    client.send(channel, request);
    loop {
        let answer = client.receive();
        match answer.frame() {
            Frame::Done(done) if done.request == REQUEST => return Ok(()),
            Frame::Members(members) if members.request == REQUEST => return Ok(()),
            Frame::Refused(refused) if refused.request == REQUEST => {
                return Err(RefusalCode::from_number(refused.code).expect("a known code"));
            }
            _ => {}
        }
    }
}

pub fn changes(change: ChangeCode, on: u8, value: &str) -> frame::Change<'_> {
    frame::Change { request: REQUEST, change: change.number(), on, seconds: 0, value, reason: "" }
}

pub fn change(client: &mut Client, room: u32, code: ChangeCode, value: &str) -> Result<(), RefusalCode> {
    ask(client, room, &changes(code, 1, value))
}

pub fn undo(client: &mut Client, room: u32, code: ChangeCode, value: &str) -> Result<(), RefusalCode> {
    ask(client, room, &changes(code, 0, value))
}

pub fn join(client: &mut Client, room: &str, password: &str) -> Result<u32, RefusalCode> {
    client.send(0, &frame::Join { request: REQUEST, past: 0, room, password });
    loop {
        let answer = client.receive();
        match answer.frame() {
            Frame::Joined(_) => return Ok(answer.channel()),
            Frame::Refused(refused) => {
                return Err(RefusalCode::from_number(refused.code).expect("a known code"));
            }
            _ => {}
        }
    }
}

pub fn say(client: &mut Client, room: u32) -> Result<(), RefusalCode> {
    ask(client, room, &frame::Say { request: REQUEST, text: "hi" })
}
