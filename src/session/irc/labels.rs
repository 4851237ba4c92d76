//! Answers that bear the label of the question (IRCv3 labeled-response): one line with it, several in a batch with it,
//! or ACK where there is nothing to say.

use crate::session::Surroundings;
use crate::wire::irc::tags::Tags;
use crate::wire::irc::{Capabilities, Capability, LineHead, Source};

/// The longest label, in bytes (labeled-response, "Tags").
const LABEL_BYTES_MAX: usize = 64;

/// How much of an answer is kept until it is known whether it is one line. Beyond, it is a batch that has begun.
const KEPT_BYTES_MAX: usize = 16 * 1_024;

/// What is between the beginning and the end of a batch refers to it by this. Once at a time is enough: a batch ends
/// before the next one begins.
const REFERENCE: &str = "a";

/// The label of the line that is being carried out, and what was answered so far.
pub struct Labelled {
    label: Box<str>,
    /// Whole lines that were not sent yet.
    pub lines: Vec<u8>,
    /// A batch has begun, and what was sent is in it.
    has_begun: bool,
}

/// The label of a line, where labels were agreed on.
pub fn of(capabilities: Capabilities, tags: &Tags<'_>) -> Option<Box<Labelled>> {
    if !capabilities.has(Capability::LabeledResponse) {
        return None;
    }
    let label = tags.find("label")?.value();
    let is_fit = !label.is_empty() && label.len() <= LABEL_BYTES_MAX;
    is_fit.then(|| Box::new(Labelled { label: label.into(), lines: Vec::new(), has_begun: false }))
}

impl Labelled {
    /// Sends what is too much to be kept, as the beginning of a batch that goes on.
    pub fn relieve(&mut self, world: &Surroundings, out: &mut Vec<u8>) {
        if self.has_begun || self.lines.len() > KEPT_BYTES_MAX {
            self.go_on(world, out);
        }
    }

    /// What has been answered, from here on with the label.
    pub fn close(mut self, world: &Surroundings, out: &mut Vec<u8>) {
        let mut lines = self.lines.split_inclusive(|&byte| byte == b'\n');
        match (lines.next(), lines.next()) {
            (None, _) if !self.has_begun => {
                let line = LineHead::begin(out).tag("label", &self.label);
                line.command(Source::Server(&world.server.name), "ACK").end();
            }
            (Some(_), None) if !self.has_begun => put_tagged(out, "label", &self.label, &self.lines),
            // An answer that is a batch of its own has the label on its beginning.
            (Some(first), Some(_)) if !self.has_begun && is_one_batch(&self.lines) => {
                put_tagged(out, "label", &self.label, first);
                out.extend_from_slice(self.lines.get(first.len()..).unwrap_or_default());
            }
            _ => {
                self.go_on(world, out);
                let line = LineHead::begin(out).command(Source::Server(&world.server.name), "BATCH");
                line.param(format_args!("-{REFERENCE}")).end();
            }
        }
    }

    /// The next lines of the batch, and its beginning in front of the first.
    fn go_on(&mut self, world: &Surroundings, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            let line = LineHead::begin(out).tag("label", &self.label);
            let body = line.command(Source::Server(&world.server.name), "BATCH");
            body.param(format_args!("+{REFERENCE}")).param("labeled-response").end();
        }
        for line in self.lines.split_inclusive(|&byte| byte == b'\n') {
            // What is in a batch within this one is in that.
            match line.starts_with(b"@batch=") {
                true => out.extend_from_slice(line),
                false => put_tagged(out, "batch", REFERENCE, line),
            }
        }
        self.lines.clear();
        self.lines.shrink_to(KEPT_BYTES_MAX);
    }
}

/// Whether all lines but the first and the last are in the batch that these begin and end.
fn is_one_batch(lines: &[u8]) -> bool {
    let lines: Vec<&[u8]> = lines.split_inclusive(|&byte| byte == b'\n').collect();
    let [first, between @ .., last] = &lines[..] else { return false };
    let is = |line: &[u8], what: &[u8]| {
        line.split(|&byte| byte == b' ').skip(1).collect::<Vec<_>>().starts_with(&[what])
    };
    is(first, b"BATCH") && is(last, b"BATCH") && between.iter().all(|line| line.starts_with(b"@batch="))
}

/// Puts one more tag in front of a line.
fn put_tagged(out: &mut Vec<u8>, key: &str, value: &str, line: &[u8]) {
    let _ = LineHead::begin(out).tag(key, value); // the rest of the line is there already
    let (between, rest) = match line.strip_prefix(b"@") {
        Some(tags) => (b';', tags),
        None => (b' ', line),
    };
    out.push(between);
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Limits;
    use crate::session::Description;

    /// What leaves of an answer that comes in these pieces.
    fn sent(pieces: &[&str]) -> String {
        let world = Surroundings::new(Description::default(), Limits::default());
        let mut label = Labelled { label: "l;1".into(), lines: Vec::new(), has_begun: false };
        let mut out = Vec::new();
        for piece in pieces {
            label.lines.extend_from_slice(piece.as_bytes());
            label.relieve(&world, &mut out);
        }
        label.close(&world, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn nothing_one_line_or_a_batch() {
        assert_eq!(sent(&[]), "@label=l\\:1 :switchboard.local ACK\r\n");
        assert_eq!(sent(&[":x 1\r\n"]), "@label=l\\:1 :x 1\r\n");
        assert_eq!(sent(&["@time=0 :x 1\r\n"]), "@label=l\\:1;time=0 :x 1\r\n");
        let own = [":x BATCH +h chathistory #a\r\n", "@batch=h :x 1\r\n", ":x BATCH -h\r\n"];
        assert_eq!(sent(&own), format!("@label=l\\:1 {}", own.concat()));
        let batch = "@label=l\\:1 :switchboard.local BATCH +a labeled-response\r\n\
                     @batch=a :x 1\r\n@batch=a :x 2\r\n:switchboard.local BATCH -a\r\n";
        assert_eq!(sent(&[":x 1\r\n", ":x 2\r\n"]), batch);
    }

    #[test]
    fn what_is_too_much_to_be_kept_leaves_before_the_end() {
        let piece = ":x some text\r\n".repeat(100);
        let pieces = [piece.as_str(); 50];
        let all = sent(&pieces);
        let lines: Vec<&str> = all.lines().collect();
        assert_eq!(lines.len(), 5_002);
        assert!(lines[1..5_001].iter().all(|line| *line == "@batch=a :x some text"));
        assert!(lines[0].ends_with("BATCH +a labeled-response") && lines[5_001].ends_with("BATCH -a"));
        // And what is kept stays small.
        let world = Surroundings::new(Description::default(), Limits::default());
        let mut label = Labelled { label: "1".into(), lines: Vec::new(), has_begun: false };
        for piece in pieces {
            label.lines.extend_from_slice(piece.as_bytes());
            label.relieve(&world, &mut Vec::new());
            assert!(label.lines.len() <= KEPT_BYTES_MAX);
        }
    }
}
