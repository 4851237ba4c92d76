//! What TCP does by itself: two connect to each other at once, and what is lost is sent again.

use super::super::network::{Families, Firewall, Traffic};
use super::super::sights::{at_least, exactly, seen};
use super::super::stage::{PORT, Stage, bye, call_directly, in_a_room, serve};
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
    call_directly(&serving, (&alice, &bob), "direct tcp", ["Who of us has called?", "Both."]);
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
    let (mut alice, mut bob, room) = in_a_room(&serving, &alice, &bob);
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
