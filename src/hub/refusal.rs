//! Why the hub does not do what was asked. A closed set; the sentence of each says what happened, to what, and what
//! to do.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    NotLoggedIn,
    AlreadyLoggedIn,
    BadName(BadName),
    NameTaken,
    BadRoomName(BadName),
    BadText(BadText),
    TextTooLong { bytes_max: u16 },
    NotInRoom,
    AlreadyInRoom,
    TooManyRooms { rooms_max: usize },
    RoomFull { occupants_max: usize },
    TooManyRoomsOnServer,
    NoSuchPeer,
    TakesNoRelays,
    Yourself,
    NoSuchRelay,
    TooManyRelays { relays_max: usize },
    PeerHasTooManyRelays,
    TooManyRelaysOnServer,
    NoAnswer,
    PeerLeft,
    Cancelled,
}

/// What is wrong with a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadName {
    Empty,
    TooLong {
        bytes_max: u8,
    },
    /// A room's name without its `#`, or a user's name with a first character that is not for users.
    FirstCharacter,
    Character(char),
}

/// What is wrong with a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadText {
    Empty,
    /// It holds NUL, CR or LF.
    Control,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotLoggedIn => f.write_str("say hello first"),
            Refusal::AlreadyLoggedIn => f.write_str("you are already logged in on this connection"),
            Refusal::BadName(bad) => write!(f, "that user name cannot be used: {bad}"),
            Refusal::NameTaken => f.write_str("somebody here has that name; choose another one"),
            Refusal::BadRoomName(bad) => write!(f, "that room name cannot be used: {bad}"),
            Refusal::BadText(BadText::Empty) => f.write_str("there is no text to send"),
            Refusal::BadText(BadText::Control) => {
                f.write_str("a text must be one line, without NUL, CR or LF")
            }
            Refusal::TextTooLong { bytes_max } => {
                write!(f, "the text is too long: the limit is {bytes_max} bytes")
            }
            Refusal::NotInRoom => f.write_str("you are not in that room; join it first"),
            Refusal::AlreadyInRoom => f.write_str("you are already in that room"),
            Refusal::TooManyRooms { rooms_max } => {
                write!(f, "you are in {rooms_max} rooms, which is the limit; leave one first")
            }
            Refusal::RoomFull { occupants_max } => {
                write!(f, "the room is full: its limit is {occupants_max} occupants")
            }
            Refusal::TooManyRoomsOnServer => {
                f.write_str("the server has as many rooms as it may have; try again later")
            }
            Refusal::NoSuchPeer => f.write_str("nobody of that name is here"),
            Refusal::TakesNoRelays => f.write_str("that peer's client takes no relays"),
            Refusal::Yourself => f.write_str("that is you"),
            Refusal::NoSuchRelay => f.write_str("you have no such relay; it may have ended"),
            Refusal::TooManyRelays { relays_max } => {
                write!(f, "you have {relays_max} relays, which is the limit; close one first")
            }
            Refusal::PeerHasTooManyRelays => {
                f.write_str("the peer has as many relays as one may have; try again later")
            }
            Refusal::TooManyRelaysOnServer => {
                f.write_str("the server has as many relays as it may have; try again later")
            }
            Refusal::NoAnswer => f.write_str("the peer did not answer"),
            Refusal::Cancelled => f.write_str("you took the call back"),
            Refusal::PeerLeft => f.write_str("the peer left before it answered"),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadName::Empty => f.write_str("it is empty"),
            BadName::TooLong { bytes_max } => write!(f, "it is longer than {bytes_max} bytes"),
            BadName::FirstCharacter => f.write_str(
                "a room's name begins with #, a user's with a letter, a digit or one of _ [ ] { } \\ | ^ `",
            ),
            BadName::Character(c) => write!(f, "it contains {c:?}"),
        }
    }
}
