//! What came of a contest, as text: the figures with their spread, each goal with what became of it, and the table of
//! `docs/PERFORMANCE.md`.

use crate::contenders::Contender::{self, *};
use crate::parts::{Contest, Entry, Figure, Measure};
use crate::spread::Spread;
use crate::verdict::{Runs, Standing, Verdict, judge, not_once, ratio, spread};
use std::fmt::Write;
use switchboard::load::outcome::Outcome;
use switchboard::load::plan::Protocol;

/// A figure of a contest in one line of the table at the end.
pub struct Row {
    protocol: Protocol,
    work: String,
    own: String,
    /// What Switchboard is, times each of [`REFERENCES`].
    ratios: Vec<Option<Spread>>,
    verdicts: Vec<Verdict>,
}

/// The columns of the tables at the end, each of which has those that it has figures for.
const REFERENCES: [Contender; 8] =
    [BatchFloor, WriteFloor, Pump, TokioSingle, TokioMulti, TokioUnpinned, Ngircd, Inspircd];

/// The figures of a contest and what became of its goals, in full; and its lines of the table.
pub fn report(contest: &Contest, runs: &[Runs]) -> (String, Vec<Row>) {
    let mut text = String::new();
    let rows = contest.measures.iter().map(|measure| {
        text += &headed(contest, measure.figure);
        for (entry, own) in contest.entries.iter().zip(runs) {
            text += &line(measure.figure, entry, own, &runs[0]);
        }
        let verdicts = judged(contest, measure, runs);
        for Verdict { goal, found, standing } in &verdicts {
            text += &format!("  {goal}: {}, {found}\n", standing.name());
        }
        row(contest, measure.figure, verdicts, runs)
    });
    let rows = rows.collect();
    (text, rows)
}

fn judged(contest: &Contest, Measure { figure, goals }: &Measure, runs: &[Runs]) -> Vec<Verdict> {
    goals.iter().map(|goal| judge(contest, *figure, goal, runs)).collect()
}

fn row(contest: &Contest, figure: Figure, verdicts: Vec<Verdict>, runs: &[Runs]) -> Row {
    let against = |contender| {
        let at = contest.entries.iter().position(|entry| entry.contender == contender)?;
        ratio(figure, &runs[0], &runs[at])
    };
    Row {
        protocol: contest.entries.first().map_or(Protocol::Native, |first| first.protocol),
        work: format!("{}: {}", contest.work, figure.name),
        own: format!("{} {}", shown(figure, spread(figure, &runs[0])), figure.unit),
        ratios: REFERENCES.map(against).into(),
        verdicts,
    }
}

/// The tables at the end, in Markdown, one for each protocol: what Switchboard takes, and that divided by what the others
/// take.
pub fn markdown(rows: &[Row]) -> String {
    let of = |protocol| rows.iter().filter(|row| row.protocol == protocol).collect::<Vec<_>>();
    let tables = [Protocol::Native, Protocol::Irc].map(of).into_iter().filter(|rows| !rows.is_empty());
    tables.map(|rows| table(&rows)).collect::<Vec<_>>().join("\n")
}

fn table(rows: &[&Row]) -> String {
    let has_figures = |column: &usize| rows.iter().any(|row| row.ratios[*column].is_some());
    let columns: Vec<usize> = (0..REFERENCES.len()).filter(has_figures).collect();
    let names: Vec<String> = columns.iter().map(|&at| format!("÷ {}", REFERENCES[at].name())).collect();
    let mut text = format!("| | Switchboard | {} | goal | |\n", names.join(" | "));
    let _ = writeln!(text, "|---|---{}|---|---|", "|---".repeat(names.len()));
    for Row { work, own, ratios, verdicts, .. } in rows {
        let _ = write!(text, "| {work} | {own} |");
        for &column in &columns {
            let _ = write!(text, " {} |", ratios[column].map_or(String::new(), |ratio| ratio.to_string()));
        }
        let goals: Vec<&str> = verdicts.iter().map(|verdict| &*verdict.goal).collect();
        let _ = writeln!(text, " {} | {} |", goals.join("; "), outcome(verdicts));
    }
    text
}

