//! What the server sends.

use super::past::PastAsked;
use super::room_words::{change, moment, warning};
use super::{Conversation, NamesOf, Pending, Stage, is_code, same_name};
use crate::chat::shown::Shown;
use crate::wire::frame::{
    AddressEntry, Announced, Grants, Invited, Joined, Kicked, Left, ListRooms, Notice, Offers, Peer, Refused,
    Renamed, RoomList, Said, Subject, Told, ToldElsewhere,
};
use crate::wire::{AffiliationCode, Flags, Frame, LeftCode, Origin, RefusalCode, Transport};

/// Entries of a list that are shown; who wants more has better ways than a chat to read them.
const LISTED_MAX: usize = 1_000;

/// Entries of a list of names that share a line.
const NAMES_PER_LINE: usize = 20;

impl Conversation {
    /// A frame other than those of the session itself.
    pub fn receive(&mut self, channel: u32, flags: Flags, frame: Frame<'_>) {
        let more = flags.contains(Flags::MORE);
        match frame {
            Frame::Done(done) => self.done(done.request),
            Frame::Refused(refused) => self.refuse(refused),
            Frame::Joined(joined) => self.joined(channel, joined),
            Frame::Said(Said { by, text }) => self.show_in_room(channel, by, text),
            Frame::Entered(entered) => {
                self.tell_about_room(channel, |room| format!("{} entered {room}", entered.who))
            }
            Frame::Left(left) if left.who == self.nick => self.left_elsewhere(channel),
            Frame::Left(left) => self.tell_about_room(channel, |room| departure(left, room)),
            Frame::Kicked(kicked) => self.kicked(channel, kicked),
            Frame::Changed(changed) => self.tell_about_room(channel, |room| change(changed, room)),
            Frame::Settings(settings) => self.settings_shown(settings),
            Frame::Members(page) => self.members_listed(channel, page, more),
            Frame::Masks(page) => self.masks_listed(channel, page, more),
            Frame::Wishes(page) => self.wishes_listed(page, more),
            Frame::Wished(wished) => self.wished(channel, wished),
            Frame::Decided(decided) => self.decided(decided),
            Frame::Past(past) => self.past_came(channel, past, more),
            Frame::Retracted(retracted) => self.retracted(channel, retracted),
            Frame::Destroyed(destroyed) => self.room_destroyed(channel, destroyed),
            Frame::RoomRenamed(renamed) => self.room_renamed(channel, renamed),
            Frame::Renamed(renamed) => self.renamed(renamed),
            Frame::Invited(Invited { by, room }) => {
                self.notice(format!("{by} invites you to {room}; /join {room} enters it"));
            }
            Frame::Notice(Notice { by, text }) => self.noticed(channel, by, text),
            Frame::Announced(Announced { by, text }) => self.notice(format!("{by} tells everybody: {text}")),
            Frame::Subject(subject) => self.subject_set(channel, subject),
            Frame::RoomList(list) => self.room_list(list, more),
            Frame::Occupants(list) => {
                let occupants = list.occupants.iter().map(|one| Listed {
                    sign: sign(one.affiliation, one.grants),
                    name: one.name,
                    real: one.real,
                });
                self.names(list.request, occupants, more)
            }
            Frame::PeerList(list) => {
                let names = list.names.iter().map(|name| Listed { sign: "", name, real: "" });
                self.names(list.request, names, more)
            }
            Frame::Told(Told { from, text }) => {
                let message = Shown::Private { from: from.to_owned(), text: text.to_owned() };
                self.shown.push(Shown::said(message));
            }
            Frame::ToldElsewhere(ToldElsewhere { to, text }) => {
                self.notice(format!("you said to {to}, with another client: {text}"));
            }
            Frame::Peer(peer) => {
                self.pending.remove(&peer.request);
                self.show_directory_entry(peer);
            }
            Frame::Offer(offer) => self.offered_by(channel, offer),
            Frame::Ringing(ringing) => self.rings(channel, ringing.request),
            Frame::Opened(opened) => self.opened(channel, opened),
            Frame::Closed(closed) => self.closed(channel, closed),
            Frame::Data(data) => self.receive_payload(channel, data.payload, flags),
            Frame::Paths(paths) => self.round_begins(channel, paths),
            Frame::Ticket(ticket) => drop(self.pending.remove(&ticket.request)),
            Frame::Bound(_) => {}
            Frame::Account(account) => self.account_changed(account),
            // What only clients send says nothing here.
            _ => log::debug!("a frame of kind {:?} from the server is passed over", frame.kind()),
        }
    }

