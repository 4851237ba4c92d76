//! What ChanServ says to those who asked.

use super::CHANSERV;
use super::past::put_past;
use crate::hub::{Affiliation, MemberView, Refusal, Reply, RoomName, Wish, WishView};
use crate::session::Surroundings;
use crate::session::flags::flag_word;
use crate::session::irc::commands::{Doing, modes};
use crate::session::irc::dialogue::Dialogue;
use crate::session::irc::refusals::{Capital, Sentence};
use crate::session::irc::services::put;
use crate::session::irc::write::DateTime;
use std::fmt::{self, Display};

/// Says what came of it; `false` where that is not ChanServ's to say.
pub fn answer(dialogue: &mut Dialogue, reply: &Reply<'_>, world: &Surroundings, out: &mut Vec<u8>) -> bool {
    let say = |dialogue: &Dialogue, text: &dyn Display, out: &mut Vec<u8>| {
        put(dialogue, &CHANSERV, text, world, out);
    };
    match *reply {
        Reply::Changed { room, changes, refused, .. } => {
            modes::put_own_changes(dialogue, room, changes, world, out);
            for (_, refusal) in refused {
                say(dialogue, &Capital(why(*refusal)), out);
            }
            if refused.is_empty() {
                let text = if changes.is_empty() { "It is so already." } else { "It is done." };
                say(dialogue, &text, out);
            }
        }
        Reply::Settings { room, flags, occupants_max, made_millis, .. } => {
            let words: Vec<&str> = flags.iter().map(flag_word).collect();
            let words = if words.is_empty() { "nothing special".to_owned() } else { words.join(", ") };
            say(dialogue, &format_args!("{room} is set to {words}."), out);
            if let Some(max) = occupants_max {
                say(dialogue, &format_args!("It takes {max} at most."), out);
            }
            say(dialogue, &format_args!("It has been there since {}.", DateTime(made_millis)), out);
        }
        Reply::Members { room, entries, next } => {
            put_members(dialogue, room, entries, next.is_some(), world, out);
            dialogue.task.doing = Doing::ChanServ { behind: next.map(str::to_owned) };
        }
        Reply::Past { room, entries, more } => put_past(dialogue, room, (entries, more), world, out),
        Reply::Wishes { room, entries } => put_wishes(dialogue, room, entries, world, out),
        Reply::RoomRenamed { from, to, .. } => {
            say(dialogue, &format_args!("{from} is called {to} now."), out);
            return false; // and there is more to tell, as of any
        }
        Reply::Destroyed { room } => say(dialogue, &format_args!("{room} is no more."), out),
        Reply::NameReserved { room, name: "" } => {
            say(dialogue, &format_args!("Nothing is kept for you in {room} any more."), out);
        }
        Reply::NameReserved { room, name } => {
            say(dialogue, &format_args!("In {room}, {name} is yours alone now."), out);
        }
        Reply::Wished { room, wish } => {
            let text = format_args!("Those who run {room} hear that you ask for {}.", Wished(wish));
            say(dialogue, &text, out);
        }
        Reply::Decided { room, who, wish, is_granted } => {
            let verb = if is_granted { "gets" } else { "does not get" };
            say(dialogue, &format_args!("{who} {verb} {} in {room}.", Wished(wish)), out);
        }
        _ => return false,
    }
    true
}

/// A refusal, and what helps where the sentence alone does not.
fn why(refusal: Refusal) -> impl Display {
    struct Why(Refusal);
    impl fmt::Display for Why {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Capital(Sentence(self.0)).fmt(f)?;
            match self.0 {
                Refusal::NoSuchAccount => f.write_str("; a mask is for those who have none, as ann!*@*"),
                Refusal::NeedsOwner => f.write_str("; /msg NickServ HELP REGISTER tells how"),
                _ => Ok(()),
            }
        }
    }
    Why(refusal)
}

fn put_members(
    dialogue: &Dialogue,
    room: &RoomName,
    entries: &[MemberView<'_>],
    more: bool,
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    for MemberView { account, member } in entries {
        let what = match member.affiliation {
            Affiliation::Owner => "owner",
            Affiliation::Admin => "admin",
            Affiliation::Member => "member",
            Affiliation::Outcast => "outcast",
            Affiliation::None if member.muted.is_some() => "muted",
            Affiliation::None => "nothing",
        };
        let note = member.note_shown();
        let (since, by) = (DateTime(note.at_millis), &note.by);
        let reason = if note.reason.is_empty() { String::new() } else { format!(": {}", note.reason) };
        let until = note.until_millis.map(|until| format!(", until {}", DateTime(until))).unwrap_or_default();
        put(
            dialogue,
            &CHANSERV,
            format_args!("{account} - {what} since {since} by {by}{until}{reason}"),
            world,
            out,
        );
    }
    if !more {
        put(dialogue, &CHANSERV, format_args!("That is all of {room}."), world, out);
    }
}

fn put_wishes(
    dialogue: &Dialogue,
    room: &RoomName,
    entries: &[WishView<'_>],
    world: &Surroundings,
    out: &mut Vec<u8>,
) {
    for WishView { who, wish, text } in entries {
        let colon = if text.is_empty() { "" } else { ": " };
        let text = format_args!("{who} asks for {}{colon}{text}", Wished(*wish));
        put(dialogue, &CHANSERV, text, world, out);
    }
    put(dialogue, &CHANSERV, format_args!("That is all of {room}."), world, out);
}

/// What is asked for, as a part of a sentence.
pub struct Wished(pub Wish);

impl fmt::Display for Wished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Wish::Voice => "a voice",
            Wish::Membership => "membership",
        })
    }
}
