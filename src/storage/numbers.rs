//! How what has no number of its own is written into columns. What was written once means the same for ever.

use crate::hub::record::Past;
use crate::hub::{Affiliation, Form, MaskList};

const AFFILIATIONS: [(Affiliation, i64); 5] = [
    (Affiliation::Outcast, 0),
    (Affiliation::None, 1),
    (Affiliation::Member, 2),
    (Affiliation::Admin, 3),
    (Affiliation::Owner, 4),
];

const LISTS: [(MaskList, i64); 3] =
    [(MaskList::Bans, 0), (MaskList::BanExceptions, 1), (MaskList::InviteExceptions, 2)];

/// `0` and `1` are found by search: the triggers of the tables know them.
const PASTS: [(Past, i64); 9] = [
    (Past::Said(Form::Message), 0),
    (Past::Said(Form::Notice), 1),
    (Past::Said(Form::Tags), 2),
    (Past::Entered, 3),
    (Past::Left, 4),
    (Past::Quit, 5),
    (Past::Kicked, 6),
    (Past::SubjectSet, 7),
    (Past::Renamed, 8),
];

/// The last one that is a message.
pub const SAID_MAX: i64 = 2;

pub fn of_affiliation(affiliation: Affiliation) -> i64 {
    number(&AFFILIATIONS, affiliation)
}

/// `None` for a number that this version does not know; likewise the others.
pub fn affiliation(number: i64) -> Option<Affiliation> {
    meaning(&AFFILIATIONS, number)
}

pub fn of_list(list: MaskList) -> i64 {
    number(&LISTS, list)
}

pub fn list(number: i64) -> Option<MaskList> {
    meaning(&LISTS, number)
}

pub fn of_past(past: Past) -> i64 {
    number(&PASTS, past)
}

pub fn past(number: i64) -> Option<Past> {
    meaning(&PASTS, number)
}

fn number<T: PartialEq + Copy>(table: &[(T, i64)], meaning: T) -> i64 {
    table.iter().find(|(of, _)| *of == meaning).map_or(-1, |&(_, number)| number)
}

fn meaning<T: Copy>(table: &[(T, i64)], number: i64) -> Option<T> {
    table.iter().find(|(_, of)| *of == number).map(|&(meaning, _)| meaning)
}
