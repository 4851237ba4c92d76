//! Settings from a TOML file and from flags, under the same names: what `--login-seconds 5` is on the command line is
//! `login-seconds = 5` in the file. A flag wins over the file, the file over the default.

mod people;
mod place;
mod registering;
mod room_modes;
mod values;

pub use values::Seconds;

use crate::server::Settings;
use people::{Operator, Place};
use registering::Registering;
use room_modes::RoomModes;
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use values::Value;

/// Declares every option once: its name, its type, where its value goes, and its help.
macro_rules! options {
    ($($heading:literal: { $($(#[doc = $doc:literal])+ $name:ident: $type:ty => $($place:ident).+;)* })*) => {
        /// What can be set, each part of it or none.
        #[derive(Clone, PartialEq, Default, Debug, clap::Args, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Options {
            /// Address and port to listen on, for TCP and UDP; can be given many times [default: 127.0.0.1:7667]
            #[arg(long, value_name = "ADDR", value_parser = parse_address)]
            listen: Option<Vec<SocketAddr>>,
            /// File with the message of the day; none where its name is empty [default: none]
            #[arg(long, value_name = "FILE", help_heading = "Server")]
            motd_file: Option<PathBuf>,
            /// A line about who runs the server, and how to reach them; can be given many times [default: none]
            #[arg(long, value_name = "TEXT", help_heading = "Server")]
            admin: Option<Vec<String>>,
            /// Hash of the password that clients have to give (see `switchboard hash-password`) [default: none]
            #[arg(long, value_name = "HASH", help_heading = "Server")]
            password: Option<String>,
            /// Directory for what lasts: accounts and rooms [default: $STATE_DIRECTORY, else $XDG_STATE_HOME/switchboard, else ~/.local/state/switchboard]
            #[arg(long, value_name = "DIR", help_heading = "Storage")]
            data_dir: Option<PathBuf>,
            /// Whether nothing lasts: accounts and rooms end with the server [default: false]
            #[arg(long, value_name = "true|false", help_heading = "Storage", num_args = 0..=1)]
            #[arg(default_missing_value = "true", value_parser = <bool as Value>::from_flag)]
            ephemeral: Option<bool>,
            /// Address or network that may ask for figures with `GET /metrics`, for Prometheus; can be given many times [default: none]
            #[arg(long, value_name = "ADDRESS|NETWORK", help_heading = "Server", value_parser = <Place as Value>::from_flag)]
            metrics_allow: Option<Vec<Place>>,
            /// File for everything that is read and written, as packets that Wireshark opens (pcapng) [default: none]
            #[arg(long, value_name = "FILE", help_heading = "Capture")]
            capture: Option<PathBuf>,
            /// Show passwords, keys and tickets in it, which are masked otherwise [default: false]
            #[arg(long, value_name = "true|false", help_heading = "Capture", num_args = 0..=1)]
            #[arg(default_missing_value = "true", value_parser = <bool as Value>::from_flag)]
            capture_secrets: Option<bool>,
            #[arg(skip)]
            operators: Option<Vec<Operator>>,
            $($(
                $(#[doc = $doc])+
                #[arg(long, value_name = <$type as Value>::NAME, help_heading = $heading)]
                #[arg(allow_negative_numbers = true, value_parser = <$type as Value>::from_flag)]
                $name: Option<$type>,
            )*)*
        }

        impl Options {
            /// Puts what is set here over what is set there.
            fn apply(&self, settings: &mut Settings) {
                if let Some(listen) = &self.listen {
                    settings.listen.clone_from(listen);
                }
                if let Some(file) = &self.capture {
                    settings.capture.file = Some(file.clone()).filter(|file| !file.as_os_str().is_empty());
                }
                settings.capture.secrets = self.capture_secrets.unwrap_or(settings.capture.secrets);
                self.apply_people(settings);
                $($(if let Some(value) = &self.$name {
                    settings.$($place).+ = value.clone().into();
                })*)*
            }

            /// Every key of the file, and what its value has to be.
            const KEYS: &[(&str, &str)] = &[
                ("listen", LISTEN_IS),
                ("motd_file", "the name of a file, in quotation marks"),
                ("admin", "a list of texts, such as [\"Ann\", \"ann@example.org\"]"),
                ("password", <String as Value>::IS),
                ("data_dir", "the name of a directory, in quotation marks"),
                ("ephemeral", <bool as Value>::IS),
                ("metrics_allow", people::PLACES_ARE),
                ("capture", "the name of a file, in quotation marks"),
                ("capture_secrets", <bool as Value>::IS),
                ("operators", people::OPERATORS_ARE),
                $($((stringify!($name), <$type as Value>::IS),)*)*
            ];

            #[cfg(test)]
            fn documented() -> Vec<(&'static str, String, String)> {
                let defaults = Settings::default();
                vec![$($((
                    stringify!($name),
                    concat!($($doc),+).to_owned(),
                    <$type>::from(defaults.$($place).+).to_string(),
                ),)*)*]
            }
        }
    };
}

options! {
    "Server": {
        /// What it is called among servers: a name with a dot in it, as hosts have it [default: switchboard.local]
        server_name: String => server.name;
        /// What it is, in a few words [default: A Switchboard server]
        server_description: String => server.about;
        /// The network it belongs to, in one word [default: Switchboard]
        network_name: String => server.network;
        /// What cloaks of addresses are made with, in the file rather than here: `ps` shows it; none: something random that is kept with what lasts; if nothing does, bans of hosts end with a restart [default: none]
        cloak_key: String => cloak_key;
    }
    "Limits": {
        /// Connections at one time; lowered to what `ulimit -n` allows [default: 20000]
        connections_max: usize => limits.connections_max;
        /// Connections at one time from one address (IPv6: /64), loopback aside; 0: any number [default: 128]
        connections_per_address_max: usize => limits.connections_per_address_max;
        /// Newcomers accepted in one turn at one address [default: 256]
        accepts_per_turn_max: usize => limits.accepts_per_turn_max;
        /// Bytes read from one connection in one turn [default: 114688]
        read_bytes_per_turn_max: usize => limits.read_bytes_per_turn_max;
        /// Frames taken from one connection in one turn [default: 512]
        frames_per_turn_max: usize => limits.frames_per_turn_max;
        /// Bytes written to one connection in one turn [default: 262144]
        flush_bytes_per_turn_max: usize => limits.flush_bytes_per_turn_max;
        /// Bytes in the kernel's send buffer of each connection (SO_SNDBUF); 0 leaves it to the kernel [default: 0]
        send_buffer_bytes: usize => limits.send_buffer_bytes;
        /// Bytes queued for one connection before it is dropped as a slow consumer [default: 4194304]
        queued_bytes_max: usize => limits.queued_bytes_max;
        /// Bytes queued for one connection before it is dropped after slow-consumer-grace-seconds [default: 1048576]
        queued_bytes_soft: usize => limits.queued_bytes_soft;
        /// Seconds that a connection may be over queued-bytes-soft [default: 30]
        slow_consumer_grace_seconds: Seconds => limits.slow_consumer_grace;
        /// Bytes queued for one connection before those who fill its queue are read no further [default: 131072]
        high_water_bytes: usize => limits.high_water_bytes;
        /// Bytes queued for a connection that has not logged in [default: 16384]
        queued_bytes_before_login_max: usize => limits.queued_bytes_before_login_max;
        /// Seconds that a login may take [default: 10]
        login_seconds: Seconds => limits.login_time;
        /// Seconds of silence before a client is pinged [default: 90]
        ping_after_seconds: Seconds => limits.ping_after;
        /// Seconds that a client has to answer a ping [default: 60]
        ping_timeout_seconds: Seconds => limits.ping_timeout;
        /// Seconds that a closing connection may take to be sent what is queued for it [default: 5]
        drain_seconds: Seconds => limits.drain_time;
        /// Bytes thrown away from a closing connection that still sends [default: 4194304]
        discarded_bytes_max: usize => limits.discarded_bytes_max;
        /// Whether datagrams are exchanged, over UDP at the same addresses [default: true]
        datagrams: bool => limits.datagrams;
        /// Datagrams received in one turn, and datagrams sent in one turn [default: 1024]
        datagrams_per_turn_max: usize => limits.datagrams_per_turn_max;
        /// Datagrams that one client may make the server send in a second, over time [default: 10000]
        datagrams_caused_per_second_max: usize => limits.datagrams_caused.per_second;
        /// Datagrams that one client may make the server send at once, after a silence [default: 10000]
        datagrams_caused_burst_max: usize => limits.datagrams_caused.burst;
        /// Seconds of silence after which a client's datagram address has to be proven anew [default: 60]
        datagram_expiry_seconds: Seconds => limits.datagram_expiry;
        /// Bytes in a user's name [default: 32]
        name_bytes_max: u8 => hub.name_bytes_max;
        /// Bytes in a room's name, its # included [default: 64]
        room_name_bytes_max: u8 => hub.room_name_bytes_max;
        /// Bytes in a message [default: 4096]
        text_bytes_max: u16 => hub.text_bytes_max;
        /// Bytes in a room's subject [default: 1024]
        subject_bytes_max: u16 => hub.subject_bytes_max;
        /// Rooms at one time [default: 50000]
        rooms_max: usize => hub.rooms_max;
        /// Rooms that one user may be in [default: 100]
        rooms_per_user_max: usize => hub.rooms_per_user_max;
        /// Occupants of one room [default: 20000]
        occupants_per_room_max: usize => hub.occupants_per_room_max;
        /// Relays at one time [default: 10000]
        relays_max: usize => hub.relays_max;
        /// Relays and calls that one user may have at one time [default: 8]
        relays_per_user_max: usize => hub.relays_per_user_max;
        /// Connections that one user with an account may have at one time [default: 8]
        seats_per_user_max: usize => hub.seats_per_user_max;
        /// Entries in one frame of a list [default: 200]
        page_entries_max: usize => hub.page_entries_max;
        /// Seconds that a call rings [default: 60]
        relay_answer_seconds: Seconds => hub.relay_answer_time;
        /// Addresses that one user may declare, or offer for a direct path [default: 16]
        addresses_per_user_max: usize => hub.addresses_per_user_max;
        /// How often the two ends of a relay may try to find a direct path [default: 3]
        path_rounds_max: u8 => hub.path_rounds_max;
        /// Bytes in what a user says they are called on their machine [default: 16]
        username_bytes_max: u8 => hub.username_bytes_max;
        /// Bytes in what a user says they are really called [default: 150]
        realname_bytes_max: u16 => hub.realname_bytes_max;
        /// Bytes in what those are told who write to somebody who is away [default: 300]
        away_bytes_max: u16 => hub.away_bytes_max;
        /// Bytes in the words on making somebody leave a room or the server [default: 300]
        kick_bytes_max: u16 => hub.kick_bytes_max;
        /// Bytes in what clients tell each other beside the text of a message [default: 4094]
        tags_bytes_max: u16 => hub.tags_bytes_max;
        /// Bytes in a room's password [default: 32]
        password_bytes_max: u8 => hub.password_bytes_max;
        /// Bytes in a mask in a list of a room, such as that of its bans [default: 200]
        mask_bytes_max: u8 => hub.mask_bytes_max;
        /// Entries in each such list of a room [default: 100]
        masks_per_list_max: usize => hub.masks_per_list_max;
        /// Changes of a room in one request [default: 20]
        changes_max: usize => hub.changes_max;
        /// Bytes of memory that the lists of masks of one room take together [default: 65536]
        mask_bytes_per_room_max: usize => hub.mask_bytes_per_room_max;
        /// Bytes of memory that those of all rooms take; the nearer to it, the less one room may have [default: 67108864]
        mask_bytes_on_server_max: usize => hub.mask_bytes_on_server_max;
        /// Invitations that are open, to one room or for one user [default: 100]
        invitations_max: usize => hub.invitations_max;
        /// Accounts that are something to one room: members, admins, owners, or banned [default: 2000]
        members_per_room_max: usize => hub.members_per_room_max;
        /// Those of all rooms; the nearer to it, the fewer one room may have [default: 500000]
        members_on_server_max: usize => hub.members_on_server_max;
        /// Rooms of one owner that stay when nobody is in them [default: 50]
        rooms_per_account_max: usize => hub.rooms_per_account_max;
        /// What people ask for in one room, a voice or membership, that nobody has decided [default: 50]
        wishes_per_room_max: usize => hub.wishes_per_room_max;
        /// The same of one user in all rooms [default: 10]
        wishes_per_user_max: usize => hub.wishes_per_user_max;
        /// Names whose coming and going one user may watch [default: 100]
        watches_per_user_max: usize => hub.watches_per_user_max;
        /// Names that were given up and are remembered [default: 256]
        former_names_max: usize => hub.former_names_max;
        /// Of these, names that came from one address [default: 32]
        former_names_per_host_max: usize => hub.former_names_per_host_max;
        /// Entries that are looked at in one step of a list with conditions [default: 2000]
        scanned_entries_max: usize => hub.scanned_entries_max;
        /// Addresses and networks that operators keep out [default: 10000]
        bans_max: usize => hub.bans_max;
        /// Messages of one room that are kept, and as many comings and goings beside them; 0 keeps nothing [default: 1000]
        history_messages_max: usize => hub.history.messages_max;
        /// Bytes that the messages of one room may take [default: 1048576]
        history_bytes_max: usize => hub.history.bytes_max;
        /// Days that something is kept; 0: for ever [default: 30]
        history_days_max: usize => hub.history.days_max;
        /// Messages of one room in memory: all that is kept of one that does not last [default: 100]
        history_memory_messages_max: usize => hub.history.memory_messages_max;
        /// Bytes of memory for what is kept of all rooms [default: 67108864]
        history_memory_bytes_max: usize => hub.history.memory_bytes_max;
        /// Entries in one page of history [default: 100]
        history_page_max: usize => hub.history.page_max;
        /// Latest messages that a client of IRC is shown on entering a room, unless it asks for history itself [default: 20]
        history_lines_on_join: u16 => server.history_lines;
        /// Tell clients of IRC on entering a room that what is said in it is kept, where that is on disk [default: true]
        history_notice_on_join: bool => server.history_notice;
        /// Conversations of which an account can say up to when it has read them [default: 200]
        read_marks_max: usize => hub.history.read_marks_max;
        /// What a new room is set to, as letters of channel modes: C i m n s t [default: n]
        room_modes: RoomModes => hub.new_rooms;
    }
    "Capture": {
        /// Files of it at one time, with a number in their names, the oldest of which goes; 0: one, which ends when it is full [default: 0]
        capture_files: usize => capture.files;
        /// Bytes of each [default: 104857600]
        capture_bytes_max: usize => capture.bytes_max;
    }
    "Accounts": {
        /// Who may make an account: closed (nobody), open (who is logged in), before-login (anybody) [default: open]
        registration: Registering => hub.registration;
        /// Accounts that there may be [default: 100000]
        accounts_max: usize => hub.accounts_max;
        /// Seconds until the next password for an account, or from an address, after a wrong one; doubled each time [default: 1]
        account_delay_seconds: Seconds => limits.account_delay;
        /// Memory that the hash of a new password of an account takes, in KiB [default: 19456]
        password_hash_memory_kib: u32 => limits.password_cost.memory_kib;
        /// How often that is gone through (Argon2id, with one lane) [default: 2]
        password_hash_iterations: u32 => limits.password_cost.iterations;
        /// Accounts made from one address in an hour; 0: any number [default: 20]
        registrations_per_address_max: u32 => limits.registrations.per_hour;
    }
    "IRC": {
        /// Whether IRC is spoken [default: true]
        irc: bool => server.irc;
        /// Lines taken from one client of IRC in a second, over time; 0: as many as it sends [default: 4]
        irc_lines_per_second: usize => limits.irc_lines.per_second;
        /// Lines taken from one client of IRC at once, after a silence [default: 20]
        irc_lines_burst: usize => limits.irc_lines.burst;
        /// Seconds until an address that guessed an operator's password may try again; doubled each time [default: 2]
        oper_delay_seconds: Seconds => limits.oper_delay;
        /// Bytes that a client of IRC may send too fast before it is dropped [default: 32768]
        irc_held_bytes_max: usize => limits.irc_held_bytes_max;
    }
}

/// The command line of `serve`.
#[derive(Clone, Default, Debug, clap::Args)]
pub struct ServeArgs {
    /// TOML file with the options below, without their dashes; read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub options: Options,
}

impl ServeArgs {
    /// Reads the file, if there is one, and puts the flags over it.
    ///
    /// # Errors
    /// One sentence: which file or which setting, what is wrong with it, and what would be right.
    pub fn settings(&self) -> Result<Settings, String> {
        let mut settings = Settings::default();
        let file = self.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        file.apply(&mut settings);
        self.options.apply(&mut settings);
        if let Some(path) = self.options.motd_file.as_ref().or(file.motd_file.as_ref()) {
            settings.server.motd = people::read_motd(path)?;
        }
        let fits = settings.check().and_then(|()| people::check(&settings));
        let wished = fits.and_then(|()| place::of(&self.options, &file));
        let wished = wished.map_err(|what| format!("{}: {what}", self.source()))?;
        settings.data_dir = wished.directory(|name| std::env::var_os(name))?;
        Ok(settings)
    }

    /// Where the settings come from, for a complaint about several of them.
    fn source(&self) -> String {
        match &self.config {
            None => "on the command line".to_owned(),
            Some(path) if self.options == Options::default() => path.display().to_string(),
            Some(path) => format!("{} and the flags over it", path.display()),
        }
    }
}

fn read_file(path: &Path) -> Result<Options, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the config file {}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(0, |before| before.matches('\n').count() + 1);
        let what = explain(&text, &error).or_else(|| explain_twice(&text, &error));
        let what = what.unwrap_or_else(|| error.message().trim_end().replace('\n', "; "));
        format!("{}, line {line}: {what}", path.display())
    })
}

/// What is wrong where one key comes twice, of which TOML says but that.
fn explain_twice(text: &str, error: &toml::de::Error) -> Option<String> {
    if !error.message().contains("duplicate key") {
        return None;
    }
    let name = text.get(error.span()?)?.trim_matches(|c: char| "[]\"'".contains(c) || c.is_whitespace());
    let hint = if name == "operators" { "; take out the line `operators = []`" } else { "" };
    Some(format!("there is a second {name}: a duplicate key{hint}"))
}

/// What is wrong with a file that is TOML: a key that is none, or a value that is none for its key.
fn explain(text: &str, error: &toml::de::Error) -> Option<String> {
    let at = error.span()?;
    let table = DeTable::parse(text).ok()?;
    for (key, value) in table.get_ref() {
        let name: &str = key.get_ref();
        if name == "operators"
            && let Some(what) = explain_operator(text, value.get_ref(), at.start)
        {
            return Some(what);
        }
        if key.span().contains(&at.start) {
            return Some(unknown(name));
        }
        if value.span().contains(&at.start) {
            let (_, is) = Options::KEYS.iter().find(|(known, _)| in_file(known) == name)?;
            return Some(wrong(name, is, text, value.span()));
        }
    }
    None
}

/// The same within one of the operators.
fn explain_operator(text: &str, operators: &DeValue<'_>, at: usize) -> Option<String> {
    let tables = operators.as_array()?.iter().filter_map(|table| table.get_ref().as_table());
    for (key, value) in tables.flatten() {
        let name: &str = key.get_ref();
        if key.span().contains(&at) {
            let known = people::OPERATOR_KEYS;
            let nearest = known.into_iter().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
            let hint = nearest.map_or_else(
                || "it has ".to_owned() + &known.join(", "),
                |known| format!("did you mean {known}?"),
            );
            return Some(format!("an operator has no setting {name}; {hint}"));
        }
        if value.span().contains(&at) {
            let name = format!("{name} of an operator");
            return Some(wrong(&name, <String as Value>::IS, text, value.span()));
        }
    }
    None
}

/// A value that is none for its key, which stands there in the text.
fn wrong(name: &str, is: &str, text: &str, there: Range<usize>) -> String {
    let found = text.get(there).filter(|found| found.len() <= QUOTED_BYTES_MAX && !found.contains('\n'));
    let instead = found.map_or_else(String::new, |found| format!(", not {found}"));
    format!("{name} must be {is}{instead}")
}

fn unknown(name: &str) -> String {
    let known = Options::KEYS.iter().map(|(known, _)| in_file(known));
    let nearest = known.map(|known| (strsim::damerau_levenshtein(&known, name), known)).min();
    match nearest {
        Some((edits, nearest)) if edits <= nearest.len() / 3 => {
            format!("there is no setting {name}; did you mean {nearest}?")
        }
        _ => format!("there is no setting {name}; `switchboard serve --help` lists them, with -- in front"),
    }
}

fn in_file(field: &str) -> String {
    field.replace('_', "-")
}

/// A longer value is not repeated to whoever wrote it.
const QUOTED_BYTES_MAX: usize = 60;

const LISTEN_IS: &str = "a list of addresses, such as [\"127.0.0.1:7667\"]";

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address looks like 127.0.0.1:7667, 0.0.0.0:7667 or [::]:7667".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_help_tells_the_true_defaults() {
        for (name, help, default) in Options::documented() {
            let default = if default.is_empty() { "none" } else { default.as_str() };
            assert!(help.contains(&format!("[default: {default}]")), "{name}: {help}, but it is {default}");
        }
    }

    #[test]
    fn the_file_that_comes_with_the_docs_holds_every_option_at_its_default() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/switchboard.toml"));
        let mut settings = Settings::default();
        settings.limits.connections_max = 1;
        let options = read_file(path).expect("a valid file");
        options.apply(&mut settings);
        assert_eq!(settings, Settings::default());
        let text = std::fs::read_to_string(path).expect("the file");
        for (name, _) in Options::KEYS {
            let key = name.replace('_', "-");
            // Tables have no line that could hold none of them.
            let line =
                if *name == "operators" { "#     [[operators]]".to_owned() } else { format!("{key} = ") };
            assert!(text.lines().any(|other| other.starts_with(&line)), "{key} is missing");
        }
    }

    #[test]
    fn flags_win_over_the_file_and_what_is_not_set_keeps_its_default() {
        let file: Options = toml::from_str("login-seconds = 3\nrooms-max = 7").expect("a valid file");
        let flags = Options { rooms_max: Some(9), ..Options::default() };
        let mut settings = Settings::default();
        file.apply(&mut settings);
        flags.apply(&mut settings);
        assert_eq!((settings.limits.login_time, settings.hub.rooms_max), (Duration::from_secs(3), 9));
        assert_eq!(settings.hub.relays_max, Settings::default().hub.relays_max);
    }

    #[test]
    fn bad_values_are_told() {
        for bad in
            ["rooms-max = -1", "rooms-max = \"x\"", "login-seconds = 0", "unknown = 1", "listen = [\"x\"]"]
        {
            assert!(toml::from_str::<Options>(bad).is_err(), "{bad}");
        }
    }
}