    fn done(&mut self, request: u32) {
        match self.pending.remove(&request) {
            Some(Pending::Leave { room }) => {
                self.remove_room(&room);
                self.notice(format!("you left {room}"));
            }
            Some(Pending::Accept { call }) => self.accepted(call),
            Some(Pending::Room { room, asked }) => self.room_done(&room, asked),
            Some(Pending::Subject { room, text }) => {
                if let Some(room) = self.rooms.iter_mut().find(|known| same_name(&known.name, &room)) {
                    text.clone_into(&mut room.subject);
                }
                let now = if text.is_empty() { "nothing in particular" } else { &text };
                self.notice(format!("{room} is now about: {now}"));
            }
            Some(_) | None => {}
        }
    }

    /// Refusals of what is no request of ours concern payload of a relay that ended under way; what there is to say
    /// about it, its end says.
    fn refuse(&mut self, refused: Refused<'_>) {
        let Refused { request, code, text: why } = refused;
        match self.pending.remove(&request) {
            None | Some(Pending::End) => {}
            Some(Pending::Account(asked)) => self.account_refused(asked, code, why),
            Some(Pending::Join { room, typed }) => self.join_refused(room, typed, code, why),
            Some(Pending::Text { to, text, .. }) => {
                self.refused += 1;
                let why = self.advised(code, why);
                self.trouble(format!("{to} did not get \"{text}\": {why}"));
            }
            Some(Pending::Open { call }) => {
                let Some(call) = self.remove_call(call) else { return };
                if call.stage != (Stage::Asked { hung_up: true }) {
                    let why = self.advised(code, why);
                    self.call_refused(&call.peer, &why);
                }
            }
            Some(Pending::Accept { call }) => {
                self.remove_call(call);
                self.trouble(format!("the call cannot be taken: {why}"));
            }
            Some(Pending::Paths { call, shown }) => self.offer_refused(call, shown, why),
            Some(Pending::Peer) => {
                let why = self.advised(code, why);
                self.trouble(why);
            }
            Some(Pending::Declared) => self.trouble(format!("you are not in the directory: {why}")),
            Some(Pending::Ticket) => self.datagrams_failed(why),
            Some(Pending::Leave { room } | Pending::Subject { room, .. } | Pending::Past { room, .. }) => {
                self.trouble(format!("{room}: {why}"))
            }
            Some(Pending::Room { room, asked }) => self.room_refused(&room, asked, code, why),
            Some(Pending::Names { .. } | Pending::Rooms { .. }) => self.trouble(why),
        }
    }

    /// What the directory says of a peer, an address a line.
    fn show_directory_entry(&mut self, peer: Peer<'_>) {
        self.notice(directory_entry(peer));
        let addresses: Vec<String> = peer.addresses.iter().map(shown_address).collect();
        addresses.into_iter().for_each(|address| self.notice(address));
    }

    fn call_refused(&mut self, peer: &str, why: &str) {
        if self.interactive {
            self.trouble(format!("no call with {peer}: {why}"));
        } else {
            // A script ends with it, and says so then.
            self.failed_call.get_or_insert((peer.to_owned(), why.to_owned()));
        }
    }

    /// The server's reason, and what somebody at a prompt can do about it.
    fn advised(&self, code: u16, why: &str) -> String {
        if self.interactive && is_code(code, RefusalCode::NoSuchPeer) {
            format!("{why}; /peers lists who is")
        } else {
            why.to_owned()
        }
    }

    fn join_refused(&mut self, room: String, typed: bool, code: u16, why: &str) {
        // The same room twice on the command line, perhaps; either way we are in it.
        if is_code(code, RefusalCode::AlreadyInRoom) {
            return;
        }
        self.remove_room(&room);
        if typed || self.interactive {
            self.trouble(format!("you are not in {room}: {why}"));
        } else {
            // A script ends with it, and says so then.
            self.failed_room.get_or_insert((room, why.to_owned()));
        }
    }

