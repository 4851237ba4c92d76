//! WHO (Modern IRC, "WHO message"), with the fields of WHOX (IRCv3 whox).

use super::{Doing, rooms::Ranks};
use crate::hub::{Command, Entry, Marks, Reply, RoomRef, UserFilter};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do, noted};
use crate::session::irc::letters;
use crate::wire::irc::{Capability, LineBody, Numeric};
use std::fmt;

/// What a WHO wants to know, and of whom.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    operators_only: bool,
    /// `None`: the usual answer.
    fields: Option<Fields>,
}

/// The fields of WHOX that are wanted, and the token that the answer repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Fields {
    /// By the place in [`FIELDS`].
    bits: u16,
    token: Token,
}

/// Up to three digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Token {
    number: u16,
    digits: u8,
}

/// The fields there are, in the order in which the answer has them.
const FIELDS: [char; 13] = ['t', 'c', 'u', 'i', 'h', 's', 'n', 'f', 'd', 'l', 'a', 'o', 'r'];

/// What stands for an address that is not told.
const NO_ADDRESS: &str = "255.255.255.255";

pub fn who<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let mask = params.get(0).filter(|mask| !mask.is_empty()).unwrap_or("*");
    let task = &mut dialogue.task;
    if task.step == 0 {
        task.step = 1;
        let wanted = Wanted::of(params.get(1).unwrap_or_default());
        task.begin(Doing::Who { wanted, behind: Some(String::new()) }, mask);
    }
    let Doing::Who { wanted: Wanted { operators_only, .. }, behind: Some(after) } = &task.doing else {
        return Do::Done;
    };
    let ([after], operators_only) = (noted(call.notes, [after]), *operators_only);
    Do::AskAndGoOn(match mask {
        room if room.starts_with('#') => Command::Who { room: RoomRef::Named(room), after, in_full: true },
        "*" | "0" => Command::FindUsers { after, filter: UserFilter { mask: None, operators_only } },
        // A whole nickname finds also those who do not want to be found by masks.
        nick if !nick.contains(['*', '?', '.', ':']) => Command::IsHere { names: Box::new([nick]) },
        mask => Command::FindUsers { after, filter: UserFilter { mask: Some(mask), operators_only } },
    })
}

/// The hub knows users by name, by mask, and by room.
pub fn answer(
    dialogue: &mut Dialogue,
    wanted: Wanted,
    reply: &Reply<'_>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let (entries, next) = match *reply {
        Reply::Here { entries } => (entries, None),
        Reply::Users { entries, next } => (entries, next),
        Reply::Occupants { entries, next, .. } => (entries, next),
        _ => return,
    };
    put(dialogue, wanted, entries, next, world, out);
}

/// One page of the answer. `next`: where the list goes on.
fn put(
    dialogue: &mut Dialogue,
    wanted: Wanted,
    entries: &[Entry<'_>],
    next: Option<&str>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let all_ranks = dialogue.capabilities.has(Capability::MultiPrefix);
    for entry in entries {
        if wanted.operators_only && !entry.person.marks().contains(Marks::OPERATOR) {
            continue;
        }
        let flags = Flags { entry, all_ranks };
        match wanted.fields {
            None => put_entry(dialogue.line(Numeric::RPL_WHOREPLY, world, out), entry, &flags, world),
            Some(fields) => {
                fields.put(dialogue.line(Numeric::RPL_WHOSPCRPL, world, out), entry, &flags, world)
            }
        }
    }
    dialogue.task.doing = Doing::Who { wanted, behind: next.map(str::to_owned) };
    if next.is_none() {
        end(dialogue, world, out);
    }
}

/// 315.
pub fn end(dialogue: &Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.line(Numeric::RPL_ENDOFWHO, world, out).echo(dialogue.task.about()).trailing("End of /WHO list");
}

/// 352. There is one server, and so no hop to it.
fn put_entry(line: LineBody<'_>, entry: &Entry<'_>, flags: &Flags<'_>, world: &Surroundings) {
    let person = entry.person;
    line.param(room_of(entry))
        .param(person.username())
        .param(entry.host)
        .param(&world.server.name)
        .param(person.name.shown())
        .param(flags)
        .trailing(format_args!("0 {}", person.realname()));
}

fn room_of<'a>(entry: &Entry<'a>) -> &'a str {
    entry.place.map_or("*", |place| place.room.shown())
}

