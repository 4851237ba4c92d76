//! Who may do what in a room, over real connections: every cell of the tables of XEP-0045 §5.1.1, §5.1.2 and §5.2.1, asked
//! for in frames and in lines. What is allowed is done, and what is not is refused by the code or the numeric that says
//! why.

#[path = "common/asking.rs"]
mod asking;
mod common;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/privileges.rs"]
mod privileges;

use asking::{REQUEST, ask, change, changes, join, member, undo};
use common::{Client, Server};
use irc::Link;
use privileges::{ALL_AFFILIATIONS, BY_ROLE, Cell, DEFAULT_ROLES, DOORS, Deed, Door, cells};
use switchboard::hub::{Affiliation, Flag, Role, RoomChange};
use switchboard::wire::{AffiliationCode, ChangeCode, RefusalCode, frame};

/// What the tables are about does it in one dialect or the other.
trait Dialect {
    /// Its nickname and account.
    const NAME: &'static str;

    fn enter(&mut self, room: &Room) -> Door;

    /// Whether it is done; nothing but what has to be in the way is in the way.
    fn does(&mut self, room: &Room, deed: Deed) -> bool;

    /// Is in no room any more, and as before.
    fn leave(&mut self, room: &Room);

    /// Whether there is a request for that in this dialect.
    fn knows(deed: Deed) -> bool;
}

/// Where somebody tries something.
struct Room {
    name: String,
    channel: u32,
}

/// Those who are there besides.
struct Others {
    /// Whose rooms all of them are.
    ann: Client,
    /// To whom things are done inside, and outside.
    cy: Client,
    dan: Client,
    /// Hears who is away.
    ear: Link,
    rooms_made: u32,
}

struct Native(Client);

struct Line(Link);

fn server() -> Server {
    let no_bounds = ["--registrations-per-address-max", "0", "--irc-lines-per-second", "0"];
    Server::start(&[&["--account-delay-seconds", "1e-9"], &no_bounds[..]].concat())
}

impl Others {
    fn new(server: &Server) -> Others {
        let [ann, cy, dan] = ["ann", "cy", "dan"].map(|name| member(server, name));
        let mut ear = Link::log_in(server.address, "ear", "");
        ear.ask("CAP REQ :away-notify");
        Others { ann, cy, dan, ear, rooms_made: 0 }
    }

    fn make_room(&mut self) -> Room {
        self.rooms_made += 1;
        let name = format!("#room{}", self.rooms_made);
        let channel = self.ann.join(&name);
        Room { name, channel }
    }

    fn set(&mut self, room: &Room, change: RoomChange<'_>) {
        let (code, on, value) = match change {
            RoomChange::Flag { flag, on } => (flag_code(flag), on, String::new()),
            RoomChange::OccupantsMax(Some(max)) => (ChangeCode::OccupantsMax, true, max.to_string()),
            RoomChange::Password(Some(password)) => (ChangeCode::Password, true, password.to_owned()),
            other => panic!("{other:?} is in no table"),
        };
        let asked = changes(code, on.into(), &value);
        assert_eq!(ask(&mut self.ann, room.channel, &asked), Ok(()), "{change:?}");
    }

    fn affiliate(&mut self, room: &Room, affiliation: Affiliation, whom: &str) {
        let code = match affiliation {
            Affiliation::Outcast => ChangeCode::Outcast,
            Affiliation::None => return,
            Affiliation::Member => ChangeCode::Member,
            Affiliation::Admin => ChangeCode::Admin,
            Affiliation::Owner => ChangeCode::Owner,
        };
        assert_eq!(change(&mut self.ann, room.channel, code, whom), Ok(()));
    }

    fn grant(&mut self, room: &Room, role: Role, to: &str) {
        let code = match role {
            Role::Visitor => return,
            Role::Participant => ChangeCode::Voice,
            Role::Moderator => ChangeCode::Moderator,
        };
        assert_eq!(change(&mut self.ann, room.channel, code, to), Ok(()));
    }

