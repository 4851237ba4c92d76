//! The command line.

use crate::config::ServeArgs;
use crate::server::{Reactor, reactor::Exit};
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
}

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
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("switchboard: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line was not understood for, as one sentence; help and version as clap has them.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Nobody may be reading.
        let _ = error.print();
    } else {
        eprintln!("switchboard: {}", one_line(&error.render().to_string()));
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
