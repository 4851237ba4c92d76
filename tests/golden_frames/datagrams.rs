//! The document's example of a sealed datagram, calculated as a client in another language would calculate it: from the
//! document's words, BLAKE3 and SipHash alone. The server's code has to come to the same bytes.

use crate::document::DOCUMENT;
use crate::goldens::{frames, hex};
use siphasher::sip128::SipHasher24;
use switchboard::wire::datagram::{Content, Seal, Sender, parse};
use switchboard::wire::frame::{self, Frame};

/// What stands between these fences, which are there once.
fn fenced(language: &str) -> &'static str {
    let rest = DOCUMENT.split_once(&format!("```{language}\n")).expect("the fence").1;
    rest.split("```").next().expect("its end")
}

/// The example's dump: the only one of a kind that datagrams have.
fn dump() -> Vec<u8> {
    let (_, section) = DOCUMENT.split_once("### Keys, counters, tags").expect("the section");
    hex(section.split("```hexdump\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a dump"))
}

#[test]
fn keys_and_tag_are_what_the_document_says() {
    let keys = hex(fenced("key"));
    let (ticket, derived) = keys.split_first_chunk::<32>().expect("the ticket's key");
    let (to_server, to_client) = derived.split_at(16);
    assert!(DOCUMENT.contains("\nswitchboard datagrams v1, client to server\n"));
    assert!(DOCUMENT.contains("\nswitchboard datagrams v1, server to client\n"));
    let key = |context| blake3::derive_key(context, ticket)[..16].to_vec();
    assert_eq!(key("switchboard datagrams v1, client to server"), *to_server);
    assert_eq!(key("switchboard datagrams v1, server to client"), *to_client);

    let datagram = dump();
    let (before, tag) = datagram.split_last_chunk::<16>().expect("a tag");
    let key: [u8; 16] = to_server.try_into().expect("16 bytes");
    assert_eq!(SipHasher24::new_with_key(&key).hash(before).as_bytes(), *tag);
}

#[test]
fn the_example_is_what_a_client_sends() {
    let keys = hex(fenced("key"));
    let ticket: &[u8; 32] = keys.first_chunk().expect("the ticket's key");
    let datagram = dump();
    let seal = Seal::derive(ticket, Sender::Client);
    let unverified = parse(&datagram).expect("its shape is right");
    let Some(Content::Sealed { counter, frame }) = unverified.verify(&seal) else { panic!("not sealed") };
    assert_eq!((unverified.channel, counter), (3, 1));
    let [raw] = frames(frame)[..] else { panic!("one frame") };
    assert_eq!(raw.decode(), Ok(Frame::Say(frame::Say { request: 0, text: "hi" })));
    let mut sealed = Vec::new();
    seal.seal(&mut sealed, 3, 1, frame);
    assert_eq!(sealed, datagram);
}
