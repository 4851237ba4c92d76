//! `--capture` writes down what was read and written, and how connections came and went; tshark understands all of it and
//! has nothing to complain about.

#[path = "common/captured.rs"]
mod captured;
mod common;
#[path = "common/kept.rs"]
mod kept;

use captured::{complaints, followed, remarks, rows, stream_of, tshark};
use common::{Client, SWITCHBOARD, Server, eventually, open_relay, wait_for};
use kept::Directory;
use socket2::SockRef;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use switchboard::wire::frame::{self, Data};
use switchboard::wire::{Flags, Kind, header};

/// A server that captures, and its file.
fn capturing(directory: &Directory, args: &[&str]) -> (Server, PathBuf) {
    let file = directory.path().join("all.pcapng");
    let path = file.to_str().expect("a path in UTF-8").to_owned();
    (Server::start(&[&["--capture", &path, "--drain-seconds", "1"], args].concat()), file)
}

/// Stops the server, which finishes its capture.
fn stop(mut server: Server) {
    server.signal("TERM");
    server.wait();
}

/// A connection that keeps what goes through it.
struct Kept {
    stream: TcpStream,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Kept {
    fn connect(address: SocketAddr) -> Kept {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(common::PATIENCE)).expect("a time-out");
        Kept { stream, sent: Vec::new(), received: Vec::new() }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
        self.sent.extend_from_slice(bytes);
    }

    fn read_until(&mut self, end: &str) {
        while !self.received.windows(end.len()).any(|part| part == end.as_bytes()) {
            assert!(self.read() > 0, "the end came before {end}");
        }
    }

    fn read(&mut self) -> usize {
        let mut bytes = [0; 65_536];
        let n = self.stream.read(&mut bytes).expect("a read");
        self.received.extend_from_slice(&bytes[..n]);
        n
    }

    fn port(&self) -> u16 {
        self.stream.local_addr().expect("an address").port()
    }
}

#[track_caller]
fn assert_clean(file: &Path) {
    assert_eq!(complaints(file), Vec::<String>::new());
}

#[test]
fn a_conversation_is_what_was_said() {
    let directory = Directory::new("captured-conversation");
    let (server, file) = capturing(&directory, &[]);
    let (mut ann, mut bob) = (Kept::connect(server.address), Kept::connect(server.address));
    for (who, name) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        for piece in ["NI", "CK ", name, "\r\nUSER x 0 * :x\r", "\n", "JOIN #tea\r\n"] {
            who.send(piece.as_bytes());
        }
        who.read_until(" 366 ");
    }
    for n in 0..10 {
        ann.send(format!("PRIVMSG #tea :cup {n}\r\n").as_bytes());
    }
    bob.read_until("cup 9");
    for who in [&mut ann, &mut bob] {
        who.send(b"QUIT :bye\r\n");
        while who.read() > 0 {}
    }
    let ports = [(ann.port(), &ann), (bob.port(), &bob)];
    let expected = ports.map(|(port, who)| (port, who.sent.clone(), who.received.clone()));
    drop((ann, bob));
    stop(server);
    assert_clean(&file);
    for (port, sent, received) in expected {
        let (said, heard) = followed(&file, stream_of(&file, port));
        assert_eq!(
            (String::from_utf8_lossy(&said), String::from_utf8_lossy(&heard)),
            (String::from_utf8_lossy(&sent), String::from_utf8_lossy(&received))
        );
    }
    assert!(remarks(&file).iter().any(|remark| remark == "c0.1: connected"));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&file).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "it is nobody else's");
}

