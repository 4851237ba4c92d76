//! `switchboard bench` as people run it: one command gives a result, in every form, and leaves nothing behind.

mod common;
#[path = "common/runs.rs"]
mod runs;

use common::{PATIENCE, SWITCHBOARD, eventually, wait_for};
use runs::{Bench, SMALL, processes, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[test]
fn one_command_gives_a_result_and_leaves_no_process() {
    let mut bench = Bench::new(&["rooms"]);
    let (json, html) = (bench.file("report.json"), bench.file("report.html"));
    bench.command.args(SMALL).arg("--json").arg(&json).arg("--html").arg(&html);
    let (output, mark) = bench.run();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("delivered") && stdout.contains("p99"), "{stdout}");
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "escape codes in a pipe");
    assert_eq!(processes(&mark), Vec::<String>::new());

    let value: Value = serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
    let run = &value["servers"][0]["runs"][0];
    let count = |name: &str| run["counts"][name].as_u64().expect(name);
    assert!(count("delivered") > 0, "{run}");
    assert_eq!(count("expected"), count("arrived") + count("lost"));
    assert_eq!((count("lost"), count("duplicated"), count("out_of_order")), (0, 0, 0));
    assert!(run["server"]["cpu_seconds"].as_f64().expect("its own server's CPU") > 0.0);
    assert_eq!(run["server"]["connections"], 6);

    let page = fs::read_to_string(html).expect("a file");
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(&page, options).expect("well-formed");
    for elsewhere in ["src=", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(elsewhere), "the page has {elsewhere}");
    }
}

/// Starts a long run, waits until its server is there, ends the run, and waits until nothing of it is left.
fn ended_by(signal: &str) -> std::process::ExitStatus {
    let mut bench = Bench::new(&["rooms", "--members", "4", "--senders", "1", "--duration", "600"]);
    bench.command.stdout(Stdio::null()).stderr(Stdio::null());
    let (mut child, mark) = bench.start();
    eventually("its server runs", || {
        processes(&mark).iter().any(|line| line.starts_with(&format!("{SWITCHBOARD} serve")))
    });
    let kill = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    let status = wait_for(&mut child);
    eventually("nothing of it is left", || processes(&mark).is_empty());
    status
}

#[test]
fn nothing_stays_behind_however_it_ends() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("KILL", 9)] {
        assert_eq!(ended_by(signal).signal(), Some(number), "{signal}");
    }
}

#[test]
fn two_servers_take_turns() {
    let versus = format!("{SWITCHBOARD} serve --ephemeral --listen 127.0.0.1:{{port}}");
    let mut bench = Bench::new(&["rooms", "--versus", &versus, "--repeat", "2"]);
    let json = bench.file("report.json");
    bench.command.args(SMALL).arg("--json").arg(&json);
    let (output, mark) = bench.run();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let runs: Vec<&str> = stderr.lines().filter(|line| line.contains(" of 4)")).collect();
    let expected = [
        "switchboard (1 of 4)",
        "switchboard (versus) (2 of 4)",
        "switchboard (3 of 4)",
        "switchboard (versus) (4 of 4)",
    ];
    assert_eq!(runs, expected);
    assert!(stdout.contains("switchboard ÷ switchboard (versus)"), "{stdout}");
    let value: Value = serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
    for server in 0..2 {
        assert_eq!(value["servers"][server]["runs"].as_array().map(Vec::len), Some(2));
    }
    assert!(value["ratios"]["latency_p50"]["median"].as_f64().expect("a ratio") > 0.0);
    assert_eq!(processes(&mark), Vec::<String>::new());
}

#[test]
fn a_search_ends_and_tells_every_step() {
    let mut bench = Bench::new(&["rooms", "--find-max", "--slo", "p99<500ms", "--rate", "200"]);
    let json = bench.file("report.json");
    bench.command.args(SMALL).arg("--json").arg(&json);
    let (output, _) = bench.run();
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("messages a second: held"), "{stderr}");
    let value: Value = serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
    let held = value["search"]["held"].as_f64().expect("a rate that held");
    assert!(held >= 1.0);
    let steps = value["search"]["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["rate"] == held && step["held"] == true));
    assert_eq!(value["plan"]["details"]["pace"]["rate"], held, "the run that is shown is the one that held");
}

#[test]
fn what_no_rate_holds_is_an_error() {
    let mut bench = Bench::new(&["rooms", "--find-max", "--slo", "p50<1ns", "--rate", "20"]);
    bench.command.args(["--members", "3", "--senders", "1", "--duration", "0.4", "--warmup", "0"]);
    let (output, mark) = bench.run();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("p50<1ns held at none of the rates"), "{stderr}");
    assert_eq!(processes(&mark), Vec::<String>::new());
}

