//! Settings that are read again while the server runs: what becomes of them in the engine, and who is told.

use super::credentials::Credentials;
use super::engine::Engine;
use super::exchange::session_id;
use super::limits::Limits;
use super::reactor::Reactor;
use crate::hub;
use crate::net::{Key, Socket};
use crate::session::Description;
use log::{Level, info, warn};

/// Why there are none.
const NO_FILE: &str = "there is no config file to read again";

impl Reactor {
    /// Reads the settings again, because of a signal or of these operators, who are told what came of it.
    pub(super) fn reload(&mut self, askers: &[Key]) {
        for &key in askers {
            let connection = self.engine.exchange().connections.get(key);
            let Some((connection, operator)) = connection.and_then(|c| Some((c, c.operator()?))) else {
                continue;
            };
            info!("{key} {} rehashes, as operator {}", connection.address.ip(), operator.name);
        }
        let told: Vec<String> = match self.take_new_settings() {
            Ok(unchanged) => {
                unchanged.iter().for_each(|what| warn!("{what}"));
                info!("settings reloaded");
                unchanged.into_iter().chain(["Settings reloaded"]).map(str::to_owned).collect()
            }
            Err(error) => {
                let what = format!("not reloaded, the old ones stay: {error}");
                log::log!(if self.reload.is_some() { Level::Error } else { Level::Warn }, "settings {what}");
                vec![format!("Settings {what}")]
            }
        };
        for (key, text) in askers.iter().flat_map(|key| told.iter().map(move |text| (key, text))) {
            self.engine.tell(*key, text);
        }
    }

    /// Returns what has changed in the file and stays as it is, in words.
    ///
    /// # Errors
    /// What is wrong with the settings, of which nothing holds then.
    fn take_new_settings(&mut self) -> Result<Vec<&'static str>, String> {
        let reload = self.reload.as_mut().ok_or(NO_FILE)?;
        let (mut settings, now) = (reload()?, &self.settings);
        let mut unchanged = Vec::new();
        if settings.listen != now.listen {
            unchanged.push("`listen` changes with a restart only");
            settings.listen.clone_from(&now.listen);
        }
        if settings.limits.datagrams != now.limits.datagrams {
            unchanged.push("`datagrams` changes with a restart only");
            settings.limits.datagrams = now.limits.datagrams;
        }
        if settings.cloak_key != now.cloak_key {
            unchanged.push("`cloak-key` changes with a restart only");
            settings.cloak_key.clone_from(&now.cloak_key);
        }
        if settings.data_dir != now.data_dir {
            unchanged.push("`data-dir` and `ephemeral` change with a restart only");
            settings.data_dir.clone_from(&now.data_dir);
        }
        if settings.capture != now.capture {
            unchanged.push("`capture` and what belongs to it change with a restart only");
            settings.capture.clone_from(&now.capture);
        }
        settings.fit_descriptors(Some(now.limits.connections_max));
        self.engine.describe(settings.server.clone(), settings.credentials.clone());
        self.engine.set_limits(settings.limits.clone(), settings.hub.clone());
        self.settings = settings;
        Ok(unchanged)
    }
}

impl<S: Socket> Engine<S> {
    /// New limits hold for what happens from now on.
    pub fn set_limits(&mut self, limits: Limits, hub_limits: hub::Limits) {
        self.scratch.resize(limits.read_bytes_per_turn_max, 0);
        self.exchange.limits = limits;
        self.exchange.surroundings.limits.clone_from(&hub_limits);
        self.exchange.keep_within(hub_limits.history);
        self.hub.set_limits(hub_limits);
    }

    /// What the server says of itself, and whom it lets do what, from now on. An operator whose entry is gone, or has
    /// another password, is one no more.
    pub fn describe(&mut self, server: Description, credentials: Credentials) {
        let surroundings = &mut self.exchange.surroundings;
        surroundings.wants_password = credentials.password.is_some();
        surroundings.gives_metrics = !credentials.metrics.is_empty();
        surroundings.server = server;
        self.exchange.checks.forget_right();
        self.exchange.credentials = credentials;
        for key in self.exchange.former_operators() {
            self.exchange.forget_operator(key);
            self.dismiss_if_forgotten(key);
        }
    }

    /// Whoever has not shown itself to be an operator, or not to be one that there still is, is none.
    pub(super) fn dismiss_if_forgotten(&mut self, key: Key) {
        let is_known = self.exchange.connections.get(key).is_some_and(|c| c.operator().is_some());
        if !is_known && self.hub.revoke_operator(session_id(key)) {
            self.exchange.tell_dismissed(key);
        }
    }
}
