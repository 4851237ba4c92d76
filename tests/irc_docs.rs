//! `docs/IRC.md` tells people what they meet over IRC. Here its tables and lists are held against the code, both ways:
//! what is there is documented, and what is documented is there.

use std::collections::BTreeSet;
use std::fs;
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

/// The conversations of `irc_conformance`, which are played: what is in them is so.
fn conversations() -> Vec<String> {
    let tables = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/irc_conformance/tables");
    let tables = fs::read_dir(tables).expect("the tables");
    tables.map(|table| fs::read_to_string(table.expect("an entry").path()).expect("a table")).collect()
}

/// Those that nothing leads to yet, and what they wait for.
const AWAITED: &[(Numeric, &str)] = &[];

fn is_awaited(numeric: u16) -> bool {
    AWAITED.iter().any(|(awaited, _)| awaited.number() == numeric)
}

/// By which numerics each command is answered in the conversations.
fn heard() -> BTreeSet<(String, u16)> {
    let mut heard = BTreeSet::new();
    for table in conversations() {
        let (mut actor, mut command, mut is_welcome) = ("", "", false);
        for line in table.lines().filter(|line| !line.starts_with("//")) {
            if let Some((who, said)) = line.split_once("> ") {
                let said = said.split(' ').find(|word| !word.starts_with('@'));
                (actor, command, is_welcome) = (who, said.unwrap_or_default(), false);
            } else if let Some((who, told)) = line.split_once("< ")
                && who == actor
                && let Some(word) = told.split(' ').find(|word| !word.starts_with(['@', ':']))
                && is_numeric(word)
            {
                // What a login comes to is told by whichever line completes it.
                match (number(word), is_welcome) {
                    (1, _) => (command, is_welcome) = ("USER", true),
                    (464, _) if command != "OPER" => command = "PASS",
                    (251, true) => command = "LUSERS",
                    (375 | 422, true) => command = "MOTD",
                    _ => {}
                }
                heard.insert((command.to_uppercase(), number(word)));
            }
        }
    }
    heard
}

/// The numerics that anybody is told in the conversations: some go to others than the one who said something.
fn heard_by_anybody() -> BTreeSet<u16> {
    let mut heard = BTreeSet::new();
    for table in conversations() {
        let told = table.lines().filter_map(|line| line.split_once("< "));
        let words = told.filter_map(|(_, told)| told.split(' ').find(|word| !word.starts_with(['@', ':'])));
        heard.extend(words.filter(|word| is_numeric(word)).map(number));
    }
    heard
}

/// By which numerics each command is answered as the document has it.
fn told() -> BTreeSet<(String, u16)> {
    let entries = section("3. Commands").split("\n- **").skip(1);
    let numerics = entries.flat_map(|entry| {
        let (name, behind) = entry.split_once("**").expect(entry);
        let behind = behind.split("\n\n").next().unwrap_or_default();
        numerics_in(behind).into_iter().map(|numeric| (name.to_owned(), numeric))
    });
    numerics.collect()
}

/// The numerics that a text names outside of `code`, those between the two of `256 to 259` as well.
fn numerics_in(text: &str) -> BTreeSet<u16> {
    let prose: String = text.split('`').step_by(2).collect();
    let words = prose.split(|c: char| !c.is_alphanumeric() && c != '.').map(|word| word.trim_matches('.'));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut named: BTreeSet<u16> =
        words.iter().filter(|word| is_numeric(word)).map(|word| number(word)).collect();
    for three in words.windows(3) {
        if let [first, "to", last] = three
            && is_numeric(first)
            && is_numeric(last)
        {
            let between = number(first)..=number(last);
            named.extend(Numeric::ALL.iter().map(|row| row.numeric.number()).filter(|n| between.contains(n)));
        }
    }
    named
}

