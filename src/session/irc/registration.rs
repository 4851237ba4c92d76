//! From the first line to the welcome: NICK and USER in any order, PASS before them, CAP around them.

use super::capabilities::{self, Negotiated};
use super::commands::{Doing, link, no_nickname, not_enough, table};
use super::dialogue::{Call, Dialogue, Do, noted};
use super::{features, letters, refusals, write};
use crate::hub::{Command, UserName};
use crate::session::{CloseReason, Credential, Surroundings, VERSION, Verdict};
use crate::wire::cut;
use crate::wire::irc::{ModeKind, Numeric};

/// What a client has said of itself so far.
#[derive(Default)]
pub struct Registration {
    nick: String,
    user: String,
    realname: String,
    has_user: bool,
    password: String,
    /// The password is right, or there need not be one.
    is_verified: bool,
    /// Capabilities are being negotiated.
    is_negotiating: bool,
}

impl Registration {
    /// What the client wants to be called; empty, if it has not said or cannot be called so.
    #[cfg(feature = "storage")]
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// Somebody has that name, or it cannot be one: another is needed.
    pub fn forget_nick(&mut self) {
        self.nick.clear();
    }

    fn is_complete(&self) -> bool {
        !self.nick.is_empty() && self.has_user && !self.is_negotiating
    }
}

/// The commands that a client may send before the welcome; others are told to wait.
pub fn carry_out<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    if dialogue.task.doing == Doing::Login {
        return Do::Done; // the hub has refused it, and that has been told
    }
    let params = call.message.params;
    dialogue.task.command = table::named(call.message.command).map_or("*", |row| row.name);
    match dialogue.task.command {
        "CAP" => {
            let negotiated = capabilities::cap(dialogue, &mut call);
            let Some(registration) = &mut dialogue.registration else { return Do::Done };
            match negotiated {
                Negotiated::Open => registration.is_negotiating = true,
                Negotiated::Ended => registration.is_negotiating = false,
                Negotiated::Nothing | Negotiated::Changed => {}
            }
        }
        "NICK" => return nick(dialogue, call),
        "USER" => return user(dialogue, call),
        "PASS" => match (params.get(0), &mut dialogue.registration) {
            (Some(password), Some(registration)) => password.clone_into(&mut registration.password),
            _ => return not_enough(dialogue, &mut call),
        },
        "AUTHENTICATE" | "REGISTER" | "VERIFY" => return about_account(dialogue, call),
        "PING" => return link::ping(dialogue, call),
        "PONG" => return Do::Done,
        "QUIT" => return link::quit(dialogue, call),
        _ => {
            call.numeric(Numeric::ERR_NOTREGISTERED, "")
                .trailing("You have not registered yet: NICK and USER first");
            return Do::Done;
        }
    }
    complete(dialogue, call)
}

/// NICK: whether one can have that name, one is told at once, and not only when the rest has been said.
fn nick<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let nick = call.message.params.get(0).filter(|nick| !nick.is_empty());
    let (Some(nick), Some(registration)) = (nick, &mut dialogue.registration) else {
        return no_nickname(dialogue, &mut call);
    };
    nick.clone_into(&mut registration.nick);
    if registration.is_complete() {
        return complete(dialogue, call);
    }
    // Who is still going to log in to an account may have the name that others may not have.
    let may_identify = registration.is_negotiating;
    dialogue.task.begin(Doing::CheckNick, nick);
    if !call.world.wants_password && !may_identify {
        return Do::Ask(Command::CheckName { name: nick });
    }
    // Who is here is told to nobody before the password.
    if let Err(refusal) = UserName::new(nick, call.world.limits.name_bytes_max) {
        refusals::put(dialogue, refusal, call.world, call.out);
    }
    Do::Done
}

/// USER: the second and third parameter mean nothing today (Modern IRC, "USER message").
fn user<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let said = |place| call.message.params.get(place).filter(|text| !text.is_empty());
    let (Some(user), Some(realname), Some(registration)) = (said(0), said(3), &mut dialogue.registration)
    else {
        return not_enough(dialogue, &mut call);
    };
    registration.has_user = true;
    registration.user = username(user, call.world);
    cut(realname, call.world.limits.realname_bytes_max.into()).clone_into(&mut registration.realname);
    complete(dialogue, call)
}

