//! What is played, one file for each part of it.

mod datagrams;
mod endings;
mod framing;
mod relays;
mod rooms;
mod trouble;

use super::Scene;

macro_rules! scenes {
    ($($test:ident: $scene:path,)*) => {
        /// All of them, as the guide has them.
        pub const ALL: &[&Scene] = &[$(&$scene),*];

        $(
            #[test]
            fn $test() {
                $scene.hold();
            }
        )*
    };
}

scenes! {
    a_room: rooms::ROOM,
    a_private_message: rooms::PRIVATE_MESSAGE,
    irc_beside_native: rooms::IRC_BESIDE_NATIVE,
    one_frame_in_several_segments: framing::PARTIAL_READ,
    several_frames_in_one_segment: framing::COALESCED,
    a_relay: relays::RELAY,
    backpressure_down_to_a_zero_window: relays::BACKPRESSURE,
    a_half_close: endings::HALF_CLOSE,
    a_reset: endings::RESET,
    a_slow_consumer: endings::SLOW_CONSUMER,
    a_binding_and_a_fan_out: datagrams::BINDING,
    a_hole_is_punched: datagrams::HOLE_PUNCH,
    both_connect_at_once: trouble::SIMULTANEOUS_OPEN,
    segments_are_lost: trouble::LOSS,
}