fn is_numeric(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(digits: &str) -> u16 {
    digits.parse().expect(digits)
}

#[test]
fn numerics_with_their_names_and_meanings_all_of_which_are_sent() {
    let row = |row: &NumericRow| [row.numeric.to_string(), row.name.to_owned(), row.meaning.to_owned()];
    let known: Vec<[String; 3]> = Numeric::ALL.iter().map(row).collect();
    assert_eq!(rows(["Number", "Name", "Meaning"]), known, "document (left) and code (right) differ");
    let heard = heard_by_anybody();
    for row in Numeric::ALL {
        let numeric = row.numeric.number();
        let (is_heard, is_awaited) = (heard.contains(&numeric), is_awaited(numeric));
        assert!(is_heard != is_awaited, "{row:?}: no conversation has it, or it need not be awaited");
    }
}

#[test]
fn each_command_is_answered_by_the_numerics_that_are_told_of_it_and_by_no_others() {
    // In front of the commands stand those that may answer any; 402 is told of each command as well.
    let any = section("3. Commands").split("\n### ").next().unwrap_or_default();
    let any: BTreeSet<u16> = numerics_in(any).into_iter().filter(|numeric| *numeric != 402).collect();
    assert_eq!(any.len(), 5, "{any:?}");
    let (heard, told) = (heard(), told());
    let untold: Vec<_> = heard.iter().filter(|pair| !told.contains(pair) && !any.contains(&pair.1)).collect();
    assert!(untold.is_empty(), "conversations have them, and the document does not: {untold:?}");
    let unheard: Vec<_> = told.iter().filter(|pair| !heard.contains(pair) && !is_awaited(pair.1)).collect();
    assert!(unheard.is_empty(), "the document has them, and no conversation does: {unheard:?}");
}

/// Those that make no difference yet.
const IDLE: &[Capability] = &[Capability::CapNotify, Capability::Chghost];

#[test]
fn capabilities_that_are_offered_and_those_that_are_not() {
    let known = |is_offered| -> Vec<String> {
        let all = Capability::ALL.iter().filter(|known| offered::CAPABILITIES.contains(known) == is_offered);
        all.map(Capability::to_string).collect()
    };
    for (headings, is_offered) in
        [(["Offered", "What it does"], true), (["Not offered", "What it waits for"], false)]
    {
        let rows = rows(headings);
        assert!(rows.iter().all(|[name, what]| !what.is_empty() && !name.is_empty()), "{headings:?}");
        let mut documented: Vec<String> = rows.into_iter().map(|[name, _]| name).collect();
        let mut known = known(is_offered);
        documented.sort_unstable();
        known.sort_unstable();
        assert_eq!(documented, known, "document (left) and code (right) differ");
    }
}

#[test]
fn capabilities_do_what_is_told_of_them() {
    let tables = conversations();
    let scenes: Vec<&str> = tables.iter().flat_map(|table| table.split("\n== ")).collect();
    for [name, what] in rows(["Offered", "What it does"]) {
        if IDLE.iter().any(|idle| idle.to_string() == name) {
            continue;
        }
        let agrees = |line: &str| {
            let (_, capabilities) = line.split_once(" with ").unwrap_or_default();
            capabilities.split(' ').any(|capability| capability == name)
        };
        let played: Vec<&&str> = scenes.iter().filter(|scene| scene.lines().skip(1).any(agrees)).collect();
        assert!(!played.is_empty(), "nobody agrees on {name} in any conversation");
        for word in words_on_the_wire(&what) {
            assert!(played.iter().any(|scene| scene.contains(word)), "{name}: no conversation has {word:?}");
        }
    }
}

/// What a text has as `code`, and the commands and numerics in it.
fn words_on_the_wire(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split('`').skip(1).step_by(2);
    let prose = text.split('`').step_by(2).flat_map(|prose| prose.split(|c: char| !c.is_alphanumeric()));
    let is_command = |word: &&str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    code.chain(prose.filter(move |word| is_command(word) || is_numeric(word)))
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
