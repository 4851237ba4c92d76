//! Answers that bear the label of the question (IRCv3 labeled-response): one line with it, several in a batch with it,
//! or ACK where there is nothing to say.

use crate::session::Surroundings;
use crate::wire::irc::{Capabilities, Capability, LineHead, Message, Source};
use memchr::memchr_iter;

/// The longest label, in bytes (labeled-response, "Tags").
const LABEL_BYTES_MAX: usize = 64;

/// How much of an answer is kept until it is known whether it is one line. Beyond, it is a batch that has begun.
const KEPT_BYTES_MAX: usize = 16 * 1_024;

/// The label of the line that is being carried out, and what was answered so far.
pub struct Labelled {
    label: Box<str>,
    pub lines: Vec<u8>,
}

/// The label of a line, where labels were agreed on.
pub fn of(capabilities: Capabilities, message: &Message<'_>) -> Option<Box<Labelled>> {
    if !capabilities.has(Capability::LabeledResponse) {
        return None;
    }
    let label = message.tags.find("label")?.value();
    let is_fit = !label.is_empty() && label.len() <= LABEL_BYTES_MAX;
    is_fit.then(|| Box::new(Labelled { label: label.into(), lines: Vec::new() }))
}

impl Labelled {
    /// What has been answered, from here on with the label.
    pub fn close(self, world: &Surroundings, out: &mut Vec<u8>) {
        let Labelled { label, lines } = self;
        let server = Source::Server(&world.server.name);
        let mut ends = memchr_iter(b'\n', &lines);
        match (ends.next(), ends.next()) {
            (None, _) => LineHead::begin(out).tag("label", label).command(server, "ACK").end(),
            (Some(_), None) => put_tagged(out, "label", &label, &lines),
            (Some(_), Some(_)) => {
                // Once at a time is enough: a batch ends before the next one begins.
                const REFERENCE: &str = "a";
                let begin = LineHead::begin(out).tag("label", label).command(server, "BATCH");
                begin.param(format_args!("+{REFERENCE}")).param("labeled-response").end();
                for line in lines.split_inclusive(|&byte| byte == b'\n') {
                    put_tagged(out, "batch", REFERENCE, line);
                }
                LineHead::begin(out).command(server, "BATCH").param(format_args!("-{REFERENCE}")).end();
            }
        }
    }
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
