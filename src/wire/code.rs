//! The numbers on the wire that stand for a reason. A newer server may know refusals and farewells that an older
//! client does not, which is why these carry a sentence; the other sets are closed within one version.

use super::schema::{Meaning, Word};

/// Declares an enum with wire numbers and the way back from a number.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident: $int:ty { $($(#[$vmeta:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr($int)]
        pub enum $name { $($(#[$vmeta])* $variant = $number,)* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The numbers with their words.
            pub const WORDS: &'static [Word] =
                &[$(Word { number: $number, word: stringify!($variant) },)*];

            pub const MEANING: Meaning = Meaning::Code(Self::WORDS);

            pub fn from_number(number: $int) -> Option<$name> {
                match number { $($number => Some($name::$variant),)* _ => None }
            }

            pub fn number(self) -> $int {
                self as $int
            }
        }
    };
}

codes! {
    /// Why a request was refused. The connection goes on.
    RefusalCode: u16 {
        /// A kind of frame this server does not know, or one that only a server sends, or a purpose nobody knows.
        UnknownRequest = 1,
        /// Hello was said twice.
        AlreadyLoggedIn = 2,
        /// The client speaks a version of the protocol that the server does not.
        Version = 3,
        /// Bytes that should be text are not UTF-8.
        NotUtf8 = 4,
        /// A user name that is empty, too long, or has a character names must not have.
        BadName = 10,
        /// Somebody here has that name.
        NameTaken = 11,
        /// A room name that is empty, too long, without its `#`, or has a character names must not have.
        BadRoomName = 12,
        /// A text that is empty, or holds NUL, CR or LF.
        BadText = 13,
        /// A text over the limit that welcome told, or a subject over its own; the sentence says which limit.
        TextTooLong = 14,
        /// The request is for occupants of that room.
        NotInRoom = 21,
        AlreadyInRoom = 22,
        /// The user is in as many rooms as one may be.
        TooManyRooms = 23,
        /// The room has as many occupants as it may have, or the server as many rooms.
        RoomFull = 24,
        /// A ban keeps the user out of the room.
        Banned = 25,
        /// The room is for members only, and for those who were invited.
        MembersOnly = 26,
        /// The room, or the server, has a password.
        BadPassword = 27,
        /// The room hears the user, or such a message, not.
        NoVoice = 28,
        /// The user's role in the room, or standing on the server, is not enough.
        NotAllowed = 29,
        NoSuchPeer = 30,
        /// A message or a relay to oneself.
        Yourself = 31,
        /// No relay with that channel, or not the user's, or not in a state for this request.
        NoSuchRelay = 32,
        Declined = 33,
        /// One of the two, or the server, has as many relays as it may have.
        TooManyRelays = 34,
        /// The peer let the call ring until it timed out.
        NoAnswer = 35,
        /// The peer left while the call rang.
        PeerLeft = 36,
        /// The peer is here, but its client speaks a dialect without relays.
        TakesNoRelays = 37,
        /// The caller took the call back before it was answered.
        Cancelled = 38,
        /// There are as many of something as there may be; the sentence says of what.
        LimitReached = 39,
        /// More addresses than one may declare or offer.
        TooManyAddresses = 41,
        /// An address at which nobody can be reached, or an unknown transport.
        BadAddress = 42,
        /// The ends of a relay have tried often enough to find a direct path.
        TooManyRounds = 43,
        /// The server exchanges no datagrams.
        NoDatagrams = 44,
        /// The name is somebody's account.
        NameReserved = 50,
        /// The server makes no accounts, or not for this client.
        RegistrationClosed = 51,
        AccountExists = 52,
        /// There is no such account or operator, or this is not its password.
        WrongPassword = 53,
        /// Too many passwords were wrong; the sentence says how long to wait.
        TryLater = 54,
        AlreadyIdentified = 55,
        /// That needs an account.
        NotIdentified = 56,
        /// The server cannot look at passwords, or cannot save anything, now.
        Unavailable = 57,
        /// What the request is about is not there, or no more; the sentence says what.
        NotThere = 58,
    }
}

