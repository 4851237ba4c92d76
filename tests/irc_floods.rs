//! Storms that come over IRC: what a crowd does all at once is carried out, and others have their turn meanwhile.

mod common;
#[path = "common/irc.rs"]
mod irc;

use common::{PATIENCE, Server};
use irc::Link;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long a bystander may wait for an answer, but for one in a hundred, on a machine that has other things to do.
const P99_MAX: Duration = Duration::from_secs(1);

/// What the answer to a guest's last line ends with.
const THROUGH: &[u8] = b" :through\r\n";

/// Somebody in the crowd, who reads whatever comes.
struct Guest {
    stream: TcpStream,
    to_send: Vec<u8>,
    /// The last bytes that came.
    tail: Vec<u8>,
    is_through: bool,
}

impl Guest {
    fn connect(address: SocketAddr, lines: &str) -> Guest {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nonblocking(true).expect("nonblocking");
        let mut guest = Guest { stream, to_send: Vec::new(), tail: Vec::new(), is_through: false };
        guest.say(lines);
        guest
    }

    /// It is through when all of them are answered.
    fn say(&mut self, lines: &str) {
        self.is_through = false;
        self.to_send.extend_from_slice(lines.as_bytes());
        self.to_send.extend_from_slice(b"PING through\r\n");
    }

    /// Writes and reads what goes at once.
    fn go_on(&mut self, scratch: &mut [u8]) {
        if !self.to_send.is_empty() {
            match self.stream.write(&self.to_send) {
                Ok(n) => _ = self.to_send.drain(..n),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
            }
        }
        match self.stream.read(scratch) {
            Ok(n) => {
                assert!(n > 0, "the server hung up: {}", String::from_utf8_lossy(&self.tail));
                self.tail.extend_from_slice(&scratch[..n]);
                self.is_through |= memchr::memmem::find(&self.tail, THROUGH).is_some();
                let cut = self.tail.len().saturating_sub(THROUGH.len() - 1);
                self.tail.drain(..cut);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
    }
}

/// Lets all of them send what they have to say and read, until each has had its answer to it.
fn play(crowd: &mut [Guest]) {
    let (deadline, mut scratch) = (Instant::now() + PATIENCE * 2, vec![0; 65_536]);
    while let left @ 1.. = crowd.iter().filter(|guest| !guest.is_through).count() {
        assert!(Instant::now() < deadline, "{left} are not through");
        crowd.iter_mut().for_each(|guest| guest.go_on(&mut scratch));
    }
}

/// What a bystander waits for the answers to its pings while `storm` lasts, but for one in a hundred.
fn p99_of_a_bystander(address: SocketAddr, storm: impl FnOnce() + Send + 'static) -> Duration {
    let mut bystander = Link::log_in(address, "bystander", "");
    bystander.wait_for(&[" 422 "]);
    let storm = thread::spawn(storm);
    let mut waits = Vec::new();
    while !storm.is_finished() {
        let asked = Instant::now();
        bystander.send("PING now\r\n");
        bystander.wait_for(&["PONG"]);
        waits.push(asked.elapsed());
        thread::sleep(Duration::from_millis(1)); // the storm needs the machine
    }
    storm.join().expect("the storm is over, and all had their answers");
    waits.sort_unstable();
    waits[waits.len() * 99 / 100]
}

fn crowd(address: SocketAddr, guests: usize) -> Vec<Guest> {
    let log_in = |n| Guest::connect(address, &format!("NICK n{n}\r\nUSER n 0 * :n\r\n"));
    let mut crowd: Vec<Guest> = (0..guests).map(log_in).collect();
    play(&mut crowd);
    crowd
}

#[test]
fn twenty_thousand_names_change_at_once() {
    let server = Server::start(&["--irc-lines-per-second", "0"]);
    let address = server.address;
    let p99 = p99_of_a_bystander(address, move || {
        let mut crowd = crowd(address, 100);
        crowd.iter_mut().for_each(|guest| guest.say("JOIN #tea\r\n"));
        play(&mut crowd);
        for (n, guest) in crowd.iter_mut().enumerate() {
            let lines: String = (0..200).map(|change| format!("NICK n{n}x{change}\r\n")).collect();
            guest.say(&lines);
        }
        play(&mut crowd);
    });
    assert!(p99 < P99_MAX, "{p99:?}");
}

#[test]
fn two_thousand_come_into_a_room_and_leave_it_all_at_once() {
    let server = Server::start(&["--irc-lines-per-second", "0"]);
    let address = server.address;
    let p99 = p99_of_a_bystander(address, move || {
        let mut crowd = crowd(address, 2_000);
        for line in ["JOIN #tea\r\n", "PART #tea\r\n"] {
            crowd.iter_mut().for_each(|guest| guest.say(line));
            play(&mut crowd);
        }
    });
    assert!(p99 < P99_MAX, "{p99:?}");
}
