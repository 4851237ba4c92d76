//! REGISTER and VERIFY (IRCv3 draft account-registration), and what is told of one's own account, whoever asked for it.

use super::{Doing, authenticate, user_modes};
use crate::hub::{AccountChange, BadName, Command, Refusal, Registration};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do, noted};
use crate::session::irc::refusals::{Capital, Sentence};
use crate::session::irc::services::nickserv;
use crate::session::irc::write::Write;
use crate::wire::irc::Numeric;
use std::fmt::Display;

/// `REGISTER <account> <email> <password>`: no address is kept, and nothing is sent there.
pub fn register<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let params = call.message.params;
    let (account, password) = (params.get(0).unwrap_or_default(), params.get(2).unwrap_or_default());
    let nick = dialogue.registration.as_ref().map_or(&*dialogue.nick, |registration| registration.nick());
    let name = if account == "*" { nick } else { account };
    dialogue.task.begin(Doing::Register, if name.is_empty() { "*" } else { name });
    if !dialogue.is_open() && call.world.limits.registration == Registration::Open {
        refuse(dialogue, Refusal::NotLoggedIn, call.world, call.out);
        return Do::Done;
    }
    if name.is_empty() {
        put_failed(
            "NEED_NICK",
            "*",
            "Say NICK first, or which name the account is to have",
            call.world,
            call.out,
        );
        return Do::Done;
    }
    let [name, password] = noted(call.notes, [name, password]);
    Do::Ask(Command::Register { name, password })
}

/// `VERIFY <account> <code>`: no account waits for a code.
pub fn verify<'a>(_: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let account = call.message.params.get(0).unwrap_or_default();
    let line =
        Write::to(call.out).server(call.world, "FAIL").param("VERIFY").param("INVALID_CODE").echo(account);
    line.trailing("No code was sent: an account that is made is made");
    Do::Done
}

/// The hub refuses to make an account.
pub fn refuse(dialogue: &Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    let code = match refusal {
        Refusal::NotLoggedIn => {
            let text = "Come in first, and register then";
            return put_failed("COMPLETE_CONNECTION_REQUIRED", dialogue.task.about(), text, world, out);
        }
        Refusal::AccountExists | Refusal::NameTaken => "ACCOUNT_EXISTS",
        Refusal::BadName(BadName::Empty) => "NEED_NICK",
        Refusal::BadName(_) => "BAD_ACCOUNT_NAME",
        Refusal::AlreadyIdentified => "ALREADY_AUTHENTICATED",
        Refusal::BadAccountPassword { .. } => "UNACCEPTABLE_PASSWORD",
        _ => "TEMPORARILY_UNAVAILABLE",
    };
    put_failed(code, dialogue.task.about(), Capital(Sentence(refusal)), world, out);
}

/// FAIL (IRCv3 standard-replies).
fn put_failed(code: &str, account: &str, text: impl Display, world: &Surroundings, out: &mut Vec<u8>) {
    Write::to(out).server(world, "FAIL").param("REGISTER").param(code).echo(account).trailing(text);
}

/// What has become of the client's account, as it asked for by this line.
pub fn changed(
    dialogue: &mut Dialogue,
    (name, change): (&str, AccountChange),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    note(dialogue, (name, change));
    if dialogue.task.doing == Doing::Register {
        let line = Write::to(out).server(world, "REGISTER").param("SUCCESS").param(name);
        line.trailing("The account is made, and you are logged in to it");
    }
    put_state(dialogue, change, world, out);
    match dialogue.task.doing {
        Doing::Authenticate => authenticate::succeeded(dialogue, world, out),
        Doing::NickServ => nickserv::changed(dialogue, (name, change), world, out),
        _ => {}
    }
}

/// The same, as another session did it.
pub fn changed_elsewhere(
    dialogue: &mut Dialogue,
    (name, change): (&str, AccountChange),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    note(dialogue, (name, change));
    put_state(dialogue, change, world, out);
}

fn note(dialogue: &mut Dialogue, (name, change): (&str, AccountChange)) {
    match change {
        AccountChange::Registered | AccountChange::Identified => {
            dialogue.seldom().account = Some(name.into())
        }
        AccountChange::LoggedOut | AccountChange::Deleted => dialogue.seldom().account = None,
        AccountChange::PasswordChanged => {}
    }
}

/// 900, or 901, and the mode that goes with it.
fn put_state(dialogue: &Dialogue, change: AccountChange, world: &Surroundings, out: &mut Vec<u8>) {
    let star = |text: &str| if text.is_empty() { "*".to_owned() } else { text.to_owned() };
    let whole = format!("{}!{}@{}", star(&dialogue.nick), star(&dialogue.user), dialogue.host);
    match (change, dialogue.account()) {
        (AccountChange::Registered | AccountChange::Identified, Some(account)) => {
            let line = dialogue.line(Numeric::RPL_LOGGEDIN, world, out).param(whole).param(account);
            line.trailing(format_args!("You are logged in as {account}"));
        }
        (AccountChange::LoggedOut | AccountChange::Deleted, _) => {
            dialogue.line(Numeric::RPL_LOGGEDOUT, world, out).param(whole).trailing("You are logged out");
        }
        _ => return,
    }
    if dialogue.is_open() {
        user_modes::put_registered(dialogue, world, out);
    }
}
