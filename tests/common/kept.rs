//! Servers that keep what lasts in a directory of the test's own, and accounts over native frames.
#![allow(dead_code)] // each test file uses its part

use super::common::{Client, PATIENCE, Server};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use switchboard::hub::record::Record;
use switchboard::storage::{Answer, Database, Storage};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{CredentialsCode, Flags, Kind, RefusalCode};

/// What makes hashes cheap: what passwords cost is not what these tests are about.
pub const CHEAP: [&str; 4] = ["--password-hash-memory-kib", "8", "--password-hash-iterations", "1"];

/// A directory that is gone with the test.
pub struct Directory(PathBuf);

impl Directory {
    /// `name` is the test's, so that tests of one process do not get in each other's way.
    pub fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("switchboard-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path); // of an earlier process of that number
        std::fs::create_dir_all(&path).expect("a directory");
        Directory(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Starts a server that keeps what lasts there.
    pub fn serve(&self, args: &[&str]) -> Server {
        let place = ["--data-dir", self.0.to_str().expect("a path in UTF-8")];
        Server::start(&[&place[..], &CHEAP, args].concat())
    }

    /// Writes these records into its database, while no server has it.
    pub fn fill(&self, records: impl Iterator<Item = Record>) {
        let database = Database::open(&self.0).expect("it opens");
        let (sender, answers) = channel();
        let answer = move |answer| sender.send(answer).is_ok();
        let (mut storage, _) = Storage::start(database, drop, answer).expect("a thread");
        let next = || answers.recv_timeout(PATIENCE).expect("an answer");
        for record in records {
            while !storage.takes() {
                storage.flush();
                storage.note(&next());
            }
            storage.put(record).expect("room for it");
        }
        storage.flush();
        while !storage.is_done() {
            storage.note(&next());
        }
        storage.end();
        while next() != Answer::Ended {}
    }

    /// The names of the files in it.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("a directory");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Asks for an account; an empty name is the client's own.
pub fn register(client: &mut Client, name: &str, password: &str) -> Result<(), RefusalCode> {
    send(client, CredentialsCode::Register, name, password, "");
    answer(client)
}

pub fn identify(client: &mut Client, name: &str, password: &str) -> Result<(), RefusalCode> {
    send(client, CredentialsCode::Identify, name, password, "");
    answer(client)
}

pub fn change_password(client: &mut Client, old: &str, new: &str) -> Result<(), RefusalCode> {
    send(client, CredentialsCode::Change, "", old, new);
    answer(client)
}

/// Gives a password for something, without waiting for the answer.
pub fn send(client: &mut Client, code: CredentialsCode, name: &str, password: &str, new: &str) {
    let request = client.next_request();
    client.send(0, &frame::Credentials { request, what: code.number(), name, password, new });
}

/// What came of it.
pub fn answer(client: &mut Client) -> Result<(), RefusalCode> {
    loop {
        let received = client.receive();
        match received.frame() {
            Frame::Account(_) => return Ok(()),
            Frame::Refused(refused) => return Err(code(refused.code)),
            _ => {}
        }
    }
}

/// What an answer has, in all of its frames: numbers, who has taken it back, texts.
pub fn past(client: &mut Client) -> (Vec<(u64, String, String)>, bool) {
    let mut found = Vec::new();
    loop {
        let received = client.receive_kind(Kind::Past);
        let Frame::Past(past) = received.frame() else { panic!("no past") };
        let told =
            past.entries.iter().map(|entry| (entry.id, entry.retracted_by.to_owned(), entry.text.to_owned()));
        found.extend(told);
        if !received.has(Flags::MORE) {
            return (found, past.more != 0);
        }
    }
}

/// Enters a room, and has so much of its past shown; returns its number.
pub fn enter(client: &mut Client, room: &str, past: u16) -> u32 {
    let request = client.next_request();
    client.send(0, &frame::Join { request, past, room, password: "" });
    client.receive_kind(Kind::Joined).channel()
}

/// The next refusal.
pub fn refusal(client: &mut Client) -> RefusalCode {
    let received = client.receive_kind(Kind::Refused);
    match received.frame() {
        Frame::Refused(refused) => code(refused.code),
        other => panic!("{other:?}"),
    }
}

fn code(number: u16) -> RefusalCode {
    RefusalCode::from_number(number).expect("a known code")
}
