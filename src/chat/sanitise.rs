//! Text from others, made safe for a terminal and kept to one line.
//!
//! A terminal obeys what it is shown: an escape sequence in a message could move the cursor, rename the window or
//! fake somebody else's line, and a bidi override can make a line read as what it is not. Nothing is hidden that
//! could matter; what could act becomes visible instead. Formatting codes of IRC clients, which their senders mean
//! well, are taken out.

use std::borrow::Cow;

/// What a character that must not reach a terminal becomes, unless it has a caret form (`^[`).
const REPLACEMENT: char = '\u{fffd}';

/// mIRC formatting: bold, colour, hex colour, reset, monospace, reverse, italics, strikethrough, underline
/// (<https://modern.ircdocs.horse/formatting>).
const COLOUR: char = '\u{3}';
const HEX_COLOUR: char = '\u{4}';
const TOGGLES: [char; 7] = ['\u{2}', '\u{f}', '\u{11}', '\u{16}', '\u{1d}', '\u{1e}', '\u{1f}'];

/// One line that a terminal shows as it is. A tab stays a tab: scripts may rely on it, and it can do no harm.
pub fn sanitise(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_formatting(c) || acts(c)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            COLOUR => skip_colours(&mut rest, 2, |c| c.is_ascii_digit()),
            HEX_COLOUR => skip_colours(&mut rest, 6, |c| c.is_ascii_hexdigit()),
            c if is_formatting(c) => {}
            c if acts(c) => push_visible(&mut clean, c),
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

fn is_formatting(c: char) -> bool {
    c == COLOUR || c == HEX_COLOUR || TOGGLES.contains(&c)
}

/// Whether a terminal, or whoever reads lines, would do something else with it than show it. The joiners U+200C and
/// U+200D are not among these: several scripts and most emoji need them.
fn acts(c: char) -> bool {
    match c {
        '\t' => false,
        // C0, DEL and C1.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Bidi marks, embeddings, overrides and isolates.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Line and paragraph separators.
        '\u{2028}' | '\u{2029}' => true,
        // Invisible: zero-width space, word joiner and invisible operators, deprecated controls, byte order mark,
        // interlinear annotation.
        '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' => true,
        '\u{fff9}'..='\u{fffb}' => true,
        _ => false,
    }
}

fn push_visible(clean: &mut String, c: char) {
    match c {
        '\0'..='\u{1f}' | '\u{7f}' => clean.extend(['^', char::from(c as u8 ^ 0x40)]),
        _ => clean.push(REPLACEMENT),
    }
}

/// Skips the foreground and, behind a comma, the background of a colour code; a comma without a colour behind it is
/// text.
fn skip_colours(rest: &mut std::str::Chars<'_>, digits_max: usize, is_digit: impl Fn(char) -> bool) {
    if skip_digits(rest, digits_max, &is_digit) == 0 {
        return;
    }
    let mut background = rest.clone();
    if background.next() == Some(',') && skip_digits(&mut background, digits_max, &is_digit) > 0 {
        *rest = background;
    }
}

fn skip_digits(rest: &mut std::str::Chars<'_>, max: usize, is_digit: impl Fn(char) -> bool) -> usize {
    let count = rest.clone().take(max).take_while(|&c| is_digit(c)).count();
    for _ in 0..count {
        rest.next();
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_text_is_not_even_copied() {
        for text in ["", "hello", "tab\tstays", "héllo жук 日本", "👩‍👩‍👧 می‌خواهم", "a\u{301}"]
        {
            assert!(matches!(sanitise(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        for (text, expected) in [
            ("\u{1b}[2Jgone", "^[[2Jgone"),
            ("\u{1b}]0;title\u{7}", "^[]0;title^G"),
            ("a\r\nb\0c", "a^M^Jb^@c"),
            ("del\u{7f}", "del^?"),
            ("\u{9b}31m c1 \u{85}", "\u{fffd}31m c1 \u{fffd}"),
            ("user\u{202e}txt.exe", "user\u{fffd}txt.exe"),
            ("a\u{2066}b\u{2069}\u{200f}", "a\u{fffd}b\u{fffd}\u{fffd}"),
            ("one\u{2028}two\u{2029}", "one\u{fffd}two\u{fffd}"),
            ("\u{feff}\u{200b}", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(sanitise(text), expected, "{text:?}");
        }
    }

    #[test]
    fn irc_formatting_is_taken_out_and_the_text_around_it_stays() {
        for (text, expected) in [
            ("\u{2}bold\u{2} \u{1d}it\u{f}", "bold it"),
            ("\u{3}4red\u{3}", "red"),
            ("\u{3}04,12both", "both"),
            ("\u{3}123", "3"),
            ("\u{3}4,text", ",text"),
            ("\u{3},5", ",5"),
            ("\u{4}FF00ff,00FF00hex", "hex"),
            ("\u{16}\u{11}\u{1e}\u{1f}x", "x"),
        ] {
            assert_eq!(sanitise(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_in_one_harmless_line_comes_out(text in any::<String>()) {
            let clean = sanitise(&text);
            prop_assert!(!clean.chars().any(|c| acts(c) || is_formatting(c)));
            prop_assert_eq!(sanitise(&clean), clean.as_ref(), "what is clean stays as it is");
        }
    }
}
