//! Which plots a report has.

use super::super::figures::{Row, Spread, delivery, rows};
use super::super::{Measured, Report, numbers};
use super::axis::Scale;
use super::plot::{Axis, Bar, Line, Plot, Style};
use crate::load::Outcome;
use crate::load::outcome::Sample;
use crate::load::plan::Scenario;
use hdrhistogram::Histogram;

/// Points of a curve of percentiles: enough that it looks smooth.
const POINTS: u32 = 240;

/// Runs that are shown one by one behind their sum; more would be a smear.
const FAINT_RUNS_MAX: usize = 12;

/// All that there is data for.
pub fn plots(report: &Report) -> Vec<Plot> {
    let plots = [percentiles(report), throughput(report), latency_over_time(report), cpu(report)];
    plots.into_iter().flatten().collect()
}

fn servers(report: &Report) -> impl Iterator<Item = (usize, &Measured)> {
    report.measured.iter().enumerate()
}

fn percentiles(report: &Report) -> Option<Plot> {
    let mut lines = Vec::new();
    let mut nines: f64 = 1.0;
    for (i, measured) in servers(report) {
        let Some(all) = sum(&measured.outcomes, |outcome| &outcome.latency) else { continue };
        // Beyond that the curve would be single deliveries.
        nines = nines.max((all.len() as f64 / 10.0).log10().floor().clamp(1.0, 6.0));
        if (2..=FAINT_RUNS_MAX).contains(&measured.outcomes.len()) {
            let runs = measured.outcomes.iter().map(|outcome| curve(&outcome.latency));
            lines.extend(runs.map(|points| Line {
                name: String::new(),
                server: i,
                style: Style::Faint,
                points,
            }));
        }
        let points = curve(&all);
        lines.push(Line { name: measured.label.clone(), server: i, style: Style::Solid, points });
    }
    // The fastest few would take half of the room, and tell nothing.
    let shown = 0.01..=1.0 - 0.1_f64.powf(nines) + 1e-12;
    lines.iter_mut().for_each(|line| line.points.retain(|(quantile, _)| shown.contains(quantile)));
    let title = match report.plan.scenario {
        Scenario::Connect(_) => "Time to log in, by percentile",
        Scenario::Join(_) => "Time to enter, by percentile",
        _ => "Latency by percentile",
    };
    let caption = "Read: so many percent of the deliveries took at most so long. Each nine takes the same room, so that the slow few can be seen.";
    (!lines.is_empty()).then(|| Plot {
        title,
        caption: with_runs(caption, report),
        x: Axis { name: "percentile", scale: Scale::Quantile { nines }, show: percent },
        y: Axis { name: "latency", scale: Scale::of_times(values(&lines)), show: numbers::nanoseconds },
        lines,
        bars: Vec::new(),
    })
}

fn curve(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    let quantiles = (0..=POINTS).map(|n| 1.0 - 10_f64.powf(-6.0 * f64::from(n) / f64::from(POINTS)));
    quantiles.map(|q| (q, histogram.value_at_quantile(q) as f64)).collect()
}

/// 99.9 %, as many nines as there are.
fn percent(quantile: f64) -> String {
    let percent = (quantile * 1e8).round() / 1e6;
    format!("{percent}")
}

fn sum<'a>(outcomes: &'a [Outcome], of: fn(&'a Outcome) -> &'a Histogram<u64>) -> Option<Histogram<u64>> {
    let mut histograms = outcomes.iter().map(of).filter(|histogram| !histogram.is_empty());
    let mut all = histograms.next()?.clone();
    histograms.for_each(|histogram| {
        // They have the same range, or grow.
        let _ = all.add(histogram);
    });
    Some(all)
}

fn throughput(report: &Report) -> Option<Plot> {
    let deliveries = |sample: &Sample, seconds: f64| sample.delivered as f64 / seconds;
    let lines = over_time(report, "", Style::Solid, deliveries);
    over(
        report,
        lines,
        Plot {
            title: "Throughput over time",
            caption: with_runs("Deliveries in each second of the measured time.", report),
            x: Axis { name: "seconds", scale: Scale::from_zero([].into_iter()), show: numbers::short },
            y: Axis {
                name: "deliveries a second",
                scale: Scale::from_zero([].into_iter()),
                show: numbers::short,
            },
            lines: Vec::new(),
            bars: Vec::new(),
        },
    )
}

