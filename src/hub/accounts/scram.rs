//! Proofs of knowing a password, which the dialect looks at by itself (SCRAM): it is shown the keys, says whether the proof
//! was right, and then who it is.

use super::{is_too_long, whole_seconds};
use crate::hub::name::fold;
use crate::hub::record::ScramKeys;
use crate::hub::{Asker, Effects, Hub, Outcome, Refusal, Reply};

impl Hub {
    /// With what the dialect finds out by itself whether somebody knows a password.
    pub(in crate::hub) fn show_scram_keys(&self, asker: Asker, name: &str, fx: &mut impl Effects) -> Outcome {
        if self.identity(asker.session).is_some() {
            return Err(Refusal::AlreadyIdentified);
        }
        if is_too_long(name) {
            return Err(Refusal::WrongPassword);
        }
        check_wait(asker, name, fx)?;
        let (keys, nonce) = (self.scram_keys(name), fx.fresh_key());
        asker.reply(fx, Reply::ScramKeys { keys, nonce });
        Ok(())
    }

    fn scram_keys(&self, name: &str) -> Option<&ScramKeys> {
        self.accounts.named(name)?.secret.scram.as_ref()
    }

    /// Many may have asked for the keys before the first of them was wrong: so whether one may guess is asked here again,
    /// and who may not is not told whether it was right.
    pub(in crate::hub) fn take_proof(
        &self,
        asker: Asker,
        name: &str,
        is_right: bool,
        fx: &mut impl Effects,
    ) -> Outcome {
        check_wait(asker, name, fx)?;
        fx.note_guess(asker.session, &fold(name), is_right);
        if !is_right {
            return Err(Refusal::WrongPassword);
        }
        asker.reply(fx, Reply::Done);
        Ok(())
    }

    pub(in crate::hub) fn identify_proven(
        &mut self,
        asker: Asker,
        name: &str,
        salt: [u8; 16],
        fx: &mut impl Effects,
    ) -> Outcome {
        if self.identity(asker.session).is_some() {
            return Err(Refusal::AlreadyIdentified);
        }
        // Since the proof, the password may have been changed, or the account given up and made anew.
        self.scram_keys(name).filter(|keys| keys.salt == salt).ok_or(Refusal::WrongPassword)?;
        let id = self.account_named(name).ok_or(Refusal::WrongPassword)?;
        self.identify_as(asker, id, fx)
    }
}

fn check_wait(asker: Asker, name: &str, fx: &impl Effects) -> Outcome {
    match fx.guess_wait(asker.session, &fold(name)) {
        Some(wait) => Err(Refusal::TryLater { seconds: whole_seconds(wait) }),
        None => Ok(()),
    }
}
