//! Several rounds of one figure: the median, and how far they lie apart.

use std::fmt;

/// Figures are believed as far as their rounds agree.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
    pub rounds: usize,
}

impl Spread {
    /// `None` of nothing. Of an even number, the median is the mean of the two in the middle.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = figures.into_iter().filter(|figure| figure.is_finite()).collect();
        figures.sort_by(f64::total_cmp);
        let (rounds, (least, most)) = (figures.len(), (*figures.first()?, *figures.last()?));
        let median = (figures[(rounds - 1) / 2] + figures[rounds / 2]) / 2.0;
        Some(Spread { least, median, most, rounds })
    }

    /// With so many decimals: `1,057 (1,012-1,103)`; the extremes only where there is more than one round.
    pub fn shown(&self, decimals: usize) -> String {
        let [least, median, most] =
            [self.least, self.median, self.most].map(|figure| number(figure, decimals));
        if self.rounds == 1 { median } else { format!("{median} ({least}-{most})") }
    }
}

/// A ratio.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(2))
    }
}

/// As people read it: `25,000`.
pub fn number(figure: f64, decimals: usize) -> String {
    let digits = format!("{figure:.decimals$}");
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}
