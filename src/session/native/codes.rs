//! What the hub says, as the numbers that stand for it on the wire, and the way back.

use crate::hub::{AccountChange, Affiliation, Flags, MaskList, Refusal, Role, Standing, Wish};
use crate::session::flags::flag_code;
use crate::wire::frame::Grants;
use crate::wire::{AccountCode, AffiliationCode, ChangeCode, RefusalCode, WishCode};

pub(super) fn role_code(role: Role) -> ChangeCode {
    match role {
        Role::Moderator => ChangeCode::Moderator,
        Role::Participant | Role::Visitor => ChangeCode::Voice,
    }
}

pub(super) fn affiliated(affiliation: Affiliation) -> ChangeCode {
    match affiliation {
        Affiliation::Outcast => ChangeCode::Outcast,
        Affiliation::None => ChangeCode::Unaffiliated,
        Affiliation::Member => ChangeCode::Member,
        Affiliation::Admin => ChangeCode::Admin,
        Affiliation::Owner => ChangeCode::Owner,
    }
}

pub(super) fn list_code(list: MaskList) -> ChangeCode {
    match list {
        MaskList::Bans => ChangeCode::Ban,
        MaskList::BanExceptions => ChangeCode::BanException,
        MaskList::InviteExceptions => ChangeCode::InviteException,
        MaskList::Mutes => ChangeCode::Mute,
    }
}

pub(super) fn affiliation_code(affiliation: Affiliation) -> AffiliationCode {
    match affiliation {
        Affiliation::Outcast => AffiliationCode::Outcast,
        Affiliation::None => AffiliationCode::None,
        Affiliation::Member => AffiliationCode::Member,
        Affiliation::Admin => AffiliationCode::Admin,
        Affiliation::Owner => AffiliationCode::Owner,
    }
}

pub(super) fn hub_affiliation(code: AffiliationCode) -> Affiliation {
    match code {
        AffiliationCode::Outcast => Affiliation::Outcast,
        AffiliationCode::None => Affiliation::None,
        AffiliationCode::Member => Affiliation::Member,
        AffiliationCode::Admin => Affiliation::Admin,
        AffiliationCode::Owner => Affiliation::Owner,
    }
}

pub(super) fn wish_code(wish: Wish) -> WishCode {
    match wish {
        Wish::Voice => WishCode::Voice,
        Wish::Membership => WishCode::Membership,
    }
}

pub(super) fn hub_wish(code: WishCode) -> Wish {
    match code {
        WishCode::Voice => Wish::Voice,
        WishCode::Membership => Wish::Membership,
    }
}

/// All flags of a room: the bit of each is its change code.
pub(super) fn flag_bits(flags: Flags) -> u16 {
    flags.iter().fold(0, |bits, flag| bits | 1 << flag_code(flag).number())
}

pub(super) fn grant_bits(standing: Standing) -> u8 {
    let Standing { is_moderator, is_voiced, .. } = standing;
    bits(is_moderator, Grants::MODERATOR) | bits(is_voiced, Grants::VOICE)
}

pub(super) fn bits(is_set: bool, bits: u8) -> u8 {
    if is_set { bits } else { 0 }
}

pub(super) fn account_code(change: AccountChange) -> AccountCode {
    match change {
        AccountChange::Registered => AccountCode::Registered,
        AccountChange::Identified => AccountCode::Identified,
        AccountChange::LoggedOut => AccountCode::LoggedOut,
        AccountChange::PasswordChanged => AccountCode::PasswordChanged,
        AccountChange::Deleted => AccountCode::Deleted,
    }
}

