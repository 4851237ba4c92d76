//! Every bound of the server, with its unit. Each queue and each loop has one.

use super::allowance::Rate;
use super::credentials::Credentials;
use super::passwords::Cost;
use crate::hub::Host;
use crate::session::{Description, NAME_BYTES_MAX};
use crate::wire::irc::line::LINE_BYTES_MAX;
use crate::{capture, hub, net};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a server needs to start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    pub listen: Vec<SocketAddr>,
    pub limits: Limits,
    pub hub: hub::Limits,
    /// What the server says of itself.
    pub server: Description,
    pub credentials: Credentials,
    /// What cloaks are made with. Empty: with something random that is kept where anything is; or else cloaks are others
    /// after each start.
    pub cloak_key: String,
    /// The directory for what lasts. `None`: nothing does.
    pub data_dir: Option<PathBuf>,
    /// What goes through the sockets, for whoever wants to look at it.
    pub capture: capture::Options,
}

/// Where the server listens unless it is told otherwise.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7667);

impl Default for Settings {
    fn default() -> Self {
        Settings {
            listen: vec![DEFAULT_LISTEN],
            limits: Limits::default(),
            hub: hub::Limits::default(),
            server: Description::default(),
            credentials: Credentials::default(),
            cloak_key: String::new(),
            data_dir: None,
            capture: capture::Options::default(),
        }
    }
}

/// The bounds of connections, queues and turns; those of the domain are [`hub::Limits`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at one time. The process needs a few descriptors more than that.
    pub connections_max: usize,
    /// Connections at one time from one address, or one IPv6 network of 64 bits; 0: any number. Those from the machine
    /// itself are not counted.
    pub connections_per_address_max: usize,
    /// Newcomers accepted in one turn at one address, so that a storm of them does not starve those who are here.
    pub accepts_per_turn_max: usize,
    /// Bytes read from one connection in one turn, so that one flooder does not starve the others.
    pub read_bytes_per_turn_max: usize,
    /// Frames taken from one connection in one turn: small frames cost more than their bytes.
    pub frames_per_turn_max: usize,
    /// Whether datagrams are exchanged at all. Holds from the start to the end: the sockets are there or are not.
    pub datagrams: bool,
    /// Datagrams received, and datagrams sent, in one turn. What is more waits in the kernel, goes by TCP, or is dropped.
    pub datagrams_per_turn_max: usize,
    /// How many datagrams one client may make the server send. Beyond that, what came over TCP goes on over TCP, and
    /// what came in a datagram is dropped.
    pub datagrams_caused: Rate,
    /// Silence after which a client's datagram address counts as gone.
    pub datagram_expiry: Duration,
    /// Lines taken from one client of IRC; none a second: as many as it sends.
    pub irc_lines: Rate,
    /// Bytes that such a client may have sent beyond that, as far as they were read; at more it is dropped.
    pub irc_held_bytes_max: usize,
    /// How long the next guess at an operator's password waits after a wrong one from the same address; after each
    /// further one twice as long as before, [`DOUBLINGS_MAX`](super::checks::DOUBLINGS_MAX) times.
    pub oper_delay: Duration,
    /// The same for accounts: after a wrong password for one, and after a wrong one from an address.
    pub account_delay: Duration,
    /// What the hash of a new account's password costs, or that of a new password.
    pub password_cost: Cost,
    /// Passwords of accounts that wait to be looked at; what is more is refused at once.
    pub passwords_waiting_max: usize,
    /// Accounts made from one address.
    pub registrations: Registrations,
    /// Bytes written to one connection in one turn.
    pub flush_bytes_per_turn_max: usize,
    /// The kernel's send buffer of each connection, in bytes (SO_SNDBUF, which Linux doubles); 0 leaves it to the kernel,
    /// which grows it to megabytes. Small ones bound the kernel's memory and make backpressure easy to watch.
    pub send_buffer_bytes: usize,
    /// Bytes queued for one connection; at more it is dropped at once as a slow consumer.
    pub queued_bytes_max: usize,
    /// Bytes queued for one connection; at more for longer than `slow_consumer_grace` it is dropped as well.
    pub queued_bytes_soft: usize,
    pub slow_consumer_grace: Duration,
    /// Bytes queued for one connection; at more, those who fill its queue are read no further: its own requests, and
    /// the peers of its relays. Reading goes on at half of it.
    pub high_water_bytes: usize,
    /// Bytes queued for a connection that has not logged in.
    pub queued_bytes_before_login_max: usize,
    pub login_time: Duration,
    /// Silence after which a client is asked for a sign of life.
    pub ping_after: Duration,
    /// Silence after that question which ends the connection.
    pub ping_timeout: Duration,
    /// How long a closing connection may take to be sent what is queued and to close its own side.
    pub drain_time: Duration,
    /// Bytes read and thrown away from a closing connection: closing with unread input would reset it, and lose what
    /// it was sent last.
    pub discarded_bytes_max: usize,
}

