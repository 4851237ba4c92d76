//! Which numeric each refusal of the hub is (Modern IRC, "Numerics"), and whom or what it names.

use super::commands::{Doing, who, whois};
use super::dialogue::Dialogue;
use super::write::Write;
use crate::hub::{BadName, BadText, Refusal};
use crate::session::Surroundings;
use crate::wire::irc::Numeric;

/// Writes why the hub does not do what the step asked for.
pub fn put(dialogue: &mut Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let doing = dialogue.task.doing;
    if doing == Doing::Notice || (doing == Doing::Join && refusal == Refusal::AlreadyInRoom) {
        return; // nothing is said to either
    }
    if let Some(registration) = &mut dialogue.registration {
        registration.forget_nick();
    }
    let about = dialogue.task.about.as_str();
    let nick = dialogue.nick.as_str();
    if doing == Doing::Names {
        // Who asks for names is not told which rooms there are.
        let line = Write::to(out).numeric(world, Numeric::RPL_ENDOFNAMES, nick);
        return line.echo(about).trailing("End of /NAMES list");
    }
    if let Doing::Who(_) = doing {
        return who::end(nick, about, world, out); // nor is who asks for their occupants
    }
    let numeric = numeric(doing, refusal);
    let body = Write::to(out).numeric(world, numeric, nick);
    // What has no number of its own names the command instead (Modern IRC, ERR_UNKNOWNERROR).
    let is_unknown = numeric == Numeric::ERR_UNKNOWNERROR;
    let body = if is_unknown { body.param(dialogue.task.command) } else { body };
    // Where nothing is named, no parameter stands for it.
    let body = if about.is_empty() || names_nothing(numeric) { body } else { body.echo(about) };
    body.trailing(refusal);
    match doing {
        Doing::Whois => whois::end_of_whois(nick, about, world, out),
        Doing::Was => whois::end_of_whowas(nick, about, world, out),
        _ => {}
    }
}

fn names_nothing(numeric: Numeric) -> bool {
    matches!(numeric, Numeric::ERR_NOPRIVILEGES | Numeric::ERR_NONICKNAMEGIVEN | Numeric::ERR_NOTEXTTOSEND)
}

fn numeric(doing: Doing, refusal: Refusal) -> Numeric {
    match refusal {
        Refusal::BadName(BadName::Empty) => Numeric::ERR_NONICKNAMEGIVEN,
        Refusal::BadName(_) => Numeric::ERR_ERRONEUSNICKNAME,
        Refusal::NameTaken => Numeric::ERR_NICKNAMEINUSE,
        Refusal::BadRoomName(_) if doing == Doing::Join => Numeric::ERR_BADCHANMASK,
        Refusal::BadRoomName(_) | Refusal::NoSuchRoom => Numeric::ERR_NOSUCHCHANNEL,
        Refusal::NotInRoom if doing == Doing::Message => Numeric::ERR_CANNOTSENDTOCHAN,
        Refusal::NotInRoom => Numeric::ERR_NOTONCHANNEL,
        Refusal::Banned => Numeric::ERR_BANNEDFROMCHAN,
        Refusal::MembersOnly => Numeric::ERR_INVITEONLYCHAN,
        Refusal::BadPassword => Numeric::ERR_BADCHANNELKEY,
        Refusal::RoomFull { .. } => Numeric::ERR_CHANNELISFULL,
        Refusal::TooManyRooms { .. } | Refusal::TooManyRoomsOnServer => Numeric::ERR_TOOMANYCHANNELS,
        Refusal::ClosedToOutsiders | Refusal::NoVoice | Refusal::NoControlMessages => {
            Numeric::ERR_CANNOTSENDTOCHAN
        }
        Refusal::NotModerator | Refusal::OutOfReach => Numeric::ERR_CHANOPRIVSNEEDED,
        Refusal::PeerNotInRoom => Numeric::ERR_USERNOTINCHANNEL,
        Refusal::PeerAlreadyInRoom => Numeric::ERR_USERONCHANNEL,
        Refusal::NoSuchPeer if doing == Doing::Was => Numeric::ERR_WASNOSUCHNICK,
        Refusal::NoSuchPeer => Numeric::ERR_NOSUCHNICK,
        Refusal::NotOperator => Numeric::ERR_NOPRIVILEGES,
        Refusal::BadText(BadText::Empty) => Numeric::ERR_NOTEXTTOSEND,
        Refusal::TooManyMasks { .. } => Numeric::ERR_BANLISTFULL,
        _ => Numeric::ERR_UNKNOWNERROR,
    }
}
