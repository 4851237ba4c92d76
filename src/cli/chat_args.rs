//! `switchboard chat`: its part of the command line.

use super::{WayArgs, finished, listen_address, password, server_address};
use crate::server::limits;
use crate::{capture, chat};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct ChatArgs {
    /// Host of the server, and its port if it is not 7667
    #[arg(value_name = "ADDR", default_value_t = limits::DEFAULT_LISTEN.to_string(), value_parser = server_address)]
    server: String,
    /// The name that others see
    #[arg(long, value_name = "NAME")]
    nick: String,
    #[command(flatten)]
    account: AccountArgs,
    /// Make the account first: of --account, else of the name that others see
    #[arg(long)]
    register: bool,
    /// Room to enter, with or without its #; can be given many times
    #[arg(long = "room", value_name = "ROOM")]
    rooms: Vec<String>,
    /// How many of the latest messages to show of a room on entering: 20 on a terminal, else none
    #[arg(long, value_name = "NUMBER")]
    history: Option<u16>,
    /// Call this peer at once; a script's lines are said to them
    #[arg(long, value_name = "NAME", conflicts_with = "take_calls")]
    call: Option<String>,
    /// Answer whoever calls, one at a time; a script's lines are said to them
    #[arg(long)]
    take_calls: bool,
    #[command(flatten)]
    ways: WayArgs,
    /// Send and receive messages and calls in datagrams, as far as they fit; what is lost in a room is told
    #[arg(long)]
    udp: bool,
    /// Without a server: wait for a peer to call this address, and its port if it is not 7667
    #[arg(long, value_name = "HOST:PORT", value_parser = listen_address, conflicts_with_all = NEED_A_SERVER, conflicts_with = "peer")]
    listen: Option<String>,
    /// Without a server: call the peer that waits at this address, and its port if it is not 7667
    #[arg(long, value_name = "HOST:PORT", value_parser = server_address, conflicts_with_all = NEED_A_SERVER)]
    peer: Option<String>,
    /// File for everything that is read and written, as packets that Wireshark opens (pcapng); passwords and keys are masked
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Show passwords and keys in it, too
    #[arg(long, requires = "capture")]
    capture_secrets: bool,
}

/// Who somebody is who comes in, for everything that comes in.
#[derive(clap::Args, Debug)]
pub struct AccountArgs {
    /// Log in to this account; its password is the first line of --password-file, or in SWITCHBOARD_PASSWORD, or asked for
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// File whose first line is the password of the account
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File whose first line is the password that the server wants of everybody
    #[arg(long, value_name = "FILE")]
    server_password_file: Option<PathBuf>,
}

/// What of `chat` means nothing where there is no server.
const NEED_A_SERVER: [&str; 13] = [
    "account",
    "register",
    "password_file",
    "server_password_file",
    "server",
    "rooms",
    "history",
    "call",
    "take_calls",
    "udp",
    "path",
    "share_addresses",
    "declared",
];

// A paragraph is one line: clap wraps it to the terminal.
pub const HELP: &str = "\
On a terminal: type to talk, /help for the commands. Otherwise every non-empty line of standard input is said in the \
first room, every line that arrives is one line of standard output (`#room <nick> text`, `*nick* text` in private; \
what --history shows has its time, `#room [2026-01-31T18:30:00Z] <nick> text`), \
notices go to standard error, and the end of input leaves once the server has taken everything. Exit status 0 means \
that it has.

With --listen and --peer two chat without a server, over TCP:

    switchboard chat --nick bob --listen 0.0.0.0:7667
    switchboard chat --nick alice --peer bob.example.org

Nothing is encrypted and nobody is authenticated: whoever reaches the address can call, under any name, and whoever \
is on the way can read along. One peer at a time; others are told that it is busy. Without a terminal every line is \
said to the peer, and the one that called leaves once the peer has acknowledged all of them and has nothing more to \
say, or was silent for two seconds. The one that waits leaves when its input has ended and its peer has left. Exit \
status 0 means that every line was acknowledged.";

impl AccountArgs {
    /// The passwords, wherever they are to be had. `register`: where the account is to be made first, what it is called
    /// unless that is said.
    pub fn credentials(&self, register: Option<&str>) -> Result<chat::Credentials, String> {
        let AccountArgs { account, password_file, server_password_file } = self;
        let server_password = server_password_file.as_deref().map(password::first_line_of).transpose()?;
        let login = match (account, register) {
            (None, None) if password_file.is_some() => {
                return Err("--password-file is for an account, which --account names".to_owned());
            }
            (Some(name), _) => Some(name.as_str()),
            (None, name) => name,
        };
        let of_account =
            || password::of_account(password_file.as_deref(), "--password-file", register.is_some());
        let login = login.map(|account| {
            Ok::<_, String>(chat::Login { account: account.to_owned(), password: of_account()? })
        });
        Ok(chat::Credentials { server_password, login: login.transpose()?, register: register.is_some() })
    }
}

pub fn chat(args: ChatArgs) -> Result<ExitCode, String> {
    let credentials = args.account.credentials(args.register.then_some(&*args.nick))?;
    let capture =
        capture::Options { file: args.capture, secrets: args.capture_secrets, ..capture::Options::default() };
    let ChatArgs { server, nick, rooms, history, call, take_calls, ways, udp, listen, peer, .. } = args;
    if let Some(role) = listen.map(chat::AloneRole::Listen).or(peer.map(chat::AloneRole::Call)) {
        return finished(chat::run_alone(chat::AloneOptions { nick, role, capture }));
    }
    let at_once = match call {
        Some(peer) => chat::AtOnce::Call(peer),
        None if take_calls => chat::AtOnce::TakeCalls,
        None => chat::AtOnce::Nothing,
    };
    let (declared, ways) = (ways.declared.clone(), ways.ways(udp));
    finished(chat::run(chat::ChatOptions {
        server,
        nick,
        credentials,
        rooms,
        history,
        at_once,
        ways,
        declared,
        capture,
    }))
}
