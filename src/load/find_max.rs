//! The highest rate that holds: doubled until one does not, then halved in between.
//!
//! Pure: it says which rate to try next, and is told how that went.

/// Where the two ends are this near, it is found: the machine's own noise is more.
const NEAR_ENOUGH: f64 = 1.05;

/// Below this there is nothing to look for.
const RATE_MIN: f64 = 1.0;

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
    steps: Vec<Step>,
}

impl Search {
    pub fn from(rate: f64) -> Self {
        Self { next: Some(rate.max(RATE_MIN)), held: None, broke: None, failures: 0, steps: Vec::new() }
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

    /// Why it ended before it was found, if it did.
    pub fn stopped_by_generator(&self) -> Option<&str> {
        match self.steps.last().map(|step| &step.verdict) {
            Some(Verdict::GeneratorWasLimit(sentence)) => Some(sentence),
            _ => None,
        }
    }

    /// How [`Self::next`] went.
    pub fn tell(&mut self, verdict: Verdict) {
        let Some(rate) = self.next else { return };
        self.next = match &verdict {
            Verdict::Held => {
                self.failures = 0;
                self.held = Some(rate);
                self.choose()
            }
            Verdict::Broke(_) | Verdict::GeneratorWasLimit(_) if self.failures + 1 < TRIES => {
                self.failures += 1;
                Some(rate)
            }
            Verdict::Broke(_) => {
                self.failures = 0;
                self.broke = Some(rate);
                self.choose()
            }
            Verdict::GeneratorWasLimit(_) => None,
        };
        self.steps.push(Step { rate, verdict });
    }

    fn choose(&self) -> Option<f64> {
        match (self.held, self.broke) {
            (Some(held), None) => Some(held * 2.0),
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
        assert_eq!(search(1_000.0, 0.5).held(), None);
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
        assert_eq!((search.next(), search.held()), (None, Some(100.0)));
        assert_eq!(search.stopped_by_generator(), Some("it was behind"));
    }
}
