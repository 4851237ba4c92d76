//! The highest rate that holds: doubled until one does not, then halved in between; and what is found has to hold once
//! more, because of many runs at the edge one holds by luck.
//!
//! Pure: it says which rate to try next, and is told how that went.

/// Where the two ends are this near, it is found: the machine's own noise is more.
const NEAR_ENOUGH: f64 = 1.05;

/// Below this there is nothing to look for.
const RATE_MIN: f64 = 1.0;

/// Above it there is nothing to send by.
const RATE_MAX: f64 = *super::limits::RATES.end();

/// A rate that does not hold is tried so often, because a machine that was busy with something else is no limit of the
/// server, nor of the generator.
const TRIES: usize = 2;

/// How a rate went.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    Held,
    Broke(String),
    /// A sentence of the generator's: beyond this it would be measuring itself.
    GeneratorWasLimit(String),
}

/// One rate that was tried.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Messages in a second.
    pub rate: f64,
    pub verdict: Verdict,
}

/// What is looked for between which rates.
#[derive(Clone, PartialEq, Debug)]
pub struct Search {
    next: Option<f64>,
    held: Option<f64>,
    broke: Option<f64>,
    failures: usize,
    /// What is found, and being run again.
    confirming: bool,
    /// The generator was the limit at a rate above.
    stopped: Option<String>,
    steps: Vec<Step>,
}

impl Search {
    pub fn from(rate: f64) -> Self {
        let next = Some(rate.max(RATE_MIN));
        Self {
            next,
            held: None,
            broke: None,
            failures: 0,
            confirming: false,
            stopped: None,
            steps: Vec::new(),
        }
    }

    /// The rate to try next; `None` at the end.
    pub fn next(&self) -> Option<f64> {
        self.next
    }

