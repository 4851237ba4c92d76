//! The report as plain text, for a terminal or a pipe.

use super::super::find_max::Verdict;
use super::super::words::{count, excerpt};
use super::figures::{Row, Section, Spread, rows};
use super::{Report, numbers};
use std::fmt::Write;

/// Between columns.
const GAP: usize = 3;

/// What fits on every terminal.
const WIDTH: usize = 80;

/// Columns where not everything does: of names, and of figures.
const NARROW_LABEL: usize = 22;
const NARROW: usize = 17;

/// The whole of it.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    if let Some(searched) = &report.searched {
        out.push_str(&format!("\nhighest rate with {}\n", searched.slo));
        for step in searched.search.steps() {
            let went = match &step.verdict {
                Verdict::Held => "held".to_owned(),
                Verdict::Broke(why) => format!("did not hold: {why}"),
                Verdict::GeneratorWasLimit(_) => "the generator was the limit".to_owned(),
            };
            out.push_str(&format!("  {:>12} /s   {went}\n", count(step.rate as usize)));
        }
        if let Some(held) = searched.search.held() {
            out.push_str(&format!("\n{} messages a second held; that run:\n", count(held as usize)));
        }
    }
    let rows = rows(report);
    body(&mut out, report, &rows);
    let explained = rows.iter().filter(|row| !row.meaning.is_empty());
    let mut explained: Vec<String> =
        explained.map(|row| format!("{}: {}\n", row.label, row.meaning)).collect();
    if let Some(first) = explained.first_mut() {
        first.insert(0, '\n');
    }
    out.extend(explained);
    let notes = report.notes();
    if !notes.is_empty() {
        out.push('\n');
    }
    for note in notes {
        out.push_str(&format!("note: {note}\n"));
    }
    out
}

fn head(out: &mut String, report: &Report) {
    let plan = &report.plan;
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}: {}", plan.scenario.name(), plan.scenario.in_words());
    let _ = writeln!(out, "{}", plan.terms());
    let runs = report.measured.iter().map(|measured| measured.outcomes.len()).max().unwrap_or(0);
    if runs > 1 {
        let alternating = if report.measured.len() > 1 { ", alternating" } else { "" };
        let _ =
            writeln!(out, "{runs} runs each{alternating}: the median, and from the lowest to the highest");
    }
    let _ = writeln!(out, "{}; switchboard {}", report.machine.in_words(), report.machine.switchboard);
    let _ = writeln!(out, "{}", report.machine.circumstances());
}

/// The figures, in columns: spreads beside their medians where there is room for that, and below them where there is not.
fn body(out: &mut String, report: &Report, rows: &[Row]) {
    let fits = |lines: &[Line]| widths(lines).iter().map(|width| GAP + width).sum::<usize>() <= WIDTH;
    let lines = |layout| -> Vec<Line> {
        std::iter::once(header(report, layout)).chain(rows.iter().map(|row| cells(row, layout))).collect()
    };
    let wide = lines(Layout::Wide);
    let all = if fits(&wide) { wide } else { lines(Layout::Narrow) };
    if report.measured.len() == 2 {
        let _ = write!(out, "\nratio: {}", report.ratio_of());
    }
    let widths = widths(&all);
    let mut section = None;
    for (n, line) in all.iter().enumerate() {
        let row = n.checked_sub(1).and_then(|n| rows.get(n));
        if let Some(row) = row.filter(|row| section != Some(row.section)) {
            section = Some(row.section);
            let _ = writeln!(out, "\n{}", Section::title(row.section, &report.plan));
        }
        for at in 0..line.iter().map(Vec::len).max().unwrap_or(0) {
            let mut text = String::from("  ");
            for (i, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let cell = cell.get(at).map_or("", String::as_str);
                let pad = width.saturating_sub(cell.chars().count());
                let (before, after) = if i == 0 { (0, pad) } else { (GAP + pad, 0) };
                let _ = write!(text, "{:before$}{cell}{:after$}", "", "");
            }
            let text = text.trim_end();
            if !text.is_empty() {
                out.push_str(if (n, at) == (0, 0) { "\n" } else { "" });
                let _ = writeln!(out, "{text}");
            }
        }
    }
}

/// Cells, of which each may have several lines.
type Line = Vec<Vec<String>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Wide,
    /// Cells have several lines.
    Narrow,
}

fn widths(lines: &[Line]) -> Vec<usize> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width_of = |i: usize| {
        let cells = lines.iter().filter_map(|line| line.get(i)).flatten();
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..columns).map(width_of).collect()
}

fn header(report: &Report, layout: Layout) -> Line {
    if report.measured.len() == 1 && report.measured.iter().all(|measured| measured.label == "switchboard") {
        return vec![Vec::new()];
    }
    let mut cells = vec![Vec::new()];
    for measured in &report.measured {
        let cell = format!("{} ({})", measured.label, measured.protocol.name());
        cells.push(if layout == Layout::Narrow { wrap(&cell, NARROW) } else { vec![cell] });
    }
    if report.measured.len() == 2 {
        cells.push(vec!["ratio".to_owned()]); // of what is above the table: it has both names in it
    }
    cells
}

