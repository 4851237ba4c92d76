//! What the user types, or a script writes.

use super::{Conversation, NamesOf, Pending, PlaceId, Stage, pieces, room_name, same_name};
use crate::chat::command::{Command, HELP, parse};
use crate::wire::frame::{Leave, ListPeers, ListRooms, Lookup, Say, SetSubject, Tell, Who};
use crate::wire::irc::ctcp::Ctcp;

impl Conversation {
    /// A line from the prompt.
    pub fn typed(&mut self, line: &str) {
        // A line pasted with others in it is several lines.
        for line in line.split(['\r', '\n']) {
            if let Some(wants) = self.wants.take() {
                self.take_password(wants, line);
                continue;
            }
            if let Some(call) = self.asked.take()
                && self.answered(call, line)
            {
                continue;
            }
            match parse(line) {
                Ok(command) => self.carry_out(command),
                Err(sentence) => self.trouble(sentence),
            }
        }
    }

    /// A script's line: a text, whatever it looks like, for the first room.
    pub fn say_in_first_room(&mut self, line: &str) {
        if let Some(id) = self.rooms.first().map(|room| room.id) {
            self.say(id, &line.replace('\r', ""));
        }
    }

    fn carry_out(&mut self, command: Command<'_>) {
        match command {
            Command::Empty => {}
            Command::Help => HELP.iter().for_each(|line| self.notice(*line)),
            Command::Quit(words) => self.leaving = Some(words.to_owned()),
            Command::Switch(name) => self.switch(name),
            Command::Me(words) => self.carry_out(Command::Text(&Ctcp::action(words).to_string())),
            Command::Subject(None) => self.show_subject(),
            Command::Path => self.show_path(),
            Command::Hangup(peer) => self.hang_up(peer),
            Command::Text(text) if self.prompted.is_some_and(|id| self.goes_on_offline(id)) => {
                if let Some(id) = self.prompted {
                    self.say(id, text);
                }
            }
            _ if !self.online => {
                self.trouble("there is no connection now, so that was not done; it is being made again")
            }
            Command::Text(text) => match self.prompted {
                Some(id) => self.say(id, text),
                None => self.said_nowhere(text),
            },
            Command::Join { room, password } => self.join(&room_name(room), password),
            Command::Room(room, command) => self.run_room(room, command),
            Command::Leave(room) => self.leave(room),
            Command::Msg { to, text } => self.tell(to, text),
            Command::Peer(name) => self.request(0, Pending::Peer, |request| Lookup { request, name }),
            Command::Peers => self.list(NamesOf::Server),
            Command::Rooms => {
                self.request(0, Pending::Rooms { lines: Vec::new() }, |request| ListRooms {
                    request,
                    after: "",
                });
            }
            Command::Who(room) => self.who(room),
            Command::Subject(Some(text)) => self.set_subject(if text == "-" { "" } else { text }),
            Command::History(wanted) => self.history(wanted),
            Command::Search { room, words } => self.search(room, words),
            Command::More => self.more(),
            Command::Retract { meant, reason } => self.retract(meant, reason),
            Command::Account => self.tell_account(),
            Command::Register | Command::Login(_) | Command::Password | Command::Unregister => {
                self.ask_password(command)
            }
            Command::Logout => self.log_out(),
            Command::Call(peer) => self.call_peer(peer),
            Command::Accept(peer) => self.accept(peer),
            Command::Decline(words) => self.decline(words),
        }
    }

    /// The prompt showed no room and no call; there may be one since.
    fn said_nowhere(&mut self, text: &str) {
        match self.target.and_then(|id| self.place_name(id)) {
            Some(name) => self.trouble(format!(
                "{name} is the target now, and was not yet at the prompt; not said: {text}"
            )),
            None => self.trouble("there is nowhere to say that; /join ROOM first, or /help"),
        }
    }

    fn say(&mut self, place: PlaceId, text: &str) {
        if let Some(room) = self.room(place) {
            let (name, channel) = (room.name.clone(), room.channel);
            match channel {
                Some(channel) => self.say_in_room(channel, &name, text),
                None => self.trouble(format!("you are not in {name} now; not said: {text}")),
            }
        } else if let Some(call) = self.call(place) {
            let (peer, stage) = (call.peer.clone(), call.stage);
            match stage {
                Stage::Open { .. } => self.say_in_call(place, text),
                _ => self.trouble(format!("{peer} has not answered yet; not said: {text}")),
            }
        } else {
            self.trouble(format!("that room or call is no more; not said: {text}"));
        }
    }

