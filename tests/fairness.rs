//! One client that sends as fast as it can does not make the others wait: each gets its share of every turn.

mod common;
#[path = "common/crowd.rs"]
mod crowd;

use common::{Client, Server};
use crowd::{Crowd, p99};
use std::cell::Cell;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Flags, header};

const PINGERS: usize = 1_000;
const PINGS_EACH: usize = 20;

/// For noise: this machine may have one core for the server, the pingers, the flooder and other tests together.
const SLACK: Duration = Duration::from_millis(400);

/// With both budgets out of the way (read-bytes-per-turn-max and frames-per-turn-max at 1,000,000,000) the server never
/// comes to the end of the flood's bytes, the pingers get no answer for half a minute, and this test fails. With one of
/// them alone out of the way the other still holds.
#[test]
fn a_thousand_pingers_do_not_notice_a_flood_of_messages() {
    // In a room of one's own, where nothing comes back that could slow the flooder down.
    against_a_flood(|room, bytes| {
        header::put(bytes, Flags::NONE, room, &frame::Say { request: 0, text: "x" })
    });
}

/// Here the high-water mark of the flooder's own queue helps the budgets.
#[test]
fn a_thousand_pingers_do_not_notice_a_flood_of_pings() {
    against_a_flood(|_, bytes| header::put(bytes, Flags::NONE, 0, &frame::Ping { token: 1 }));
}

fn against_a_flood(put: impl Fn(u32, &mut Vec<u8>)) {
    let server = Server::start(&[]);
    let mut pingers = Pingers::start(&server);
    let calm = pingers.p99_of_a_run();

    let mut flooder = Client::login(server.address, "flooder");
    let room = flooder.join("#flood");
    let mut piece = Vec::new();
    while piece.len() < 16 * 1_024 {
        put(room, &mut piece);
    }
    let mut answers = flooder.stream.try_clone().expect("a clone");
    let reading = std::thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
    let flooded = AtomicUsize::new(0);
    let (stream, mut writer) = (&flooder.stream, flooder.stream.try_clone().expect("a clone"));
    let flood = std::thread::scope(|scope| {
        let flooded = &flooded;
        scope.spawn(move || {
            while writer.write_all(&piece).is_ok() {
                flooded.fetch_add(piece.len(), Ordering::Relaxed);
            }
        });
        common::eventually("the flood has begun", || flooded.load(Ordering::Relaxed) > 0);
        let before = flooded.load(Ordering::Relaxed);
        let _end = EndOfFlood(stream);
        let flood = pingers.p99_of_a_run();
        common::eventually("the flood goes on", || flooded.load(Ordering::Relaxed) > before);
        flood
    });
    let _ = reading.join();
    println!("p99 of a round trip: {calm:?} without, {flood:?} with the flood");
    assert!(flood < calm * 4 + SLACK, "p99 of a round trip: {calm:?} without, {flood:?} with the flood");
}

/// Ends the flood even where the test fails, so that it fails instead of waiting for the flooder.
struct EndOfFlood<'a>(&'a TcpStream);

impl Drop for EndOfFlood<'_> {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

struct Pingers(Crowd);

impl Pingers {
    fn start(server: &Server) -> Pingers {
        let mut crowd = Crowd::new();
        for n in 0..PINGERS {
            crowd.connect(server.address, None);
            crowd.hello(n, &format!("p{n}"));
        }
        let welcomed = Cell::new(0);
        crowd.read_until(
            "all are logged in",
            || welcomed.get() == PINGERS,
            |_, _, frame| {
                assert!(matches!(frame, Frame::Welcome(_)), "{frame:?}");
                welcomed.set(welcomed.get() + 1);
            },
        );
        Pingers(crowd)
    }

    /// Everybody pings, and again as soon as the answer is there.
    fn p99_of_a_run(&mut self) -> Duration {
        let mut samples = Vec::with_capacity(PINGERS * PINGS_EACH);
        let mut sent = vec![Instant::now(); PINGERS];
        let mut again: Vec<usize> = (0..PINGERS).collect();
        let deadline = Instant::now() + common::PATIENCE;
        let mut left = vec![PINGS_EACH; PINGERS];
        while samples.len() < PINGERS * PINGS_EACH {
            for index in again.drain(..) {
                if left[index] > 0 {
                    left[index] -= 1;
                    sent[index] = Instant::now();
                    self.0.send(index, 0, &frame::Ping { token: 5 });
                }
            }
            self.0.read_for(Duration::from_secs(1), |index, _, frame| {
                assert_eq!(frame, Frame::Pong(frame::Pong { token: 5 }));
                samples.push(sent[index].elapsed());
                again.push(index);
            });
            assert!(Instant::now() < deadline, "{} of the answers came", samples.len());
        }
        p99(&mut samples)
    }
}
