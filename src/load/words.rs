//! A plan in words, and what follows from it.

use super::plan::{Mixed, Pace, Protocol, Rooms, Scenario, Transport};
use super::speech::Speech;
use super::{PAYLOAD_MIN, Plan, datagrams};
use std::ops::RangeInclusive;

impl Plan {
    /// The same with so many messages a second, in an open loop; `None` where the scenario sends none.
    pub fn at_rate(&self, rate: f64) -> Option<Plan> {
        let mut plan = self.clone();
        match &mut plan.scenario {
            Scenario::Rooms(rooms) => rooms.pace = Pace::Rate(rate),
            Scenario::Slow(slow) => slow.rooms.pace = Pace::Rate(rate),
            Scenario::Churn(churn) => churn.rooms.pace = Pace::Rate(rate),
            Scenario::Relay(relay) => relay.pace = Pace::Rate(rate),
            Scenario::Mixed(mixed) => mixed.rate = rate,
            Scenario::Connect(_) | Scenario::Join(_) | Scenario::Idle(_) => return None,
        }
        Some(plan)
    }

    /// How and for how long it is measured.
    pub fn terms(&self) -> String {
        let threads = plural(self.threads, "thread", "threads");
        let sources = if self.spread_sources { ", from many source addresses" } else { "" };
        let time = match self.scenario {
            Scenario::Connect(_) | Scenario::Join(_) => "from the first to the last".to_owned(),
            _ => format!(
                "{} s measured after {} s of warm-up",
                self.duration.as_secs_f64(),
                self.warmup.as_secs_f64()
            ),
        };
        format!("{time}; load from {threads}{sources}")
    }
}

impl Scenario {
    /// As on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Scenario::Rooms(_) => "rooms",
            Scenario::Relay(_) => "relay",
            Scenario::Connect(_) => "connect",
            Scenario::Join(_) => "join",
            Scenario::Idle(_) => "idle",
            Scenario::Slow(_) => "slow",
            Scenario::Churn(_) => "churn",
            Scenario::Mixed(_) => "mixed",
        }
    }

    /// What the clients do, as one would tell a colleague.
    pub fn in_words(&self) -> String {
        match self {
            Scenario::Rooms(rooms) => rooms.in_words(),
            Scenario::Relay(relay) => {
                let over = match relay.transport {
                    Transport::Tcp => "TCP",
                    Transport::Udp => "UDP",
                };
                let pairs = plural(relay.pairs, "relayed pair", "relayed pairs");
                format!(
                    "{pairs} over {over}, {} bytes a frame, one way, {}",
                    relay.payload,
                    relay.pace.in_words()
                )
            }
            Scenario::Connect(connect) => {
                format!("{} clients log in, {} at a time", count(connect.clients), count(connect.at_once))
            }
            Scenario::Join(join) => format!("{} members enter one room at once", count(join.members)),
            Scenario::Idle(idle) => format!("{} clients are logged in and silent", count(idle.clients)),
            Scenario::Slow(slow) => {
                format!("{}; {} % of the listeners stop reading", slow.rooms.in_words(), slow.stalled_percent)
            }
            Scenario::Churn(churn) => format!(
                "{}; {} visitors come and go, {} a second",
                churn.rooms.in_words(),
                count(churn.visitors),
                churn.per_second
            ),
            Scenario::Mixed(mixed) => format!(
                "{} members in rooms of ten, with private messages and (not over IRC) relays, {} messages a second of {} bytes; {} visitors come and go, {} a second",
                count(mixed.members()),
                number(mixed.rate),
                mixed.payload,
                count(mixed.visitors()),
                mixed.churn_per_second
            ),
        }
    }

    /// Connections at one time, at most.
    pub fn clients(&self) -> usize {
        match self {
            Scenario::Rooms(rooms) => rooms.clients(),
            Scenario::Relay(relay) => relay.pairs.saturating_mul(2),
            Scenario::Connect(connect) => connect.clients,
            Scenario::Join(join) => join.members,
            Scenario::Idle(idle) => idle.clients,
            Scenario::Slow(slow) => slow.rooms.clients(),
            Scenario::Churn(churn) => churn.rooms.clients().saturating_add(churn.visitors),
            Scenario::Mixed(mixed) => mixed.members() + mixed.visitors(),
        }
    }

    /// Bytes of text or payload in each message.
    pub fn payload(&self) -> usize {
        match self {
            Scenario::Rooms(rooms) => rooms.payload,
            Scenario::Relay(relay) => relay.payload,
            Scenario::Slow(slow) => slow.rooms.payload,
            Scenario::Churn(churn) => churn.rooms.payload,
            Scenario::Mixed(mixed) => mixed.payload,
            Scenario::Connect(_) | Scenario::Join(_) | Scenario::Idle(_) => 0,
        }
    }

    /// From the mark that each message carries to the most that every server of the protocol takes; `None` where there
    /// are no messages.
    pub fn payload_range(&self, protocol: Protocol) -> Option<RangeInclusive<usize>> {
        let speech = Speech::of(protocol);
        let max = match self {
            Scenario::Relay(relay) if relay.transport == Transport::Udp => datagrams::PAYLOAD_MAX,
            Scenario::Relay(_) => speech.relay_max()?,
            scenario => scenario.pace().map(|_| speech.text_max())?,
        };
        Some(PAYLOAD_MIN..=max)
    }

    pub fn pace(&self) -> Option<Pace> {
        match self {
            Scenario::Rooms(rooms) => Some(rooms.pace),
            Scenario::Relay(relay) => Some(relay.pace),
            Scenario::Slow(slow) => Some(slow.rooms.pace),
            Scenario::Churn(churn) => Some(churn.rooms.pace),
            Scenario::Mixed(mixed) => Some(Pace::Rate(mixed.rate)),
            Scenario::Connect(_) | Scenario::Join(_) | Scenario::Idle(_) => None,
        }
    }
}

