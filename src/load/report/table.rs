//! The report as plain text, for a terminal or a pipe.

use super::super::find_max::Verdict;
use super::super::words::count;
use super::Report;
use super::figures::{Row, Section, Spread, rows};
use std::fmt::Write;

/// Between columns.
const GAP: usize = 3;

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

fn body(out: &mut String, report: &Report, rows: &[Row]) {
    let mut lines = vec![header(report)];
    let mut headings = Vec::new();
    let mut section = None;
    for row in rows {
        if section != Some(row.section) {
            section = Some(row.section);
            headings.push((lines.len(), row.section));
        }
        lines.push(cells(row));
    }
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            lines.iter().filter_map(|line| line.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for (n, line) in lines.iter().enumerate() {
        if let Some((_, section)) = headings.iter().find(|(at, _)| *at == n) {
            out.push_str(&format!("\n{}\n", Section::title(*section, &report.plan)));
        }
        let mut text = String::from("  ");
        for (i, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let pad = width.saturating_sub(cell.chars().count());
            let (before, after) = if i == 0 { (0, pad) } else { (GAP + pad, 0) };
            text.push_str(&format!("{:before$}{cell}{:after$}", "", ""));
        }
        let text = text.trim_end();
        if !text.is_empty() {
            out.push_str(if n == 0 { "\n" } else { "" });
            out.push_str(text);
            out.push('\n');
        }
    }
}

fn header(report: &Report) -> Vec<String> {
    if report.measured.len() == 1 && report.measured.iter().all(|measured| measured.label == "switchboard") {
        return vec![String::new()];
    }
    let mut cells = vec![String::new()];
    for measured in &report.measured {
        cells.push(format!("{} ({})", measured.label, measured.protocol.name()));
    }
    if report.measured.len() == 2 {
        cells.push(report.ratio_of());
    }
    cells
}

fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![row.label.clone()];
    for values in &row.values {
        cells.push(match Spread::of(values) {
            None => "-".to_owned(),
            Some(spread) if values.len() == 1 || spread.min == spread.max => row.show(spread.median),
            Some(Spread { median, min, max }) => {
                format!("{} ({} to {})", row.show(median), row.show(min), row.show(max))
            }
        });
    }
    cells.extend(row.ratio().map(|ratio| ratio.to_string()));
    cells
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
}
