//! The command line and the config file: what is right takes effect, what is wrong is one sentence and a failure.

mod common;

use common::{Client, SWITCHBOARD, Server, wait_for};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{Kind, RefusalCode};

/// How a command ended that was to end by itself.
struct Ended {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

fn run(args: &[&str]) -> Ended {
    let mut child = Command::new(SWITCHBOARD)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let status = wait_for(&mut child);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("UTF-8");
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    Ended { status, stdout, stderr }
}

/// Runs `serve` with something wrong: one line on stderr that holds all of `parts`, nothing on stdout, and a failure.
fn assert_refused(args: &[&str], parts: &[&str]) {
    let mut all = vec!["serve"];
    all.extend_from_slice(args);
    let Ended { status, stdout, stderr } = run(&all);
    assert!(matches!(status.code(), Some(1 | 2)), "{args:?}: {status}, {stderr}");
    assert_eq!(stdout, "", "{args:?}");
    assert_eq!(stderr.lines().count(), 1, "{args:?} takes one line, not:\n{stderr}");
    assert!(stderr.starts_with("switchboard: "), "{args:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{args:?} should say {part:?}: {stderr}");
    }
}

/// A config file of its own, gone when the test is over.
struct ConfigFile(PathBuf);

impl ConfigFile {
    fn new(name: &str, bytes: impl AsRef<[u8]>) -> ConfigFile {
        let path = std::env::temp_dir().join(format!("switchboard-{}-{name}.toml", std::process::id()));
        std::fs::write(&path, bytes).expect("a file in the temporary directory");
        ConfigFile(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_wrong_file_is_told_with_its_line() {
    let cases: [(&str, &[u8], &[&str]); 15] = [
        (
            "unknown-key",
            b"rooms-max = 1\n\nroms-max = 5\n",
            &["line 3: there is no setting roms-max; did you mean rooms-max?"],
        ),
        (
            "underscore",
            b"rooms_max = 5\n",
            &["line 1: there is no setting rooms_max; did you mean rooms-max?"],
        ),
        (
            "type",
            b"rooms-max = \"five\"\n",
            &["line 1: rooms-max must be a whole number, 0 or more, not \"five\""],
        ),
        ("negative", b"rooms-max = -5\n", &["line 1: rooms-max must be", "not -5"]),
        (
            "too-large",
            b"name-bytes-max = 256\n",
            &["line 1: name-bytes-max must be a whole number from 0 to 255, not 256"],
        ),
        ("no-time", b"login-seconds = 0\n", &["line 1: login-seconds must be a number of seconds", "not 0"]),
        (
            "address",
            b"listen = [\"localhost\"]\n",
            &["line 1: listen must be a list of addresses, such as [\"127.0.0.1:7667\"], not"],
        ),
        ("no-list", b"listen = \"127.0.0.1:1\"\n", &["line 1: listen must be a list", "not \"127.0.0.1:1\""]),
        (
            "text-for-time",
            b"\nlogin-seconds = \"5\"\n",
            &["line 2: login-seconds must be a number", "not \"5\""],
        ),
        ("far", b"colour = 1\n", &["line 1: there is no setting colour; `switchboard serve --help` lists"]),
        ("section", b"[limits]\nrooms-max = 5\n", &["line 1: there is no setting limits"]),
        ("syntax", b"rooms-max 5\n", &["line 1: "]),
        ("twice", b"rooms-max = 5\nrooms-max = 6\n", &["line 2: there is a second rooms-max"]),
        (
            "tables-twice",
            b"operators = []\nrooms-max = 5\n[[operators]]\nname = \"ann\"\n",
            &["line 3: ", "operators", "take out the line `operators = []`"],
        ),
        ("bytes", b"rooms-max = \xff\n", &["cannot read the config file", "UTF-8"]),
    ];
    for (name, bytes, parts) in cases {
        let file = ConfigFile::new(name, bytes);
        assert_refused(&["--config", file.path()], &[&[file.path()], parts].concat());
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    assert_refused(
        &["--config", "/nowhere/switchboard.toml"],
        &["cannot read the config file /nowhere/switchboard.toml", "No such file"],
    );
    let directory = std::env::temp_dir();
    let directory = directory.to_str().expect("a path in UTF-8");
    assert_refused(&["--config", directory], &["cannot read the config file", directory]);
}

#[test]
fn a_wrong_flag_is_told_with_what_would_be_right() {
    assert_refused(&["--rooms-max", "many"], &["many", "--rooms-max"]);
    assert_refused(&["--rooms-max=-1"], &["-1", "--rooms-max"]);
    assert_refused(&["--rooms-max", "-1"], &["'-1' for '--rooms-max <N>': it must be a whole number"]);
    assert_refused(&["--name-bytes-max", "300"], &["it must be a whole number from 0 to 255"]);
    assert_refused(&["--login-seconds", "0"], &["it must be a number of seconds, above 0"]);
    assert_refused(&["--login-seconds", "soon"], &["soon", "it must be a number of seconds"]);
    assert_refused(&["--listen", "localhost"], &["localhost", "an address looks like 127.0.0.1:7667"]);
    assert_refused(&["--listen", "127.0.0.1:99999"], &["an address looks like"]);
    assert_refused(&["--listen"], &["--listen"]);
    assert_refused(&["--roms-max", "1"], &["--roms-max", "--rooms-max"]);
    assert_refused(&["here"], &["here"]);
}

#[test]
fn settings_that_do_not_fit_together_are_told_by_name() {
    assert_refused(&["--queued-bytes-soft", "1000"], &["queued-bytes-soft is 1000; it must be at least"]);
    assert_refused(&["--queued-bytes-max", "1048575"], &["queued-bytes-max is 1048575; it must be at least"]);
    assert_refused(&["--text-bytes-max", "9000"], &["text-bytes-max is 9000; it can be at most"]);
    assert_refused(&["--connections-max", "0"], &["connections-max is 0; it must be at least 1"]);
    assert_refused(
        &["--read-bytes-per-turn-max", "1"],
        &["read-bytes-per-turn-max is 1; it must be at least"],
    );
    assert_refused(
        &["--occupants-per-room-max", "0"],
        &["occupants-per-room-max is 0; it must be at least 1"],
    );
    let file = ConfigFile::new("nowhere", "listen = []\n");
    assert_refused(&["--config", file.path()], &[file.path(), "there is no address to listen on"]);
    let file = ConfigFile::new("soft", "queued-bytes-soft = 1000\n");
    let parts = [file.path(), "and the flags over it: queued-bytes-soft is 1000"];
    assert_refused(&["--config", file.path(), "--rooms-max", "5"], &parts);
}

#[test]
fn no_number_is_large_enough_to_crash_on() {
    let huge = usize::MAX.to_string();
    assert_refused(&["--relays-per-user-max", &huge], &["queued-bytes-soft is 1048576; it must be at least"]);
    assert_refused(&["--high-water-bytes", &huge], &["queued-bytes-soft is 1048576; it must be at least"]);
    let all = ["--queued-bytes-soft", &huge, "--queued-bytes-max", &huge, "--read-bytes-per-turn-max", &huge];
    assert_refused(&all, &["read-bytes-per-turn-max is", "it can be at most"]);
    let mut args = Vec::new();
    for limit in
        ["connections", "accepts-per-turn", "frames-per-turn", "flush-bytes-per-turn", "queued-bytes"]
    {
        args.push(format!("--{limit}-max"));
        args.push(huge.clone());
    }
    for limit in
        ["rooms", "rooms-per-user", "occupants-per-room", "relays", "page-entries", "discarded-bytes"]
    {
        args.push(format!("--{limit}-max"));
        args.push(huge.clone());
    }
    for flag in ["login", "ping-after", "ping-timeout", "drain", "relay-answer", "slow-consumer-grace"] {
        args.push(format!("--{flag}-seconds"));
        args.push("1e9".to_owned());
    }
    let server = Server::start(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut alice = Client::login(server.address, "alice");
    let room = alice.join("#lobby");
    alice.send(room, &frame::Who { request: 9, after: "" });
    assert_eq!(alice.receive().kind(), Kind::Occupants);
    alice.send(0, &frame::ListRooms { request: 10, after: "" });
    assert_eq!(alice.receive().kind(), Kind::RoomList);
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("an address").to_string();
    assert_refused(
        &["--listen", &address],
        &["cannot listen on", &address, "another program", "--listen", "in use"],
    );
    assert_refused(&["--listen", "127.0.0.1:0", "--listen", &address], &["cannot listen on", &address]);
}

#[test]
fn an_address_of_another_machine_is_told() {
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has one of its addresses.
    assert_refused(&["--listen", "192.0.2.1:0"], &["cannot listen on 192.0.2.1:0", "no such address"]);
}

#[test]
fn it_listens_on_every_address_it_is_given_and_says_so() {
    let mut child = Command::new(SWITCHBOARD)
        .args([
            "serve",
            "--ephemeral",
            "--listen",
            "127.0.0.1:0",
            "--listen",
            "127.0.0.2:0",
            "--listen",
            "[::1]:0",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let addresses: Vec<std::net::SocketAddr> = lines
        .map_while(Result::ok)
        .take(3)
        .map(|line| {
            let address =
                line.strip_prefix("listening on ").and_then(|rest| rest.strip_suffix(" (TCP and UDP)"));
            address.and_then(|a| a.parse().ok()).unwrap_or_else(|| panic!("{line:?}"))
        })
        .collect();
    let ips: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    assert_eq!(ips, ["127.0.0.1", "127.0.0.2", "::1"]);
    let mut alice = Client::login(addresses[0], "alice");
    let mut bob = Client::login(addresses[1], "bob");
    let carol = Client::login(addresses[2], "carol");
    assert_eq!(alice.join("#lobby"), bob.join("#lobby"), "and it is one server");
    drop((alice, bob, carol));
    child.kill().expect("kill");
    child.wait().expect("wait");
}

#[test]
fn without_any_flag_it_listens_on_the_default_address() {
    let state = std::env::temp_dir().join(format!("switchboard-state-{}", std::process::id()));
    // Something else may have the port: then the complaint names the address.
    let mut child = Command::new(SWITCHBOARD)
        .arg("serve")
        .env("STATE_DIRECTORY", &state)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut said = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("UTF-8");
    let _ = child.kill();
    child.wait().expect("wait");
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
    let expected = ["listening on 127.0.0.1:7667 (TCP and UDP)", "cannot listen on 127.0.0.1:7667"];
    assert!(expected.iter().any(|e| said.contains(e)), "{said}");
    let _ = std::fs::remove_dir_all(state);
}

#[test]
fn the_help_has_every_option_of_the_file_with_its_default() {
    let Ended { status, stdout, stderr } = run(&["serve", "--help"]);
    assert!(status.success() && stderr.is_empty(), "{stderr}");
    let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/switchboard.toml");
    let file = std::fs::read_to_string(path).expect("the file");
    let mut options = 0;
    for line in file.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (key, default) = line.split_once(" = ").expect("key = value");
        let default =
            Some(default.trim_matches(['[', ']', '"'])).filter(|text| !text.is_empty()).unwrap_or("none");
        let is_there = words.contains(&format!("--{key} <")) || words.contains(&format!("--{key} [<"));
        assert!(is_there, "--{key} is not in the help:\n{stdout}");
        assert!(words.contains(&format!("[default: {default}]")), "{key}: no default {default}:\n{stdout}");
        options += 1;
    }
    assert!(options > 20, "the file has {options} options");
    for part in ["--config <FILE>", "TERM and INT", "HUP", "RUST_LOG", "IRC: --irc <", "[[operators]]"] {
        assert!(words.contains(part), "no {part} in the help:\n{stdout}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let Ended { status, stdout, stderr } = run(&["--version"]);
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout.trim_end(), concat!("switchboard ", env!("CARGO_PKG_VERSION")));
    let Ended { status, stdout, .. } = run(&["--help"]);
    assert!(status.success() && stdout.contains("serve"));
}

fn may_join(client: &mut Client, room: &str) -> bool {
    let request = client.next_request();
    client.send(0, &frame::Join { request, past: 0, room, password: "" });
    match client.receive().frame() {
        Frame::Joined(_) => true,
        Frame::Refused(refused) => {
            assert_eq!(refused.code, RefusalCode::RoomFull.number(), "{}", refused.text);
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_file_counts_and_a_flag_wins_over_it() {
    let file = ConfigFile::new("counts", "rooms-max = 1\ntext-bytes-max = 100\n");
    let server = Server::start(&["--config", file.path()]);
    let mut alice = Client::login(server.address, "alice");
    assert!(may_join(&mut alice, "#one") && !may_join(&mut alice, "#two"));

    let server = Server::start(&["--config", file.path(), "--rooms-max", "2"]);
    let mut alice = Client::connect(server.address);
    alice.hello("alice");
    let welcome = alice.receive();
    let Frame::Welcome(welcome) = welcome.frame() else { panic!("{welcome:?}") };
    assert_eq!(welcome.text_max, 100, "the rest of the file holds");
    assert!(may_join(&mut alice, "#one") && may_join(&mut alice, "#two") && !may_join(&mut alice, "#three"));
}

#[test]
fn the_flag_that_wins_still_wins_after_a_reload() {
    let file = ConfigFile::new("reload-flag", "rooms-max = 1\n");
    let server = Server::start(&["--config", file.path(), "--rooms-max", "2"]);
    std::fs::write(&file.0, "rooms-max = 50\n").expect("a write");
    server.signal("HUP");
    server.wait_for_log("settings reloaded");
    let mut alice = Client::login(server.address, "alice");
    assert!(may_join(&mut alice, "#one") && may_join(&mut alice, "#two") && !may_join(&mut alice, "#three"));
}

#[test]
fn what_the_server_says_of_itself_is_told_when_it_cannot_be_said() {
    assert_refused(
        &["--motd-file", "/nowhere/motd"],
        &["cannot read the motd-file /nowhere/motd: No such file"],
    );
    let long = ConfigFile::new("motd-long", "x".repeat(8_193));
    assert_refused(&["--motd-file", long.path()], &[long.path(), "it is longer than 8192 bytes"]);
    let wide = ConfigFile::new("motd-wide", format!("fine\n{}\n", "x".repeat(401)));
    assert_refused(&["--motd-file", wide.path()], &[wide.path(), "line 2: a line has at most 400 bytes"]);
    let bytes = ConfigFile::new("motd-bytes", b"\xff");
    assert_refused(&["--motd-file", bytes.path()], &[bytes.path(), "UTF-8"]);
    assert_refused(&["--server-name", "here"], &["server-name is \"here\"; it must be like a host's"]);
    assert_refused(&["--network-name", "two words"], &["network-name is \"two words\"; it must be one word"]);
    assert_refused(&["--cloak-key", "a"], &["cloak-key has 1 bytes", "`openssl rand -hex 32`"]);
    assert_refused(&["--room-name-bytes-max", "255"], &["room-name-bytes-max 255", "name-bytes-max is 32"]);
    assert_refused(&["--password", "secret"], &["password is no hash of one; `switchboard hash-password`"]);
    assert_refused(&["--irc-lines-burst", "0"], &["irc-lines-burst is 0; it must be at least 1"]);
    assert_refused(&["--irc-held-bytes-max", "100"], &["irc-held-bytes-max is 100; it must be at least"]);
    for (name, line, part) in [
        ("none", "", "operator ann has no password; `switchboard hash-password` makes one"),
        ("other", "passwort = \"x\"", "line 3: an operator has no setting passwort; did you mean password?"),
        ("far", "colour = 1", "line 3: an operator has no setting colour; it has name, password, host"),
        ("type", "password = 5", "line 3: password of an operator must be a text in quotation marks, not 5"),
    ] {
        let file =
            ConfigFile::new(&format!("operator-{name}"), format!("[[operators]]\nname = \"ann\"\n{line}\n"));
        assert_refused(&["--config", file.path()], &[file.path(), part]);
    }
    let file = ConfigFile::new("operators", "operators = 5\n");
    assert_refused(&["--config", file.path()], &[file.path(), "line 1", "operators must be tables"]);
}

#[test]
fn a_message_of_the_day_that_goes_wrong_later_changes_nothing() {
    let motd = ConfigFile::new("motd", "Welcome.\n");
    let server = Server::start(&["--config", "docs/switchboard.toml", "--motd-file", motd.path()]);
    std::fs::write(&motd.0, "x".repeat(500)).expect("a write");
    server.signal("HUP");
    let line = server.wait_for_log("settings not reloaded");
    assert!(line.contains(motd.path()) && line.contains("line 1: "), "{line}");
    std::fs::write(&motd.0, "Welcome again.\n").expect("a write");
    server.signal("HUP");
    server.wait_for_log("settings reloaded");
}

/// Runs `hash-password` with this on its standard input.
fn hash_password(input: &str) -> Ended {
    let mut child = Command::new(SWITCHBOARD)
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("a write");
    let status = wait_for(&mut child);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("UTF-8");
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    Ended { status, stdout, stderr }
}

#[test]
fn the_hash_of_a_password_is_one_that_the_config_takes() {
    let Ended { status, stdout, stderr } = hash_password("correct horse\n");
    assert!(status.success(), "{stderr}");
    let hash = stdout.trim_end();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_ne!(stdout, hash_password("correct horse\n").stdout, "another salt each time");
    let file = format!(
        "password = \"{hash}\"\n[[operators]]\nname = \"ann\"\npassword = \"{hash}\"\nhost = \"127.*\"\n"
    );
    let file = ConfigFile::new("hashes", file);
    let server = Server::start(&["--config", file.path()]);
    let who_says = |password: &str| {
        let mut link = TcpStream::connect(server.address).expect("the server accepts");
        let lines = format!("PASS :{password}\r\nNICK alice\r\nUSER alice 0 * :Alice\r\nQUIT\r\n");
        link.write_all(lines.as_bytes()).expect("the server reads");
        let mut said = String::new();
        link.read_to_string(&mut said).expect("it hangs up in the end");
        said
    };
    assert!(who_says("correct horse").contains(" 001 alice "));
    let wrong = who_says("battery staple");
    assert!(wrong.contains(" 464 ") && !wrong.contains(" 001 "), "{wrong}");
    for empty in ["", "\n", "\u{7}\n"] {
        let Ended { status, stdout, stderr } = hash_password(empty);
        assert!(!status.success() && stdout.is_empty() && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn nobody_has_to_read_what_it_says() {
    // The port has to be known beforehand: one that was free a moment ago, on an address that nobody else takes.
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = {
        let probe = TcpListener::bind((std::net::Ipv4Addr::new(127, 77, high, low), 0)).expect("a port");
        probe.local_addr().expect("an address")
    };
    let mut child = Command::new(SWITCHBOARD)
        .args(["serve", "--ephemeral", "--listen", &address.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    drop((child.stdout.take(), child.stderr.take()));
    common::eventually("it listens", || {
        assert_eq!(child.try_wait().expect("wait"), None, "it runs on");
        std::net::TcpStream::connect(address).is_ok()
    });
    let mut alice = Client::login(address, "alice");
    alice.join("#lobby");
    let hup = Command::new("kill").args(["-HUP", &child.id().to_string()]).status().expect("kill runs");
    assert!(hup.success());
    alice.round_trip();
    let term = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(term.success());
    assert_eq!(alice.receive().kind(), Kind::Bye);
    drop(alice);
    assert_eq!(wait_for(&mut child).code(), Some(0));
}