/// How many accounts may be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registrations {
    /// Also as many at once; 0: any number.
    pub per_hour: u32,
}

impl Registrations {
    /// What one costs of the hour; `None`: nothing.
    pub fn each(self) -> Option<Duration> {
        Registrations::HOUR.checked_div(self.per_hour)
    }

    pub const HOUR: Duration = Duration::from_secs(3_600);
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections_max: 20_000,
            connections_per_address_max: 128,
            accepts_per_turn_max: 256,
            read_bytes_per_turn_max: 112 * 1_024,
            frames_per_turn_max: 512,
            datagrams: true,
            datagrams_per_turn_max: 1_024,
            datagrams_caused: Rate { per_second: 10_000, burst: 10_000 },
            datagram_expiry: Duration::from_secs(60),
            irc_lines: Rate { per_second: 4, burst: 20 },
            irc_held_bytes_max: 32 * 1_024,
            oper_delay: Duration::from_secs(2),
            account_delay: Duration::from_secs(1),
            password_cost: Cost::default(),
            passwords_waiting_max: 4_096,
            registrations: Registrations { per_hour: 20 },
            flush_bytes_per_turn_max: 256 * 1_024,
            send_buffer_bytes: 0,
            queued_bytes_max: 4 * 1_024 * 1_024,
            queued_bytes_soft: 1_024 * 1_024,
            slow_consumer_grace: Duration::from_secs(30),
            high_water_bytes: 128 * 1_024,
            queued_bytes_before_login_max: 16 * 1_024,
            login_time: Duration::from_secs(10),
            ping_after: Duration::from_secs(90),
            ping_timeout: Duration::from_secs(60),
            drain_time: Duration::from_secs(5),
            discarded_bytes_max: 4 * 1_024 * 1_024,
        }
    }
}

