//! The command line.

use crate::config::ServeArgs;
use crate::server::{Reactor, reactor::Exit};
#[cfg(feature = "client")]
use crate::{chat, server::limits};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// A chat and relay server on one port, and its clients
#[derive(Parser, Debug)]
#[command(name = "switchboard", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the server
    #[command(after_help = SERVE_HELP)]
    Serve(Box<ServeArgs>),
    /// Chat in rooms and with single people
    #[cfg(feature = "client")]
    #[command(after_help = CHAT_HELP)]
    Chat(ChatArgs),
    /// Send standard input of one end to standard output of the other
    #[cfg(feature = "client")]
    #[command(after_help = PIPE_HELP)]
    Pipe(PipeArgs),
}

#[cfg(feature = "client")]
#[derive(clap::Args, Debug)]
struct ChatArgs {
    /// Host and port of the server
    #[arg(value_name = "ADDR", default_value_t = limits::DEFAULT_LISTEN.to_string())]
    server: String,
    /// The name that others see
    #[arg(long, value_name = "NAME")]
    nick: String,
    /// Room to enter, with or without its #; can be given many times
    #[arg(long = "room", value_name = "ROOM")]
    rooms: Vec<String>,
}

#[cfg(feature = "client")]
#[derive(clap::Args, Debug)]
struct PipeArgs {
    /// Host and port of the server
    #[arg(value_name = "ADDR", default_value_t = limits::DEFAULT_LISTEN.to_string())]
    server: String,
    /// The name of this end
    #[arg(long, value_name = "ME")]
    nick: String,
    #[command(flatten)]
    role: PipeRole,
}

#[cfg(feature = "client")]
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct PipeRole {
    /// Read standard input and send it to this user, who waits with --from
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// Wait for this user to send, and write it to standard output
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
}

#[cfg(feature = "client")]
const CHAT_HELP: &str = "\
On a terminal: type to talk, /help for the commands. Otherwise every line of standard input is said in the first room,
every line that arrives is one line of standard output (`#room <nick> text`, `*nick* text` in private), notices go to
standard error, and the end of input leaves once the server has taken everything. Exit status 0 means that it has.";

#[cfg(feature = "client")]
const PIPE_HELP: &str = "\
Start the end with --from first. Both ends exit with status 0 only if every byte has been written at the other end.
    switchboard pipe --nick bob --from alice | tar x
    tar c photos | switchboard pipe --nick alice --to bob";

const SERVE_HELP: &str = "\
Signals: TERM and INT stop the server once everything queued is sent, within drain-seconds; a second one stops it at
once. HUP reads the config file again; a file with a mistake changes nothing.
RUST_LOG=debug tells more on stderr, RUST_LOG=switchboard=trace everything.";

/// Runs what the command line says, and turns an error into one sentence on stderr.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let outcome = match cli.command {
        Command::Serve(args) => serve(*args),
        #[cfg(feature = "client")]
        Command::Chat(ChatArgs { server, nick, rooms }) => {
            finished(chat::run(chat::ChatOptions { server, nick, rooms }))
        }
        #[cfg(feature = "client")]
        Command::Pipe(PipeArgs { server, nick, role }) => pipe(server, nick, role),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// One sentence on stderr, even if nobody is reading there.
fn complain(error: &str) {
    let _ = writeln!(std::io::stderr(), "switchboard: {error}");
}

/// What the command line was not understood for, as one sentence; help and version as clap has them.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Nobody may be reading.
        let _ = error.print();
    } else {
        complain(&one_line(&error.render().to_string()));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

/// clap explains itself in paragraphs: what is wrong, perhaps a tip, then the usage, which is for `--help`.
fn one_line(paragraphs: &str) -> String {
    let text = paragraphs.strip_prefix("error: ").unwrap_or(paragraphs);
    let explanation = text
        .split("\n\n")
        .take_while(|part| !part.starts_with("Usage: ") && !part.starts_with("For more information"));
    let lines = explanation.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(feature = "client")]
fn pipe(server: String, nick: String, role: PipeRole) -> Result<ExitCode, String> {
    let role = match (role.to, role.from) {
        (Some(to), _) => chat::PipeRole::To(to),
        (None, Some(from)) => chat::PipeRole::From(from),
        (None, None) => return Err("a pipe needs --to or --from".into()), // which clap has seen to
    };
    finished(chat::pipe(chat::PipeOptions { server, nick, role }))
}

#[cfg(feature = "client")]
fn finished(outcome: Result<(), chat::Error>) -> Result<ExitCode, String> {
    outcome.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
}

fn serve(args: ServeArgs) -> Result<ExitCode, String> {
    let settings = args.settings()?;
    let mut reactor = Reactor::bind(settings).map_err(|error| error.to_string())?;
    let reload = args.config.is_some().then(|| Box::new(move || args.settings()) as _);
    reactor.catch_signals(reload).map_err(|error| format!("cannot catch signals: {error}"))?;
    run(reactor)
}

/// Says where the server listens, and runs it.
pub fn run(mut reactor: Reactor) -> Result<ExitCode, String> {
    let mut stdout = std::io::stdout().lock();
    for address in reactor.addresses() {
        // Nobody may be reading; the server runs all the same.
        let _ = writeln!(stdout, "listening on {address} (TCP)");
    }
    let _ = stdout.flush();
    drop(stdout);
    match reactor.run() {
        Ok(Exit::Drained) => Ok(ExitCode::SUCCESS),
        Ok(Exit::AtOnce) => Err("stopped at once: a second signal came before everything was sent".into()),
        Err(error) => Err(format!("the poll loop failed: {error}")),
    }
}
