//! What has to hold for a rate to count as held: `p99<10ms,lost<=0`.

use super::Outcome;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Conditions that all have to hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Slo {
    conditions: Vec<Condition>,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Condition {
    of: Of,
    /// Whether the limit itself still holds.
    inclusive: bool,
    limit: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Of {
    /// Of the latency, 0 to 100, in nanoseconds; 100 is the longest.
    Percentile(f64),
    /// Of the deliveries to the last receiver.
    LastReceiver(f64),
    Lost,
    /// Of one core, 0 to 100 for each.
    Cpu,
}

/// Why an outcome does not hold it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    pub why: String,
    /// Whether a generator that was late may have done it, by sending late. It loses nothing, and it disconnects nobody.
    pub may_be_lateness: bool,
}

const USAGE: &str = "a condition is p50, p90, p99, p99.9, p99.99 or max, or the same with last- in front for the last \
                     receiver, < or <=, and a time such as 500us, 10ms or 1s; or lost<=0; or cpu<80%; several have commas between them";

impl FromStr for Slo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let conditions = text.split(',').map(|part| condition(part.trim())).collect::<Option<Vec<_>>>();
        conditions.map(|conditions| Slo { conditions, text: text.to_owned() }).ok_or_else(|| USAGE.to_owned())
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn condition(text: &str) -> Option<Condition> {
    let (of, limit) = text.split_once('<')?;
    let (inclusive, limit) = limit.strip_prefix('=').map_or((false, limit), |limit| (true, limit));
    let (of, limit) = (of.trim(), limit.trim());
    let (of, limit) = match of {
        "lost" => (Of::Lost, limit.parse().ok()?),
        "cpu" => (Of::Cpu, limit.strip_suffix('%')?.parse().ok()?),
        _ => {
            let last = of.strip_prefix("last-");
            let percentile = percentile(last.unwrap_or(of))?;
            let of = if last.is_some() { Of::LastReceiver(percentile) } else { Of::Percentile(percentile) };
            (of, nanoseconds(limit)?)
        }
    };
    (limit >= 0.0).then_some(Condition { of, inclusive, limit })
}

fn percentile(text: &str) -> Option<f64> {
    if text == "max" {
        return Some(100.0);
    }
    let percentile = text.strip_prefix('p')?.parse().ok()?;
    (0.0..=100.0).contains(&percentile).then_some(percentile)
}

fn nanoseconds(text: &str) -> Option<f64> {
    let unit_at = text.find(|c: char| c.is_alphabetic() || c == 'µ')?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let unit = match unit.trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(number.trim().parse::<f64>().ok()? * unit)
}

impl Slo {
    /// Why the outcome does not hold it; `None` if it does. What only the server can have done comes first. A message that
    /// is lost has an endless latency, so that none may be unless a condition says how many.
    pub fn broken_by(&self, outcome: &Outcome) -> Option<Breach> {
        let certain = |why| Breach { why, may_be_lateness: false };
        let doubtful = |why| Breach { why, may_be_lateness: true };
        let of_latency = |condition: &&Condition| condition.is_of_latency();
        let mut others = self.conditions.iter().filter(|condition| !condition.is_of_latency());
        self.lost_or_gone(outcome)
            .or_else(|| others.find_map(|condition| condition.broken_by(outcome)))
            .map(certain)
            .or_else(|| {
                let mut latencies = self.conditions.iter().filter(of_latency);
                let late = latencies.find_map(|condition| condition.broken_by(outcome));
                not_sent(outcome).or(late).map(doubtful)
            })
    }

    fn lost_or_gone(&self, outcome: &Outcome) -> Option<String> {
        let counts = &outcome.counts;
        let allows_loss = self.conditions.iter().any(|condition| condition.of == Of::Lost);
        if counts.lost > 0 && !allows_loss {
            return Some(format!("{} lost", counts.lost));
        }
        if counts.delivered == 0 {
            return Some("nothing was delivered".into());
        }
        (counts.disconnected > 0).then(|| format!("{} clients were disconnected", counts.disconnected))
    }
}

fn not_sent(outcome: &Outcome) -> Option<String> {
    let counts = &outcome.counts;
    (counts.sent * 100 < counts.offered * 99)
        .then(|| format!("only {} of {} messages could be sent", counts.sent, counts.offered))
}

impl Condition {
    fn is_of_latency(&self) -> bool {
        matches!(self.of, Of::Percentile(_) | Of::LastReceiver(_))
    }

    fn broken_by(&self, outcome: &Outcome) -> Option<String> {
        let time = |name: &str, p: f64, nanoseconds: u64| {
            let shown = if p >= 100.0 { "max".to_owned() } else { format!("p{p}") };
            (nanoseconds as f64, format!("{name}{shown} {:.1?}", Duration::from_nanos(nanoseconds)))
        };
        let (value, shown) = match self.of {
            Of::Percentile(p) => time("", p, outcome.latency.value_at_quantile(p / 100.0)),
            Of::LastReceiver(p) => {
                time("last receiver ", p, outcome.last_receiver.value_at_quantile(p / 100.0))
            }
            Of::Lost => (outcome.counts.lost as f64, format!("{} lost", outcome.counts.lost)),
            Of::Cpu => {
                let Some(server) = &outcome.server else {
                    return Some("CPU of the server is not known".into());
                };
                let percent = 100.0 * server.cpu.as_secs_f64() / outcome.measured.as_secs_f64().max(1e-9);
                (percent, format!("{percent:.0} % of a core"))
            }
        };
        let holds = if self.inclusive { value <= self.limit } else { value < self.limit };
        (!holds).then_some(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::report::tests as example;

    fn slo(text: &str) -> Slo {
        text.parse().expect(text)
    }

    #[test]
    fn conditions_are_read_as_people_write_them() {
        for good in
            ["p99<10ms", " p99.9 <= 500us , lost<=0", "max<1s", "last-p99<2ms", "cpu<80%", "p50<1.5ms"]
        {
            assert_eq!(slo(good).to_string(), good);
        }
        for bad in [
            "", "p99", "p99<10", "p99>10ms", "p101<1ms", "q99<1ms", "p99<-1ms", "cpu<80", "lost<x",
            "p99<1ms,",
        ] {
            assert_eq!(bad.parse::<Slo>(), Err(USAGE.to_owned()), "{bad}");
        }
    }

    #[test]
    fn what_breaks_it_is_said() {
        let why = |slo: Slo, outcome: &Outcome| slo.broken_by(outcome).map(|breach| breach.why);
        let mut outcome = example::outcome(1.0); // latencies up to 20 ms, nothing lost
        assert_eq!(why(slo("max<1s,lost<=0,cpu<100%"), &outcome), None);
        assert!(why(slo("p50<1us"), &outcome).is_some_and(|why| why.starts_with("p50 ")));
        outcome.counts.lost = 2;
        assert_eq!(why(slo("max<1s"), &outcome).as_deref(), Some("2 lost"), "lost is late without end");
        assert_eq!(why(slo("max<1s,lost<3"), &outcome), None);
        outcome.server = None;
        assert!(why(slo("cpu<80%,lost<=2"), &outcome).is_some(), "what is not known does not hold");
        outcome.counts.delivered = 0;
        assert!(why(slo("max<1s,lost<3"), &outcome).is_some(), "no latency is not a short one");
    }

    #[test]
    fn a_late_generator_can_be_to_blame_for_latencies_and_for_nothing_else() {
        let may_be_lateness =
            |text: &str, outcome: &Outcome| slo(text).broken_by(outcome).map(|breach| breach.may_be_lateness);
        let mut outcome = example::outcome(1.0);
        assert_eq!(may_be_lateness("p50<1us", &outcome), Some(true));
        assert_eq!(may_be_lateness("p50<1us,cpu<1%", &outcome), Some(false));
        outcome.counts.sent /= 2;
        assert_eq!(may_be_lateness("max<1s", &outcome), Some(true), "what was not sent yet");
        outcome.counts.lost = 2;
        assert_eq!(may_be_lateness("p50<1us", &outcome), Some(false));
        assert_eq!(may_be_lateness("p50<1us,lost<=1", &outcome), Some(false));
        assert_eq!(may_be_lateness("p50<1us,lost<=2", &outcome), Some(true));
        outcome.counts.disconnected = 1;
        assert_eq!(may_be_lateness("p50<1us,lost<=2", &outcome), Some(false));
    }
}