impl Rooms {
    fn in_words(&self) -> String {
        let rooms = plural(self.rooms, "room", "rooms");
        let of = if self.rooms == 1 { "of" } else { "with" };
        let senders = if self.senders == self.members {
            "everyone sends".to_owned()
        } else {
            format!("{} of them {}", self.senders, if self.senders == 1 { "sends" } else { "send" })
        };
        let each = if self.rooms == 1 { "" } else { " each" };
        let named = self.named.as_ref().map(|named| format!(" (#{named}…)")).unwrap_or_default();
        format!(
            "{rooms}{named} {of} {} members{each}, {senders}, {} bytes a message, {}",
            count(self.members),
            self.payload,
            self.pace.in_words()
        )
    }

    fn clients(&self) -> usize {
        self.rooms.saturating_mul(self.members)
    }
}

impl Mixed {
    /// Members of a room.
    pub const ROOM: usize = 10;

    /// One visitor for so many members.
    const MEMBERS_PER_VISITOR: usize = 10;

    pub fn rooms(&self) -> usize {
        self.clients / Self::ROOM
    }

    /// As many as fill whole rooms.
    pub fn members(&self) -> usize {
        self.rooms() * Self::ROOM
    }

    pub fn visitors(&self) -> usize {
        self.clients / Self::MEMBERS_PER_VISITOR
    }
}

impl Pace {
    pub fn in_words(self) -> String {
        match self {
            Pace::Window(window) => {
                format!("{} under way (closed loop)", plural(window, "message", "messages"))
            }
            Pace::Rate(rate) => format!("{} messages a second (open loop)", number(rate)),
        }
    }
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Native => "native",
            Protocol::Irc => "irc",
            Protocol::Raw => "raw",
        }
    }
}

/// 1,000 or 0.5.
pub fn number(n: f64) -> String {
    if n.fract() == 0.0 && (0.0..1e15).contains(&n) { count(n as usize) } else { n.to_string() }
}

/// 10,000: with commas, for people.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// What somebody else has said, to be quoted in a sentence: on one line, and cut where it gets long.
pub fn excerpt(words: &[u8], characters_max: usize) -> String {
    // A character has four bytes at most: what is behind them does not even have to be looked at.
    let front = words.get(..characters_max.saturating_add(1).saturating_mul(4)).unwrap_or(words);
    let text = String::from_utf8_lossy(front).replace(char::is_control, " ");
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Characters of a server's words that are quoted.
pub const WORDS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_short_and_one_line() {
        assert_eq!(excerpt(b"no\r\nsuch room", WORDS_MAX), "no  such room");
        assert_eq!(excerpt("ä".repeat(80).as_bytes(), 80), "ä".repeat(80));
        assert_eq!(excerpt("ä".repeat(81).as_bytes(), 80), format!("{}…", "ä".repeat(80)));
        for garbage in [vec![0xff; 1 << 20], "\u{1f600}".repeat(1 << 20).into_bytes(), vec![0x1b; 500]] {
            let quoted = excerpt(&garbage, 80);
            assert!(quoted.chars().count() == 81 && quoted.ends_with('…'), "{quoted}");
        }
    }
}