impl Settings {
    /// Whether the bounds fit together.
    ///
    /// # Errors
    /// One sentence that names the setting and says what would be right.
    pub fn check(&self) -> Result<(), String> {
        let Limits { queued_bytes_max, queued_bytes_soft, high_water_bytes, .. } = self.limits;
        let at_least_one = [
            ("connections-max", self.limits.connections_max),
            ("accepts-per-turn-max", self.limits.accepts_per_turn_max),
            ("frames-per-turn-max", self.limits.frames_per_turn_max),
            ("flush-bytes-per-turn-max", self.limits.flush_bytes_per_turn_max),
            ("datagrams-per-turn-max", self.limits.datagrams_per_turn_max),
            ("datagrams-caused-per-second-max", self.limits.datagrams_caused.per_second),
            ("datagrams-caused-burst-max", self.limits.datagrams_caused.burst),
            ("occupants-per-room-max", self.hub.occupants_per_room_max),
            ("page-entries-max", self.hub.page_entries_max),
            ("name-bytes-max", self.hub.name_bytes_max.into()),
            ("text-bytes-max", self.hub.text_bytes_max.into()),
        ];
        if let Some((name, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name} is 0; it must be at least 1"));
        }
        if self.listen.is_empty() {
            return Err("there is no address to listen on; give at least one".into());
        }
        self.check_server()?;
        self.check_cost()?;
        self.check_lines()?;
        let (bytes_max, floor) = (self.capture.bytes_max, capture::BYTES_FLOOR);
        if bytes_max < floor {
            return Err(format!("capture-bytes-max is {bytes_max}; it must be at least {floor}"));
        }
        let read_bytes = self.limits.read_bytes_per_turn_max;
        if read_bytes < READ_BYTES_FLOOR {
            return Err(format!(
                "read-bytes-per-turn-max is {read_bytes}; it must be at least {READ_BYTES_FLOOR}"
            ));
        }
        if read_bytes > READ_BYTES_CEILING {
            return Err(format!(
                "read-bytes-per-turn-max is {read_bytes}; it can be at most {READ_BYTES_CEILING}"
            ));
        }
        let text_ceiling = usize::from(crate::wire::BODY_MAX_FLOOR) - TEXT_OVERHEAD;
        for (name, value) in
            [("text-bytes-max", self.hub.text_bytes_max), ("subject-bytes-max", self.hub.subject_bytes_max)]
        {
            if usize::from(value) > text_ceiling {
                return Err(format!(
                    "{name} is {value}; it can be at most {text_ceiling}, which is what every client can take"
                ));
            }
        }
        let relay_excess =
            self.hub.relays_per_user_max.saturating_mul(read_bytes).saturating_add(high_water_bytes);
        if queued_bytes_soft < relay_excess {
            return Err(format!(
                "queued-bytes-soft is {queued_bytes_soft}; it must be at least {relay_excess} \
                 (high-water-bytes + relays-per-user-max × read-bytes-per-turn-max), \
                 or a busy relay would count as a slow consumer"
            ));
        }
        if queued_bytes_max < queued_bytes_soft {
            return Err(format!(
                "queued-bytes-max is {queued_bytes_max}; it must be at least queued-bytes-soft, {queued_bytes_soft}"
            ));
        }
        Ok(())
    }

    /// What a client of IRC could mistake for something else.
    fn check_server(&self) -> Result<(), String> {
        let (name, network) = (&self.server.name, &self.server.network);
        let is_of_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if name.len() > NAME_BYTES_MAX || !name.contains('.') || !name.chars().all(is_of_host) {
            return Err(format!(
                "server-name is {name:?}; it must be like a host's, with a dot in it, of at most {NAME_BYTES_MAX} bytes"
            ));
        }
        let is_of_network = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        if network.is_empty() || network.len() > NAME_BYTES_MAX || !network.chars().all(is_of_network) {
            return Err(format!(
                "network-name is {network:?}; it must be one word, of at most {NAME_BYTES_MAX} bytes"
            ));
        }
        let lines = self.limits.irc_lines;
        if lines.per_second > 0 && lines.burst == 0 {
            return Err("irc-lines-burst is 0; it must be at least 1, or nobody could send a line".into());
        }
        let (held, floor) = (self.limits.irc_held_bytes_max, HELD_BYTES_FLOOR);
        if held < floor {
            return Err(format!(
                "irc-held-bytes-max is {held}; it must be at least {floor}, as a line can be that long"
            ));
        }
        Ok(())
    }

    /// What RFC 9106 §3.1 allows, and this machine can bear: one such hash is made at a time.
    fn check_cost(&self) -> Result<(), String> {
        let Cost { memory_kib, iterations } = self.limits.password_cost;
        let (least, most) = HASH_MEMORY_KIB;
        if !(least..=most).contains(&memory_kib) {
            return Err(format!(
                "password-hash-memory-kib is {memory_kib}; it must be from {least} to {most}"
            ));
        }
        if !(1..=HASH_ITERATIONS_MAX).contains(&iterations) {
            return Err(format!(
                "password-hash-iterations is {iterations}; it must be from 1 to {HASH_ITERATIONS_MAX}"
            ));
        }
        Ok(())
    }

