//! What those do who run the server, as far as it is not the hub's: bans where connections are made, and the log of it
//! all. A nickname tells nothing of who somebody is; the log has the operator's name from the config.

use super::address::ClientAddress;
use super::counters::Refused;
use super::engine::Engine;
use super::exchange::Exchange;
use crate::hub::{Network, Reply};
use crate::net::{Key, Socket};
use crate::session::{Banned, CloseReason};
use log::{debug, info};

impl<S: Socket> Engine<S> {
    /// What a newcomer is told whom a ban keeps out, as a line of text, which every client can show.
    pub(super) fn banned_words(&mut self, address: ClientAddress) -> Option<Vec<u8>> {
        let ban = self.hub.ban_on(address.ip(), self.exchange.surroundings.unix_millis)?;
        debug!("{address} turned away: {} is banned", ban.pattern);
        self.exchange.counters.count_refused(Refused::Banned);
        Some(format!("ERROR :{}\r\n", Banned::of(&ban.note)).into_bytes())
    }
}

impl<S: Socket> Exchange<S> {
    /// Closes the connections from a network that are nobody's yet.
    pub(super) fn shut_out(&mut self, network: Network, text: &str) {
        let is_concerned = |key: &Key| {
            self.connections.get(*key).is_some_and(|connection| {
                !connection.session.is_logged_in() && network.contains(connection.address.ip())
            })
        };
        let strangers: Vec<Key> = self.connections.keys().filter(is_concerned).collect();
        for key in strangers {
            self.close_saying(key, CloseReason::Banned, &Banned { text, until_millis: None });
        }
    }

    /// Has what an operator did or saw in the log. Of a list of many pages, the last one is told.
    pub(super) fn log_operator(&self, key: Key, reply: &Reply<'_>) {
        let log = |what: std::fmt::Arguments<'_>| {
            let Some(connection) = self.connections.get(key) else { return };
            let operator = connection.operator().map_or("?", |operator| &operator.name);
            info!("{key} {} {what}, as operator {operator}", connection.address.ip());
        };
        match *reply {
            // What people wrote may act on a terminal that shows the log.
            Reply::Announced { text } => log(format_args!("announces {text:?}")),
            Reply::Banned { ban } => {
                let (pattern, Banned { text, .. }) = (&ban.pattern, Banned::of(&ban.note));
                let lasting = ban.note.until_millis.map(|until| until.saturating_sub(ban.note.at_millis));
                match lasting {
                    Some(millis) => log(format_args!("bans {pattern} for {} s: {text:?}", millis / 1_000)),
                    None => log(format_args!("bans {pattern}: {text:?}")),
                }
            }
            Reply::Unbanned { pattern } => log(format_args!("unbans {pattern}")),
            Reply::AccountDropped { name } => log(format_args!("deletes the account {name}")),
            Reply::Bans { next: None, .. } => log(format_args!("lists the bans")),
            Reply::Sessions { next: None, .. } => log(format_args!("lists the sessions")),
            Reply::Accounts { next: None, .. } => log(format_args!("lists the accounts")),
            Reply::Destroyed { room }
                if self.connections.get(key).is_some_and(|c| c.operator().is_some()) =>
            {
                log(format_args!("destroys {room}"));
            }
            _ => {}
        }
    }
}
