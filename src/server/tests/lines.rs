//! What the server does for a dialect of lines: several steps for one line, fake lag, and passwords that are checked
//! elsewhere. Over sockets that are buffers, and a time that the test sets.

use crate::hub;
use crate::net::{Key, Socket};
use crate::server::allowance::Rate;
use crate::server::credentials::{Check, Operator};
use crate::server::{Engine, Limits};
use crate::session::{CloseReason, Verdict};
use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Ends>>);

#[derive(Default)]
struct Ends {
    input: Vec<u8>,
    output: Vec<u8>,
    reads: usize,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ends = &mut *self.0.borrow_mut();
        ends.reads += 1;
        let n = ends.input.len().min(into.len());
        into[..n].copy_from_slice(&ends.input[..n]);
        ends.input.drain(..n);
        if n == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Wire {
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
}

struct Scene {
    engine: Engine<Wire>,
    now: Instant,
}

struct Guest {
    key: Key,
    wire: Wire,
}

impl Scene {
    fn new(limits: Limits) -> Scene {
        let now = Instant::now();
        let mut engine = Engine::new(limits, hub::Limits::default(), [0; 32], now);
        let operator = |host: &str| Operator { name: "ann".into(), password: host.into(), host: host.into() };
        engine.exchange.credentials.operators = vec![operator("127.*")];
        Scene { engine, now }
    }

    fn admit(&mut self) -> Guest {
        let wire = Wire::default();
        let key =
            self.engine.admit(wire.clone(), SocketAddr::from(([127, 0, 0, 1], 1))).expect("there is room");
        let guest = Guest { key, wire };
        self.send(&guest, "LINES\n");
        guest
    }

    fn send(&mut self, guest: &Guest, text: &str) {
        guest.wire.0.borrow_mut().input.extend_from_slice(text.as_bytes());
        self.engine.note(guest.key, true, true);
    }

    fn turn(&mut self) {
        self.engine.set_now(self.now);
        self.engine.read();
        self.engine.timers();
        self.engine.flush();
        self.engine.reap(drop);
    }

    /// Turns until nothing is left to do at this moment.
    fn settle(&mut self) {
        self.turn();
        for turns in 0.. {
            assert!(turns < 1_000, "a busy loop");
            if !self.engine.has_work() {
                return;
            }
            self.turn();
        }
    }

    /// Lets time pass, from deadline to deadline. Returns how often the engine wanted to be woken up.
    fn pass(&mut self, time: Duration) -> usize {
        let end = self.now + time;
        let mut woken = 0;
        while let Some(next) = self.engine.next_deadline().filter(|&next| next <= end) {
            woken += 1;
            self.now = self.now.max(next);
            self.settle();
        }
        self.now = end;
        self.settle();
        woken
    }
}

impl Guest {
    fn heard(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.wire.0.borrow_mut().output)).expect("text")
    }
}

fn unmetered() -> Limits {
    Limits { irc_lines: Rate { per_second: 0, burst: 0 }, ..Limits::default() }
}

#[test]
fn own_words_and_replies_come_in_order_and_a_line_may_be_many_steps() {
    let mut scene = Scene::new(unmetered());
    let ann = scene.admit();
    scene.send(&ann, "echo one\nlogin ann\necho two\nlist 3\necho three\n");
    scene.settle();
    assert_eq!(ann.heard(), "one\nwelcome\ntwo\nrooms\nrooms\nrooms\nthree\n");
    assert_eq!(scene.engine.counters().frames, 6, "a line is one, however many steps it takes");
}

#[test]
fn a_line_of_many_steps_stops_at_budgets_and_at_high_water() {
    let limits = Limits { frames_per_turn_max: 4, high_water_bytes: 30, ..unmetered() };
    let mut scene = Scene::new(limits);
    let ann = scene.admit();
    scene.send(&ann, "login ann\nlist 50\necho end\n");
    for turns in 0.. {
        scene.turn();
        if !scene.engine.has_work() {
            assert!(turns >= 10, "{turns} turns");
            break;
        }
    }
    assert_eq!(ann.heard(), format!("welcome\n{}end\n", "rooms\n".repeat(50)));
}

