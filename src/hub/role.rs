//! What one may be in a room: a role, which lasts as long as a visit, and an affiliation, which belongs to an account
//! (XEP-0045 §5). Both are ranks; what each rank may do stands in [`privileges`](super::privileges).

/// What an occupant may do during this visit (XEP-0045 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Hears everything; in a moderated room, says nothing.
    Visitor,
    /// Speaks.
    Participant,
    /// Keeps order.
    Moderator,
}

/// What an account is to a room, whether it is there or not (XEP-0045 §5.2). Without accounts everybody's is `None`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub enum Affiliation {
    /// Banned for good.
    Outcast,
    #[default]
    None,
    Member,
    Admin,
    Owner,
}

/// How an occupant differs from everybody else. The two grants are independent, so that whoever ceases to be a moderator
/// still has the voice that was granted before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Standing {
    pub affiliation: Affiliation,
    /// The role of moderator was granted.
    pub is_moderator: bool,
    /// The role of participant was granted, which matters where not everybody has it.
    pub is_voiced: bool,
    /// The account is kept from speaking, which only a moderator's role outweighs.
    pub is_muted: bool,
}

impl Standing {
    /// The role that follows from it: what was granted, or what the affiliation gives (XEP-0045 §5.1.2).
    pub fn role(self, is_moderated: bool) -> Role {
        let by_affiliation = match self.affiliation {
            Affiliation::Owner | Affiliation::Admin => Role::Moderator,
            Affiliation::Member => Role::Participant,
            Affiliation::None | Affiliation::Outcast if is_moderated => Role::Visitor,
            Affiliation::None | Affiliation::Outcast => Role::Participant,
        };
        match by_affiliation.max(self.granted().unwrap_or(Role::Visitor)) {
            Role::Participant if self.is_muted => Role::Visitor,
            role => role,
        }
    }

    /// The highest role that was granted.
    pub fn granted(self) -> Option<Role> {
        match (self.is_moderator, self.is_voiced) {
            (true, _) => Some(Role::Moderator),
            (false, true) => Some(Role::Participant),
            (false, false) => None,
        }
    }

    /// Whether the role stands out: by a grant or by the affiliation, not because everybody has it.
    pub fn is_at_least(self, role: Role) -> bool {
        match role {
            Role::Visitor => true,
            role => self.role(true) >= role,
        }
    }

    /// Whether it is everybody's, and need not be kept.
    pub fn is_default(self) -> bool {
        self == Standing::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0045 §5.1.2.
    #[test]
    fn roles_follow_from_affiliations() {
        let rows = [
            (Affiliation::None, Role::Participant, Role::Visitor),
            (Affiliation::Member, Role::Participant, Role::Participant),
            (Affiliation::Admin, Role::Moderator, Role::Moderator),
            (Affiliation::Owner, Role::Moderator, Role::Moderator),
        ];
        for (affiliation, open, moderated) in rows {
            let standing = Standing { affiliation, ..Standing::default() };
            assert_eq!((standing.role(false), standing.role(true)), (open, moderated), "{affiliation:?}");
        }
    }

    #[test]
    fn what_is_granted_adds_to_it_and_never_takes_away() {
        let voiced = Standing { is_voiced: true, ..Standing::default() };
        assert_eq!((voiced.role(false), voiced.role(true)), (Role::Participant, Role::Participant));
        let both = Standing { is_moderator: true, ..voiced };
        assert_eq!(both.role(true), Role::Moderator);
        let owner = Standing { affiliation: Affiliation::Owner, ..voiced };
        assert_eq!(owner.role(true), Role::Moderator);
        assert!(voiced.is_at_least(Role::Participant) && !voiced.is_at_least(Role::Moderator));
        assert!(!Standing::default().is_at_least(Role::Participant), "everybody's role does not stand out");
    }
}
