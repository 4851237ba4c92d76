//! How what has no number of its own is written into columns. What was written once means the same for ever.

use crate::hub::{Affiliation, MaskList};

/// Gives the values of a type numbers, all of them, and the way back from a number; which is `None` for one that this
/// version does not know.
macro_rules! numbers {
    ($($of:ident, $back:ident: $type:ty [ $($path:path = $number:literal),* $(,)? ])*) => {$(
        pub fn $of(value: $type) -> i64 {
            match value {
                $($path => $number,)*
            }
        }

        pub fn $back(number: i64) -> Option<$type> {
            match number {
                $($number => Some($path),)*
                _ => None,
            }
        }
    )*};
}

numbers! {
    of_affiliation, affiliation: Affiliation [
        Affiliation::Outcast = 0,
        Affiliation::None = 1,
        Affiliation::Member = 2,
        Affiliation::Admin = 3,
        Affiliation::Owner = 4,
    ]
    of_list, list: MaskList [
        MaskList::Bans = 0,
        MaskList::BanExceptions = 1,
        MaskList::InviteExceptions = 2,
        MaskList::Mutes = 3,
    ]
}
