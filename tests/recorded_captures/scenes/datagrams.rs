//! UDP: a ticket and a challenge before anything is believed, and two who reach each other through their routers.

use super::super::Scene;
use super::super::network::{Families, Firewall, Nat};
use super::super::sights::{at_least, exactly, seen};
use super::super::stage::{Stage, call_directly, chat, serve};

pub const BINDING: Scene = Scene {
    name: "udp-bind-and-fan-out",
    about: "alice, bob and carol (192.0.2.3 to 192.0.2.5) ask for tickets over TCP and prove their UDP addresses with them. \
            Then alice says something in a datagram, and the server (192.0.2.2) sends one to each of the others.",
    families: Families::V4,
    play: binding,
    sights: &[
        exactly(3, "switchboard.kind == \"get_ticket\""),
        exactly(3, "switchboard.kind == \"ticket\""),
        at_least(3, "switchboard.kind == \"bind\""),
        at_least(3, "switchboard.kind == \"challenge\""),
        at_least(3, "switchboard.kind == \"prove\""),
        at_least(3, "switchboard.kind == \"bound\" and tcp"),
        exactly(1, "switchboard.kind == \"say\" and udp"),
        exactly(2, "switchboard.kind == \"said\" and udp"),
    ],
    remarks: &[],
};

fn binding(stage: &Stage) {
    let [server, alice, bob, carol] = stage.hosts();
    let serving = serve(&server, &[]);
    let hosts = [("carol", &carol), ("bob", &bob), ("alice", &alice)];
    let [mut carol, mut bob, mut alice] = hosts.map(|(name, host)| {
        let mut chat = chat(host, &serving, name, &["--room", "tea", "--udp"]);
        chat.stderr.wait_for("rooms and relays go in datagrams");
        chat
    });
    alice.write("Who wants tea?\n");
    [&mut bob, &mut carol].into_iter().for_each(|chat| {
        chat.stdout.wait_for("#tea <alice> Who wants tea?");
    });
    [alice, bob, carol].iter_mut().for_each(|chat| chat.finish_content());
}

pub const HOLE_PUNCH: Scene = Scene {
    name: "hole-punch",
    about: "alice and bob are behind routers with NAT (192.0.2.3 and 192.0.2.4) that let nobody in who was not spoken to. \
            The server (192.0.2.2) tells each where the other may be. Both send first, which opens their own routers, and \
            from then on talk without the server. Seen on the network between the routers.",
    families: Families::V4,
    play: hole_punch,
    sights: &[
        exactly(2, "switchboard.kind == \"offer_paths\""),
        exactly(2, "switchboard.kind == \"paths\""),
        seen("switchboard.kind == \"ping\" and udp and ip.src == 192.0.2.3 and ip.dst == 192.0.2.4"),
        seen("switchboard.kind == \"pong\" and udp and not ip.addr == 192.0.2.2"),
        at_least(2, "switchboard.kind == \"data\" and udp and not ip.addr == 192.0.2.2"),
        exactly(2, "switchboard.line.text and udp"),
    ],
    remarks: &[],
};

fn hole_punch(stage: &Stage) {
    let server = stage.host();
    let ((_home_of_alice, alice), (_home_of_bob, bob)) =
        (stage.home(Nat::EndpointIndependent), stage.home(Nat::EndpointIndependent));
    // A connection that both begin at once would pass as well; simultaneous-open shows that.
    [&alice, &bob].iter().for_each(|host| host.firewall(Firewall::InboundConnections));
    let serving = serve(&server, &[]);
    let lines = ["Can you hear me?", "As if you were next door."];
    call_directly(&serving, (&alice, &bob), "direct udp", lines);
}