    fn joined(&mut self, channel: u32, joined: Joined<'_>) {
        let (asked, typed) = match self.pending.remove(&joined.request) {
            Some(Pending::Join { room, typed }) => {
                if self.past_on_entering > 0 {
                    let pending = Pending::Past { room: room.clone(), asked: PastAsked::on_entering() };
                    self.pending.insert(joined.request, pending);
                }
                (room, typed)
            }
            // Another client of ours is there, and so are we.
            None if joined.request == 0 => {
                self.add_room(joined.room);
                (joined.room.to_owned(), false)
            }
            _ => return,
        };
        let Some(room) = self.rooms.iter_mut().find(|room| same_name(&room.name, &asked)) else { return };
        joined.room.clone_into(&mut room.name);
        room.channel = Some(channel);
        joined.subject.clone_into(&mut room.subject);
        joined.you.clone_into(&mut room.you);
        let id = room.id;
        if typed || self.target.is_none() {
            self.target = Some(id);
        }
        let others = match joined.occupants.saturating_sub(1) {
            0 => "with nobody else yet".to_owned(),
            1 => "with one other".to_owned(),
            n => format!("with {n} others"),
        };
        self.notice(format!("you are in {}, {others}", joined.room));
        if self.interactive {
            self.notice(warning(&joined));
        }
        if !joined.subject.is_empty() {
            let (by, at) = (joined.subject_by, moment(joined.subject_millis));
            self.notice(format!("{} is about: {} (set by {by}, {at})", joined.room, joined.subject));
        }
        if self.interactive && joined.occupants > 1 {
            self.list(NamesOf::Room { channel, name: joined.room.to_owned() });
        }
    }

    fn left_elsewhere(&mut self, channel: u32) {
        let Some(room) = self.room_at(channel).map(|room| room.name.clone()) else { return };
        self.remove_room(&room);
        self.notice(format!("you left {room}, with another client"));
    }

    fn show_in_room(&mut self, channel: u32, by: &str, text: &str) {
        let Some(room) = self.room_at(channel).map(|room| room.name.clone()) else { return };
        self.shown.push(Shown::said(Shown::Room { room, by: by.to_owned(), text: text.to_owned() }));
    }

    pub(super) fn tell_about_room(&mut self, channel: u32, sentence: impl FnOnce(&str) -> String) {
        let Some(sentence) = self.room_at(channel).map(|room| sentence(&room.name)) else { return };
        self.notice(sentence);
    }

    /// Somebody was made to leave. If it is us, the room is no longer ours.
    fn kicked(&mut self, channel: u32, kicked: Kicked<'_>) {
        let Some((room, you)) = self.room_at(channel).map(|room| (room.name.clone(), room.you.clone()))
        else {
            return;
        };
        let words = if kicked.text.is_empty() { String::new() } else { format!(": {}", kicked.text) };
        // Where nobody did, it is the room that does not take them any more.
        let by = if kicked.by.is_empty() { &room } else { kicked.by };
        if kicked.who == you || kicked.who == self.nick {
            self.trouble(format!("{by} made you leave {room}{words}"));
            self.remove_room(&room);
        } else {
            self.notice(format!("{by} made {} leave {room}{words}", kicked.who));
        }
    }

    /// Names are kept in calls, in what asks for their ends, and in our own.
    fn renamed(&mut self, Renamed { who, to }: Renamed<'_>) {
        for room in self.rooms.iter_mut().filter(|room| room.you == who) {
            to.clone_into(&mut room.you);
        }
        if who == self.nick {
            to.clone_into(&mut self.nick);
            return self.notice(format!("you are now {to}"));
        }
        for call in self.calls.iter_mut().filter(|call| call.peer == who) {
            to.clone_into(&mut call.peer);
        }
        self.notice(format!("{who} is now {to}"));
    }

    /// A notice is shown as what it is, so that nobody takes it for a part of the conversation.
    fn noticed(&mut self, channel: u32, by: &str, text: &str) {
        let place = match channel {
            0 => String::new(),
            channel => match self.room_at(channel) {
                Some(room) => format!(" to {}", room.name),
                None => return,
            },
        };
        self.notice(format!("notice of {by}{place}: {text}"));
    }

    fn subject_set(&mut self, channel: u32, subject: Subject<'_>) {
        let Some(room) = self.room_at(channel) else { return };
        subject.text.clone_into(&mut room.subject);
        let sentence = match subject.text {
            "" => format!("{} took the subject of {} away", subject.by, room.name),
            text => format!("{} is now about: {text} (set by {})", room.name, subject.by),
        };
        self.notice(sentence);
    }

