//! `GET /metrics`: the server's figures for Prometheus, for those addresses that may have them, and nothing else over HTTP.

mod common;
#[path = "common/figures.rs"]
mod figures;
#[path = "common/irc.rs"]
mod irc;
#[path = "common/operator.rs"]
mod operator;

use common::{Client, Server, eventually};
use figures::{answer, end_of, parse, parts, scrape, value};
use irc::Link;
use operator::{CONFIG, admin_of, connect_from};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use switchboard::server::figures::{ALL, Kind};
use switchboard::wire::frame;

const ASK: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: switchboard\r\n\r\n";

fn open() -> Server {
    Server::start(&["--metrics-allow", "127.0.0.1"])
}

#[test]
fn every_figure_is_there_and_the_format_is_kept() {
    let server = open();
    let families = scrape(server.address);
    for figure in ALL {
        let total = if figure.kind == Kind::Counter { "_total" } else { "" };
        let name = format!("switchboard_{}{total}", figure.name.replace('-', "_"));
        let family = families.get(&name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(family.help, figure.help);
        assert_eq!(family.kind, format!("{:?}", figure.kind).to_lowercase());
    }
    assert_eq!(families.len(), ALL.len(), "and no other");
}

#[test]
fn what_happens_is_counted() {
    let server = open();
    let mut ann = Client::login(server.address, "ann");
    let mut bob = Client::login(server.address, "bob");
    let (room, _) = (ann.join("#tea"), bob.join("#tea"));
    let mut carol = Link::log_in(server.address, "carol", "");
    carol.send("JOIN #tea\r\n");
    carol.told();
    let before = scrape(server.address);
    for _ in 0..10 {
        ann.say(room, "hello");
    }
    carol.send("PRIVMSG #tea :hello\r\n");
    carol.told();
    bob.stream.shutdown(Shutdown::Write).expect("half of it");
    bob.receive_all();
    TcpStream::connect(server.address)
        .expect("the server accepts")
        .write_all(&[0x16, 3, 1])
        .expect("it reads");
    let mut after = scrape(server.address);
    let closed = |families: &_, reason| {
        value(families, &format!("switchboard_connections_closed_total{{reason=\"{reason}\"}}"))
    };
    eventually("both ends are counted", || {
        after = scrape(server.address);
        closed(&after, "peer-closed") == 1.0 && closed(&after, "not-spoken") == 1.0
    });
    let grown = |name: &str| value(&after, name) - value(&before, name);
    assert_eq!(grown("switchboard_frames_read_total"), 10.0);
    assert_eq!(grown("switchboard_lines_read_total"), 2.0, "and the PING behind it");
    // Ten messages to two others, one to two, and that bob has left, to two.
    assert_eq!(grown("switchboard_deliveries_total"), 24.0);
    assert!(grown("switchboard_bytes_read_total") >= 10.0 * (8.0 + 4.0 + 5.0));
    assert!(grown("switchboard_bytes_written_total") >= 20.0 * (8.0 + 5.0));
    assert!(grown("switchboard_turns_total") >= 11.0);
    assert_eq!(value(&after, "switchboard_users"), 2.0);
    assert_eq!(value(&after, "switchboard_rooms"), 1.0);
    assert_eq!(value(&after, "switchboard_connections_before_login"), 1.0, "the one that asks");
    assert!(closed(&after, "scraped") >= 1.0);
    for stage in ["poll", "note", "read", "timers", "replies", "flush", "reap"] {
        let name = format!("switchboard_stage_seconds_total{{stage=\"{stage}\"}}");
        assert!(value(&after, &name) > 0.0, "{stage} takes time");
    }
    let turns = &after["switchboard_turn_seconds"].samples;
    let (sum, count) = (turns[turns.len() - 2].1, turns[turns.len() - 1].1);
    let busy: f64 = ["note", "read", "timers", "replies", "flush", "reap"]
        .map(|stage| value(&after, &format!("switchboard_stage_seconds_total{{stage=\"{stage}\"}}")))
        .iter()
        .sum();
    assert!((busy - sum).abs() <= 1e-6 * (count + 8.0), "the stages are the turns: {busy}, {sum}");
}

/// Whoever does not read is in the figures: what is queued, why somebody waits, and why they are dropped.
#[test]
fn queues_pauses_and_drops_are_counted() {
    let limits = ["--queued-bytes-soft", "8000000", "--queued-bytes-max", "8000000"];
    let server = Server::start(&[&["--metrics-allow", "127.0.0.1"][..], &limits].concat());
    let mut ann = Client::login(server.address, "ann");
    let mut bob = Client::login(server.address, "bob");
    let relay = common::open_relay(&mut ann, &mut bob, "bob");
    let mut sending = ann.stream.try_clone().expect("a second handle");
    let sender = std::thread::spawn(move || {
        let (mut bytes, body) = (Vec::new(), [0; 16_384]);
        switchboard::wire::header::put(
            &mut bytes,
            switchboard::wire::Flags::NONE,
            relay,
            &frame::Data { payload: &body },
        );
        while sending.write_all(&bytes).is_ok() {}
    });
    eventually("ann waits for bob", || {
        let families = scrape(server.address);
        value(&families, "switchboard_pauses_total{reason=\"peers-queue\"}") >= 1.0
            && value(&families, "switchboard_queued_bytes") > 131_072.0
            && value(&families, "switchboard_queued_bytes_most") > 131_072.0
    });
    ann.stream.shutdown(Shutdown::Both).expect("an end");
    sender.join().expect("it ends");
}

#[test]
fn they_are_told_apart_who_may_ask() {
    let server = Server::start(&["--metrics-allow", "127.0.0.2", "--metrics-allow", "127.9.0.0/16"]);
    for (from, status) in
        [("127.0.0.2", "200"), ("127.9.3.4", "200"), ("127.0.0.1", "404"), ("127.8.0.1", "404")]
    {
        let mut stream = connect_from(from, server.address);
        stream.write_all(ASK).expect("the server reads");
        let told = end_of(stream);
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{from}: {told}");
        parts(&told);
    }
    let closed = Server::start(&[]);
    assert!(answer(closed.address, ASK).starts_with("HTTP/1.1 404 "), "nobody may unless it is said");
}

#[test]
fn who_may_ask_can_change_while_the_server_runs() {
    let directory = std::env::temp_dir().join(format!("switchboard-metrics-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let config = directory.join("config.toml");
    std::fs::write(&config, "metrics-allow = []\n").expect("a file");
    let server = Server::start(&["--config", config.to_str().expect("a path")]);
    assert!(answer(server.address, ASK).starts_with("HTTP/1.1 404 "));
    std::fs::write(&config, "metrics-allow = [\"127.0.0.0/8\"]\n").expect("a file");
    server.signal("HUP");
    server.wait_for_log("settings reloaded");
    assert!(answer(server.address, ASK).starts_with("HTTP/1.1 200 "));
    std::fs::write(&config, "metrics-allow = [\"everybody\"]\n").expect("a file");
    server.signal("HUP");
    server.wait_for_log("line 1: metrics-allow must be a list of addresses and networks");
    std::fs::remove_dir_all(&directory).expect("it goes");
}

#[test]
fn in_whatever_pieces_it_is_asked() {
    let server = open();
    for request in [&b"GET /metrics HTTP/1.0\r\n\r\n"[..], ASK, b"GET /metrics HTTP/1.0\n\n"] {
        for size in [1, 3, 7] {
            let mut stream = TcpStream::connect(server.address).expect("the server accepts");
            stream.set_nodelay(true).expect("no delay");
            for piece in request.chunks(size) {
                stream.write_all(piece).expect("the server reads");
            }
            let told = end_of(stream);
            let (head, body) = parts(&told);
            assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
            parse(body);
        }
    }
}

#[test]
fn who_says_no_more_gets_the_answer_too() {
    let server = open();
    let mut stream = TcpStream::connect(server.address).expect("the server accepts");
    stream.write_all(ASK).expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("half of it");
    parse(parts(&end_of(stream)).1);
}

#[test]
fn what_is_not_ours_is_refused_and_closed() {
    let server = open();
    let cases: [(&str, &str); 9] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
        ("GET /metricsx HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
        ("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        ("GET \r\n\r\n", "400"),
        ("GET /metrics HTTP/3\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nno field\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\n\r\n", "400"),
    ];
    for (request, status) in cases {
        let told = answer(server.address, request.as_bytes());
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {told}");
        parts(&told);
    }
    let endless = format!("GET /metrics HTTP/1.1\r\n{}", "X: y\r\n".repeat(10_000));
    assert!(answer(server.address, endless.as_bytes()).starts_with("HTTP/1.1 400 "));
}

#[test]
fn who_does_not_come_to_an_end_is_cut_at_the_login_deadline() {
    let server = Server::start(&["--metrics-allow", "127.0.0.1", "--login-seconds", "0.5"]);
    let told = answer(server.address, b"GET /metrics HTTP/1.1\r\nHost: a\r\n");
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
}

/// Had anything behind the request been acted on, somebody else would be here.
#[test]
fn nothing_behind_the_request_is_acted_on() {
    let server = open();
    let mut request = ASK.to_vec();
    request.extend_from_slice(b"NICK mallory\r\nUSER m 0 * :m\r\nJOIN #lobby\r\n");
    assert!(answer(server.address, &request).starts_with("HTTP/1.1 200 "));
    assert_eq!(value(&scrape(server.address), "switchboard_users"), 0.0);
}

#[test]
fn operators_see_the_same_figures() {
    let server = Server::start(&[&CONFIG[..], &["--metrics-allow", "127.0.0.1"]].concat());
    let ran = admin_of(&server, &["status"]);
    let shown: Vec<(&str, &str)> = ran.lines().iter().filter_map(|line| line.split_once('\t')).collect();
    let families = scrape(server.address);
    let samples: usize = families.values().map(|family| family.samples.len()).sum();
    assert_eq!(shown.len(), samples, "{shown:?}");
    for figure in ALL {
        let of_figure =
            |name: &&str| name.strip_prefix(figure.name).is_some_and(|rest| !rest.starts_with('-'));
        assert!(shown.iter().any(|(name, _)| of_figure(name)), "no {}", figure.name);
    }
    let mut ann = Link::log_in(server.address, "ann", "");
    ann.told();
    ann.ask("OPER root correct-horse");
    let told = ann.ask("STATS t");
    let lines: Vec<&String> = told.iter().filter(|line| line.contains(" 249 ann t ")).collect();
    assert_eq!(lines.len(), samples, "{told:?}");
    assert!(lines.iter().any(|line| line.ends_with(" 249 ann t users :1\r\n")), "{lines:?}");
    assert!(told.last().is_some_and(|line| line.contains(" 219 ann t :")), "{told:?}");
    let json = admin_of(&server, &["--json", "status"]);
    for line in json.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(row["figure"].is_string() && row["value"].is_number(), "{line}");
    }
}

/// The rows of the first table below this heading of the document, each cut into its cells.
fn table<'a>(document: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let (_, section) = document.split_once(heading).unwrap_or_else(|| panic!("no {heading:?}"));
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect())
        .collect()
}

#[test]
fn the_document_explains_every_figure() {
    let document = include_str!("../docs/OBSERVE.md");
    let rows = table(document, "### All of them");
    let explained: Vec<String> = rows.iter().map(|row| row.join(" | ").replace('`', "")).collect();
    let expected: Vec<String> = ALL
        .iter()
        .map(|figure| {
            let by = if figure.label.is_empty() { String::new() } else { format!(" by {}", figure.label) };
            format!("{}{by} | {} | {}", figure.name, format!("{:?}", figure.kind).to_lowercase(), figure.help)
        })
        .collect();
    assert_eq!(explained, expected);
}

#[test]
fn the_document_explains_every_reason() {
    let server = open();
    let families = scrape(server.address);
    let mut explained = Vec::new();
    let mut figure = String::new();
    for row in table(include_str!("../docs/OBSERVE.md"), "The reasons:") {
        let [name, reason, meaning] = row[..] else { panic!("{row:?}") };
        if !name.is_empty() {
            figure = name.to_owned();
        }
        assert!(!meaning.is_empty(), "{row:?}");
        explained.push((figure.clone(), reason.to_owned()));
    }
    let labelled = ALL.iter().filter(|figure| !figure.label.is_empty());
    let given = labelled.flat_map(|figure| {
        let name = format!("switchboard_{}_total", figure.name.replace('-', "_"));
        let samples = families[&name].samples.iter();
        samples
            .map(|(label, _)| (figure.name.to_owned(), label.split('"').nth(1).expect("a label").to_owned()))
    });
    assert_eq!(explained, given.collect::<Vec<_>>());
}
