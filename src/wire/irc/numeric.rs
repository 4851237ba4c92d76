//! The numbers of replies and refusals.
//!
//! Names and meanings as Modern IRC ("Numerics") has them; 276 to 338, 378, 379, 671 and 710 to 723 as servers in use
//! have come to agree; 730 to 734 IRCv3 MONITOR; 354 WHOX; 521 LIST; 900 to 908 IRCv3 sasl.

use std::fmt;

/// A reply or refusal with a number, which is its command on the wire. Those that are known here and have no use yet stand
/// apart in `docs/IRC.md`.
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
    211 RPL_STATSLINKINFO "STATS l: a connection, and what went over it";
    212 RPL_STATSCOMMANDS "STATS m: how often a command was used";
    219 RPL_ENDOFSTATS "end of STATS";
    221 RPL_UMODEIS "the client's own user modes";
    242 RPL_STATSUPTIME "STATS u: how long the server has been up";
    243 RPL_STATSOLINE "STATS o: who may become an operator";
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
    276 RPL_WHOISCERTFP "fingerprint of a user's client certificate";
    301 RPL_AWAY "a user is away, and why";
    302 RPL_USERHOST "answer to USERHOST";
    303 RPL_ISON "those of the names asked for that are online";
    305 RPL_UNAWAY "the client is no longer away";
    306 RPL_NOWAWAY "the client is away";
    307 RPL_WHOISREGNICK "a user is logged in to the account of its nickname";
    311 RPL_WHOISUSER "a user's name, user name, host and real name";
    312 RPL_WHOISSERVER "the server a user is on";
    313 RPL_WHOISOPERATOR "a user is an operator";
    314 RPL_WHOWASUSER "a former user's name, user name, host and real name";
    315 RPL_ENDOFWHO "end of WHO";
    317 RPL_WHOISIDLE "for how many seconds a user said nothing, and since when it is online";
    318 RPL_ENDOFWHOIS "end of WHOIS";
    319 RPL_WHOISCHANNELS "the channels a user is in";
    320 RPL_WHOISSPECIAL "more about a user, in words";
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
    378 RPL_WHOISHOST "where a user is connecting from";
    379 RPL_WHOISMODES "a user's modes";
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
    409 ERR_NOORIGIN "PING or PONG without a token";
    410 ERR_INVALIDCAPCMD "there is no such subcommand of CAP";
    411 ERR_NORECIPIENT "a message to nobody";
    412 ERR_NOTEXTTOSEND "a message without a text";
    413 ERR_NOTOPLEVEL "a mask of servers without a top level";
    414 ERR_WILDTOPLEVEL "a mask of servers with a wildcard in its top level";
    415 ERR_BADMASK "a mask that cannot be one";
    416 ERR_TOOMANYMATCHES "the answer would be too long";
    417 ERR_INPUTTOOLONG "the line was too long";
    421 ERR_UNKNOWNCOMMAND "there is no such command";
    422 ERR_NOMOTD "there is no message of the day";
    423 ERR_NOADMININFO "nobody has said who runs the server";
    431 ERR_NONICKNAMEGIVEN "a nickname is missing";
    432 ERR_ERRONEUSNICKNAME "that cannot be a nickname";
    433 ERR_NICKNAMEINUSE "somebody has that nickname";
    436 ERR_NICKCOLLISION "somebody on another server has that nickname";
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
    465 ERR_YOUREBANNEDCREEP "the client is banned from this server";
    467 ERR_KEYSET "the channel has a key already";
    468 ERR_INVALIDUSERNAME "that cannot be a user name";
    471 ERR_CHANNELISFULL "the channel is full (+l)";
    472 ERR_UNKNOWNMODE "there is no such mode of a channel";
    473 ERR_INVITEONLYCHAN "the channel is for those who are invited (+i)";
    474 ERR_BANNEDFROMCHAN "the client is banned from the channel (+b)";
    475 ERR_BADCHANNELKEY "the channel has another key (+k)";
    476 ERR_BADCHANMASK "that cannot be a channel's name";
    477 ERR_NEEDREGGEDNICK "the channel is for those who are logged in";
    478 ERR_BANLISTFULL "the list of masks is full";
    481 ERR_NOPRIVILEGES "operators only";
    482 ERR_CHANOPRIVSNEEDED "operators of the channel only";
    483 ERR_CANTKILLSERVER "a server cannot be killed";
    484 ERR_RESTRICTED "the connection is restricted";
    485 ERR_UNIQOPPRIVSNEEDED "the founder of the channel only";
    491 ERR_NOOPERHOST "nobody may become an operator from there";
    501 ERR_UMODEUNKNOWNFLAG "there is no such mode of a user";
    502 ERR_USERSDONTMATCH "modes of other users cannot be seen or set";
    521 ERR_LISTSYNTAX "that is no condition of LIST";
    524 ERR_HELPNOTFOUND "there is no help on that";
    525 ERR_INVALIDKEY "that cannot be a key of a channel";
    671 RPL_WHOISSECURE "a user's connection is encrypted";
    696 ERR_INVALIDMODEPARAM "the parameter of a mode is wrong or missing";
    697 ERR_LISTMODEALREADYSET "that mask is in the list already";
    698 ERR_LISTMODENOTSET "that mask is not in the list";
    704 RPL_HELPSTART "beginning of HELP, and its subject";
    705 RPL_HELPTXT "one line of HELP";
    706 RPL_ENDOFHELP "end of HELP";
    710 RPL_KNOCK "somebody asks to be let in";
    711 RPL_KNOCKDLVR "the request to be let in was passed on";
    712 ERR_TOOMANYKNOCK "too many such requests";
    713 ERR_CHANOPEN "the channel is open to everybody";
    714 ERR_KNOCKONCHAN "the client is in that channel already";
    723 ERR_NOPRIVS "the operator lacks one privilege";
    730 RPL_MONONLINE "these of the watched are online";
    731 RPL_MONOFFLINE "these of the watched are offline";
    732 RPL_MONLIST "these are watched";
    733 RPL_ENDOFMONLIST "end of those who are watched";
    734 ERR_MONLISTFULL "as many are watched as may be";
    900 RPL_LOGGEDIN "the client is logged in to an account";
    901 RPL_LOGGEDOUT "the client is logged out";
    902 ERR_NICKLOCKED "the account cannot be used";
    903 RPL_SASLSUCCESS "the login succeeded";
    904 ERR_SASLFAIL "the login failed";
    905 ERR_SASLTOOLONG "a message of the login was too long";
    906 ERR_SASLABORTED "the login was given up";
    907 ERR_SASLALREADY "the client is logged in already";
    908 RPL_SASLMECHS "the mechanisms there are";
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
