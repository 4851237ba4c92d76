//! The one that calls, for whom the peer is also the server.

use super::dialogue::{CHANNEL, Dialogue};
use super::host::NAME_BYTES_MAX;
use crate::chat::lost::Lost;
use crate::hub::name::UserName;
use crate::wire::frame::{Data, Open, Opened, Refused};
use crate::wire::header::put;
use crate::wire::{Flags, Frame, Purpose};
use std::time::Instant;

/// The only request that a caller makes.
const CALL: u32 = 1;

/// The call is taken by whoever is there.
pub fn call(dialogue: &mut Dialogue) {
    let purpose = Purpose::Conversation.number();
    put(dialogue.frames(), Flags::NONE, 0, &Open { request: CALL, purpose, to: "" });
}

/// A frame from the peer.
///
/// # Errors
/// When there is no going on.
pub fn hear(
    now: Instant,
    channel: u32,
    flags: Flags,
    frame: Frame<'_>,
    dialogue: &mut Dialogue,
) -> Result<(), Lost> {
    match frame {
        Frame::Opened(Opened { request: CALL, payload_max, peer }) if !dialogue.has_peer() => {
            // No server has looked at it, and it is shown.
            UserName::new(peer, NAME_BYTES_MAX).map_err(|refusal| Lost::Broken(refusal.to_string()))?;
            dialogue.begin(peer, payload_max, now);
            dialogue.notice(format!("{peer} took the call; you are talking to each other"));
        }
        Frame::Refused(Refused { request: CALL, code, text }) => {
            return Err(Lost::Refused { code, text: text.to_owned() });
        }
        Frame::Data(Data { payload }) if channel == CHANNEL => {
            let taken = dialogue.receive(now, payload, flags);
            taken.map_err(|malformed| Lost::Broken(malformed.to_string()))?;
        }
        Frame::Closed(_) => dialogue.peer_left(""),
        _ => log::debug!("a frame of kind {:?} from the peer is passed over", frame.kind()),
    }
    Ok(())
}
