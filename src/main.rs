//! The `switchboard` binary: logging, then the subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    let env = env_logger::Env::default().default_filter_or("info");
    env_logger::Builder::from_env(env).format_target(false).init();
    switchboard::main()
}
