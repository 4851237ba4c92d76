//! The numbers of replies and refusals.
//!
//! Names and meanings as Modern IRC ("Numerics") has them; 330 to 338 and 521 as servers in use have come to agree; 730 to
//! 734 IRCv3 MONITOR; 710 to 714 KNOCK and 728 and 729 as servers in use have them; 354 WHOX; 900 to 908 IRCv3 SASL. There is none that is not sent.

use std::fmt;

/// A reply or refusal with a number, which is its command on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numeric(u16);

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NumericRow {
    pub numeric: Numeric,
    pub name: &'static str,
    /// In one line, as `docs/IRC.md` has it.
    pub meaning: &'static str,
}

macro_rules! numerics {
    ($($number:literal $name:ident $meaning:literal;)*) => {
        impl Numeric {
            $(#[doc = concat!(stringify!($number), ": ", $meaning, ".")]
            pub const $name: Numeric = Numeric($number);)*

            /// All of them, in the order of their numbers.
            pub const ALL: &'static [NumericRow] = &[
                $(NumericRow { numeric: Numeric::$name, name: stringify!($name), meaning: $meaning },)*
            ];
        }
    };
}

impl Numeric {
    pub fn number(self) -> u16 {
        self.0
    }

    /// Its row in the table.
    pub fn row(self) -> Option<&'static NumericRow> {
        let at = Numeric::ALL.binary_search_by_key(&self, |row| row.numeric).ok()?;
        Numeric::ALL.get(at)
    }
}

/// The three digits that stand on the wire.
impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl fmt::Debug for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => write!(f, "{}({self})", row.name),
            None => write!(f, "{self}"),
        }
    }
}

