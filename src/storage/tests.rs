mod durability;
mod history;

use super::open::FILE;
use super::read::{fetch, given, load};
use super::write::write;
use super::{Answer, Database, OpenError, Storage};
use crate::hub::happening::{Happening, happenings};
use crate::hub::record::{
    AccountId, AccountRecord, BanRecord, Fetch, Fetched, Given, MaskRecord, MemberRecord, Note, Past,
    PastRecord, Record, RoomId, RoomRecord, ScramKeys, Secret, Span, SubjectRecord,
};
use crate::hub::{Affiliation, Flag, Flags, Form, Host, MaskList, MessageId, PastView};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A directory that is gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("switchboard-storage-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn account(id: u64) -> Record {
    let scram = ScramKeys { salt: [1; 16], iterations: 4_096, stored_key: [2; 32], server_key: [3; 32] };
    let secret = Secret { hash: "$argon2id$...".into(), scram: id.is_multiple_of(2).then_some(scram) };
    Record::Account(AccountRecord {
        id: AccountId(id),
        name: format!("User{id}").into(),
        secret,
        made_millis: 5,
    })
}

fn room(id: u64) -> Record {
    Record::Room(RoomRecord {
        id: RoomId(id),
        name: format!("#Room{id}").into(),
        flags: Flags::NONE.with(Flag::Hidden).with(Flag::Moderated),
        password: id.is_multiple_of(2).then(|| "sesame".into()),
        occupants_max: Some(9),
        subject: id.is_multiple_of(2).then(|| SubjectRecord {
            text: "tea".into(),
            by: "ann".into(),
            author: "ann!ann@host".into(),
            at_millis: 7,
        }),
        made_millis: 6,
    })
}

fn note() -> Note {
    Note { by: "ann".into(), reason: "because".into(), at_millis: 8, until_millis: Some(9) }
}

fn view(id: u64, text: &str) -> PastView<'_> {
    PastView {
        id: MessageId(id),
        what: Past::Said(Form::Message),
        by: "ann",
        username: "a",
        host: Host { address: *b"abcde", network: *b"fghij", wider: *b"klmno" },
        account: None,
        text,
        tags: "+x=1",
        retracted: None,
    }
}

/// One thing that happened, as a record of its own.
fn happened(room: u64, view: PastView<'_>) -> Record {
    let mut bytes = Vec::new();
    Happening { view, owner: Some(AccountId(1)) }.encode(&mut bytes);
    let (id, is_said) = (view.id, view.what.is_said());
    Record::Past(PastRecord { room: RoomId(room), is_said, first: id, last: id, count: 1, bytes })
}

fn said(id: u64, room: u64, text: &str) -> Record {
    happened(room, view(id, text))
}

fn everything_of(connection: &rusqlite::Connection, room: u64, span: Span) -> Vec<u64> {
    match fetch(connection, &Fetch::Past { room: RoomId(room), spans: vec![span] }) {
        Fetched::Past(bytes) => happenings(&bytes).map(|happening| happening.view.id.0).collect(),
        other => panic!("{other:?}"),
    }
}

const ALL: Span = Span { after: None, before: None, newest: true, limit: 5_000, said_only: true };

fn everything() -> Vec<Record> {
    let member = |affiliation, reserved: Option<&str>| {
        let (room, account) = (RoomId(1), AccountId(affiliation as u64 + 1));
        let reserved = reserved.map(Into::into);
        Record::Member(MemberRecord {
            room,
            account,
            affiliation,
            has_voice: true,
            muted: (affiliation == Affiliation::Outcast)
                .then(|| Box::new(Note { by: "bob".into(), ..note() })),
            reserved,
            note: note(),
        })
    };
    let mask = |list| {
        Record::Mask(MaskRecord { room: RoomId(2), list, mask: "*!*@x".into(), note: Note::default() })
    };
    let mut records: Vec<Record> = (1..6).map(account).collect();
    records.extend((1..3).map(room));
    records.extend([
        member(Affiliation::Outcast, None),
        member(Affiliation::None, None),
        member(Affiliation::Member, Some("Nick")),
        member(Affiliation::Admin, None),
        member(Affiliation::Owner, None),
    ]);
    records.extend(MaskList::ALL.map(mask));
    records.push(Record::Ban(BanRecord { pattern: "192.0.2.0/24".into(), note: note() }));
    records
}

