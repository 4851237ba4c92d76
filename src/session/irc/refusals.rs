//! Which numeric each refusal of the hub is (Modern IRC, "Numerics"), and whom or what it names.

use super::commands::{Doing, chathistory, knock, markread, oneself, redact, rename, rooms, who, whois};
#[cfg(feature = "storage")]
use super::commands::{account, authenticate};
use super::dialogue::Dialogue;
use super::services;
use crate::hub::{BadName, BadText, Refusal};
use crate::session::Surroundings;
use crate::wire::cut;
use crate::wire::irc::Numeric;
use std::fmt;

/// What was in the way, as far as that matters for what the line asks for next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// There is no such room, or the client is not in it.
    Room,
    /// What the client is in the room.
    Role,
    Other,
}

impl Obstacle {
    fn of(refusal: Refusal) -> Obstacle {
        match refusal {
            Refusal::NoSuchRoom | Refusal::NotInRoom => Obstacle::Room,
            Refusal::NotModerator => Obstacle::Role,
            _ => Obstacle::Other,
        }
    }
}

/// Writes why the hub does not do what the step asked for.
pub fn put(dialogue: &mut Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    match &mut dialogue.task.doing {
        Doing::Notice => return,                                    // nothing is said to that
        Doing::Join if refusal == Refusal::AlreadyInRoom => return, // nor to that
        Doing::Names { behind } | Doing::Who { behind, .. } => *behind = None, // a list that is refused has ended
        // Nor is anything said of these in the usual way.
        #[cfg(feature = "storage")]
        Doing::Authenticate => return authenticate::refuse(dialogue, refusal, world, out),
        #[cfg(feature = "storage")]
        Doing::Register => return account::refuse(dialogue, refusal, world, out),
        Doing::MarkOnJoin => return rooms::go_on_with_names(dialogue),
        Doing::MarkRead => return markread::refuse(dialogue, refusal, world, out),
        Doing::Chathistory => return chathistory::refuse(dialogue, refusal, world, out),
        Doing::Redact => return redact::refuse(dialogue, refusal, world, out),
        Doing::Knock => return knock::refuse(dialogue, refusal, world, out),
        Doing::RenameRoom => return rename::refuse(dialogue, refusal, world, out),
        // Until the login it is open whose nickname it is going to be.
        Doing::CheckNick if refusal == Refusal::NameReserved => return,
        doing => {
            if let Some(service) = services::of(doing) {
                return services::refuse(dialogue, service, refusal, world, out);
            }
        }
    }
    if let Some(registration) = &mut dialogue.registration {
        registration.forget_nick();
    }
    dialogue.task.refused = Some(Obstacle::of(refusal));
    let (about, whom) = (dialogue.task.about(), dialogue.task.whom());
    match dialogue.task.doing {
        // Who asks for names is not told which rooms there are, nor is who asks for their occupants.
        Doing::Names { .. } => rooms::end_of_names(dialogue, about, world, out),
        Doing::Who { .. } => who::end(dialogue, world, out),
        Doing::SetName => oneself::refuse_realname(world, out),
        _ => put_about(dialogue, refusal, (about, whom), world, out),
    }
    match dialogue.task.doing {
        Doing::Whois => whois::end_of_whois(dialogue, about, world, out),
        Doing::Was => whois::end_of_whowas(dialogue, world, out),
        _ => {}
    }
}

/// Writes a refusal with whom or what it names: a room, or whatever else it was about, and somebody.
pub fn put_about(
    dialogue: &Dialogue,
    refusal: Refusal,
    (about, whom): (&str, &str),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let numeric = numeric(&dialogue.task.doing, refusal);
    let line = dialogue.line(numeric, world, out);
    let line = match numeric {
        Numeric::ERR_NONICKNAMEGIVEN | Numeric::ERR_NOPRIVILEGES | Numeric::ERR_NOTEXTTOSEND => line,
        Numeric::ERR_NOSUCHNICK if !whom.is_empty() => line.echo(whom),
        Numeric::ERR_USERNOTINCHANNEL | Numeric::ERR_USERONCHANNEL => {
            line.param(cut(whom, WHOM_BYTES_MAX)).echo(about)
        }
        Numeric::ERR_UNKNOWNERROR => line.param(dialogue.task.command),
        // Where nothing is named, no parameter stands for it.
        _ if about.is_empty() => line,
        _ => line.echo(about),
    };
    if numeric == Numeric::ERR_WASNOSUCHNICK {
        return line.trailing("Nobody of that nickname is remembered");
    }
    match (&dialogue.task.doing, refusal) {
        (Doing::Nick, Refusal::NoVoice) => {
            line.trailing(
                "A channel in which you may only listen keeps you from changing your nickname (+u)",
            );
        }
        // To one alone, who is known by a name of that channel's.
        (Doing::Message, Refusal::NoVoice) if !about.contains('#') => {
            line.trailing("You may only listen in the channel in which you know them (+u)");
        }
        _ => line.trailing(Sentence(refusal)),
    }
}

