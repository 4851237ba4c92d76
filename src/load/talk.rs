//! The sending half of a thread: whose turn it is, what is under way, and when the next message goes.
//!
//! Closed loop: there are so many tokens; a message takes one, and gives it back when it has landed at every receiver. Open
//! loop: a schedule. Either way the streams of this thread take turns.

use super::clock::{Timeline, nanoseconds};
use super::flights::Landing;
use super::latencies::histogram;
use super::marker::SEQUENCES_MAX;
use super::plan::Pace;
use super::schedule::Schedule;
use super::setup::Setup;
use super::speech::Template;
use hdrhistogram::Histogram;
use std::collections::VecDeque;

/// One thread's streams.
pub struct Talk {
    timeline: Timeline,
    streams: Vec<OwnStream>,
    /// For each stream of the run, its index in `streams`.
    places: Vec<Option<u32>>,
    pacing: Pacing,
    patience: u64,
    pub offered: u64,
    /// Deliveries that have to come of what was sent.
    pub expected: u64,
    /// Messages that have not landed everywhere.
    pub under_way: usize,
    pub last_receiver: Histogram<u64>,
    pub behind: Histogram<u64>,
}

struct OwnStream {
    id: u32,
    /// Its sender, as an index into this thread's clients.
    client: usize,
    receivers: u32,
    threads: u32,
    template: Template,
    sequence: u32,
    /// From the first that has not landed everywhere on.
    under_way: VecDeque<UnderWay>,
}

#[derive(Clone, Copy)]
struct UnderWay {
    due: u64,
    /// Threads in which it has not landed.
    threads: u32,
    /// When it landed where it landed last.
    landed: u64,
}

enum Pacing {
    Window {
        /// Tokens that nobody has.
        free: usize,
        /// Own streams in the order of their turns.
        turns: Vec<u32>,
        next: usize,
    },
    Rate {
        turns: Vec<u32>,
        schedule: Schedule,
    },
}

/// What goes out next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Of the thread's own streams.
    place: u32,
    /// As an index into this thread's clients.
    pub client: usize,
    pub due: u64,
}

impl Talk {
    /// `client_of` finds a client of this thread by its number, and what its messages look like.
    pub fn new(
        setup: &Setup,
        pace: Pace,
        thread: usize,
        timeline: Timeline,
        mut client_of: impl FnMut(u32) -> Option<(usize, Template)>,
    ) -> Talk {
        let cast = &setup.cast;
        let mut streams = Vec::new();
        let mut places = vec![None; cast.streams.len()];
        for (id, stream) in (0_u32..).zip(&cast.streams) {
            let Some((client, template)) = client_of(id) else { continue };
            if let Some(place) = places.get_mut(id as usize) {
                *place = Some(streams.len() as u32);
            }
            let (receivers, threads) = (stream.receivers, stream.threads);
            let under_way = VecDeque::new();
            streams.push(OwnStream { id, client, receivers, threads, template, sequence: 0, under_way });
        }
        let pacing = Pacing::new(setup, pace, thread, timeline.start, &places);
        Talk {
            timeline,
            streams,
            places,
            pacing,
            patience: nanoseconds(setup.patience),
            offered: 0,
            expected: 0,
            under_way: 0,
            last_receiver: histogram(),
            behind: histogram(),
        }
    }

    /// When the next message is due of itself, if it is.
    pub fn next_due(&self) -> Option<u64> {
        match &self.pacing {
            Pacing::Window { free, turns, .. } if *free == 0 || turns.is_empty() => None,
            Pacing::Window { .. } => Some(self.timeline.start),
            Pacing::Rate { schedule, .. } => {
                schedule.next_due().filter(|due| *due < self.timeline.measured.end)
            }
        }
    }

