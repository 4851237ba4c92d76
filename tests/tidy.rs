//! Reads the sources and holds what no compiler does: which module may import which, where the clock and sockets may be
//! touched, that nothing from outside can make the server panic, and that every dependency has a reason.
//!
//! - `tidy/rules.rs` what is held, as tables, and the exceptions with their reasons;
//! - `tidy/source.rs` Rust as far as it has to be understood here;
//! - `tidy/violations.rs` whether each rule catches what it is for.

#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/violations.rs"]
mod violations;

use rules::*;
use source::{Token, tokens};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Complaint {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// One file of the project.
struct File {
    /// From the top of the project, with slashes.
    path: String,
    text: String,
}

impl File {
    fn complain(&self, line: usize, what: impl Into<String>) -> Complaint {
        Complaint { file: self.path.clone(), line, what: what.into() }
    }

    /// The line as it is written, comments and all.
    fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line - 1).unwrap_or_default()
    }

    /// The file's module: `src/net/slots.rs` is `["net", "slots"]`.
    fn module(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        path.strip_suffix("/mod").unwrap_or(path).split('/').collect()
    }

    fn layer(&self) -> Option<&'static Layer> {
        let top = *self.module().first()?;
        LAYERS.iter().find(|layer| layer.name == top)
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }
}

/// What a file imports.
#[derive(Default, PartialEq, Eq, Debug)]
struct Imports {
    /// Modules of the crate's top level.
    modules: BTreeMap<String, usize>,
    /// Other crates, or at least the first words of paths.
    crates: BTreeMap<String, usize>,
}

/// Finds every path in the code, in `use` and anywhere else.
fn imports(file: &File) -> Imports {
    let tokens = tokens(&file.text);
    let depth = match file.module()[..] {
        ["lib" | "main"] => 0,
        ref module => module.len(),
    };
    let mut found = Imports::default();
    let mut braces = Vec::new(); // whether each goes on with a path: `use a::{b, c}`
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |at| tokens[at].text.as_str());
        match token.text.as_str() {
            "{" => braces.push(before == "::"),
            "}" => drop(braces.pop()),
            _ => {}
        }
        let goes_on = tokens.get(at + 1).is_some_and(|next| next.text == "::");
        if !token.is_word() || !goes_on || before == "::" || before == "." || braces.contains(&true) {
            continue;
        }
        let mut rest = &tokens[at..];
        let mut ups = 0;
        while let [first, colons, ..] = rest
            && first.text == "super"
            && colons.text == "::"
        {
            (ups, rest) = (ups + 1, &rest[2..]);
        }
        if token.text == "crate" {
            found.modules.extend(next_words(&rest[2..]));
        } else if ups > 0 && ups == depth {
            found.modules.extend(next_words(rest));
        } else if ups == 0 {
            found.crates.entry(token.text.clone()).or_insert(token.line);
        }
    }
    found
}

/// The word that a path goes on with, or the words when it goes on with braces.
fn next_words(tokens: &[Token]) -> Vec<(String, usize)> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut before = "";
    for token in tokens {
        let begins = before.is_empty() || (depth == 1 && (before == "{" || before == ","));
        if token.is_word() && begins {
            words.push((token.text.clone(), token.line));
        }
        depth += i32::from(token.text == "{") - i32::from(token.text == "}");
        if depth == 0 {
            break;
        }
        before = &token.text;
    }
    words
}

fn check_layers(file: &File, dependencies: &[String]) -> Vec<Complaint> {
    let Some(layer) = file.layer() else {
        let what =
            "this module is in no layer: give it a line in LAYERS of tests/tidy/rules.rs and in src/lib.rs";
        return vec![file.complain(1, what)];
    };
    let Imports { modules, crates } = imports(file);
    let mut complaints = Vec::new();
    for (module, line) in modules {
        if module != layer.name && !layer.modules.contains(&module.as_str()) {
            let what = format!(
                "{} may not import {module}: move what both need into a layer that {} may import ({}), or pass it in as \
                 an argument; the table is in src/lib.rs",
                layer.name,
                layer.name,
                if layer.modules.is_empty() { "there is none".to_owned() } else { layer.modules.join(", ") },
            );
            complaints.push(file.complain(line, what));
        }
    }
    for (name, line) in crates {
        let is_dependency = dependencies.iter().any(|dependency| dependency.replace('-', "_") == name);
        if is_dependency && !layer.crates.contains(&name.as_str()) {
            let what = format!(
                "{} may not use the crate {name}: do it in a layer that may; the table is in src/lib.rs",
                layer.name
            );
            complaints.push(file.complain(line, what));
        }
    }
    complaints
}

