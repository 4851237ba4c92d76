//! Why the hub does not do what was asked. A closed set; the sentence of each says what happened, to what, and, where
//! there is something, what to do.

use std::fmt;
use std::net::SocketAddr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    NotLoggedIn,
    AlreadyLoggedIn,
    BadName(BadName),
    NameTaken,
    /// It is the name of the asker's own account, by which they are here with another session.
    NameIsYours,
    /// More sessions of one user.
    TooManySeats {
        seats_max: usize,
    },
    /// The name is somebody's account, and not that of the asker.
    NameReserved,
    /// Where nobody is known by a name of theirs, none is kept for anybody.
    NoNamesThere,
    /// The asker has the name of their account, for which they need it.
    NameNeedsAccount,
    RegistrationClosed,
    AccountExists,
    TooManyAccounts {
        accounts_max: usize,
    },
    BadAccountPassword {
        bytes_max: u16,
    },
    AlreadyIdentified,
    NotIdentified,
    NoSuchAccount,
    /// Or there is no such account.
    WrongPassword,
    /// Too many were wrong.
    TryLater {
        seconds: u64,
    },
    /// As many accounts were made from there as may be.
    TooManyRegistrations {
        seconds: u64,
    },
    /// The one before is not answered yet.
    StillProving,
    CannotProve,
    BadRoomName(BadName),
    BadText(BadText),
    TextTooLong {
        bytes_max: u16,
    },
    NotInRoom,
    AlreadyInRoom,
    NoSuchRoom,
    /// A ban is for the asker.
    Banned,
    MembersOnly,
    BadPassword,
    /// Somebody who is not in the room spoke to it.
    ClosedToOutsiders,
    /// A visitor of a moderated room spoke.
    NoVoice,
    /// Somebody spoke for whom a ban is.
    Silenced,
    NoControlMessages,
    /// The role is not enough for that.
    NotModerator,
    /// The other one ranks higher, or as high where that is too high already.
    OutOfReach,
    PeerNotInRoom,
    PeerAlreadyInRoom,
    TooManyMasks {
        masks_max: usize,
    },
    /// The lists of the room have as many bytes as they may have.
    NoSpaceForMask,
    BadMask,
    /// The affiliation is not enough for that.
    NotMember,
    NotAdmin,
    NotOwner,
    /// The last owner cannot resign (XEP-0045 §10.4).
    LastOwner,
    TooManyMembers {
        members_max: usize,
    },
    /// Somebody's, in this room.
    NameReservedThere,
    RoomExists,
    /// A room that lasts has an owner, who has an account.
    NeedsOwner,
    /// One has as many rooms that last as one may have.
    TooManyLastingRooms {
        rooms_max: usize,
    },
    /// Others are in it: who they are would be told to those who should not know, or by those who should not tell.
    OthersAreThere,
    /// Nothing for oneself.
    NotToYourself,
    NothingWished,
    AlreadyWished,
    TooManyWishes,
    NoHistory,
    /// Storage has it, and fails.
    NotReadable,
    NoSuchMessage,
    /// What somebody else said, only moderators retract.
    NotYours,
    BadSearch,
    BadBan,
    /// Of everybody.
    BanTooWide,
    /// Of the one who asks for it.
    BanIsYours,
    NoSuchBan,
    TooManyBans {
        bans_max: usize,
    },
    /// It could not be made to last, and was not done.
    NotSaved,
    BadRoomPassword,
    BadOccupantsMax,
    BadRole,
    TooManyChanges {
        changes_max: usize,
    },
    /// There may be no invitations.
    NoInvitations,
    BannedFromRenaming,
    NotOperator,
    TooManyRooms {
        rooms_max: usize,
    },
    RoomFull {
        occupants_max: usize,
    },
    TooManyRoomsOnServer,
    NoSuchPeer,
    TakesNoRelays,
    Yourself,
    NoSuchRelay,
    TooManyRelays {
        relays_max: usize,
    },
    PeerHasTooManyRelays,
    TooManyRelaysOnServer,
    NoAnswer,
    PeerLeft,
    Cancelled,
    TooManyAddresses {
        addresses_max: usize,
    },
    BadAddress {
        address: SocketAddr,
    },
    TooManyRounds {
        rounds_max: u8,
    },
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
    /// The server answers by it, or it is one that people have in rooms which hide who they are.
    Reserved,
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
            Refusal::NotLoggedIn => f.write_str("you are not logged in yet; say hello first"),
            Refusal::AlreadyLoggedIn => {
                f.write_str("you are already logged in on this connection; for another name, connect again")
            }
            Refusal::BadName(bad) => {
                write!(f, "that user name cannot be used: {}", bad.of_user())
            }
            Refusal::NameTaken => f.write_str("somebody here has that name; choose another one"),
            Refusal::NameIsYours => f.write_str(
                "you are here by that name with another connection; to join it, give your password while you connect",
            ),
            Refusal::TooManySeats { seats_max } => {
                write!(f, "you are here with {seats_max} connections, which is the limit; close one first")
            }
            Refusal::NameReserved => {
                f.write_str("that name is somebody's account; give its password, or choose another name")
            }
            Refusal::NoNamesThere => f.write_str("in that room nobody goes by a name of their own"),
            Refusal::NameNeedsAccount => f.write_str(
                "you have the name of the account, which only its owner has; take another one first, then log out",
            ),
            Refusal::RegistrationClosed => f.write_str("this server makes no accounts; ask whoever runs it"),
            Refusal::AccountExists => f.write_str("there is an account of that name; choose another one"),
            Refusal::TooManyAccounts { accounts_max } => {
                write!(f, "the server has {accounts_max} accounts, which is the limit; ask whoever runs it")
            }
            Refusal::BadAccountPassword { bytes_max } => {
                write!(f, "a password has at least one byte and at most {bytes_max}; choose another one")
            }
            Refusal::AlreadyIdentified => {
                f.write_str("you have given the password of an account; log out first")
            }
            Refusal::NotIdentified => f.write_str("that needs an account; give the password of yours first"),
            Refusal::WrongPassword => {
                f.write_str("there is no such account, or this is not its password; try again")
            }
            Refusal::TryLater { seconds } => {
                write!(f, "too many passwords were wrong; try again after {seconds} s")
            }
            Refusal::TooManyRegistrations { seconds } => write!(
                f,
                "as many accounts were made from your address as may be for now; try again after {seconds} s"
            ),
            Refusal::StillProving => {
                f.write_str("your last password is still being looked at; wait for that")
            }
            Refusal::CannotProve => f.write_str("the server cannot look at passwords now; try again later"),
            Refusal::BadRoomName(bad) => {
                write!(f, "that room name cannot be used: {}", bad.of_room())
            }
            Refusal::BadText(BadText::Empty) => f.write_str("the text is empty; write something"),
            Refusal::BadText(BadText::Control) => {
                f.write_str("a text must be one line, without NUL, CR or LF")
            }
            Refusal::TextTooLong { bytes_max } => {
                write!(f, "the text is longer than {bytes_max} bytes, which is the limit; shorten it")
            }
            Refusal::NotInRoom => f.write_str("you are not in that room; join it first"),
            Refusal::AlreadyInRoom => f.write_str("you are already in that room"),
            Refusal::NoSuchRoom => f.write_str("there is no such room"),
            Refusal::Banned => f.write_str("you are banned from that room"),
            Refusal::MembersOnly => f.write_str("that room is for members only; a moderator can invite you"),
            Refusal::BadPassword => f.write_str(
                "that room has a password, which cannot be said from here; a moderator can invite you",
            ),
            Refusal::ClosedToOutsiders => f.write_str("that room takes nothing from outside; join it first"),
            Refusal::NoVoice => f.write_str("you have no voice in that room; a moderator can give you one"),
            Refusal::Silenced => f.write_str("you are muted or banned in that room, which takes your voice"),
            Refusal::NoControlMessages => f.write_str("that room takes no control messages"),
            Refusal::NotModerator => f.write_str("that is for the moderators of the room"),
            Refusal::OutOfReach => f.write_str("they rank too high in that room for that"),
            Refusal::PeerNotInRoom => f.write_str("they are not in that room"),
            Refusal::PeerAlreadyInRoom => f.write_str("they are in that room already"),
            Refusal::TooManyMasks { masks_max } => {
                write!(f, "that list has {masks_max} entries, which is the limit; remove one first")
            }
            Refusal::NoSpaceForMask => {
                f.write_str("the lists of that room take as much memory as they may; remove an entry first")
            }
            Refusal::BadMask => f.write_str("that mask is empty, too long, or has blanks in it"),
            Refusal::NotMember => f.write_str("that is for the members of the room"),
            Refusal::NotAdmin => f.write_str("that is for the admins of the room"),
            Refusal::NotOwner => f.write_str("that is for the owners of the room"),
            Refusal::LastOwner => {
                f.write_str("the room would be without an owner; name another one first, or destroy it")
            }
            Refusal::NoSuchAccount => {
                f.write_str("there is no account of that name, and nobody of that name here has one")
            }
            Refusal::TooManyMembers { members_max } => {
                write!(
                    f,
                    "the room has {members_max} on its lists of accounts, which is the limit; remove one first"
                )
            }
            Refusal::NameReservedThere => f.write_str(
                "in that room somebody else has reserved the name that you have; take another one",
            ),
            Refusal::RoomExists => f.write_str("there is a room of that name; choose another one"),
            Refusal::NeedsOwner => f.write_str(
                "a room that lasts has an owner with an account; register, and become its owner first",
            ),
            Refusal::TooManyLastingRooms { rooms_max } => {
                write!(f, "its owner has {rooms_max} rooms that last, which is the limit; destroy one first")
            }
            Refusal::OthersAreThere => {
                f.write_str("whether people are known in a room is changed only while nobody else is in it")
            }
            Refusal::NotToYourself => f.write_str("that cannot be done to yourself"),
            Refusal::NothingWished => {
                f.write_str("they have not asked for that, or somebody has decided already")
            }
            Refusal::AlreadyWished => {
                f.write_str("you have that, or have asked for it already; wait for an answer")
            }
            Refusal::TooManyWishes => {
                f.write_str("too many wait for an answer in that room; try again later")
            }
            Refusal::NoHistory => f.write_str("what was said in that room is not kept"),
            Refusal::NotReadable => f.write_str("what is not in memory cannot be read now; try again later"),
            Refusal::NoSuchMessage => f.write_str("that room has no such message; it may be too old"),
            Refusal::NotYours => f.write_str("only moderators retract what others said"),
            Refusal::BadSearch => f.write_str("that is nothing to search for; give one word or several"),
            Refusal::BadBan => f.write_str(
                "that is no address and no network; write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
            ),
            Refusal::BanTooWide => {
                f.write_str("that is every address there is, your own as well; ban a part of them")
            }
            Refusal::BanIsYours => f.write_str(
                "you come from there yourself; ban a part of it without you, or come from elsewhere",
            ),
            Refusal::NoSuchBan => f.write_str("there is no such ban"),
            Refusal::TooManyBans { bans_max } => {
                write!(f, "there are {bans_max} bans, which is the limit; remove one first")
            }
            Refusal::NotSaved => {
                f.write_str("the server cannot save anything now, and has not done that; try again later")
            }
            Refusal::BadRoomPassword => {
                f.write_str("a room's password is one word of visible characters, without commas")
            }
            Refusal::BadOccupantsMax => f.write_str("a room's limit is a number from 1 on"),
            Refusal::BadRole => f.write_str("that role cannot be granted"),
            Refusal::TooManyChanges { changes_max } => {
                write!(f, "those are more than {changes_max} changes at once, which is the limit")
            }
            Refusal::NoInvitations => f.write_str("this server keeps no invitations"),
            Refusal::BannedFromRenaming => f.write_str(
                "you are banned from a room that you are in, and keep your name while you are there",
            ),
            Refusal::NotOperator => f.write_str("that is for operators of the server"),
            Refusal::TooManyRooms { rooms_max } => {
                write!(f, "you are in {rooms_max} rooms, which is the limit; leave one first")
            }
            Refusal::RoomFull { occupants_max } => {
                write!(f, "the room is full: its limit is {occupants_max} occupants; try again later")
            }
            Refusal::TooManyRoomsOnServer => {
                f.write_str("the server has as many rooms as it may have; try again later")
            }
            Refusal::NoSuchPeer => f.write_str("nobody of that name is here"),
            Refusal::TakesNoRelays => {
                f.write_str("that peer's client takes no relays; send a message instead")
            }
            Refusal::Yourself => f.write_str("you cannot message or call yourself"),
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
            Refusal::NoAnswer => f.write_str("the peer did not answer; try again later"),
            Refusal::Cancelled => f.write_str("you took the call back"),
            Refusal::TooManyAddresses { addresses_max } => {
                write!(f, "those are more addresses than the limit, which is {addresses_max}; leave some out")
            }
            Refusal::BadAddress { address } => {
                write!(f, "{address} is nothing that others can reach you at; leave it out")
            }
            Refusal::TooManyRounds { rounds_max } => {
                write!(f, "{rounds_max} rounds have found no direct path; stay with the relay")
            }
            Refusal::PeerLeft => f.write_str("the peer left before it answered; try again when it is back"),
        }
    }
}

