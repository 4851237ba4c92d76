//! Visitors: they leave and come back, by a schedule, on the same connection and on a new one in turn.

use super::Worker;
use crate::load::cast::Part;
use crate::load::client::State;
use crate::load::error::Error;
use crate::load::outgoing::Outgoing;
use crate::load::schedule::Schedule;

/// Visits between two looks at who is readable.
const VISITS_PER_PASS: usize = 256;

/// This thread's visitors.
#[derive(Default)]
pub struct Visits {
    /// As indices into the thread's clients.
    visitors: Vec<usize>,
    schedule: Option<Schedule>,
    /// How often somebody has come back.
    pub done: u64,
}

impl Visits {
    pub fn next_due(&self) -> Option<u64> {
        self.schedule.as_ref()?.next_due()
    }
}

/// What a visitor's name begins with after so many moves, instead of `b`.
pub fn initial(moves: u32) -> &'static str {
    const INITIALS: [&str; 8] = ["c", "d", "f", "g", "h", "j", "k", "l"];
    INITIALS.get(moves as usize / 2 % INITIALS.len()).copied().unwrap_or("c")
}

impl Worker {
    pub(super) fn plan_visits(&mut self, per_second: f64, start: u64) {
        let roles = &self.setup.cast.roles;
        let all = (0..).zip(roles).filter(|(_, role)| role.part == Part::Visitor);
        let (mut count, mut places) = (0, Vec::new());
        for (place, (number, _)) in all.enumerate() {
            count += 1;
            if let Ok(at) = self.clients.binary_search_by_key(&number, |client| client.number) {
                places.push(place as u64);
                self.visits.visitors.push(at);
            }
        }
        if per_second > 0.0 && !places.is_empty() {
            self.visits.schedule = Some(Schedule::new(start, per_second, count, places));
        }
    }

    /// Lets those move whose turn it is. Who is still on the way from the time before is left alone.
    pub(super) fn visit(&mut self, now: u64) -> Result<(), Error> {
        let end = self.talk.as_ref().map_or(0, |talk| talk.timeline().measured.end);
        for _ in 0..VISITS_PER_PASS {
            if self.visits.next_due().is_none_or(|due| due > now || due >= end) {
                break;
            }
            let Some((turn, _)) = self.visits.schedule.as_mut().and_then(Schedule::take) else { break };
            if let Some(&at) = self.visits.visitors.get(turn) {
                self.move_on(at)?;
            }
        }
        Ok(())
    }

    fn move_on(&mut self, at: usize) -> Result<(), Error> {
        let setup = self.setup.clone();
        let Some(client) = self.clients.get_mut(at).filter(|client| client.state == State::Inside) else {
            return Ok(());
        };
        client.moves += 1;
        if client.moves.is_multiple_of(2) {
            client.socket = None;
            client.inbox.clear();
            client.out = Outgoing::default();
            client.state = State::Away;
            return self.dial(at);
        }
        let role = setup.cast.roles.get(client.number as usize);
        let Some(room) = role.and_then(|role| setup.cast.rooms.get(role.room? as usize)) else {
            return Ok(());
        };
        setup.speech.leave(client.out.bytes(), room, client.channel);
        self.enter(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::initial;

    #[test]
    fn a_visitor_has_another_name_on_each_new_connection() {
        for moves in (2..40).step_by(2) {
            assert_eq!(initial(moves), initial(moves + 1), "the name stays as long as the connection");
            assert_ne!(initial(moves), initial(moves - 1));
            assert_ne!(initial(moves), "b");
        }
    }
}
