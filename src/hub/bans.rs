//! Addresses that the server does not take, because an operator said so.

use super::lasting::check_durable;
use super::network::Network;
use super::record::{BanRecord, Note, Record};
use super::{
    Asker, ChannelId, Departure, Effect, Effects, Ending, Event, Hub, Killing, Outcome, Refusal, Reply,
    SessionId,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Bound;

/// All bans; those whose time is over are taken out when the next command is about bans.
#[derive(Default)]
pub(super) struct Bans {
    /// By network, in the order in which lists show them.
    by_network: BTreeMap<Network, BanRecord>,
    /// How many there are of each length: an address is looked up once for each length that there is, and not at all
    /// where there are no bans.
    lengths: BTreeMap<(bool, u8), usize>,
}

/// Bans whose time is over that one command takes out: each is to be written down.
const EXPIRED_PER_COMMAND_MAX: usize = 256;

impl Bans {
    fn insert(&mut self, network: Network, record: BanRecord) {
        if self.by_network.insert(network, record).is_none() {
            *self.lengths.entry(network.length()).or_default() += 1;
        }
    }

    fn remove(&mut self, network: Network) -> Option<BanRecord> {
        let record = self.by_network.remove(&network)?;
        if let Some(count) = self.lengths.get_mut(&network.length()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&network.length());
            }
        }
        Some(record)
    }

    /// The narrowest that holds for an address.
    fn on(&self, address: IpAddr, now_millis: u64) -> Option<&BanRecord> {
        let address = address.to_canonical();
        let family = address.is_ipv6();
        let lengths = self.lengths.range((family, 0)..=(family, u8::MAX)).rev();
        let mut found =
            lengths.filter_map(|(&(_, bits), _)| self.by_network.get(&Network::of(address, bits)));
        found.find(|record| holds(record, now_millis))
    }

    pub fn len(&self) -> usize {
        self.by_network.len()
    }

    /// Whether the lengths are those of the bans.
    pub fn agree(&self) -> bool {
        let mut lengths = BTreeMap::new();
        self.by_network.keys().for_each(|network| *lengths.entry(network.length()).or_default() += 1);
        lengths == self.lengths
    }
}

fn holds(record: &BanRecord, now_millis: u64) -> bool {
    record.note.until_millis.is_none_or(|until| now_millis < until)
}

impl Hub {
    /// Takes a ban that was there before the server started.
    ///
    /// # Errors
    /// [`Refusal::BadBan`] or [`Refusal::BanTooWide`] where it is for no network that could be banned now.
    pub(super) fn restore_ban(&mut self, record: BanRecord) -> Outcome {
        let network = Network::parse(&record.pattern)?;
        self.bans.insert(network, record);
        Ok(())
    }

    /// Why somebody from there is not taken, if it is so. `now_millis` since 1970.
    pub fn ban_on(&self, address: IpAddr, now_millis: u64) -> Option<&BanRecord> {
        self.bans.on(address, now_millis)
    }

    pub fn bans_len(&self) -> usize {
        self.bans.len()
    }

    /// Keeps a network out, and ends the sessions that come from there. Who comes from there themselves is refused:
    /// nobody locks themselves out.
    pub(super) fn ban(
        &mut self,
        asker: Asker,
        pattern: &str,
        text: &str,
        seconds: Option<u64>,
        fx: &mut impl Effects,
    ) -> Outcome {
        let operator = self.operator(asker)?;
        // Those who are kept out see the nickname; what lasts has a name that lasts.
        let nick: Box<str> = operator.name.shown().into();
        let by: Box<str> = fx.operator_name(asker.session).unwrap_or(&nick).into();
        let network = Network::parse(pattern)?;
        self.check_text_or_empty(text, self.limits.kick_bytes_max)?;
        if operator.seats(asker.user).any(|seat| is_from(network, seat, fx)) {
            return Err(Refusal::BanIsYours);
        }
        check_durable(fx)?;
        self.forget_expired_bans(asker, fx);
        let bans_max = self.limits.bans_max;
        if self.bans.len() >= bans_max && !self.bans.by_network.contains_key(&network) {
            return Err(Refusal::TooManyBans { bans_max });
        }
        let at_millis = asker.now.unix_millis;
        let until_millis = seconds.map(|seconds| at_millis.saturating_add(seconds.saturating_mul(1_000)));
        let note = Note { by, reason: text.into(), at_millis, until_millis };
        let record = BanRecord { pattern: network.to_string().into(), note };
        fx.store(Record::Ban(record.clone()));
        asker.reply(fx, Reply::Banned { ban: &record });
        self.bans.insert(network, record);
        self.shut_out(asker, network, &nick, text, fx);
        Ok(())
    }