codes! {
    /// Why one side ends the connection; the last frame either sends.
    ByeCode: u16 {
        /// The other side asked for it, or (from a client) simply leaves.
        Goodbye = 0,
        /// Hello does not start with the magic.
        BadMagic = 100,
        /// The bytes are no frame, or the body is not what its kind promises.
        Malformed = 101,
        FrameTooLong = 102,
        /// Something else than hello came first.
        HelloExpected = 103,
        LoginTimeout = 104,
        /// Nothing was heard, not even an answer to ping.
        IdleTimeout = 105,
        /// The client did not read what it was sent.
        SlowConsumer = 106,
        ServerStopping = 107,
        ServerFull = 108,
        /// An operator ended the session.
        Killed = 109,
        /// Where the client comes from is banned.
        Banned = 110,
        /// Another session of the user has given up the account by which this one was here.
        LoggedOut = 111,
    }
}

codes! {
    /// What a password is given for.
    CredentialsCode: u8 {
        /// The server's, which everybody has to give.
        Server = 0,
        /// An account's: the session is its owner's from now on.
        Identify = 1,
        /// Makes an account.
        Register = 2,
        /// The session is no account's any more; no password is needed.
        LogOut = 3,
        /// An account gets another password.
        Change = 4,
        /// An account is given up, and all that was its own.
        Delete = 5,
        /// Shows the user to be an operator of the server.
        Operator = 6,
    }
}

codes! {
    /// What an operator does.
    AdministerCode: u8 {
        /// Keeps the address or network out that the value names.
        Ban = 0,
        /// Lets it in again.
        Unban = 1,
        /// Ends the session of whoever the value names.
        Kill = 2,
        /// Says the text to everybody.
        Announce = 3,
        /// Deletes the account that the value names.
        DropAccount = 4,
        /// Ends the room that the value names.
        DestroyRoom = 5,
    }
}

codes! {
    /// What an operator wants to see.
    ListServerCode: u8 {
        /// Whom the server does not take.
        Bans = 0,
        /// Everybody who is here, once for each connection.
        Sessions = 1,
        Accounts = 2,
        /// How much there is, and what the server has done.
        Status = 3,
    }
}

codes! {
    /// What has become of an account.
    AccountCode: u8 {
        Registered = 0,
        Identified = 1,
        LoggedOut = 2,
        PasswordChanged = 3,
        Deleted = 4,
    }
}

codes! {
    /// How an occupant came to leave a room.
    LeftCode: u8 {
        /// Left this room.
        Left = 0,
        /// Said goodbye to the server.
        Quit = 1,
        /// The connection broke or fell silent.
        Lost = 2,
        /// The server ended the connection.
        Dropped = 3,
    }
}

codes! {
    /// What has changed about a room.
    ChangeCode: u8 {
        /// Only those in it find it.
        Hidden = 0,
        /// Only members and those who were invited enter it.
        MembersOnly = 1,
        /// Only those who have a voice speak in it.
        Moderated = 2,
        /// Only those in it speak in it.
        ClosedToOutsiders = 3,
        /// Only moderators set its subject.
        SubjectLocked = 4,
        /// It takes no messages that are for programs.
        NoControlMessages = 5,
        /// It stays when nobody is in it.
        Persistent = 6,
        /// Who somebody is, only its admins can find out.
        SemiAnonymous = 7,
        /// What is said in it is not kept.
        NoHistory = 8,
        /// Its visitors do not change their name or status, invite nobody, and say nothing to single occupants.
        VisitorsPassive = 9,
        /// Only moderators invite.
        ModeratorsInvite = 10,
        /// Visitors set its subject, too.
        SubjectOpen = 11,
        /// It has the password that the text says.
        Password = 16,
        /// It takes as many as the text says, in decimal digits.
        OccupantsMax = 17,
        /// The one whom the text names is a moderator.
        Moderator = 32,
        /// The one whom the text names has a voice.
        Voice = 33,
        /// The account that the text names, or whose owner it names, is an owner of the room.
        Owner = 34,
        /// Likewise: an admin.
        Admin = 35,
        /// Likewise: a member.
        Member = 36,
        /// Likewise: nothing to the room.
        Unaffiliated = 37,
        /// Likewise: an outcast, banned for good.
        Outcast = 38,
        /// Whom the mask in the text matches is banned.
        Ban = 48,
        /// Whom it matches, no ban is for.
        BanException = 49,
        /// Whom it matches, enters though only members do.
        InviteException = 50,
        /// Whom it matches, does not speak without a voice.
        Mute = 51,
        /// It is set to what the word in the text stands for: only ever asked for, and told as what it comes to.
        Preset = 64,
    }
}

