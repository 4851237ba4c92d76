//! Rooms that are run: what is typed behind `/room` as requests, and what comes of them.

use super::room_words::{change, mask_line, member_line, settings_line, wish_line, wished_words};
use super::{Conversation, Pending, room_name};
use crate::chat::room_command::{HELP, Listed, RoomCommand, Wanted};
use crate::wire::frame::{
    Body, Change, Changed, Decide, Decided, Destroy, Destroyed, Invite, Kick, ListMasks, ListMembers,
    ListWishes, Masks, Members, RenameRoom, ReserveName, RoomRenamed, Settings, ShowSettings, Wish, Wished,
    Wishes,
};
use crate::wire::{AffiliationCode, ChangeCode, RefusalCode, WishCode};

/// Entries of a list that are shown.
const LISTED_MAX: usize = 1_000;

/// What a room was asked for.
pub enum RoomAsked {
    /// Something that needs no other answer than this sentence.
    Told(String),
    /// An account is to be kept out, which it needs to have.
    Ban {
        sentence: String,
        name: String,
    },
    Settings,
    Members {
        affiliation: AffiliationCode,
        lines: Vec<String>,
    },
    Masks {
        list: ChangeCode,
        lines: Vec<String>,
    },
    Wishes,
    Rename {
        to: String,
        sentence: String,
    },
    Destroy,
}

impl Conversation {
    pub(super) fn run_room(&mut self, named: Option<&str>, command: RoomCommand<'_>) {
        if command == RoomCommand::Help {
            return HELP.iter().for_each(|line| self.notice(*line));
        }
        let room = match named {
            Some(name) => self.room_named(&room_name(name)),
            None => self.target.and_then(|id| self.room(id)),
        };
        match (room.and_then(|room| Some((room.name.clone(), room.channel?))), command, named) {
            (Some((room, channel)), command, _) => self.run_room_at(channel, room, command),
            (None, RoomCommand::Ask { wish, text, .. }, Some(room)) => {
                let asked = RoomAsked::Told(format!("who can grant that in {room} will hear of it"));
                let wish = wish.number();
                self.ask_room(0, room.to_owned(), asked, |request| Wish { request, wish, room, text });
            }
            (None, _, Some(room)) => self.trouble(format!("you are not in {room}; /join {room} first")),
            (None, _, None) => {
                self.trouble("the target is no room; /switch to one first, or name it: /room #tea show")
            }
        }
    }

    fn run_room_at(&mut self, channel: u32, room: String, command: RoomCommand<'_>) {
        match command {
            RoomCommand::Help => {}
            RoomCommand::Show => {
                self.ask_room(channel, room, RoomAsked::Settings, |request| ShowSettings { request });
            }
            RoomCommand::Change(wanted) => self.change_room(channel, room, &wanted),
            RoomCommand::List(listed) => self.list_of_room(channel, room, listed),
            RoomCommand::Kick { who, reason: text } => {
                let asked = RoomAsked::Told(format!("you made {who} leave {room}"));
                self.ask_room(channel, room, asked, |request| Kick { request, who, text });
            }
            RoomCommand::Invite(who) => {
                let asked = RoomAsked::Told(format!("{who} is invited to {room}"));
                self.ask_room(channel, room, asked, |request| Invite { request, who });
            }
            RoomCommand::Ask { wish, text, .. } => {
                let asked = RoomAsked::Told(format!("who can grant that in {room} will hear of it"));
                let wish = wish.number();
                self.ask_room(channel, room, asked, |request| Wish { request, wish, room: "", text });
            }
            RoomCommand::Decide { wish, who, grant } => {
                let what = if grant { "granted" } else { "denied" };
                let asked =
                    RoomAsked::Told(format!("you {what} {who} {} in {room}", wished_words(wish.number())));
                let (wish, grant) = (wish.number(), grant.into());
                self.ask_room(channel, room, asked, |request| Decide { request, wish, grant, who });
            }
            RoomCommand::Reserve(name) => {
                let asked = RoomAsked::Told(match name {
                    "" => format!("you have no name reserved in {room} now"),
                    _ => format!("nobody else has the name {name} in {room} now"),
                });
                self.ask_room(channel, room, asked, |request| ReserveName { request, name });
            }
            RoomCommand::Rename { to, reason: text } => {
                let to = room_name(to);
                let asked = RoomAsked::Rename { to: to.clone(), sentence: format!("{room} is now {to}") };
                self.ask_room(channel, room, asked, |request| RenameRoom { request, to: &to, text });
            }
            RoomCommand::Destroy { instead, reason: text } => {
                let instead = instead.map(room_name).unwrap_or_default();
                self.ask_room(channel, room, RoomAsked::Destroy, |request| Destroy {
                    request,
                    instead: &instead,
                    text,
                });
            }
        }
    }

