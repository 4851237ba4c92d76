//! Whether what clients remember fits together: of every two of them, and of every room, there has to be one order of
//! events that explains both memories.
#![allow(dead_code)] // each test file uses its part

use super::actor::{Actor, Life, Memory};
use std::collections::{BTreeSet, HashSet};

/// What one of two clients remembers of a room as far as the two are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Joined,
    Left,
    Spoke(u64),
    SawEnter,
    SawLeave,
    Heard(u64),
}

/// Panics when a memory contradicts another one.
pub fn check(actors: &[Actor]) {
    let channels: BTreeSet<u32> = actors.iter().flat_map(|actor| actor.memories.keys().copied()).collect();
    for channel in channels {
        let inside: Vec<&Actor> =
            actors.iter().filter(|actor| actor.memories.contains_key(&channel)).collect();
        for (at, a) in inside.iter().enumerate() {
            for b in &inside[at + 1..] {
                check_room(channel, a, b);
            }
        }
    }
    for a in actors {
        for b in actors.iter().filter(|b| b.name != a.name) {
            check_private(a, b);
            check_relays(a, b);
        }
    }
}

/// Private messages from `a` to `b`.
fn check_private(a: &Actor, b: &Actor) {
    let done: Vec<u64> = a.told.iter().filter(|(to, _)| *to == b.name).map(|&(_, number)| number).collect();
    let heard: Vec<u64> =
        b.heard_privately.iter().filter(|(by, _)| *by == a.name).map(|&(_, number)| number).collect();
    if b.life == Life::Alive {
        assert!(heard.starts_with(&done), "{} → {}: done {done:?}, heard {heard:?}", a.name, b.name);
    }
    if a.life == Life::Alive {
        assert!(done.starts_with(&heard), "{} → {}: done {done:?}, heard {heard:?}", a.name, b.name);
    }
}

/// Payload from `a` to `b`.
fn check_relays(a: &Actor, b: &Actor) {
    for (channel, out) in &a.relays {
        let Some(into) = b.relays.get(channel) else { continue };
        let open =
            ![out.closed_by_peer, out.closed_by_us, into.closed_by_peer, into.closed_by_us].contains(&true);
        let (sent, received) = (out.sent, into.received);
        assert!(received <= sent, "payload out of nowhere: {received} of {sent} frames");
        if into.closed_by_peer || (open && a.life == Life::Alive && b.life == Life::Alive) {
            let what = format!("{} → {} on {channel}", a.name, b.name);
            assert_eq!(received, sent, "{what}: payload is missing ({out:?}, {into:?})");
        }
    }
}

fn check_room(channel: u32, a: &Actor, b: &Actor) {
    let (ours, theirs) = (tokens(a, channel, &b.name), tokens(b, channel, &a.name));
    let ended = (a.life == Life::Ended, b.life == Life::Ended);
    let mut search = Search { ours: &ours, theirs: &theirs, ended, seen: HashSet::new(), furthest: (0, 0) };
    let explained = search.run();
    let (i, j) = search.furthest;
    assert!(
        explained,
        "no order of events explains room {channel:#x} as {} ({:?}) and {} ({:?}) remember it;\n\
         the first goes on with {:?},\nthe second with {:?}",
        a.name,
        a.life,
        b.name,
        b.life,
        &ours[i..ours.len().min(i + 8)],
        &theirs[j..theirs.len().min(j + 8)],
    );
}

fn tokens(actor: &Actor, channel: u32, other: &str) -> Vec<Token> {
    let memories = actor.memories.get(&channel).into_iter().flatten();
    let token = |memory: &Memory| match memory {
        Memory::Joined => Some(Token::Joined),
        Memory::Left => Some(Token::Left),
        Memory::Spoke(number) => Some(Token::Spoke(*number)),
        Memory::SawEnter(who) if who == other => Some(Token::SawEnter),
        Memory::SawLeave(who) if who == other => Some(Token::SawLeave),
        Memory::Heard(by, number) if by == other => Some(Token::Heard(*number)),
        _ => None,
    };
    memories.filter_map(token).collect()
}