#[test]
fn much_at_once_is_cut_into_segments_and_a_socket_that_takes_no_more_is_told() {
    let directory = Directory::new("captured-much");
    let (server, file) =
        capturing(&directory, &["--send-buffer-bytes", "8192", "--high-water-bytes", "65536"]);
    let mut ann = Client::login(server.address, "ann");
    let mut bob = Client::login(server.address, "bob");
    let relay = open_relay(&mut ann, &mut bob, "bob");
    let mut payload = Vec::new();
    for n in 0..400_u32 {
        header::put(&mut payload, Flags::NONE, relay, &Data { payload: &[n as u8; 30_000] });
    }
    let (ann_port, bob_port) =
        (ann.stream.local_addr().expect("one").port(), bob.stream.local_addr().expect("one").port());
    let mut writer = ann.stream.try_clone().expect("a clone");
    let sent = payload.clone();
    let writing = std::thread::spawn(move || writer.write_all(&payload).expect("the server reads"));
    // Nothing is read until the server has had to stop reading ann: 12 MB do not fit into the buffers on the way.
    eventually("the server waits for bob", || {
        let written = std::fs::metadata(&file).map_or(0, |file| file.len());
        std::thread::sleep(Duration::from_millis(200)); // what is written in that time is looked at
        written > 100_000 && std::fs::metadata(&file).is_ok_and(|file| file.len() == written)
    });
    for _ in 0..400 {
        bob.receive_kind(Kind::Data);
    }
    writing.join().expect("all was sent");
    drop((ann, bob));
    stop(server);
    assert_clean(&file);
    let (said, _) = followed(&file, stream_of(&file, ann_port));
    assert!(said.ends_with(&sent), "what ann said");
    let (_, heard) = followed(&file, stream_of(&file, bob_port));
    assert!(heard.windows(sent.len()).any(|part| part == sent), "what bob heard");
    let remarks = remarks(&file).join("\n");
    for part in [
        "a partial write: the socket took ",
        " µs (EAGAIN)",
        " µs, until what is queued for whom it sends to is less",
    ] {
        assert!(remarks.contains(part), "{part}: {remarks}");
    }
    let long = rows(&file, "tcp.len > 65495", ["tcp.len"]);
    assert!(long.is_empty(), "{long:?}");
}

/// Flags of what comes from a port and goes to it, one letter each; data is not among them.
fn course(file: &Path, port: u16) -> Vec<(bool, String)> {
    let filter = format!("tcp.port == {port} && tcp.len == 0");
    let fields = ["tcp.srcport", "tcp.flags.syn", "tcp.flags.fin", "tcp.flags.reset", "tcp.flags.ack"];
    let letters = |[from, syn, fin, reset, ack]: [String; 5]| {
        let all = [(syn, 'S'), (fin, 'F'), (reset, 'R'), (ack, 'A')];
        let set = all.iter().filter(|(flag, _)| flag == "1" || flag == "True").map(|(_, letter)| *letter);
        (from == port.to_string(), set.collect())
    };
    rows(file, &filter, fields).into_iter().map(letters).collect()
}

#[test]
fn ends_are_shown_as_they_came() {
    let directory = Directory::new("captured-ends");
    let (server, file) = capturing(&directory, &[]);
    let greet = |client: &mut Kept, name: &str| {
        client.send(format!("NICK {name}\r\nUSER x 0 * :x\r\n").as_bytes());
        client.read_until(" 422 ");
    };
    // Says that it is done, and then reads.
    let mut half = Kept::connect(server.address);
    greet(&mut half, "half");
    half.stream.shutdown(Shutdown::Write).expect("a shutdown");
    while half.read() > 0 {}
    // Is told goodbye first.
    let mut quit = Kept::connect(server.address);
    greet(&mut quit, "quit");
    quit.send(b"QUIT\r\n");
    while quit.read() > 0 {}
    let (half_port, quit_port) = (half.port(), quit.port());
    drop((half, quit));
    // Breaks off.
    let mut reset = Kept::connect(server.address);
    greet(&mut reset, "reset");
    let reset_port = reset.port();
    SockRef::from(&reset.stream).set_linger(Some(Duration::ZERO)).expect("an option");
    drop(reset);
    let mut last = Kept::connect(server.address);
    greet(&mut last, "reset"); // once the name is free, or another one is asked for
    stop(server);

    let flags = |from_client: bool, flags: &str| (from_client, flags.to_owned());
    let begin = [flags(true, "S"), flags(false, "SA"), flags(true, "A")];
    let end = |first: bool| [flags(first, "FA"), flags(!first, "A"), flags(!first, "FA"), flags(first, "A")];
    assert_eq!(course(&file, half_port), [&begin[..], &end(true)].concat());
    assert_eq!(course(&file, quit_port), [&begin[..], &end(false)].concat());
    assert_eq!(course(&file, reset_port), [&begin[..], &[flags(true, "RA")]].concat());
    assert!(complaints(&file).iter().all(|complaint| complaint.contains("Connection reset (RST)")));
}