    fn change_room(&mut self, channel: u32, room: String, wanted: &Wanted<'_>) {
        let Wanted { change: code, on, seconds, value, reason } = wanted;
        let (number, on, seconds) = (code.number(), u8::from(*on), *seconds);
        let sentence = match code {
            ChangeCode::Preset => format!("{room} is {value} now; /room show says what that comes to"),
            _ => change(Changed { by: "you", change: number, on, seconds, value, reason }, &room),
        };
        let asked = match code {
            ChangeCode::Outcast => RoomAsked::Ban { sentence, name: value.to_string() },
            _ => RoomAsked::Told(sentence),
        };
        self.ask_room(channel, room, asked, |request| Change {
            request,
            change: number,
            on,
            seconds,
            value,
            reason,
        });
    }

    fn list_of_room(&mut self, channel: u32, room: String, listed: Listed) {
        match listed {
            Listed::Members(affiliation) => self.list_members(channel, room, affiliation, "", Vec::new()),
            Listed::Masks(list) => self.list_masks(channel, room, list, Vec::new()),
            Listed::Wishes => {
                self.ask_room(channel, room, RoomAsked::Wishes, |request| ListWishes { request });
            }
        }
    }

    fn list_members(
        &mut self,
        channel: u32,
        room: String,
        affiliation: AffiliationCode,
        after: &str,
        lines: Vec<String>,
    ) {
        let number = affiliation.number();
        let asked = RoomAsked::Members { affiliation, lines };
        self.ask_room(channel, room, asked, |request| ListMembers { request, affiliation: number, after });
    }

    fn list_masks(&mut self, channel: u32, room: String, list: ChangeCode, lines: Vec<String>) {
        let (number, from) = (list.number(), u16::try_from(lines.len()).unwrap_or(u16::MAX));
        let asked = RoomAsked::Masks { list, lines };
        self.ask_room(channel, room, asked, |request| ListMasks { request, list: number, from });
    }

    fn ask_room<'a, B: Body<'a>>(
        &mut self,
        channel: u32,
        room: String,
        asked: RoomAsked,
        body: impl FnOnce(u32) -> B,
    ) {
        self.request(channel, Pending::Room { room, asked }, body);
    }

    pub(super) fn room_done(&mut self, room: &str, asked: RoomAsked) {
        match asked {
            RoomAsked::Told(sentence) | RoomAsked::Ban { sentence, .. } => self.notice(sentence),
            RoomAsked::Rename { to, sentence } => {
                self.rename_room(room, &to);
                self.notice(sentence);
            }
            RoomAsked::Destroy => {
                self.remove_room(room);
                self.notice(format!("you ended {room}"));
            }
            // Their answers are frames of their own.
            RoomAsked::Settings | RoomAsked::Members { .. } | RoomAsked::Masks { .. } | RoomAsked::Wishes => {
            }
        }
    }

    pub(super) fn room_refused(&mut self, room: &str, asked: RoomAsked, code: u16, why: &str) {
        match asked {
            RoomAsked::Ban { name, .. } if super::is_code(code, RefusalCode::NoSuchPeer) => {
                self.trouble(format!("{room}: {why}; /room ban {name}!*@* keeps out whoever has that name"))
            }
            _ => self.trouble(format!("{room}: {why}")),
        }
    }

    pub(super) fn settings_shown(&mut self, settings: Settings<'_>) {
        if let Some(Pending::Room { room, .. }) = self.pending.remove(&settings.request) {
            self.notice(format!("{room}: {}", settings_line(settings)));
        }
    }

    pub(super) fn members_listed(&mut self, channel: u32, page: Members<'_>, more: bool) {
        let Some(Pending::Room { room, asked: RoomAsked::Members { affiliation, mut lines } }) =
            self.pending.remove(&page.request)
        else {
            return;
        };
        let mut last = None;
        for member in page.members.iter() {
            lines.push(member_line(member));
            last = Some(member.account);
        }
        match last {
            Some(after) if more && lines.len() < LISTED_MAX => {
                self.list_members(channel, room, affiliation, after, lines);
            }
            _ => self.show_list(&room, "on that list", more, lines),
        }
    }

    pub(super) fn masks_listed(&mut self, channel: u32, page: Masks<'_>, more: bool) {
        let Some(Pending::Room { room, asked: RoomAsked::Masks { list, mut lines } }) =
            self.pending.remove(&page.request)
        else {
            return;
        };
        let before = lines.len();
        lines.extend(page.masks.iter().map(mask_line));
        if more && lines.len() > before && lines.len() < LISTED_MAX {
            return self.list_masks(channel, room, list, lines);
        }
        self.show_list(&room, "on that list", more, lines);
    }