    fn room_list(&mut self, list: RoomList<'_>, more: bool) {
        let Some(Pending::Rooms { mut lines }) = self.pending.remove(&list.request) else { return };
        let mut last = None;
        for room in list.rooms.iter() {
            lines.push(format!("{} ({})", room.name, room.occupants));
            last = Some(room.name);
        }
        match last {
            Some(after) if more && lines.len() < LISTED_MAX => {
                return self.request(0, Pending::Rooms { lines }, |request| ListRooms { request, after });
            }
            _ => {}
        }
        match lines.len() {
            0 => self.notice("there are no rooms; /join makes one"),
            n => self.notice(format!("{}:", count_of(n, more, "room"))),
        }
        lines.truncate(LISTED_MAX);
        lines.into_iter().for_each(|line| self.notice(line));
    }

    fn names<'a>(&mut self, request: u32, page: impl Iterator<Item = Listed<'a>>, more: bool) {
        let Some(Pending::Names { of, mut names }) = self.pending.remove(&request) else { return };
        let mut last = None;
        for Listed { sign, name, real } in page {
            let real = if real.is_empty() { String::new() } else { format!(" ({real})") };
            names.push(format!("{sign}{name}{real}"));
            last = Some(name);
        }
        match last {
            Some(after) if more && names.len() < LISTED_MAX => return self.list_behind(of, after, names),
            _ => {}
        }
        let place = match of {
            NamesOf::Room { name, .. } => format!("in {name}"),
            NamesOf::Server => "on the server".to_owned(),
        };
        self.notice(format!("{} {place}:", count_of(names.len(), more, "user")));
        for line in names[..names.len().min(LISTED_MAX)].chunks(NAMES_PER_LINE) {
            self.notice(line.join(", "));
        }
    }
}

/// Somebody in a list of names.
struct Listed<'a> {
    /// Of their rank in a room, where they have one.
    sign: &'static str,
    name: &'a str,
    /// Who it is, where the room hides that and we may know; often nothing.
    real: &'a str,
}

/// The sign of somebody's rank in a room; the same as in IRC.
fn sign(affiliation: u8, grants: u8) -> &'static str {
    match AffiliationCode::from_number(affiliation) {
        Some(AffiliationCode::Owner) => "~",
        Some(AffiliationCode::Admin) => "&",
        _ if grants & Grants::MODERATOR != 0 => "@",
        Some(AffiliationCode::Member) => "+",
        _ if grants & Grants::VOICE != 0 => "+",
        _ => "",
    }
}

/// What the directory says of a peer, in one sentence.
fn directory_entry(peer: Peer<'_>) -> String {
    let offers =
        [(Offers::RELAYS, "relays"), (Offers::CONVERSATIONS, "conversations"), (Offers::PIPES, "pipes")];
    let offers: Vec<&str> =
        offers.into_iter().filter(|(bit, _)| peer.offers & bit != 0).map(|(_, name)| name).collect();
    let offers = if offers.is_empty() { "nothing but messages".to_owned() } else { offers.join(", ") };
    let reached = match peer.addresses.iter().count() {
        0 if peer.offers & Offers::RELAYS != 0 => "; reachable by relay",
        0 => "; not reachable",
        _ => "; reachable at the addresses below",
    };
    let (online, heard) = (span(peer.online_seconds), span(peer.heard_seconds));
    format!("{} takes {offers}{reached}; here for {online}, last heard of {heard} ago", peer.name)
}

fn shown_address(entry: AddressEntry) -> String {
    let transport = match Transport::from_number(entry.transport) {
        Some(Transport::Tcp) => "tcp ",
        Some(Transport::Udp) => "udp ",
        None => "",
    };
    let observed = match Origin::from_number(entry.origin) {
        Some(Origin::Observed) => " (seen by the server)",
        Some(Origin::Declared) | None => "",
    };
    format!("{transport}{}{observed}", entry.address)
}

pub(super) fn span(seconds: u32) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn departure(left: Left<'_>, room: &str) -> String {
    let how = match LeftCode::from_number(left.code) {
        Some(LeftCode::Left) | None => "left",
        Some(LeftCode::Quit) => "quit and left",
        Some(LeftCode::Lost) => "lost the connection and left",
        Some(LeftCode::Dropped) => "was disconnected and left",
    };
    let words = if left.text.is_empty() { String::new() } else { format!(": {}", left.text) };
    format!("{} {how} {room}{words}", left.who)
}

fn count_of(count: usize, more: bool, what: &str) -> String {
    match count {
        _ if count > LISTED_MAX || more => format!("more than {} {what}s, the first", LISTED_MAX.min(count)),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