fn all(connection: &rusqlite::Connection) -> Vec<Record> {
    let mut records = Vec::new();
    load(connection, |record| records.push(record)).expect("it can be read");
    records
}

#[test]
fn what_is_written_is_read_back() {
    let connection = Database::in_memory().expect("memory");
    let records = everything();
    for record in &records {
        write(&connection, record).expect("it is taken");
    }
    assert_eq!(all(&connection), records);
    // Again: what is replaced takes nothing with it.
    for record in &records {
        write(&connection, record).expect("it is taken");
    }
    assert_eq!(all(&connection), records);
}

#[test]
fn with_a_room_or_an_account_goes_what_was_theirs() {
    let connection = Database::in_memory().expect("memory");
    let mut records = everything();
    records.push(said(1, 1, "hello"));
    for record in records.iter().chain([&Record::RoomGone(RoomId(1)), &Record::AccountGone(AccountId(5))]) {
        write(&connection, record).expect("it is taken");
    }
    let left = all(&connection);
    assert!(!left.iter().any(|record| matches!(record, Record::Member(_))), "{left:?}");
    assert_eq!(left.iter().filter(|record| matches!(record, Record::Account(_))).count(), 4);
    assert!(everything_of(&connection, 1, ALL).is_empty());
    assert!(find(&connection, 1, "hello").is_empty());
}

fn find(connection: &rusqlite::Connection, room: u64, words: &str) -> Vec<u64> {
    let (from, before) = (MessageId(0), None);
    let wanted = Fetch::Search { room: RoomId(room), words: words.into(), from, before, limit: 10 };
    match fetch(connection, &wanted) {
        Fetched::Past(found) => happenings(&found).map(|happening| happening.view.id.0).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_past_is_read_in_pages_and_found_by_words() {
    let connection = Database::in_memory().expect("memory");
    for record in [room(1), room(2)] {
        write(&connection, &record).expect("it is taken");
    }
    let texts = [
        (10, 1, "good morning"),
        (20, 1, "Good \"evening\" all"),
        (30, 1, "good night"),
        (40, 2, "good day"),
    ];
    let entered = happened(1, PastView { what: Past::Entered, text: "", ..view(25, "") });
    for record in texts.map(|(id, room, text)| said(id, room, text)).iter().chain([&entered]) {
        write(&connection, record).expect("it is taken");
    }
    let page = |after: Option<u64>, before: Option<u64>, newest, limit, said_only| {
        let (after, before) = (after.map(MessageId), before.map(MessageId));
        everything_of(&connection, 1, Span { after, before, newest, limit, said_only })
    };
    assert_eq!(page(None, None, true, 2, true), [20, 30]);
    assert_eq!(page(None, None, true, 2, false), [25, 30]);
    assert_eq!(page(None, None, false, 2, true), [10, 20]);
    assert_eq!(page(Some(10), Some(30), true, 9, false), [20, 25]);
    assert_eq!(find(&connection, 1, "GOOD"), [30, 20, 10]);
    assert_eq!(find(&connection, 1, "evening good"), [20]);
    for nothing in ["", "  ", "evening\" OR \"night", "text:good", "go*", "NOT"] {
        assert!(find(&connection, 1, nothing).is_empty(), "{nothing}");
    }
    assert_eq!(given(&connection).expect("it can be read").message, MessageId(40));
}

#[test]
fn what_is_retracted_is_nowhere_and_that_it_was_said_stays() {
    let directory = Directory::new();
    let database = Database::open(&directory.0).expect("it opens");
    write(&database.connection, &room(1)).expect("it is taken");
    write(&database.connection, &said(1, 1, "my secretword")).expect("it is taken");
    assert_eq!(find(&database.connection, 1, "secretword"), [1]);
    let retracted =
        Record::Retracted { room: RoomId(1), id: MessageId(1), by: "bob".into(), reason: "spam".into() };
    for _ in 0..2 {
        write(&database.connection, &retracted).expect("it is taken");
        assert!(find(&database.connection, 1, "secretword").is_empty());
    }
    let Fetched::Past(bytes) =
        fetch(&database.connection, &Fetch::Past { room: RoomId(1), spans: vec![ALL] })
    else {
        panic!("it cannot be read")
    };
    let left = PastView { tags: "", retracted: Some(("bob", "spam")), ..view(1, "") };
    let found: Vec<_> = happenings(&bytes).map(|happening| happening.view).collect();
    assert_eq!(found, [left]);
    // Not in the file either, once the log beside it is merged.
    drop(database);
    let bytes = fs::read(directory.0.join(FILE)).expect("the file");
    assert!(!bytes.windows(10).any(|window| window == b"secretword"));
}

fn is_unchanged(path: &Path, before: &[u8]) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes == before)
}