impl std::error::Error for Refusal {}

impl BadName {
    /// What is wrong with the name of a user, and what would be right.
    pub fn of_user(self) -> impl fmt::Display {
        WhyNot { bad: self, first: "a letter, a digit or one of _ [ ] { } \\ | ^ `" }
    }

    /// What is wrong with the name of a room, which begins otherwise, and what would be right.
    pub fn of_room(self) -> impl fmt::Display {
        WhyNot { bad: self, first: "#" }
    }
}

struct WhyNot {
    bad: BadName,
    /// How such a name begins.
    first: &'static str,
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bad {
            BadName::Empty => f.write_str("it is empty; choose one"),
            BadName::TooLong { bytes_max } => {
                write!(f, "it is longer than {bytes_max} bytes; choose a shorter one")
            }
            BadName::FirstCharacter => write!(f, "it must begin with {}", self.first),
            BadName::Character(c) => write!(f, "it contains {c:?}; leave that out"),
            BadName::Reserved => f.write_str("the server keeps it for itself; choose another one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_how_names_of_its_kind_begin() {
        let user = Refusal::BadName(BadName::FirstCharacter).to_string();
        assert!(user.contains("user name") && user.contains("a letter") && !user.contains("room"), "{user}");
        let room = Refusal::BadRoomName(BadName::FirstCharacter).to_string();
        assert!(room.ends_with("it must begin with #"), "{room}");
    }
}
