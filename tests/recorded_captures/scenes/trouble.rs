//! What TCP does by itself: two connect to each other at once, and what is lost is sent again.

use super::super::network::{Families, Firewall, Traffic};
use super::super::sights::{at_least, exactly, seen};
use super::super::stage::{PORT, Stage, bye, chat, login, serve};
use super::super::{Scene, blocks};
use blocks::Seen;
use std::collections::HashSet;
use switchboard::wire::Kind;

pub const SIMULTANEOUS_OPEN: Scene = Scene {
    name: "simultaneous-open",
    about: "alice (192.0.2.3) and bob (192.0.2.4) have firewalls that let in nothing but answers, and no datagram. Both \
            connect to the other at the same time, each from the port that the other connects to: two SYN cross, and two \
            SYN with ACK, and it is one connection that nobody has accepted.",
    families: Families::V4,
    play: simultaneous_open,
    sights: &[
        exactly(2, "switchboard.kind == \"paths\""),
        at_least(2, "tcp.flags.syn == 1 and tcp.flags.ack == 0 and not tcp.port == 7667"),
        at_least(2, "tcp.flags.syn == 1 and tcp.flags.ack == 1 and not tcp.port == 7667"),
        seen("switchboard.kind == \"ping\" and tcp and not tcp.port == 7667"),
        seen("switchboard.kind == \"pong\" and tcp and not tcp.port == 7667"),
        exactly(2, "switchboard.line.text and tcp and not tcp.port == 7667"),
    ],
    // A SYN with ACK is the SYN again, and says so of the one that it answers.
    remarks: &["retransmission", "D-SACK"],
};

fn simultaneous_open(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    for host in [&alice, &bob] {
        host.firewall(Firewall::Unsolicited);
        host.firewall(Firewall::Udp);
        // So that each has sent its SYN before that of the other arrives, however fast the machine is.
        host.send_slowly(8_000);
    }
    let serving = serve(&server, &[]);
    let show = ["--share-addresses", "always"];
    let mut bob = chat(&bob, &serving, "bob", &[&["--take-calls"], &show[..]].concat());
    bob.stderr.wait_for("connected as bob");
    let mut alice = chat(&alice, &serving, "alice", &[&["--call", "bob"], &show[..]].concat());
    [&mut alice, &mut bob].into_iter().for_each(|chat| {
        chat.stderr.wait_for("direct tcp");
    });
    alice.write("Who of us has called?\n");
    bob.stdout.wait_for("Who of us has called?");
    bob.write("Both.\n");
    alice.stdout.wait_for("Both.");
    bob.end_input();
    alice.finish_content();
    bob.finish_content();
}

pub const LOSS: Scene = Scene {
    name: "retransmission-under-loss",
    about: "A third of all packets to the server (192.0.2.2) is lost on its doorstep, behind the place where this was \
            captured. What alice (192.0.2.3) says is sent again until it is acknowledged; bob (192.0.2.4) hears everything \
            once and in order.",
    families: Families::V4,
    play: loss,
    sights: &[
        at_least(4, "switchboard.kind == \"say\""),
        at_least(2, "tcp.analysis.retransmission and ip.src == 192.0.2.3"),
    ],
    remarks: &["retransmission", "D-SACK", "Duplicate ACK"],
};

/// Sentences that are said before two of them have to be lost; of twenty, each with a third of a chance.
const SENTENCES_MAX: usize = 60;

fn loss(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve(&server, &[]);
    let (mut alice, mut bob) = (login(&alice, &serving, "alice"), login(&bob, &serving, "bob"));
    let room = alice.join("#tea");
    bob.join("#tea");
    alice.receive_kind(Kind::Entered);
    server.lose(33, Traffic::TcpAndUdp);
    let alices_port = alice.stream.local_addr().expect("an address").port();
    for said in 0.. {
        assert!(said < SENTENCES_MAX, "{said} sentences and nothing is lost");
        let text = format!("sentence {said}");
        alice.say(room, &text);
        assert!(bob.receive_kind(Kind::Said).text().ends_with(&text));
        let mut lost = 0;
        stage.wait_for("the sentence is captured", |seen| {
            lost = sent_again(seen, alices_port);
            seen.iter().any(|seen| seen.payload.ends_with(text.as_bytes()))
        });
        if said >= 3 && lost >= 2 {
            break;
        }
    }
    server.let_everything_in();
    bye(alice);
    bob.receive_kind(Kind::Left);
    bye(bob);
}

/// Segments with something in them that were there before.
fn sent_again(seen: &[Seen<'_>], from: u16) -> usize {
    let mut before = HashSet::new();
    let segments = seen.iter().filter(|seen| seen.from.port() == from && seen.to.port() == PORT);
    let full = segments.filter(|seen| !seen.payload.is_empty());
    full.filter_map(|seen| seen.tcp).filter(|tcp| !before.insert(tcp.seq)).count()
}