    /// Ann's room, with `who` in it as the cell has them, and Cy, who has a voice.
    fn room_of<D: Dialect>(&mut self, cell: &Cell, who: &mut D) -> Room {
        let &Cell { deed, flag, role, affiliation, .. } = cell;
        let room = self.make_room();
        self.set(&room, RoomChange::Flag { flag: Flag::Moderated, on: true });
        let hides = flag == Some(Flag::SemiAnonymous);
        let set = |flag| RoomChange::Flag { flag, on: true };
        // That changes only while nobody else is there.
        flag.filter(|_| hides).into_iter().for_each(|flag| self.set(&room, set(flag)));
        self.affiliate(&room, affiliation, D::NAME);
        assert_eq!(who.enter(&room), Door::Opens, "{cell:?}");
        assert_eq!(join(&mut self.cy, &room.name, ""), Ok(room.channel));
        if !hides {
            self.grant(&room, Role::Participant, "cy");
            self.grant(&room, role, D::NAME);
            flag.into_iter().for_each(|flag| self.set(&room, set(flag)));
        }
        match deed {
            Deed::GiveVoice => {
                assert_eq!(undo(&mut self.ann, room.channel, ChangeCode::Voice, "cy"), Ok(()));
            }
            Deed::ShowStatus => drop(self.ear.ask(&format!("JOIN {}", room.name))),
            _ => {}
        }
        room
    }

    /// The room is no more, if it is not already.
    fn leave(&mut self, room: &Room) {
        for client in [&mut self.ann, &mut self.cy] {
            let left = ask(client, room.channel, &frame::Leave { request: REQUEST });
            assert!(matches!(left, Ok(()) | Err(RefusalCode::NotInRoom)), "{left:?}");
        }
        self.ear.ask("JOIN 0");
        self.dan.round_trip();
    }
}

fn flag_code(flag: Flag) -> ChangeCode {
    match flag {
        Flag::Moderated => ChangeCode::Moderated,
        Flag::MembersOnly => ChangeCode::MembersOnly,
        Flag::SemiAnonymous => ChangeCode::SemiAnonymous,
        Flag::SubjectLocked => ChangeCode::SubjectLocked,
        Flag::SubjectOpen => ChangeCode::SubjectOpen,
        Flag::VisitorsPassive => ChangeCode::VisitorsPassive,
        Flag::ModeratorsInvite => ChangeCode::ModeratorsInvite,
        other => panic!("{other:?} is in no table"),
    }
}

impl Dialect for Native {
    const NAME: &'static str = "bob";

    fn enter(&mut self, room: &Room) -> Door {
        match join(&mut self.0, &room.name, "") {
            Ok(_) => Door::Opens,
            Err(RefusalCode::Banned) => Door::IsForNoOutcasts,
            Err(RefusalCode::MembersOnly) => Door::IsForMembers,
            Err(RefusalCode::RoomFull) => Door::IsFull,
            Err(RefusalCode::BadPassword) => Door::AsksForPassword,
            Err(other) => panic!("the door of {}: {other:?}", room.name),
        }
    }

    fn does(&mut self, room: &Room, deed: Deed) -> bool {
        let in_the_way = if deed == Deed::Say { RefusalCode::NoVoice } else { RefusalCode::NotAllowed };
        match self.asks(room, deed) {
            Ok(()) => true,
            Err(refusal) if refusal == in_the_way => false,
            Err(other) => panic!("{deed:?}: {other:?}"),
        }
    }

    fn leave(&mut self, room: &Room) {
        let left = ask(&mut self.0, room.channel, &frame::Leave { request: REQUEST });
        assert!(matches!(left, Ok(()) | Err(RefusalCode::NotInRoom)), "{left:?}");
    }

    fn knows(deed: Deed) -> bool {
        !matches!(deed, Deed::Rename | Deed::ShowStatus)
    }
}

impl Native {
    fn asks(&mut self, room: &Room, deed: Deed) -> Result<(), RefusalCode> {
        let (bob, channel, request) = (&mut self.0, room.channel, REQUEST);
        let set = |bob: &mut Client, code, value| change(bob, channel, code, value);
        match deed {
            Deed::Say => ask(bob, channel, &frame::Say { request, text: "hello" }),
            Deed::SetSubject => ask(bob, channel, &frame::SetSubject { request, text: "at five" }),
            Deed::Invite => ask(bob, channel, &frame::Invite { request, who: "dan" }),
            Deed::Kick => ask(bob, channel, &frame::Kick { request, who: "cy", text: "" }),
            Deed::GiveVoice => set(bob, ChangeCode::Voice, "cy"),
            Deed::TakeVoice => undo(bob, channel, ChangeCode::Voice, "cy"),
            Deed::BanMask => set(bob, ChangeCode::Ban, "x!*@*"),
            Deed::ListMembers => {
                let affiliation = AffiliationCode::None.number();
                ask(bob, channel, &frame::ListMembers { request, affiliation, after: "" })
            }
            Deed::ReserveName => ask(bob, channel, &frame::ReserveName { request, name: "bobby" }),
            Deed::MakeMember => set(bob, ChangeCode::Member, "dan"),
            Deed::BanAccount => set(bob, ChangeCode::Outcast, "dan"),
            Deed::MakeModerator => set(bob, ChangeCode::Moderator, "cy"),
            Deed::MakeAdmin => set(bob, ChangeCode::Admin, "dan"),
            Deed::MakeOwner => set(bob, ChangeCode::Owner, "dan"),
            Deed::Configure => set(bob, ChangeCode::OccupantsMax, "9"),
            Deed::RenameRoom => {
                let to = format!("{}b", room.name);
                ask(bob, channel, &frame::RenameRoom { request, to: &to, text: "" })
            }
            Deed::Destroy => ask(bob, channel, &frame::Destroy { request, instead: "", text: "" }),
            Deed::Rename | Deed::ShowStatus => panic!("no frame asks for that"),
        }
    }
}