#[test]
fn who_sends_too_fast_is_read_no_further_and_told_once() {
    let limits = Limits { irc_lines: Rate { per_second: 2, burst: 3 }, ..Limits::default() };
    let mut scene = Scene::new(limits);
    let (ann, bob) = (scene.admit(), scene.admit());
    scene.settle();
    scene.pass(Duration::from_secs(2));
    scene.send(&ann, "login ann\necho 1\necho 2\necho 3\necho 4\necho 5\n");
    scene.settle();
    assert_eq!(ann.heard(), "welcome\n1\n2\nwait 500\n");
    let reads = ann.wire.0.borrow().reads;
    scene.send(&ann, "echo 6\n");
    scene.send(&bob, "login bob\n");
    scene.settle();
    assert_eq!(bob.heard(), "welcome\n", "others are not held up");
    assert_eq!((ann.heard().as_str(), ann.wire.0.borrow().reads), ("", reads), "it is not even read");
    assert_eq!(scene.pass(Duration::from_millis(499)), 0, "and nobody is woken up for it");
    assert!(scene.pass(Duration::from_millis(1)) <= 2);
    assert_eq!(ann.heard(), "3\n");
    scene.pass(Duration::from_secs(5));
    assert_eq!(ann.heard(), "4\n5\n6\n", "and not told again");
    scene.send(&ann, "echo 7\necho 8\necho 9\necho 10\n");
    scene.settle();
    assert_eq!(ann.heard(), "7\n8\n9\nwait 500\n", "until it was quiet for a while");
}

#[test]
fn silence_that_is_our_doing_ends_no_connection_and_what_a_broken_one_sent_is_not_sped_up() {
    let limits = Limits {
        irc_lines: Rate { per_second: 1, burst: 1 },
        ping_after: Duration::from_secs(5),
        ping_timeout: Duration::from_secs(5),
        ..Limits::default()
    };
    let mut scene = Scene::new(limits);
    let ann = scene.admit();
    scene.send(&ann, "login ann\n");
    scene.send(&ann, &"PONG\n".repeat(60));
    scene.settle();
    scene.pass(Duration::from_secs(55));
    assert_eq!(scene.engine.connections_len(), 1, "it answered, only that nobody has read it yet");
    scene.send(&ann, "echo never\n");
    let lines = scene.engine.counters().frames;
    scene.engine.note_hang_up(ann.key, crate::server::connection::HangUp::Broken);
    scene.settle();
    assert!(scene.engine.counters().frames <= lines + 1);
}

#[test]
fn who_floods_and_does_not_stop_is_closed() {
    let limits = Limits {
        irc_lines: Rate { per_second: 1, burst: 5 },
        irc_held_bytes_max: 1_000,
        ..Limits::default()
    };
    let mut scene = Scene::new(limits);
    let ann = scene.admit();
    scene.send(&ann, &"echo flood\n".repeat(200));
    scene.settle();
    assert!(ann.heard().ends_with("flood\nERROR Excess Flood\n"));
    assert_eq!(scene.engine.counters().closed(CloseReason::Flood), 1);
}

#[test]
fn a_client_waits_for_its_verdict_and_for_no_other() {
    let mut scene = Scene::new(unmetered());
    let (ann, bob) = (scene.admit(), scene.admit());
    scene.send(&ann, "oper ann secret\necho after\n");
    scene.send(&bob, "oper nobody secret\necho after\n");
    scene.settle();
    assert_eq!((ann.heard().as_str(), bob.heard().as_str()), ("", "Wrong\nafter\n"));
    let checks = scene.engine.take_checks();
    let [Check { key, request, hash, password }] = &checks[..] else { panic!("one check") };
    assert_eq!((hash.as_str(), password.as_str()), ("127.*", "secret"));
    scene.engine.verified(*key, hub::RequestId(request.0 + 1), Verdict::Right);
    scene.engine.verified(bob.key, *request, Verdict::Right);
    scene.settle();
    assert_eq!((ann.heard().as_str(), bob.heard().as_str()), ("", ""), "nobody waits for these");
    scene.engine.verified(*key, *request, Verdict::Right);
    scene.engine.verified(*key, *request, Verdict::Wrong);
    scene.settle();
    assert_eq!(ann.heard(), "Right\nafter\n");

    scene.send(&ann, "oper ann secret\n");
    scene.settle();
    scene.engine.exchange.close(ann.key, CloseReason::ServerStopping);
    let late = scene.engine.take_checks();
    scene.settle();
    scene.engine.verified(ann.key, late[0].request, Verdict::Right);
    scene.settle();
    assert!(ann.heard().starts_with("ERROR"), "a late verdict is nobody's");
}

#[test]
fn who_changes_its_dialect_has_its_rooms_changed_with_it() {
    let mut scene = Scene::new(unmetered());
    let ann = scene.admit();
    scene.send(&ann, "login ann\nvariant 5\n");
    scene.settle();
    assert_eq!(ann.heard(), "welcome\nchanged\n");
}
