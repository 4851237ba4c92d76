//! `switchboard bench` where something is in its way: more load than it can send, a shell around the server, a terminal
//! that goes away, a server that is killed, a disk that is full.

mod common;
#[path = "common/runs.rs"]
mod runs;

use common::{SWITCHBOARD, eventually, wait_for};
use runs::{Bench, SMALL, processes, text};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn send(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), pid]).status().expect("kill runs").success());
}

/// The server that came out of a run, once its clients are there and talk.
fn busy_server(mark: &str) -> String {
    let mut pid = None;
    eventually("the server is at work", || {
        pid = servers(mark).into_iter().find(|pid| ticks(pid) >= 5);
        pid.is_some()
    });
    pid.expect("it is")
}

fn servers(mark: &str) -> Vec<String> {
    let variable = format!("BENCH_TEST_MARK={mark}");
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let of_run = entries.map(|entry| entry.path()).filter(|path| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        let line = fs::read_to_string(path.join("cmdline")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == variable.as_bytes())
            && line.contains("\0serve\0")
            && line.starts_with(SWITCHBOARD)
            && !line.contains("\0held\0")
    });
    of_run.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}

/// CPU that a process has used, in user mode and in the kernel.
fn ticks(pid: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    fields.get(11..13).unwrap_or_default().iter().filter_map(|field| field.parse::<u64>().ok()).sum()
}

#[test]
fn one_signal_ends_a_run_that_cannot_keep_up() {
    let mut bench = Bench::new(&["mixed", "--rate", "10000000", "--churn", "100000", "--duration", "600"]);
    bench.command.stdout(Stdio::null()).stderr(Stdio::null());
    let (mut child, mark) = bench.start();
    busy_server(&mark);
    let began = Instant::now();
    send("INT", &child.id().to_string());
    assert_eq!(wait_for(&mut child).signal(), Some(2));
    // It takes a tenth of a second; a machine may be loaded.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    eventually("nothing of it is left", || processes(&mark).is_empty());
}

#[test]
fn a_run_that_could_not_send_everything_ends_and_says_what_was_offered() {
    let mut bench = Bench::new(&["rooms", "--rate", "10000000", "--duration", "0.5", "--warmup", "0"]);
    let json = bench.file("report.json");
    bench.command.arg("--json").arg(&json);
    let (output, _) = bench.run();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let value: Value = serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
    let counts = &value["servers"][0]["runs"][0]["counts"];
    assert_eq!(counts["offered"], 5_000_000, "{counts}");
    assert!(counts["sent"].as_u64() < Some(5_000_000), "{counts}");
}

#[test]
fn behind_a_shell_the_process_that_listens_is_found_and_named() {
    let target = format!("sh -c '{SWITCHBOARD} serve --ephemeral --listen 127.0.0.1:{{port}} | cat'");
    let mut bench = Bench::new(&["rooms", "--target", &target]);
    let json = bench.file("report.json");
    bench.command.args(SMALL).arg("--json").arg(&json);
    let (output, mark) = bench.run();
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(stdout.contains("which its command became, does not listen on"), "{stdout}");
    let value: Value = serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
    let cpu = value["servers"][0]["runs"][0]["server"]["cpu_seconds"].as_f64();
    assert!(cpu > Some(0.0), "{value}");
    eventually("nothing of it is left", || processes(&mark).is_empty());
}

#[test]
fn a_run_that_was_told_to_ignore_hang_ups_goes_on() {
    for (script, survives) in
        [("trap '' HUP; exec \"$@\"", true), ("exec env --default-signal=HUP \"$@\"", false)]
    {
        let mut bench =
            Bench::begun_by(script, &["rooms", "--members", "4", "--senders", "1", "--duration", "3"]);
        bench.command.stdout(Stdio::null()).stderr(Stdio::null());
        let (mut child, mark) = bench.start();
        busy_server(&mark);
        send("HUP", &child.id().to_string());
        let status = wait_for(&mut child);
        assert_eq!((status.success(), status.signal()), (survives, (!survives).then_some(1)), "{script}");
        eventually("nothing of it is left", || processes(&mark).is_empty());
    }
}

#[test]
fn a_server_of_its_own_that_is_killed_is_an_error_with_its_name() {
    let mut bench = Bench::new(&["rooms", "--members", "4", "--senders", "1", "--duration", "3"]);
    bench.command.stdout(Stdio::null());
    let (mut child, mark) = bench.start();
    send("KILL", &busy_server(&mark));
    assert_eq!(wait_for(&mut child).code(), Some(1));
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    let sentence = stderr.lines().last().unwrap_or_default();
    assert!(sentence.contains("the server has ended, with signal: 9"), "{stderr}");
    assert!(!sentence.contains("  "), "{stderr}");
}

#[test]
fn a_table_that_cannot_be_written_is_an_error_and_one_that_nobody_reads_is_none() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let mut bench = Bench::new(&["rooms"]);
    let json = bench.file("report.json");
    bench.command.args(SMALL).arg("--json").arg(&json).stdout(full);
    let (output, _) = bench.run();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("switchboard: cannot write to standard output: "), "{stderr}");
    assert!(
        fs::read_to_string(json).is_ok_and(|text| text.ends_with("}\n")),
        "the other reports are written"
    );

    let mut bench = Bench::begun_by("\"$@\" | true", &["rooms"]);
    bench.command.args(SMALL);
    let (output, _) = bench.run();
    assert_eq!(text(&output.stderr), "switchboard\n");
}
