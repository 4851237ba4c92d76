//! `docs/IRC.md` tells people what they meet over IRC. Here its tables and lists are held against the code, both ways:
//! what is there is documented, and what is documented is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use switchboard::hub::Limits;
use switchboard::session::irc::offered;
use switchboard::session::{Description, Surroundings};
use switchboard::wire::irc::numeric::NumericRow;
use switchboard::wire::irc::{Capability, ModeKind, Numeric};

const DOCUMENT: &str = include_str!("../docs/IRC.md");
const CONFIGURATION: &str = include_str!("../docs/switchboard.toml");

/// The rows of the table with these first headings, as far as these go.
fn rows<const N: usize>(headings: [&str; N]) -> Vec<[String; N]> {
    let cells = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        [(); N].map(|()| cells.next().unwrap_or_default())
    };
    let mut lines = DOCUMENT.lines().skip_while(|line| !line.starts_with('|') || cells(line) != headings);
    assert!(lines.next().is_some(), "there is no table {headings:?}");
    lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// What stands under a heading.
fn section(heading: &str) -> &'static str {
    let (_, behind) = DOCUMENT.split_once(&format!("\n## {heading}\n")).expect(heading);
    behind.split("\n## ").next().unwrap_or_default()
}

#[test]
fn commands_and_their_parameters() {
    let entries = section("3. Commands").lines().filter_map(|line| line.strip_prefix("- **"));
    let mut documented: Vec<(&str, &str)> = entries
        .map(|entry| {
            let (name, behind) = entry.split_once("**").expect(entry);
            let (syntax, _) =
                behind.split_once(':').filter(|(syntax, _)| syntax.is_empty()).unwrap_or_else(|| {
                    let (syntax, behind) =
                        behind.strip_prefix(" `").and_then(|rest| rest.split_once('`')).expect(entry);
                    assert!(behind.starts_with(':'), "{entry}");
                    (syntax, behind)
                });
            (name, syntax)
        })
        .collect();
    documented.sort_unstable();
    let known: Vec<(&str, &str)> = offered::COMMANDS.iter().map(|topic| (topic.name, topic.params)).collect();
    assert_eq!(documented, known, "document (left) and code (right) differ");
}

/// The numerics that the dialect has a use for: those that its source names, but for its tests.
fn sent() -> BTreeSet<&'static str> {
    let mut sources = String::new();
    read_all(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/session/irc")), &mut sources);
    let names: BTreeSet<&str> = sources
        .split("Numeric::")
        .skip(1)
        .map(|behind| behind.split(|c: char| c != '_' && !c.is_alphanumeric()).next().unwrap_or_default())
        .collect();
    Numeric::ALL.iter().map(|row| row.name).filter(|name| names.contains(name)).collect()
}

fn read_all(directory: &Path, into: &mut String) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, into);
        } else {
            let text = fs::read_to_string(&path).expect("a source");
            into.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
        }
    }
}

#[test]
fn numerics_with_their_names_and_meanings_all_of_which_are_sent() {
    let row = |row: &NumericRow| [row.numeric.to_string(), row.name.to_owned(), row.meaning.to_owned()];
    let known: Vec<[String; 3]> = Numeric::ALL.iter().map(row).collect();
    assert_eq!(rows(["Number", "Name", "Meaning"]), known, "document (left) and code (right) differ");
    let sent = sent();
    let idle: Vec<_> = Numeric::ALL.iter().filter(|row| !sent.contains(row.name)).collect();
    assert!(idle.is_empty(), "nobody sends {idle:?}");
}

#[test]
fn commands_tell_of_all_numerics_that_are_sent_and_of_no_others() {
    let is_numeric = |word: &&str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = section("3. Commands").split(|c: char| !c.is_alphanumeric()).collect();
    let mut told: BTreeSet<u16> =
        words.iter().filter(|word| is_numeric(word)).map(|word| number(word)).collect();
    for three in words.windows(3) {
        if let [first, "to", last] = three
            && is_numeric(first)
            && is_numeric(last)
        {
            told.extend(number(first)..number(last));
        }
    }
    let sent = sent();
    let sent = Numeric::ALL.iter().filter(|row| sent.contains(row.name));
    assert_eq!(
        told,
        sent.map(|row| row.numeric.number()).collect(),
        "document (left) and code (right) differ"
    );
}

fn number(digits: &str) -> u16 {
    digits.parse().expect(digits)
}

#[test]
fn capabilities_that_are_offered_and_those_that_are_not() {
    let documented = |heading| -> BTreeSet<String> {
        let rows = rows([heading]);
        let names: BTreeSet<String> = rows.iter().map(|[name]| name.clone()).collect();
        assert_eq!(names.len(), rows.len(), "{heading}: one of them stands there twice");
        names
    };
    let known = |is_offered| -> BTreeSet<String> {
        let all = Capability::ALL.iter().filter(|known| offered::CAPABILITIES.contains(known) == is_offered);
        all.map(Capability::to_string).collect()
    };
    assert_eq!(documented("Offered"), known(true));
    assert_eq!(documented("Not offered"), known(false));
}

#[test]
fn tokens_of_isupport_at_the_defaults() {
    let world = Surroundings::new(Description::default(), Limits::default());
    let documented: Vec<String> = rows(["Token"]).into_iter().map(|[token]| token).collect();
    assert_eq!(documented, offered::isupport(&world));
}

#[test]
fn modes_and_which_of_them_take_a_parameter() {
    let documented: Vec<(String, bool)> = rows(["Channel mode", "Parameter"])
        .into_iter()
        .map(|[letter, param]| (letter, !param.is_empty()))
        .collect();
    let known = offered::CHANNEL_MODES.letters();
    let known: Vec<(String, bool)> =
        known.map(|(letter, kind)| (letter.to_string(), kind != ModeKind::Never)).collect();
    assert_eq!(documented, known);
    let documented: Vec<String> = rows(["User mode"]).into_iter().map(|[letter]| letter).collect();
    let known: Vec<String> = offered::USER_MODES.letters().map(|(letter, _)| letter.to_string()).collect();
    assert_eq!(documented, known);
}

#[test]
fn limits_have_the_values_of_the_configuration() {
    for [key, value] in rows(["Setting", "Default"]) {
        let line = format!("{key} = {value}");
        assert!(CONFIGURATION.lines().any(|other| other == line), "the configuration does not have {line:?}");
    }
}
