//! Output with holes: `…` in a line stands for any characters, and a line that is nothing else for any number of lines.

use std::ops::Range;

/// That `lines` are as the pattern has them, from the first to the last.
///
/// # Errors
/// The lines of the pattern that are not there.
pub fn whole(pattern: &str, lines: &[String]) -> Result<(), String> {
    let at = find(pattern, lines, true)?;
    let is_open = pattern.lines().last() == Some("…");
    if at == lines.len() || is_open {
        return Ok(());
    }
    Err(format!("there is more than the page shows:\n{}", lines[at..].join("\n")))
}

/// That `lines` have the pattern somewhere.
///
/// # Errors
/// As [`whole`].
pub fn within(pattern: &str, lines: &[String]) -> Result<(), String> {
    find(pattern, lines, false).map(drop)
}

/// Finds the runs of lines between the holes, one behind the other. Returns where the last of them ends.
fn find(pattern: &str, lines: &[String], from_start: bool) -> Result<usize, String> {
    let pattern: Vec<&str> = pattern.lines().collect();
    let mut at = 0;
    for (n, run) in pattern.split(|line| *line == "…").enumerate() {
        let last = lines.len().checked_sub(run.len());
        let mut starts: Range<usize> = at..last.map_or(at, |last| last + 1);
        if from_start && n == 0 {
            starts.end = starts.end.min(1);
        }
        let is_here = |start: &usize| run.iter().zip(&lines[*start..]).all(|(p, line)| matches(p, line));
        let missing = || format!("not there, or not in its place:\n{}", run.join("\n"));
        at = starts.into_iter().find(is_here).ok_or_else(missing)? + run.len();
    }
    Ok(at)
}

/// Whether a line is as its pattern has it.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.is_empty()
}

#[test]
fn a_line_is_matched_from_end_to_end() {
    for (pattern, line) in
        [("abc", "abc"), ("a…c", "abbc"), ("…", ""), ("…b…", "abc"), ("a…a", "aaa"), ("", "")]
    {
        assert!(matches(pattern, line), "{pattern} {line}");
    }
    for (pattern, line) in
        [("abc", "abcd"), ("a…c", "abcd"), ("a…a", "a"), ("x…", "abc"), ("…b…b", "ab"), ("", "a")]
    {
        assert!(!matches(pattern, line), "{pattern} {line}");
    }
}

#[test]
fn lines_follow_each_other_unless_there_is_a_hole() {
    let lines = ["a", "b", "a", "c", "d"].map(str::to_owned);
    for pattern in ["a\nc", "b\n…\nd", "…\nd", "a\nb\n…\na\nc", ""] {
        assert_eq!(within(pattern, &lines), Ok(()), "{pattern:?}");
    }
    for pattern in ["a\nd", "d\n…\na", "b\n…\nb", "d\ne"] {
        assert!(within(pattern, &lines).is_err(), "{pattern:?}");
    }
    for pattern in ["a\nb\na\nc\nd", "a\n…", "…\nd", "a\n…\nd"] {
        assert_eq!(whole(pattern, &lines), Ok(()), "{pattern:?}");
    }
    for pattern in ["a\nb", "b\n…", "…\nc", "a\nc\n…"] {
        assert!(whole(pattern, &lines).is_err(), "{pattern:?}");
    }
}
