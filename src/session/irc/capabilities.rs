//! What is offered beyond RFC 1459, and CAP, by which a client asks for it (IRCv3 capability negotiation).

use super::dialogue::{Call, Dialogue};
use crate::session::Variant;
use crate::wire::irc::{Capabilities, Capability, ListLines, Numeric, Source};

/// Everything that is offered.
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
    Capability::ServerTime,
    Capability::Setname,
    Capability::StandardReplies,
    Capability::UserhostInNames,
];

/// Those that make a difference to lines which many share, as bits of a [`Variant`].
pub const MESSAGE_TAGS: u16 = 1;
pub const SERVER_TIME: u16 = 1 << 1;
pub const ACCOUNT_TAG: u16 = 1 << 2;
pub const EXTENDED_JOIN: u16 = 1 << 3;
pub const AWAY_NOTIFY: u16 = 1 << 4;
pub const SETNAME: u16 = 1 << 5;
pub const INVITE_NOTIFY: u16 = 1 << 6;
pub const ACCOUNT_NOTIFY: u16 = 1 << 7;

const VARIANTS: &[(Capability, u16)] = &[
    (Capability::MessageTags, MESSAGE_TAGS),
    (Capability::ServerTime, SERVER_TIME),
    (Capability::AccountTag, ACCOUNT_TAG),
    (Capability::ExtendedJoin, EXTENDED_JOIN),
    (Capability::AwayNotify, AWAY_NOTIFY),
    (Capability::Setname, SETNAME),
    (Capability::InviteNotify, INVITE_NOTIFY),
    (Capability::AccountNotify, ACCOUNT_NOTIFY),
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
            list(dialogue, call, "LS", several, OFFERED.iter().copied());
            Negotiated::Open
        }
        "LIST" => {
            let held = dialogue.capabilities;
            list(dialogue, call, "LIST", dialogue.knows_values, held.iter());
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
    capabilities: impl Iterator<Item = Capability>,
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
    let mut wanted = dialogue.capabilities;
    let taken = words.split(' ').filter(|word| !word.is_empty()).all(|word| {
        let Some((capability, on)) = Capability::from_request(word) else { return false };
        if !OFFERED.contains(&capability)
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
