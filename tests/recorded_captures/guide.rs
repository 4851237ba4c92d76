//! `docs/captures/README.md` names, for each scene, filters, the packets of the recorded file that pass them, and the
//! functions that deal with it.

use super::sights::{View, listed};
use super::{RECORD, Scene, documents, is_recording, scenes};
use std::path::Path;

/// The guide, from one headline to the next.
struct Section<'a> {
    name: &'a str,
    lines: Vec<&'a str>,
}

fn sections(guide: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    for line in guide.lines() {
        match (line.strip_prefix("## "), sections.last_mut()) {
            (Some(name), _) => sections.push(Section { name, lines: Vec::new() }),
            (None, Some(Section { lines, .. })) => lines.push(line),
            (None, None) => {}
        }
    }
    sections
}

/// A row of a table: a filter, the packets that pass it, and what they show.
struct Row<'a> {
    filter: &'a str,
    packets: &'a str,
    shows: &'a str,
}

fn row(line: &str) -> Option<Row<'_>> {
    let (filter, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
    let (packets, rest) = rest.split_once("|")?;
    Some(Row { filter, packets: packets.trim(), shows: rest.trim_end_matches('|').trim() })
}

fn guide() -> String {
    std::fs::read_to_string(documents().join("README.md")).expect("the guide")
}

/// The packets of a recorded file, for each of its filters.
fn packets_of(scene: &Scene) -> Vec<String> {
    View::of(&scene.file(), &scene.filters()).passed.iter().map(|passed| listed(passed)).collect()
}

#[test]
fn the_guide_has_each_scene_in_its_place() {
    let guide = guide();
    let named: Vec<&str> = sections(&guide).iter().map(|section| section.name).collect();
    let scenes: Vec<&str> = scenes::ALL.iter().map(|scene| scene.name).collect();
    assert_eq!(named, scenes);
    for (section, scene) in sections(&guide).iter().zip(scenes::ALL) {
        let rows: Vec<Row<'_>> = section.lines.iter().filter_map(|line| row(line)).collect();
        let filters: Vec<&str> = rows.iter().map(|row| row.filter).collect();
        assert_eq!(filters, scene.filters(), "{}", scene.name);
        assert!(rows.iter().all(|row| row.shows.len() > 10), "{}: each row says what it shows", scene.name);
    }
}

/// While recording, the numbers are put in.
#[test]
fn the_guide_names_the_packets_of_the_recorded_files() {
    let guide = guide();
    let mut put_in = guide.clone();
    for (section, scene) in sections(&guide).iter().zip(scenes::ALL) {
        let rows = section.lines.iter().filter_map(|line| Some((*line, row(line)?)));
        for ((line, row), packets) in rows.zip(packets_of(scene)) {
            if is_recording() {
                let new = format!("| `{}` | {packets} | {} |", row.filter, row.shows);
                put_in = replaced_in(&put_in, scene.name, line, &new);
            } else {
                assert_eq!(
                    row.packets, packets,
                    "{}: {} passes others; {RECORD} puts them in",
                    scene.name, row.filter
                );
            }
        }
    }
    if is_recording() {
        std::fs::write(documents().join("README.md"), put_in).expect("the guide");
    }
}

/// The same with another line in a scene's section. Two scenes may have the same line.
fn replaced_in(guide: &str, section: &str, line: &str, new: &str) -> String {
    let (before, after) = guide.split_once(&format!("## {section}\n")).expect("the section");
    format!("{before}## {section}\n{}", after.replacen(line, new, 1))
}

/// Lines that begin with `Code:` name a file and a function in it, as often as they like.
#[test]
fn the_code_that_the_guide_names_is_there() {
    let guide = guide();
    for section in sections(&guide) {
        let lines = section.lines.iter().filter_map(|line| line.strip_prefix("Code: "));
        let mut named = 0;
        for place in lines.flat_map(|line| line.split("; ")) {
            let mut parts = place.split('`').skip(1).step_by(2);
            let (Some(path), Some(name)) = (parts.next(), parts.next()) else { panic!("no place: {place}") };
            let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
            let source = source.unwrap_or_else(|error| panic!("{path}: {error}"));
            let defines = |word| source.contains(&format!("{word} {name}"));
            let is_there = ["fn", "struct", "enum", "const"].into_iter().any(defines);
            assert!(is_there, "{}: {path} has no {name}", section.name);
            named += 1;
        }
        assert!(named > 0, "{} names no code", section.name);
    }
}