/// `met`, if all goals are; or which ones are not.
fn outcome(verdicts: &[Verdict]) -> String {
    let unmet = || verdicts.iter().filter(|verdict| verdict.standing != Standing::Met);
    let mut parts: Vec<String> = unmet()
        .map(|Verdict { goal, found, standing }| format!("{}: {goal} ({found})", standing.name()))
        .collect();
    if unmet().count() < verdicts.len() {
        parts.insert(0, if parts.is_empty() { "met".into() } else { "the rest met".into() });
        parts.rotate_left(1);
    }
    parts.join("; ")
}

/// How many goals there are, and what became of them.
pub fn count(rows: &[Row]) -> String {
    let count = |standing| {
        let verdicts = rows.iter().flat_map(|row| &row.verdicts);
        verdicts.filter(|verdict| verdict.standing == standing).count()
    };
    let [met, missed, open, unknown] =
        [Standing::Met, Standing::Missed, Standing::WithinSpread, Standing::NotKnown].map(count);
    format!(
        "{} goals: {met} met, {missed} missed, {open} within the spread, {unknown} not known. Others are measured \
         elsewhere: the relay of datagrams by `cargo bench --bench udp_relay`.",
        met + missed + open + unknown
    )
}

impl Standing {
    fn name(self) -> &'static str {
        match self {
            Standing::Met => "met",
            Standing::Missed => "**missed**",
            Standing::WithinSpread => "within the spread",
            Standing::NotKnown => "not known",
        }
    }
}

fn headed(Contest { work, title, .. }: &Contest, figure: Figure) -> String {
    let heading = format!("\n{work}: {title}; {}, {}\n", figure.name, figure.unit);
    let columns = ["median (least-most)", "switchboard ÷ it", "deliveries/s", "server", "load", "not once"];
    let [median, ratio, rate, server, load, wrong] = columns;
    heading + &format!("  {:<28} {median:>24} {ratio:>20} {rate:>13} {server:>7} {load:>7} {wrong:>9}\n", "")
}

fn line(figure: Figure, entry: &Entry, own: &Runs, first: &Runs) -> String {
    let outcomes = || own.iter().flatten();
    let ratio = ratio(figure, first, own).map_or("-".into(), |ratio| ratio.to_string());
    let rate = outcomes().map(|run| run.counts.delivered as f64 / run.measured.as_secs_f64());
    let rate = Spread::of(rate.filter(|rate| *rate > 0.0));
    let mut text = format!(
        "  {:<28} {:>24} {ratio:>20} {:>13} {:>7} {:>7} {:>9}\n",
        entry.name(),
        shown(figure, spread(figure, own)),
        rate.map_or("-".into(), |rate| format!("{:.0}", rate.median)),
        percent(Spread::of(outcomes().filter_map(server_busy))),
        percent(Spread::of(outcomes().map(|run| run.generator.busy).filter(|busy| *busy > 0.0))),
        outcomes().map(not_once).sum::<u64>(),
    );
    for error in own.iter().filter_map(|run| run.as_ref().err()) {
        let _ = writeln!(text, "    no figure: {error}");
    }
    let mut limits = outcomes().filter_map(|run| run.generator.was_limit.as_ref());
    if let Some(sentence) = limits.next() {
        let _ = writeln!(text, "    in {} of {} runs: {sentence}", 1 + limits.count(), own.len());
    }
    text
}

/// Of a core; with more than one, more than all of it.
fn server_busy(run: &Outcome) -> Option<f64> {
    Some(run.server.as_ref()?.cpu.as_secs_f64() / run.measured.as_secs_f64())
}

fn percent(part: Option<Spread>) -> String {
    part.map_or("-".into(), |part| format!("{:.0} %", 100.0 * part.median))
}

fn shown(figure: Figure, spread: Option<Spread>) -> String {
    spread.map_or("-".into(), |spread| spread.shown(figure.decimals))
}
