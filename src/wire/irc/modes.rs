//! Changes of modes: `+ov-b dan ann *!*@spam.example`.
//!
//! Which letters there are and which of them take a parameter is a table that the caller has (ISUPPORT CHANMODES and
//! PREFIX). Parameters come in the order of the letters that take one (Modern IRC, "MODE message"). A letter without a
//! sign before it is set.

use super::message::PARAMS_MAX;
use super::write::{LineBody, LineHead};
use std::fmt::{self, Write};

/// As many parameters as a line of changes has at most: with client, channel and letters before them, they are within
/// [`PARAMS_MAX`].
pub const CHANGED_MAX: usize = PARAMS_MAX - 3;

/// When a mode has a parameter; the four groups of ISUPPORT CHANMODES, and those of PREFIX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModeKind {
    /// A, a list of masks: with one, it is changed; without, it is asked for.
    List,
    /// B: always.
    Always,
    /// C: when it is set.
    WhenSet,
    /// D: never.
    Never,
    /// A rank in the channel, which somebody has: always.
    Rank,
}

/// The letters there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ModeTable<'t>(pub &'t [(char, ModeKind)]);

impl<'t> ModeTable<'t> {
    pub fn kind(self, letter: char) -> Option<ModeKind> {
        self.letters().find(|&(known, _)| known == letter).map(|(_, kind)| kind)
    }

    pub fn letters(self) -> impl Iterator<Item = (char, ModeKind)> + 't {
        self.0.iter().copied()
    }

    /// What ISUPPORT says of them: `beI,k,l,imnst`.
    pub fn chanmodes(self) -> impl fmt::Display + 't {
        Chanmodes(self)
    }
}

struct Chanmodes<'t>(ModeTable<'t>);

impl fmt::Display for Chanmodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = [ModeKind::List, ModeKind::Always, ModeKind::WhenSet, ModeKind::Never];
        for (n, group) in groups.into_iter().enumerate() {
            f.write_str(if n == 0 { "" } else { "," })?;
            let mut letters = self.0.letters().filter(|&(_, kind)| kind == group);
            letters.try_for_each(|(letter, _)| f.write_char(letter))?;
        }
        Ok(())
    }
}

/// One letter with what belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ModeChange<'a> {
    pub adding: bool,
    pub letter: char,
    /// `None` for a [`ModeKind::List`] means that the list is asked for.
    pub param: Option<&'a str>,
}

/// Why one letter changes nothing. Those behind it are not touched by that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModeError {
    /// There is no such mode. Told once of every letter, and once of all beyond ASCII.
    Unknown(char),
    /// Its parameter is missing. Told once of every letter.
    ParamMissing { adding: bool, letter: char },
}

/// The changes of one line, in order.
///
/// What comes out is bounded by more than the length of the line: of changes with a parameter there are at most as many
/// as the caller says, and what is behind them is not looked at; a list is asked for once; and errors are not repeated.
#[derive(Clone, Debug)]
pub struct ModeChanges<'a, 'p> {
    table: ModeTable<'a>,
    letters: std::str::Chars<'a>,
    params: &'p [&'a str],
    params_left: usize,
    adding: bool,
    told: Letters,
    beyond: Option<ModeChange<'a>>,
}

impl<'a, 'p> ModeChanges<'a, 'p> {
    /// `params` begin with the letters and their signs: they are what follows a command's target. `params_max` is
    /// ISUPPORT MODES.
    pub fn new(table: ModeTable<'a>, params: &'p [&'a str], params_max: usize) -> Self {
        let (letters, params) = params.split_first().map_or(("", params), |(first, rest)| (*first, rest));
        let (adding, told) = (true, Letters::default());
        let letters = letters.chars();
        ModeChanges { table, letters, params, params_left: params_max, adding, told, beyond: None }
    }

    /// The change at which the others ended, as there were too many with a parameter.
    pub fn beyond(&self) -> Option<ModeChange<'a>> {
        self.beyond
    }

    fn param(&mut self) -> Option<&'a str> {
        let (&param, rest) = self.params.split_first()?;
        self.params = rest;
        Some(param)
    }

    /// What a letter does, or nothing where that has been said.
    fn change(&mut self, letter: char) -> Option<Result<ModeChange<'a>, ModeError>> {
        let adding = self.adding;
        let Some(kind) = self.table.kind(letter) else {
            return self.told.first(letter).then_some(Err(ModeError::Unknown(letter)));
        };
        let takes_one = match kind {
            ModeKind::Never => false,
            ModeKind::WhenSet => adding,
            ModeKind::List | ModeKind::Always | ModeKind::Rank => true,
        };
        let param = if takes_one { self.param() } else { None };
        if takes_one && param.is_none() {
            let asks = kind == ModeKind::List;
            let change = ModeChange { adding, letter, param: None };
            let said = if asks { Ok(change) } else { Err(ModeError::ParamMissing { adding, letter }) };
            return self.told.first(letter).then_some(said);
        }
        Some(Ok(ModeChange { adding, letter, param }))
    }
}

