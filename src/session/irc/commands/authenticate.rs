//! AUTHENTICATE (IRCv3 SASL 3.1 and 3.2): logging in to an account, before the welcome or behind it.
//!
//! ```text
//!   PLAIN           name and password ──▶ the hub looks at them
//!   SCRAM-SHA-256   beginning ──▶ the hub shows the keys ──▶ challenge; proof ──▶ the hub takes it ──▶ signature;
//!                   nothing ──▶ the client is logged in
//! ```

use super::{Doing, not_enough};
use crate::hub::name::fold;
use crate::hub::record::ScramKeys;
use crate::hub::{Command, PathKey, Refusal};
use crate::session::Surroundings;
use crate::session::irc::dialogue::{Call, Dialogue, Do, noted};
use crate::session::irc::refusals::Sentence;
use crate::session::irc::sasl::{Pieces, Plain, Taken, pieces_of};
use crate::session::irc::scram::{Bad, Challenge, ClientFirst, nobodys_keys};
use crate::session::irc::write::Write;
use crate::wire::irc::Numeric;
use base64ct::{Base64, Encoding};
use std::fmt::Display;

/// As CAP and 908 have them.
pub const MECHANISMS: &str = "PLAIN,SCRAM-SHA-256";

/// How far it has come.
pub enum Exchange {
    /// What follows is a name and a password.
    Plain(Pieces),
    /// What follows is the beginning of SCRAM.
    Beginning(Pieces),
    /// The hub is asked for the keys.
    KeysAsked(ClientFirst),
    /// What follows is the proof.
    Challenged(Pieces, Challenge),
    /// The hub is told that the proof is right.
    Proven(Challenge, String),
    /// What follows is nothing, by which the client says that the server's signature is right, too.
    Signed(Challenge),
}

pub fn authenticate<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>) -> Do<'a> {
    let Some(word) = call.message.params.get(0).filter(|word| !word.is_empty()) else {
        return not_enough(dialogue, &mut call);
    };
    let exchange = dialogue.take_sasl();
    if word == "*" {
        call.numeric(Numeric::ERR_SASLABORTED, &dialogue.nick).trailing("You have broken off logging in");
        return Do::Done;
    }
    match exchange {
        None => begin(dialogue, call, word),
        Some(exchange) => go_on(dialogue, call, exchange, word),
    }
}

fn begin<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>, mechanism: &str) -> Do<'a> {
    if dialogue.account().is_some() {
        put_already(dialogue, call.world, call.out);
        return Do::Done;
    }
    let exchange = match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" => Exchange::Plain(Pieces::default()),
        "SCRAM-SHA-256" => Exchange::Beginning(Pieces::default()),
        _ => {
            let body = call.numeric(Numeric::RPL_SASLMECHS, &dialogue.nick).param(MECHANISMS);
            body.trailing("are the ways to log in");
            return fail(dialogue, call, "there is no such way to log in");
        }
    };
    dialogue.go_on_with_sasl(exchange);
    call.server("AUTHENTICATE").param("+").end();
    Do::Done
}

/// Takes the next piece; a message that is whole goes where it is waited for.
fn go_on<'a>(dialogue: &mut Dialogue, mut call: Call<'a, '_>, mut exchange: Exchange, piece: &str) -> Do<'a> {
    let mut none = Pieces::default();
    let pieces = match &mut exchange {
        Exchange::Plain(pieces) | Exchange::Beginning(pieces) | Exchange::Challenged(pieces, _) => pieces,
        Exchange::KeysAsked(_) | Exchange::Proven(..) | Exchange::Signed(_) => &mut none,
    };
    let message = match pieces.take(piece) {
        Taken::More => {
            dialogue.go_on_with_sasl(exchange);
            return Do::Done;
        }
        Taken::TooLong => {
            call.numeric(Numeric::ERR_SASLTOOLONG, &dialogue.nick)
                .trailing("That is too long to log in with");
            return Do::Done;
        }
        Taken::Bad => return fail(dialogue, call, "that is no base64"),
        Taken::Message(message) => message,
    };
    match exchange {
        Exchange::Plain(_) => plain(dialogue, call, &message),
        Exchange::Beginning(_) => first(dialogue, call, &message),
        Exchange::Challenged(_, challenge) => proof(dialogue, call, challenge, &message),
        Exchange::Signed(challenge) if message.is_empty() => {
            let salt = challenge.salt();
            let [name] = noted(call.notes, [challenge.user()]);
            ask(dialogue, Command::IdentifyProven { name, salt })
        }
        Exchange::Signed(_) | Exchange::KeysAsked(_) | Exchange::Proven(..) => {
            fail(dialogue, call, "there is nothing more to say")
        }
    }
}