/// A refusal in the words of IRC, where rooms are channels, names nicknames, and passwords of rooms keys.
pub struct Sentence(pub Refusal);

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            Refusal::BadName(bad) => return write!(f, "That cannot be a nickname: {}", bad.of_user()),
            Refusal::BadRoomName(bad) => {
                return write!(f, "That cannot be a channel's name: {}", bad.of_room());
            }
            Refusal::RoomFull { occupants_max } => {
                return write!(f, "That channel is full: it takes {occupants_max}");
            }
            Refusal::TooManyRooms { rooms_max } => {
                return write!(f, "You are in {rooms_max} channels, and nobody may be in more");
            }
            Refusal::TooManyMasks { masks_max } => {
                return write!(f, "That list is full: it takes {masks_max} masks");
            }
            Refusal::TooManyChanges { changes_max } => {
                return write!(f, "One MODE takes at most {changes_max} changes");
            }
            Refusal::TextTooLong { bytes_max } => {
                return write!(f, "That text is longer than {bytes_max} bytes");
            }
            Refusal::NameTaken => "Somebody else has that nickname",
            Refusal::NameReserved => {
                "That nickname is somebody's account: log in to it first (SASL, or /msg NickServ IDENTIFY), or choose another"
            }
            Refusal::NameNeedsAccount => {
                "You have the account's nickname: take another one first (/nick), then log out"
            }
            Refusal::AlreadyIdentified => {
                "You are logged in to an account; log out first (/msg NickServ LOGOUT)"
            }
            Refusal::NotIdentified => "You are not logged in to an account",
            Refusal::NoSuchPeer => "Nobody has that nickname",
            Refusal::NoSuchRoom => "There is no channel of that name",
            Refusal::NotInRoom => "You are not in that channel",
            Refusal::Banned => "A ban keeps you out of that channel (+b)",
            Refusal::MembersOnly => "That channel is for those who are invited (+i)",
            Refusal::BadPassword => "That channel has another key (+k)",
            Refusal::TooManyRoomsOnServer => "The server has as many channels as it may have",
            Refusal::ClosedToOutsiders => "That channel hears only those who are in it (+n)",
            Refusal::NoVoice => "That channel is moderated (+m), and you have no voice in it",
            Refusal::Silenced => "A ban or a mute in that channel takes your voice (+b, +Q)",
            Refusal::NoControlMessages => "That channel takes no CTCP but ACTION (+C)",
            Refusal::NotModerator => "That is for the operators of the channel",
            Refusal::NotToYourself => "That cannot be done to yourself",
            Refusal::NotMember => "That is for the members of the channel",
            Refusal::NotAdmin => "That is for the admins of the channel (+a)",
            Refusal::NotOwner => "That is for the owners of the channel (+q)",
            Refusal::LastOwner => "The channel would be without an owner; name another one first",
            Refusal::NameReservedThere => "Somebody else has reserved your nickname in that channel",
            Refusal::RoomExists => "There is a channel of that name",
            Refusal::NeedsOwner => "A channel that lasts has an owner with an account",
            Refusal::OthersAreThere => {
                "Whether people are known there (+A) changes only while you are alone in it"
            }
            Refusal::TooManyWishes => "Too many wait for an answer there; try again later",
            Refusal::OutOfReach => "They rank too high in that channel for that",
            Refusal::NoSpaceForMask => "The lists of that channel take as much memory as they may",
            Refusal::NoInvitations => "This server keeps no invitations",
            Refusal::PeerNotInRoom => "They are not in that channel",
            Refusal::PeerAlreadyInRoom => "They are in that channel already",
            Refusal::BannedFromRenaming => {
                "A ban in one of your channels keeps you from changing your nickname"
            }
            Refusal::NotOperator => "That is for the operators of the server",
            Refusal::BadText(BadText::Empty) => "There is no text",
            refusal => return refusal.fmt(f), // what no command of IRC leads to
        };
        f.write_str(text)
    }
}

