//! What is offered beyond RFC 1459, and CAP, by which a client asks for it (IRCv3 capability negotiation).

use super::dialogue::{Call, Dialogue};
use crate::hub::Registration;
use crate::session::{Surroundings, Variant};
use crate::wire::irc::{Capabilities, Capability, ListLines, Numeric, Source};
use std::fmt;

/// Everything that is offered; account-registration while accounts can be made.
pub const OFFERED: &[Capability] = &[
    Capability::AccountNotify,
    Capability::AccountTag,
    Capability::AwayNotify,
    Capability::Batch,
    Capability::CapNotify,
    Capability::Chghost,
    Capability::EchoMessage,
    Capability::ExtendedJoin,
    Capability::ExtendedMonitor,
    Capability::DraftExtendedMonitor,
    Capability::InviteNotify,
    Capability::LabeledResponse,
    Capability::MessageTags,
    Capability::MultiPrefix,
    Capability::NoImplicitNames,
    Capability::DraftNoImplicitNames,
    #[cfg(feature = "storage")]
    Capability::Sasl,
    Capability::ServerTime,
    Capability::Setname,
    Capability::StandardReplies,
    Capability::UserhostInNames,
    #[cfg(feature = "storage")]
    Capability::DraftAccountRegistration,
    Capability::DraftChannelRename,
    Capability::DraftChathistory,
    Capability::DraftEventPlayback,
    Capability::DraftMessageRedaction,
    Capability::DraftReadMarker,
];

/// What stands behind a capability in CAP LS, for those who know values.
fn value(capability: Capability, world: &Surroundings) -> &'static str {
    match capability {
        #[cfg(feature = "storage")]
        Capability::Sasl => super::commands::authenticate::MECHANISMS,
        Capability::DraftAccountRegistration => match world.limits.registration {
            Registration::BeforeLogin => "before-connect,custom-account-name",
            Registration::Open | Registration::Closed => "custom-account-name",
        },
        _ => "",
    }
}

/// Whether a capability is offered as the server is set now.
fn is_offered(capability: Capability, world: &Surroundings) -> bool {
    let may_register = world.limits.registration != Registration::Closed;
    OFFERED.contains(&capability) && (capability != Capability::DraftAccountRegistration || may_register)
}

/// A capability as it stands in a list.
struct Listed {
    capability: Capability,
    value: &'static str,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.is_empty() { "" } else { "=" };
        write!(f, "{}{equals}{}", self.capability, self.value)
    }
}

/// Those that make a difference to lines which many share, as bits of a [`Variant`].
pub const MESSAGE_TAGS: u16 = 1;
pub const SERVER_TIME: u16 = 1 << 1;
pub const ACCOUNT_TAG: u16 = 1 << 2;
pub const EXTENDED_JOIN: u16 = 1 << 3;
pub const AWAY_NOTIFY: u16 = 1 << 4;
pub const SETNAME: u16 = 1 << 5;
pub const INVITE_NOTIFY: u16 = 1 << 6;
pub const ACCOUNT_NOTIFY: u16 = 1 << 7;
pub const REDACTION: u16 = 1 << 8;

const VARIANTS: &[(Capability, u16)] = &[
    (Capability::MessageTags, MESSAGE_TAGS),
    (Capability::ServerTime, SERVER_TIME),
    (Capability::AccountTag, ACCOUNT_TAG),
    (Capability::ExtendedJoin, EXTENDED_JOIN),
    (Capability::AwayNotify, AWAY_NOTIFY),
    (Capability::Setname, SETNAME),
    (Capability::InviteNotify, INVITE_NOTIFY),
    (Capability::AccountNotify, ACCOUNT_NOTIFY),
    (Capability::DraftMessageRedaction, REDACTION),
];

/// How events are written for a client with these.
pub fn variant(capabilities: Capabilities) -> Variant {
    let has = |(capability, _): &&(Capability, u16)| capabilities.has(*capability);
    Variant::from_bits(VARIANTS.iter().filter(has).fold(0, |bits, (_, bit)| bits | bit))
}

