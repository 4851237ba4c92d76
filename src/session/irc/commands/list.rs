//! LIST, with the conditions of ISUPPORT ELIST.

use super::{Doing, entry, too_many};
use crate::hub::{Command, RoomFilter, RoomSummary};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do, noted};
use crate::session::irc::features::LIST_MAX;
use crate::wire::irc::Numeric;

/// LIST: a list of names, masks and conditions. The conditions hold together; each name or mask is a list of its own,
/// one after the other, page by page.
pub fn list<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let items = call.message.params.get(0).unwrap_or_default();
    if dialogue.task.step == 0 && !begin(dialogue, &mut call, items) {
        return end(&dialogue.nick, &mut call);
    }
    let task = &mut dialogue.task;
    let behind = match &mut task.doing {
        Doing::List { behind } => behind.take(),
        _ => None,
    };
    task.step += u16::from(behind.is_none());
    let Some(filter) = filter(items, task.step - 1, call.world.unix_millis) else {
        return end(&dialogue.nick, &mut call);
    };
    task.begin(Doing::List { behind: None }, "");
    let [after] = noted(call.notes, [&behind.unwrap_or_default()]);
    Do::AskAndGoOn(Command::ListRooms { after, filter })
}

/// 321, and what is wrong with the items; whether there is a list all the same.
fn begin(dialogue: &Dialogue, call: &mut Call<'_, '_>, items: &str) -> bool {
    call.numeric(Numeric::RPL_LISTSTART, &dialogue.nick).param("Channel").trailing("Users  Name");
    too_many(dialogue, call, items, LIST_MAX);
    let wrong = items.split(',').take(LIST_MAX).find(|item| is_no_condition(item));
    if let Some(wrong) = wrong {
        let body = call.numeric(Numeric::ERR_LISTSYNTAX, &dialogue.nick).echo(wrong);
        body.trailing("There is no such condition; HELP LIST tells those that there are");
    }
    wrong.is_none()
}

/// 323, and nothing more.
fn end<'a>(nick: &str, call: &mut Call<'_, '_>) -> Do<'a> {
    call.numeric(Numeric::RPL_LISTEND, nick).trailing("End of /LIST");
    Do::Done
}

/// 322 for each.
pub fn put(
    dialogue: &mut Dialogue,
    rooms: &[RoomSummary<'_>],
    next: Option<&str>,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    for RoomSummary { name, occupants, subject } in rooms {
        dialogue.line(Numeric::RPL_LIST, world, out).param(name).param(occupants).trailing(subject);
    }
    dialogue.task.doing = Doing::List { behind: next.map(str::to_owned) };
}

/// What the list at a place is to have; `None` behind the last.
fn filter(items: &str, at: u16, now_millis: u64) -> Option<RoomFilter<'_>> {
    let mut filter = RoomFilter::default();
    let mut masks = Vec::new();
    for n in 0.. {
        let (Some(item), _) = entry(items, n, LIST_MAX) else { break };
        if !narrow(&mut filter, item, now_millis) {
            masks.push(item);
        }
    }
    match masks.get(usize::from(at)) {
        Some(mask) => Some(RoomFilter { mask: Some(mask), ..filter }),
        None if masks.is_empty() && at == 0 => Some(filter),
        None => None,
    }
}

/// Whether an item looks like a condition and is none; names and masks of channels do not look so.
fn is_no_condition(item: &str) -> bool {
    let looks_so = !item.starts_with(['#', '*', '?', '!']) && item.contains(['<', '>']);
    looks_so && !narrow(&mut RoomFilter::default(), item, 0)
}

/// Adds a condition, if it is one. Times are in minutes ago.
fn narrow<'a>(filter: &mut RoomFilter<'a>, item: &'a str, now_millis: u64) -> bool {
    if let Some(mask) = item.strip_prefix('!') {
        filter.not_mask = Some(mask);
        return true;
    }
    let (what, number, is_less) = match (item.split_once('<'), item.split_once('>')) {
        (Some((what, number)), _) => (what, number, true),
        (None, Some((what, number))) => (what, number, false),
        (None, None) => return false,
    };
    let Ok(number) = number.parse::<u32>() else { return false };
    let then = now_millis.saturating_sub(u64::from(number) * 60_000);
    match (what, is_less) {
        ("", true) => filter.occupants_below = Some(number),
        ("", false) => filter.occupants_above = Some(number),
        ("C" | "c", true) => filter.made_after = Some(then),
        ("C" | "c", false) => filter.made_before = Some(then),
        ("T" | "t", true) => filter.subject_after = Some(then),
        ("T" | "t", false) => filter.subject_before = Some(then),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn conditions_hold_together_and_names_come_one_by_one() {
        assert_eq!(filter("", 0, HOUR), Some(RoomFilter::default()));
        assert_eq!(filter("", 1, HOUR), None);
        let conditions =
            RoomFilter { occupants_above: Some(3), not_mask: Some("*b*"), ..RoomFilter::default() };
        assert_eq!(filter(">3,!*b*", 0, HOUR), Some(conditions));
        let named = |mask| Some(RoomFilter { mask: Some(mask), ..conditions });
        let of = |at| filter("#tea,>3,*milk*,!*b*", at, HOUR);
        assert_eq!((of(0), of(1), of(2)), (named("#tea"), named("*milk*"), None));
    }

    #[test]
    fn times_are_minutes_ago() {
        let young = RoomFilter { made_after: Some(HOUR - 600_000), ..RoomFilter::default() };
        assert_eq!(filter("C<10", 0, HOUR), Some(young));
        let old = RoomFilter { subject_before: Some(0), ..RoomFilter::default() };
        assert_eq!(filter("T>99", 0, HOUR), Some(old));
        for wrong in ["x<é", ">", "<-1", "C>x", "U<3", "T<99999999999"] {
            assert!(is_no_condition(wrong), "{wrong}");
        }
        for right in [">1", "<9", "c<3", "T>5", "!#a<b", "#a<b", "*>*", "tea", ""] {
            assert!(!is_no_condition(right), "{right}");
        }
    }
}