    pub(super) fn wishes_listed(&mut self, page: Wishes<'_>, more: bool) {
        let Some(Pending::Room { room, .. }) = self.pending.remove(&page.request) else { return };
        let lines = page.wishes.iter().map(wish_line).collect();
        self.show_list(&room, "waiting for an answer", more, lines);
    }

    fn show_list(&mut self, room: &str, what: &str, more: bool, lines: Vec<String>) {
        let count = match lines.len() {
            0 => "nobody".to_owned(),
            n if more => format!("more than {n}, the first of them"),
            n => n.to_string(),
        };
        let end = if lines.is_empty() { "" } else { ":" };
        self.notice(format!("{room}: {count} {what}{end}"));
        lines.into_iter().for_each(|line| self.notice(line));
    }

    pub(super) fn wished(&mut self, channel: u32, Wished { who, wish, text }: Wished<'_>) {
        let words = if text.is_empty() { String::new() } else { format!(": {text}") };
        let (what, word) =
            (wished_words(wish), if wish == WishCode::Voice.number() { "voice" } else { "membership" });
        self.tell_about_room(channel, |room| {
            format!(
                "{who} asks for {what} in {room}{words}; /room grant {word} {who}, or /room deny {word} {who}"
            )
        });
    }

    pub(super) fn decided(&mut self, Decided { wish, is_granted, room }: Decided<'_>) {
        let what = wished_words(wish);
        self.notice(match is_granted {
            0 => format!("you do not get {what} in {room}"),
            _ => format!("you get {what} in {room}"),
        });
    }

    pub(super) fn room_destroyed(&mut self, channel: u32, destroyed: Destroyed<'_>) {
        let Some(room) = self.room_at(channel).map(|room| room.name.clone()) else { return };
        let Destroyed { by, instead, text } = destroyed;
        self.remove_room(&room);
        let words = if text.is_empty() { String::new() } else { format!(": {text}") };
        let go = if instead.is_empty() { String::new() } else { format!("; /join {instead} goes on there") };
        self.trouble(format!("{by} ended {room}{words}{go}"));
    }

    pub(super) fn room_renamed(&mut self, channel: u32, RoomRenamed { by, to, text }: RoomRenamed<'_>) {
        let Some(room) = self.room_at(channel).map(|room| room.name.clone()) else { return };
        self.rename_room(&room, to);
        let words = if text.is_empty() { String::new() } else { format!(": {text}") };
        self.notice(format!("{by} renamed {room}, which is now {to}{words}"));
    }

