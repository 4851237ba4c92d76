use super::*;
use crate::hub::record::Past;
use crate::hub::{Form, Host, SessionId};

const NOBODY: UserKey = UserKey(SessionId(1));

fn bytes_of(id: u64, what: Past, text: &str) -> Vec<u8> {
    let (host, account, retracted) = (Host::default(), None, None);
    let view = PastView {
        id: MessageId(id),
        what,
        by: "ann",
        username: "a",
        host,
        account,
        text,
        tags: "",
        retracted,
    };
    let mut bytes = Vec::new();
    Happening { view, owner: None }.encode(&mut bytes);
    bytes
}

fn bounds(entries_max: usize) -> Bounds {
    Bounds { entries_max, bytes_max: 1 << 20, not_before: MessageId(0) }
}

/// Something with this number happens.
fn happen(history: &mut History, (id, is_said): (u64, bool), bounds: Bounds) {
    let what = if is_said { Past::Said(Form::Message) } else { Past::Entered };
    let text = "x".repeat((id % 50) as usize);
    history.keep((MessageId(id), is_said), NOBODY, |out| out.extend(bytes_of(id, what, &text)));
    history.trim(is_said, bounds);
}

/// A small generator (xorshift64), so that each seed is one case.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }

    fn part(&mut self, last: u64) -> Part {
        let (limit, said_only) = (1 + self.below(12) as usize, self.below(2) == 0);
        let end = |random: &mut Random| (random.below(4) > 0).then(|| MessageId(random.below(last + 20)));
        if self.below(4) == 0 {
            return Part::Around { id: MessageId(self.below(last + 20)), limit, said_only };
        }
        let (after, before) = (end(self), end(self));
        Part::Span(Span { after, before, newest: self.below(2) == 0, limit, said_only })
    }
}

/// The same out of a list of everything.
fn expected(all: &[(u64, bool)], part: &Part) -> Vec<u64> {
    let ids = |said_only: bool| -> Vec<u64> {
        all.iter().filter(|(_, is_said)| *is_said || !said_only).map(|&(id, _)| id).collect()
    };
    match *part {
        Part::Span(Span { after, before, newest, limit, said_only }) => {
            let mut ids = ids(said_only);
            ids.retain(|&id| {
                after.is_none_or(|after| id > after.0) && before.is_none_or(|before| id < before.0)
            });
            let over = ids.len().saturating_sub(limit);
            if newest { ids.split_off(over) } else { ids[..ids.len() - over].to_vec() }
        }
        Part::Around { id, limit, said_only } => {
            let ids = ids(said_only);
            let at = ids.iter().filter(|&&one| one < id.0).count();
            let (before, from) = (limit / 2, limit - limit / 2);
            ids[at.saturating_sub(before)..(at + from).min(ids.len())].to_vec()
        }
    }
}

/// What storage has of the spans.
fn stored(all: &[(u64, bool)], spans: &[Span]) -> Vec<u8> {
    let of = |id: u64| all.iter().find(|(one, _)| *one == id).is_some_and(|&(_, is_said)| is_said);
    let what = |id| if of(id) { Past::Said(Form::Message) } else { Past::Entered };
    let ids = spans.iter().flat_map(|span| expected(all, &Part::Span(span.clone())));
    ids.flat_map(|id| bytes_of(id, what(id), "stored")).collect()
}

#[test]
fn every_part_is_the_same_part_of_a_list_of_everything() {
    for seed in 1..400_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let lasting = seed % 2 == 0;
        let mut history = match lasting {
            true => History::of_lasting(RoomId(1), MessageId(random.below(30)), None),
            false => History::default(),
        };
        let (bounds, mut all, mut id) = (bounds(1 + random.below(20) as usize), Vec::new(), 0);
        for _ in 0..random.below(60) {
            id += 1 + random.below(3);
            let one = (id, random.below(3) > 0);
            all.push(one);
            if history.said.whole_from.0 <= id {
                happen(&mut history, one, bounds);
            }
            if !lasting {
                // What memory has given up is nowhere.
                let kept =
                    [&history.said, &history.events].map(|log| log.index.front().map(|place| place.id.0));
                all.retain(|&(id, is_said)| kept[usize::from(!is_said)].is_some_and(|first| id >= first));
            }
        }
        for _ in 0..40 {
            let part = random.part(id);
            let fetched = stored(&all, &history.missing(&part, MessageId(0)));
            let (views, more) = history.select(&part, &fetched, MessageId(0));
            let found: Vec<u64> = views.iter().map(|view| view.id.0).collect();
            assert_eq!(found, expected(&all, &part), "seed {seed}: {part:?} of {all:?}");
            if let Part::Span(span) = &part {
                let unlimited = expected(&all, &Part::Span(Span { limit: usize::MAX, ..span.clone() }));
                assert!(more || unlimited.len() <= span.limit, "seed {seed}: {part:?} of {all:?}");
            }
        }
    }
}

