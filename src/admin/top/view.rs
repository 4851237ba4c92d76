//! What two looks at a server's figures, one behind the other, come to: rates, shares and words. Pure.
//!
//! The first look has none before it; its rates are those since the server started, as vmstat(8) has it.

use super::Figures;
use crate::chat::sanitise;
use std::fmt::Write;

pub struct View {
    server: String,
    before: Option<Figures>,
    now: Figures,
}

/// What is shown as a rate, by the name of its counter.
const RATES: [(&str, &str); 13] = [
    ("turns", "turns"),
    ("frames read", "frames-read"),
    ("lines read", "lines-read"),
    ("deliveries", "deliveries"),
    ("answers", "answers"),
    ("bytes read", "bytes-read"),
    ("bytes written", "bytes-written"),
    ("datagrams received", "datagrams-received"),
    ("datagrams sent", "datagrams-sent"),
    ("connections taken", "connections-accepted"),
    ("passwords checked", "passwords-checked"),
    ("records", "records"),
    ("commits", "commits"),
];

/// What is counted by reason.
const REASONS: [(&str, &str); 4] = [
    ("closed", "connections-closed"),
    ("turned away", "connections-refused"),
    ("paused", "pauses"),
    ("datagrams dropped", "datagrams-dropped"),
];

/// The stages that work, in the order of the turn; poll is the one that sleeps.
const STAGES: [&str; 6] = ["note", "read", "timers", "replies", "flush", "reap"];

/// Columns of a line that is for a program: its name, and where its value is from.
const COLUMNS: [(&str, Column); 14] = [
    ("connections", Column::Now("connections")),
    ("users", Column::Now("users")),
    ("rooms", Column::Now("rooms")),
    ("turns/s", Column::Rate("turns")),
    ("frames/s", Column::Rate("frames-read")),
    ("lines/s", Column::Rate("lines-read")),
    ("deliveries/s", Column::Rate("deliveries")),
    ("bytes-read/s", Column::Rate("bytes-read")),
    ("bytes-written/s", Column::Rate("bytes-written")),
    ("busy-%", Column::Busy),
    ("queued-bytes", Column::Now("queued-bytes")),
    ("resident-bytes", Column::Now("resident-bytes")),
    ("closed/s", Column::Reasons("connections-closed")),
    ("datagrams-dropped/s", Column::Reasons("datagrams-dropped")),
];