#[test]
fn wrong_options_get_one_sentence() {
    for (arguments, says) in [
        (&["rooms", "--members", "1"][..], "at least 2"),
        (&["rooms", "--members", "3", "--senders", "4"], "the senders are members, too"),
        (&["rooms", "--rate", "0"], "above 0"),
        (&["rooms", "--rate", "1e308"], "from 0.001 to 10,000,000"),
        (&["churn", "--per-second", "1e-300"], "from 0.001 to 100,000"),
        (&["mixed", "--churn", "1e-300"], "from 0.001 to 100,000"),
        (&["rooms", "--window", "18446744073709551615"], "at most 1,000,000"),
        (&["rooms", "--threads", "1000000"], "at most 256"),
        (&["rooms", "--rooms", "1000000", "--members", "1000000"], "there can be 1,000,000"),
        (&["rooms", "--members", "1000000", "--senders", "0"], "there can be 262,144"),
        (&["rooms", "--warmup", "1e12"], "from 0.001 to 86,400, or 0 for none"),
        (&["rooms", "--rate", "5", "--window", "5"], "cannot be used with"),
        (&["rooms", "--slo", "p99<10"], "a condition is"),
        (&["rooms", "--slo", "p99<10ms"], "--find-max"),
        (&["rooms", "--duration", "0"], "seconds above 0"),
        (&["rooms", "--target", "ngircd -n"], "{port}"),
        (&["rooms", "--target", "no-such-host.invalid:1"], "no-such-host.invalid"),
        (&["rooms", "--pid", "1"], "--target"),
        (&["rooms", "--json", "/no/such/directory/x"], "cannot write /no/such/directory/x"),
        (&["relay", "--protocol", "irc"], "unexpected argument"),
        (&["connect", "--duration", "5"], "unexpected argument"),
        (&["join", "--warmup", "5"], "unexpected argument"),
        (&["rooms", "--payload", "16"], "from 17 to 7,168 bytes"),
        (&["mixed", "--payload", "7169"], "from 17 to 7,168 bytes"),
        (&["rooms", "--payload", "351", "--protocol", "irc"], "from 17 to 350 bytes"),
        (&["relay", "--payload", "1161", "--transport", "udp"], "from 17 to 1,160 bytes"),
        (&["idle", "--rate", "5"], "unexpected argument"),
        (&["idle", "--find-max"], "unexpected argument"),
        (&["slow", "--stalled", "0"], "1..=99"),
        (&["dance"], "dance"),
    ] {
        let (output, _) = Bench::new(arguments).run();
        let stderr = text(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        assert!(
            stderr.starts_with("switchboard: ") && stderr.lines().count() == 1,
            "{arguments:?}: {stderr}"
        );
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
    }
}

/// A run against what is no server; its complaint.
fn complaint(target: &str) -> String {
    let mut bench = Bench::new(&["rooms", "--target", target]);
    bench.command.args(SMALL);
    let (output, mark) = bench.run();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{target}: {stderr}");
    assert!(output.stdout.is_empty(), "{target}");
    assert_eq!(processes(&mark), Vec::<String>::new());
    stderr.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_target_that_is_not_there_is_an_error() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let says = complaint(&free.to_string());
    assert!(says.contains(&format!("cannot connect to {free}")) && says.contains("refused"), "{says}");
}

#[test]
fn a_target_that_is_no_chat_server_is_an_error() {
    let greetings: [&[u8]; 2] = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""];
    for greeting in greetings {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        std::thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || {
                    let _ = connection.set_read_timeout(Some(PATIENCE));
                    let _ = connection.read(&mut [0; 1_024]);
                    let _ = connection.write_all(greeting);
                });
            }
        });
        let says = complaint(&address);
        assert!(says.contains("not the protocol") || says.contains("closed the connection"), "{says}");
    }
}

#[test]
fn a_command_that_starts_no_server_is_an_error_with_its_own_words() {
    let says = complaint("sh -c 'echo no such luck >&2; exit 3' {port}");
    assert!(
        says.contains("sh ended at once, with exit status: 3") && says.contains("no such luck"),
        "{says}"
    );
    assert!(complaint("no-such-program {port}").contains("not found"));
}

#[test]
fn a_port_that_is_taken_is_not_measured_by_mistake() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    assert!(complaint(&format!("{address} sleep 100")).contains("another program listens"));
}

#[test]
fn a_server_that_runs_already_is_left_running_and_its_process_is_found() {
    let mut server = common::Server::start(&[]);
    let mut bench = Bench::new(&["rooms", "--target", &server.address.to_string()]);
    bench.command.args(SMALL);
    let (output, _) = bench.run();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("CPU per delivery"), "{}", text(&output.stdout));
    assert!(server.child.try_wait().expect("a child").is_none(), "it has ended");
}