fn latency_over_time(report: &Report) -> Option<Plot> {
    let mut lines = over_time(report, " p50", Style::Solid, |sample, _| sample.p50 as f64);
    lines.extend(over_time(report, " p99", Style::Dashed, |sample, _| sample.p99 as f64));
    lines.iter_mut().for_each(|line| line.points.retain(|(_, latency)| *latency > 0.0));
    lines.retain(|line| !line.points.is_empty());
    let scale = Scale::of_times(values(&lines));
    over(
        report,
        lines,
        Plot {
            title: "Latency over time",
            caption: with_runs(
                "Of the deliveries in each second. A level line is a server in balance; one that rises is falling behind.",
                report,
            ),
            x: Axis { name: "seconds", scale, show: numbers::short },
            y: Axis { name: "latency", scale, show: numbers::nanoseconds },
            lines: Vec::new(),
            bars: Vec::new(),
        },
    )
}

/// A plot over time has its lines, and axes that suit them.
fn over(report: &Report, lines: Vec<Line>, plot: Plot) -> Option<Plot> {
    if lines.is_empty() || report.plan.scenario.pace().is_none() {
        return None;
    }
    let seconds = lines.iter().flat_map(|line| line.points.iter().map(|(at, _)| *at)).fold(1.0, f64::max);
    let scale = match plot.y.scale {
        Scale::Linear { .. } => Scale::from_zero(values(&lines)),
        other => other,
    };
    Some(Plot {
        x: Axis { scale: Scale::Linear { min: 0.0, max: seconds }, ..plot.x },
        y: Axis { scale, ..plot.y },
        lines,
        ..plot
    })
}

/// A line for each server; of several runs, the median of each second, and the runs behind it.
fn over_time(report: &Report, what: &str, style: Style, of: impl Fn(&Sample, f64) -> f64) -> Vec<Line> {
    let mut lines = Vec::new();
    for (server, measured) in servers(report) {
        let runs: Vec<Vec<(f64, f64)>> =
            measured.outcomes.iter().map(|outcome| series(outcome, &of)).collect();
        let seconds = runs.iter().map(Vec::len).max().unwrap_or(0);
        let median: Vec<(f64, f64)> = (0..seconds)
            .filter_map(|n| {
                let points: Vec<(f64, f64)> = runs.iter().filter_map(|run| run.get(n)).copied().collect();
                let value = Spread::of(&points.iter().map(|(_, value)| *value).collect::<Vec<_>>())?;
                Some((points.first()?.0, value.median))
            })
            .collect();
        if median.is_empty() {
            continue;
        }
        if (2..=FAINT_RUNS_MAX).contains(&runs.len()) {
            lines.extend(runs.into_iter().map(|points| Line {
                name: String::new(),
                server,
                style: Style::Faint,
                points,
            }));
        }
        lines.push(Line { name: format!("{}{what}", measured.label), server, style, points: median });
    }
    lines
}

fn series(outcome: &Outcome, of: impl Fn(&Sample, f64) -> f64) -> Vec<(f64, f64)> {
    let mut before = 0.0;
    let points = outcome.samples.iter().map(|sample| {
        let seconds = (sample.at - before).max(1e-3);
        before = sample.at;
        (sample.at, of(sample, seconds))
    });
    points.collect()
}

fn cpu(report: &Report) -> Option<Plot> {
    let rows = rows(report);
    let row = rows.iter().find(|row| row.name == "cpu_per_delivery")?;
    let bars: Vec<Bar> = servers(report).filter_map(|(i, measured)| bar(row, i, &measured.label)).collect();
    let scale = Scale::from_zero(bars.iter().flat_map(|bar| bar.runs.iter().map(|run| run * 1.08)));
    let several = bars.iter().any(|bar| bar.runs.len() > 1);
    let spread = if several { " The bar is the median, each dot a run." } else { "" };
    Some(Plot {
        title: cpu_title(report),
        caption: format!(
            "The server's CPU time, user and kernel, for each {}: less is better. At the same window or rate the speed of the generator hardly changes it.{spread}",
            delivery(&report.plan)
        ),
        x: Axis { name: "", scale: Scale::from_zero([].into_iter()), show: numbers::short },
        y: Axis { name: "CPU time", scale, show: numbers::nanoseconds },
        lines: Vec::new(),
        bars,
    })
}

fn cpu_title(report: &Report) -> &'static str {
    match report.plan.scenario {
        Scenario::Connect(_) => "CPU per log-in",
        Scenario::Join(_) => "CPU per entering told",
        _ => "CPU per delivery",
    }
}

fn bar(row: &Row, server: usize, label: &str) -> Option<Bar> {
    let runs = row.values.get(server)?.clone();
    let value = Spread::of(&runs)?.median;
    Some(Bar { name: label.to_owned(), server, value, label: row.show(value), runs })
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> + Clone {
    lines.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value))
}

fn with_runs(caption: &str, report: &Report) -> String {
    let several = report.measured.iter().any(|measured| measured.outcomes.len() > 1);
    if several { format!("{caption} Thin lines are single runs.") } else { caption.to_owned() }
}