#[derive(Clone, Copy)]
enum Column {
    Now(&'static str),
    Rate(&'static str),
    /// Of all reasons together.
    Reasons(&'static str),
    Busy,
}

/// Cells of a bar for the whole of a second.
const BAR_CELLS: usize = 30;

/// The names of the columns of [`View::line`].
pub fn heading() -> String {
    COLUMNS.map(|(name, _)| name).join("\t")
}

impl View {
    pub fn first(server: String, now: Figures) -> View {
        View { server: sanitise(&server).into_owned(), before: None, now }
    }

    pub fn look_again(&mut self, now: Figures) {
        self.before = Some(std::mem::replace(&mut self.now, now));
    }

    /// In seconds, between the two looks, or since the server started.
    fn elapsed(&self) -> f64 {
        match &self.before {
            Some(before) => (self.now.at - before.at).as_secs_f64(),
            None => self.now.value("uptime-seconds"),
        }
    }

    /// How much a counter has grown. Where it has shrunk, the server was started anew.
    fn grown(&self, name: &str) -> f64 {
        let (before, now) =
            (self.before.as_ref().map_or(0.0, |before| before.value(name)), self.now.value(name));
        if now >= before { now - before } else { now }
    }

    /// In a second.
    fn rate(&self, name: &str) -> f64 {
        let elapsed = self.elapsed();
        if elapsed > 0.0 { self.grown(name) / elapsed } else { 0.0 }
    }

    /// The part of the time that a stage took, from 0 to 1.
    fn share(&self, stage: &str) -> f64 {
        self.rate(&format!("stage-seconds{{stage=\"{stage}\"}}")).min(1.0)
    }

    fn busy(&self) -> f64 {
        STAGES.iter().map(|stage| self.share(stage)).sum::<f64>().min(1.0)
    }

    /// For a program: values with tabs between them.
    pub fn line(&self) -> String {
        let cells = COLUMNS.map(|(_, column)| match column {
            Column::Now(name) => format!("{:.0}", self.now.value(name)),
            Column::Rate(name) => format!("{:.1}", self.rate(name)),
            Column::Reasons(name) => {
                let reasons = self.now.labelled(name);
                let sum: f64 =
                    reasons.map(|(reason, _)| self.rate(&format!("{name}{{reason=\"{reason}\"}}"))).sum();
                format!("{sum:.1}")
            }
            Column::Busy => format!("{:.1}", 100.0 * self.busy()),
        });
        cells.join("\t")
    }

    /// As much as there is room for, in so many columns and lines.
    pub fn screen(&self, (columns, lines): (usize, usize)) -> String {
        let cut = |line: &str| line.chars().take(columns).collect::<String>();
        let table = self.table();
        let shown: Vec<String> = table.lines().take(lines).map(cut).collect();
        shown.join("\n")
    }

    /// All of it, for people.
    pub fn table(&self) -> String {
        let now = |name: &str| self.now.value(name);
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}, up {}", self.server, span(now("uptime-seconds")));
        let _ = writeln!(
            out,
            "connections {:.0} ({:.0} before login)  users {:.0}  rooms {:.0}  relays {:.0}",
            now("connections"),
            now("connections-before-login"),
            now("users"),
            now("rooms"),
            now("relays")
        );
        let _ = writeln!(
            out,
            "memory {}  queued {} (longest so far {})  records that wait {:.0}",
            bytes(now("resident-bytes")),
            bytes(now("queued-bytes")),
            bytes(now("queued-bytes-most")),
            now("records-waiting")
        );
        self.put_time(&mut out);
        let _ = writeln!(out, "\n{:20}{:>14}{:>18}", "", "a second", "in all");
        for (words, name) in RATES {
            let _ = writeln!(out, "{words:20}{:>14.1}{:>18.0}", self.rate(name), now(name));
        }
        out.push('\n');
        for (words, name) in REASONS {
            self.put_reasons(&mut out, words, name);
        }
        out
    }

    /// What the time of the turns goes to.
    fn put_time(&self, out: &mut String) {
        let busy = format!("busy {:.1} %", 100.0 * self.busy());
        let turns = self.grown("turns");
        let mean = if turns > 0.0 { self.grown("turn-seconds-sum") / turns } else { 0.0 };
        let most =
            self.below(0.99).map_or(String::new(), |bound| format!(", 99 of 100 below {}", time(bound)));
        let _ = writeln!(out, "\n{busy}; a turn takes {}{most}", time(mean));
        for stage in STAGES {
            let share = self.share(stage);
            let cells = (share * BAR_CELLS as f64).round() as usize;
            let _ = writeln!(out, "  {stage:9}{:>6.2} % {}", 100.0 * share, "#".repeat(cells.min(BAR_CELLS)));
        }
    }

    /// The bound that so many of the turns were below; `None` where there were none, or it is not known.
    fn below(&self, part: f64) -> Option<f64> {
        let bucket = |(bound, _): (&str, f64)| {
            let count = self.grown(&format!("turn-seconds{{le=\"{bound}\"}}"));
            Some((bound.parse::<f64>().ok()?, count))
        };
        let mut buckets: Vec<(f64, f64)> = self.now.labelled("turn-seconds").filter_map(bucket).collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = self.grown("turn-seconds-count");
        let found = buckets.into_iter().find(|&(bound, count)| bound.is_finite() && count >= part * all);
        found.filter(|_| all > 0.0).map(|(bound, _)| bound)
    }

    /// Those that there were, and in brackets how many of them since the look before.
    fn put_reasons(&self, out: &mut String, words: &str, name: &str) {
        let mut reasons: Vec<(&str, f64)> =
            self.now.labelled(name).filter(|&(_, count)| count > 0.0).collect();
        reasons.sort_by(|a, b| b.1.total_cmp(&a.1));
        let shown = reasons.iter().map(|(reason, count)| {
            let grown = self.grown(&format!("{name}{{reason=\"{reason}\"}}"));
            let grown =
                if self.before.is_some() && grown > 0.0 { format!(" (+{grown:.0})") } else { String::new() };
            format!("{} {count:.0}{grown}", sanitise(reason))
        });
        let shown: Vec<String> = shown.collect();
        let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
        let _ = writeln!(out, "{words}: {shown}");
    }
}

/// Seconds, as people say how long something has lasted.
fn span(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let clock = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if days > 0 { format!("{days}d {clock}") } else { clock }
}

/// Seconds, where there is less than one.
fn time(seconds: f64) -> String {
    match seconds * 1e6 {
        micros if micros < 1_000.0 => format!("{micros:.0} µs"),
        micros if micros < 1_000_000.0 => format!("{:.1} ms", micros / 1e3),
        micros => format!("{:.1} s", micros / 1e6),
    }
}

fn bytes(bytes: f64) -> String {
    match bytes {
        small if small < 1_024.0 => format!("{small:.0} B"),
        kib if kib < 1_048_576.0 => format!("{:.1} KiB", kib / 1_024.0),
        mib if mib < 1_073_741_824.0 => format!("{:.1} MiB", mib / 1_048_576.0),
        gib => format!("{:.1} GiB", gib / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn figures(pairs: &[(&str, f64)], seconds: u64) -> Figures {
        let lines =
            pairs.iter().map(|(name, value)| format!("switchboard_{} {value}\n", name.replace('-', "_")));
        let text: String = lines.chain(["switchboard_connections 2\n".to_owned()]).collect();
        let mut figures = Figures::of_metrics(&text).expect("figures");
        figures.at += Duration::from_secs(seconds);
        figures
    }

    fn column(view: &View, name: &str) -> String {
        let (heading, line) = (heading(), view.line());
        let at = heading.split('\t').position(|other| other == name).expect("a column");
        line.split('\t').nth(at).expect("a cell").to_owned()
    }

    #[test]
    fn the_first_rates_are_since_the_start_and_the_others_since_the_look_before() {
        let mut view = View::first("a".to_owned(), figures(&[("uptime-seconds", 10.0), ("turns", 50.0)], 0));
        assert_eq!(column(&view, "turns/s"), "5.0");
        let mut later = figures(&[("turns", 70.0)], 0);
        later.at = view.now.at + Duration::from_secs(2);
        view.look_again(later);
        assert_eq!(
            (column(&view, "turns/s"), column(&view, "connections")),
            ("10.0".to_owned(), "2".to_owned())
        );
        let mut anew = figures(&[("turns", 8.0)], 0);
        anew.at = view.now.at + Duration::from_secs(2);
        view.look_again(anew);
        assert_eq!(column(&view, "turns/s"), "4.0", "the server was started anew");
    }

    #[test]
    fn a_turn_is_told_by_what_most_of_them_took() {
        let pairs = [
            ("turn-seconds-bucket{le=\"0.0005\"}", 10.0),
            ("turn-seconds-bucket{le=\"0.001\"}", 99.0),
            ("turn-seconds-bucket{le=\"0.002\"}", 100.0),
            ("turn-seconds-bucket{le=\"+Inf\"}", 100.0),
            ("turn-seconds-count", 100.0),
        ];
        let view = View::first("a".to_owned(), figures(&pairs, 0));
        assert_eq!(
            (view.below(0.99), view.below(0.05), view.below(1.0)),
            (Some(0.001), Some(0.0005), Some(0.002))
        );
        assert_eq!(View::first("a".to_owned(), figures(&[], 0)).below(0.99), None);
    }

    #[test]
    fn it_fits_the_window() {
        let view = View::first("server".to_owned(), figures(&[("uptime-seconds", 90_061.0)], 0));
        assert!(view.table().starts_with("server, up 1d 01:01:01\n"), "{}", view.table());
        for (columns, lines) in [(1, 1), (20, 5), (80, 24), (200, 100)] {
            let screen = view.screen((columns, lines));
            assert!(
                screen.lines().count() <= lines && screen.lines().all(|line| line.chars().count() <= columns)
            );
        }
    }

    #[test]
    fn amounts_are_told_as_people_tell_them() {
        assert_eq!(
            (time(0.000_085), time(0.0125), time(2.0)),
            ("85 µs".into(), "12.5 ms".into(), "2.0 s".into())
        );
        assert_eq!(
            (bytes(1_000.0), bytes(2_048.0), bytes(5e6)),
            ("1000 B".into(), "2.0 KiB".into(), "4.8 MiB".into())
        );
    }
}
