//! Two thousand in one room: whoever joins is told how many there are, not who; the list of them comes in pages; and all
//! of them can leave.

mod common;

use common::{Client, Server, eventually};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Flags, HEADER_LEN, Kind};

const MEMBERS: usize = 2_000;

/// Generous for a busy machine; what grows with the square of the members takes longer.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Bytes that a newcomer is sent for joining.
const JOINED_BYTES_MAX: usize = 64;

fn name(n: usize) -> String {
    format!("member{n:04}")
}

/// Lets requests pile up while the server is stopped, so that they fall into few turns. One by one, each would be told
/// to everybody in a turn of its own, which is right but takes millions of writes.
fn at_once(server: &Server, send: impl FnOnce()) {
    server.signal("STOP");
    send();
    server.signal("CONT");
}

/// All pages of the list of occupants. What else arrives meanwhile is passed over.
fn occupants(client: &mut Client, room: u32) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let request = client.next_request();
        client.send(room, &frame::Who { request, after: &after });
        let page = client.receive_kind(Kind::Occupants);
        let Frame::Occupants(list) = page.frame() else { panic!("not a list") };
        assert_eq!((list.request, page.channel()), (request, room));
        let before = names.len();
        names.extend(list.occupants.iter().map(|one| one.name.to_owned()));
        pages += 1;
        if !page.has(Flags::MORE) {
            return (names, pages);
        }
        assert!(names.len() > before, "a page that says there is more has something");
        after.clone_from(names.last().expect("a name"));
    }
}

#[test]
fn two_thousand_join_one_room_list_it_and_leave() {
    let clock = Instant::now();
    let server = Server::start(&[]);
    let mut members: Vec<Client> = (0..MEMBERS).map(|n| Client::login(server.address, &name(n))).collect();
    at_once(&server, || {
        for member in &mut members {
            member.send(0, &frame::Join { request: 1, past: 0, room: "#everybody", password: "" });
        }
    });
    let mut channels = BTreeSet::new();
    let mut places = Vec::new(); // in the order of joining, as the server tells it
    for member in &mut members {
        let joined = member.receive();
        let Frame::Joined(body) = joined.frame() else { panic!("{:?}", joined.frame()) };
        assert!(HEADER_LEN + joined.body.len() <= JOINED_BYTES_MAX, "{} bytes", joined.body.len());
        places.push(body.occupants as usize);
        channels.insert(joined.channel());
    }
    println!("all in after {:?}", clock.elapsed());
    assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), MEMBERS, "each was told of one more");
    assert_eq!(channels.len(), 1);
    let room = channels.pop_first().expect("a room");

    let last = members.last_mut().expect("members");
    let (names, pages) = occupants(last, room);
    assert_eq!(names, (0..MEMBERS).map(name).collect::<Vec<_>>(), "everybody, once, in order");
    assert_eq!(pages, MEMBERS.div_ceil(200), "200 to a page");

    // Everybody hears of everybody who came later, and of nobody twice. The last one has read past it.
    for (n, member) in members[..MEMBERS - 1].iter_mut().enumerate().step_by(97) {
        let mut entered = BTreeSet::new();
        while entered.len() < MEMBERS - places[n] {
            let received = member.receive();
            let Frame::Entered(body) = received.frame() else { panic!("{:?}", received.frame()) };
            assert!(entered.insert(body.who.to_owned()), "{} entered twice", body.who);
        }
    }

    members[1].say(room, "hello, all of you");
    for n in [0, 97, MEMBERS / 2, MEMBERS - 1] {
        let said = members[n].receive_kind(Kind::Said);
        let body = frame::Said { by: &name(1), text: "hello, all of you" };
        assert_eq!(said.frame(), Frame::Said(body));
    }

    at_once(&server, || {
        for member in &mut members[1..] {
            member.send(room, &frame::Leave { request: 2 });
        }
    });
    for member in &mut members[1..] {
        assert_eq!(member.receive_kind(Kind::Done).frame(), Frame::Done(frame::Done { request: 2 }));
    }
    let (names, pages) = occupants(&mut members[0], room);
    assert_eq!((names, pages), (vec![name(0)], 1));
    println!("all out after {:?}", clock.elapsed());
    assert!(clock.elapsed() < TIME_MAX, "{:?}", clock.elapsed());
}

#[test]
fn a_room_of_many_whose_connections_break_is_gone_with_the_last() {
    let server = Server::start(&[]);
    let mut members: Vec<Client> = (0..500).map(|n| Client::login(server.address, &name(n))).collect();
    for member in &mut members {
        member.join("#everybody");
    }
    drop(members);
    let mut watcher = Client::login(server.address, "watcher");
    eventually("the room is gone", || {
        let request = watcher.next_request();
        watcher.send(0, &frame::ListRooms { request, after: "" });
        let list = watcher.receive_kind(Kind::RoomList);
        let Frame::RoomList(list) = list.frame() else { panic!("not a list") };
        list.rooms.iter().next().is_none()
    });
}
