//! What a session may know of the world around it: who the server says it is, and what time it is.

use crate::hub;

/// The program, for those who ask what they talk to.
pub const VERSION: &str = concat!("switchboard-", env!("CARGO_PKG_VERSION"));

/// Bytes in the server's name: what the line protocol of IRC leaves for it beside everything else.
pub const NAME_BYTES_MAX: usize = 63;

/// The world as it is in this turn. Kept by whoever owns the connections, which looks at the clocks.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub server: Description,
    /// The bounds of the domain, for those dialects that announce them.
    pub limits: hub::Limits,
    /// Whether the whole server has a password.
    pub wants_password: bool,
    /// Whether anybody may have figures over HTTP.
    pub gives_metrics: bool,
    /// Connections that have not logged in.
    pub strangers: usize,
    /// Wall time of this turn, in milliseconds since 1970. It may jump, forwards and back: it is for showing, and no
    /// deadline comes from it.
    pub unix_millis: u64,
    /// Wall time when the server started.
    pub started_unix_millis: u64,
    /// Random, and told to nobody: from it comes what has to look like something that is not there.
    pub secret: [u8; 32],
}

/// What the server says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// What it is called among servers; looks like a host name, with a dot in it, so that it is nobody's nickname.
    pub name: String,
    /// In a few words.
    pub about: String,
    /// The network it belongs to, even if it is the only server there.
    pub network: String,
    /// The message of the day, line by line; none when there is none.
    pub motd: Vec<String>,
    /// Who runs it and how to reach them, line by line.
    pub admin: Vec<String>,
    /// Whether lines of IRC are spoken.
    pub irc: bool,
    /// So many of the latest messages of a room those clients of IRC see on entering it that do not ask for them.
    pub history_lines: u16,
    /// Whether they are told, where what is said is kept on disk.
    pub history_notice: bool,
}

impl Default for Description {
    fn default() -> Self {
        Description {
            name: "switchboard.local".to_owned(),
            about: "A Switchboard server".to_owned(),
            network: "Switchboard".to_owned(),
            motd: Vec::new(),
            admin: Vec::new(),
            irc: true,
            history_lines: 20,
            history_notice: true,
        }
    }
}

impl Surroundings {
    pub fn new(server: Description, limits: hub::Limits) -> Self {
        Surroundings {
            server,
            limits,
            wants_password: false,
            gives_metrics: false,
            strangers: 0,
            unix_millis: 0,
            started_unix_millis: 0,
            secret: [0; 32],
        }
    }
}
