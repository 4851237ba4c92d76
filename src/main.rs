//! The `switchboard` binary: logging, then the subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    let env = env_logger::Env::default().default_filter_or("info");
    let mut logger = env_logger::Builder::from_env(env);
    logger.format_target(false);
    // The trace has many lines a second.
    if std::env::var("RUST_LOG").is_ok_and(|wanted| wanted.contains("trace")) {
        logger.format_timestamp_micros();
    }
    logger.init();
    switchboard::main()
}
