//! What happens in rooms, on its way to the disk and back.

use super::*;
use crate::hub::{HistoryLimits, PastBytes};
use crate::storage::past::Bounds;

/// Puts what happened the way the server does.
fn put_past(storage: &mut Storage, room: u64, view: PastView<'_>) {
    let Record::Past(record) = happened(room, view) else { panic!("it is") };
    let (room, is_said, id) = (record.room, record.is_said, record.first);
    storage.put_past(PastBytes { room, is_said, id, bytes: &record.bytes }).expect("room for it");
}

#[test]
fn what_happens_in_a_room_in_one_turn_is_one_row_and_is_read_one_by_one() {
    let directory = Directory::new();
    let (mut storage, answers) = started(Database::open(&directory.0).expect("it opens"));
    storage.put(room(1)).expect("room for it");
    storage.put(room(2)).expect("room for it");
    for id in 1..=300 {
        put_past(&mut storage, 1 + id % 2, view(id, "hello there"));
    }
    put_past(&mut storage, 1, PastView { what: Past::Entered, ..view(301, "") });
    assert_eq!(storage.waiting(), 5, "two rooms, messages of both, and somebody who came");
    storage.flush();
    wait(&mut storage, &answers);
    let spans = vec![
        Span {
            after: Some(MessageId(101)),
            before: Some(MessageId(111)),
            limit: 9,
            newest: false,
            said_only: false,
        },
        Span { after: None, before: None, limit: 2, newest: true, said_only: false },
    ];
    storage.fetch(1, Fetch::Past { room: RoomId(2), spans }).expect("there is a thread");
    let spans = vec![Span { limit: 2, said_only: false, ..ALL }];
    storage.fetch(2, Fetch::Past { room: RoomId(1), spans }).expect("there is a thread");
    let mut found = Vec::new();
    while found.len() < 2 {
        if let Answer::Fetched { fetched: Fetched::Past(bytes), .. } =
            answers.recv_timeout(PATIENCE).expect("an answer")
        {
            found.push(happenings(&bytes).map(|happening| happening.view.id.0).collect::<Vec<_>>());
        }
    }
    assert_eq!(found, [vec![103, 105, 107, 109, 297, 299], vec![300, 301]]);
}

#[test]
fn a_question_is_answered_with_what_was_put_before_it() {
    let directory = Directory::new();
    let (mut storage, answers) = started(Database::open(&directory.0).expect("it opens"));
    storage.put(room(1)).expect("room for it");
    for id in 1..=50 {
        put_past(&mut storage, 1, view(id, "hello"));
        storage.fetch(id, Fetch::Past { room: RoomId(1), spans: vec![ALL] }).expect("there is a thread");
    }
    let mut asked = 0;
    while asked < 50 {
        if let Answer::Fetched { number, fetched: Fetched::Past(bytes) } =
            answers.recv_timeout(PATIENCE).expect("an answer")
        {
            asked += 1;
            assert_eq!((number, happenings(&bytes).count() as u64), (asked, asked));
        }
    }
}

/// What a room has left of 400 messages of 100 bytes under these limits, and of as many comings.
fn left_within(limits: HistoryLimits) -> (Vec<u64>, usize) {
    let directory = Directory::new();
    let (mut storage, answers) = started(Database::open(&directory.0).expect("it opens"));
    storage.keep_within(limits);
    storage.put(room(1)).expect("room for it");
    let text = "x".repeat(100 - 46 - "anna+x=1".len());
    for id in 1..=400 {
        put_past(&mut storage, 1, view(MessageId::at(id).0, &text));
        put_past(&mut storage, 1, PastView { what: Past::Entered, ..view(MessageId::at(id).0 + 1, "") });
        storage.flush();
        if id % 7 == 0 {
            wait(&mut storage, &answers);
        }
    }
    storage
        .fetch(1, Fetch::Past { room: RoomId(1), spans: vec![Span { said_only: false, ..ALL }] })
        .expect("a thread");
    loop {
        if let Answer::Fetched { fetched: Fetched::Past(bytes), .. } =
            answers.recv_timeout(PATIENCE).expect("an answer")
        {
            let views: Vec<_> = happenings(&bytes).map(|happening| happening.view).collect();
            let said = views.iter().filter(|view| view.what.is_said()).map(|view| view.id.millis());
            return (said.collect(), views.iter().filter(|view| !view.what.is_said()).count());
        }
    }
}

#[test]
fn rooms_keep_what_their_limits_are_and_a_row_more() {
    let no_limit =
        HistoryLimits { messages_max: 10_000, bytes_max: 1 << 30, days_max: 0, ..HistoryLimits::default() };
    assert_eq!(left_within(no_limit), ((1..=400).collect(), 400));
    let (said, comings) = left_within(HistoryLimits { messages_max: 100, ..no_limit });
    assert!(
        (100..200).contains(&said.len()) && (100..200).contains(&comings),
        "{} and {comings}",
        said.len()
    );
    assert!(said.ends_with(&[399, 400]));
    let (said, _) = left_within(HistoryLimits { bytes_max: 10_000, ..no_limit });
    assert!((50..=100).contains(&said.len()) && said.ends_with(&[399, 400]), "{}", said.len());
}

#[test]
fn what_is_too_old_goes_with_its_words() {
    let connection = Database::in_memory().expect("memory");
    write(&connection, &room(1)).expect("it is taken");
    let day = |days: u64| days * 24 * 3_600_000;
    for millis in [day(1), day(2), day(3)] {
        write(&connection, &said(MessageId::at(millis).0, 1, "good morning")).expect("it is taken");
    }
    assert_eq!(find(&connection, 1, "good").len(), 3);
    let mut bounds = Bounds::new(HistoryLimits { days_max: 1, ..HistoryLimits::default() });
    bounds.sweep(&connection, day(3) + 1).expect("it is removed");
    assert_eq!(find(&connection, 1, "good"), [MessageId::at(day(3)).0]);
    let words = |sql| connection.query_row::<i64, _, _>(sql, [], |row| row.get(0)).expect("a number");
    assert_eq!(words("SELECT count(*) FROM past"), 1);
    assert_eq!(words("SELECT count(*) FROM words WHERE words MATCH 'good'"), 1);
    write(&connection, &Record::PastGone { room: RoomId(1), before: MessageId(u64::MAX >> 1) })
        .expect("it is taken");
    assert_eq!(words("SELECT count(*) FROM words WHERE words MATCH 'good'"), 0);
    connection
        .execute("INSERT INTO words (words) VALUES ('integrity-check')", [])
        .expect("the index is whole");
}