#[test]
fn those_who_are_turned_away_are_in_it() {
    let directory = Directory::new("captured-crowd");
    let (server, file) = capturing(&directory, &["--connections-max", "1"]);
    let crowd: Vec<Kept> = (0..8).map(|_| Kept::connect(server.address)).collect();
    let mut last = Kept::connect(server.address);
    last.read_until("full");
    let port = last.port();
    drop((crowd, last));
    stop(server);
    let (_, told) = followed(&file, stream_of(&file, port));
    assert!(String::from_utf8_lossy(&told).contains("the server is full"));
    assert!(remarks(&file).iter().any(|remark| remark == "turned away: connected"));
}

#[test]
fn datagrams_are_in_it_at_both_ends_and_the_addresses_are_the_real_ones() {
    for listen in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        let directory = Directory::new(&format!("captured-datagrams-{}", listen.len()));
        let server_file = directory.path().join("server.pcapng");
        let chat_file = directory.path().join("chat.pcapng");
        let mut command = Command::new(SWITCHBOARD);
        command
            .args(["serve", "--listen", listen, "--ephemeral", "--drain-seconds", "1", "--capture"])
            .arg(&server_file);
        let server = Server::spawn(command);
        let port = server.address.port();
        let to =
            if listen.starts_with("[::1]") { format!("[::1]:{port}") } else { format!("127.0.0.1:{port}") };
        let mut bob = Client::login(to.parse().expect("an address"), "bob");
        bob.join("#tea");
        let mut chat = Command::new(SWITCHBOARD);
        chat.args(["chat", &to, "--nick", "ann", "--room", "#tea", "--udp", "--capture"]).arg(&chat_file);
        let mut chat = chat.stdin(Stdio::piped()).spawn().expect("chat starts");
        let mut stdin = chat.stdin.take().expect("stdin is piped");
        bob.receive_kind(Kind::Entered);
        eventually("datagrams flow", || {
            stdin.write_all(b"hello there\n").expect("chat reads");
            bob.receive_kind(Kind::Said);
            std::fs::read(&server_file).is_ok_and(|all| {
                let sealed = all.windows(11).filter(|part| part == b"hello there").count();
                sealed > 0 && all.windows(2).any(|part| part == [0xcb, 0]) // a sealed frame
            })
        });
        drop(stdin);
        assert!(wait_for(&mut chat).success());
        bob.receive_kind(Kind::Left);
        bob.send(0, &frame::Bye { code: 0, text: "" });
        bob.receive_all();
        drop(bob);
        stop(server);
        let ip = if listen.starts_with("[::1]") { "ipv6" } else { "ip" };
        let fields =
            [&format!("{ip}.src"), "udp.srcport", &format!("{ip}.dst"), "udp.dstport", "udp.payload"];
        let (at_server, at_chat) = (rows(&server_file, "udp", fields), rows(&chat_file, "udp", fields));
        assert!(!at_server.is_empty(), "{listen}");
        assert_eq!(sorted(at_server), sorted(at_chat), "{listen}");
        for file in [&server_file, &chat_file] {
            assert_clean(file);
        }
        let (said, heard) = followed(&chat_file, 0);
        let chat_port =
            rows(&chat_file, "tcp.flags.syn == 1", ["tcp.srcport"])[0][0].parse().expect("a port");
        let seen = followed(&server_file, stream_of(&server_file, chat_port));
        assert!(seen == (said, heard), "both ends have seen the same: {listen}");
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

#[test]
fn the_direct_path_of_a_chat_is_in_its_capture() {
    let directory = Directory::new("captured-direct");
    let server = Server::start(&[]);
    let files = ["ann", "bob"].map(|name| directory.path().join(format!("{name}.pcapng")));
    let start = |name: &str, file: &Path, args: &[&str]| {
        let mut command = Command::new(SWITCHBOARD);
        command.args(["chat", &server.address.to_string(), "--nick", name, "--path", "direct"]);
        command.args(["--share-addresses", "always", "--capture"]).arg(file).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("chat starts")
    };
    let mut bob = start("bob", &files[1], &["--take-calls"]);
    let mut look = Client::login(server.address, "looker");
    eventually("bob is here", || {
        let request = look.next_request();
        look.send(0, &frame::Lookup { request, name: "bob" });
        look.receive().kind() == Kind::Peer
    });
    let mut ann = start("ann", &files[0], &["--call", "bob"]);
    ann.stdin.take().expect("stdin is piped").write_all(b"hello there, bob\n").expect("chat reads");
    assert!(wait_for(&mut ann).success());
    drop(bob.stdin.take());
    bob.wait().expect("it ends");
    for file in &files {
        let text = std::fs::read(file).expect("a capture");
        assert!(text.windows(16).any(|part| part == b"hello there, bob"), "{file:?}");
        assert_eq!(tshark(file, &["-Y", "tcp.checksum.status == 0 || udp.checksum.status == 0"]), "");
    }
    for (file, names) in files.iter().zip([["server", "peer"], ["server", "peer"]]) {
        let remarks = remarks(file).join("\n");
        assert!(names.iter().all(|name| remarks.contains(&format!("{name}: connected"))), "{remarks}");
    }
}

#[test]
fn two_who_chat_without_a_server_capture_the_same() {
    let directory = Directory::new("captured-alone");
    let files = ["ann", "bob"].map(|name| directory.path().join(format!("{name}.pcapng")));
    let start = |name: &str, file: &Path, args: &[&str]| {
        let mut command = Command::new(SWITCHBOARD);
        command.args(["chat", "--nick", name]).args(args).arg("--capture").arg(file).env("RUST_LOG", "warn");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("chat starts")
    };
    let mut bob = start("bob", &files[1], &["--listen", "127.0.0.1:0"]);
    let mut lines = BufReader::new(bob.stderr.take().expect("stderr is piped")).lines();
    let told = lines.next().expect("a line").expect("text");
    let address = told.rsplit(' ').next().expect("an address").to_owned();
    let rest = std::thread::spawn(move || lines.for_each(drop));
    let mut ann = start("ann", &files[0], &["--peer", &address]);
    ann.stdin.take().expect("stdin is piped").write_all(b"hello there, bob\n").expect("chat reads");
    drop(bob.stdin.take());
    assert!(wait_for(&mut ann).success() && wait_for(&mut bob).success());
    rest.join().expect("bob's notices");
    let [ann, bob] = files.map(|file| followed(&file, 0));
    assert!(ann.0.windows(16).any(|part| part == b"hello there, bob"));
    assert!(ann == bob, "both ends have seen the same");
}

#[test]
fn a_server_that_is_killed_leaves_a_capture_that_opens() {
    let directory = Directory::new("captured-killed");
    let (mut server, file) = capturing(&directory, &[]);
    let mut ann = Client::login(server.address, "ann");
    let tea = ann.join("#tea");
    let holds = |file: &Path, text: &[u8]| {
        std::fs::read(file).is_ok_and(|all| all.windows(text.len()).any(|part| part == text))
    };
    for n in 0..200 {
        ann.say(tea, &format!("cup {n}"));
    }
    eventually("it is written", || holds(&file, b"cup 199"));
    server.child.kill().expect("it can be killed");
    server.wait();
    assert_clean(&file);
}