impl<'a> Iterator for ModeChanges<'a, '_> {
    type Item = Result<ModeChange<'a>, ModeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.letters.next()? {
                '+' => self.adding = true,
                '-' => self.adding = false,
                letter => match self.change(letter) {
                    Some(Ok(change @ ModeChange { param: Some(_), .. })) if self.params_left == 0 => {
                        self.beyond = Some(change);
                        self.letters = "".chars();
                        return None;
                    }
                    Some(said) => {
                        self.params_left -=
                            usize::from(matches!(said, Ok(ModeChange { param: Some(_), .. })));
                        return Some(said);
                    }
                    None => {}
                },
            }
        }
    }
}

/// Letters that something was said of; all beyond ASCII are one.
#[derive(Clone, Copy, Default, Debug)]
struct Letters(u128);

impl Letters {
    fn first(&mut self, letter: char) -> bool {
        let bit = 1u128 << u32::from(letter).min(127);
        let is_first = self.0 & bit == 0;
        self.0 |= bit;
        is_first
    }
}

/// Writes changes as lines: as few as hold them, each with at most `params_max` parameters (ISUPPORT MODES; at most
/// [`CHANGED_MAX`]) and whole.
/// Signs are merged, and none is written where nothing changes. `begin` writes what stands in front of the letters,
/// once for every line: `:dan!d@host MODE #tea`, or 324 and its channel.
pub fn put_modes(
    out: &mut Vec<u8>,
    changes: &[ModeChange<'_>],
    params_max: usize,
    mut begin: impl for<'l> FnMut(LineHead<'l>) -> LineBody<'l>,
) {
    let mut rest = changes;
    while !rest.is_empty() {
        let body = begin(LineHead::begin(&mut *out));
        let count = fitting(rest, body.room().saturating_sub(1), params_max.clamp(1, CHANGED_MAX));
        let (now, later) = rest.split_at_checked(count.max(1)).unwrap_or((rest, &[]));
        let mut body = body.param(Signed(now));
        for param in now.iter().filter_map(|change| change.param) {
            body = body.param(param);
        }
        body.end();
        rest = later;
    }
}

/// How many of the changes stand in `room` bytes.
fn fitting(changes: &[ModeChange<'_>], room: usize, params_max: usize) -> usize {
    let (mut used, mut params, mut adding) = (0, 0, None);
    let fits = |change: &&ModeChange<'_>| {
        used += usize::from(adding.replace(change.adding) != Some(change.adding)) + change.letter.len_utf8();
        if let Some(param) = change.param {
            params += 1;
            used += 1 + param.len().max(1);
        }
        used <= room && params <= params_max
    };
    changes.iter().take_while(fits).count()
}

/// `+ov-b`.
struct Signed<'c, 'a>(&'c [ModeChange<'a>]);