/// What a small run wrote as JSON, and to standard output.
fn small(mut bench: Bench) -> (Value, String) {
    let json = bench.file("report.json");
    bench.command.args(SMALL).arg("--json").arg(&json);
    let (output, mark) = bench.run();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(processes(&mark), Vec::<String>::new());
    let value = serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
    (value, text(&output.stdout))
}

#[track_caller]
fn assert_exact(report: &Value) {
    let counts = &report["servers"][0]["runs"][0]["counts"];
    assert!(counts["delivered"].as_u64() > Some(0), "{counts}");
    assert_eq!(counts["expected"], counts["arrived"], "{counts}");
}

#[test]
fn a_process_that_is_named_is_the_one_that_is_read() {
    let server = common::Server::start(&[]);
    let (target, pid) = (server.address.to_string(), server.pid().to_string());
    let (report, stdout) = small(Bench::new(&["rooms", "--target", &target, "--pid", &pid]));
    assert!(report["servers"][0]["runs"][0]["server"]["cpu_seconds"].as_f64() > Some(0.0), "{report}");
    assert!(!stdout.contains("is not the process"), "{stdout}");

    let mine = std::process::id().to_string();
    let (_, stdout) = small(Bench::new(&["rooms", "--target", &target, "--pid", &mine]));
    let warning = format!("--pid {mine} is not the process that listens on {target}, which is {pid}");
    assert!(stdout.contains(&warning), "{stdout}");
}

#[test]
fn two_threads_drive_clients_as_one_does() {
    let (report, stdout) = small(Bench::new(&["rooms", "--threads", "2"]));
    assert_exact(&report);
    assert!(stdout.contains("load from 2 threads"), "{stdout}");
}

#[test]
fn clients_come_from_many_addresses_where_that_is_asked_for() {
    let mut command = Command::new(SWITCHBOARD);
    command.args(["serve", "--ephemeral", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "debug");
    let server = common::Server::spawn(command);
    let target = server.address.to_string();
    let (report, _) = small(Bench::new(&["rooms", "--target", &target, "--spread-sources"]));
    assert_exact(&report);
    // One of them is the look whether it is there.
    let addresses = (0..7).map(|_| {
        let line = server.wait_for_log(" connected");
        let address = line.split_whitespace().rev().nth(1).and_then(|address| address.parse().ok());
        address.map(|address: SocketAddr| address.ip()).unwrap_or_else(|| panic!("no address in {line}"))
    });
    let addresses: BTreeSet<_> = addresses.collect();
    assert!(addresses.len() > 3, "{addresses:?}");
}

#[test]
fn a_report_says_where_it_ran_and_how_busy_the_machine_was() {
    let (report, stdout) = small(Bench::new(&["rooms", "--no-pin"]));
    assert!(stdout.contains("server and load not held to cores"), "{stdout}");
    assert!(report["machine"]["server_core"].is_null() && report["machine"]["generator_cores"].is_null());
    assert!(report["machine"]["load_average"].as_f64() >= Some(0.0), "{report}");
    assert_eq!(report["machine"]["is_debug_build"], cfg!(debug_assertions));
    assert_eq!(stdout.contains("THIS IS A DEBUG BUILD"), cfg!(debug_assertions));
}

#[test]
fn where_nothing_was_measured_no_file_is_left() {
    let mut bench = Bench::new(&["rooms", "--target", "sh -c 'exit 3' {port}"]);
    let (json, html) = (bench.file("report.json"), bench.file("report.html"));
    fs::write(&html, "from yesterday").expect("a file");
    bench.command.arg("--json").arg(&json).arg("--html").arg(&html);
    let (output, _) = bench.run();
    assert_eq!(output.status.code(), Some(1));
    assert!(!json.exists(), "an empty report was left");
    assert_eq!(fs::read_to_string(html).expect("what was there stays"), "from yesterday");
}

#[test]
fn every_figure_and_every_option_is_in_the_docs() {
    let docs = fs::read_to_string("docs/BENCH.md").expect("docs");
    // What a relay, a room and IRC take at most.
    for limit in ["17 bytes or more", "7,168 bytes of text, 350 over IRC", "32,768 over TCP, 1,160 over UDP"]
    {
        assert!(docs.contains(limit), "docs/BENCH.md does not say {limit}");
    }
    for figure in switchboard::load::report::figures::FIGURES {
        assert!(
            docs.contains(&format!("`{}`", figure.name)),
            "docs/BENCH.md does not explain {}",
            figure.name
        );
    }
    for scenario in ["rooms", "relay", "connect", "join", "idle", "slow", "churn", "mixed"] {
        let (output, _) = Bench::new(&[scenario, "--help"]).run();
        let help = text(&output.stdout);
        let words = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for option in words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-')) {
            assert!(
                option == "--help" || docs.contains(&format!("`{option}")),
                "docs/BENCH.md: {scenario} {option}"
            );
        }
    }
}
