//! A profile for Wireshark: what a dissector cannot set. Colours by kind, a column for the time that an answer took, and
//! segments put into their order before they are looked at.

use std::fmt::Write;

/// Name of the profile, and of its folder.
pub const NAME: &str = "Switchboard";

/// How the first line of each of its files begins, by which it is recognised as ours.
pub const MARK: &str = "# Switchboard's profile, ";

/// Files of the profile: name, and what is in it.
pub fn files() -> [(&'static str, String); 2] {
    [("colorfilters", colors()), ("preferences", preferences())]
}

/// A rule: what it is for, which packets, and their colours, of what is behind and of what is written.
struct Rule {
    name: &'static str,
    filter: &'static str,
    background: Rgb,
    foreground: Rgb,
}

type Rgb = [u8; 3];

const DARK: Rgb = [0x20, 0x24, 0x2c];
const LIGHT: Rgb = [0xff, 0xff, 0xff];

/// The first that fits counts. Ranges of kinds are those of section 5 of `docs/PROTOCOL.md`.
const RULES: &[Rule] = &[
    Rule {
        name: "Malformed, too long, or out of step",
        // PI_WARN and PI_ERROR, the severities that Wireshark has no words for in a filter.
        filter: "switchboard && _ws.expert.severity >= 6291456 && !tcp.analysis.flags",
        background: [0xa4, 0x00, 0x00],
        foreground: LIGHT,
    },
    Rule {
        name: "Refused, kicked, hung up",
        filter: r#"switchboard.kind in {"refused", "kicked", "destroyed"} || switchboard.bye.code > 0"#,
        background: [0xff, 0xc8, 0xb4],
        foreground: DARK,
    },
    Rule {
        name: "What people say",
        filter: r#"switchboard.kind in {"say", "said", "tell", "told", "told_elsewhere", "notice", "announced"}"#,
        background: [0xd9, 0xf2, 0xd0],
        foreground: DARK,
    },
    Rule {
        name: "Datagrams",
        filter: "switchboard && udp || switchboard.kind.number in {0xc0 .. 0xcb}",
        background: [0xd8, 0xee, 0xf7],
        foreground: DARK,
    },
    Rule {
        name: "Relays",
        filter: "switchboard.kind.number in {0xb0 .. 0xbf}",
        background: [0xe6, 0xdc, 0xf5],
        foreground: DARK,
    },
    Rule {
        name: "Session: hello, credentials, bye",
        filter: r#"switchboard.kind in {"hello", "welcome", "credentials", "account", "bye"}"#,
        background: [0xfd, 0xf0, 0xb8],
        foreground: DARK,
    },
    Rule {
        name: "Signs of life, and done",
        filter: r#"switchboard.kind in {"ping", "pong", "done"}"#,
        background: [0xec, 0xec, 0xec],
        foreground: [0x60, 0x64, 0x6c],
    },
    Rule {
        name: "Operators",
        filter: "switchboard.kind.number in {0xe8 .. 0xeb}",
        background: [0xf7, 0xd9, 0xea],
        foreground: DARK,
    },
    Rule { name: "Rooms and peers", filter: "switchboard", background: [0xf4, 0xfa, 0xe6], foreground: DARK },
    Rule { name: "IRC beside them", filter: "irc", background: [0xe3, 0xe8, 0xd8], foreground: DARK },
    Rule {
        name: "TCP: lost, doubled, no window",
        filter: "tcp.analysis.flags && !tcp.analysis.window_update && !tcp.analysis.keep_alive",
        background: DARK,
        foreground: [0xff, 0x9c, 0x9c],
    },
    Rule {
        name: "TCP: reset",
        filter: "tcp.flags.reset == 1",
        background: [0xa4, 0x00, 0x00],
        foreground: [0xff, 0xfc, 0x9c],
    },
    Rule {
        name: "TCP: begin and end",
        filter: "tcp.flags.syn == 1 || tcp.flags.fin == 1",
        background: [0xc8, 0xc8, 0xc8],
        foreground: DARK,
    },
];

/// Colouring rules, as View > Coloring Rules > Import takes them.
pub fn colors() -> String {
    let mut file = format!("{MARK}version {}: colours by kind\n", env!("CARGO_PKG_VERSION"));
    for rule in RULES {
        let [background, foreground] = [rule.background, rule.foreground].map(sixteen_bits);
        // Writing to a string cannot fail.
        let _ = writeln!(file, "@{}@{}@[{background}][{foreground}]", rule.name, rule.filter);
    }
    file
}

/// As Wireshark writes a colour: 16 bits for each of red, green and blue.
fn sixteen_bits(color: Rgb) -> String {
    color.map(|part| (u16::from(part) * 0x101).to_string()).join(",")
}

fn preferences() -> String {
    format!(
        "{MARK}version {}: columns, and segments in their order\n\
         gui.column.format:\n\
         \t\"No.\", \"%m\",\n\
         \t\"Time\", \"%t\",\n\
         \t\"Source\", \"%s\",\n\
         \t\"Port\", \"%S\",\n\
         \t\"Destination\", \"%d\",\n\
         \t\"Port\", \"%D\",\n\
         \t\"Protocol\", \"%p\",\n\
         \t\"Answer after\", \"%Cus:switchboard.response_time:0:R\",\n\
         \t\"Info\", \"%i\"\n\
         tcp.desegment_tcp_streams: TRUE\n\
         tcp.reassemble_out_of_order: TRUE\n",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Kind;
    use crate::wire::schema::snake_case;

    #[test]
    fn rules_name_kinds_that_there_are() {
        let kinds: Vec<String> = Kind::ALL.iter().map(snake_case).collect();
        for rule in RULES {
            for named in rule.filter.split('"').skip(1).step_by(2) {
                assert!(kinds.iter().any(|kind| kind == named), "{}: no kind {named}", rule.name);
            }
        }
    }

    #[test]
    fn every_file_begins_with_the_mark_and_no_rule_breaks_its_line() {
        for (name, text) in files() {
            assert!(text.starts_with(MARK) && text.ends_with('\n'), "{name}");
        }
        assert_eq!(colors().lines().count(), RULES.len() + 1);
        assert!(RULES.iter().all(|rule| !rule.name.contains('@') && !rule.filter.contains(['@', '\n'])));
    }
}
