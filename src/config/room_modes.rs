//! What new rooms are set to, in letters.

use super::values::Value;
use crate::hub::Flags;
use crate::session::irc::offered::room_flags;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// What a new room is set to, as those write it who know channel modes.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct RoomModes(Flags);

impl Value for RoomModes {
    const IS: &str = "some of the letters C i m n s t, without anything between them";
    const NAME: &str = "LETTERS";
}

impl FromStr for RoomModes {
    type Err = String;

    fn from_str(letters: &str) -> Result<Self, String> {
        let flag = |letter| room_flags().find(|(known, _)| *known == letter).map(|(_, flag)| flag);
        let flags = letters.chars().try_fold(Flags::NONE, |flags, letter| Some(flags.with(flag(letter)?)));
        flags.map(RoomModes).ok_or_else(|| format!("it must be {}", RoomModes::IS))
    }
}

impl TryFrom<String> for RoomModes {
    type Error = String;

    fn try_from(letters: String) -> Result<Self, String> {
        letters.parse()
    }
}

impl From<RoomModes> for Flags {
    fn from(RoomModes(flags): RoomModes) -> Flags {
        flags
    }
}

impl From<Flags> for RoomModes {
    fn from(flags: Flags) -> RoomModes {
        RoomModes(flags)
    }
}

impl fmt::Display for RoomModes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RoomModes(flags) = self;
        let letters = room_flags().filter(|(_, flag)| flags.has(*flag));
        letters.map(|(letter, _)| letter).collect::<String>().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Flag;

    #[test]
    fn rooms_are_set_by_letters() {
        let modes: RoomModes = "nts".parse().expect("known letters");
        let flags = [Flag::Hidden, Flag::ClosedToOutsiders, Flag::SubjectLocked];
        assert_eq!(Flags::from(modes).iter().collect::<Vec<_>>(), flags);
        assert_eq!(modes.to_string(), "nst");
        assert!("+n".parse::<RoomModes>().is_err());
    }
}
