//! What a request may lead to.

use super::World;
use super::recorder::{Answered, Happened, Recorded};
use switchboard::hub::{ChannelId, Command, Form, RoomRef, SessionId};

/// Whether others may be out of a room by it.
fn makes_others_leave(command: &Command<'_>) -> bool {
    matches!(command, Command::Kick { .. } | Command::Change { .. } | Command::Destroy { .. })
}

impl World {
    /// What a request led to.
    pub fn judge(&mut self, session: SessionId, request: u32, command: Command<'_>) {
        let effects = self.recorder.take();
        let own = |effect: &&Recorded| matches!(effect, Recorded::Reply { to, request: r, .. } if (*to, *r) == (session, request));
        let answers = effects.iter().filter(own).count();
        match command {
            Command::Open { .. } => assert!(answers <= 1),
            _ => assert_eq!(answers, 1, "{command:?} led to {effects:?}"),
        }
        let refused = effects.iter().any(|effect| {
            matches!(effect, Recorded::Reply { answer: Answered::Refused(_), request: r, .. } if *r == request)
        });
        if refused {
            assert_eq!(effects.len(), 1, "what is refused leaves no trace: {command:?} led to {effects:?}");
        } else if !matches!(
            command,
            Command::CheckName { .. }
                | Command::IdentifyProven { .. }
                | Command::LogOut
                | Command::Kill { .. }
        ) {
            assert!(
                self.hub.users_len() > 0,
                "only who is logged in may do more than ask for a name: {command:?}"
            );
        }
        for effect in &effects {
            self.learn(effect, session);
            match effect {
                // What an operator does to somebody, that one causes; and so it is with one's other sessions.
                _ if matches!(command, Command::Kill { .. } | Command::LogOut) => {}
                Recorded::Publish { cause, .. }
                | Recorded::Send { cause, .. }
                | Recorded::Neighbours { cause, .. } => {
                    // What somebody is in a room follows from their account, and is nobody's doing.
                    assert!([session, SessionId::NONE].contains(cause), "{command:?} led to {effect:?}");
                }
                Recorded::Unsubscribe { .. } if makes_others_leave(&command) => {}
                Recorded::Subscribe { session: who, .. } => {
                    assert!(self.seats(session).any(|seat| seat == *who));
                }
                Recorded::Unsubscribe { session: who, .. } => {
                    assert!(self.seats(session).any(|seat| seat == *who));
                }
                Recorded::Except(others) => assert!(!others.contains(&session)),
                Recorded::HangUp { .. } | Recorded::ShutOut { .. } => panic!("{command:?} is no reason"),
                Recorded::Reply { .. }
                | Recorded::Prove { .. }
                | Recorded::Guess { .. }
                | Recorded::Store(_) => {}
            }
        }
        match (command, refused) {
            (Command::Say { words, least: None, .. }, false) if words.form == Form::Message => {
                let text = words.text;
                let by = self.sessions[&session].clone().expect("only users speak");
                let event = Happened::Said { by, text: text.into() };
                assert!(matches!(&effects[0], Recorded::Publish { event: e, .. } if *e == event));
            }
            (Command::Tell { words, .. }, false) if words.form == Form::Message => {
                let text = words.text;
                let from = self.sessions[&session].clone().expect("only users tell");
                let event = Happened::Told { from, text: text.into() };
                assert!(matches!(&effects[0], Recorded::Send { event: e, .. } if *e == event));
            }
            (Command::RenameRoom { room, to, .. }, false) => self.note_renamed(room, to),
            (Command::Destroy { room, .. }, false) => {
                let channel = self.channel_of(room);
                assert!(channel.is_none(), "{room:?} has ended, and {channel:?} has people in it");
            }
            _ => {}
        }
    }

    /// The room that is meant, if somebody is in it.
    fn channel_of(&self, room: RoomRef<'_>) -> Option<ChannelId> {
        match room {
            RoomRef::Channel(channel) => self.names.contains_key(&channel).then_some(channel),
            RoomRef::Named(name) => {
                let is_it = |called: &String| called.eq_ignore_ascii_case(name);
                self.names.iter().find(|(_, called)| is_it(called)).map(|(channel, _)| *channel)
            }
        }
    }

    fn note_renamed(&mut self, room: RoomRef<'_>, to: &str) {
        if let Some(channel) = self.channel_of(room) {
            self.names.insert(channel, to.to_owned());
        }
    }
}
