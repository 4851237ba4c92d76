//! The rules themselves: each catches what it is for, and nothing that only looks like it.

use super::*;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn layers(path: &str, text: &str) -> usize {
    let dependencies = ["mio", "slab", "log", "signal-hook", "clap"].map(str::to_owned);
    check_layers(&file(path, text), &dependencies).len()
}

#[test]
fn an_import_upwards_is_caught_however_it_is_written() {
    for text in [
        "use crate::server::Limits;",
        "use crate::{wire, hub::{self, Command}, server};",
        "fn f(x: &crate::server::Limits) {}",
        "use super::super::server::Limits;",
        "use super::super::{hub, server::Limits};",
        "use mio::Token;",
        "use {std::io, mio::Token};",
        "fn f() { log::info!(\"x\") }",
        "use signal_hook::consts;",
        "#[derive(clap::Args)] struct X;",
    ] {
        assert_eq!(layers("src/session/close.rs", text), 1, "{text}");
    }
    assert_eq!(layers("src/session/mod.rs", "use super::server::Limits;"), 1);
    assert_eq!(layers("src/wire/frame/mod.rs", "use super::super::hub::Hub;"), 1);
    assert_eq!(layers("src/net/slots.rs", "use crate::wire; use crate::chat::x; use clap::Parser;"), 3);
    assert_eq!(layers("src/novelty.rs", ""), 1, "a module without a layer");
}

#[test]
fn an_import_downwards_is_none_of_our_business() {
    for text in [
        "use crate::wire::Frame; use crate::hub::{Command, name::UserName};",
        "use super::Session; use super::super::session::CloseReason; pub(crate) fn f() {}",
        "use std::log::x; use std::{mio::y, clap}; // use crate::server;",
        "const X: &str = \"use crate::server;\";",
        "#[cfg(test)] mod tests { use crate::server::Engine; }",
        "fn f(mio: u8, x: X) { x.log::<u8>(); other::mio::z(); }",
    ] {
        assert_eq!(layers("src/session/native/mod.rs", text), 0, "{text}");
    }
}

#[test]
fn circles_are_found() {
    let edges = |pairs: &[(&str, &str)]| {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            edges.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        edges
    };
    assert!(circle(&edges(&[("a", "b"), ("b", "c"), ("c", "a")])).is_some());
    assert!(circle(&edges(&[("a", "b"), ("x", "y"), ("y", "x")])).is_some());
    assert!(circle(&edges(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])).is_none());
}

fn bans(path: &str, text: &str) -> usize {
    check_bans(&file(path, text)).len()
}

#[test]
fn what_is_banned_is_caught() {
    for text in [
        "let now = Instant::now();",
        "let now = std::time::SystemTime::now();",
        "let took = since.elapsed();",
        "let x = rand::random();",
        "use std::net::TcpStream;",
        "std::thread::sleep(pause);",
        "x.unwrap();",
        "x\n    .expect(\"y\");",
        "panic!(\"x\")",
        "todo!()",
        "unimplemented!()",
        "unreachable!()",
        "dbg!(x);",
        "unsafe { x() }",
        "assert!(x);",
        "println!(\"x\");",
        "async fn f() {}",
        "x.await;",
    ] {
        assert_eq!(bans("src/hub/rooms.rs", text), 1, "{text}");
    }
    assert_eq!(
        bans("src/server/engine.rs", "Instant::now(); x.unwrap();"),
        2,
        "one look at the clock a turn"
    );
}

#[test]
fn what_only_looks_like_it_is_not() {
    for text in [
        "x.unwrap_or(1); x.unwrap_or_default(); x.expect_much();",
        "#![forbid(unsafe_code)]",
        "debug_assert!(x); // panic!",
        "let text = \"panic!() .unwrap() Instant::now()\";",
        "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); panic!() } }",
        "fn f(now: Instant) {}",
        "/// Some(x).unwrap()\nfn f() {}",
    ] {
        assert_eq!(bans("src/hub/rooms.rs", text), 0, "{text}");
    }
    assert_eq!(bans("src/server/reactor.rs", "set_now(Instant::now());"), 0);
    assert_eq!(bans("src/net/slots.rs", r#"n.expect("fewer than 2^32 connections");"#), 0, "reviewed");
}

#[test]
fn a_computed_index_is_caught_and_a_constant_one_is_not() {
    let count = |text| check_indexing(&file("src/wire/header.rs", text)).len();
    for text in
        ["b[n]", "b[n..]", "&b[..length]", "f()[n]", "b[0][n]", "f()?[n]", "b[1..n]", "b[range]", "b[start]"]
    {
        assert_eq!(count(text), 1, "{text}");
    }
    for text in [
        "b[0]",
        "b[1..4]",
        "b[..]",
        "b[KIND]",
        "b[LENGTH.start + 1]",
        "vec![n]",
        "&[n]",
        "#[n]",
        "x: [u8; n]",
    ] {
        assert_eq!(count(text), 0, "{text}");
    }
    assert_eq!(check_indexing(&file("src/cli.rs", "b[n]")).len(), 0);
}

#[test]
fn a_long_file_is_caught() {
    assert_eq!(check_length(&file("src/x.rs", &"\n".repeat(LINES_MAX))).len(), 0);
    assert_eq!(check_length(&file("src/x.rs", &"\n".repeat(LINES_MAX + 1))).len(), 1);
}

#[test]
fn a_dependency_without_a_reason_is_caught_and_so_is_a_runtime() {
    let count = |text| check_manifest(&file("Cargo.toml", text)).len();
    assert_eq!(count("[dependencies]\n# Comments.\nmio = \"1\" # readiness\n\n[features]\nx = []\n"), 0);
    assert_eq!(count("[dependencies]\nmio = \"1\"\n"), 1);
    assert_eq!(count("[dependencies]\nmio = \"1\" #\n"), 1);
    assert_eq!(count("[dev-dependencies]\nproptest = \"1\"\n"), 1);
    assert_eq!(count("[dependencies]\ntokio = \"1\" # convenient\n"), 1);
    assert_eq!(count("[dev-dependencies]\ntokio = \"1\" # the twin in benches/\n"), 0);
}

#[test]
fn a_place_on_one_machine_is_caught() {
    let count = |text| check_places(&file("README.md", text)).len();
    assert_eq!(count("see /home/alice/notes"), 1);
    assert_eq!(count("(/tmp/x) and \"/home/y\""), 2);
    assert_eq!(count("https://example.org/home/x, src/home/x, ./build/x, target/tmp/x"), 0);
}

#[test]
fn a_row_that_says_something_else_is_caught() {
    let rows = |net: &str| {
        let text = format!(
            "//! | [`wire`] | x | std, blake3, jiff, memchr, siphasher |\n//! | [`hub`] | x | std, foldhash, memchr, slab, smallvec |\n//! | [`session`] | x | wire, hub, base64ct, hmac, jiff, sha2 |\n//! | [`storage`] | x | hub, rusqlite, log |\n//! | [`capture`] | x | wire, jiff, log |\n{net}"
        );
        check_table(&file("src/lib.rs", &text)).len()
    };
    assert_eq!(
        rows("//! | [`net`] | x | std, mio, socket2, quinn_udp, nix, rustix, libc, slab, smallvec, log |"),
        0
    );
    assert_eq!(rows("//! | [`net`] | x | std, mio, hub |"), 1);
    assert_eq!(rows(""), 1);
}