fn check_bans(file: &File) -> Vec<Complaint> {
    let tokens = tokens(&file.text);
    let mut complaints = Vec::new();
    for ban in BANS.iter().filter(|ban| !file.is_in(ban.except)) {
        let code: Vec<&str> = ban.code.split(' ').collect();
        for window in tokens.windows(code.len()) {
            let line = window[0].line;
            if window.iter().map(|token| &token.text).eq(&code) && !is_reviewed(file, line) {
                let what = format!("`{}`: {}", ban.code.replace(' ', ""), ban.instead);
                complaints.push(file.complain(line, what));
            }
        }
    }
    complaints
}

/// `bytes[n]` panics when `n` is wrong. Numbers and constants are taken to be right.
fn check_indexing(file: &File) -> Vec<Complaint> {
    if !file.is_in(INDEXING_IS_CHECKED) {
        return Vec::new();
    }
    let tokens = tokens(&file.text);
    let mut complaints = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let [before, bracket] = pair else { continue };
        let indexes = bracket.text == "["
            && bracket.adjacent
            && (before.is_word() || [")", "]", "?"].contains(&before.text.as_str()));
        if indexes && !is_constant(&tokens[at + 2..]) && !is_reviewed(file, bracket.line) {
            let what = "an index that is computed: use `get`, `split_at_checked`, `first_chunk` or an iterator; where it \
                        cannot be wrong, say why in REVIEWED of tests/tidy/rules.rs";
            complaints.push(file.complain(bracket.line, what));
        }
    }
    complaints
}

/// Whether an index is made of numbers, constants, and the ends of constant ranges.
fn is_constant(index: &[Token]) -> bool {
    index.iter().take_while(|token| token.text != "]").all(|token| {
        let text = token.text.as_str();
        !token.is_word()
            || text.starts_with(|c: char| c.is_ascii_digit())
            || text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            || ["start", "end"].contains(&text)
    }) && index.first().is_some_and(|first| !["start", "end"].contains(&first.text.as_str()))
}

fn is_reviewed(file: &File, line: usize) -> bool {
    let written = file.line(line);
    REVIEWED.iter().any(|reviewed| reviewed.file == file.path && written.contains(reviewed.line))
}

fn check_length(file: &File) -> Vec<Complaint> {
    let lines = file.text.lines().count();
    if lines <= LINES_MAX {
        return Vec::new();
    }
    let what = format!(
        "{lines} lines do not fit in a head: divide the file at {LINES_MAX}, by what its parts are for"
    );
    vec![file.complain(lines, what)]
}

/// The lines of `[dependencies]`, with their numbers.
fn dependency_lines(manifest: &File) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut section = "";
    manifest.text.lines().enumerate().filter_map(move |(n, line)| {
        if line.starts_with('[') {
            section = line.split('#').next().unwrap_or_default().trim();
        }
        (!line.starts_with(['[', '#']) && section.contains("dependencies") && !line.trim().is_empty())
            .then_some((n + 1, section, line))
    })
}

/// The names of all dependencies of the library and the binary.
fn dependencies(manifest: &File) -> Vec<String> {
    dependency_lines(manifest)
        .filter(|(_, section, _)| section.ends_with("dependencies]") && !section.contains("dev-"))
        .filter_map(|(_, _, line)| line.split_once('=').map(|(name, _)| name.trim().to_owned()))
        .collect()
}

fn check_manifest(manifest: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (n, section, line) in dependency_lines(manifest) {
        let name = line.split('=').next().unwrap_or_default().trim();
        if section == "[dependencies]" && RUNTIMES.contains(&name) {
            let what =
                format!("{name} is an async runtime, or brings one: {ASYNC}; comparisons live in benches/");
            complaints.push(manifest.complain(n, what));
        }
        let reason = line.rsplit_once('#').map_or("", |(_, reason)| reason.trim());
        if reason.len() < 5 || reason.contains('"') {
            let what = format!("{name} has no reason: say behind a # what it does here that std does not");
            complaints.push(manifest.complain(n, what));
        }
    }
    complaints
}

/// Paths that exist on one machine only.
fn check_places(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (n, line) in file.text.lines().enumerate() {
        for place in PLACES {
            let path = format!("/{place}/");
            for (at, _) in line.match_indices(&path) {
                let before = line[..at].chars().next_back().unwrap_or(' ');
                if !before.is_alphanumeric() && !"./_-}".contains(before) {
                    let what = format!(
                        "`{path}` is a place on one machine: say it in a way that holds on every machine"
                    );
                    complaints.push(file.complain(n + 1, what));
                }
            }
        }
    }
    complaints
}

