//! What tshark finds in a capture.
#![allow(dead_code)] // each test file uses its part

use std::path::Path;
use std::process::Command;

/// Checksums are looked at.
const CHECKED: [&str; 6] =
    ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];

/// What tshark (a Debian package of that name) says of a file; a complaint of its own about the file fails the test.
#[track_caller]
pub fn tshark(file: &Path, args: &[&str]) -> String {
    let output = Command::new("tshark").arg("-r").arg(file).args(CHECKED).args(args).output();
    let output = output.expect("tshark, of the package of that name");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaint = errors.lines().find(|line| !line.starts_with("Running as user") && !line.is_empty());
    assert!(output.status.success() && complaint.is_none(), "{file:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// These fields of all packets that the filter lets through.
#[track_caller]
pub fn rows<const N: usize>(file: &Path, filter: &str, fields: [&str; N]) -> Vec<[String; N]> {
    let mut args = vec!["-Y", filter, "-T", "fields", "-E", "separator=/t"];
    fields.iter().for_each(|field| args.extend(["-e", field]));
    let text = tshark(file, &args);
    let row = |line: &str| {
        let mut parts = line.split('\t').map(str::to_owned);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    };
    text.lines().map(row).collect()
}

/// What tshark finds remarkable and is no chat or comment, beyond what ends connections in an orderly way.
#[track_caller]
pub fn complaints(file: &Path) -> Vec<String> {
    let text = tshark(file, &["-q", "-z", "expert"]);
    let mut found = Vec::new();
    let mut counts = false;
    for line in text.lines() {
        if let Some((heading, _)) = line.split_once(" (") {
            counts = match heading {
                "Errors" | "Warns" | "Notes" => true,
                "Chats" | "Comments" => false,
                _ => counts,
            };
        }
        let is_entry = line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        if counts && is_entry && !line.contains("the connection closing") {
            found.push(line.trim().to_owned());
        }
    }
    found
}

/// What both sides of a connection said, as tshark puts it together: of the one that connected, and of the other.
#[track_caller]
pub fn followed(file: &Path, stream: usize) -> (Vec<u8>, Vec<u8>) {
    let text = tshark(file, &["-q", "-z", &format!("follow,tcp,raw,{stream}")]);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let hex = line.trim();
        if hex.is_empty() || !hex.chars().all(|c| c.is_ascii_hexdigit()) {
            continue;
        }
        let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
        let side = if line.starts_with('\t') { &mut second } else { &mut first };
        side.extend(bytes.map(|byte| byte.expect("two digits")));
    }
    (first, second)
}

/// All that is remarked in it.
#[track_caller]
pub fn remarks(file: &Path) -> Vec<String> {
    let lines = rows(file, "frame.comment", ["frame.comment"]);
    lines.into_iter().map(|[remark]| remark).collect()
}

/// The number of the connection from this port.
#[track_caller]
pub fn stream_of(file: &Path, port: u16) -> usize {
    let found = rows(file, &format!("tcp.flags.syn == 1 && tcp.srcport == {port}"), ["tcp.stream"]);
    found.first().and_then(|[stream]| stream.parse().ok()).unwrap_or_else(|| panic!("nobody from {port}"))
}