    fn rename_room(&mut self, room: &str, to: &str) {
        if let Some(room) = self.rooms.iter_mut().find(|known| super::same_name(&known.name, room)) {
            to.clone_into(&mut room.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LOBBY, in_lobby, lines, receive, refused, request, typed};
    use super::*;
    use crate::wire::frame::{Done, Joined, ListEntries, MaskEntry, WishEntry};
    use crate::wire::{Flags, Frame, Kind};

    /// Types a line that asks the server for something, and gives its answer.
    fn asked(conversation: &mut Conversation, line: &str, kind: Kind) -> u32 {
        typed(conversation, line);
        request(conversation, kind)
    }

    #[test]
    fn what_is_done_to_a_room_is_told_once_it_is_done() {
        let mut alice = in_lobby(true);
        for (line, kind, told) in [
            ("/room set moderated on", Kind::Change, "-- #lobby is moderated (set by you)"),
            ("/room owner bob", Kind::Change, "-- #lobby has bob as an owner (set by you)"),
            (
                "/room #lobby ban bob for 2h because spam",
                Kind::Change,
                "-- #lobby bans bob for 2 h, because spam (set by you)",
            ),
            ("/room kick bob", Kind::Kick, "-- you made bob leave #lobby"),
            ("/room invite bob", Kind::Invite, "-- bob is invited to #lobby"),
            ("/room grant voice bob", Kind::Decide, "-- you granted bob a voice in #lobby"),
            ("/room ask voice", Kind::Wish, "-- who can grant that in #lobby will hear of it"),
            ("/room reserve al", Kind::ReserveName, "-- nobody else has the name al in #lobby now"),
        ] {
            let request = asked(&mut alice, line, kind);
            assert_eq!(lines(&mut alice), [""; 0], "{line}");
            receive(&mut alice, LOBBY, Frame::Done(Done { request }));
            assert_eq!(lines(&mut alice), [told], "{line}");
        }
        let request = asked(&mut alice, "/room preset club", Kind::Change);
        receive(&mut alice, LOBBY, refused(request, RefusalCode::NotAllowed, "that is for the owners"));
        assert_eq!(lines(&mut alice), ["!! #lobby: that is for the owners"]);
        let request = asked(&mut alice, "/room ban bob", Kind::Change);
        receive(&mut alice, LOBBY, refused(request, RefusalCode::NoSuchPeer, "he has no account"));
        let advice = "!! #lobby: he has no account; /room ban bob!*@* keeps out whoever has that name";
        assert_eq!(lines(&mut alice), [advice]);
    }

    #[test]
    fn a_room_that_is_renamed_or_ends_is_so_for_us_too() {
        let mut alice = in_lobby(true);
        let request = asked(&mut alice, "/room rename tea", Kind::RenameRoom);
        receive(&mut alice, LOBBY, Frame::Done(Done { request }));
        assert_eq!(
            (lines(&mut alice), alice.prompt()),
            (vec!["-- #lobby is now #tea".into()], "#tea> ".into())
        );
        receive(&mut alice, LOBBY, Frame::RoomRenamed(RoomRenamed { by: "bob", to: "#den", text: "so" }));
        assert_eq!(lines(&mut alice), ["-- bob renamed #tea, which is now #den: so"]);
        let gone = Destroyed { by: "bob", instead: "#a", text: "we move" };
        receive(&mut alice, LOBBY, Frame::Destroyed(gone));
        assert_eq!(lines(&mut alice), ["!! bob ended #den: we move; /join #a goes on there"]);
        assert_eq!(alice.prompt(), "> ");
        typed(&mut alice, "/room show");
        assert!(lines(&mut alice)[0].contains("/switch"));
        typed(&mut alice, "/room #den show");
        assert_eq!(lines(&mut alice), ["!! you are not in #den; /join #den first"]);
        asked(&mut alice, "/room #den ask membership", Kind::Wish);
    }

    #[test]
    fn lists_go_on_to_their_end() {
        let mut alice = in_lobby(true);
        let mut scratch = Vec::new();
        let entry =
            MaskEntry { mask: "*!*@host", by: "bob", at_millis: 0, until_millis: 60_000, reason: "spam" };
        let first = asked(&mut alice, "/room list bans", Kind::ListMasks);
        let masks = ListEntries::encode(&mut scratch, [entry]);
        alice.receive(LOBBY, Flags::MORE, Frame::Masks(Masks { request: first, masks }));
        let second = request(&mut alice, Kind::ListMasks);
        receive(&mut alice, LOBBY, Frame::Masks(Masks { request: second, masks }));
        let line = "-- *!*@host (by bob, 1970-01-01 00:00 UTC), until 1970-01-01 00:01 UTC, because spam";
        assert_eq!(lines(&mut alice), ["-- #lobby: 2 on that list:", line, line]);
        let request = asked(&mut alice, "/room list wishes", Kind::ListWishes);
        let wishes =
            ListEntries::encode(&mut scratch, [WishEntry { who: "bob", wish: 1, text: "let me in" }]);
        receive(&mut alice, LOBBY, Frame::Wishes(Wishes { request, wishes }));
        let expected = ["-- #lobby: 1 waiting for an answer:", "-- bob asks for membership: let me in"];
        assert_eq!(lines(&mut alice), expected);
    }

    #[test]
    fn who_enters_is_warned_of_what_others_learn() {
        let mut alice = in_lobby(true);
        for (flags, warning) in [
            (0, "-- in #tea everybody sees who you are, and what is said may be kept"),
            (0x180, "-- in #tea only admins can find out who you are; for the others you are anon-x"),
        ] {
            let request = asked(&mut alice, "/join tea sesame", Kind::Join);
            let joined = Joined {
                request,
                room: "#tea",
                occupants: 1,
                flags,
                affiliation: 0,
                grants: 0,
                you: "anon-x",
                subject_millis: 1_700_000_000_000,
                subject_by: "bob",
                subject: "green",
            };
            receive(&mut alice, 9, Frame::Joined(joined));
            let lines_shown = lines(&mut alice);
            assert!(lines_shown.contains(&warning.to_owned()), "{warning}");
            let subject = "-- #tea is about: green (set by bob, 2023-11-14 22:13 UTC)";
            assert!(lines_shown.contains(&subject.to_owned()), "{lines_shown:?}");
            let kicked = crate::wire::frame::Kicked { who: "anon-x", by: "bob", text: "" };
            receive(&mut alice, 9, Frame::Kicked(kicked));
            assert_eq!(lines(&mut alice), ["!! bob made you leave #tea"]);
        }
    }
}
