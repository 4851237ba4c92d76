//! `switchboard top`: its flags.

use super::addresses::server_address;
use super::password;
use crate::admin::Options;
use crate::admin::top::{self, Style};
use crate::server::limits;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args, Debug)]
pub struct TopArgs {
    /// Host of the server, and its port if it is not 7667
    #[arg(value_name = "ADDR", default_value_t = limits::DEFAULT_LISTEN.to_string(), value_parser = server_address)]
    server: String,
    /// Name of an operator, as the server's config has it; without one, the server has to allow this address /metrics
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// File whose first line is the operator's password; else it is in SWITCHBOARD_PASSWORD, or asked for
    #[arg(long, value_name = "FILE", requires = "operator")]
    password_file: Option<PathBuf>,
    /// File whose first line is the password that the server wants of everybody
    #[arg(long, value_name = "FILE", requires = "operator")]
    server_password_file: Option<PathBuf>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = interval)]
    interval: f64,
    /// Print one table and end
    #[arg(long)]
    once: bool,
}

// A paragraph is one line: clap wraps it to the terminal.
pub const HELP: &str = "\
On a terminal it is drawn again and again in the same place, as much of it as there is room for; q or Ctrl-C ends it. \
Otherwise each look is a line with a tab between its columns, below a line with their names. The first rates are those \
since the server started.

    switchboard top
    switchboard top chat.example.org --operator root --password-file /etc/switchboard/root
    switchboard top --interval 10 > figures.tsv

The server gives its figures to operators, and to whoever comes from an address that metrics-allow in its config has. \
docs/OBSERVE.md explains each figure. When the server is gone top ends, with a sentence and exit status 1.";

/// Shows it.
///
/// # Errors
/// A sentence about what went wrong.
pub fn top(args: TopArgs) -> Result<ExitCode, String> {
    let TopArgs { server, operator, password_file, server_password_file, interval, once } = args;
    let from = match operator {
        None => top::From::Metrics(server),
        Some(operator) => {
            let server_password = server_password_file.as_deref().map(password::first_line_of).transpose()?;
            let password = password::of_operator(password_file.as_deref())?;
            top::From::Operator(Options { server, operator, password, server_password })
        }
    };
    let style = match once {
        true => Style::Once,
        false if io::stdout().is_terminal() => Style::Screen,
        false => Style::Lines,
    };
    top::run(from, style, Duration::from_secs_f64(interval), &mut io::stdout().lock())
        .map(|()| ExitCode::SUCCESS)
        .map_err(|error| error.to_string())
}

/// Below a tenth of a second the watching would be most of what is seen.
fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number of seconds".to_owned())?;
    let is_fit = (0.1..=86_400.0).contains(&seconds);
    if is_fit { Ok(seconds) } else { Err("it must be from 0.1 to 86400".to_owned()) }
}