    fn say_in_room(&mut self, channel: u32, room: &str, text: &str) {
        for text in pieces(text, self.text_max) {
            let from = self.frames.len();
            let pending = Pending::Text { to: room.to_owned(), text: text.clone().into(), in_datagram: None };
            self.request(channel, pending, |request| Say { request, text: &text });
            self.by_datagram_if_wanted(from);
        }
    }

    fn tell(&mut self, to: &str, text: &str) {
        for text in pieces(text, self.text_max) {
            let pending = Pending::Text { to: to.to_owned(), text: text.clone().into(), in_datagram: None };
            self.request(0, pending, |request| Tell { request, to, text: &text });
        }
    }

    fn join(&mut self, name: &str, password: &str) {
        match self.room_named(name).map(|room| (room.id, room.channel)) {
            Some((id, Some(_))) => self.target = Some(id),
            _ => {
                self.add_room(name);
                if let Some(room) = self.rooms.iter_mut().find(|room| same_name(&room.name, name)) {
                    password.clone_into(&mut room.password);
                }
                self.ask_to_join(name.to_owned(), true);
            }
        }
    }

    fn leave(&mut self, room: Option<&str>) {
        let room = match room {
            Some(name) => self.room_named(&room_name(name)),
            None => self.target.and_then(|id| self.room(id)),
        };
        match room.map(|room| (room.name.clone(), room.channel)) {
            Some((name, Some(channel))) => {
                self.request(channel, Pending::Leave { room: name }, |request| Leave { request });
            }
            Some((name, None)) => self.remove_room(&name),
            None => self.trouble("you are not in that room; a call is ended with /hangup"),
        }
    }

    fn switch(&mut self, name: &str) {
        let room = self.room_named(&room_name(name)).map(|room| room.id);
        let call = self.calls.iter().find(|call| same_name(&call.peer, name.trim_start_matches('@')));
        // A name with its `#` is a room; without it, the call with that peer comes first.
        let place = if name.starts_with('#') { room } else { call.map(|call| call.id).or(room) };
        match place {
            Some(id) => self.target = Some(id),
            None => {
                self.trouble(format!("you are not in a room or a call named {name}; /join or /call first"))
            }
        }
    }

    fn who(&mut self, room: Option<&str>) {
        let place = match room {
            Some(name) => self.room_named(&room_name(name)).map(|room| room.id),
            None => self.target,
        };
        let Some(id) = place else {
            return match room {
                Some(name) => self.trouble(format!("you are not in {}; /join it first", room_name(name))),
                None => self.trouble("you are in no room; /join ROOM first, or /peers for all who are here"),
            };
        };
        if let Some((name, Some(channel))) = self.room(id).map(|room| (room.name.clone(), room.channel)) {
            self.list(NamesOf::Room { channel, name });
        } else if let Some(peer) = self.call(id).map(|call| call.peer.clone()) {
            self.notice(format!("in this call: you and {peer}"));
        } else if let Some(name) = self.place_name(id) {
            self.trouble(format!("you are not in {name} now; /join {name} first"));
        }
    }

    pub(super) fn list(&mut self, of: NamesOf) {
        self.list_behind(of, "", Vec::new());
    }

    /// Asks for the page of a list of names that begins behind `after`.
    pub(super) fn list_behind(&mut self, of: NamesOf, after: &str, names: Vec<String>) {
        let pending = Pending::Names { of: of.clone(), names };
        match of {
            NamesOf::Room { channel, .. } => self.request(channel, pending, |request| Who { request, after }),
            NamesOf::Server => self.request(0, pending, |request| ListPeers { request, after }),
        }
    }

    fn show_subject(&mut self) {
        let room = self.target.and_then(|id| self.room(id));
        match room.map(|room| (room.name.clone(), room.subject.clone())) {
            Some((name, subject)) if subject.is_empty() => self.notice(format!("{name} has no subject")),
            Some((name, subject)) => self.notice(format!("{name} is about: {subject}")),
            None => self.trouble("only rooms have a subject; /switch to one first"),
        }
    }

    fn set_subject(&mut self, text: &str) {
        let room = self.target.and_then(|id| self.room(id));
        match room.map(|room| (room.name.clone(), room.channel)) {
            Some((room, Some(channel))) => {
                let pending = Pending::Subject { room, text: text.to_owned() };
                self.request(channel, pending, |request| SetSubject { request, text });
            }
            _ => self.trouble("only rooms have a subject; /switch to one first"),
        }
    }
}