/// The layers' imports of each other, as they are; a circle, if there is one.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit(at: &str, edges: &BTreeMap<String, BTreeSet<String>>, way: &mut Vec<String>) -> bool {
        let comes_back = way.iter().any(|passed| passed == at);
        way.push(at.to_owned());
        if comes_back {
            return true;
        }
        if edges.get(at).into_iter().flatten().any(|next| visit(next, edges, way)) {
            return true;
        }
        way.pop();
        false
    }
    edges.keys().find_map(|start| {
        let mut way = Vec::new();
        visit(start, edges, &mut way).then_some(way)
    })
}

/// Whether the table that people read is the one that is held.
fn check_table(lib: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for layer in LAYERS.iter().filter(|layer| ROWS_IN_FULL.contains(&layer.name)) {
        let row = lib
            .text
            .lines()
            .enumerate()
            .find(|(_, line)| line.starts_with(&format!("//! | [`{}`]", layer.name)));
        let Some((n, row)) = row else {
            complaints.push(lib.complain(1, format!("the table has no row for {}", layer.name)));
            continue;
        };
        let cell = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let said: BTreeSet<&str> = cell.split(',').map(str::trim).filter(|name| *name != "std").collect();
        let held: BTreeSet<&str> = layer.modules.iter().chain(layer.crates).copied().collect();
        if said != held {
            let what = format!(
                "the row of {} says {said:?}, tests/tidy/rules.rs says {held:?}: make them agree",
                layer.name
            );
            complaints.push(lib.complain(n + 1, what));
        }
    }
    complaints
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> File {
    let text = std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    File { path: path.to_owned(), text }
}

/// Every text file below a directory of the project, and every one at its top for `""`.
fn files(below: &str) -> Vec<File> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && name != ".git" {
                walk(&path, found);
            } else if path.is_file() && name != ".git" && name != "Cargo.lock" {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&top().join(below), &mut found);
    found.sort();
    let relative =
        |path: PathBuf| path.strip_prefix(top()).ok()?.to_str().map(|path| path.replace('\\', "/"));
    let is_text = |path: &String| std::fs::read_to_string(top().join(path)).is_ok();
    found.into_iter().filter_map(relative).filter(is_text).map(|path| read(&path)).collect()
}

/// The sources of the library and the binary; files of tests alone are not among them.
fn sources() -> Vec<File> {
    let sources: Vec<File> = files("src")
        .into_iter()
        .filter(|file| file.path.ends_with(".rs") && !file.module().contains(&"tests"))
        .collect();
    assert!(sources.len() > 20, "only {} sources", sources.len());
    sources
}

#[track_caller]
fn assert_tidy(complaints: impl IntoIterator<Item = Complaint>) {
    let complaints: BTreeSet<Complaint> = complaints.into_iter().collect();
    let lines: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn every_layer_imports_what_it_may() {
    let dependencies = dependencies(&read("Cargo.toml"));
    assert!(dependencies.iter().any(|name| name == "mio"));
    assert_tidy(sources().iter().flat_map(|file| check_layers(file, &dependencies)));
}

#[test]
fn there_are_no_circles() {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources() {
        let top = file.module()[0].to_owned();
        let modules = imports(&file).modules.into_keys().filter(|module| *module != top);
        edges.entry(top.clone()).or_default().extend(modules);
    }
    let circle = circle(&edges);
    assert_eq!(circle, None, "these import each other: move what they share below all of them");
}

#[test]
fn the_table_in_the_crates_documentation_is_the_one_that_is_held() {
    assert_tidy(check_table(&read("src/lib.rs")));
}

#[test]
fn clocks_sockets_and_panics_are_where_they_may_be() {
    assert_tidy(sources().iter().flat_map(check_bans));
}

#[test]
fn bytes_from_outside_index_nothing() {
    assert_tidy(sources().iter().flat_map(check_indexing));
}

#[test]
fn every_reviewed_exception_is_still_needed() {
    for reviewed in REVIEWED {
        let file = read(reviewed.file);
        let times = file.text.lines().filter(|line| line.contains(reviewed.line)).count();
        assert_eq!(times, 1, "{} has {:?} {times} times: review it, or strike it", file.path, reviewed.line);
    }
}

#[test]
fn files_fit_in_a_head() {
    assert_tidy(sources().iter().flat_map(check_length));
}

#[test]
fn every_dependency_has_a_reason_and_none_is_a_runtime() {
    assert_tidy(check_manifest(&read("Cargo.toml")));
}

#[test]
fn nothing_names_a_place_on_one_machine() {
    // The names here are the rule itself.
    assert_tidy(files("").iter().filter(|file| !file.is_in(&["tests/tidy"])).flat_map(check_places));
}