fn plain<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>, message: &[u8]) -> Do<'a> {
    let Some(Plain { authorization, user, password }) = Plain::parse(message) else {
        return fail(dialogue, call, "that is not as PLAIN has it");
    };
    if !may_act_as(user, authorization) {
        return fail(dialogue, call, "you can act only as the one whose password you give");
    }
    let [name, password] = noted(call.notes, [user, password]);
    ask(dialogue, Command::Identify { name, password })
}

/// Whoever logs in acts for themselves.
fn may_act_as(user: &str, authorization: &str) -> bool {
    authorization.is_empty() || fold(authorization) == fold(user)
}

fn first<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>, message: &[u8]) -> Do<'a> {
    let first = match std::str::from_utf8(message).map_err(|_| Bad::Message).and_then(ClientFirst::parse) {
        Ok(first) => first,
        Err(Bad::Unsupported) => {
            return fail(dialogue, call, "channels are not bound here, and nothing is extended");
        }
        Err(_) => return fail(dialogue, call, "that is not as SCRAM begins"),
    };
    if !may_act_as(&first.user, &first.authorization) {
        return fail(dialogue, call, "you can act only as the one whose password you know");
    }
    let [name] = noted(call.notes, [&first.user]);
    dialogue.go_on_with_sasl(Exchange::KeysAsked(first));
    ask(dialogue, Command::ShowScramKeys { name })
}

/// The keys of an account; for one that is not there, some that no proof fits.
pub fn challenge(
    dialogue: &mut Dialogue,
    (keys, nonce): (Option<&ScramKeys>, PathKey),
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    let Some(Exchange::KeysAsked(first)) = dialogue.take_sasl() else { return };
    let keys = keys.cloned().unwrap_or_else(|| nobodys_keys(&world.secret, &fold(&first.user)));
    let challenge = Challenge::new(first, keys, &Base64::encode_string(&nonce.0));
    put_message(&challenge.message, world, out);
    dialogue.go_on_with_sasl(Exchange::Challenged(Pieces::default(), challenge));
}

fn proof<'a>(dialogue: &mut Dialogue, call: Call<'a, '_>, challenge: Challenge, message: &[u8]) -> Do<'a> {
    let finished =
        std::str::from_utf8(message).map_err(|_| Bad::Message).and_then(|proof| challenge.finish(proof));
    let is_right = finished.is_ok();
    let signature = match finished {
        Ok(signature) => signature,
        Err(Bad::Proof) => String::new(),
        Err(_) => return fail(dialogue, call, "that is not as SCRAM goes on"),
    };
    let [name] = noted(call.notes, [challenge.user()]);
    dialogue.go_on_with_sasl(Exchange::Proven(challenge, signature));
    ask(dialogue, Command::TakeProof { name, is_right })
}

/// The hub has taken the proof: the server shows that it knows the password, too.
pub fn sign(dialogue: &mut Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    if let Some(Exchange::Proven(challenge, signature)) = dialogue.take_sasl() {
        put_message(&signature, world, out);
        dialogue.go_on_with_sasl(Exchange::Signed(challenge));
    }
}

fn put_message(message: &str, world: &Surroundings, out: &mut Vec<u8>) {
    pieces_of(message, |piece| Write::to(out).server(world, "AUTHENTICATE").param(piece).end());
}

fn ask<'a>(dialogue: &mut Dialogue, command: Command<'a>) -> Do<'a> {
    dialogue.task.begin(Doing::Authenticate, "");
    Do::Ask(command)
}

/// 904, and nothing more.
fn fail<'a>(dialogue: &Dialogue, call: Call<'_, '_>, why: &str) -> Do<'a> {
    put_failed(dialogue, why, call.world, call.out);
    Do::Done
}

fn put_failed(dialogue: &Dialogue, why: impl Display, world: &Surroundings, out: &mut Vec<u8>) {
    let line = dialogue.line(Numeric::ERR_SASLFAIL, world, out);
    line.trailing(format_args!("You are not logged in: {why}"));
}

fn put_already(dialogue: &Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    let line = dialogue.line(Numeric::ERR_SASLALREADY, world, out);
    line.trailing("You are logged in to an account already; log out first (/msg NickServ LOGOUT)");
}

/// The hub refuses it: 904, or 907.
pub fn refuse(dialogue: &mut Dialogue, refusal: Refusal, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.take_sasl();
    match refusal {
        Refusal::AlreadyIdentified => put_already(dialogue, world, out),
        refusal => put_failed(dialogue, Sentence(refusal), world, out),
    }
}

/// 903; 900 came before it.
pub fn succeeded(dialogue: &Dialogue, world: &Surroundings, out: &mut Vec<u8>) {
    dialogue.line(Numeric::RPL_SASLSUCCESS, world, out).trailing("You are logged in");
}