/// From this version of the negotiation on, capabilities have values, and `cap-notify` is implied.
const VERSION_WITH_VALUES: u32 = 302;

/// What negotiating has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Negotiated {
    /// Registration has to wait for its end.
    Open,
    Ended,
    /// Nothing about registration.
    Nothing,
    /// Other capabilities than before.
    Changed,
}

/// CAP, in registration and later.
pub fn cap(dialogue: &mut Dialogue, call: &mut Call<'_, '_>) -> Negotiated {
    let params = call.message.params;
    let Some(subcommand) = params.get(0) else {
        call.numeric(Numeric::ERR_NEEDMOREPARAMS, &dialogue.nick).param("CAP").trailing("Which subcommand?");
        return Negotiated::Nothing;
    };
    match subcommand.to_ascii_uppercase().as_str() {
        "LS" => {
            if params.get(1).and_then(|version| version.parse().ok()) >= Some(VERSION_WITH_VALUES) {
                dialogue.capabilities.insert(Capability::CapNotify);
                dialogue.knows_values = true;
            }
            let several = dialogue.knows_values;
            let world = call.world;
            let offered = OFFERED.iter().copied().filter(|capability| is_offered(*capability, world));
            let listed = offered.map(|capability| {
                let value = if several { value(capability, world) } else { "" };
                Listed { capability, value }
            });
            list(dialogue, call, "LS", several, listed);
            Negotiated::Open
        }
        "LIST" => {
            let held = dialogue.capabilities;
            let held = held.iter().map(|capability| Listed { capability, value: "" });
            list(dialogue, call, "LIST", dialogue.knows_values, held);
            Negotiated::Nothing
        }
        "REQ" => request(dialogue, call, params.get(1).unwrap_or_default()),
        "END" => Negotiated::Ended,
        _ => {
            let body = call.numeric(Numeric::ERR_INVALIDCAPCMD, &dialogue.nick);
            body.echo(subcommand).trailing("No such subcommand of CAP");
            Negotiated::Nothing
        }
    }
}

/// CAP LS and CAP LIST. Only clients that know values know that a list may have several lines.
fn list(
    dialogue: &Dialogue,
    call: &mut Call<'_, '_>,
    subcommand: &str,
    several: bool,
    capabilities: impl Iterator<Item = Listed>,
) {
    let (world, nick) = (call.world, &*dialogue.nick);
    let mut lines = ListLines::new(call.out, ' ', |head| {
        let body = head.command(Source::Server(&world.server.name), "CAP").param(nick).param(subcommand);
        if several { body.param("*") } else { body }
    });
    capabilities.for_each(|capability| lines.item(capability));
    lines.end_with(|head| {
        head.command(Source::Server(&world.server.name), "CAP").param(nick).param(subcommand)
    });
}

/// CAP REQ: all of it or nothing.
fn request(dialogue: &mut Dialogue, call: &mut Call<'_, '_>, words: &str) -> Negotiated {
    let (mut wanted, world) = (dialogue.capabilities, call.world);
    let taken = words.split(' ').filter(|word| !word.is_empty()).all(|word| {
        let Some((capability, on)) = Capability::from_request(word) else { return false };
        if (on && !is_offered(capability, world))
            || (capability == Capability::CapNotify && !on && dialogue.knows_values)
        {
            return false;
        }
        if on {
            wanted.insert(capability)
        } else {
            wanted.remove(capability)
        }
        true
    });
    let answer = if taken { "ACK" } else { "NAK" };
    let body = call.server("CAP").param(&dialogue.nick).param(answer);
    body.trailing(words);
    if !taken {
        return Negotiated::Open;
    }
    dialogue.capabilities = wanted;
    if dialogue.is_open() { Negotiated::Changed } else { Negotiated::Open }
}