    /// Whether a line of IRC has room for a text beside the names in it: in what takes most of them, a kick and an entry
    /// of WHO.
    fn check_lines(&self) -> Result<(), String> {
        let hub::Limits { name_bytes_max, room_name_bytes_max, username_bytes_max, .. } = self.hub;
        let [name, room, user] = [name_bytes_max, room_name_bytes_max, username_bytes_max].map(usize::from);
        let server = self.server.name.len();
        let kick = ":!@ KICK   :".len() + name + user + Host::WRITTEN_BYTES + room + name;
        let who = ": 352       H*@ :0 ".len() + 2 * (server + name) + room + user + Host::WRITTEN_BYTES;
        let left = (LINE_BYTES_MAX - "\r\n".len()).saturating_sub(kick.max(who));
        if self.server.irc && left < LINE_TEXT_FLOOR {
            return Err(format!(
                "name-bytes-max is {name}, room-name-bytes-max {room}, username-bytes-max {user} and server-name has \
                 {server} bytes: a line of IRC, which has {LINE_BYTES_MAX}, would have {left} left for a text; lower \
                 them until there are {LINE_TEXT_FLOOR}"
            ));
        }
        Ok(())
    }

    /// Lowers `connections_max` to what the process may have open, and says so, unless it was that `before`.
    pub fn fit_descriptors(&mut self, before: Option<usize>) {
        let Some(descriptors) = net::descriptors::raise_limit() else { return };
        let sockets_per_address = if self.limits.datagrams { 2 } else { 1 };
        let spare = DESCRIPTORS_SPARE + sockets_per_address * self.listen.len();
        let fitting = usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(spare).max(1);
        if self.limits.connections_max > fitting {
            let level = if fitting < FEW_CONNECTIONS { log::Level::Warn } else { log::Level::Info };
            if before != Some(fitting) {
                log::log!(
                    level,
                    "connections-max is {fitting} instead of {}: the process may open {descriptors} files (ulimit -n)",
                    self.limits.connections_max
                );
            }
            self.limits.connections_max = fitting;
        }
    }
}

/// From what the algorithm needs to a gibibyte.
const HASH_MEMORY_KIB: (u32, u32) = (8, 1 << 20);
const HASH_ITERATIONS_MAX: u32 = 100;

/// A read has to be able to hold a short unfinished frame and something new.
const READ_BYTES_FLOOR: usize = 4_096;

/// All of it is one buffer, which is there from the start.
const READ_BYTES_CEILING: usize = 16 * 1_024 * 1_024;

/// The longest line of IRC, with its tags (IRCv3 message-tags).
const HELD_BYTES_FLOOR: usize = 8_191 + 512;

/// What a text in a line of IRC can count on, in bytes.
const LINE_TEXT_FLOOR: usize = 100;

/// A frame's fields beside its text, in bytes: two names and some numbers.
const TEXT_OVERHEAD: usize = 1_024;

/// Room for fewer connections than this is hardly what the operator wants.
const FEW_CONNECTIONS: usize = 100;

/// Descriptors that are not connections: standard streams, the poll instance, waker and signals, the reserve, and
/// those who are being told that the server is full.
const DESCRIPTORS_SPARE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_fit_together() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_told_by_name() {
        let mut settings = Settings::default();
        settings.limits.queued_bytes_soft = 1;
        assert!(settings.check().is_err_and(|e| e.contains("queued-bytes-soft")));
        let mut settings = Settings::default();
        settings.hub.text_bytes_max = 8_000;
        assert!(settings.check().is_err_and(|e| e.contains("text-bytes-max")));
        let mut settings = Settings::default();
        settings.limits.frames_per_turn_max = 0;
        assert!(settings.check().is_err_and(|e| e.contains("frames-per-turn-max")));
    }

    #[test]
    fn names_leave_room_for_a_text_in_a_line() {
        let mut settings = Settings::default();
        settings.hub.room_name_bytes_max = 255;
        let error = settings.check().expect_err("too long a name");
        for part in ["room-name-bytes-max 255", "name-bytes-max is 32", "username-bytes-max 16", "100"] {
            assert!(error.contains(part), "{error}");
        }
        settings.hub.room_name_bytes_max = 160;
        assert_eq!(settings.check(), Ok(()));
        settings.hub.name_bytes_max = 250;
        assert!(settings.check().is_err());
        settings.server.irc = false;
        assert_eq!(settings.check(), Ok(()), "frames have room for all");
    }
}
