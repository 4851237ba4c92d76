//! `switchboard wireshark` puts the dissector where tshark finds it, and touches nothing that is somebody else's.
//!
//! Without tshark these tests fail.

mod common;
#[path = "common/tshark.rs"]
mod tshark;

use common::SWITCHBOARD;
use std::path::PathBuf;
use std::process::{Command, Output};
use switchboard::wire::frame::{Lookup, Refused};
use switchboard::wire::schema::snake_case;
use switchboard::wire::{Flags, Kind, header};
use tshark::{Capture, Folder, Way, at_home, checked};

fn wireshark(home: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new(SWITCHBOARD);
    command.arg("wireshark").args(args);
    at_home(home, command).output().expect("it runs")
}

fn said(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(output: &Output) -> String {
    assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn dissector(home: &Folder) -> PathBuf {
    home.path().join(".local/lib/wireshark/plugins/switchboard.lua")
}

fn profile(home: &Folder) -> PathBuf {
    home.path().join(".config/wireshark/profiles/Switchboard")
}

#[test]
fn tshark_knows_the_protocol_once_it_is_installed() {
    tshark::need();
    let home = Folder::new();
    let words = said(&wireshark(&home, &["install"]));
    assert!(words.contains(&format!("wrote {}", dissector(&home).display())), "{words}");
    assert!(words.contains("wireshark -C Switchboard"), "{words}");
    let fields = at_home(&home, Command::new("tshark")).args(["-G", "fields"]).output().expect("tshark runs");
    let listed = String::from_utf8_lossy(&fields.stdout);
    let known: Vec<&str> = listed.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    for &kind in Kind::ALL {
        for field in kind.fields().iter().filter(|field| field.name != "request") {
            let name = format!("switchboard.{}.{}", snake_case(kind), field.name);
            assert!(known.contains(&name.as_str()), "{name} cannot be filtered by");
        }
    }
    for name in
        ["switchboard.kind", "switchboard.request", "switchboard.response_in", "switchboard.flags.more"]
    {
        assert!(known.contains(&name), "{name} cannot be filtered by");
    }
}

#[test]
fn the_profile_is_one_that_wireshark_takes() {
    tshark::need();
    let home = Folder::new();
    said(&wireshark(&home, &["install"]));
    let colors = std::fs::read_to_string(profile(&home).join("colorfilters")).expect("colours");
    assert_eq!(colors, said(&wireshark(&home, &["colors"])));
    // tshark says so when it does not understand a line of the preferences, and has the profile's columns.
    let (mut capture, way) = (Capture::new(), Way::to_server(40_000));
    let mut lookup = Vec::new();
    header::put(&mut lookup, Flags::NONE, 0, &Lookup { request: 5, name: "bob" });
    capture.tcp(way, &lookup);
    let mut refused = Vec::new();
    header::put(&mut refused, Flags::NONE, 0, &Refused { request: 5, code: 30, text: "nobody" });
    capture.tcp(way.back(), &refused);
    let file = home.path().join("capture.pcapng");
    capture.write(&file);
    let mut command = at_home(&home, Command::new("tshark"));
    let output = command.args(["-C", "Switchboard", "-r"]).arg(&file).output().expect("tshark runs");
    let (shown, complaints) = (checked(&output), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(!complaints.contains("preference") && !complaints.contains("line "), "{complaints}");
    let last = shown.lines().last().unwrap_or_default();
    let columns: Vec<&str> = last.split_whitespace().collect();
    let first =
        ["2", "0.001000000", "192.0.2.1", "7667", "192.0.2.77", "40000", "Switchboard", "0.001000000"];
    assert_eq!(columns[..first.len()], first, "{shown}");
    // Each filter of a colour is one that can be compiled.
    for line in colors.lines().filter(|line| line.starts_with('@')) {
        let filter = line.split('@').nth(2).expect("a filter");
        tshark::tshark(&capture, &["-Y", filter]);
    }
}

#[test]
fn installing_twice_replaces_what_is_ours_and_uninstalling_leaves_nothing() {
    let home = Folder::new();
    said(&wireshark(&home, &["install"]));
    std::fs::write(dissector(&home), "-- switchboard.lua 0.0.1: old\n").expect("an old one");
    let words = said(&wireshark(&home, &["install"]));
    assert!(words.contains(&format!("replaced {}", dissector(&home).display())), "{words}");
    let printed = said(&wireshark(&home, &["print"]));
    assert_eq!(std::fs::read_to_string(dissector(&home)).expect("it is there"), printed);
    said(&wireshark(&home, &["uninstall"]));
    assert!(!dissector(&home).exists() && !profile(&home).exists());
    assert_eq!(said(&wireshark(&home, &["uninstall"])), "nothing of it is there\n");
}

#[test]
fn what_is_somebody_elses_is_neither_replaced_nor_removed() {
    let home = Folder::new();
    std::fs::create_dir_all(profile(&home)).expect("a folder");
    let theirs = profile(&home).join("preferences");
    std::fs::write(&theirs, "gui.toolbar_main_style: 1\n").expect("somebody's preferences");
    for act in ["install", "uninstall"] {
        let words = refused(&wireshark(&home, &[act]));
        let sentence = format!(
            "switchboard: {} is there and not from switchboard; move it away first\n",
            theirs.display()
        );
        assert_eq!(words, sentence);
        assert!(!dissector(&home).exists(), "all of it or nothing");
    }
    assert_eq!(std::fs::read_to_string(&theirs).expect("still there"), "gui.toolbar_main_style: 1\n");
}

#[test]
fn a_folder_of_ones_choice_gets_the_dissector_alone() {
    let (home, folder) = (Folder::new(), Folder::new());
    let dir = folder.path().join("new");
    said(&wireshark(&home, &["install", "--dir", &dir.display().to_string()]));
    let there: Vec<_> =
        std::fs::read_dir(&dir).expect("it was made").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(there, ["switchboard.lua"]);
    assert!(!dissector(&home).exists() && !profile(&home).exists());
    // A folder that cannot be: a sentence.
    let file = dir.join("switchboard.lua/plugins");
    let words = refused(&wireshark(&home, &["install", "--dir", &file.display().to_string()]));
    assert!(words.starts_with("switchboard: cannot "), "{words}");
}

const DOCUMENT: &str = include_str!("../docs/WIRESHARK.md");

/// The cells of the table with this heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let start = DOCUMENT.find(&format!("| {heading} |")).unwrap_or_else(|| panic!("no table {heading}"));
    let rows = DOCUMENT[start..].lines().take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_document_has_the_notes_and_the_colours_that_there_are() {
    let home = Folder::new();
    let printed = said(&wireshark(&home, &["print"]));
    let noted: Vec<Vec<String>> = printed
        .lines()
        .filter_map(|line| line.split_once("add_note(\"")?.1.strip_suffix("),"))
        .map(|note| {
            let (name, rest) = note.split_once("\", \"").expect("a name, a text");
            let (text, severity) = rest.split_once("\", ").expect("and a severity");
            let severity = match severity.rsplit('_').next() {
                Some("ERROR") => "error",
                Some("WARN") => "warning",
                Some("NOTE") => "note",
                _ => "comment",
            };
            [name, severity, text].map(str::to_owned).to_vec()
        })
        .collect();
    assert_eq!(table("Note"), noted);
    let colors = said(&wireshark(&home, &["colors"]));
    let rules: Vec<&str> =
        colors.lines().filter_map(|line| line.strip_prefix('@')?.split('@').next()).collect();
    let documented: Vec<&str> = table("Rule").iter().map(|row| row[0]).collect();
    assert_eq!(documented, rules);
}

#[test]
fn the_filters_of_the_document_are_filters() {
    let block = DOCUMENT.split("```filter\n").nth(1).and_then(|rest| rest.split("```").next());
    let filters: Vec<&str> = block.expect("filters").lines().collect();
    assert!(filters.len() > 10);
    let capture = Capture::new();
    filters.iter().for_each(|filter| assert_eq!(tshark::tshark(&capture, &["-Y", filter]), "", "{filter}"));
}