impl ChangeCode {
    /// The flags of a room, which are on or off, and the words that people use for them.
    pub fn flags() -> impl Iterator<Item = (ChangeCode, &'static str)> {
        Self::ALL.iter().filter_map(|&code| Some((code, code.flag_word()?)))
    }

    /// As people write it, where it is a flag.
    pub fn flag_word(self) -> Option<&'static str> {
        Some(match self {
            ChangeCode::Hidden => "hidden",
            ChangeCode::MembersOnly => "members-only",
            ChangeCode::Moderated => "moderated",
            ChangeCode::ClosedToOutsiders => "closed",
            ChangeCode::SubjectLocked => "subject-locked",
            ChangeCode::NoControlMessages => "no-control-messages",
            ChangeCode::Persistent => "persistent",
            ChangeCode::SemiAnonymous => "anonymous",
            ChangeCode::NoHistory => "no-history",
            ChangeCode::VisitorsPassive => "visitors-passive",
            ChangeCode::ModeratorsInvite => "moderators-invite",
            ChangeCode::SubjectOpen => "subject-open",
            _ => return None,
        })
    }
}

codes! {
    /// What an account is to a room.
    AffiliationCode: u8 {
        None = 0,
        Member = 1,
        Admin = 2,
        Owner = 3,
        Outcast = 4,
    }
}

codes! {
    /// What one can wish for in a room.
    WishCode: u8 {
        Voice = 0,
        Membership = 1,
    }
}

codes! {
    /// A part of what happened in a room.
    PartCode: u8 {
        Latest = 0,
        Before = 1,
        After = 2,
        Around = 3,
        Between = 4,
    }
}

codes! {
    /// What happened in a room.
    PastCode: u8 {
        Said = 0,
        Notice = 1,
        /// Something between programs, without a text.
        Tags = 2,
        Entered = 3,
        Left = 4,
        Quit = 5,
        /// The text is who, a space, and why.
        Kicked = 6,
        SubjectSet = 7,
        /// The text is the new name.
        Renamed = 8,
    }
}

codes! {
    /// How a relay ended.
    ClosedCode: u8 {
        /// The other side closed it.
        Done = 0,
        /// The other side is gone.
        PeerLeft = 1,
        /// A call that rang until it timed out.
        NoAnswer = 2,
        /// The caller took the call back, or left, before it was answered.
        Cancelled = 3,
    }
}

codes! {
    /// What a relay is opened for, so that the one who is called can tell a conversation from a file.
    Purpose: u8 {
        Conversation = 0,
        Pipe = 1,
    }
}

codes! {
    /// What an address is for.
    Transport: u8 {
        Tcp = 0,
        Udp = 1,
    }
}

codes! {
    /// Who says that an address is a peer's.
    Origin: u8 {
        /// The peer itself.
        Declared = 0,
        /// The server, which was reached from there.
        Observed = 1,
    }
}

codes! {
    /// Which end of a relay one is.
    PathRole: u8 {
        Caller = 0,
        Callee = 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        for &code in RefusalCode::ALL {
            assert_eq!(RefusalCode::from_number(code.number()), Some(code));
        }
        for &code in ByeCode::ALL {
            assert_eq!(ByeCode::from_number(code.number()), Some(code));
        }
        assert_eq!(RefusalCode::from_number(0), None, "0 means: nothing was refused");
    }
}