    /// Ends what comes from a network: sessions, and connections that are none yet.
    fn shut_out(&mut self, asker: Asker, network: Network, by: &str, text: &str, fx: &mut impl Effects) {
        let words = if text.is_empty() { "banned".to_owned() } else { format!("banned: {text}") };
        let why = Killing { by, text: &words };
        let sessions = self.users.iter().flat_map(|(&key, user)| user.seats(key));
        let mut from_there: Vec<SessionId> = sessions.filter(|&seat| is_from(network, seat, fx)).collect();
        from_there.sort_unstable(); // the table of users has no order, and what happens should have one
        for session in from_there {
            let (Ok(operator), Ok(user)) = (self.user(asker.user), self.user(self.user_of(session))) else {
                continue;
            };
            let (by, name) = (operator.person(asker.user), user.name.clone());
            let event = Event::Killed { by, text: &words };
            let (cause, channel, room) = (asker.session, ChannelId::NONE, None);
            fx.emit(Effect::Send { to: session, cause, channel, room, event });
            self.disconnect(asker.now, session, Departure::Killed(why), fx);
            let why = Ending::Killed(why);
            fx.emit(Effect::HangUp { session, name: name.shown(), by: asker.session, why });
        }
        fx.emit(Effect::ShutOut { network, text });
    }

    pub(super) fn unban(&mut self, asker: Asker, pattern: &str, fx: &mut impl Effects) -> Outcome {
        self.operator(asker)?;
        let network = Network::parse(pattern)?;
        check_durable(fx)?;
        self.forget_expired_bans(asker, fx);
        let record = self.bans.remove(network).ok_or(Refusal::NoSuchBan)?;
        let pattern = record.pattern;
        fx.store(Record::BanGone { pattern: pattern.clone() });
        asker.reply(fx, Reply::Unbanned { pattern: &pattern });
        Ok(())
    }

    /// In the order of addresses. `after` is a pattern, which need not be on the list.
    pub(super) fn list_bans(&self, asker: Asker, after: &str, fx: &mut impl Effects) -> Outcome {
        self.operator(asker)?;
        let begin = match after {
            "" => Bound::Unbounded,
            after => Bound::Excluded(Network::parse(after)?),
        };
        let rest = self.bans.by_network.range((begin, Bound::Unbounded)).map(|(_, record)| record);
        let rest = rest.filter(|record| holds(record, asker.now.unix_millis));
        let page = self.limits.page_entries_max;
        let mut entries: Vec<&BanRecord> = rest.take(page.saturating_add(1)).collect();
        let more = entries.len() > page;
        entries.truncate(page);
        let next = entries.last().filter(|_| more).map(|record| &*record.pattern);
        asker.reply(fx, Reply::Bans { entries: &entries, next });
        Ok(())
    }

    fn forget_expired_bans(&mut self, asker: Asker, fx: &mut impl Effects) {
        let expired = self.bans.by_network.iter().filter(|(_, record)| !holds(record, asker.now.unix_millis));
        let expired: Vec<Network> =
            expired.map(|(&network, _)| network).take(EXPIRED_PER_COMMAND_MAX).collect();
        for network in expired {
            if let Some(BanRecord { pattern, .. }) = self.bans.remove(network) {
                fx.store(Record::BanGone { pattern });
            }
        }
    }
}

fn is_from(network: Network, session: SessionId, fx: &impl Effects) -> bool {
    fx.observed(session).is_some_and(|observed| network.contains(observed.tcp.ip()))
}
