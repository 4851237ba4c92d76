//! The report as one page that needs nothing else: no script, no font, no picture from anywhere.

mod axis;
mod plot;
mod plots;

use super::figures::{Better, Row, Section, Spread, rows};
use super::{Measured, Report};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// Figures that a reader looks for first, as far as there are any. What a connection costs is only certain where
/// nobody talks.
const KEY_FIGURES: [&str; 8] = [
    "cpu_per_delivery",
    "delivered",
    "latency_p50",
    "latency_p99",
    "last_receiver_p99",
    "memory_per_connection",
    "system_calls_per_delivery",
    "lost",
];

const CARDS_MAX: usize = 6;

/// The whole page. It is well-formed XML as well, so that every reader of that can check it.
pub fn html(report: &Report) -> String {
    let rows = rows(report);
    let title = report.plan.scenario.in_words();
    let mut out = String::from("<!DOCTYPE html>\n");
    let _ = write!(
        out,
        "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>switchboard bench: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(&title)
    );
    head(&mut out, report, &title);
    cards(&mut out, report, &rows);
    notes(&mut out, report);
    search(&mut out, report);
    out.push_str("<section class=\"plots\">\n");
    plots::plots(report).iter().for_each(|plot| out.push_str(&plot.svg()));
    out.push_str("</section>\n");
    table(&mut out, report, &rows);
    foot(&mut out, report);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Text between tags, or in an attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Not even as references are they text in XML.
            c if c.is_control() && c != '\n' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

fn head(out: &mut String, report: &Report, title: &str) {
    let of = match report.measured.as_slice() {
        [first, second] => format!("{} and {}", first.label, second.label),
        [only] => only.label.clone(),
        _ => String::new(),
    };
    let name = report.plan.scenario.name();
    let _ = writeln!(out, "<header>\n<p class=\"kicker\">{name} &#183; {}</p>", escape(&of));
    let mut capital = title.chars();
    let title: String = capital.next().into_iter().flat_map(char::to_uppercase).chain(capital).collect();
    let _ = writeln!(out, "<h1>{}</h1>", escape(&title));
    let runs = report.measured.iter().map(|measured| measured.outcomes.len()).max().unwrap_or(0);
    let runs = match (runs, report.measured.len()) {
        (0 | 1, _) => String::new(),
        (runs, 1) => format!("{runs} runs; "),
        (runs, _) => format!("{runs} runs each, alternating; "),
    };
    let _ = writeln!(out, "<p class=\"terms\">{}</p>", escape(&(runs + &report.plan.terms())));
    out.push_str("<ul class=\"servers\">");
    for (i, Measured { label, place, protocol, .. }) in report.measured.iter().enumerate() {
        let _ = write!(
            out,
            "<li><i class=\"s{i}\"></i><b>{}</b>, {} <code>{}</code></li>",
            escape(label),
            protocol.name(),
            escape(place)
        );
    }
    out.push_str("</ul>\n</header>\n");
}

fn cards(out: &mut String, report: &Report, rows: &[Row]) {
    let special = rows.iter().filter(|row| row.section == Section::Scenario && row.better != Better::Neither);
    let talks = report.plan.scenario.pace().is_some();
    let known = KEY_FIGURES.iter().filter(|name| !talks || **name != "memory_per_connection");
    let known = known.filter_map(|name| rows.iter().find(|row| row.name == *name));
    // A scenario's own figure may be a key figure as well.
    let known = known.filter(|row| row.section != Section::Scenario);
    let shown: Vec<&Row> = special.chain(known).take(CARDS_MAX).collect();
    let _ = writeln!(out, "<section class=\"cards n{}\">", shown.len());
    for row in shown {
        let heading = match row.section {
            Section::Latency | Section::LastReceiver => {
                format!("{}, {}", row.section.title(&report.plan), row.label)
            }
            Section::Traffic => format!("deliveries {}", row.label),
            _ => row.label.clone(),
        };
        let _ = writeln!(
            out,
            "<article class=\"card\"><h3>{}</h3>",
            escape(&heading.replace("deliveries delivered", "deliveries"))
        );
        for (i, values) in row.values.iter().enumerate() {
            let Some(spread) = Spread::of(values) else { continue };
            let colour = if row.values.len() > 1 { format!(" s{i}") } else { String::new() };
            let _ = writeln!(out, "<p class=\"big{colour}\">{}</p>", escape(&row.show(spread.median)));
            if row.values.len() == 1 && spread.min < spread.max {
                let range = format!("{} to {}", row.show(spread.min), row.show(spread.max));
                let _ = writeln!(out, "<p class=\"small\">{}</p>", escape(&range));
            }
        }
        if let Some(ratio) = row.ratio() {
            let of = escape(&report.ratio_of());
            let _ = writeln!(out, "<p class=\"small\">{of}: {ratio}{}</p>", verdict(row, ratio));
        }
        out.push_str("</article>\n");
    }
    out.push_str("</section>\n");
}

/// What the ratio says of the first server: nobody should have to know which way is better.
fn verdict(row: &Row, ratio: Spread) -> &'static str {
    match (row.better, ratio.max < 1.0, ratio.min > 1.0) {
        (Better::Lower, true, _) | (Better::Higher, _, true) => " (better)",
        (Better::Lower, _, true) | (Better::Higher, true, _) => " (worse)",
        _ => " (no difference beyond the spread)",
    }
}