/// What stands between the nickname and the host: with `~`, because nobody else vouches for it, and only with
/// characters that stand in a mask for themselves.
fn username(given: &str, world: &Surroundings) -> String {
    let allowed = |c: &char| !c.is_control() && !" !@*?~:,".contains(*c);
    let mut name: String = std::iter::once('~').chain(given.chars().filter(allowed)).collect();
    name.truncate(name.floor_char_boundary(usize::from(world.limits.username_bytes_max)));
    if name == "~" { "~user".to_owned() } else { name }
}

/// Logs in, if everything has been said and the password, where there is one, is right.
fn complete<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    match &dialogue.registration {
        Some(registration) if registration.is_complete() => once_let_in(dialogue, call, log_in),
        _ => {
            dialogue.take_verdict();
            Do::Done
        }
    }
}

/// What is said of accounts may be said before the welcome, too.
fn about_account<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let Some(row) = table::named(call.message.command) else { return Do::Done };
    if call.message.params.len() < row.params_min {
        return not_enough(dialogue, &mut call);
    }
    once_let_in(dialogue, call, row.carry_out)
}

/// Goes on if the server's password, where there is one, is right. Whoever has to give it gives it before all else.
fn once_let_in<'a, 'w>(
    dialogue: &mut Dialogue,
    mut call: Call<'a, 'w>,
    go_on: impl FnOnce(&mut Dialogue, Call<'a, 'w>) -> Do<'a>,
) -> Do<'a> {
    let verdict = dialogue.take_verdict();
    let Some(registration) = &mut dialogue.registration else { return Do::Done };
    registration.is_verified |= !call.world.wants_password || verdict == Some(Verdict::Right);
    if registration.is_verified {
        return go_on(dialogue, call);
    }
    match verdict {
        None if registration.password.is_empty() => {
            call.numeric(Numeric::ERR_PASSWDMISMATCH, "")
                .trailing("This server has a password: send PASS before NICK and USER");
            Do::Close(CloseReason::PasswordMissing)
        }
        None => {
            call.notes.push_str(&registration.password);
            Do::Verify { credential: Credential::Server, password: call.notes }
        }
        Some(Verdict::Unknown) => Do::Close(CloseReason::PasswordUnchecked),
        Some(_) => {
            call.numeric(Numeric::ERR_PASSWDMISMATCH, "").trailing("Wrong password");
            Do::Close(CloseReason::WrongPassword)
        }
    }
}

fn log_in<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>) -> Do<'a> {
    let Some(registration) = &dialogue.registration else { return Do::Done };
    let Registration { nick, user, realname, .. } = &**registration;
    dialogue.task.begin(Doing::Login, nick);
    dialogue.user = user.as_str().into();
    let [name, username, realname] = noted(call.notes, [nick, user, realname]);
    Do::AskAndGoOn(Command::Login { name, payload_max: 0, username, realname })
}

/// The hub has let the client in, by this name: 001 to 005 (Modern IRC, "Connection Registration"), in front of whatever
/// else it is told. The counts and the message of the day follow.
pub fn logged_in(dialogue: &mut Dialogue, name: &str, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.nick = name.into();
    let network = &world.server.network;
    dialogue.line(Numeric::RPL_WELCOME, world, out).trailing(format_args!(
        "Welcome to the {network} Network, {}!{}@{}",
        dialogue.nick, dialogue.user, dialogue.host
    ));
    dialogue
        .line(Numeric::RPL_YOURHOST, world, out)
        .trailing(format_args!("Your host is {}, running version {VERSION}", world.server.name));
    dialogue
        .line(Numeric::RPL_CREATED, world, out)
        .trailing(format_args!("This server was started {}", write::Time(world.started_unix_millis)));
    dialogue
        .line(Numeric::RPL_MYINFO, world, out)
        .param(&world.server.name)
        .param(VERSION)
        .param(letters::sorted(letters::USER_MODES, |_| true))
        .param(letters::sorted(letters::CHANNEL_MODES, |_| true))
        .param(letters::sorted(letters::CHANNEL_MODES, |kind| kind != ModeKind::Never))
        .end();
    features::put(world, &dialogue.nick, out);
}

/// What comes behind that.
pub fn welcome<'a>(dialogue: &mut Dialogue) -> Do<'a> {
    dialogue.task.begin(Doing::Welcome, "");
    Do::AskAndGoOn(Command::Count)
}
