//! Where people are not known, they are called the same after a restart, and who was kept out by such a name is so still:
//! with nothing in the config to make the names of.

mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/kept.rs"]
mod kept;

use common::Server;
use irc::Link;
use kept::Directory;

/// Logs in, by lines.
fn come(server: &Server, name: &str) -> Link {
    let mut link = Link::log_in(server.address, name, "");
    link.wait_for(&[" 422 "]);
    link
}

/// Enters the room; what the others there call them.
#[track_caller]
fn enter(link: &mut Link) -> String {
    link.send("JOIN #tea\r\n");
    let line = link.wait_for(&["the others know you as ", " 474 "]);
    let (_, name) = line.split_once("know you as ").unwrap_or_else(|| panic!("kept out: {line}"));
    link.wait_for(&[" 366 "]);
    name.split(',').next().expect("the name").to_owned()
}

#[test]
fn a_name_in_a_room_and_its_ban_outlive_the_server() {
    let directory = Directory::new("pseudonyms");
    let mut server = directory.serve(&[]);
    let mut ann = come(&server, "ann");
    ann.send("NS REGISTER sesame\r\n");
    ann.wait_for(&["NickServ"]);
    ann.send("JOIN #tea\r\nMODE #tea +A\r\nMODE #tea +P\r\n");
    ann.wait_for(&["MODE #tea +P"]);
    let (mut bob, mut cy) = (come(&server, "bob"), come(&server, "cy"));
    let (bob_there, cy_there) = (enter(&mut bob), enter(&mut cy));
    assert_ne!(bob_there, cy_there);
    ann.send(&format!("MODE #tea +b {bob_there}!*@*\r\nPING banned\r\n"));
    ann.wait_for(&[" PONG "]);
    server.signal("KILL");
    server.wait();

    let server = directory.serve(&[]);
    let (mut bob, mut cy) = (come(&server, "bob"), come(&server, "cy"));
    bob.send("JOIN #tea\r\n");
    let line = bob.wait_for(&["the others know you as ", " 474 "]);
    assert!(line.contains(" 474 "), "bob is kept out no more: {line}");
    assert_eq!(enter(&mut cy), cy_there);
}
