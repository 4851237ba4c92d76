//! Passwords in frames: the server's, an operator's, an account's.

use super::{Native, refused};
use crate::hub::{ChannelId, Command, RequestId};
use crate::session::{Credential, Step, Surroundings, Verdict};
use crate::wire::frame::{self, Body};
use crate::wire::{CredentialsCode, Flags, RawFrame, RefusalCode, header};

impl Native {
    /// What a frame with a password asks for. Those of the server and of operators are looked at before the hub hears
    /// of it: then the same frame comes again.
    pub(super) fn credentials<'a>(
        &mut self,
        raw: &RawFrame<'a>,
        given: frame::Credentials<'a>,
        surroundings: &Surroundings,
        out: &mut Vec<u8>,
    ) -> Step<'a> {
        let frame::Credentials { request, what, name, password, new } = given;
        let command = match CredentialsCode::from_number(what) {
            Some(CredentialsCode::Server) => return self.come_in(raw, given, surroundings, out),
            Some(CredentialsCode::Operator) if !self.open => {
                return refused(raw, RefusalCode::UnknownRequest, "say hello first", out);
            }
            Some(CredentialsCode::Operator) => match self.take_verdict() {
                None => return verify(request, Credential::Operator { name }, password),
                Some(Verdict::Right) => Command::BecomeOperator,
                Some(verdict) => return refuse_verdict(raw, verdict, out),
            },
            // Whoever has to give the server's password gives that first.
            _ if self.has_to_come_in(surroundings) => {
                return refused(raw, RefusalCode::BadPassword, WANTS_PASSWORD, out);
            }
            Some(CredentialsCode::Identify) => Command::Identify { name, password },
            Some(CredentialsCode::Register) => Command::Register { name, password },
            Some(CredentialsCode::LogOut) => Command::LogOut,
            Some(CredentialsCode::Change) => Command::ChangePassword { old: password, new },
            Some(CredentialsCode::Delete) => Command::DeleteAccount { password },
            None => return refused(raw, RefusalCode::UnknownRequest, "no password is for that", out),
        };
        Step::Command { used: raw.len(), request: RequestId(request), command }
    }

    /// Whether the server's password is still to be given.
    pub(super) fn has_to_come_in(&self, surroundings: &Surroundings) -> bool {
        surroundings.wants_password && !self.is_let_in
    }

    fn come_in<'a>(
        &mut self,
        raw: &RawFrame<'a>,
        given: frame::Credentials<'a>,
        surroundings: &Surroundings,
        out: &mut Vec<u8>,
    ) -> Step<'a> {
        if self.has_to_come_in(surroundings) && !self.open {
            match self.take_verdict() {
                None => return verify(given.request, Credential::Server, given.password),
                Some(Verdict::Right) => self.is_let_in = true,
                Some(verdict) => return refuse_verdict(raw, verdict, out),
            }
        }
        if given.request != 0 {
            let done = frame::Done { request: given.request };
            header::put_with(out, done.kind(), Flags::NONE, ChannelId::NONE.0, |out| done.encode(out));
        }
        Step::Done { used: raw.len() }
    }
}

pub(super) const WANTS_PASSWORD: &str = "this server has a password; give it first";

fn verify<'a>(request: u32, credential: Credential<'a>, password: &'a str) -> Step<'a> {
    Step::Verify { used: 0, request: RequestId(request), credential, password }
}

fn refuse_verdict<'a>(raw: &RawFrame<'_>, verdict: Verdict, out: &mut Vec<u8>) -> Step<'a> {
    match verdict {
        Verdict::NotYet { wait } => {
            let text = format!("too many passwords were wrong; try again after {} s", wait.as_secs() + 1);
            refused(raw, RefusalCode::TryLater, &text, out)
        }
        Verdict::Unknown => refused(
            raw,
            RefusalCode::Unavailable,
            "the server cannot look at passwords now; try again later",
            out,
        ),
        Verdict::Wrong | Verdict::Right => {
            refused(raw, RefusalCode::WrongPassword, "nobody has that name and that password; try again", out)
        }
    }
}