    /// Takes the next turn, if one is due.
    pub fn take_turn(&mut self, now: u64) -> Option<Turn> {
        let (place, due) = match &mut self.pacing {
            Pacing::Window { free, turns, next } => {
                let in_time = self.timeline.start <= now && now < self.timeline.measured.end;
                let place = *turns.get(*next)?;
                if *free == 0 || !in_time {
                    return None;
                }
                *free -= 1;
                *next = (*next + 1) % turns.len();
                (place, now)
            }
            Pacing::Rate { turns, schedule } => {
                let due = schedule.next_due()?;
                if due > now || due >= self.timeline.measured.end {
                    return None;
                }
                let (turn, due) = schedule.take()?;
                (*turns.get(turn)?, due)
            }
        };
        self.offered += u64::from(self.timeline.measured.contains(&due));
        let client = self.streams.get(place as usize)?.client;
        Some(Turn { place, client, due })
    }

    /// The message of a turn: its stream, its number, and what it looks like. `None` when all numbers are used up.
    pub fn begin(&mut self, turn: Turn) -> Option<(u32, u32, &Template)> {
        let stream = self.streams.get_mut(turn.place as usize)?;
        if stream.sequence == SEQUENCES_MAX {
            return None;
        }
        let sequence = stream.sequence;
        stream.sequence += 1;
        let landed = 0;
        stream.under_way.push_back(UnderWay { due: turn.due, threads: stream.threads, landed });
        self.under_way += 1;
        self.expected += u64::from(stream.receivers);
        Some((stream.id, sequence, &stream.template))
    }

    /// The turn could not be used: its sender is gone.
    pub fn give_back(&mut self, _: Turn) {
        if let Pacing::Window { free, .. } = &mut self.pacing {
            *free += 1;
        }
    }

    /// A message is handed to its socket. When the socket takes it is for the server to decide, which may not read.
    pub fn handed(&mut self, due: u64, now: u64) {
        if matches!(self.pacing, Pacing::Rate { .. }) && self.timeline.measured.contains(&due) {
            self.behind.saturating_record(now.saturating_sub(due));
        }
    }

    /// A message of this thread has landed in one of the threads.
    pub fn land(&mut self, landing: Landing, now: u64) {
        let Some(&Some(place)) = self.places.get(landing.stream as usize) else { return };
        let Some(stream) = self.streams.get_mut(place as usize) else { return };
        let first = stream.sequence - stream.under_way.len() as u32;
        let at = landing.sequence.wrapping_sub(first) as usize;
        let Some(message) = stream.under_way.get_mut(at) else { return };
        if message.threads == 0 {
            return;
        }
        message.threads -= 1;
        message.landed = message.landed.max(now);
        if message.threads > 0 {
            return;
        }
        let UnderWay { due, landed, .. } = *message;
        if self.timeline.measured.contains(&due) {
            self.last_receiver.saturating_record(landed.saturating_sub(due));
        }
        self.free(1);
        let Some(stream) = self.streams.get_mut(place as usize) else { return };
        while stream.under_way.front().is_some_and(|message| message.threads == 0) {
            stream.under_way.pop_front();
        }
    }

    /// Waits no longer for messages that should have landed long ago: what is lost must not stop a closed loop. Tells of
    /// each stream up to which message.
    pub fn give_up(&mut self, now: u64, mut given_up: impl FnMut(u32, u32)) {
        if let Pacing::Rate { schedule, .. } = &mut self.pacing {
            // It does not wait, and late is not lost. But what could not even be sent so long after the end never is.
            let measured = &self.timeline.measured;
            if now > measured.end.saturating_add(self.patience) {
                self.offered += schedule.due_before(measured.end) - schedule.due_before(measured.start);
                schedule.end();
            }
            return;
        }
        let mut freed = 0;
        for stream in &mut self.streams {
            let mut last = None;
            while let Some(message) = stream.under_way.front()
                && (message.due + self.patience < now || message.threads == 0)
            {
                freed += usize::from(message.threads > 0);
                stream.under_way.pop_front();
                last = Some(stream.sequence - stream.under_way.len() as u32 - 1);
            }
            last.into_iter().for_each(|last| given_up(stream.id, last));
        }
        self.free(freed);
    }

    fn free(&mut self, messages: usize) {
        self.under_way -= messages;
        if let Pacing::Window { free, .. } = &mut self.pacing {
            *free += messages;
        }
    }