/// Looks for an order: a walk along both lists in which what one did while both were inside stands in both.
struct Search<'a> {
    ours: &'a [Token],
    theirs: &'a [Token],
    /// Whose list may break off early.
    ended: (bool, bool),
    seen: HashSet<State>,
    furthest: (usize, usize),
}

/// How far along the two lists, and who is inside.
type State = (usize, usize, bool, bool);

impl Search<'_> {
    fn run(&mut self) -> bool {
        let mut open = vec![(0, 0, false, false)];
        while let Some(state) = open.pop() {
            let (i, j, ..) = state;
            if !self.seen.insert(state) {
                continue;
            }
            if i + j > self.furthest.0 + self.furthest.1 {
                self.furthest = (i, j);
            }
            let (a_done, b_done) = (i == self.ours.len(), j == self.theirs.len());
            if (a_done && (b_done || self.ended.0)) || (b_done && self.ended.1) {
                return true;
            }
            let (a, b) = (self.ours.get(i).copied(), self.theirs.get(j).copied());
            open.extend(together(a, b, state));
            open.extend(a.and_then(|a| alone(a, state.3, state.2)).map(|inside| (i + 1, j, inside, state.3)));
            open.extend(b.and_then(|b| alone(b, state.2, state.3)).map(|inside| (i, j + 1, state.2, inside)));
        }
        false
    }
}

/// Something that happened while the other one was not there. Returns whether the one is inside after it.
fn alone(token: Token, other_inside: bool, inside: bool) -> Option<bool> {
    match token {
        Token::Joined if !other_inside => Some(true),
        Token::Left if !other_inside => Some(false),
        Token::Spoke(_) if !other_inside => Some(inside),
        _ => None,
    }
}

/// Something that one did and the other saw.
fn together(a: Option<Token>, b: Option<Token>, (i, j, a_in, b_in): State) -> Option<State> {
    let (a_after, b_after) = match (a?, b?) {
        (Token::Joined, Token::SawEnter) if b_in => (true, true),
        (Token::Left, Token::SawLeave) if b_in => (false, true),
        (Token::Spoke(said), Token::Heard(heard)) if b_in && said == heard => (a_in, b_in),
        (Token::SawEnter, Token::Joined) if a_in => (true, true),
        (Token::SawLeave, Token::Left) if a_in => (true, false),
        (Token::Heard(heard), Token::Spoke(said)) if a_in && said == heard => (a_in, b_in),
        _ => return None,
    };
    Some((i + 1, j + 1, a_after, b_after))
}

#[cfg(test)]
mod tests {
    use super::Token::{Heard, Joined, Left, SawEnter, SawLeave, Spoke};
    use super::*;

    fn agree(ours: &[Token], theirs: &[Token]) -> bool {
        let (ended, seen, furthest) = ((false, false), HashSet::new(), (0, 0));
        Search { ours, theirs, ended, seen, furthest }.run()
    }

    #[test]
    fn memories_that_fit_together_are_told_from_those_that_do_not() {
        let ours = [Joined, Spoke(1), SawEnter, Spoke(2), Heard(7), SawLeave, Spoke(3)];
        assert!(agree(&ours, &[Joined, Heard(2), Spoke(7), Left]));
        assert!(!agree(&ours, &[Joined, Heard(1), Heard(2), Spoke(7), Left]), "from before the join");
        assert!(!agree(&ours, &[Joined, Spoke(7), Left]), "one is missing");
        assert!(!agree(&ours, &[Joined, Spoke(7), Heard(2), Left]), "not in order");
        assert!(!agree(&ours, &[Joined, Heard(2), Spoke(7), Left, Heard(3)]), "from after the leave");
    }
}
