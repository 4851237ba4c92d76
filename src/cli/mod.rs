//! The command line.

#[cfg(feature = "client")]
mod addresses;
#[cfg(feature = "client")]
mod admin;
#[cfg(feature = "load")]
mod bench;
#[cfg(feature = "client")]
mod chat_args;
mod password;
#[cfg(feature = "client")]
mod top;
mod wireshark;

use crate::config::ServeArgs;
use crate::server::{Reactor, reactor::Exit};
#[cfg(feature = "client")]
use crate::{chat, server::limits};
#[cfg(feature = "client")]
use addresses::{declared_address, listen_address, server_address};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use std::io::Write;
#[cfg(feature = "client")]
use std::net::SocketAddr;
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
    /// Make what the server's config keeps of a password
    #[command(after_help = password::HELP)]
    HashPassword,
    /// Chat in rooms and with single people
    #[cfg(feature = "client")]
    #[command(after_help = chat_args::HELP)]
    Chat(chat_args::ChatArgs),
    /// Send standard input of one end to standard output of the other
    #[cfg(feature = "client")]
    #[command(after_help = PIPE_HELP)]
    Pipe(PipeArgs),
    /// Try out a server step by step, and say what does not work and why
    #[cfg(feature = "client")]
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Do or see something as an operator of a running server
    #[cfg(feature = "client")]
    #[command(after_help = admin::HELP)]
    Admin(admin::AdminArgs),
    /// Watch a running server: connections, rates, where its time goes, queues, and what is dropped
    #[cfg(feature = "client")]
    #[command(after_help = top::HELP)]
    Top(top::TopArgs),
    /// Teach Wireshark and tshark to show Switchboard's frames
    #[command(after_help = wireshark::HELP)]
    Wireshark(wireshark::WiresharkArgs),
    /// Measure a server with many synthetic clients, this one or another
    #[cfg(feature = "load")]
    #[command(after_help = bench::HELP)]
    Bench(Box<bench::BenchArgs>),
    #[cfg(feature = "load")]
    #[command(hide = true)]
    Held(bench::HeldArgs),
}

/// How to get to a peer.
#[cfg(feature = "client")]
#[derive(clap::Args, Debug)]
struct WayArgs {
    /// Talk to peers directly where that works (auto), only directly, or only through the server
    #[arg(long, value_name = "WAY", value_enum, default_value_t = PathMode::Auto)]
    path: PathMode,
    /// Let peers see your addresses, which a direct path needs: always, after a question for each call, or never
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ShareAddresses::Ask)]
    share_addresses: ShareAddresses,
    /// An address at which peers can reach this client, such as a forwarded port; can be given many times
    #[arg(long = "declare", value_name = "IP:PORT", value_parser = declared_address)]
    declared: Vec<SocketAddr>,
}

#[cfg(feature = "client")]
#[derive(Clone, Copy, clap::ValueEnum, Debug)]
enum PathMode {
    Auto,
    Direct,
    Relay,
}

#[cfg(feature = "client")]
#[derive(Clone, Copy, clap::ValueEnum, Debug)]
enum ShareAddresses {
    Always,
    Ask,
    Never,
}

#[cfg(feature = "client")]
impl WayArgs {
    fn ways(&self, udp: bool) -> chat::Ways {
        let mode = match self.path {
            PathMode::Auto => chat::Mode::Auto,
            PathMode::Direct => chat::Mode::Direct,
            PathMode::Relay => chat::Mode::Relay,
        };
        let share = match self.share_addresses {
            ShareAddresses::Always => chat::Share::Always,
            ShareAddresses::Ask => chat::Share::Ask,
            ShareAddresses::Never => chat::Share::Never,
        };
        chat::Ways { mode, share, udp }
    }
}

#[cfg(feature = "client")]
#[derive(clap::Args, Debug)]
struct PipeArgs {
    /// Host of the server, and its port if it is not 7667
    #[arg(value_name = "ADDR", default_value_t = limits::DEFAULT_LISTEN.to_string(), value_parser = server_address)]
    server: String,
    /// The name of this end
    #[arg(long, value_name = "ME")]
    nick: String,
    #[command(flatten)]
    account: chat_args::AccountArgs,
    #[command(flatten)]
    role: PipeRole,
    #[command(flatten)]
    ways: WayArgs,
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
#[derive(clap::Args, Debug)]
struct DoctorArgs {
    /// Host of the server, and its port if it is not 7667
    #[arg(value_name = "ADDR", default_value_t = limits::DEFAULT_LISTEN.to_string(), value_parser = server_address)]
    server: String,
    /// File whose first line is the password that the server wants of everybody
    #[arg(long, value_name = "FILE")]
    server_password_file: Option<std::path::PathBuf>,
}

// A paragraph is one line: clap wraps it to the terminal.
#[cfg(feature = "client")]
const PIPE_HELP: &str = "\
Start the end with --from first. Nobody is there to be asked whether the other end may see addresses, so the bytes go \
through the server unless both ends say --share-addresses always. Both ends exit with status 0 only if every byte has been written at the other end.

    switchboard pipe --nick bob --from alice | tar xf -
    tar cf - photos | switchboard pipe --nick alice --to bob";

#[cfg(feature = "client")]
const DOCTOR_HELP: &str = "\
Two peers with names of their own (doctor-a-…, doctor-b-…) go through the server. Each step is one line of standard \
output: ok, FAIL or skip, the step, the time that it took, and what was found, or the likely cause and what to do \
about it. The last line sums it up.

