//! What came of a contest, as text: the figures with their spread, and each goal with whether it is met.

use crate::contenders::Contender::{self, *};
use crate::parts::{Contest, Entry, Figure, Goal, Measure};
use switchboard::load::outcome::Outcome;

/// The runs of one entry, in rounds; a run that did not come to an outcome has its reason.
pub type Runs = Vec<Result<Outcome, String>>;

/// What became of one goal.
struct Verdict {
    goal: String,
    found: String,
    is_met: bool,
}

/// A contest in one line of the table at the end.
pub struct Row {
    work: String,
    own: String,
    /// What Switchboard is, times each of [`REFERENCES`].
    ratios: Vec<Option<f64>>,
    missed: Vec<String>,
    goals: usize,
}

/// The columns of the table at the end.
const REFERENCES: [Contender; 6] = [BatchFloor, WriteFloor, Pump, TokioSingle, TokioMulti, TokioUnpinned];

/// Prints the figures of a contest and what became of its goals.
pub fn report(contest: &Contest, runs: &[Runs]) -> Vec<Row> {
    contest.measures.iter().map(|measure| report_one(contest, measure, runs)).collect()
}

fn report_one(contest: &Contest, Measure { figure, goals }: &Measure, runs: &[Runs]) -> Row {
    let Contest { work, title, entries, .. } = contest;
    println!("\n{work}: {title}; {}, {}", figure.name, figure.unit);
    println!(
        "  {:<28} {:>9} {:>19} {:>14} {:>13} {:>7} {:>7} {:>9}",
        "", "median", "least to most", "× switchboard", "deliveries/s", "server", "load", "not once"
    );
    for (entry, own) in entries.iter().zip(runs) {
        print_entry(*figure, entry, own, &runs[0]);
    }
    let judged = goals.iter().map(|goal| judge(*figure, entries, goal, runs));
    let verdicts: Vec<Verdict> = judged.collect();
    for Verdict { goal, found, is_met } in &verdicts {
        println!("  {:<6} {goal}: {found}", if *is_met { "met" } else { "MISSED" });
    }
    let against = |contender| {
        let at = entries.iter().position(|entry| entry.contender == contender)?;
        ratio(*figure, &runs[0], &runs[at])
    };
    let own = median(runs[0].iter().flatten().filter_map(figure.of));
    let missed = verdicts.iter().filter(|verdict| !verdict.is_met);
    Row {
        work: format!("{work}: {}", figure.name),
        own: format!("{} {}", shown(*figure, own), figure.unit),
        ratios: REFERENCES.map(against).into(),
        missed: missed.map(|verdict| format!("{}: {}", verdict.goal, verdict.found)).collect(),
        goals: goals.len(),
    }
}

/// The table at the end, in Markdown: what Switchboard takes, times what the others take, and which goals are met.
pub fn summary(rows: &[Row]) {
    let names = REFERENCES.map(|contender| format!("÷ {}", contender.name()));
    println!("\n| | switchboard | {} | goals |", names.join(" | "));
    println!("|---|---{}|---|", "|---".repeat(names.len()));
    for Row { work, own, ratios, missed, goals } in rows {
        let ratios: Vec<String> =
            ratios.iter().map(|ratio| ratio.map_or("".into(), |ratio| format!("{ratio:.2}"))).collect();
        let goals = match &missed[..] {
            [] if *goals == 0 => "".into(),
            [] => "met".into(),
            missed => format!("MISSED: {}", missed.join("; ")),
        };
        println!("| {work} | {own} | {} | {goals} |", ratios.join(" | "));
    }
    let (goals, missed) =
        rows.iter().fold((0, 0), |(goals, missed), row| (goals + row.goals, missed + row.missed.len()));
    println!(
        "\n{goals} goals, {missed} of them missed. Others are measured elsewhere: the relay of datagrams by"
    );
    println!("`cargo bench --bench udp_relay`, IRC not before the server speaks it.");
}

fn print_entry(figure: Figure, entry: &Entry, own: &Runs, first: &Runs) {
    let outcomes = || own.iter().flatten();
    let mut figures: Vec<f64> = outcomes().filter_map(figure.of).collect();
    figures.sort_by(f64::total_cmp);
    let [least, most] = [figures.first(), figures.last()].map(|value| shown(figure, value.copied()));
    let ratio = ratio(figure, own, first).map_or("-".into(), |ratio| format!("{ratio:.2}"));
    let rate = median(outcomes().map(|run| run.counts.delivered as f64 / run.measured.as_secs_f64()));
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
    println!(
        "  {:<28} {:>9} {:>19} {ratio:>14} {:>13} {:>7} {:>7} {:>9}",
        entry.name(),
        shown(figure, median(figures)),
        format!("{least} to {most}"),
        rate.map_or("-".into(), |rate| format!("{rate:.0}")),
        percent(median(outcomes().filter_map(server_busy))),
        percent(median(outcomes().map(|run| run.generator.busy).filter(|busy| *busy > 0.0))),
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

/// Of a core; with more than one, more than all of it.
fn server_busy(run: &Outcome) -> Option<f64> {
    let busy = run.server.as_ref()?.cpu.as_secs_f64() / run.measured.as_secs_f64();
    busy.is_finite().then_some(busy)
}

fn percent(part: Option<f64>) -> String {
    part.map_or("-".into(), |part| format!("{:.0} %", 100.0 * part))
}

fn shown(figure: Figure, value: Option<f64>) -> String {
    let decimals = figure.decimals;
    value.map_or("-".into(), |value| format!("{value:.decimals$}"))
}

/// Deliveries that did not come exactly once and in order.
pub fn not_once(run: &Outcome) -> u64 {
    run.counts.lost + run.counts.duplicated + run.counts.out_of_order
}

fn judge(figure: Figure, entries: &[Entry], goal: &Goal, runs: &[Runs]) -> Verdict {
    let own = median(runs[0].iter().flatten().filter_map(figure.of));
    let (goal, found, is_met) = match *goal {
        Goal::AtMostTimes { times, of } => {
            let ratio = ratio(figure, &runs[0], &runs[of]);
            let found = ratio.map_or("no figure".into(), |ratio| format!("{ratio:.2} ×"));
            let goal = format!("at most {times:.2} × {}", entries[of].name());
            (goal, found, ratio.is_some_and(|ratio| ratio <= times))
        }
        Goal::AtMost(most) => {
            let goal = format!("at most {} {}", shown(figure, Some(most)), figure.unit);
            (goal, shown(figure, own), own.is_some_and(|own| own <= most))
        }
        Goal::AtLeast(least) => {
            let goal = format!("at least {} {}", shown(figure, Some(least)), figure.unit);
            (goal, shown(figure, own), own.is_some_and(|own| own >= least))
        }
        Goal::NothingLost => {
            let wrong: u64 = runs[0].iter().flatten().map(not_once).sum();
            let (found, came) = (format!("{wrong} did not"), runs[0].iter().all(Result::is_ok));
            ("everything comes once and in order".into(), found, came && wrong == 0)
        }
    };
    Verdict { goal, found, is_met }
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
