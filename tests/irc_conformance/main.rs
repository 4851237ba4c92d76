//! What is said in lines of IRC, and what comes back: a table per family of commands, in `tables/`, each of which is played
//! against a server of its own over real sockets. How a table is written, `harness.rs` says. What involves native clients
//! is in `natives.rs`.

#[path = "../common/mod.rs"]
mod common;
mod harness;
mod natives;

/// A test for each table: `topic` plays `tables/topic.txt`.
macro_rules! tables {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            harness::play(stringify!($name));
        })*

        const TABLES: &[&str] = &[$(stringify!($name)),*];
    };
}

tables! {
    account_guesses
    accounts
    accounts_closed
    accounts_for_newcomers
    capabilities
    channel_modes
    chanserv
    harness_itself
    history
    invite
    join
    join_limits
    kick
    labels
    list
    list_pages
    mode_limits
    mode_lists
    monitor
    nickserv
    oneself
    oper_delay
    operators
    owners
    passwords
    pseudonyms
    refusals
    registration
    requests
    server
    server_password
    talk
    topic
    user_modes
    who
    who_pages
    whois
}

#[test]
fn every_table_is_played() {
    for entry in std::fs::read_dir(harness::TABLES).expect("the directory of the tables") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        assert!(
            name.strip_suffix(".txt").is_some_and(|name| TABLES.contains(&name)),
            "{name} is not in main.rs"
        );
    }
}
