//! The command line of the bare build, which has no crate for it: `switchboard serve [--listen ADDR]…`.

use crate::server::{Reactor, Settings, reactor::Exit};
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

const USAGE: &str = "usage: switchboard serve [--listen ADDR]...
This is the bare build: the server with its default limits, and nothing else.";

/// Runs the server, or says how to.
pub fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)) {
        Ok(Some(listen)) => serve(listen),
        Ok(None) => {
            let _ = writeln!(std::io::stdout(), "{USAGE}"); // nobody may be reading
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("{error}\n{USAGE}"));
            ExitCode::from(2)
        }
    }
}

fn serve(listen: Vec<SocketAddr>) -> ExitCode {
    let mut settings = Settings::default();
    if !listen.is_empty() {
        settings.listen = listen;
    }
    match run(settings) {
        Ok(Exit::Drained) => ExitCode::SUCCESS,
        Ok(Exit::AtOnce | Exit::Unsaved) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// On stderr, even if nobody is reading there.
fn complain(error: &str) {
    let _ = writeln!(std::io::stderr(), "switchboard: {error}");
}

fn run(settings: Settings) -> std::io::Result<Exit> {
    let mut reactor = Reactor::bind(settings)?;
    reactor.catch_signals(None)?;
    for address in reactor.addresses() {
        // Nobody may be reading; the server runs all the same.
        let _ = writeln!(std::io::stdout(), "listening on {address} ({})", reactor.transports());
    }
    reactor.run()
}

/// The addresses to listen on; `None` when only the usage was asked for.
fn arguments(mut args: impl Iterator<Item = String>) -> Result<Option<Vec<SocketAddr>>, String> {
    match args.next().as_deref() {
        Some("serve") => {}
        Some("--help" | "-h") | None => return Ok(None),
        Some(other) => return Err(format!("there is no command {other:?}")),
    }
    let mut listen = Vec::new();
    while let Some(flag) = args.next() {
        if flag == "--help" || flag == "-h" {
            return Ok(None);
        }
        if flag != "--listen" {
            return Err(format!("there is no flag {flag:?}"));
        }
        let address = args.next().ok_or("--listen needs an address")?;
        listen.push(
            address.parse().map_err(|_| {
                format!("{address:?} is no address; one looks like 127.0.0.1:7667 or [::]:7667")
            })?,
        );
    }
    Ok(Some(listen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Option<Vec<SocketAddr>>, String> {
        arguments(args.iter().map(ToString::to_string))
    }

    #[test]
    fn the_few_arguments_there_are() {
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&["serve"]), Ok(Some(vec![])));
        assert_eq!(parse(&["serve", "--listen", "[::1]:1"]).map(|l| l.map(|l| l.len())), Ok(Some(1)));
        for bad in [&["chat"][..], &["serve", "x"], &["serve", "--listen"], &["serve", "--listen", "x"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
