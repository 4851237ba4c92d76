//! What came of a contest, as text: the figures with their spread, and each goal with whether it is met.

use crate::parts::{Contest, Entry, Figure, Goal};
use switchboard::load::outcome::Outcome;

/// The runs of one entry, in rounds; a run that did not come to an outcome has its reason.
pub type Runs = Vec<Result<Outcome, String>>;

/// What became of one goal, for the table at the end.
pub struct Verdict {
    pub title: String,
    pub goal: String,
    pub found: String,
    pub is_met: bool,
}

/// Prints the figures of a contest, and returns what became of its goals.
pub fn report(contest: &Contest, runs: &[Runs]) -> Vec<Verdict> {
    let Contest { part, title, figure, entries, goals, .. } = contest;
    println!("\n{part}: {title}; {}", figure.name);
    println!(
        "  {:<32} {:>9} {:>19} {:>14} {:>13} {:>9}",
        "", "median", "least to most", "× switchboard", "deliveries/s", "not once"
    );
    for (entry, own) in entries.iter().zip(runs) {
        print_entry(*figure, entry, own, &runs[0]);
    }
    let verdicts: Vec<Verdict> = goals.iter().map(|goal| judge(contest, goal, runs)).collect();
    for Verdict { goal, found, is_met, .. } in &verdicts {
        println!("  {:<6} {goal}: {found}", met(*is_met));
    }
    verdicts
}

/// The table at the end: every goal, met or missed.
pub fn summary(verdicts: &[Verdict]) {
    println!("\n| goal | | found | |\n|---|---|---|---|");
    for Verdict { title, goal, found, is_met } in verdicts {
        println!("| {title} | {goal} | {found} | {} |", met(*is_met));
    }
    let missed = verdicts.iter().filter(|verdict| !verdict.is_met).count();
    println!("\n{} goals, {missed} of them missed", verdicts.len());
}

fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}

fn print_entry(figure: Figure, entry: &Entry, own: &Runs, first: &Runs) {
    let outcomes = || own.iter().flatten();
    let mut figures: Vec<f64> = outcomes().filter_map(figure.of).collect();
    let decimals = figure.decimals;
    let shown = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.decimals$}"));
    figures.sort_by(f64::total_cmp);
    let spread = format!("{} to {}", shown(figures.first().copied()), shown(figures.last().copied()));
    let ratio = ratio(figure, own, first).map_or("-".into(), |ratio| format!("{ratio:.2}"));
    let rate = median(outcomes().map(|run| run.counts.delivered as f64 / run.measured.as_secs_f64()));
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
    println!(
        "  {:<32} {:>9} {spread:>19} {ratio:>14} {:>13} {:>9}",
        entry.name(),
        shown(median(figures)),
        rate.map_or("-".into(), |rate| format!("{rate:.0}")),
        outcomes().map(not_once).sum::<u64>(),
    );
    for error in own.iter().filter_map(|run| run.as_ref().err()) {
        println!("    no figure: {error}");
    }
    let mut limits = outcomes().filter_map(|run| run.generator.was_limit.as_ref());
    if let Some(sentence) = limits.next() {
        println!("    in {} of {} runs: {sentence}", 1 + limits.count(), own.len());
    }
}

/// Deliveries that did not come exactly once and in order.
pub fn not_once(run: &Outcome) -> u64 {
    run.counts.lost + run.counts.duplicated + run.counts.out_of_order
}

fn judge(contest: &Contest, goal: &Goal, runs: &[Runs]) -> Verdict {
    let Contest { figure, entries, .. } = contest;
    let own = median(runs[0].iter().flatten().filter_map(figure.of));
    let decimals = figure.decimals;
    let shown = |value: Option<f64>| value.map_or("no figure".into(), |value| format!("{value:.decimals$}"));
    let (goal, found, is_met) = match *goal {
        Goal::AtMostTimes { times, of } => {
            let ratio = ratio(*figure, &runs[0], &runs[of]);
            let found = ratio.map_or("no figure".into(), |ratio| format!("{ratio:.2} ×"));
            let goal = format!("at most {times:.2} × {}", entries[of].name());
            (goal, found, ratio.is_some_and(|ratio| ratio <= times))
        }
        Goal::AtMost(most) => {
            (format!("at most {most} {}", figure.name), shown(own), own.is_some_and(|own| own <= most))
        }
        Goal::AtLeast(least) => {
            (format!("at least {least} {}", figure.name), shown(own), own.is_some_and(|own| own >= least))
        }
        Goal::NothingLost => {
            let (came, wrong) = (runs[0].iter().all(Result::is_ok), runs[0].iter().flatten().map(not_once));
            let wrong: u64 = wrong.sum();
            ("everything once and in order".into(), format!("all but {wrong}"), came && wrong == 0)
        }
    };
    Verdict { title: format!("{}: {}", contest.part, contest.title), goal, found, is_met }
}

/// How many times the one is the other: the median of the rounds' ratios, so that what else the machine does weighs on
/// both sides.
fn ratio(figure: Figure, one: &Runs, other: &Runs) -> Option<f64> {
    let of = |run: &Result<Outcome, String>| run.as_ref().ok().and_then(figure.of);
    median(one.iter().zip(other).filter_map(|(one, other)| Some(of(one)? / of(other)?)))
}

fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}
