//! NickServ: accounts, for those who expect to tell it to somebody of that name.

use super::{Heard, Row, Service, put, put_syntax, word};
use crate::hub::{AccountChange, Command};
use crate::session::Surroundings;
use crate::session::irc::commands::Doing;
use crate::session::irc::dialogue::{Dialogue, Do};
use crate::session::irc::write::DateTime;

pub const NICKSERV: Service = Service {
    name: "NickServ",
    about: "Accounts: a nickname that is registered is its owner's alone.",
    rows: &[
        Row {
            name: "REGISTER",
            params: "<password> [<email>]",
            words_min: 1,
            text: &["Makes an account of your nickname. The password is one word; no address is kept."],
            carry_out: register,
        },
        Row {
            name: "IDENTIFY",
            params: "[<account>] <password>",
            words_min: 1,
            text: &[
                "Logs you in, to the account of your nickname or to another. Clients that know SASL do it by themselves.",
            ],
            carry_out: identify,
        },
        Row {
            name: "LOGOUT",
            params: "",
            words_min: 0,
            text: &["Logs you out. Take another nickname first: that of the account is its owner's."],
            carry_out: log_out,
        },
        Row {
            name: "SET",
            params: "PASSWORD <old> <new>",
            words_min: 3,
            text: &["Gives your account another password, if you know the present one."],
            carry_out: set,
        },
        Row {
            name: "PASSWD",
            params: "<old> <new>",
            words_min: 2,
            text: &["The same as SET PASSWORD."],
            carry_out: change_password,
        },
        Row {
            name: "DROP",
            params: "<password>",
            words_min: 1,
            text: &["Gives up your account, with everything that is kept for it. It does not come back."],
            carry_out: delete,
        },
        Row {
            name: "INFO",
            params: "[<account>]",
            words_min: 0,
            text: &["Since when there is an account; without a name, yours."],
            carry_out: info,
        },
        Row { name: "GHOST", params: "", words_min: 0, text: NO_GHOSTS, carry_out: no_ghosts },
        Row { name: "REGAIN", params: "", words_min: 0, text: NO_GHOSTS, carry_out: no_ghosts },
        Row { name: "RECOVER", params: "", words_min: 0, text: NO_GHOSTS, carry_out: no_ghosts },
    ],
};

const NO_GHOSTS: &[&str] = &[
    "Is not needed: connect with SASL, and you are behind your nickname, whether another connection of yours is there or not.",
];

fn ask<'a>(dialogue: &mut Dialogue, command: Command<'a>) -> Do<'a> {
    dialogue.task.begin(Doing::NickServ, "");
    Do::Ask(command)
}

fn register<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    ask(dialogue, Command::Register { name: "", password: word(heard.rest).0 })
}

fn identify<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (name, password) = match word(heard.rest) {
        (password, "") => ("", password),
        (name, password) => (name, word(password).0),
    };
    ask(dialogue, Command::Identify { name, password })
}

fn log_out<'a>(dialogue: &mut Dialogue, _: Heard<'a, '_>) -> Do<'a> {
    ask(dialogue, Command::LogOut)
}

fn set<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    match word(heard.rest) {
        (what, rest) if what.eq_ignore_ascii_case("PASSWORD") => {
            change_password(dialogue, Heard { rest, ..heard })
        }
        _ => {
            put_syntax(dialogue, heard.service, heard.row, heard.world, heard.out);
            Do::Done
        }
    }
}

fn change_password<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    let (old, rest) = word(heard.rest);
    ask(dialogue, Command::ChangePassword { old, new: word(rest).0 })
}

fn delete<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    ask(dialogue, Command::DeleteAccount { password: word(heard.rest).0 })
}

fn info<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    ask(dialogue, Command::ShowAccount { name: word(heard.rest).0 })
}

fn no_ghosts<'a>(dialogue: &mut Dialogue, heard: Heard<'a, '_>) -> Do<'a> {
    heard.row.text.iter().for_each(|line| put(dialogue, heard.service, line, heard.world, heard.out));
    Do::Done
}

/// What came of it.
pub fn changed(
    dialogue: &Dialogue,
    (name, change): (&str, AccountChange),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let text = match change {
        AccountChange::Registered => "is your account now, and you are logged in to it.",
        AccountChange::Identified => "is your account: you are logged in.",
        AccountChange::LoggedOut => "is your account no more until you log in again.",
        AccountChange::PasswordChanged => "has the new password.",
        AccountChange::Deleted => "is no account any more.",
    };
    put(dialogue, &NICKSERV, format_args!("{name} {text}"), world, out);
}

/// Since when there is an account.
pub fn put_account(
    dialogue: &Dialogue,
    (name, made_millis): (&str, u64),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let text = format_args!("{name} has been an account since {}.", DateTime(made_millis));
    put(dialogue, &NICKSERV, text, world, out);
}
