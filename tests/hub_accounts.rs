//! Accounts: whose a name is, and what it takes to be its owner.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/recorder.rs"]
mod recorder;

use desk::{ANN, BOB, CY, Desk, PAYLOAD_MAX};
use recorder::{Answered, Happened, Recorded, moment};
use std::time::Duration;
use switchboard::hub::record::{AccountId, Given, Record, ScramKeys, Secret};
use switchboard::hub::{
    AccountChange, ChannelId, Command, Departure, Limits, Proved, Refusal, Registration, SessionId,
};

const DAN: SessionId = SessionId(4);

fn secret(hash: &str) -> Secret {
    let scram = ScramKeys { salt: [1; 16], iterations: 4_096, stored_key: [2; 32], server_key: [3; 32] };
    Secret { hash: hash.into(), scram: Some(scram) }
}

/// What follows when a password was looked at.
fn proved(desk: &mut Desk, session: SessionId, proved: Proved) -> Vec<Recorded> {
    desk.hub.proved(moment(desk.now), session, proved, &mut desk.recorder);
    desk.hub.audit().expect("the books agree");
    desk.recorder.take()
}

/// What is to be done with the password that a command gave, which is all that follows.
fn proof(desk: &mut Desk, session: SessionId, command: Command<'_>) -> String {
    match &desk.ask(session, command)[..] {
        [Recorded::Prove { session: of, proof }] if *of == session => proof.clone(),
        other => panic!("{other:?}"),
    }
}

fn register<'a>(password: &'a str) -> Command<'a> {
    Command::Register { name: "", password }
}

fn identify<'a>(name: &'a str, password: &'a str) -> Command<'a> {
    Command::Identify { name, password }
}

fn refusal_in(effects: &[Recorded]) -> Option<Refusal> {
    effects.iter().find_map(|effect| match effect {
        Recorded::Reply { answer: Answered::Refused(refusal), .. } => Some(*refusal),
        _ => None,
    })
}

/// Ann has an account; her password is `sesame`.
fn with_account() -> Desk {
    let mut desk = Desk::new(Limits::default());
    assert_eq!(proof(&mut desk, ANN, register("sesame")), "make sesame");
    let effects = proved(&mut desk, ANN, Proved::Made(secret("hash")));
    let Some(Recorded::Store(Record::Account(record))) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((&*record.name, &record.secret), ("ann", &secret("hash")));
    let done = Answered::Account { name: "ann".into(), change: AccountChange::Registered };
    let request = desk.requests;
    let (to, channel) = (ANN, ChannelId::NONE);
    assert_eq!(
        effects[1..],
        [Recorded::Reply { to, request, channel, answer: done }],
        "once it is written down"
    );
    desk
}

#[test]
fn a_name_that_is_an_account_is_its_owners_alone() {
    let mut desk = with_account();
    assert_eq!(desk.refusal(BOB, Command::Rename { name: "ANN" }), Refusal::NameTaken, "she is here");
    desk.disconnect(ANN, Departure::Lost);
    assert_eq!(desk.refusal(BOB, Command::Rename { name: "Ann" }), Refusal::NameReserved);
    let login = |name| Command::Login { name, payload_max: PAYLOAD_MAX, username: "", realname: "" };
    assert_eq!(desk.refusal(DAN, login("ann")), Refusal::NameReserved);
    assert_eq!(desk.refusal(DAN, Command::CheckName { name: "ann" }), Refusal::NameReserved);
    assert_eq!(proof(&mut desk, DAN, identify("Ann", "sesame")), "check Ann hash sesame");
    proved(&mut desk, DAN, Proved::Right);
    desk.login(DAN, "ann");
    assert_eq!(
        desk.refusal(DAN, Command::LogOut),
        Refusal::NameNeedsAccount,
        "she has the name of the account"
    );
    desk.ask(DAN, Command::Rename { name: "dan" });
    let done = Answered::Account { name: "ann".into(), change: AccountChange::LoggedOut };
    assert_eq!(desk.answer(DAN, Command::LogOut), done);
    assert_eq!(desk.refusal(DAN, Command::Rename { name: "ann" }), Refusal::NameReserved);
}

#[test]
fn neighbours_are_told_whose_account_somebody_is_and_a_newcomer_brings_it_along() {
    let mut desk = with_account();
    let channel = desk.join(BOB, "#tea");
    desk.join(CY, "#tea");
    proof(&mut desk, BOB, identify("ann", "sesame"));
    let effects = proved(&mut desk, BOB, Proved::Right);
    let event = Happened::Account { who: "bob".into(), account: Some("ann".into()) };
    assert_eq!(effects[0], Recorded::Neighbours { cause: BOB, channels: vec![channel], event });
    let effects = desk.ask(BOB, Command::LogOut);
    let event = Happened::Account { who: "bob".into(), account: None };
    assert_eq!(effects[0], Recorded::Neighbours { cause: BOB, channels: vec![channel], event });
}

