//! What the floors understand, which is next to nothing: native frames that everybody gets, their sender included. The
//! floor never looks into them. So a client says what it wants the others to hear.

use super::native;
use super::{Heard, Step, Template};
use crate::wire::Flags;
use crate::wire::frame::Said;
use crate::wire::header::put;

/// As long as the names that clients have elsewhere, so that the same load is as many bytes.
const NAME: &str = "b00000000";

const CHANNEL: u32 = 1;

/// What fits into a frame behind the name.
pub const RELAY_MAX: usize = native::RELAY_MAX - NAME.len() - 1;

pub fn template(text: &[u8]) -> Template {
    let mut bytes = Vec::new();
    let filler = std::str::from_utf8(text).unwrap_or_default();
    put(&mut bytes, Flags::NONE, CHANNEL, &Said { by: NAME, text: filler });
    let marker_at = bytes.len() - text.len();
    Template { bytes, marker_at }
}

/// As native, but that a question is its own answer: whoever hears it is known to the floor.
#[inline]
pub fn next(bytes: &[u8]) -> Result<Step<'_>, String> {
    Ok(match native::next(bytes)? {
        Step::Whole { len, heard: Heard::Ping(token) } => {
            let token = token.first_chunk().map_or(0, |token| u64::from_be_bytes(*token));
            Step::Whole { len, heard: Heard::Pong(token) }
        }
        step => step,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Kind;

    #[test]
    fn what_one_says_is_what_all_hear() {
        let Template { bytes, .. } = template(b"xxxxx");
        assert_eq!(bytes.first(), Some(&(Kind::Said as u8)));
        assert_eq!(next(&bytes), Ok(Step::Whole { len: bytes.len(), heard: Heard::Message(b"xxxxx") }));
        let mut ping = Vec::new();
        native::ask(&mut ping, 9);
        assert_eq!(next(&ping), Ok(Step::Whole { len: ping.len(), heard: Heard::Pong(9) }));
    }
}
