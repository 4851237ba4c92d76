//! `switchboard admin`: its flags and subcommands.

use super::addresses::server_address;
use super::password;
use crate::admin::{self, Action, Format};
use crate::hub::Network;
use crate::server::limits;
use crate::wire::seconds_of;
use clap::Subcommand;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct AdminArgs {
    /// Host of the server, and its port if it is not 7667
    #[arg(long, value_name = "ADDR", default_value_t = limits::DEFAULT_LISTEN.to_string(), value_parser = server_address)]
    connect: String,
    /// Name of the operator, as the server's config has it
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// File whose first line is the operator's password; else it is in SWITCHBOARD_PASSWORD, or asked for
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File whose first line is the password that the server wants of everybody
    #[arg(long, value_name = "FILE")]
    server_password_file: Option<PathBuf>,
    /// Print lists as lines of JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Subcommand, Debug)]
enum AdminCommand {
    /// End somebody's sessions
    Kill {
        name: String,
        /// Why; they and those who see them leave are told
        words: Vec<String>,
    },
    /// Keep an address or a network out, and end what comes from there
    Ban {
        /// Such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32
        #[arg(value_name = "ADDRESS|NETWORK", value_parser = network)]
        network: Network,
        /// For how long, such as 90s, 30m, 2h, 7d or 1d12h; else until it is undone
        #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
        seconds: Option<u32>,
        /// Why; those who are kept out are told
        #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
        because: String,
    },
    /// Let an address or a network in again
    Unban {
        #[arg(value_name = "ADDRESS|NETWORK", value_parser = network)]
        network: Network,
    },
    /// List the bans
    Bans,
    /// Say something to everybody
    Announce {
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// List the rooms, hidden ones, too
    Rooms,
    /// List who is here, once for each connection, and where from
    Sessions,
    /// List the accounts
    Accounts,
    /// Delete somebody's account
    DropAccount { name: String },
    /// End a room
    DestroyRoom {
        room: String,
        /// A room to go to instead
        #[arg(long, value_name = "ROOM", default_value = "", hide_default_value = true)]
        go: String,
        /// Why; those in it are told
        #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
        because: String,
    },
    /// Show how much there is of everything, and what the server has done
    Status,
}

// A paragraph is one line: clap wraps it to the terminal.
pub const HELP: &str = "\
Operators are in the config of the server: [[operators]], with a hash from `switchboard hash-password`. What they do is \
in its log.

Lists are a table on a terminal. Otherwise every row is one line with a tab between its columns, without headings, or \
with --json an object: scripts take that. Times are UTC.

    switchboard admin --operator root sessions
    switchboard admin --operator root ban 192.0.2.0/24 --for 2h --because 'spam from there'
    switchboard admin --operator root --password-file /etc/switchboard/root --json bans
    switchboard admin --connect chat.example.org --operator root announce back in five minutes

The password goes over the network as it is: from another machine, through a tunnel.

Exit status 0 means that it was done, 1 that it was not, with a sentence on standard error, and 2 that the command line \
was not understood.";

/// Does it.
///
/// # Errors
/// A sentence about what went wrong.
pub fn admin(args: AdminArgs) -> Result<ExitCode, String> {
    let AdminArgs { connect, operator, password_file, server_password_file, json, command } = args;
    let server_password = server_password_file.as_deref().map(password::first_line_of).transpose()?;
    let password = password::of_operator(password_file.as_deref())?;
    let options = admin::Options { server: connect, operator, password, server_password };
    let format = match json {
        true => Format::Json,
        false if io::stdout().is_terminal() => Format::Aligned,
        false => Format::Tabs,
    };
    admin::run(&options, &command.action(), format, &mut io::stdout().lock())
        .map(|()| ExitCode::SUCCESS)
        .map_err(|error| error.to_string())
}

impl AdminCommand {
    fn action(self) -> Action {
        match self {
            AdminCommand::Kill { name, words } => Action::Kill { name, words: words.join(" ") },
            AdminCommand::Ban { network, seconds, because } => {
                Action::Ban { network: network.to_string(), seconds: seconds.unwrap_or(0), words: because }
            }
            AdminCommand::Unban { network } => Action::Unban { network: network.to_string() },
            AdminCommand::Bans => Action::Bans,
            AdminCommand::Announce { words } => Action::Announce { words: words.join(" ") },
            AdminCommand::Rooms => Action::Rooms,
            AdminCommand::Sessions => Action::Sessions,
            AdminCommand::Accounts => Action::Accounts,
            AdminCommand::DropAccount { name } => Action::DropAccount { name },
            AdminCommand::DestroyRoom { room, go, because } => {
                Action::DestroyRoom { room, instead: go, words: because }
            }
            AdminCommand::Status => Action::Status,
        }
    }
}

fn network(text: &str) -> Result<Network, String> {
    Network::parse(text).map_err(|refusal| refusal.to_string())
}

fn seconds(text: &str) -> Result<u32, String> {
    let seconds =
        seconds_of(text).ok_or("a time is a number and a unit, such as 90s, 30m, 2h, 7d or 1d12h")?;
    u32::try_from(seconds).map_err(|_| "that is longer than a hundred years; leave --for out".to_owned())
}