pub(super) fn refusal_code(refusal: Refusal) -> RefusalCode {
    match refusal {
        Refusal::NotLoggedIn => RefusalCode::UnknownRequest,
        Refusal::AlreadyLoggedIn => RefusalCode::AlreadyLoggedIn,
        Refusal::BadName(_) | Refusal::NoNamesThere => RefusalCode::BadName,
        Refusal::NameTaken | Refusal::NameIsYours => RefusalCode::NameTaken,
        Refusal::TooManySeats { .. } => RefusalCode::LimitReached,
        Refusal::NameReserved | Refusal::NameNeedsAccount => RefusalCode::NameReserved,
        Refusal::RegistrationClosed => RefusalCode::RegistrationClosed,
        Refusal::AccountExists => RefusalCode::AccountExists,
        Refusal::TooManyAccounts { .. } => RefusalCode::LimitReached,
        Refusal::BadAccountPassword { .. } => RefusalCode::BadPassword,
        Refusal::AlreadyIdentified => RefusalCode::AlreadyIdentified,
        Refusal::NotIdentified => RefusalCode::NotIdentified,
        Refusal::WrongPassword => RefusalCode::WrongPassword,
        Refusal::TryLater { .. } | Refusal::TooManyRegistrations { .. } => RefusalCode::TryLater,
        Refusal::StillProving | Refusal::CannotProve => RefusalCode::Unavailable,
        Refusal::BadRoomName(_) => RefusalCode::BadRoomName,
        Refusal::BadText(_) => RefusalCode::BadText,
        Refusal::TextTooLong { .. } => RefusalCode::TextTooLong,
        Refusal::NotInRoom | Refusal::NoSuchRoom => RefusalCode::NotInRoom,
        Refusal::AlreadyInRoom | Refusal::PeerAlreadyInRoom => RefusalCode::AlreadyInRoom,
        Refusal::Banned => RefusalCode::Banned,
        Refusal::MembersOnly => RefusalCode::MembersOnly,
        Refusal::BadPassword => RefusalCode::BadPassword,
        Refusal::NoVoice | Refusal::Silenced | Refusal::ClosedToOutsiders | Refusal::NoControlMessages => {
            RefusalCode::NoVoice
        }
        Refusal::NotModerator
        | Refusal::OutOfReach
        | Refusal::BadRole
        | Refusal::BannedFromRenaming
        | Refusal::NotOperator => RefusalCode::NotAllowed,
        Refusal::BadMask | Refusal::BadRoomPassword | Refusal::BadOccupantsMax => RefusalCode::BadText,
        Refusal::NotMember
        | Refusal::NotAdmin
        | Refusal::NotOwner
        | Refusal::LastOwner
        | Refusal::NeedsOwner
        | Refusal::OthersAreThere
        | Refusal::NotYours => RefusalCode::NotAllowed,
        Refusal::NoSuchAccount => RefusalCode::NoSuchPeer,
        Refusal::NameReservedThere => RefusalCode::NameReserved,
        Refusal::RoomExists => RefusalCode::NameTaken,
        Refusal::NotToYourself | Refusal::BanIsYours => RefusalCode::Yourself,
        Refusal::NothingWished
        | Refusal::AlreadyWished
        | Refusal::NoHistory
        | Refusal::NoSuchMessage
        | Refusal::NoSuchBan => RefusalCode::NotThere,
        Refusal::BadSearch | Refusal::BadBan | Refusal::BanTooWide => RefusalCode::BadText,
        Refusal::NotSaved | Refusal::NotReadable => RefusalCode::Unavailable,
        Refusal::TooManyMembers { .. }
        | Refusal::TooManyWishes
        | Refusal::TooManyLastingRooms { .. }
        | Refusal::TooManyBans { .. }
        | Refusal::TooManyMasks { .. }
        | Refusal::NoSpaceForMask
        | Refusal::TooManyChanges { .. }
        | Refusal::NoInvitations => RefusalCode::LimitReached,
        Refusal::TooManyRooms { .. } => RefusalCode::TooManyRooms,
        Refusal::RoomFull { .. } | Refusal::TooManyRoomsOnServer => RefusalCode::RoomFull,
        Refusal::NoSuchPeer | Refusal::PeerNotInRoom => RefusalCode::NoSuchPeer,
        Refusal::Yourself => RefusalCode::Yourself,
        Refusal::NoSuchRelay => RefusalCode::NoSuchRelay,
        Refusal::TakesNoRelays => RefusalCode::TakesNoRelays,
        Refusal::TooManyRelays { .. } | Refusal::PeerHasTooManyRelays | Refusal::TooManyRelaysOnServer => {
            RefusalCode::TooManyRelays
        }
        Refusal::NoAnswer => RefusalCode::NoAnswer,
        Refusal::Cancelled => RefusalCode::Cancelled,
        Refusal::PeerLeft => RefusalCode::PeerLeft,
        Refusal::TooManyAddresses { .. } => RefusalCode::TooManyAddresses,
        Refusal::BadAddress { .. } => RefusalCode::BadAddress,
        Refusal::TooManyRounds { .. } => RefusalCode::TooManyRounds,
    }
}
