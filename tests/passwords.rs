//! Who gives the right password comes in, whatever others do meanwhile: guess operators' passwords, or come all at once.

mod common;

use common::{PATIENCE, SWITCHBOARD, Server};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many come back at once when the server is there again.
const AT_ONCE: usize = 300;

struct Link(BufReader<TcpStream>);

impl Link {
    fn log_in(address: SocketAddr, name: &str, password: &str) -> Link {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let mut link = Link(BufReader::new(stream));
        link.send(&format!("PASS {password}\r\nNICK {name}\r\nUSER {name} 0 * :{name}\r\n"));
        link
    }

    fn send(&mut self, lines: &str) {
        self.0.get_mut().write_all(lines.as_bytes()).expect("the server reads");
    }

    /// The next line with one of these in it.
    #[track_caller]
    fn wait_for(&mut self, parts: &[&str]) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("a line") > 0, "the end came before {parts:?}");
            if parts.iter().any(|part| line.contains(part)) {
                return line;
            }
        }
    }
}

fn hash_of(password: &str) -> String {
    let mut child = Command::new(SWITCHBOARD)
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(password.as_bytes()).expect("a write");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

/// A server with a password, `secret`, and an operator of the same password.
fn serve(name: &str, more: &str) -> Server {
    let path = std::env::temp_dir().join(format!("switchboard-{}-{name}.toml", std::process::id()));
    let hash = hash_of("secret");
    let operator = format!("[[operators]]\nname = \"ann\"\npassword = \"{hash}\"\n");
    std::fs::write(&path, format!("password = \"{hash}\"\nirc-lines-per-second = 0\n{more}{operator}"))
        .expect("a file in the temporary directory");
    let server = Server::start(&["--config", path.to_str().expect("a path in UTF-8")]);
    std::fs::remove_file(&path).expect("the file was read");
    server
}

#[test]
fn all_who_come_at_once_get_in_while_somebody_guesses_the_passwords_of_operators() {
    // The guesser is not made to wait, so that there are guesses all the time.
    let server = serve("all-at-once", "oper-delay-seconds = 1e-9\n");
    let mut guesser = Link::log_in(server.address, "guesser", "secret");
    guesser.wait_for(&[" 001 "]);
    for n in 0..1_000 {
        guesser.send(&format!("OPER ann guess{n}\r\n"));
    }
    guesser.wait_for(&[" 464 "]);
    let mut guests: Vec<Link> =
        (0..AT_ONCE).map(|n| Link::log_in(server.address, &format!("guest{n}"), "secret")).collect();
    for guest in &mut guests {
        guest.wait_for(&[" 001 "]);
    }
}

#[test]
fn who_does_not_guess_waits_for_no_guesses() {
    let server = serve("guesses", "");
    let mut guesser = Link::log_in(server.address, "guesser", "secret");
    guesser.wait_for(&[" 001 "]);
    guesser.send("OPER ann guess\r\nOPER ann guess\r\n");
    guesser.wait_for(&[" 464 "]);
    let told = guesser.wait_for(&[" 263 ", " 464 "]);
    assert!(
        told.contains(" 263 guesser OPER :A wrong password came from your address; try again in "),
        "{told}"
    );
}

#[test]
fn time_does_not_tell_which_operators_there_are() {
    let server = serve("timing", "oper-delay-seconds = 1e-9\n");
    let mut guesser = Link::log_in(server.address, "guesser", "secret");
    guesser.wait_for(&[" 001 "]);
    let mut fastest = |name: &str| {
        let guess = |_| {
            let start = Instant::now();
            guesser.send(&format!("OPER {name} guess\r\n"));
            guesser.wait_for(&[" 464 "]);
            start.elapsed()
        };
        (0..5).map(guess).min().expect("some")
    };
    let (known, unknown) = (fastest("ann"), fastest("nobody"));
    assert!(unknown > known / 2, "an unknown one takes {unknown:?}, a known one {known:?}");
}