impl fmt::Display for Signed<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut adding = None;
        for change in self.0 {
            if adding.replace(change.adding) != Some(change.adding) {
                f.write_char(if change.adding { '+' } else { '-' })?;
            }
            f.write_char(change.letter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;
    use proptest::prelude::*;

    const TABLE: ModeTable<'static> = ModeTable(&[
        ('b', ModeKind::List),
        ('e', ModeKind::List),
        ('k', ModeKind::Always),
        ('l', ModeKind::WhenSet),
        ('m', ModeKind::Never),
        ('t', ModeKind::Never),
        ('o', ModeKind::Rank),
        ('v', ModeKind::Rank),
    ]);

    fn set(letter: char, param: Option<&str>) -> Result<ModeChange<'_>, ModeError> {
        Ok(ModeChange { adding: true, letter, param })
    }

    fn unset(letter: char, param: Option<&str>) -> Result<ModeChange<'_>, ModeError> {
        Ok(ModeChange { adding: false, letter, param })
    }

    fn changes<'a>(params: &[&'a str], params_max: usize) -> Vec<Result<ModeChange<'a>, ModeError>> {
        ModeChanges::new(TABLE, params, params_max).collect()
    }

    #[test]
    fn letters_take_their_parameters_in_order() {
        assert_eq!(
            changes(&["+ov-b+m-l+l", "dan", "ann", "*!*@x", "9", "left over"], 9),
            [
                set('o', Some("dan")),
                set('v', Some("ann")),
                unset('b', Some("*!*@x")),
                set('m', None),
                unset('l', None),
                set('l', Some("9")),
            ]
        );
        assert_eq!(changes(&["m-k+", "key"], 9), [set('m', None), unset('k', Some("key"))]);
        assert_eq!(changes(&["+k", ""], 9), [set('k', Some(""))]);
        assert!(changes(&[], 9).is_empty() && changes(&["+-"], 9).is_empty());
    }

    #[test]
    fn a_list_without_a_mask_is_asked_for_once() {
        assert_eq!(changes(&["b"], 9), [set('b', None)]);
        assert_eq!(changes(&["+bbebb"], 9), [set('b', None), set('e', None)]);
        assert_eq!(changes(&["-b+b", "x"], 9), [unset('b', Some("x")), set('b', None)]);
    }

    #[test]
    fn what_is_wrong_is_told_in_its_place_and_the_rest_goes_on() {
        let missing = |letter| Err(ModeError::ParamMissing { adding: true, letter });
        assert_eq!(changes(&["+xmo"], 9), [Err(ModeError::Unknown('x')), set('m', None), missing('o')]);
        assert_eq!(changes(&["+xxéxå日"], 9), [Err(ModeError::Unknown('x')), Err(ModeError::Unknown('é'))]);
        assert_eq!(changes(&["ooo"], 9), [missing('o')]);
        let all = (0..=0x2000).filter_map(char::from_u32).collect::<String>();
        assert!(changes(&[&all], 9).len() <= 128);
    }

    #[test]
    fn behind_the_most_that_one_line_may_change_nothing_is_looked_at() {
        let params = ["+oomo", "a", "b", "c"];
        assert_eq!(changes(&params, 2), [set('o', Some("a")), set('o', Some("b")), set('m', None)]);
        let mut changes = ModeChanges::new(TABLE, &params, 0);
        assert_eq!((changes.next(), changes.next()), (None, None));
    }

    #[test]
    fn the_table_says_what_isupport_says() {
        assert_eq!(TABLE.chanmodes().to_string(), "be,k,l,mt");
        assert_eq!(TABLE.kind('v'), Some(ModeKind::Rank));
        assert_eq!(ModeTable(&[]).chanmodes().to_string(), ",,,");
    }

    fn written(changes: &[ModeChange<'_>], params_max: usize) -> String {
        let mut out = Vec::new();
        put_modes(&mut out, changes, params_max, |head| head.command(Source::Nobody, "MODE").param("#tea"));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn signs_are_merged_and_lines_end_where_they_must() {
        let all: Vec<_> =
            changes(&["+ov-b+m+l", "dan", "ann", "*!*@x", "9"], 9).into_iter().flatten().collect();
        assert_eq!(written(&all, 9), "MODE #tea +ov-b+ml dan ann *!*@x 9\r\n");
        assert_eq!(written(&all, 2), "MODE #tea +ov dan ann\r\nMODE #tea -b+ml *!*@x 9\r\n");
        assert_eq!(written(&all, 0).lines().count(), 4);
        assert_eq!(written(&[], 9), "");
        let long = "x".repeat(300);
        let bans = [ModeChange { adding: true, letter: 'b', param: Some(&long) }; 2];
        assert_eq!(written(&bans, 9), format!("MODE #tea +b {long}\r\n").repeat(2));
    }

    fn change() -> impl Strategy<Value = (bool, char, String)> {
        (any::<bool>(), prop::sample::select(vec!['b', 'k', 'l', 'm', 't', 'o']), "[a-zé!@*.]{1,90}")
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(all in prop::collection::vec(change(), 0..30), max in 1usize..20) {
            let all: Vec<ModeChange<'_>> = all
                .iter()
                .map(|(adding, letter, param)| {
                    let has = *letter != 'm' && *letter != 't' && (*adding || *letter != 'l');
                    ModeChange { adding: *adding, letter: *letter, param: has.then_some(param) }
                })
                .collect();
            let text = written(&all, max);
            let mut read = Vec::new();
            for line in text.split_terminator("\r\n") {
                prop_assert!(line.len() <= 510);
                let message = super::super::Message::parse(line.as_bytes()).unwrap();
                let params = message.params.rest_from(1).to_vec();
                read.extend(ModeChanges::new(TABLE, &params, max).map(|change| {
                    change.map(|c| (c.adding, c.letter, c.param.map(str::to_owned)))
                }));
            }
            let expected: Vec<_> =
                all.iter().map(|c| Ok((c.adding, c.letter, c.param.map(str::to_owned)))).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