#[test]
fn comings_and_goings_do_not_push_out_what_was_said() {
    let mut history = History::default();
    for id in 0..1_000 {
        happen(&mut history, (id, id < 10), bounds(10));
    }
    let part =
        |said_only| Part::Span(Span { after: None, before: None, newest: true, limit: 100, said_only });
    let ids = |views: Vec<PastView<'_>>| views.iter().map(|view| view.id.0).collect::<Vec<_>>();
    assert_eq!(ids(history.select(&part(true), &[], MessageId(0)).0), (0..10).collect::<Vec<_>>());
    let both: Vec<u64> = (0..10).chain(990..1_000).collect();
    assert_eq!(ids(history.select(&part(false), &[], MessageId(0)).0), both);
    assert_eq!(history.latest_said, Some(MessageId(9)));
}

#[test]
fn bytes_age_and_the_server_bound_it_as_well() {
    let said = |bounds: Bounds| {
        let mut history = History::default();
        for id in 1..=100 {
            happen(&mut history, (id, true), bounds);
        }
        history
    };
    let by_bytes = said(Bounds { bytes_max: 1_000, ..bounds(1_000) });
    assert!(by_bytes.said.bytes.len() - by_bytes.said.start <= 1_000 && by_bytes.said.index.len() > 5);
    let by_age = said(Bounds { not_before: MessageId(90), ..bounds(1_000) });
    assert_eq!(by_age.said.index.len(), 11);
    let mut given_up = said(bounds(1_000));
    let mut size = given_up.size();
    while given_up.give_up_oldest() {
        assert!(given_up.size() < size);
        size = given_up.size();
    }
    assert_eq!(given_up.said.index.len(), 1, "the latest stays");
}

#[test]
fn what_is_replaced_is_in_the_same_place_and_its_neighbours_are_as_they_were() {
    for id in 1..=20 {
        let mut history = History::default();
        (1..=30).for_each(|id| happen(&mut history, (id, true), bounds(20)));
        let id = MessageId(10 + id);
        let before: Vec<String> = texts(&mut history);
        let new =
            bytes_of(id.0, Past::Said(Form::Message), "something that is much longer than what was there");
        history.replace(id, &new);
        let after = texts(&mut history);
        for (at, (before, after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(before == after, at as u64 + 11 != id.0, "{id:?}");
        }
        assert_eq!((before.len(), after.len()), (20, 20));
        happen(&mut history, (31, true), bounds(20));
        assert_eq!(texts(&mut history).len(), 20);
        assert!(
            history.find(id).is_some_and(|(found, _)| found.view.text.starts_with("something")) || id.0 == 11
        );
    }
}

fn texts(history: &mut History) -> Vec<String> {
    let part = Part::Span(Span { after: None, before: None, newest: true, limit: 100, said_only: true });
    let (views, _) = history.select(&part, &[], MessageId(0));
    views.iter().map(|view| view.text.to_owned()).collect()
}

#[test]
fn words_are_found_whole_and_in_any_case() {
    let mut history = History::default();
    for (id, text) in [(1, "Good morning"), (2, "good evening, all"), (3, "goodness"), (4, "ÉVENING good")] {
        let bytes = bytes_of(id, Past::Said(Form::Message), text);
        history.keep((MessageId(id), true), NOBODY, |out| out.extend(bytes));
    }
    let find = |words: &str, before: u64| {
        let found = history.search(&words_of(words), MessageId(before), MessageId(0));
        found.iter().map(|view| view.id.0).collect::<Vec<_>>()
    };
    assert_eq!(find("GOOD", 9), [4, 2, 1]);
    assert_eq!(find("good", 4), [2, 1]);
    assert_eq!(find("evening good", 9), [2]);
    assert_eq!(find("évening", 9), [4]);
    assert!(find("even", 9).is_empty());
}
