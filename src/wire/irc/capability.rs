//! Capabilities: what a client and a server agree to say beyond RFC 1459 (IRCv3 capability negotiation).
//!
//! The names that this server knows. Which it offers, and with which values, is for the session to decide; `cap-notify`
//! is a capability as the others are, and `sts`, which cannot be asked for, is none.

use std::fmt;

/// Some capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Capabilities(u64);

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// A capability that has a name.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Capability { $($(#[doc = $doc])* $variant,)* }

        impl Capability {
            pub const ALL: &'static [Capability] = &[$(Capability::$variant,)*];

            /// As it stands in CAP.
            pub fn name(self) -> &'static str {
                match self { $(Capability::$variant => $name,)* }
            }
        }
    };
}

capabilities! {
    /// The account behind a user is told when it changes.
    AccountNotify = "account-notify",
    /// Messages say which account they are from.
    AccountTag = "account-tag",
    /// Neighbours' AWAY is told when it changes.
    AwayNotify = "away-notify",
    /// Several lines that belong together.
    Batch = "batch",
    /// The server tells when capabilities come and go; `CAP LS 302` implies it.
    CapNotify = "cap-notify",
    /// A change of user name or host is told as one.
    Chghost = "chghost",
    /// Who sends a message gets it back.
    EchoMessage = "echo-message",
    /// JOIN tells account and real name.
    ExtendedJoin = "extended-join",
    /// MONITOR tells more than who is online.
    ExtendedMonitor = "extended-monitor",
    /// Operators of a channel hear of invitations.
    InviteNotify = "invite-notify",
    /// Answers bear the label of the question.
    LabeledResponse = "labeled-response",
    /// Tags of any kind, the clients' own, and TAGMSG.
    MessageTags = "message-tags",
    /// All ranks of an occupant are shown, not the highest alone.
    MultiPrefix = "multi-prefix",
    /// JOIN is not followed by NAMES.
    NoImplicitNames = "no-implicit-names",
    /// Logging in to an account (SASL).
    Sasl = "sasl",
    /// Messages say when they were sent.
    ServerTime = "server-time",
    /// Changing one's real name.
    Setname = "setname",
    /// FAIL, WARN and NOTE.
    StandardReplies = "standard-replies",
    /// NAMES shows `nick!user@host`.
    UserhostInNames = "userhost-in-names",
    /// Making an account.
    DraftAccountRegistration = "draft/account-registration",
    /// RENAME of a channel.
    DraftChannelRename = "draft/channel-rename",
    /// Reading what was said before.
    DraftChathistory = "draft/chathistory",
    /// And who came and went.
    DraftEventPlayback = "draft/event-playback",
    /// [`Capability::ExtendedMonitor`], by the name it had as a draft.
    DraftExtendedMonitor = "draft/extended-monitor",
    /// Taking back a message.
    DraftMessageRedaction = "draft/message-redaction",
    /// What users and channels say of themselves.
    DraftMetadata = "draft/metadata-2",
    /// Messages of several lines.
    DraftMultiline = "draft/multiline",
    /// [`Capability::NoImplicitNames`], by the name it had as a draft.
    DraftNoImplicitNames = "draft/no-implicit-names",
    /// AWAY before registration is complete.
    DraftPreAway = "draft/pre-away",
    /// How far somebody has read.
    DraftReadMarker = "draft/read-marker",
}

impl Capability {
    /// Names are compared byte for byte.
    pub fn from_name(name: &str) -> Option<Capability> {
        Self::ALL.iter().copied().find(|capability| capability.name() == name)
    }

    /// One word of CAP REQ: the capability, and whether it is wanted or (`-`) no longer.
    pub fn from_request(word: &str) -> Option<(Capability, bool)> {
        match word.strip_prefix('-') {
            Some(name) => Self::from_name(name).map(|capability| (capability, false)),
            None => Self::from_name(word).map(|capability| (capability, true)),
        }
    }

    /// The bits of all its names.
    fn names(self) -> u64 {
        use Capability::{DraftExtendedMonitor, DraftNoImplicitNames, ExtendedMonitor, NoImplicitNames};
        match self {
            ExtendedMonitor | DraftExtendedMonitor => ExtendedMonitor.bit() | DraftExtendedMonitor.bit(),
            NoImplicitNames | DraftNoImplicitNames => NoImplicitNames.bit() | DraftNoImplicitNames.bit(),
            other => other.bit(),
        }
    }

    fn bit(self) -> u64 {
        1 << self as u8
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Capabilities {
    pub const NONE: Capabilities = Capabilities(0);

    /// Whether this one is among them, under this name.
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Whether this one is among them, under whichever of its names.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & capability.names() != 0
    }

    pub fn insert(&mut self, capability: Capability) {
        self.0 |= capability.bit();
    }

    pub fn remove(&mut self, capability: Capability) {
        self.0 &= !capability.bit();
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    pub fn and(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 & other.0)
    }

    /// In the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |&capability| self.contains(capability))
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        let mut set = Capabilities::NONE;
        capabilities.into_iter().for_each(|capability| set.insert(capability));
        set
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Capability::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_and_can_stand_in_a_list() {
        assert!(Capability::ALL.len() <= 64, "more than a set has bits");
        for &capability in Capability::ALL {
            assert_eq!(Capability::from_name(capability.name()), Some(capability));
            assert!(
                !capability.name().contains([' ', '=', ',']) && !capability.name().starts_with(['-', ':'])
            );
        }
        assert!(Capability::ALL[..19].windows(2).all(|two| two[0].name() < two[1].name()), "without order");
        assert_eq!(Capability::from_name("Batch"), None);
        assert_eq!(Capability::from_name(""), None);
    }

    #[test]
    fn a_request_asks_for_one_or_gives_it_up() {
        assert_eq!(Capability::from_request("batch"), Some((Capability::Batch, true)));
        assert_eq!(Capability::from_request("-batch"), Some((Capability::Batch, false)));
        assert_eq!(Capability::from_request("--batch"), None);
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set: Capabilities = [Capability::Sasl, Capability::Batch].into_iter().collect();
        assert!(set.contains(Capability::Sasl) && !set.contains(Capability::Setname));
        assert!(set.iter().eq([Capability::Batch, Capability::Sasl]));
        assert_eq!(format!("{set:?}"), r#"{"batch", "sasl"}"#);
        set.remove(Capability::Sasl);
        assert_eq!(set, [Capability::Batch].into_iter().collect());
        assert_eq!(set.and(Capabilities::NONE), Capabilities::NONE);
        assert!(
            Capability::ALL
                .iter()
                .copied()
                .collect::<Capabilities>()
                .iter()
                .eq(Capability::ALL.iter().copied())
        );
    }

    #[test]
    fn a_draft_and_what_became_of_it_are_the_same() {
        let set: Capabilities = [Capability::DraftNoImplicitNames].into_iter().collect();
        assert!(set.has(Capability::NoImplicitNames) && !set.contains(Capability::NoImplicitNames));
        assert!(set.has(Capability::DraftNoImplicitNames) && !set.has(Capability::ExtendedMonitor));
    }
}