    /// Whether everything is sent that was to be.
    pub fn is_over(&self, now: u64) -> bool {
        let is_due = matches!(self.pacing, Pacing::Rate { .. }) && self.next_due().is_some();
        now >= self.timeline.measured.end && !is_due
    }

    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

impl Pacing {
    fn new(setup: &Setup, pace: Pace, thread: usize, start: u64, places: &[Option<u32>]) -> Pacing {
        let rotation = &setup.cast.rotation;
        let own = |stream: &u32| places.get(*stream as usize).copied().flatten();
        let turns: Vec<u32> = rotation.iter().filter_map(own).collect();
        match pace {
            Pace::Window(window) => {
                let free = share(window, thread, &setup.turns_by_thread());
                Pacing::Window { free, turns, next: 0 }
            }
            Pace::Rate(rate) => {
                let places = (0..).zip(rotation).filter(|(_, stream)| own(stream).is_some());
                let places = places.map(|(place, _)| place).collect();
                Pacing::Rate { turns, schedule: Schedule::new(start, rate, rotation.len(), places) }
            }
        }
    }
}

/// One thread's part of a window, by how many turns it has. All parts together are the window.
fn share(window: usize, thread: usize, turns: &[usize]) -> usize {
    let all: usize = turns.iter().sum();
    let upto = |thread: usize| window * turns.iter().take(thread).sum::<usize>() / all.max(1);
    upto(thread + 1) - upto(thread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::clock::SECOND;

    #[test]
    fn the_shares_of_a_window_are_the_window() {
        for window in 1..40 {
            for turns in [&[3, 3, 4][..], &[10], &[0, 5], &[1, 1, 1, 1], &[7, 0, 2]] {
                let shares: Vec<_> = (0..turns.len()).map(|thread| share(window, thread, turns)).collect();
                assert_eq!(shares.iter().sum::<usize>(), window, "{turns:?}");
                assert!(shares.iter().zip(turns).all(|(share, turns)| *turns > 0 || *share == 0));
            }
        }
    }

    /// One stream to one receiver, for a second.
    fn of_one(pacing: Pacing) -> Talk {
        let template = Template { bytes: Vec::new(), marker_at: 0 };
        let (sequence, under_way) = (0, VecDeque::new());
        let stream = OwnStream { id: 0, client: 0, receivers: 1, threads: 1, template, sequence, under_way };
        Talk {
            timeline: Timeline { start: 0, measured: 0..SECOND },
            streams: vec![stream],
            places: vec![Some(0)],
            pacing,
            patience: SECOND,
            offered: 0,
            expected: 0,
            under_way: 0,
            last_receiver: histogram(),
            behind: histogram(),
        }
    }

    #[test]
    fn what_cannot_be_sent_long_after_the_end_is_offered_and_not_sent() {
        let schedule = Schedule::new(0, 1e7, 1, vec![0]);
        let mut talk = of_one(Pacing::Rate { turns: vec![0], schedule });
        for _ in 0..3 {
            let turn = talk.take_turn(SECOND).expect("due long ago");
            talk.begin(turn).expect("a message");
        }
        talk.give_up(2 * SECOND, |_, _| {});
        assert!(!talk.is_over(2 * SECOND), "late is not never");
        talk.give_up(2 * SECOND + 1, |_, _| {});
        assert!(talk.is_over(2 * SECOND + 1) && talk.take_turn(2 * SECOND + 1).is_none());
        assert_eq!((talk.offered, talk.expected), (10_000_000, 3));
    }

    #[test]
    fn a_stream_ends_with_its_last_number() {
        let mut talk = of_one(Pacing::Window { free: 2, turns: vec![0], next: 0 });
        talk.streams[0].sequence = SEQUENCES_MAX - 1;
        let turn = talk.take_turn(1).expect("one is free");
        assert_eq!(talk.begin(turn).map(|(_, sequence, _)| sequence), Some(SEQUENCES_MAX - 1));
        let turn = talk.take_turn(1).expect("one is free");
        assert!(talk.begin(turn).is_none());
        assert_eq!((talk.expected, talk.under_way), (1, 1), "what was not sent is not expected");
    }
}