    /// The highest that held.
    pub fn held(&self) -> Option<f64> {
        self.held
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How the lowest rate went, the last time.
    pub fn lowest(&self) -> Option<&Step> {
        self.steps.iter().reduce(|lowest, step| if step.rate <= lowest.rate { step } else { lowest })
    }

    /// Why it ended before it was found, if it did.
    pub fn stopped_by_generator(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Whether [`Self::next`] is the last run, of what was found.
    pub fn is_confirming(&self) -> bool {
        self.confirming
    }

    /// How [`Self::next`] went.
    pub fn tell(&mut self, verdict: Verdict) {
        let Some(rate) = self.next else { return };
        let held = verdict == Verdict::Held;
        self.steps.push(Step { rate, verdict: verdict.clone() });
        if held {
            self.failures = 0;
            self.held = Some(rate);
            self.next = if self.confirming { None } else { self.choose_or_confirm() };
            return;
        }
        self.failures += 1;
        if self.failures < TRIES {
            return;
        }
        self.failures = 0;
        if let Verdict::GeneratorWasLimit(sentence) = verdict {
            self.stopped = Some(sentence);
        }
        self.broke = Some(rate);
        if self.confirming {
            // It held by luck: down to the highest below it that held, until one does so again.
            self.held = self.held_below(rate);
            self.confirming = self.held.is_some();
            self.next = self.held.or_else(|| self.choose());
        } else {
            self.next = self.choose_or_confirm();
        }
    }

    fn held_below(&self, rate: f64) -> Option<f64> {
        let held = self.steps.iter().filter(|step| step.verdict == Verdict::Held && step.rate < rate);
        held.map(|step| step.rate).reduce(f64::max)
    }

    fn choose_or_confirm(&mut self) -> Option<f64> {
        // Above the generator's limit there is nothing to be found; below it only if nothing has held yet.
        let next = if self.stopped.is_some() && self.held.is_some() { None } else { self.choose() };
        if next.is_none() {
            self.confirming = self.held.is_some();
            return self.held;
        }
        next
    }

    fn choose(&self) -> Option<f64> {
        match (self.held, self.broke) {
            (Some(held), None) => Some(held * 2.0).filter(|next| *next <= RATE_MAX),
            (Some(held), Some(broke)) if broke / held <= NEAR_ENOUGH => None,
            (Some(held), Some(broke)) => {
                Some(((held + broke) / 2.0).round().max(held + 1.0)).filter(|next| *next < broke)
            }
            (None, Some(broke)) => Some(broke / 2.0).filter(|next| *next >= RATE_MIN),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches where everything up to `limit` holds.
    fn search(start: f64, limit: f64) -> Search {
        let mut search = Search::from(start);
        while let Some(rate) = search.next() {
            assert!(search.steps().len() < 100, "it does not end: {:?}", search.steps());
            search.tell(if rate <= limit { Verdict::Held } else { Verdict::Broke("p99".into()) });
        }
        search
    }

    #[test]
    fn it_ends_near_the_limit_wherever_it_starts() {
        for start in [1.0, 100.0, 1_000.0, 1e6] {
            for limit in [3.0, 50.0, 999.0, 1_000.0, 123_456.0] {
                let held = search(start, limit).held().expect("one held");
                assert!(
                    held <= limit && held.max(held + 1.0) * NEAR_ENOUGH >= limit.floor(),
                    "{start} {limit}: {held}"
                );
            }
        }
    }

    #[test]
    fn where_no_rate_holds_it_ends_without_one() {
        let search = search(1_000.0, 0.5);
        assert_eq!(search.held(), None);
        assert!(search.lowest().is_some_and(|step| (1.0..2.0).contains(&step.rate)), "{:?}", search.steps());
        assert!(search.steps().len() <= 2 * 10, "a thousandth is ten steps down");
    }

    #[test]
    fn where_every_rate_holds_it_ends_with_the_highest_that_there_is() {
        let held = search(1_000.0, f64::INFINITY).held().expect("all do");
        assert!(held <= RATE_MAX && held > RATE_MAX / 2.0, "{held}");
    }

    #[test]
    fn one_failure_may_be_the_machines() {
        let mut search = Search::from(100.0);
        search.tell(Verdict::Broke("hiccup".into()));
        assert_eq!(search.next(), Some(100.0));
        search.tell(Verdict::Held);
        assert_eq!(search.next(), Some(200.0));
    }

    #[test]
    fn where_the_generator_is_the_limit_it_ends_and_says_so() {
        let mut search = Search::from(100.0);
        search.tell(Verdict::Held);
        search.tell(Verdict::GeneratorWasLimit("it was busy".into()));
        assert_eq!(search.next(), Some(200.0));
        search.tell(Verdict::GeneratorWasLimit("it was behind".into()));
        assert_eq!(search.stopped_by_generator(), Some("it was behind"));
        assert_eq!((search.next(), search.is_confirming()), (Some(100.0), true));
        search.tell(Verdict::Held);
        assert_eq!((search.next(), search.held()), (None, Some(100.0)));
    }

    #[test]
    fn a_generator_that_is_late_at_once_tries_a_lower_rate() {
        let mut search = Search::from(100.0);
        for _ in 0..2 {
            search.tell(Verdict::GeneratorWasLimit("it was behind".into()));
        }
        assert_eq!(search.next(), Some(50.0));
        search.tell(Verdict::Held);
        assert_eq!((search.next(), search.is_confirming()), (Some(50.0), true));
        search.tell(Verdict::Held);
        assert_eq!((search.next(), search.held()), (None, Some(50.0)));
        assert_eq!(search.stopped_by_generator(), Some("it was behind"));
    }

    #[test]
    fn what_held_by_luck_is_not_what_was_found() {
        let mut search = Search::from(100.0);
        let mut lucky = true;
        while let Some(rate) = search.next() {
            let holds = rate <= 400.0 && (rate < 400.0 || std::mem::take(&mut lucky));
            search.tell(if holds { Verdict::Held } else { Verdict::Broke("p99".into()) });
        }
        assert_eq!(search.held(), Some(200.0));
        let last = search.steps().last().expect("a step");
        assert_eq!(
            (last.rate, &last.verdict),
            (200.0, &Verdict::Held),
            "the last run is the one that is shown"
        );
    }
}