fn cells(row: &Row, layout: Layout) -> Line {
    let label =
        if layout == Layout::Narrow { wrap(&row.label, NARROW_LABEL) } else { vec![row.label.clone()] };
    let mut cells = vec![label];
    for values in &row.values {
        cells.push(match Spread::of(values) {
            None => vec!["-".to_owned()],
            Some(spread) => spread_out(spread, layout, |value| row.show(value)),
        });
    }
    cells.extend(row.ratio().map(|ratio| spread_out(ratio, layout, numbers::ratio)));
    cells
}

fn spread_out(spread: Spread, layout: Layout, show: impl Fn(f64) -> String) -> Vec<String> {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(show);
    match layout {
        _ if spread.min == spread.max => vec![median],
        Layout::Wide => vec![format!("{median} ({min} to {max})")],
        Layout::Narrow => {
            let range = format!("{} to {max}", without_unit_of(&min, &max));
            let has_room = range.chars().count() <= NARROW;
            let range = if has_room { vec![range] } else { vec![format!("{min} to"), max] };
            std::iter::once(median).chain(range).collect()
        }
    }
}

/// 52 of `52 ms`, in front of another number of milliseconds.
fn without_unit_of<'a>(number: &'a str, other: &str) -> &'a str {
    match (number.rsplit_once(' '), other.rsplit_once(' ')) {
        (Some((bare, unit)), Some((_, same))) if unit == same => bare,
        _ => number,
    }
}

/// Words in lines of at most so many characters. A word that is longer is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = excerpt(word.as_bytes(), width - 1);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::tests as example;
    use super::*;

    #[test]
    fn one_run_is_a_list_of_figures() {
        let text = table(&example::report(1, 1));
        assert!(
            text.starts_with("rooms: 1 room of 100 members, 10 of them send, 64 bytes a message, "),
            "{text}"
        );
        let line = text.lines().find(|line| line.contains("CPU per delivery")).expect("a line");
        assert!(line.ends_with(" 134 ns"), "{line}");
        assert!(!text.contains('÷') && !text.contains('\u{1b}'), "{text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "no space at the ends of lines");
    }

    #[test]
    fn two_servers_are_compared_round_by_round() {
        let text = table(&example::report(2, 3));
        let line = text.lines().find(|line| line.contains("CPU per delivery")).expect("a line");
        assert!(line.ends_with("   0.50"), "{line}");
        assert!(text.contains("3 runs each, alternating") && text.contains("switchboard ÷ other"), "{text}");
    }

    #[test]
    fn columns_fit_on_a_terminal_however_long_names_and_figures_are() {
        let mut report = example::report(2, 3);
        let long = ["a-server-with-a-very-long-name-indeed", "another one (versus)"];
        for (measured, label) in report.measured.iter_mut().zip(long) {
            measured.label = label.into();
            measured.outcomes.iter_mut().for_each(|outcome| outcome.counts.delivered *= 1_000);
        }
        let text = table(&report);
        let columns = text.lines().filter(|line| line.starts_with("  "));
        let widest = columns.max_by_key(|line| line.chars().count()).expect("lines");
        assert!(widest.chars().count() <= WIDTH, "{widest}\nin:\n{text}");
        assert!(
            text.contains("ratio: a-server-with-a-very-long-name-indeed ÷ another one (versus)\n"),
            "{text}"
        );
        assert!(text.contains("a-server-with-a-…"), "{text}");
    }

    #[test]
    fn what_makes_figures_doubtful_is_said_plainly() {
        let mut report = example::report(1, 1);
        let outcome = report.measured.first_mut().and_then(|measured| measured.outcomes.first_mut());
        let outcome = outcome.expect("an outcome");
        outcome.generator.was_limit = Some("it was 99 % busy".into());
        outcome.counts.lost = 7;
        outcome.server = None;
        let text = table(&report);
        for note in [
            "note: switchboard: the generator was the limit in 1 of 1 runs: it was 99 % busy",
            "note: switchboard: 7 deliveries lost",
            "note: switchboard: CPU and memory of the server could not be read in 1 of 1 runs",
            "note: closed loop: ",
        ] {
            assert!(text.contains(note), "{note} is not in:\n{text}");
        }
    }

    #[test]
    fn a_closed_loop_that_stood_still_says_so() {
        let mut report = example::report(1, 1);
        let outcome = report.measured.first_mut().and_then(|measured| measured.outcomes.first_mut());
        let outcome = outcome.expect("an outcome");
        outcome.samples.iter_mut().skip(7).for_each(|sample| sample.delivered = 0);
        let says = "the closed loop stood still in 3 of 10 seconds";
        assert!(!table(&report).contains(says), "a server may pause");
        let outcome = report.measured.first_mut().and_then(|measured| measured.outcomes.first_mut());
        outcome.expect("an outcome").counts.lost = 32;
        assert!(table(&report).contains(says), "{}", table(&report));
        report.plan = report.plan.at_rate(10.0).expect("messages");
        assert!(!table(&report).contains(says), "an open loop waits for nobody");
    }

    #[test]
    fn a_process_that_cannot_have_done_the_work_is_doubted() {
        let mut report = example::report(1, 1);
        let says = "what was read is probably not the server's process";
        assert!(!table(&report).contains(says));
        let outcome = report.measured.first_mut().and_then(|measured| measured.outcomes.first_mut());
        let server = outcome.and_then(|outcome| outcome.server.as_mut()).expect("a server");
        server.cpu = std::time::Duration::ZERO;
        assert!(table(&report).contains(says), "{}", table(&report));
    }
}