impl Dialect for Line {
    const NAME: &'static str = "bea";

    fn enter(&mut self, room: &Room) -> Door {
        let told = self.0.ask(&format!("JOIN {}", room.name));
        let doors = [
            (" 366 ", Door::Opens),
            (" 474 ", Door::IsForNoOutcasts),
            (" 473 ", Door::IsForMembers),
            (" 471 ", Door::IsFull),
            (" 475 ", Door::AsksForPassword),
        ];
        let found = doors.iter().find(|(numeric, _)| told.iter().any(|line| line.contains(numeric)));
        found.unwrap_or_else(|| panic!("the door of {}: {told:?}", room.name)).1
    }

    fn does(&mut self, room: &Room, deed: Deed) -> bool {
        let (line, done, refused) = request(&room.name, deed);
        self.0.told(); // and what was before is past
        let told = self.0.ask(&line);
        let has = |part: &str| told.iter().any(|line| line.contains(part));
        assert_ne!(has(done), has(refused), "{line} is answered by {told:?}");
        has(done)
    }

    fn leave(&mut self, _: &Room) {
        self.0.ask("JOIN 0");
        self.0.ask("AWAY");
        self.0.ask("NICK bea");
    }

    fn knows(deed: Deed) -> bool {
        deed != Deed::ShowStatus // which nobody is ever refused: see below
    }
}

/// What asks for something, and what is told by it: done, or refused.
fn request(room: &str, deed: Deed) -> (String, &'static str, &'static str) {
    const OPERATORS: &str = " 482 bea ";
    let (said, done, refused) = match deed {
        Deed::Say => ("PRIVMSG {} :hello", " PRIVMSG #", " 404 bea "),
        Deed::SetSubject => ("TOPIC {} :at five", " TOPIC #", OPERATORS),
        Deed::Invite => ("INVITE dan {}", " 341 ", OPERATORS),
        Deed::Rename => ("NICK bee", " NICK bee", " 437 bea "),
        Deed::ShowStatus => panic!("that is refused to nobody"),
        Deed::Kick => ("KICK {} cy", " KICK #", OPERATORS),
        Deed::GiveVoice => ("MODE {} +v cy", " MODE #", OPERATORS),
        Deed::TakeVoice => ("MODE {} -v cy", " MODE #", OPERATORS),
        Deed::BanMask => ("MODE {} +b x!*@*", " MODE #", OPERATORS),
        Deed::MakeModerator => ("MODE {} +o cy", " MODE #", OPERATORS),
        Deed::BanAccount => ("MODE {} +b ~a:dan", " MODE #", OPERATORS),
        Deed::Configure => ("MODE {} +l 9", " MODE #", OPERATORS),
        Deed::RenameRoom => ("RENAME {} {}b", " RENAME #", OPERATORS),
        Deed::ListMembers => ("CS LIST {}", " - owner since ", ":That is for the "),
        Deed::ReserveName => ("CS RESERVE {} beate", "yours alone", ":That is for the members"),
        Deed::MakeMember => ("CS MEMBER {} dan", ":It is done.", ":That is for the admins"),
        Deed::MakeAdmin => ("CS ADMIN {} dan", ":It is done.", ":That is for the owners"),
        Deed::MakeOwner => ("CS OWNER {} dan", ":It is done.", ":That is for the owners"),
        Deed::Destroy => ("CS DESTROY {}", " is no more.", ":That is for the owners"),
    };
    (said.replace("{}", room), done, refused)
}

fn bob(server: &Server) -> Native {
    Native(member(server, Native::NAME))
}

fn bea(server: &Server) -> Line {
    let mut bea = Link::log_in(server.address, Line::NAME, "");
    bea.ask("CAP REQ :echo-message draft/channel-rename");
    let told = bea.ask("REGISTER * * sesame");
    assert!(told.iter().any(|line| line.contains(" 900 ")), "{told:?}");
    Line(bea)
}

