//! The server's figures as `GET /metrics` gives them, read by the rules of Prometheus' text exposition format 0.0.4.
#![allow(dead_code)] // each test file uses its part

use super::common::PATIENCE;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What the server answers to `bytes`, up to the end of the stream.
pub fn answer(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.write_all(bytes).expect("the server reads");
    end_of(stream)
}

pub fn end_of(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an orderly end, not a reset");
    String::from_utf8(answer).expect("text")
}

/// The head and the body of an answer that is as long as it says.
#[track_caller]
pub fn parts(answer: &str) -> (&str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {answer:?}"));
    assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{head}");
    assert!(head.contains("\r\nConnection: close"), "{head}");
    (head, body)
}

/// One family of the format: its type, and its samples in their order, each with its suffix and labels.
#[derive(Default, Debug)]
pub struct Family {
    pub kind: String,
    pub help: String,
    pub samples: Vec<(String, f64)>,
}

/// All families by name, if the text is what the format allows.
#[track_caller]
pub fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line must end");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and a text");
            let family = Family { help: help.to_owned(), ..Family::default() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
            current = name.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and a type");
            let family = families.get_mut(name).expect("HELP comes first");
            assert!(name == current && family.kind.is_empty() && family.samples.is_empty(), "{line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            family.kind = kind.to_owned();
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            let suffix = name.strip_prefix(&*current).unwrap_or_else(|| panic!("{line} is not of {current}"));
            check_name(&current);
            check_labels(suffix);
            let family = families.get_mut(&current).expect("it was begun");
            assert!(!family.samples.iter().any(|(other, _)| other == suffix), "{line} comes twice");
            family.samples.push((suffix.to_owned(), value));
        }
    }
    families.iter().for_each(|(name, family)| check_family(name, family));
    families
}

fn check_name(name: &str) {
    let is_named =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    assert!(is_named && name.starts_with("switchboard_"), "{name}");
}

/// Nothing, a suffix of a histogram, or one label.
fn check_labels(suffix: &str) {
    let Some((_, labels)) = suffix.split_once('{') else { return };
    let label = labels.strip_suffix("\"}").and_then(|label| label.split_once("=\""));
    let (name, value) = label.unwrap_or_else(|| panic!("{suffix}"));
    assert!(
        name.bytes().all(|byte| byte.is_ascii_lowercase()) && !value.contains(['"', '\\', '\n']),
        "{suffix}"
    );
}

fn check_family(name: &str, Family { kind, help, samples }: &Family) {
    assert!(!help.is_empty() && !samples.is_empty(), "{name}");
    assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
    if kind != "histogram" {
        return assert!(
            samples.iter().all(|(suffix, _)| suffix.is_empty() || suffix.starts_with('{')),
            "{name}"
        );
    }
    let [buckets @ .., (sum, _), (count, total)] = &samples[..] else { panic!("{name}: {samples:?}") };
    assert_eq!((&**sum, &**count), ("_sum", "_count"), "{name}");
    let bound = |(suffix, _): &(String, f64)| {
        let bound = suffix.strip_prefix("_bucket{le=\"").and_then(|rest| rest.strip_suffix("\"}"));
        match bound.unwrap_or_else(|| panic!("{name}{suffix}")) {
            "+Inf" => f64::INFINITY,
            bound => bound.parse().expect("a number"),
        }
    };
    for pair in buckets.windows(2) {
        assert!(bound(&pair[0]) < bound(&pair[1]) && pair[0].1 <= pair[1].1, "{name}: {pair:?}");
    }
    let last = buckets.last().expect("buckets");
    assert!(bound(last).is_infinite() && last.1 == *total, "{name}: {last:?}, {total}");
}

/// Asks for the figures, and reads them.
#[track_caller]
pub fn scrape(address: SocketAddr) -> BTreeMap<String, Family> {
    let answer = answer(address, b"GET /metrics HTTP/1.1\r\nHost: switchboard\r\n\r\n");
    let (head, body) = parts(&answer);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    parse(body)
}

/// One value: the whole of `name`, or where there is a label, that of this one.
#[track_caller]
pub fn value(families: &BTreeMap<String, Family>, name: &str) -> f64 {
    let at = name.find('{').unwrap_or(name.len());
    let (family, suffix) = name.split_at(at);
    let samples = &families.get(family).unwrap_or_else(|| panic!("no {family}")).samples;
    samples.iter().find(|(other, _)| other == suffix).unwrap_or_else(|| panic!("no {name}")).1
}
