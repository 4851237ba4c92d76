//! How what has no number of its own is written into columns. What was written once means the same for ever.

use crate::hub::record::Past;
use crate::hub::{Affiliation, Form, MaskList};

/// Gives the values of a type numbers, all of them, and the way back from a number; which is `None` for one that this
/// version does not know.
macro_rules! numbers {
    ($($of:ident, $back:ident: $type:ty { $($value:pat => $made:expr, $number:literal;)* })*) => {$(
        pub fn $of(value: $type) -> i64 {
            match value {
                $($value => $number,)*
            }
        }

        pub fn $back(number: i64) -> Option<$type> {
            match number {
                $($number => Some($made),)*
                _ => None,
            }
        }
    )*};
    ($($of:ident, $back:ident: $type:ty [ $($path:path = $number:literal),* $(,)? ])*) => {
        numbers! { $($of, $back: $type { $($path => $path, $number;)* })* }
    };
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

// What is 0 or 1 is found by search: the triggers of the tables know these numbers.
numbers! {
    of_past, past: Past {
        Past::Said(Form::Message) => Past::Said(Form::Message), 0;
        Past::Said(Form::Notice) => Past::Said(Form::Notice), 1;
        Past::Said(Form::Tags) => Past::Said(Form::Tags), 2;
        Past::Entered => Past::Entered, 3;
        Past::Left => Past::Left, 4;
        Past::Quit => Past::Quit, 5;
        Past::Kicked => Past::Kicked, 6;
        Past::SubjectSet => Past::SubjectSet, 7;
        Past::Renamed => Past::Renamed, 8;
    }
}

/// The last one that is a message.
pub const SAID_MAX: i64 = 2;
