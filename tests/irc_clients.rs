//! The clients that people have: irssi, WeeChat, and a library for bots. Each of them registers, joins, talks both ways
//! with a native client, changes its nick, parts and quits, and what it shows is what happened.
//!
//! Without irssi, WeeChat and Python's `irc` these tests fail.

mod common;
#[path = "common/running.rs"]
mod running;
#[path = "common/screen.rs"]
mod screen;

use common::{Client, Received, Server};
use running::Running;
use screen::Screen;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use switchboard::wire::Kind;
use switchboard::wire::frame::{Frame, Tell};

/// A directory of its own for a client's files, gone at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> Home {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("switchboard-client-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Home(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Fails with a sentence where the program is not there.
fn need(program: &str) {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "these tests need {program}; install it");
}

/// Carol, over native frames, in the lobby.
struct Carol {
    client: Client,
    lobby: u32,
}

impl Carol {
    fn enter(server: &Server) -> Carol {
        let mut client = Client::login(server.address, "carol");
        let lobby = client.join("#lobby");
        Carol { client, lobby }
    }

    fn hears(&mut self, kind: Kind) -> Received {
        self.client.receive_kind(kind)
    }

    fn hears_said(&mut self, who: &str, words: &str) {
        let received = self.hears(Kind::Said);
        let Frame::Said(said) = received.frame() else { panic!("{received:?}") };
        assert_eq!((said.by, said.text), (who, words));
    }

    fn hears_told(&mut self, who: &str, words: &str) {
        let received = self.hears(Kind::Told);
        let Frame::Told(told) = received.frame() else { panic!("{received:?}") };
        assert_eq!((told.from, told.text), (who, words));
    }

    fn sees_entering(&mut self, who: &str) {
        let received = self.hears(Kind::Entered);
        let Frame::Entered(entered) = received.frame() else { panic!("{received:?}") };
        assert_eq!(entered.who, who);
    }

    fn sees_leaving(&mut self, who: &str) -> String {
        let received = self.hears(Kind::Left);
        let Frame::Left(left) = received.frame() else { panic!("{received:?}") };
        assert_eq!(left.who, who);
        left.text.to_owned()
    }

    fn says(&mut self, words: &str) {
        self.client.say(self.lobby, words);
    }

    fn tells(&mut self, to: &str, words: &str) {
        let request = self.client.next_request();
        self.client.send(0, &Tell { request, to, text: words });
    }
}

/// What every client does once it is connected and has joined; `screen` shows it to a person. `turn_to` is the client's
/// own command to show another conversation.
fn talk_as(screen: &Screen, carol: &mut Carol, turn_to: &str) {
    carol.sees_entering("alice");
    screen.wait_for_part("carol");
    screen.enter("hello from here");
    carol.hears_said("alice", "hello from here");
    carol.says("hello back");
    screen.wait_for_part("hello back");
    screen.enter("/msg carol between us");
    carol.hears_told("alice", "between us");
    carol.tells("alice", "indeed");
    screen.enter(&format!("{turn_to} carol"));
    screen.wait_for_part("indeed");
    screen.enter(&format!("{turn_to} #lobby"));
    screen.wait_for_part("hello back");
    screen.enter("/nick alicia");
    carol.hears(Kind::Renamed);
    screen.wait_for_part("alicia");
    screen.enter("/say as somebody else");
    carol.hears_said("alicia", "as somebody else");
    screen.enter("/topic #lobby What we talk about");
    let received = carol.hears(Kind::Subject);
    let Frame::Subject(subject) = received.frame() else { panic!("{received:?}") };
    assert_eq!((subject.by, subject.text), ("alicia", "What we talk about"));
    screen.wait_for_part("What we talk about");
    screen.enter("/part #lobby enough");
    carol.sees_leaving("alicia");
    screen.enter("/join #lobby");
    carol.sees_entering("alicia");
    screen.enter("/quit so long");
    assert!(carol.sees_leaving("alicia").contains("so long"));
}

#[test]
fn irssi() {
    need("irssi");
    let server = Server::start(&[]);
    let (home, port) = (Home::new(), server.address.port());
    let mut carol = Carol::enter(&server);
    let home = home.0.display();
    let screen = Screen::run(&format!(
        "irssi --home={home} -c 127.0.0.1 -p {port} -n alice; echo irssi is through; read x"
    ));
    screen.wait_for_part("Mode change [+i]");
    screen.enter("/join #lobby");
    talk_as(&screen, &mut carol, "/window goto");
    screen.wait_for_part("irssi is through");
}

#[test]
fn weechat() {
    need("weechat");
    let server = Server::start(&[]);
    let (home, port) = (Home::new(), server.address.port());
    let mut carol = Carol::enter(&server);
    let home = home.0.display();
    // As README has it.
    let line =
        format!("weechat -d {home} 'irc://alice@127.0.0.1:{port}/#lobby'; echo weechat is through; read x");
    let screen = Screen::run(&line);
    talk_as(&screen, &mut carol, "/buffer");
    screen.wait_for_part("weechat is through");
}