/// A sentence that begins as one.
pub struct Capital<T>(pub T);

impl<T: fmt::Display> fmt::Display for Capital<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let mut characters = text.chars();
        match characters.next() {
            Some(first) => write!(f, "{}{}", first.to_ascii_uppercase(), characters.as_str()),
            None => Ok(()),
        }
    }
}

/// What is shown of a name beside another.
const WHOM_BYTES_MAX: usize = 64;

fn numeric(doing: &Doing, refusal: Refusal) -> Numeric {
    match refusal {
        Refusal::BadName(BadName::Empty) => Numeric::ERR_NONICKNAMEGIVEN,
        Refusal::BadName(_) => Numeric::ERR_ERRONEUSNICKNAME,
        Refusal::BannedFromRenaming => Numeric::ERR_UNAVAILRESOURCE,
        Refusal::NoVoice if *doing == Doing::Nick => Numeric::ERR_UNAVAILRESOURCE,
        Refusal::NameTaken | Refusal::NameReserved | Refusal::NameIsYours | Refusal::TooManySeats { .. } => {
            Numeric::ERR_NICKNAMEINUSE
        }
        Refusal::BadRoomName(BadName::TooLong { .. }) => Numeric::ERR_NOSUCHCHANNEL,
        Refusal::BadRoomName(_) if *doing == Doing::Join => Numeric::ERR_BADCHANMASK,
        Refusal::BadRoomName(_) | Refusal::NoSuchRoom => Numeric::ERR_NOSUCHCHANNEL,
        Refusal::NotInRoom if *doing == Doing::Message => Numeric::ERR_CANNOTSENDTOCHAN,
        Refusal::NotInRoom => Numeric::ERR_NOTONCHANNEL,
        Refusal::Banned => Numeric::ERR_BANNEDFROMCHAN,
        Refusal::MembersOnly => Numeric::ERR_INVITEONLYCHAN,
        Refusal::BadPassword => Numeric::ERR_BADCHANNELKEY,
        Refusal::RoomFull { .. } => Numeric::ERR_CHANNELISFULL,
        Refusal::TooManyRooms { .. } | Refusal::TooManyRoomsOnServer => Numeric::ERR_TOOMANYCHANNELS,
        Refusal::ClosedToOutsiders | Refusal::NoVoice | Refusal::Silenced | Refusal::NoControlMessages => {
            Numeric::ERR_CANNOTSENDTOCHAN
        }
        Refusal::NotModerator
        | Refusal::NotMember
        | Refusal::NotAdmin
        | Refusal::NotOwner
        | Refusal::LastOwner
        | Refusal::OutOfReach => Numeric::ERR_CHANOPRIVSNEEDED,
        Refusal::NameReservedThere => Numeric::ERR_UNAVAILRESOURCE,
        Refusal::NoSuchAccount => Numeric::ERR_NOSUCHNICK,
        Refusal::PeerNotInRoom => Numeric::ERR_USERNOTINCHANNEL,
        Refusal::PeerAlreadyInRoom => Numeric::ERR_USERONCHANNEL,
        Refusal::NoSuchPeer if *doing == Doing::Was => Numeric::ERR_WASNOSUCHNICK,
        Refusal::NoSuchPeer => Numeric::ERR_NOSUCHNICK,
        Refusal::NotOperator => Numeric::ERR_NOPRIVILEGES,
        Refusal::BadText(BadText::Empty) => Numeric::ERR_NOTEXTTOSEND,
        Refusal::TooManyMasks { .. } | Refusal::NoSpaceForMask => Numeric::ERR_BANLISTFULL,
        _ => Numeric::ERR_UNKNOWNERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Host, Limits};
    use crate::session::Description;

    #[test]
    fn a_list_that_is_refused_between_two_pages_has_ended() {
        let world = Surroundings::new(Description::default(), Limits::default());
        let mut dialogue = Dialogue::new(Host::default());
        dialogue.task.begin(Doing::Names { behind: Some("bob".to_owned()) }, "#tea");
        let mut out = Vec::new();
        put(&mut dialogue, Refusal::NoSuchRoom, &world, &mut out);
        assert_eq!(dialogue.task.doing, Doing::Names { behind: None });
        assert!(out.ends_with(b"366 * #tea :End of /NAMES list\r\n"));
    }
}
