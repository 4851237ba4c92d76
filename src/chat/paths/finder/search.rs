//! What the finder does by the clock: it pings, dials, gives up; and keeps the path alive.

use super::life::Check;
use super::{Action, CHOICE, CHOICE_TIME, DialState, Finder, ROUND_TIME, Stage, TCP_PACE, UDP_PACE, Way};
use crate::chat::paths::ROUNDS_MAX;
use crate::wire::PathRole;
use std::collections::BTreeSet;
use std::time::Instant;

impl Finder {
    /// When the clock next has something to say.
    pub fn next_look(&self) -> Option<Instant> {
        match &self.stage {
            _ if !self.actions.is_empty() => Some(self.started),
            Stage::Over => None,
            Stage::Open(life) => Some(life.due()),
            Stage::Searching { choose_at, .. } => {
                let end = self.search_ends();
                let probes =
                    self.probes.iter().filter(|probe| probe.round_trip.is_none()).map(|probe| probe.next);
                let dials = self.dials.iter().filter_map(|dial| match dial.state {
                    DialState::Due(at) => Some(at),
                    DialState::UnderWay | DialState::There(_) => None,
                });
                let search = probes.chain(dials).filter(|&at| at < self.started + ROUND_TIME);
                search.chain([end]).chain(*choose_at).min()
            }
        }
    }

    /// Looks at the clock.
    pub fn tick(&mut self, now: Instant) {
        match &mut self.stage {
            Stage::Over => {}
            Stage::Open(life) => {
                let (way, confirmed, patience) = (life.way, life.is_confirmed(), life.patience());
                match life.check(now) {
                    Check::Wait => {}
                    Check::Ask => {
                        if confirmed {
                            self.ping(way, now);
                        } else {
                            self.send(way, &CHOICE);
                        }
                    }
                    Check::Dead => {
                        let reason = format!("the peer was not heard for {} seconds", patience.as_secs());
                        self.end(Action::Die { reason });
                    }
                }
            }
            Stage::Searching { .. } => {
                self.consider(now);
                self.search(now);
            }
        }
    }

    fn search(&mut self, now: Instant) {
        if !matches!(self.stage, Stage::Searching { .. }) {
            return; // a path was just chosen
        }
        if now >= self.search_ends() {
            let again = self.round < ROUNDS_MAX;
            let reason = self.reason();
            return self.end(Action::Fail { again, reason });
        }
        if now >= self.started + ROUND_TIME {
            return; // only what is under way may still arrive
        }
        let due: Vec<_> =
            self.probes.iter().filter(|p| p.next <= now && p.round_trip.is_none()).map(|p| p.way).collect();
        for probe in self.probes.iter_mut().filter(|probe| due.contains(&probe.way)) {
            probe.next = now + if matches!(probe.way, Way::Udp(_)) { UDP_PACE } else { TCP_PACE };
        }
        due.into_iter().for_each(|way| self.ping(way, now));
        for dial in self.dials.iter_mut().filter(|dial| matches!(dial.state, DialState::Due(at) if at <= now))
        {
            dial.state = DialState::UnderWay;
            self.actions.push_back(Action::Dial(dial.address));
        }
    }

    /// The end of the round; the callee waits a little longer for the caller's choice, if there is something to choose.
    fn search_ends(&self) -> Instant {
        let end = self.started + ROUND_TIME;
        let nominated = matches!(self.stage, Stage::Searching { nominated: Some(_), .. });
        let hopeful = nominated || self.probes.iter().any(|probe| probe.round_trip.is_some());
        if self.role == PathRole::Callee && hopeful { end + CHOICE_TIME } else { end }
    }

    /// Why nothing was found, for the user.
    fn reason(&self) -> String {
        let rounds = if self.round > 1 { format!(" in {} rounds", self.round) } else { String::new() };
        if self.probes.iter().any(|probe| probe.round_trip.is_some()) {
            return format!("the peer was reached, but did not take the path{rounds}");
        }
        if self.heard {
            return format!(
                "the peer is heard, but does not hear us{rounds}; a firewall or NAT is in between"
            );
        }
        let udp = self.probes.iter().filter_map(|probe| match probe.way {
            Way::Udp(address) => Some(address),
            Way::Tcp(_) => None,
        });
        let over_udp = udp.clone().count();
        let tried: BTreeSet<_> = udp.chain(self.dials.iter().map(|dial| dial.address)).collect();
        let addresses =
            if tried.len() == 1 { "1 address".to_owned() } else { format!("{} addresses", tried.len()) };
        let over = match (over_udp, self.dials.len()) {
            (0, _) => "TCP",
            (_, 0) => "UDP",
            _ => "UDP and TCP",
        };
        if over_udp == 0 && self.dials.iter().all(|dial| dial.refused) {
            return format!("{addresses} refused connections over TCP{rounds}");
        }
        format!("no answer from {addresses} over {over}{rounds}")
    }
}
