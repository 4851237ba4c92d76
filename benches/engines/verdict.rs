//! What became of a goal. Only what all rounds agree on is met or missed.

use crate::parts::{Contest, Entry, Figure, Goal};
use crate::spread::{Spread, number};
use switchboard::load::outcome::Outcome;

/// The runs of one entry, in rounds; a run that did not come to an outcome has its reason.
pub type Runs = Vec<Result<Outcome, String>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Met,
    Missed,
    /// Some rounds say so, and some the contrary.
    WithinSpread,
    /// The runs say more about the load than about those who carried it; or there are too few.
    NotKnown,
}

pub struct Verdict {
    /// `≤ 1.5 × batch floor`
    pub goal: String,
    pub found: String,
    pub standing: Standing,
}

pub fn judge(contest: &Contest, figure: Figure, goal: &Goal, runs: &[Runs]) -> Verdict {
    let Contest { entries, .. } = contest;
    let own = &runs[0];
    let (text, spread, compared) = match *goal {
        Goal::NothingLost => return nothing_lost(own),
        Goal::AtMostTimes { times, of } => {
            (times_of("≤", times, &entries[of]), ratio(figure, own, &runs[of]), vec![own, &runs[of]])
        }
        Goal::AtLeastTimes { times, of } => {
            (times_of("≥", times, &entries[of]), ratio(figure, own, &runs[of]), vec![own, &runs[of]])
        }
        Goal::AtMost(most) => (absolute("≤", most, figure), spread(figure, own), vec![own]),
        Goal::AtLeast(least) => (absolute("≥", least, figure), spread(figure, own), vec![own]),
    };
    let decimals = if compared.len() > 1 { 2 } else { figure.decimals };
    let found = spread.map_or("no figure".into(), |spread| spread.shown(decimals));
    let standing = match spread.filter(|spread| spread.rounds == own.len()) {
        Some(spread) => stands(goal, spread),
        None => Standing::NotKnown,
    };
    let (limited, count) = limited(&compared);
    let standing = match (standing, goal) {
        // Latencies of a generator that was late are its own, and those who served it cannot be told apart.
        _ if limited > 0 && contest.is_by_schedule() => Standing::NotKnown,
        // What the server reached although the load could do no more is reached; what it missed is the load's.
        (Standing::Missed | Standing::WithinSpread, Goal::AtLeast(_)) if limited > 0 => Standing::NotKnown,
        (standing, _) => standing,
    };
    let doubt = match limited {
        0 => String::new(),
        _ => format!("; the load was the limit in {limited} of {count} runs"),
    };
    Verdict { goal: text, found: found + &doubt, standing }
}

fn stands(goal: &Goal, Spread { least, most, .. }: Spread) -> Standing {
    let (all, none) = match *goal {
        Goal::AtMostTimes { times: limit, .. } | Goal::AtMost(limit) => (most <= limit, least > limit),
        Goal::AtLeastTimes { times: limit, .. } | Goal::AtLeast(limit) => (least >= limit, most < limit),
        Goal::NothingLost => return Standing::NotKnown,
    };
    match (all, none) {
        (true, _) => Standing::Met,
        (_, true) => Standing::Missed,
        _ => Standing::WithinSpread,
    }
}

fn nothing_lost(own: &Runs) -> Verdict {
    let wrong: u64 = own.iter().flatten().map(not_once).sum();
    let is_met = wrong == 0 && own.iter().all(Result::is_ok);
    Verdict {
        goal: "nothing lost".into(),
        found: format!("{wrong} deliveries did not come once and in order"),
        standing: if is_met { Standing::Met } else { Standing::Missed },
    }
}

fn times_of(sign: &str, times: f64, other: &Entry) -> String {
    if times == 1.0 {
        format!("{sign} {}", other.name())
    } else {
        format!("{sign} {times} × {}", other.name())
    }
}

fn absolute(sign: &str, limit: f64, figure: Figure) -> String {
    format!("{sign} {} {}", number(limit, 0), figure.unit)
}

/// In how many of these runs the generator was the limit, and how many there are.
fn limited(runs: &[&Runs]) -> (usize, usize) {
    let outcomes = || runs.iter().flat_map(|runs| runs.iter()).flatten();
    (outcomes().filter(|run| run.generator.was_limit.is_some()).count(), outcomes().count())
}

/// Deliveries that did not come exactly once and in order.
pub fn not_once(run: &Outcome) -> u64 {
    run.counts.lost + run.counts.duplicated + run.counts.out_of_order
}

pub fn spread(figure: Figure, runs: &Runs) -> Option<Spread> {
    Spread::of(runs.iter().flatten().filter_map(figure.of))
}

/// How many times the one is the other, round by round, so that what else the machine does weighs on both sides.
pub fn ratio(figure: Figure, one: &Runs, other: &Runs) -> Option<Spread> {
    let of = |run: &Result<Outcome, String>| run.as_ref().ok().and_then(figure.of);
    Spread::of(one.iter().zip(other).filter_map(|(one, other)| Some(of(one)? / of(other)?)))
}
