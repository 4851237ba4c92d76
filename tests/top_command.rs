//! `switchboard top` shows a running server: in place on a terminal, which is afterwards what it was; as lines for programs;
//! and once.

mod common;
#[path = "common/operator.rs"]
mod operator;
#[path = "common/running.rs"]
mod running;
#[path = "common/screen.rs"]
mod screen;

use common::{Client, SWITCHBOARD, Server};
use operator::CONFIG;
use running::Running;
use screen::Screen;
use std::process::{Command, Stdio};

fn open() -> Server {
    Server::start(&["--metrics-allow", "127.0.0.1"])
}

fn top(server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["top", &server.address.to_string()]).args(args).env_remove("SWITCHBOARD_PASSWORD");
    command
}

/// The status, and what was printed and complained about.
fn run(mut command: Command) -> (i32, String, String) {
    let output = command.stdin(Stdio::null()).output().expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("it ends"), text(output.stdout), text(output.stderr))
}

#[test]
fn once_it_is_a_table() {
    let server = open();
    let (mut ann, _bob) = (Client::login(server.address, "ann"), Client::login(server.address, "bob"));
    let room = ann.join("#tea");
    ann.say(room, "hello");
    let (status, table, complaint) = run(top(&server, &["--once"]));
    assert_eq!((status, &*complaint), (0, ""));
    assert!(table.starts_with(&format!("{}, up 00:", server.address)), "{table}");
    for part in ["connections 3 (1 before login)  users 2  rooms 1", "busy ", "a turn takes ", "closed: "] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let frames = table.lines().find(|line| line.starts_with("frames read")).expect("a row");
    assert_eq!(
        frames.split_whitespace().last(),
        Some("4"),
        "two hellos, a join, and what was said: {frames}"
    );
}

#[test]
fn for_programs_each_look_is_a_line() {
    let server = open();
    let mut ann = Client::login(server.address, "ann");
    let mut watching = Running::start("top", top(&server, &["--interval", "0.1"]));
    let heading = watching.stdout.next();
    let column = |name: &str| heading.split('\t').position(|other| other == name).expect("a column");
    let (users, frames) = (column("users"), column("frames/s"));
    for n in 0..3 {
        let line = watching.stdout.next();
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), heading.split('\t').count(), "{line}");
        assert!(cells.iter().all(|cell| cell.parse::<f64>().is_ok_and(|value| value >= 0.0)), "{line}");
        assert_eq!(cells[users], "1", "look {n}: {line}");
    }
    let room = ann.join("#tea");
    ann.say(room, "hello");
    watching.stdout.wait_until("a look with frames in it", |line| {
        line.split('\t').nth(frames).is_some_and(|cell| cell.parse::<f64>().is_ok_and(|rate| rate > 0.0))
    });
    drop(server);
    let gone = watching.stderr.wait_for("switchboard: ");
    assert!(gone.contains("cannot connect to") || gone.contains("is gone"), "{gone}");
    assert_eq!(watching.finish().code(), Some(1));
}

#[test]
fn an_operator_sees_the_same_without_metrics() {
    let server = Server::start(&CONFIG);
    let _ann = Client::login(server.address, "ann");
    let mut command = top(&server, &["--once", "--operator", "root"]);
    command.env("SWITCHBOARD_PASSWORD", "correct-horse");
    let (status, table, complaint) = run(command);
    assert_eq!((status, &*complaint), (0, ""));
    assert!(table.contains("connections 2 (0 before login)  users 2"), "{table}");
    assert!(table.contains("passwords checked") && table.contains("99 of 100 below"), "{table}");
}

#[test]
fn what_keeps_it_from_looking_is_one_sentence() {
    let server = Server::start(&CONFIG);
    let address = server.address.to_string();
    let (status, printed, complaint) = run(top(&server, &["--once"]));
    let expected = format!(
        "switchboard: {address} does not give its figures to this address: set metrics-allow there, or use --operator \
         NAME\n"
    );
    assert_eq!((status, &*printed, complaint), (1, "", expected));
    let mut wrong = top(&server, &["--once", "--operator", "root"]);
    wrong.env("SWITCHBOARD_PASSWORD", "wrong");
    let (status, _, complaint) = run(wrong);
    assert!(
        status == 1 && complaint.starts_with("switchboard: not taken for operator root: "),
        "{complaint}"
    );
    for bad in [&["--interval", "0"][..], &["--interval", "x"], &["--password-file", "x"]] {
        let (status, _, complaint) = run(top(&server, bad));
        assert!(status == 2 && complaint.lines().count() == 1, "{bad:?}: {complaint}");
    }
    drop(server);
    let mut nobody = Command::new(SWITCHBOARD);
    nobody.args(["top", &address, "--once"]);
    let (status, _, complaint) = run(nobody);
    assert!(status == 1 && complaint.contains("is a server running there?"), "{complaint}");
}

/// On a terminal, with the mode of that shown before and afterwards.
fn screen_of(server: &Server) -> Screen {
    let address = server.address;
    Screen::run(&format!(
        "echo before; stty -a > /dev/tty; {SWITCHBOARD} top {address} --interval 0.2; echo status $?; stty -a; read -r line"
    ))
}

/// The lines of `stty` before and after are the same, and what was there before is there again.
fn expect_as_before(screen: &Screen) {
    screen.wait("the terminal is as before", |lines| {
        let is_mode =
            |line: &&String| line.starts_with("isig ") || line.contains(" icanon ") || line.contains("echoe");
        let modes: Vec<&String> = lines.iter().filter(is_mode).collect();
        let half = modes.len() / 2;
        let is_back = lines.first().is_some_and(|line| line == "before");
        half > 0 && modes.len().is_multiple_of(2) && modes[..half] == modes[half..] && is_back
    });
}

#[test]
fn on_a_terminal_it_is_drawn_in_place_and_leaves_it_as_it_was() {
    for key in ["q", "C-c"] {
        let server = open();
        let screen = screen_of(&server);
        screen.wait_for_part("users 0");
        let first = screen.lines();
        assert!(first[0].starts_with(&format!("{}, up ", server.address)), "{first:?}");
        let _ann = Client::login(server.address, "ann");
        screen.wait_for_part("users 1");
        assert!(screen.lines()[0].starts_with(&format!("{}, up ", server.address)), "in the same place");
        screen.tmux(&["resize-window", "-x", "30", "-y", "6"]);
        screen.wait("it fits a smaller window", |lines| {
            lines.len() <= 6
                && lines.iter().all(|line| line.chars().count() <= 30)
                && lines[0].contains(", up ")
        });
        screen.tmux(&["resize-window", "-x", "100", "-y", "50"]);
        screen.wait_for_part("closed: ");
        screen.key(key);
        screen.wait_for("status 0");
        expect_as_before(&screen);
    }
}

#[test]
fn when_the_server_is_gone_it_ends_and_says_so() {
    let server = open();
    let screen = screen_of(&server);
    screen.wait_for_part("users 0");
    drop(server);
    screen.wait_for("status 1");
    screen.wait_for_part("switchboard: ");
    expect_as_before(&screen);
}