impl Wanted {
    /// The second parameter: flags, of which `o` is known, and `%` with fields and perhaps a token.
    fn of(text: &str) -> Wanted {
        let (flags, fields) = text.split_once('%').unwrap_or((text, ""));
        let (fields, token) = fields.split_once(',').unwrap_or((fields, ""));
        let bits = FIELDS.iter().enumerate().filter(|(_, field)| fields.contains(**field));
        let bits = bits.fold(0, |bits, (place, _)| bits | 1 << place);
        Wanted {
            operators_only: flags.contains('o'),
            fields: (bits > 0).then(|| Fields { bits, token: Token::of(token) }),
        }
    }
}

impl Token {
    /// What is none becomes 0, as where there is none.
    fn of(text: &str) -> Token {
        let is_one = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let text = if is_one { text } else { "0" };
        Token { number: text.parse().unwrap_or(0), digits: text.len() as u8 }
    }
}

impl Fields {
    fn put(self, line: LineBody<'_>, entry: &Entry<'_>, flags: &Flags<'_>, world: &Surroundings) {
        let person = entry.person;
        let wanted = FIELDS.iter().enumerate().filter(|(place, _)| self.bits & 1 << place != 0);
        let mut line = line;
        for (_, field) in wanted {
            line = match field {
                't' => line.param(self.token),
                'c' => line.param(room_of(entry)),
                'u' => line.param(person.username()),
                'i' => line.param(NO_ADDRESS),
                'h' => line.param(entry.host),
                's' => line.param(&world.server.name),
                'n' => line.param(person.name.shown()),
                'f' => line.param(flags),
                'd' => line.param(0),
                'l' => line.param(entry.idle_seconds),
                'a' => line.param(person.account.unwrap_or("0")),
                // The level of an operator of a channel; there are none here.
                'o' => line.param("n/a"),
                _ => return line.trailing(person.realname()),
            };
        }
        line.end();
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.number, width = self.digits.into())
    }
}

/// Here or gone, an operator or not, what one is in the room, a bot or not.
struct Flags<'e> {
    entry: &'e Entry<'e>,
    all_ranks: bool,
}

impl fmt::Display for Flags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { person, place, .. } = self.entry;
        f.write_str(if person.away().is_some() { "G" } else { "H" })?;
        f.write_str(if person.marks().contains(Marks::OPERATOR) { "*" } else { "" })?;
        Ranks::of(place.map(|place| place.standing), self.all_ranks).fmt(f)?;
        if person.marks().contains(Marks::BOT) { write!(f, "{}", letters::BOT) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Option<(String, String)> {
        let Fields { bits, token } = Wanted::of(text).fields?;
        let letters = FIELDS.iter().enumerate().filter(|(place, _)| bits & 1 << place != 0);
        Some((letters.map(|(_, letter)| letter).collect(), token.to_string()))
    }

    #[test]
    fn fields_come_in_their_own_order_with_the_token_as_it_was() {
        let rows = [
            ("%tcuihsnfdlaor,123", Some(("tcuihsnfdlaor", "123"))),
            ("%roaldfnshiuct,7", Some(("tcuihsnfdlaor", "7"))),
            ("o%nt,042", Some(("tn", "042"))),
            ("%tn", Some(("tn", "0"))),
            ("%tn,1234", Some(("tn", "0"))),
            ("%tn,a", Some(("tn", "0"))),
            ("%nxyz", Some(("n", "0"))),
            ("%", None),
            ("o", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let expected = expected.map(|(letters, token)| (letters.to_owned(), token.to_owned()));
            assert_eq!(fields(text), expected, "{text}");
        }
        assert!(Wanted::of("o").operators_only && Wanted::of("o%n").operators_only);
        assert!(!Wanted::of("%no").operators_only, "that is a field");
    }
}
