//! The flags of rooms, as the codes that stand for them on the wire; the words for them are those of the codes.

use crate::hub::Flag;
use crate::wire::ChangeCode;

pub fn flag_code(flag: Flag) -> ChangeCode {
    match flag {
        Flag::Hidden => ChangeCode::Hidden,
        Flag::MembersOnly => ChangeCode::MembersOnly,
        Flag::Moderated => ChangeCode::Moderated,
        Flag::ClosedToOutsiders => ChangeCode::ClosedToOutsiders,
        Flag::SubjectLocked => ChangeCode::SubjectLocked,
        Flag::NoControlMessages => ChangeCode::NoControlMessages,
        Flag::Persistent => ChangeCode::Persistent,
        Flag::SemiAnonymous => ChangeCode::SemiAnonymous,
        Flag::NoHistory => ChangeCode::NoHistory,
        Flag::VisitorsPassive => ChangeCode::VisitorsPassive,
        Flag::ModeratorsInvite => ChangeCode::ModeratorsInvite,
        Flag::SubjectOpen => ChangeCode::SubjectOpen,
    }
}

/// As people write it.
pub fn flag_word(flag: Flag) -> &'static str {
    flag_code(flag).flag_word().unwrap_or_default()
}

/// The flag that people write so, in any case.
pub fn flag_of_word(word: &str) -> Option<Flag> {
    Flag::ALL.into_iter().find(|&flag| flag_word(flag).eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_its_code_and_its_word_and_no_other_code_has_one() {
        let codes: Vec<ChangeCode> = Flag::ALL.into_iter().map(flag_code).collect();
        assert_eq!(codes, ChangeCode::flags().map(|(code, _)| code).collect::<Vec<_>>());
        for flag in Flag::ALL {
            assert_eq!(flag_of_word(&flag_word(flag).to_uppercase()), Some(flag));
        }
        assert_eq!(flag_of_word(""), None);
    }
}