numerics! {
    1 RPL_WELCOME "welcome to the network; the last parameter names the client as it is known";
    2 RPL_YOURHOST "name and version of the server";
    3 RPL_CREATED "when the server was started";
    4 RPL_MYINFO "server, version, and letters of user and channel modes";
    5 RPL_ISUPPORT "what the server supports and its limits";
    219 RPL_ENDOFSTATS "end of STATS";
    221 RPL_UMODEIS "the client's own user modes";
    225 RPL_STATSDLINE "STATS d: an address or network that is kept out, and why";
    242 RPL_STATSUPTIME "STATS u: how long the server has been up";
    249 RPL_STATSDEBUG "STATS t: a figure of the server, and its value";
    251 RPL_LUSERCLIENT "how many users, visible and invisible";
    252 RPL_LUSEROP "how many operators are online";
    253 RPL_LUSERUNKNOWN "how many connections have not registered";
    254 RPL_LUSERCHANNELS "how many channels there are";
    255 RPL_LUSERME "how many clients and servers this server has";
    256 RPL_ADMINME "what follows is about the server's administrator";
    257 RPL_ADMINLOC1 "where the server is";
    258 RPL_ADMINLOC2 "who runs it";
    259 RPL_ADMINEMAIL "how to reach its administrator";
    263 RPL_TRYAGAIN "the command was dropped; try again later";
    265 RPL_LOCALUSERS "users of this server, now and at most";
    266 RPL_GLOBALUSERS "users of the network, now and at most";
    301 RPL_AWAY "a user is away, and why";
    302 RPL_USERHOST "answer to USERHOST";
    303 RPL_ISON "those of the names asked for that are online";
    305 RPL_UNAWAY "the client is no longer away";
    306 RPL_NOWAWAY "the client is away";
    311 RPL_WHOISUSER "a user's name, user name, host and real name";
    312 RPL_WHOISSERVER "the server a user is on";
    313 RPL_WHOISOPERATOR "a user is an operator";
    314 RPL_WHOWASUSER "a former user's name, user name, host and real name";
    315 RPL_ENDOFWHO "end of WHO";
    317 RPL_WHOISIDLE "for how many seconds a user said nothing, and since when it is online";
    318 RPL_ENDOFWHOIS "end of WHOIS";
    319 RPL_WHOISCHANNELS "the channels a user is in";
    320 RPL_WHOISSPECIAL "who is behind a name that a room gave them";
    321 RPL_LISTSTART "beginning of LIST";
    322 RPL_LIST "a channel, how many are in it, and its topic";
    323 RPL_LISTEND "end of LIST";
    324 RPL_CHANNELMODEIS "a channel's modes";
    329 RPL_CREATIONTIME "when a channel was made";
    330 RPL_WHOISACCOUNT "the account a user is logged in to";
    331 RPL_NOTOPIC "a channel has no topic";
    332 RPL_TOPIC "a channel's topic";
    333 RPL_TOPICWHOTIME "who set a topic, and when";
    335 RPL_WHOISBOT "a user is a bot";
    336 RPL_INVITELIST "a channel the client is invited to";
    337 RPL_ENDOFINVITELIST "end of the channels the client is invited to";
    338 RPL_WHOISACTUALLY "the address behind a user's host";
    341 RPL_INVITING "an invitation was passed on";
    346 RPL_INVEXLIST "a mask that may enter an invite-only channel";
    347 RPL_ENDOFINVEXLIST "end of these masks";
    348 RPL_EXCEPTLIST "a mask that is exempt from bans";
    349 RPL_ENDOFEXCEPTLIST "end of these masks";
    351 RPL_VERSION "the server's version";
    352 RPL_WHOREPLY "one user of a WHO";
    353 RPL_NAMREPLY "users of a channel";
    354 RPL_WHOSPCRPL "one user of a WHO with fields (WHOX)";
    364 RPL_LINKS "one server of a LINKS";
    365 RPL_ENDOFLINKS "end of LINKS";
    366 RPL_ENDOFNAMES "end of NAMES";
    367 RPL_BANLIST "a mask that is banned from a channel";
    368 RPL_ENDOFBANLIST "end of these masks";
    369 RPL_ENDOFWHOWAS "end of WHOWAS";
    371 RPL_INFO "one line of INFO";
    372 RPL_MOTD "one line of the message of the day";
    374 RPL_ENDOFINFO "end of INFO";
    375 RPL_MOTDSTART "beginning of the message of the day";
    376 RPL_ENDOFMOTD "end of the message of the day";
    381 RPL_YOUREOPER "the client is an operator now";
    382 RPL_REHASHING "the server reads its configuration anew";
    391 RPL_TIME "the server's time";
    400 ERR_UNKNOWNERROR "a command failed for a reason without a number";
    401 ERR_NOSUCHNICK "nobody has that name";
    402 ERR_NOSUCHSERVER "there is no such server";
    403 ERR_NOSUCHCHANNEL "there is no such channel, or it cannot be one";
    404 ERR_CANNOTSENDTOCHAN "the client may not speak in that channel";
    405 ERR_TOOMANYCHANNELS "the client is in as many channels as one may be";
    406 ERR_WASNOSUCHNICK "nobody had that name";
    407 ERR_TOOMANYTARGETS "more targets than the command takes";
    410 ERR_INVALIDCAPCMD "there is no such subcommand of CAP";
    411 ERR_NORECIPIENT "a message to nobody";
    412 ERR_NOTEXTTOSEND "a message without a text";
    417 ERR_INPUTTOOLONG "the line was too long";
    421 ERR_UNKNOWNCOMMAND "there is no such command";
    422 ERR_NOMOTD "there is no message of the day";
    423 ERR_NOADMININFO "nobody has said who runs the server";
    431 ERR_NONICKNAMEGIVEN "a nickname is missing";
    432 ERR_ERRONEUSNICKNAME "that cannot be a nickname";
    433 ERR_NICKNAMEINUSE "somebody has that nickname";
    437 ERR_UNAVAILRESOURCE "that nickname or channel cannot be had for now";
    441 ERR_USERNOTINCHANNEL "that user is not in that channel";
    442 ERR_NOTONCHANNEL "the client is not in that channel";
    443 ERR_USERONCHANNEL "that user is in that channel already";
    445 ERR_SUMMONDISABLED "nobody is called from their terminal here";
    446 ERR_USERSDISABLED "who is on the server's machine is not told";
    451 ERR_NOTREGISTERED "the client has to register first";
    461 ERR_NEEDMOREPARAMS "the command takes more parameters";
    462 ERR_ALREADYREGISTERED "the client has registered already";
    464 ERR_PASSWDMISMATCH "the password is wrong";
    471 ERR_CHANNELISFULL "the channel is full (+l)";
    472 ERR_UNKNOWNMODE "there is no such mode of a channel";
    473 ERR_INVITEONLYCHAN "the channel is for those who are invited (+i)";
    474 ERR_BANNEDFROMCHAN "the client is banned from the channel (+b)";
    475 ERR_BADCHANNELKEY "the channel has another key (+k)";
    476 ERR_BADCHANMASK "that cannot be a channel's name";
    478 ERR_BANLISTFULL "the list of masks is full";
    481 ERR_NOPRIVILEGES "operators only";
    482 ERR_CHANOPRIVSNEEDED "operators of the channel only";
    501 ERR_UMODEUNKNOWNFLAG "there is no such mode of a user";
    502 ERR_USERSDONTMATCH "modes of other users cannot be seen or set";
    521 ERR_LISTSYNTAX "that is no condition of LIST";
    524 ERR_HELPNOTFOUND "there is no help on that";
    696 ERR_INVALIDMODEPARAM "the parameter of a mode is wrong or missing";
    704 RPL_HELPSTART "beginning of HELP, and its subject";
    705 RPL_HELPTXT "one line of HELP";
    706 RPL_ENDOFHELP "end of HELP";
    710 RPL_KNOCK "somebody asks to be let into a channel";
    711 RPL_KNOCKDLVR "that the client asks will be told";
    712 ERR_TOOMANYKNOCK "as many ask as may, or the client has asked already";
    728 RPL_QUIETLIST "a mask that is muted in a channel";
    729 RPL_ENDOFQUIETLIST "end of these masks";
    730 RPL_MONONLINE "these of the watched are online";
    731 RPL_MONOFFLINE "these of the watched are offline";
    732 RPL_MONLIST "these are watched";
    733 RPL_ENDOFMONLIST "end of those who are watched";
    734 ERR_MONLISTFULL "as many are watched as may be";
    900 RPL_LOGGEDIN "the client is logged in to an account";
    901 RPL_LOGGEDOUT "the client is logged in to no account any more";
    903 RPL_SASLSUCCESS "logging in by SASL is done";
    904 ERR_SASLFAIL "logging in by SASL has failed";
    905 ERR_SASLTOOLONG "what was said by SASL is too long";
    906 ERR_SASLABORTED "the client has broken off SASL";
    907 ERR_SASLALREADY "the client is logged in to an account already";
    908 RPL_SASLMECHS "the ways to log in by SASL";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_row_is_found() {
        assert!(Numeric::ALL.windows(2).all(|two| two[0].numeric < two[1].numeric));
        for row in Numeric::ALL {
            assert_eq!(row.numeric.row(), Some(row));
            assert!(row.name.starts_with("RPL_") || row.name.starts_with("ERR_"), "{}", row.name);
            assert!((1..1000).contains(&row.numeric.number()) && !row.meaning.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn there_are_always_three_digits() {
        assert_eq!(Numeric::RPL_WELCOME.to_string(), "001");
        assert!(Numeric::ALL.iter().all(|row| row.numeric.to_string().len() == 3));
        assert_eq!(format!("{:?}", Numeric::RPL_WELCOME), "RPL_WELCOME(001)");
    }
}
