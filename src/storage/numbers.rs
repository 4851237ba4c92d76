//! How what has no number of its own is written into columns. What was written once means the same for ever.

use crate::hub::{Affiliation, MaskList};

const AFFILIATIONS: [(Affiliation, i64); 5] = [
    (Affiliation::Outcast, 0),
    (Affiliation::None, 1),
    (Affiliation::Member, 2),
    (Affiliation::Admin, 3),
    (Affiliation::Owner, 4),
];

const LISTS: [(MaskList, i64); 4] = [
    (MaskList::Bans, 0),
    (MaskList::BanExceptions, 1),
    (MaskList::InviteExceptions, 2),
    (MaskList::Mutes, 3),
];

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

fn number<T: PartialEq + Copy>(table: &[(T, i64)], meaning: T) -> i64 {
    table.iter().find(|(of, _)| *of == meaning).map_or(-1, |&(_, number)| number)
}

fn meaning<T: Copy>(table: &[(T, i64)], number: i64) -> Option<T> {
    table.iter().find(|(_, of)| *of == number).map(|&(meaning, _)| meaning)
}