/// Makes an account of the name alice, and is gone.
fn register_alice(server: &Server) {
    let mut stream = TcpStream::connect(server.address).expect("the server accepts");
    let lines = "NICK alice\r\nUSER alice 0 * :Alice\r\nREGISTER * * sesame\r\nQUIT\r\n";
    stream.write_all(lines.as_bytes()).expect("the server reads");
    let mut told = String::new();
    stream.read_to_string(&mut told).expect("text");
    assert!(told.contains(" REGISTER SUCCESS alice "), "{told}");
}

/// Whoever is called alice has given her password: the name is reserved.
fn comes_in_as_alice(screen: &Screen, carol: &mut Carol) {
    carol.sees_entering("alice");
    screen.enter("/quit");
    screen.wait_for_part("is through");
}

#[test]
fn irssi_logs_in_by_plain() {
    need("irssi");
    let server = Server::start(&[]);
    register_alice(&server);
    let (home, port) = (Home::new(), server.address.port());
    let mut carol = Carol::enter(&server);
    let config = format!(
        "servers = ( {{ address = \"127.0.0.1\"; port = \"{port}\"; chatnet = \"here\"; autoconnect = \"yes\"; }} );\n\
         chatnets = {{ here = {{ type = \"IRC\"; nick = \"alice\"; sasl_mechanism = \"PLAIN\"; \
         sasl_username = \"alice\"; sasl_password = \"sesame\"; }}; }};\n\
         channels = ( {{ name = \"#lobby\"; chatnet = \"here\"; autojoin = \"yes\"; }} );\n"
    );
    std::fs::write(home.0.join("config"), config).expect("a file");
    let screen = Screen::run(&format!("irssi --home={}; echo irssi is through; read x", home.0.display()));
    comes_in_as_alice(&screen, &mut carol);
}

fn weechat_logs_in_by(mechanism: &str) {
    need("weechat");
    let server = Server::start(&[]);
    register_alice(&server);
    let (home, address) = (Home::new(), server.address);
    let (ip, port) = (address.ip(), address.port());
    let mut carol = Carol::enter(&server);
    let add = format!(
        "/server add here {ip}/{port} -nicks=alice -autojoin=#lobby -sasl_mechanism={mechanism} \
         -sasl_username=alice -sasl_password=sesame"
    );
    let home = home.0.display();
    // Later versions expect TLS unless they are told; this one does not know the option.
    let plain = "/set irc.server_default.tls off";
    let line = format!(
        "weechat -d {home} -r '{plain}' -r '{add}' -r '/connect here'; echo weechat is through; read x"
    );
    comes_in_as_alice(&Screen::run(&line), &mut carol);
}

#[test]
fn weechat_logs_in_by_plain() {
    weechat_logs_in_by("plain");
}

#[test]
fn weechat_logs_in_by_scram() {
    weechat_logs_in_by("scram-sha-256");
}

/// A bot of few lines, made with Python's `irc`: it says what happens to it, and does what carol tells it.
const BOT: &str = r##"
import sys, irc.bot
class Bot(irc.bot.SingleServerIRCBot):
    def __init__(self, port):
        super().__init__([("127.0.0.1", port)], "alice", "A bot")
    def tell(self, *what):
        print(*what, flush=True)
    def on_welcome(self, link, event):
        self.tell("welcome", event.target)
        link.join("#lobby")
    def on_endofnames(self, link, event):
        self.tell("names", *sorted(self.channels["#lobby"].users()))
    def on_nick(self, link, event):
        self.tell("nick", event.source.nick, event.target)
    def on_pubmsg(self, link, event):
        self.tell("public", event.source.nick, event.arguments[0])
        link.privmsg(event.target, "heard: " + event.arguments[0])
    def on_privmsg(self, link, event):
        self.tell("private", event.source.nick, event.arguments[0])
        verb, _, rest = event.arguments[0].partition(" ")
        if verb == "nick":
            link.nick(rest)
        elif verb == "part":
            link.part("#lobby")
        elif verb == "quit":
            link.quit(rest)
    def on_part(self, link, event):
        self.tell("part", event.source.nick)
        link.privmsg("carol", "parted")
    def on_disconnect(self, link, event):
        self.tell("disconnected")
        sys.exit(0)
    def on_error(self, link, event):
        self.tell("error")
Bot(int(sys.argv[1])).start()
"##;

#[test]
fn a_bot_made_with_a_library() {
    let has_library = Command::new("/usr/bin/python3").args(["-c", "import irc.bot"]).status();
    assert!(
        has_library.is_ok_and(|status| status.success()),
        "this test needs Debian's python3-irc; install it"
    );
    let server = Server::start(&[]);
    let mut carol = Carol::enter(&server);
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", BOT, &server.address.port().to_string()]);
    let mut bot = Running::start("bot", command);
    let mut expect = |line: &str| drop(bot.stdout.wait_until(line, |told| told == line));
    expect("welcome alice");
    carol.sees_entering("alice");
    expect("names alice carol");
    carol.says("is anybody here?");
    expect("public carol is anybody here?");
    carol.hears_said("alice", "heard: is anybody here?");
    carol.tells("alice", "nick alicia");
    expect("nick alice alicia");
    carol.hears(Kind::Renamed);
    carol.tells("alicia", "part");
    carol.sees_leaving("alicia");
    expect("part alicia");
    carol.hears_told("alicia", "parted");
    carol.tells("alicia", "quit so long");
    expect("disconnected");
}