#[test]
fn a_file_that_is_not_whole_not_ours_or_too_new_is_left_as_it_is() {
    let directory = Directory::new();
    let path = directory.0.join(FILE);
    {
        let database = Database::open(&directory.0).expect("a new one");
        for record in everything() {
            write(&database.connection, &record).expect("it is taken");
        }
        let again = Database::open(&directory.0);
        assert!(matches!(again, Err(OpenError::Locked { .. })), "two servers");
    }
    let whole = fs::read(&path).expect("the file");
    let damaged = {
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[4_096..middle].fill(0xee);
        bytes
    };
    let newer = {
        let mut bytes = whole.clone();
        bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
        bytes
    };
    let foreign = {
        let mut bytes = whole.clone();
        bytes[68..72].copy_from_slice(b"else");
        bytes
    };
    let cases = [
        (damaged, "is damaged"),
        (newer, "later version"),
        (foreign, "no database of this program"),
        (b"some text that somebody put there".to_vec(), "no database of this program"),
        (whole[..50].to_vec(), "no database of this program"),
        (whole[..whole.len() / 2].to_vec(), "is damaged"),
    ];
    for (bytes, sentence) in cases {
        fs::write(&path, &bytes).expect("it is put there");
        let error = Database::open(&directory.0).err().expect("it is refused").to_string();
        assert!(error.contains(sentence) && error.contains(FILE), "{error}");
        assert!(is_unchanged(&path, &bytes), "{sentence}");
    }
    fs::write(&path, &whole).expect("it is put there");
    let database = Database::open(&directory.0).expect("whole again");
    assert_eq!(all(&database.connection), everything());
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let directory = Directory::new();
    fs::write(directory.0.join("file"), "").expect("a file");
    let error = Database::open(&directory.0.join("file/below")).err().expect("it is refused").to_string();
    assert!(error.contains("file/below") && error.contains("--data-dir"), "{error}");
    // Made, and the process ended: that is a new one.
    fs::write(directory.0.join(FILE), "").expect("a file");
    assert!(Database::open(&directory.0).is_ok());
}

#[test]
fn numbers_are_given_once_even_if_what_had_them_is_gone() {
    let connection = Database::in_memory().expect("a database");
    assert_eq!(given(&connection).expect("it can be read"), Given::default());
    for record in [account(7), account(9), room(3), room(5), account(8), account(9)] {
        write(&connection, &record).expect("it is written");
    }
    for record in [Record::AccountGone(AccountId(9)), Record::RoomGone(RoomId(5))] {
        write(&connection, &record).expect("it is written");
    }
    let expected = Given { account: AccountId(9), room: RoomId(5), message: MessageId(0) };
    assert_eq!(given(&connection).expect("it can be read"), expected);
}

#[test]
fn a_secret_stays_what_it_was_first() {
    let directory = Directory::new();
    for fresh in [[1; 32], [2; 32]] {
        let database = Database::open(&directory.0).expect("it opens");
        assert_eq!(database.secret("one", &fresh).expect("a secret"), [1; 32]);
    }
    let database = Database::open(&directory.0).expect("it opens");
    assert_eq!(database.secret("other", &[3; 32]).expect("a secret"), [3; 32]);
}

fn started(database: Database) -> (Storage, Receiver<Answer>) {
    let (sender, answers) = channel();
    let (storage, _) =
        Storage::start(database, |_| {}, move |answer| sender.send(answer).is_ok()).expect("a thread");
    (storage, answers)
}

/// Waits until everything that was put is on the disk; returns how many transactions that took.
fn wait(storage: &mut Storage, answers: &Receiver<Answer>) -> usize {
    storage.flush();
    let mut commits = 0;
    while !storage.is_done() {
        let answer = answers.recv_timeout(PATIENCE).expect("an answer");
        commits += usize::from(matches!(answer, Answer::Committed { .. }));
        storage.note(&answer);
    }
    commits
}

