//! Rust source as far as `tidy` has to understand it: comments, literals and test modules blanked out, the rest in tokens.
//! Lines stay where they are.

/// One word or one punctuation mark of the code that is left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub text: String,
    /// From 1.
    pub line: usize,
    /// Whether nothing, not even a space, is between this token and the one before.
    pub adjacent: bool,
}

impl Token {
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// The tokens outside comments, literals and whatever is marked `#[cfg(test)]`.
pub fn tokens(source: &str) -> Vec<Token> {
    let code = without_tests(&without_text(source));
    let mut tokens: Vec<Token> = Vec::new();
    let (mut line, mut adjacent) = (1, false);
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            line += usize::from(c == '\n');
            adjacent = false;
            continue;
        }
        let mut text = c.to_string();
        if is_word(c) {
            while let Some(next) = chars.next_if(|&next| is_word(next)) {
                text.push(next);
            }
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            text.push(':');
        }
        tokens.push(Token { text, line, adjacent });
        adjacent = true;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The source with comments and the insides of literals turned into spaces.
fn without_text(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_text(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment or literal ends that begins at `at`; `at` itself when none does.
fn end_of_text(chars: &[char], at: usize) -> usize {
    let starts = |text: &str| chars[at..].iter().copied().take(text.len()).eq(text.chars());
    if starts("//") {
        return chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |n| at + n);
    }
    if starts("/*") {
        let mut depth = 0;
        for end in at..chars.len() {
            match (chars[end], chars.get(end + 1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) if depth == 1 => return end + 2,
                ('*', Some('/')) => depth -= 1,
                _ => {}
            }
        }
        return chars.len();
    }
    if chars[at] == '"' {
        return end_of_string(chars, at);
    }
    if chars[at] == '\'' {
        return match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('\\'), _) => {
                chars[at + 3..].iter().position(|&c| c == '\'').map_or(chars.len(), |n| at + 4 + n)
            }
            (Some(_), Some('\'')) => at + 3,
            _ => at, // a lifetime
        };
    }
    if (chars[at] == 'r') && (at == 0 || !is_word(chars[at - 1]) || chars[at - 1] == 'b') {
        let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
        let quote = at + 1 + hashes;
        if chars.get(quote) == Some(&'"') {
            let closes =
                |end: usize| chars[end] == '"' && chars[end + 1..].iter().take(hashes).eq(vec![&'#'; hashes]);
            return (quote + 1..chars.len()).find(|&end| closes(end)).map_or(chars.len(), |n| n + 1 + hashes);
        }
    }
    at
}

fn end_of_string(chars: &[char], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(&c) = chars.get(end) {
        match c {
            '"' => return end + 1,
            '\\' => end += 2,
            _ => end += 1,
        }
    }
    chars.len()
}

/// Code without the items that are marked as tests: up to the brace that closes them, or to their semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut left = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        left.push_str(&rest[..at]);
        let item = &rest[at..];
        let mut depth = 0;
        let end = item
            .char_indices()
            .find(|&(_, c)| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0 && (c == '}' || c == ';')
            })
            .map_or(item.len(), |(end, _)| end + 1);
        left.extend(item[..end].chars().filter(|&c| c == '\n'));
        rest = &item[end..];
    }
    left + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        tokens(source).into_iter().filter(Token::is_word).map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let source = r##"
            a // x
            /* x /* x */ x */ b "x \" x" 'x' '\'' '\u{41}' c<'d> b"x" r"x\" e r#"x " x"# f b'x'
        "##;
        assert_eq!(words(source), ["a", "b", "c", "d", "b", "e", "f", "b"]);
    }

    #[test]
    fn tests_are_no_code_and_lines_stay() {
        let source = "a\n#[cfg(test)]\nmod tests {\n  x { x }\n}\nb\n#[cfg(test)]\nuse x;\nc";
        let found: Vec<_> = tokens(source).into_iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(found, [("a".into(), 1), ("b".into(), 6), ("c".into(), 9)]);
    }

    #[test]
    fn paths_and_neighbours_are_seen() {
        let found = tokens("a::b [c] d[e]");
        let texts: Vec<&str> = found.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(texts, ["a", "::", "b", "[", "c", "]", "d", "[", "e", "]"]);
        assert!(!found[3].adjacent && found[7].adjacent);
    }
}
