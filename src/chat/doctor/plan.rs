//! The steps, what each one needs, and what became of them. Pure.

use crate::chat::sanitise::sanitise;
use std::time::Duration;

/// What is tried, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Name,
    Tcp,
    Login,
    Room,
    Relay,
    UdpBind,
    UdpRoom,
    UdpRelay,
    DirectTcp,
    DirectUdp,
}

impl Step {
    pub const ALL: [Step; 10] = [
        Step::Name,
        Step::Tcp,
        Step::Login,
        Step::Room,
        Step::Relay,
        Step::UdpBind,
        Step::UdpRoom,
        Step::UdpRelay,
        Step::DirectTcp,
        Step::DirectUdp,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Step::Name => "name",
            Step::Tcp => "tcp",
            Step::Login => "login",
            Step::Room => "room",
            Step::Relay => "relay",
            Step::UdpBind => "udp bind",
            Step::UdpRoom => "udp room",
            Step::UdpRelay => "udp relay",
            Step::DirectTcp => "direct tcp",
            Step::DirectUdp => "direct udp",
        }
    }

    /// Steps without which this one cannot be done.
    fn needs(self) -> &'static [Step] {
        match self {
            Step::Name => &[],
            Step::Tcp => &[Step::Name],
            Step::Login => &[Step::Tcp],
            Step::Room | Step::Relay | Step::UdpBind => &[Step::Login],
            Step::UdpRoom => &[Step::Room, Step::UdpBind],
            Step::UdpRelay => &[Step::Relay, Step::UdpBind],
            Step::DirectTcp | Step::DirectUdp => &[Step::Relay],
        }
    }

    /// How long it may take.
    pub fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Step::Name | Step::Tcp | Step::Login => 5,
            Step::Room | Step::Relay => 3,
            Step::UdpBind => 7, // a little longer than a client goes on asking
            Step::UdpRoom | Step::UdpRelay => 3,
            Step::DirectTcp | Step::DirectUdp => 4,
        })
    }
}

/// What became of a step, with a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Ok(String),
    /// The likely cause, and what to do about it.
    Failed(String),
    Skipped(String),
}

/// What became of the steps so far.
#[derive(Default)]
pub struct Record {
    outcomes: Vec<(Step, Outcome)>,
}

impl Record {
    pub fn note(&mut self, step: Step, outcome: Outcome) {
        self.outcomes.push((step, outcome));
    }

    /// The step that did not go well and that this one would need, or that one of those would need.
    pub fn obstacle(&self, step: Step) -> Option<Step> {
        let needed = step.needs().iter().copied().find(|&needed| !self.is_ok(needed))?;
        Some(self.obstacle(needed).unwrap_or(needed))
    }

    fn is_ok(&self, step: Step) -> bool {
        self.outcomes.iter().any(|(of, outcome)| *of == step && matches!(outcome, Outcome::Ok(_)))
    }

    /// Whether there is nothing to complain about.
    pub fn is_content(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| matches!(outcome, Outcome::Ok(_)))
    }

    /// One line.
    pub fn summary(&self, server: &str) -> String {
        let count =
            |is: fn(&Outcome) -> bool| self.outcomes.iter().filter(|(_, outcome)| is(outcome)).count();
        let ok = count(|outcome| matches!(outcome, Outcome::Ok(_)));
        let all = self.outcomes.len();
        if self.is_content() {
            return format!("{server}: all {all} steps ok");
        }
        let failed: Vec<_> = self
            .outcomes
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
            .map(|(step, _)| step.name())
            .collect();
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        let failed = if failed.is_empty() { "none".to_owned() } else { failed.join(", ") };
        format!("{server}: {ok} of {all} steps ok, {skipped} skipped; failed: {failed}")
    }
}

/// The line about a step; without a time when it was not even begun.
pub fn line(step: Step, outcome: &Outcome, took: Duration) -> String {
    let (verdict, detail) = match outcome {
        Outcome::Ok(detail) => ("ok", detail),
        Outcome::Failed(cause) => ("FAIL", cause),
        Outcome::Skipped(why) => ("skip", why),
    };
    let time = match outcome {
        Outcome::Skipped(_) => "-".to_owned(),
        _ => format!("{:.1} ms", took.as_secs_f64() * 1_000.0),
    };
    // Words of a server may be in it.
    format!("{verdict:<5} {:<10} {time:>10}  {}", step.name(), sanitise(detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(outcomes: &[(Step, Outcome)]) -> Record {
        Record { outcomes: outcomes.to_vec() }
    }

    #[test]
    fn a_step_is_in_the_way_of_those_that_need_it_and_of_no_other() {
        let fine = |step| (step, Outcome::Ok(String::new()));
        let failed = (Step::Room, Outcome::Failed(String::new()));
        let record = record(&[fine(Step::Name), fine(Step::Tcp), fine(Step::Login), failed]);
        assert_eq!(record.obstacle(Step::Relay), None);
        assert_eq!(record.obstacle(Step::UdpBind), None);
        assert_eq!(record.obstacle(Step::UdpRoom), Some(Step::Room));
    }

    #[test]
    fn the_obstacle_is_the_step_that_failed_and_not_those_that_were_skipped_for_it() {
        let failed = (Step::Tcp, Outcome::Failed(String::new()));
        let record = record(&[(Step::Name, Outcome::Ok(String::new())), failed]);
        assert_eq!(record.obstacle(Step::UdpRelay), Some(Step::Tcp));
    }

    #[test]
    fn every_step_comes_after_those_that_it_needs() {
        for (at, step) in Step::ALL.iter().enumerate() {
            assert!(step.needs().iter().all(|needed| Step::ALL[..at].contains(needed)), "{step:?}");
        }
    }

    #[test]
    fn the_summary_counts_and_names_what_failed() {
        let fine = (Step::Name, Outcome::Ok(String::new()));
        assert_eq!(record(std::slice::from_ref(&fine)).summary("here"), "here: all 1 steps ok");
        let failed = (Step::Tcp, Outcome::Failed("refused".to_owned()));
        let skipped = (Step::Login, Outcome::Skipped("needs tcp".to_owned()));
        let record = record(&[fine, failed, skipped]);
        assert!(!record.is_content());
        assert_eq!(record.summary("here"), "here: 1 of 3 steps ok, 1 skipped; failed: tcp");
    }

    #[test]
    fn a_line_is_one_line_whatever_a_server_says() {
        let outcome = Outcome::Failed("it answers \u{1b}[2J\nok".to_owned());
        let line = line(Step::UdpBind, &outcome, Duration::from_micros(1_250));
        assert_eq!(line, "FAIL  udp bind       1.2 ms  it answers ^[[2J^Jok");
    }
}