fn try_every_cell<D: Dialect>(server: &Server, mut who: D) {
    let mut others = Others::new(server);
    for cell in cells().iter().filter(|cell| D::knows(cell.deed)) {
        let room = others.room_of(cell, &mut who);
        assert_eq!(who.does(&room, cell.deed), cell.is_allowed, "{cell:?}");
        who.leave(&room);
        others.leave(&room);
    }
}

#[test]
fn each_rank_has_its_privileges_in_frames() {
    let server = server();
    try_every_cell(&server, bob(&server));
}

#[test]
fn each_rank_has_its_privileges_in_lines() {
    let server = server();
    try_every_cell(&server, bea(&server));
}

/// Whoever has nothing to show may be away all the same: it is only that nobody there hears of it.
#[test]
fn whose_status_is_shown_to_whom() {
    let server = server();
    let (mut others, mut bea) = (Others::new(&server), bea(&server));
    for cell in cells().iter().filter(|cell| cell.deed == Deed::ShowStatus) {
        let room = others.room_of(cell, &mut bea);
        others.ear.told();
        bea.0.ask("AWAY :tea");
        let is_shown = others.ear.told().iter().any(|line| line.contains(" AWAY :tea"));
        assert_eq!(is_shown, cell.is_allowed, "{cell:?}");
        bea.leave(&room);
        others.leave(&room);
    }
}

fn try_every_door<D: Dialect>(server: &Server, mut who: D) {
    let mut others = Others::new(server);
    for &(setting, doors) in DOORS {
        for (affiliation, door) in ALL_AFFILIATIONS.into_iter().zip(doors) {
            let room = others.make_room();
            others.affiliate(&room, affiliation, D::NAME);
            others.set(&room, setting);
            assert_eq!(who.enter(&room), door, "{affiliation:?} {setting:?}");
            who.leave(&room);
            others.leave(&room);
        }
    }
}

#[test]
fn each_affiliation_has_its_doors_in_frames() {
    let server = server();
    try_every_door(&server, bob(&server));
}

#[test]
fn each_affiliation_has_its_doors_in_lines() {
    let server = server();
    try_every_door(&server, bea(&server));
}

fn try_default_roles<D: Dialect>(server: &Server, mut who: D) {
    let mut others = Others::new(server);
    for (affiliation, roles) in DEFAULT_ROLES {
        for (is_moderated, role) in [true, false].into_iter().zip(roles) {
            let room = others.make_room();
            others.set(&room, RoomChange::Flag { flag: Flag::Moderated, on: is_moderated });
            others.affiliate(&room, affiliation, D::NAME);
            assert_eq!(who.enter(&room), Door::Opens);
            assert_eq!(join(&mut others.cy, &room.name, ""), Ok(room.channel));
            let found = (who.does(&room, Deed::Say), who.does(&room, Deed::Kick));
            let expected = (role >= Role::Participant, role >= Role::Moderator);
            assert_eq!(found, expected, "{affiliation:?}, moderated: {is_moderated}");
            who.leave(&room);
            others.leave(&room);
        }
    }
}

#[test]
fn each_affiliation_has_its_role_in_frames() {
    let server = server();
    try_default_roles(&server, bob(&server));
}

#[test]
fn each_affiliation_has_its_role_in_lines() {
    let server = server();
    try_default_roles(&server, bea(&server));
}

/// XEP-0045 §5.1.1: who is not in the room has no role in it, whatever they are to it.
#[test]
fn who_is_outside_does_nothing_that_takes_a_role() {
    let server = server();
    let (mut others, mut bob, mut bea) = (Others::new(&server), bob(&server), bea(&server));
    let room = others.make_room();
    others.affiliate(&room, Affiliation::Owner, Native::NAME);
    others.affiliate(&room, Affiliation::Owner, Line::NAME);
    assert_eq!(join(&mut others.cy, &room.name, ""), Ok(room.channel));
    let in_rooms = |deed: &Deed| !matches!(deed, Deed::Rename | Deed::ShowStatus);
    for deed in BY_ROLE.iter().map(|&(deed, ..)| deed).filter(in_rooms) {
        let refusal = bob.asks(&room, deed);
        assert_eq!(refusal, Err(RefusalCode::NotInRoom), "{deed:?}");
        let (line, ..) = request(&room.name, deed);
        let told = bea.0.ask(&line);
        let numeric = if deed == Deed::Say { " 404 bea " } else { " 442 bea " };
        assert!(matches!(&told[..], [line] if line.contains(numeric)), "{deed:?}: {told:?}");
    }
}
