//! Numbers as people read them: three digits that count, and the unit that suits.

/// 1.58 ms.
pub fn nanoseconds(n: f64) -> String {
    match n {
        n if n < 1e3 => format!("{} ns", three(n)),
        n if n < 1e6 => format!("{} µs", three(n / 1e3)),
        n if n < 1e9 => format!("{} ms", three(n / 1e6)),
        n => format!("{} s", three(n / 1e9)),
    }
}

/// 3.2 KiB.
pub fn bytes(n: f64) -> String {
    const KIB: f64 = 1_024.0;
    match n {
        n if n < KIB => format!("{} B", three(n)),
        n if n < KIB * KIB => format!("{} KiB", three(n / KIB)),
        n if n < KIB * KIB * KIB => format!("{} MiB", three(n / KIB / KIB)),
        n => format!("{} GiB", three(n / KIB / KIB / KIB)),
    }
}

/// 1,234,567; fractions only of what is small.
pub fn count(n: f64) -> String {
    if n.abs() < 100.0 {
        return three(n);
    }
    let whole = super::super::words::count(n.abs().round() as usize);
    if n < 0.0 { format!("-{whole}") } else { whole }
}

/// 0.56: three digits where it is small, so that a hundredth is told from two.
pub fn ratio(n: f64) -> String {
    match n {
        n if n < 0.1 => format!("{n:.4}"),
        n if n < 10.0 => format!("{n:.2}"),
        n => format!("{n:.1}"),
    }
}

/// 1.2 M: for axes.
pub fn short(n: f64) -> String {
    match n {
        n if n < 1e3 => three(n),
        n if n < 1e6 => format!("{} k", three(n / 1e3)),
        n if n < 1e9 => format!("{} M", three(n / 1e6)),
        n => format!("{} G", three(n / 1e9)),
    }
}

/// 2026-03-01 12:34 UTC, of seconds since 1970. The calendar of days is that of Howard Hinnant's `civil_from_days`.
pub fn date(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", second / 3_600, second / 60 % 60)
}

/// Three digits, without zeros behind the point that say nothing.
fn three(n: f64) -> String {
    let text = match n.abs() {
        size if size >= 99.95 => return format!("{n:.0}"),
        size if size >= 9.995 => format!("{n:.1}"),
        _ => format!("{n:.2}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_that_suits() {
        let shown = [0.0, 31.96, 740.0, 1_581_000.0, 4.2e10].map(nanoseconds);
        assert_eq!(shown, ["0 ns", "32 ns", "740 ns", "1.58 ms", "42 s"]);
        assert_eq!([512.0, 3_277.0, 5e6].map(bytes), ["512 B", "3.2 KiB", "4.77 MiB"]);
        assert_eq!([0.0, 1.5, 99.0, 1_234_567.0].map(count), ["0", "1.5", "99", "1,234,567"]);
        assert_eq!(
            [0, 951_827_696, 1_767_225_599].map(date),
            ["1970-01-01 00:00 UTC", "2000-02-29 12:34 UTC", "2025-12-31 23:59 UTC"]
        );
        assert_eq!([5.0, 50_000.0, 30.6e6].map(short), ["5", "50 k", "30.6 M"]);
    }
}