  name        the server's name has an address
  tcp         both connect
  login       both log in
  room        both enter a room of their own, one is heard by the other, both leave
  relay       one calls the other: payload both ways, half-close, close
  udp bind    the server sees where their datagrams come from; tells whether a NAT is in between
  udp room    what is said in datagrams arrives in datagrams
  udp relay   the same on a relay, both ways, and how many of 20 datagrams got lost
  direct tcp  the two find a direct path to each other over TCP
  direct udp  and over UDP

Both peers are on this host, so the direct paths test the exchange of addresses and this host's firewall, not whether \
another host can be reached. A step whose need is not met is skipped. Each one has a time limit, and the whole takes \
no more than half a minute. Nothing stays behind on the server. Exit status 0 means that every step was ok.";

const SERVE_HELP: &str = "\
Signals: TERM and INT stop the server once everything queued is sent, within drain-seconds; a second one stops it at \
once. HUP reads the config file again; a file with a mistake changes nothing.

Operators are in the config file alone: [[operators]].

RUST_LOG=debug tells more on stderr, RUST_LOG=switchboard=trace every step of every turn.";

/// Runs what the command line says, and turns an error into one sentence on stderr.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let outcome = match cli.command {
        Command::Serve(args) => serve(*args),
        Command::HashPassword => password::hash(),
        #[cfg(feature = "client")]
        Command::Chat(args) => chat_args::chat(args),
        #[cfg(feature = "client")]
        Command::Pipe(args) => pipe(args),
        #[cfg(feature = "client")]
        Command::Doctor(args) => doctor(args),
        #[cfg(feature = "client")]
        Command::Admin(args) => admin::admin(args),
        #[cfg(feature = "client")]
        Command::Top(args) => top::top(args),
        Command::Wireshark(args) => wireshark::wireshark(args),
        #[cfg(feature = "load")]
        Command::Bench(args) => bench::bench(*args),
        #[cfg(feature = "load")]
        Command::Held(args) => bench::held(&args),
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

/// How clap begins to tell that a value with a hyphen in front goes behind `--`. There it would be the value of another
/// option than the one meant.
const HYPHEN_TIP: &str = "tip: to pass '-";
const HYPHEN_HELP: &str = "a value that begins with - goes behind =, as in --name=-value";

/// clap explains itself in paragraphs: what is wrong, perhaps a tip, then the usage, which is for `--help`.
fn one_line(paragraphs: &str) -> String {
    let text = paragraphs.strip_prefix("error: ").unwrap_or(paragraphs);
    let explanation = text
        .split("\n\n")
        .take_while(|part| !part.starts_with("Usage: ") && !part.starts_with("For more information"));
    let mut sentence = String::new();
    for line in explanation.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty()) {
        match sentence.chars().last() {
            None => {}
            Some(':') => sentence.push(' '),
            Some(_) => sentence.push_str("; "),
        }
        sentence.push_str(if line.starts_with(HYPHEN_TIP) { HYPHEN_HELP } else { line });
    }
    sentence
}

#[cfg(feature = "client")]
fn pipe(args: PipeArgs) -> Result<ExitCode, String> {
    let PipeArgs { server, nick, account, role, ways } = args;
    let credentials = account.credentials(None)?;
    let role = match (role.to, role.from) {
        (Some(to), _) => chat::PipeRole::To(to),
        (None, Some(from)) => chat::PipeRole::From(from),
        (None, None) => return Err("a pipe needs --to or --from".into()), // which clap has seen to
    };
    let (declared, ways) = (ways.declared.clone(), ways.ways(false));
    finished(chat::pipe(chat::PipeOptions { server, nick, credentials, role, ways, declared }))
}

#[cfg(feature = "client")]
fn doctor(args: DoctorArgs) -> Result<ExitCode, String> {
    let password = args.server_password_file.as_deref().map(password::first_line_of).transpose()?;
    match chat::doctor(&args.server, password) {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error.to_string()),
    }
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
        let _ = writeln!(stdout, "listening on {address} ({})", reactor.transports());
    }
    let _ = match reactor.data_dir() {
        Some(directory) => writeln!(stdout, "keeps accounts and rooms in {}", directory.display()),
        None => writeln!(stdout, "keeps nothing: accounts and rooms end with the server"),
    };
    let _ = stdout.flush();
    drop(stdout);
    match reactor.run() {
        Ok(Exit::Drained) => Ok(ExitCode::SUCCESS),
        Ok(Exit::Unsaved) => Err("stopped, but not everything could be saved".into()),
        Ok(Exit::AtOnce) => Err("stopped at once: a second signal came before everything was sent".into()),
        Err(error) => Err(format!("the poll loop failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clap_says_is_one_sentence() {
        let missing =
            "error: the following required arguments were not provided:\n  --nick <NAME>\n\nUsage: x";
        assert_eq!(one_line(missing), "the following required arguments were not provided: --nick <NAME>");
        let tip = "error: unexpected argument '--nik' found\n\n  tip: a similar one exists\n\nUsage: x";
        assert_eq!(one_line(tip), "unexpected argument '--nik' found; tip: a similar one exists");
        let hyphen = "error: unexpected argument '-x' found\n\n  tip: to pass '-x' as a value, use '-- -x'\n";
        assert_eq!(one_line(hyphen), format!("unexpected argument '-x' found; {HYPHEN_HELP}"));
    }
}
