//! People talk: in a room, to one alone, and in two dialects.

use super::super::irc::Link;
use super::super::network::Families;
use super::super::sights::{at_least, exactly, seen};
use super::super::stage::{Stage, bye, chat, login, serve, serve_at};
use super::super::{Scene, common};
use common::Client;
use switchboard::wire::Kind;
use switchboard::wire::frame::Tell;

pub const ROOM: Scene = Scene {
    name: "tcp-room",
    about: "Two chats meet in a room of a server (192.0.2.2): bob (192.0.2.4) is there, alice (192.0.2.3) comes in, both \
            say something, both leave.",
    families: Families::V4,
    play: room,
    sights: &[
        exactly(4, "tcp.flags.syn == 1"),
        exactly(2, "switchboard.kind == \"hello\""),
        exactly(2, "switchboard.kind == \"joined\""),
        exactly(1, "switchboard.kind == \"entered\""),
        exactly(2, "switchboard.kind == \"say\""),
        exactly(2, "switchboard.response_to.kind == \"say\""),
        exactly(2, "switchboard.kind == \"said\""),
        exactly(4, "tcp.flags.fin == 1"),
        exactly(1, "switchboard.kind == \"left\""),
    ],
    remarks: &[],
};

fn room(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve(&server, &[]);
    let mut bob = chat(&bob, &serving, "bob", &["--room", "tea"]);
    bob.stderr.wait_for("you are in #tea");
    let mut alice = chat(&alice, &serving, "alice", &["--room", "tea"]);
    alice.stderr.wait_for("you are in #tea");
    alice.write("Earl Grey?\n");
    bob.stdout.wait_for("#tea <alice> Earl Grey?");
    bob.write("Yes, please.\n");
    alice.stdout.wait_for("#tea <bob> Yes, please.");
    alice.finish_content();
    bob.stderr.wait_for("alice");
    bob.finish_content();
}

pub const PRIVATE_MESSAGE: Scene = Scene {
    name: "private-message",
    about: "Over IPv6: alice (2001:db8:1::3) tells bob (2001:db8:1::4) something, and he answers; then she tells carol \
            something, who is not there.",
    families: Families::Both,
    play: private_message,
    sights: &[
        exactly(3, "switchboard.kind == \"tell\""),
        exactly(2, "switchboard.kind == \"done\" and switchboard.response_to.kind == \"tell\""),
        exactly(2, "switchboard.kind == \"told\""),
        exactly(1, "switchboard.refused.code == \"no_such_peer\""),
    ],
    remarks: &["The request was refused"],
};

fn private_message(stage: &Stage) {
    let [server, alice, bob] = stage.hosts();
    let serving = serve_at(&server, server.v6(), &[]);
    let (mut alice, mut bob) = (login(&alice, &serving, "alice"), login(&bob, &serving, "bob"));
    let tell = |client: &mut Client, to: &str, text: &str| {
        let request = client.next_request();
        client.send(0, &Tell { request, to, text });
    };
    tell(&mut alice, "bob", "Is the tea ready?");
    bob.receive_kind(Kind::Told);
    alice.receive_kind(Kind::Done);
    tell(&mut bob, "alice", "Nearly.");
    alice.receive_kind(Kind::Told);
    bob.receive_kind(Kind::Done);
    tell(&mut alice, "carol", "Join us!");
    alice.receive_kind(Kind::Refused);
    bye(alice);
    bye(bob);
}

pub const IRC_BESIDE_NATIVE: Scene = Scene {
    name: "irc-beside-native",
    about: "One port and one room, two dialects: bob (192.0.2.4) speaks frames, carol (192.0.2.3) speaks IRC.",
    families: Families::V4,
    play: irc_beside_native,
    sights: &[
        exactly(1, "switchboard.kind == \"join\""),
        seen("irc.request.command == \"NICK\""),
        at_least(2, "irc.response.command == \"001\" or irc.response.command == \"366\""),
        exactly(1, "switchboard.kind == \"entered\""),
        exactly(1, "switchboard.kind == \"say\""),
        exactly(1, "irc.response.command == \"PRIVMSG\""),
        exactly(1, "irc.request.command == \"PRIVMSG\""),
        exactly(1, "switchboard.kind == \"said\""),
        exactly(1, "irc.request.command == \"QUIT\""),
    ],
    remarks: &[],
};

fn irc_beside_native(stage: &Stage) {
    let [server, carol, bob] = stage.hosts();
    let serving = serve(&server, &[]);
    let mut bob = login(&bob, &serving, "bob");
    let room = bob.join("#tea");
    let address = serving.address;
    let mut carol = carol.within(|| Link::log_in(address, "carol", ""));
    carol.wait_for(&[" 001 "]);
    carol.send("JOIN #tea\r\n");
    carol.wait_for(&[" 366 "]);
    bob.receive_kind(Kind::Entered);
    bob.say(room, "Earl Grey?");
    carol.wait_for(&["Earl Grey?"]);
    carol.send("PRIVMSG #tea :Yes, please.\r\n");
    bob.receive_kind(Kind::Said);
    carol.send("QUIT :tea time\r\n");
    carol.wait_for(&["ERROR"]);
    drop(carol);
    bob.receive_kind(Kind::Left);
    bye(bob);
}
