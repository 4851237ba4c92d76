//! Whom an operator keeps out: addresses and networks, for a time or until it is undone, over restarts; and never the
//! operator.

mod common;
#[path = "common/kept.rs"]
mod kept;
#[path = "common/operator.rs"]
mod operator;

use common::{Client, SWITCHBOARD, Server, eventually};
use kept::Directory;
use operator::{CONFIG, admin_of, connect_from, log_in_from, read_to_end, told_at_once};
use std::net::SocketAddr;
use std::process::Command;
use switchboard::wire::frame::Frame;
use switchboard::wire::{ByeCode, Kind};

#[test]
fn a_network_is_kept_out_and_what_comes_from_there_ends() {
    let server = Server::start(&CONFIG);
    let mut bob = log_in_from("127.1.0.7", server.address, "bob");
    let mut cy = log_in_from("127.1.1.7", server.address, "cy");
    let stranger = connect_from("127.1.0.8", server.address);
    let ran = admin_of(&server, &["ban", "127.1.0.99/24", "--because", "spam from there"]);
    assert_eq!(ran.lines(), [""; 0]);
    let bye = bob.receive_kind(Kind::Bye);
    let Frame::Bye(bye) = bye.frame() else { panic!("{bye:?}") };
    assert_eq!(bye.code, ByeCode::Killed.number());
    assert!(
        bye.text.starts_with("Killed by root-") && bye.text.ends_with(": banned: spam from there"),
        "{bye:?}"
    );
    assert_eq!(read_to_end(stranger), "ERROR :banned: spam from there\r\n");
    server.wait_for_log("bans 127.1.0.0/24: \"spam from there\", as operator root");

    for banned in ["127.1.0.7", "127.1.0.255"] {
        assert_eq!(told_at_once(banned, server.address), "ERROR :banned: spam from there\r\n", "{banned}");
    }
    cy.round_trip();
    log_in_from("127.1.1.0", server.address, "dan");
    assert!(admin_of(&server, &["status"]).lines().contains(&"connections-refused{reason=\"banned\"}\t2"));

    admin_of(&server, &["unban", "127.1.0.0/24"]).lines();
    log_in_from("127.1.0.7", server.address, "bob");
    server.wait_for_log("unbans 127.1.0.0/24, as operator root");
}

#[test]
fn ipv6_is_kept_out_as_well_and_ipv4_is_none_of_it() {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", "[::]:0"]).args(CONFIG);
    let mut server = Server::spawn(command);
    let port = server.address.port();
    let (v4, v6): (SocketAddr, SocketAddr) =
        (([127, 0, 0, 1], port).into(), (std::net::Ipv6Addr::LOCALHOST, port).into());
    server.address = v4;
    let mut bob = log_in_from("::1", v6, "bob");
    let mut cy = log_in_from("127.1.0.7", v4, "cy");
    admin_of(&server, &["ban", "::/64", "--because", "x"]).lines();
    bob.receive_kind(Kind::Bye);
    assert_eq!(told_at_once("::1", v6), "ERROR :banned: x\r\n");
    cy.round_trip();
    // Who comes over IPv4 is what they are, though the socket is one for IPv6.
    admin_of(&server, &["ban", "::ffff:127.1.0.7"]).lines();
    cy.receive_kind(Kind::Bye);
    assert_eq!(told_at_once("127.1.0.7", v4), "ERROR :banned\r\n");
    let bans = admin_of(&server, &["bans"]);
    let patterns: Vec<_> =
        bans.lines().iter().map(|line| line.split('\t').next().unwrap_or_default()).collect();
    assert_eq!(patterns, ["127.1.0.7", "::/64"]);
}

#[test]
fn a_ban_for_a_time_ends_by_itself() {
    let server = Server::start(&CONFIG);
    admin_of(&server, &["ban", "127.1.0.7", "--for", "2s"]).lines();
    admin_of(&server, &["ban", "127.1.0.8", "--for", "1d12h", "--because", "later"]).lines();
    let told = told_at_once("127.1.0.8", server.address);
    assert!(told.starts_with("ERROR :banned: later (until 2") && told.ends_with(" UTC)\r\n"), "{told}");
    eventually("the shorter one is over", || {
        let mut client = Client::over(connect_from("127.1.0.7", server.address));
        let mut first = [0];
        client.stream.set_nonblocking(false).expect("it blocks");
        client.stream.set_read_timeout(Some(std::time::Duration::from_millis(50))).expect("a time-out");
        // Nothing is said to somebody who may come in.
        std::io::Read::read(&mut client.stream, &mut first).is_err()
    });
    log_in_from("127.1.0.7", server.address, "bob");
    assert!(told_at_once("127.1.0.8", server.address).starts_with("ERROR :banned: later"));
    let bans = admin_of(&server, &["bans"]);
    assert!(matches!(&bans.lines()[..], [one] if one.starts_with("127.1.0.8\troot\t")), "{bans:?}");
}

#[test]
fn bans_are_there_again_after_the_server_was_killed() {
    let directory = Directory::new("bans");
    let server = directory.serve(&CONFIG);
    for args in [
        &["ban", "127.1.0.7", "--because", "spam"][..],
        &["ban", "127.1.0.8", "--for", "7d"],
        &["ban", "127.1.0.9"],
        &["unban", "127.1.0.9"],
    ] {
        admin_of(&server, args).lines();
    }
    let before = admin_of(&server, &["bans"]).stdout;
    server.signal("KILL");
    drop(server);
    let server = directory.serve(&CONFIG);
    assert_eq!(told_at_once("127.1.0.7", server.address), "ERROR :banned: spam\r\n");
    assert!(told_at_once("127.1.0.8", server.address).starts_with("ERROR :banned (until "));
    log_in_from("127.1.0.9", server.address, "bob");
    assert_eq!(admin_of(&server, &["bans"]).stdout, before);
}

#[test]
fn nobody_locks_themselves_or_everybody_out() {
    let server = Server::start(&CONFIG);
    for own in ["127.0.0.1", "127.0.0.0/8", "::ffff:127.0.0.1"] {
        let ran = admin_of(&server, &["ban", own]);
        assert!(ran.sentence(1).starts_with("you come from there yourself; "), "{ran:?}");
    }
    for (pattern, part) in [
        ("0.0.0.0/0", "that is every address there is"),
        ("::/0", "that is every address there is"),
        ("127.1.0.*", "that is no address and no network; write 192.0.2.1"),
        ("bob", "that is no address and no network"),
        ("", "ADDRESS|NETWORK"),
        ("127.1.0.7/33", "that is no address"),
    ] {
        let ran = admin_of(&server, &["ban", pattern]);
        assert!(ran.sentence(2).contains(part), "{ran:?}");
    }
    let ran = admin_of(&server, &["unban", "127.1.0.7"]);
    assert_eq!(ran.sentence(1), "there is no such ban");
    assert_eq!(admin_of(&server, &["bans"]).lines(), [""; 0]);
    Client::login(server.address, "bob");
}