#[test]
fn a_wrong_password_is_told_as_an_account_that_is_not_there() {
    let mut desk = with_account();
    assert_eq!(proof(&mut desk, BOB, identify("ann", "guess")), "check ann hash guess");
    assert_eq!(refusal_in(&proved(&mut desk, BOB, Proved::Wrong)), Some(Refusal::WrongPassword));
    assert_eq!(proof(&mut desk, BOB, identify("nobody", "guess")), "check nobody - guess");
    assert_eq!(refusal_in(&proved(&mut desk, BOB, Proved::Wrong)), Some(Refusal::WrongPassword));
    proof(&mut desk, BOB, identify("ann", "guess"));
    let not_yet = Proved::NotYet { wait: Duration::from_millis(1_500) };
    assert_eq!(refusal_in(&proved(&mut desk, BOB, not_yet)), Some(Refusal::TryLater { seconds: 2 }));
    // Nobody, whatever it is that says so, becomes the owner of what is not there.
    proof(&mut desk, BOB, identify("nobody", "guess"));
    assert_eq!(refusal_in(&proved(&mut desk, BOB, Proved::Right)), Some(Refusal::CannotProve));
    let proven = Command::IdentifyProven { name: "nobody", salt: [1; 16] };
    assert_eq!(desk.refusal(BOB, proven), Refusal::WrongPassword);
}

#[test]
fn a_proof_is_a_guess_and_counts_for_the_keys_that_it_was_held_against() {
    let mut desk = with_account();
    assert_eq!(
        desk.answer(BOB, Command::ShowScramKeys { name: "ANN" }),
        Answered::ScramKeys(secret("hash").scram)
    );
    let effects = desk.ask(BOB, Command::TakeProof { name: "Ann", is_right: false });
    let guess = |is_right| Recorded::Guess { session: BOB, account: "ann".into(), is_right };
    assert_eq!((&effects[0], refusal_in(&effects)), (&guess(false), Some(Refusal::WrongPassword)));
    // Who has to wait is told so before the proof, and is not told whether it was right.
    desk.recorder.1.guess_wait = Some(Duration::from_millis(1_500));
    assert_eq!(desk.refusal(BOB, Command::ShowScramKeys { name: "ann" }), Refusal::TryLater { seconds: 2 });
    for is_right in [true, false] {
        let effects = desk.ask(BOB, Command::TakeProof { name: "ann", is_right });
        assert_eq!((effects.len(), refusal_in(&effects)), (1, Some(Refusal::TryLater { seconds: 2 })));
    }
    desk.recorder.1.guess_wait = None;
    assert_eq!(desk.ask(BOB, Command::TakeProof { name: "ann", is_right: true })[0], guess(true));
    // Meanwhile she changes her password.
    let other = Command::IdentifyProven { name: "ann", salt: [9; 16] };
    assert_eq!(desk.refusal(BOB, other), Refusal::WrongPassword);
    let done = Answered::Account { name: "ann".into(), change: AccountChange::Identified };
    assert_eq!(desk.answer(BOB, Command::IdentifyProven { name: "ann", salt: [1; 16] }), done);
    assert_eq!(desk.refusal(BOB, Command::ShowScramKeys { name: "ann" }), Refusal::AlreadyIdentified);
    assert_eq!(desk.refusal(CY, Command::ShowScramKeys { name: &"x".repeat(256) }), Refusal::WrongPassword);
}

#[test]
fn since_when_there_is_an_account_is_told() {
    let mut desk = with_account();
    let made = moment(desk.now).unix_millis;
    assert_eq!(
        desk.answer(ANN, Command::ShowAccount { name: "" }),
        Answered::KnownAccount("ann".into(), made)
    );
    assert_eq!(
        desk.answer(BOB, Command::ShowAccount { name: "ANN" }),
        Answered::KnownAccount("ann".into(), made)
    );
    assert_eq!(desk.refusal(BOB, Command::ShowAccount { name: "" }), Refusal::NotIdentified);
    assert_eq!(desk.refusal(BOB, Command::ShowAccount { name: "cy" }), Refusal::NoSuchAccount);
}

#[test]
fn what_was_asked_with_a_password_goes_on_for_those_who_are_still_there() {
    let mut desk = Desk::new(Limits::default());
    proof(&mut desk, ANN, register("sesame"));
    assert_eq!(desk.refusal(ANN, register("another")), Refusal::StillProving);
    desk.disconnect(ANN, Departure::Lost);
    assert_eq!(proved(&mut desk, ANN, Proved::Made(secret("hash"))), [], "nobody waits for it");
    // Meanwhile somebody else takes the name, or makes an account of it.
    proof(&mut desk, BOB, Command::Register { name: "eve", password: "sesame" });
    desk.login(DAN, "eve");
    assert_eq!(refusal_in(&proved(&mut desk, BOB, Proved::Made(secret("hash")))), Some(Refusal::NameTaken));
    proof(&mut desk, BOB, Command::Register { name: "fay", password: "one" });
    proof(&mut desk, CY, Command::Register { name: "FAY", password: "two" });
    proved(&mut desk, BOB, Proved::Made(secret("one")));
    assert_eq!(refusal_in(&proved(&mut desk, CY, Proved::Made(secret("two")))), Some(Refusal::AccountExists));
    assert_eq!(desk.hub.accounts_len(), 1);
}