fn notes(out: &mut String, report: &Report) {
    let notes = report.notes();
    if notes.is_empty() {
        return;
    }
    out.push_str("<ul class=\"notes\">\n");
    for note in notes {
        let _ = writeln!(out, "<li>{}</li>", escape(&note));
    }
    out.push_str("</ul>\n");
}

fn search(out: &mut String, report: &Report) {
    use crate::load::find_max::Verdict;
    let Some(searched) = &report.searched else { return };
    let held = searched.search.held().map_or("none".to_owned(), super::numbers::count);
    let _ = writeln!(
        out,
        "<h2>Highest rate with {}: {held} messages a second</h2>\n<details open=\"open\"><summary>Every rate that was tried</summary>\n<table>",
        escape(&searched.slo)
    );
    for step in searched.search.steps() {
        let (went, why) = match &step.verdict {
            Verdict::Held => ("held", ""),
            Verdict::Broke(why) => ("did not hold", why.as_str()),
            Verdict::GeneratorWasLimit(why) => ("the generator was the limit", why.as_str()),
        };
        let rate = super::numbers::count(step.rate);
        let _ = writeln!(out, "<tr><td>{rate} /s</td><td>{went}</td><td>{}</td></tr>", escape(why));
    }
    out.push_str("</table></details>\n");
}

fn table(out: &mut String, report: &Report, rows: &[Row]) {
    out.push_str("<details><summary>All figures</summary>\n<div class=\"wide\"><table>\n<tr><th></th>");
    for measured in &report.measured {
        let _ = write!(out, "<th>{}</th>", escape(&measured.label));
    }
    let compares = report.measured.len() == 2;
    let ratio = if compares { format!("<th>{}</th>", escape(&report.ratio_of())) } else { String::new() };
    let _ = writeln!(out, "{ratio}</tr>");
    let columns = 1 + report.measured.len() + usize::from(compares);
    let mut section = None;
    for row in rows {
        if section != Some(row.section) {
            section = Some(row.section);
            let title = row.section.title(&report.plan);
            let _ =
                writeln!(out, "<tr class=\"section\"><th colspan=\"{columns}\">{}</th></tr>", escape(title));
        }
        let meaning = if row.meaning.is_empty() {
            String::new()
        } else {
            format!("<small>{}</small>", escape(row.meaning))
        };
        let _ = write!(out, "<tr><td>{}{meaning}</td>", escape(&row.label));
        for values in &row.values {
            let _ = write!(out, "<td>{}</td>", cell(row, values));
        }
        if compares {
            let _ = write!(out, "<td>{}</td>", row.ratio().map_or(String::new(), |ratio| ratio.to_string()));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div></details>\n");
}

fn cell(row: &Row, values: &[f64]) -> String {
    match Spread::of(values) {
        None => "-".to_owned(),
        Some(Spread { median, min, max }) if min < max => {
            let (median, min, max) = (row.show(median), row.show(min), row.show(max));
            format!("{} <small>{} to {}</small>", escape(&median), escape(&min), escape(&max))
        }
        Some(Spread { median, .. }) => escape(&row.show(median)),
    }
}

fn foot(out: &mut String, report: &Report) {
    if !report.command.is_empty() {
        let _ = writeln!(out, "<h2>The command that made this</h2>\n<pre>{}</pre>", escape(&report.command));
    }
    let _ = writeln!(
        out,
        "<footer>{}; {}; switchboard {}; {}. What each figure means, and how it can mislead, is in docs/BENCH.md.</footer>",
        escape(&report.machine.in_words()),
        escape(&report.machine.circumstances()),
        escape(report.machine.switchboard),
        super::numbers::date(report.taken_at)
    );
}

#[cfg(test)]
mod tests {
    use super::super::tests as example;
    use super::*;

    #[test]
    fn what_others_have_named_is_text() {
        let mut report = example::report(2, 3);
        if let Some(measured) = report.measured.last_mut() {
            measured.label = "<script>&\"\u{1}".into();
            measured.place = "sh -c 'a && b < c'".into();
        }
        let page = html(&report);
        assert!(page.contains("switchboard ÷ &lt;script&gt;"), "a ratio says of whom it is");
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;&amp;&quot;\u{fffd}"));
    }

    #[test]
    fn the_page_is_well_formed_and_needs_nothing_from_elsewhere() {
        for (servers, runs) in [(1, 1), (1, 3), (2, 1), (2, 3)] {
            let page = html(&example::report(servers, runs));
            let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
            let tree = roxmltree::Document::parse_with_options(&page, options).expect("well-formed");
            let drawings = tree
                .descendants()
                .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "polyline")));
            assert!(drawings.count() >= 4 * servers);
            let links = ["src", "href"];
            assert!(tree.descendants().all(|node| links.iter().all(|link| node.attribute(*link).is_none())));
            assert!(!page.contains("url(") && !page.contains("@import") && !page.contains("NaN"));
        }
    }
}
