//! Where figures come from, and what they are called: the same whichever way they came.

use super::super::link::{Link, dial};
use super::super::{Action, Error};
use super::From;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::time::Instant;

/// Bytes of an answer over HTTP. The figures take some twenty thousand.
const ANSWER_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

pub enum Source {
    /// A connection for each look, as Prometheus has it.
    Metrics {
        server: String,
    },
    Operator {
        server: String,
        link: Box<Link>,
    },
}

impl Source {
    pub fn open(from: From) -> Result<Source, Error> {
        Ok(match from {
            From::Metrics(server) => Source::Metrics { server },
            From::Operator(options) => {
                Source::Operator { link: Box::new(Link::connect(&options)?), server: options.server }
            }
        })
    }

    /// What it is called on the command line.
    pub fn name(&self) -> &str {
        match self {
            Source::Metrics { server } | Source::Operator { server, .. } => server,
        }
    }

    pub fn look(&mut self) -> Result<Figures, Error> {
        match self {
            Source::Metrics { server } => scrape(server),
            Source::Operator { server, link } => {
                let table = Action::Status.carry_out(link).map_err(|error| match error {
                    Error::Lost { server, error, .. } => Error::Gone { server, error },
                    error => error,
                })?;
                let rows = table.map(|table| table.rows).unwrap_or_default();
                let pairs = rows.iter().filter_map(|row| Some((&**row.first()?, &**row.get(1)?)));
                Figures::of_pairs(pairs).ok_or_else(|| Error::Strange { server: server.clone() })
            }
        }
    }
}

fn scrape(server: &str) -> Result<Figures, Error> {
    let lost = |error| Error::Gone { server: server.to_owned(), error };
    let mut stream = dial(server)?;
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: {server}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(lost)?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).map_err(lost)?;
    let answer = String::from_utf8_lossy(&answer);
    if answer.is_empty() {
        return Err(lost(ErrorKind::UnexpectedEof.into()));
    }
    let strange = || Error::Strange { server: server.to_owned() };
    if let Some(text) = answer.strip_prefix("ERROR :") {
        let text = text.lines().next().unwrap_or_default().to_owned();
        return Err(Error::Ended { server: server.to_owned(), text });
    }
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(strange)?;
    match head.split(' ').nth(1) {
        Some("200") => Figures::of_metrics(body).ok_or_else(strange),
        Some("404") => Err(Error::NoMetrics { server: server.to_owned() }),
        _ => Err(strange()),
    }
}

/// Figures by the names that operators see, and when they were looked at.
#[derive(Clone, PartialEq, Debug)]
pub struct Figures {
    pub at: Instant,
    values: BTreeMap<String, f64>,
}

impl Figures {
    /// `None` where it is nothing of the sort.
    fn of_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Figures> {
        let values = pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        let values: BTreeMap<String, f64> = values.collect();
        values.contains_key("connections").then(|| Figures { at: Instant::now(), values })
    }

    /// Takes what `/metrics` says, whose names differ from those that operators see in that each begins with the name of
    /// the program, counters end with `_total` and buckets with `_bucket`, and words have `_` between them. `None` where it
    /// is of another program.
    pub fn of_metrics(text: &str) -> Option<Figures> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            let name = name.strip_prefix("switchboard_")?;
            let (name, label) = name.split_at(name.find('{').unwrap_or(name.len()));
            let name = name.strip_suffix("_total").or(name.strip_suffix("_bucket")).unwrap_or(name);
            Some((name.replace('_', "-") + label, value))
        });
        let pairs: Vec<(String, &str)> = pairs.collect();
        Figures::of_pairs(pairs.iter().map(|(name, value)| (&**name, *value)))
    }

    /// A figure; 0 where an older server does not have it.
    pub fn value(&self, name: &str) -> f64 {
        self.values.get(name).copied().unwrap_or(0.0)
    }

    /// All values of a figure with a label, by the label's.
    pub fn labelled<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.values.iter().filter_map(move |(full, value)| {
            let label = full.strip_prefix(name)?.strip_prefix('{')?.strip_suffix("\"}")?;
            Some((label.split_once("=\"")?.1, *value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_same_names_whichever_way_they_came() {
        let text = "\
# HELP switchboard_connections Connections.
# TYPE switchboard_connections gauge
switchboard_connections 3
switchboard_bytes_read_total 120
switchboard_pauses_total{reason=\"own-queue\"} 7
switchboard_turn_seconds_bucket{le=\"0.001\"} 4
switchboard_turn_seconds_sum 0.5
go_goroutines 9
nonsense
";
        let pairs = [
            ("connections", "3"),
            ("bytes-read", "120"),
            ("pauses{reason=\"own-queue\"}", "7"),
            ("turn-seconds{le=\"0.001\"}", "4"),
            ("turn-seconds-sum", "0.5"),
        ];
        let metrics = Figures::of_metrics(text).expect("figures");
        let status = Figures::of_pairs(pairs.into_iter()).expect("figures");
        assert_eq!(metrics.values, status.values);
        assert_eq!((metrics.value("bytes-read"), metrics.value("unheard-of")), (120.0, 0.0));
        assert_eq!(metrics.labelled("pauses").collect::<Vec<_>>(), [("own-queue", 7.0)]);
        assert_eq!(Figures::of_metrics("go_goroutines 9\n"), None);
    }
}