#[test]
fn passwords_are_changed_and_accounts_given_up_by_whoever_knows_the_password() {
    let mut desk = with_account();
    assert_eq!(desk.refusal(BOB, Command::DeleteAccount { password: "sesame" }), Refusal::NotIdentified);
    let change = Command::ChangePassword { old: "sesame", new: "simsim" };
    assert_eq!(proof(&mut desk, ANN, change.clone()), "change ann hash sesame simsim");
    let effects = proved(&mut desk, ANN, Proved::Made(secret("another")));
    assert!(
        matches!(&effects[0], Recorded::Store(Record::Account(record)) if record.secret == secret("another"))
    );
    assert_eq!(proof(&mut desk, ANN, change), "change ann another sesame simsim");
    assert_eq!(refusal_in(&proved(&mut desk, ANN, Proved::Wrong)), Some(Refusal::WrongPassword));
    let keys = Answered::ScramKeys(secret("another").scram);
    assert_eq!(desk.answer(CY, Command::ShowScramKeys { name: "ANN" }), keys);

    proof(&mut desk, BOB, identify("ann", "simsim"));
    proved(&mut desk, BOB, Proved::Right);
    assert_eq!(
        proof(&mut desk, ANN, Command::DeleteAccount { password: "simsim" }),
        "check ann another simsim"
    );
    let effects = proved(&mut desk, ANN, Proved::Right);
    assert!(matches!(effects[0], Recorded::Store(Record::AccountGone(_))), "{effects:?}");
    let told = |session| {
        let is_told = |effect: &Recorded| {
            matches!(effect, Recorded::Reply { to, answer: Answered::Account { change, .. }, .. }
                if *to == session && *change == AccountChange::Deleted)
        };
        effects.iter().filter(|effect| is_told(effect)).count()
    };
    assert_eq!((told(ANN), told(BOB)), (1, 1), "all who were behind it");
    assert_eq!(desk.hub.accounts_len(), 0);
    assert_eq!(desk.refusal(BOB, Command::LogOut), Refusal::NotIdentified, "it was gone for everybody");
    assert_eq!(desk.answer(BOB, Command::ShowScramKeys { name: "ann" }), Answered::ScramKeys(None));
}

#[test]
fn who_may_register_is_a_setting_and_what_may_be_a_password_has_bounds() {
    let limits = |registration| Limits { registration, accounts_max: 1, ..Limits::default() };
    let mut desk = Desk::new(limits(Registration::Closed));
    assert_eq!(desk.refusal(ANN, register("sesame")), Refusal::RegistrationClosed);
    desk.hub.set_limits(limits(Registration::Open));
    let before_login = Command::Register { name: "dan", password: "sesame" };
    assert_eq!(desk.refusal(DAN, before_login.clone()), Refusal::NotLoggedIn);
    for bad in [String::new(), "x".repeat(1_001), "x".repeat(10_000)] {
        assert_eq!(desk.refusal(ANN, register(&bad)), Refusal::BadAccountPassword { bytes_max: 1_000 });
    }
    assert_eq!(desk.refusal(ANN, identify("ann", &"x".repeat(10_000))), Refusal::WrongPassword);
    desk.hub.set_limits(limits(Registration::BeforeLogin));
    proof(&mut desk, DAN, before_login);
    proved(&mut desk, DAN, Proved::Made(secret("hash")));
    assert_eq!(desk.refusal(DAN, identify("dan", "sesame")), Refusal::AlreadyIdentified);
    desk.login(DAN, "dan");
    assert_eq!(desk.refusal(ANN, register("sesame")), Refusal::TooManyAccounts { accounts_max: 1 });
    assert_eq!(desk.refusal(ANN, Command::Register { name: "DAN", password: "x" }), Refusal::AccountExists);
}

#[test]
fn the_number_of_an_account_is_never_anothers() {
    let mut desk = with_account();
    let first = desk.register(BOB);
    proof(&mut desk, BOB, Command::DeleteAccount { password: "sesame" });
    proved(&mut desk, BOB, Proved::Right);
    let second = desk.register(CY);
    assert!(second > first, "{second:?} after {first:?}");
    // After a restart nobody has it any more; and the clock is where it was, or has been set back.
    for given in [second, AccountId(u64::MAX >> 2)] {
        let mut desk = Desk::new(Limits::default());
        desk.hub.restored(Given { account: given, ..Given::default() });
        let next = desk.register(ANN);
        assert!(next > given, "{next:?} after {given:?}");
    }
    // Where nothing is known of what was given, time tells them apart.
    let mut desk = Desk::new(Limits::default());
    let AccountId(number) = desk.register(ANN);
    assert_eq!(number >> 20, moment(desk.now).unix_millis);
}
