//! `switchboard wireshark` puts the dissector where tshark finds it, and touches nothing that is somebody else's.
//!
//! Without tshark these tests fail.

mod common;
#[path = "common/tshark.rs"]
mod tshark;

use common::SWITCHBOARD;
use std::path::PathBuf;
use std::process::{Command, Output};
use switchboard::wire::Kind;
use switchboard::wire::schema::snake_case;
use tshark::{Folder, at_home, checked};

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
    let listed = checked(&fields);
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
    // tshark reads the preferences of the profile, and says so when it does not understand one.
    let mut command = at_home(&home, Command::new("tshark"));
    let current = command.args(["-C", "Switchboard", "-G", "currentprefs"]).output().expect("tshark runs");
    let (prefs, complaints) = (checked(&current), String::from_utf8_lossy(&current.stderr).into_owned());
    assert!(!complaints.contains("preferences") && !complaints.contains("line"), "{complaints}");
    assert!(prefs.contains("\ntcp.reassemble_out_of_order: TRUE"), "the profile is not read");
    // Each filter of a colour is one that can be compiled.
    let capture = tshark::Capture::new();
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
