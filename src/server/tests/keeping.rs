//! What lasts, and the answers that wait until it does: storage says what the test has it say.

use super::scene::{Guest, Scene, operator, pong, unmetered};
use crate::hub::record::Secret;
use crate::server::credentials::Outcome;
use crate::server::keeping::HELD_MAX;
use crate::storage::{Answer, Database, Sequence, Storage};
use std::path::PathBuf;
use std::time::Duration;

/// A scene whose storage keeps its answers to itself; the directory is gone with it.
struct Kept {
    scene: Scene,
    directory: PathBuf,
}

impl Kept {
    fn new(name: &str) -> Kept {
        let directory = std::env::temp_dir().join(format!("switchboard-{name}-{}", std::process::id()));
        let database = Database::open(&directory).expect("a database");
        let (storage, _) = Storage::start(database, drop, |_| true).expect("a thread");
        let mut scene = Scene::new(unmetered());
        scene.engine.exchange.keep_in(storage);
        Kept { scene, directory }
    }

    /// Registers an account, up to the moment at which it is there.
    fn register(&mut self, guest: &Guest) {
        self.scene.send(guest, "NS REGISTER sesame\r\n");
        self.scene.settle();
        self.scene.engine.next_check().expect("a password");
        let secret = Secret { hash: "hash".into(), scram: None };
        self.scene.engine.checked(Outcome::Made(secret));
        self.scene.settle();
    }

    fn committed(&mut self, upto: u64) {
        self.scene.engine.stored(&Answer::Committed { upto: Sequence(upto), bytes: 0 });
        self.scene.settle();
    }

    fn failing(&mut self) {
        self.scene.engine.stored(&Answer::Failing { error: "the disk is full".to_owned() });
        self.scene.settle();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn who_asked_is_told_nothing_until_it_is_saved_and_others_hear_of_it_at_once() {
    let mut kept = Kept::new("held");
    let (ann, bob) = (kept.scene.login("ann"), kept.scene.login("bob"));
    for guest in [&ann, &bob] {
        kept.scene.send(guest, "CAP REQ :account-notify\r\nJOIN #tea\r\n");
        kept.scene.settle();
    }
    ann.heard();
    bob.heard();
    kept.register(&ann);
    kept.scene.send(&ann, "PING one\r\n");
    kept.scene.send(&bob, "PRIVMSG #tea :hello\r\n");
    kept.scene.settle();
    assert!(bob.heard().contains(" ACCOUNT ann\r\n"), "bob sees it");
    assert_eq!(ann.heard(), "", "ann does not, nor is she read");
    kept.committed(0);
    assert_eq!(ann.heard(), "");
    kept.committed(1);
    let heard = ann.heard();
    let at = |what: &str| heard.find(what).unwrap_or_else(|| panic!("{what:?} is not in {heard}"));
    assert!(at("NickServ") < at("PRIVMSG #tea :hello") && at("PRIVMSG") < at(&pong("one")), "{heard}");
}

#[test]
fn nobody_waits_for_a_disk_for_ever() {
    let mut kept = Kept::new("late");
    let ann = kept.scene.login("ann");
    kept.register(&ann);
    kept.scene.pass(HELD_MAX - Duration::from_millis(1));
    assert_eq!(ann.heard(), "");
    kept.scene.pass(Duration::from_millis(1));
    let heard = ann.heard();
    assert!(heard.starts_with("NOTICE ann :What you just did holds, but could not be saved yet"), "{heard}");
    assert!(heard.contains("NickServ"), "{heard}");
    kept.scene.send(&ann, "PING two\r\n");
    kept.scene.settle();
    assert_eq!(ann.heard(), pong("two"), "she is read again");
    kept.committed(1);
    assert_eq!(ann.heard(), "");
}

#[test]
fn clients_that_know_standard_replies_get_a_warning() {
    let mut kept = Kept::new("warned");
    let ann = kept.scene.login("ann");
    kept.scene.send(&ann, "CAP REQ :standard-replies\r\n");
    kept.scene.settle();
    ann.heard();
    kept.register(&ann);
    kept.scene.pass(HELD_MAX);
    let heard = ann.heard();
    assert!(heard.starts_with("WARN * NOT_SAVED :"), "{heard}");
}

#[test]
fn while_storage_fails_what_has_to_last_is_refused_and_operators_are_told_once() {
    let mut kept = Kept::new("fails");
    let (ann, bob) = (kept.scene.login("ann"), kept.scene.login("bob"));
    kept.scene.send(&ann, "OPER ann secret\r\n");
    kept.scene.settle();
    kept.scene.engine.next_check().expect("a password");
    kept.scene.engine.exchange.credentials.operators = vec![operator("ann")];
    kept.scene.engine.checked(Outcome::Right);
    kept.scene.settle();
    ann.heard();
    kept.failing();
    kept.failing();
    let told = ann.heard();
    assert!(
        told.starts_with("NOTICE ann :Storage fails") && told.ends_with("the disk is full\r\n"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "once");
    assert_eq!(bob.heard(), "", "only operators");
    kept.scene.send(&bob, "NS REGISTER sesame\r\nPRIVMSG ann :hello\r\n");
    kept.scene.settle();
    let refused = bob.heard();
    assert!(refused.contains("server cannot save anything now"), "{refused}");
    assert!(kept.scene.engine.next_check().is_none(), "and nothing is hashed");
    assert!(ann.heard().contains("PRIVMSG ann :hello"), "chat goes on");
    kept.committed(0);
    assert_eq!(ann.heard(), "NOTICE ann :Storage works again, and everything is saved\r\n");
    kept.register(&bob);
    kept.committed(1);
    assert!(bob.heard().contains("NickServ"), "and bob has his account");
}

#[test]
fn a_connection_that_ends_is_told_what_is_saved_and_nothing_before_that() {
    let mut kept = Kept::new("ends");
    let ann = kept.scene.login("ann");
    kept.register(&ann);
    kept.scene.engine.stop();
    kept.scene.settle();
    assert_eq!(ann.heard(), "");
    kept.committed(1);
    let heard = ann.heard();
    assert!(heard.contains("NickServ") && heard.contains("ERROR :Closing Link"), "{heard}");
}
