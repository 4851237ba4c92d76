//! Where a value lies on an axis, and which values are written beside it.

/// From values to a share of the axis, 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scale {
    Linear {
        min: f64,
        max: f64,
    },
    Log {
        min: f64,
        max: f64,
    },
    /// Quantiles as HDR plots show them: each nine takes the same room.
    Quantile {
        nines: f64,
    },
}

impl Scale {
    /// From zero to a round number that is not below any of these.
    pub fn from_zero(values: impl Iterator<Item = f64>) -> Scale {
        let max = values.fold(0.0, f64::max);
        let step = round_step(max);
        Scale::Linear { min: 0.0, max: if max > 0.0 { (max / step).ceil() * step } else { 1.0 } }
    }

    /// From the lowest to the highest; by powers where they lie far apart.
    pub fn of_times(values: impl Iterator<Item = f64> + Clone) -> Scale {
        let max = values.clone().fold(0.0, f64::max);
        let min = values.filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        if min.is_finite() && max / min > 5.0 {
            Scale::Log { min: below(min), max: above(max) }
        } else {
            Scale::from_zero([max].into_iter())
        }
    }

    pub fn place(self, value: f64) -> f64 {
        let share = match self {
            Scale::Linear { min, max } => (value - min) / (max - min),
            Scale::Log { min, max } => (value.max(min) / min).ln() / (max / min).ln(),
            Scale::Quantile { nines } => -(1.0 - value).max(0.1_f64.powf(nines)).log10() / nines,
        };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    pub fn ticks(self) -> Vec<f64> {
        match self {
            Scale::Linear { min, max } => {
                let step = round_step(max - min);
                (0..=10).map(|n| min + step * f64::from(n)).filter(|tick| *tick <= max * 1.000_1).collect()
            }
            Scale::Log { min, max } => {
                let decades: Vec<f64> = (0..=12).map(|n| 10_f64.powi(n)).collect();
                let within = |tick: &f64| *tick >= min * 0.999 && *tick <= max * 1.001;
                let fine = decades.iter().flat_map(|ten| [*ten, ten * 2.0, ten * 5.0]).filter(within);
                let fine: Vec<f64> = fine.collect();
                if fine.len() <= 9 { fine } else { decades.into_iter().filter(within).collect() }
            }
            Scale::Quantile { nines } => {
                let all = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.999_99, 0.999_999];
                all.into_iter().filter(|q: &f64| -(1.0 - q).log10() <= nines + 1e-6).collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, so that about five of them make up the range.
fn round_step(range: f64) -> f64 {
    let raw = (range / 5.0).max(1e-9);
    let ten = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * ten >= raw * 0.999).unwrap_or(10.0);
    factor * ten
}

fn below(value: f64) -> f64 {
    let ten = 10_f64.powf(value.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|factor| factor * ten).find(|tick| *tick <= value).unwrap_or(ten)
}

fn above(value: f64) -> f64 {
    let ten = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * ten)
        .find(|tick| *tick >= value)
        .unwrap_or(ten * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(Scale::from_zero([870.0].into_iter()).ticks(), [0.0, 200.0, 400.0, 600.0, 800.0, 1_000.0]);
        assert_eq!(Scale::from_zero([].into_iter()).ticks().first(), Some(&0.0));
        let log = Scale::of_times([300.0, 42_000.0].into_iter());
        assert_eq!(log, Scale::Log { min: 200.0, max: 50_000.0 });
        assert!(log.ticks().iter().all(|tick| (0.0..=1.0).contains(&log.place(*tick))));
    }

    #[test]
    fn every_nine_takes_the_same_room() {
        let scale = Scale::Quantile { nines: 4.0 };
        let places = [0.0, 0.9, 0.99, 0.9999, 1.0].map(|q| (scale.place(q) * 100.0).round());
        assert_eq!(places, [0.0, 25.0, 50.0, 100.0, 100.0]);
    }
}