#[test]
fn many_changes_are_one_transaction() {
    let directory = Directory::new();
    let (mut storage, answers) = started(Database::open(&directory.0).expect("it opens"));
    storage.put(room(1)).expect("room for it");
    for id in 1..=1_000 {
        storage.put(said(id, 1, "hello")).expect("room for it");
    }
    let commits = wait(&mut storage, &answers);
    assert!(commits < 100, "{commits} transactions for 1,001 changes");
    storage.fetch(7, Fetch::Past { room: RoomId(1), spans: vec![ALL] }).expect("there is a thread");
    match answers.recv_timeout(PATIENCE).expect("an answer") {
        Answer::Fetched { number: 7, fetched: Fetched::Past(found) } => {
            assert_eq!(happenings(&found).count(), 1_000)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_disk_is_told_and_what_waited_is_written_when_there_is_room_again() {
    let directory = Directory::new();
    let database = Database::open(&directory.0).expect("it opens");
    // The first connection finds the disk full; one that is opened later does not.
    let pages: u32 =
        database.connection.pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number");
    database.connection.pragma_update(None, "max_page_count", pages).expect("a limit");
    let (mut storage, answers) = started(database);
    storage.put(room(1)).expect("room for it");
    for id in 1..=2_000 {
        storage.put(said(id, 1, &"word ".repeat(50))).expect("room for it");
    }
    storage.flush();
    let mut episodes = 0;
    while !storage.is_done() {
        let answer = answers.recv_timeout(PATIENCE).expect("an answer");
        if storage.note(&answer) {
            episodes += 1;
            let is_failing = storage.failing().is_some();
            assert_eq!((is_failing, storage.takes()), (episodes == 1, episodes == 2), "{answer:?}");
            assert!(!is_failing || storage.failing().is_some_and(|error| error.contains("full")));
        }
    }
    assert_eq!(episodes, 2, "it fails, and then it does not");
    drop(storage);
    let database = loop {
        // The thread ends in its own time.
        match Database::open(&directory.0) {
            Err(OpenError::Locked { .. }) => std::thread::yield_now(),
            opened => break opened.expect("it opens"),
        }
    };
    assert_eq!(given(&database.connection).expect("it can be read").message, MessageId(2_000));
    assert_eq!(find(&database.connection, 1, "word").len(), 10);
}

#[test]
fn what_waits_is_bounded() {
    let directory = Directory::new();
    let database = Database::open(&directory.0).expect("it opens");
    database.connection.execute_batch("PRAGMA query_only = true").expect("it takes nothing");
    let (mut storage, _answers) = started(database);
    let text = "x".repeat(60_000);
    let taken = (1..).take_while(|&id| storage.put(said(id, 1, &text)).is_ok()).count();
    assert!((200..300).contains(&taken), "{taken} of 60 kB each");
    assert!(!storage.takes());
}

#[test]
fn a_change_that_contradicts_the_others_keeps_nothing_else_from_being_saved() {
    let directory = Directory::new();
    let (mut storage, answers) = started(Database::open(&directory.0).expect("it opens"));
    for record in [said(1, 9, "no such room"), room(1), said(2, 1, "hello")] {
        storage.put(record).expect("room for it");
    }
    wait(&mut storage, &answers);
    storage.fetch(1, Fetch::Past { room: RoomId(1), spans: vec![ALL] }).expect("there is a thread");
    let Ok(Answer::Fetched { fetched: Fetched::Past(found), .. }) = answers.recv_timeout(PATIENCE) else {
        panic!("no answer")
    };
    assert_eq!(happenings(&found).map(|happening| happening.view.id.0).collect::<Vec<_>>(), [2]);
}

/// A room that becomes one that lasts is there with its owners, or not at all.
#[test]
fn what_came_together_is_one_transaction_however_much_it_is() {
    let directory = Directory::new();
    let (mut storage, answers) = started(Database::open(&directory.0).expect("it opens"));
    for turn in 0..3_u64 {
        for id in 1..=400 {
            // A subject in between, so that no two of them are one row.
            storage.put(said(turn * 400 + id, 1, "hello")).expect("room for it");
            storage.put(room(1)).expect("room for it");
        }
        storage.flush();
    }
    let mut commits = Vec::new();
    while !storage.is_done() {
        let answer = answers.recv_timeout(PATIENCE).expect("an answer");
        let Answer::Committed { upto, .. } = answer else { panic!("{answer:?}") };
        commits.push(upto.0);
        storage.note(&answer);
    }
    assert_eq!(commits, [800, 1_600, 2_400]);
}
