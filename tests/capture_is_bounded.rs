//! A capture takes no more of the disk than it may, and chat does not depend on it: whatever happens to the file, people
//! go on talking.

#[path = "common/captured.rs"]
mod captured;
mod common;
#[path = "common/kept.rs"]
mod kept;

use captured::{complaints, remarks, rows};
use common::{Client, SWITCHBOARD, Server, eventually};
use kept::Directory;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use switchboard::wire::Kind;

/// The smallest that there is.
const BYTES_MAX: u64 = 131_072;

fn start(file: &Path, args: &[&str]) -> Server {
    let mut command = Command::new("sh");
    // The signal that comes with the error of a file that may not grow would end the process.
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", SWITCHBOARD, "serve", "--listen", "127.0.0.1:0"]);
    command.args(["--ephemeral", "--drain-seconds", "1", "--capture"]).arg(file).args(args);
    Server::spawn(command)
}

fn stop(mut server: Server) {
    server.signal("TERM");
    server.wait();
}

/// Two who are in a room, of whom the second hears the first.
struct Room {
    ann: Client,
    bob: Client,
    channel: u32,
}

impl Room {
    fn new(server: &Server) -> Room {
        let [mut ann, mut bob] = ["ann", "bob"].map(|name| Client::login(server.address, name));
        let channel = ann.join("#tea");
        bob.join("#tea");
        Room { ann, bob, channel }
    }

    fn say(&mut self, text: &str) {
        self.ann.say(self.channel, text);
        self.bob.receive_kind(Kind::Said);
    }
}

fn captures(directory: &Directory) -> Vec<PathBuf> {
    let names = directory.files().into_iter().filter(|name| name.ends_with(".pcapng"));
    let mut paths: Vec<PathBuf> = names.map(|name| directory.path().join(name)).collect();
    paths.sort();
    paths
}

#[test]
fn a_ring_has_so_many_files_of_that_length_each_of_which_opens() {
    let directory = Directory::new("captured-ring");
    let file = directory.path().join("all.pcapng");
    let server = start(&file, &["--capture-files", "3", "--capture-bytes-max", "131072"]);
    let mut room = Room::new(&server);
    for n in 0..200 {
        room.say(&format!("{n} {}", "cup of tea ".repeat(300)));
    }
    stop(server);
    let files = captures(&directory);
    assert_eq!(files.len(), 3, "{files:?}");
    let number = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        name.strip_prefix("all_").and_then(|rest| rest[..5].parse::<u32>().ok()).expect("a number")
    };
    let numbers: Vec<u32> = files.iter().map(number).collect();
    assert_eq!(numbers, [numbers[0], numbers[0] + 1, numbers[0] + 2]);
    assert!(numbers[0] > 5, "the first ones are gone");
    for file in &files {
        let length = std::fs::metadata(file).expect("it is there").len();
        assert!(length <= BYTES_MAX, "{length} bytes");
        let odd: Vec<String> =
            complaints(file).into_iter().filter(|odd| !odd.contains("reset (RST)")).collect();
        assert!(odd.is_empty(), "{file:?}: {odd:?}");
        let remarks = remarks(file).join("\n");
        for name in ["c0.1", "c1.2"] {
            assert!(remarks.contains(&format!("{name}: goes on from the file before")), "{remarks}");
        }
    }
    // All three together have no gap.
    let lengths: u64 = files[..2].iter().map(|file| std::fs::metadata(file).expect("one").len()).sum();
    assert!(lengths > 2 * BYTES_MAX * 9 / 10, "the room is used: {lengths}");
    let joined = directory.path().join("joined");
    let status = Command::new("mergecap").arg("-a").arg("-w").arg(&joined).args(&files).status();
    assert!(status.expect("mergecap, which comes with tshark").success());
    let odd: Vec<String> =
        complaints(&joined).into_iter().filter(|odd| !odd.contains("reset (RST)")).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn a_file_alone_ends_when_it_is_full_and_chat_goes_on() {
    let directory = Directory::new("captured-full");
    let file = directory.path().join("all.pcapng");
    let server = start(&file, &["--capture-bytes-max", "131072"]);
    let mut room = Room::new(&server);
    for n in 0..100 {
        room.say(&format!("{n} {}", "cup of tea ".repeat(300)));
    }
    let told = server.wait_for_log("does not get longer");
    assert!(told.contains("chat goes on") && told.contains(" bytes"), "{told}");
    room.say("this is heard");
    stop(server);
    let length = std::fs::metadata(&file).expect("it is there").len();
    assert!((BYTES_MAX * 9 / 10..=BYTES_MAX).contains(&length), "{length} bytes");
    assert_eq!(complaints(&file), Vec::<String>::new());
}

#[test]
fn a_disk_that_takes_no_more_ends_the_capture_at_a_whole_packet_and_nothing_else() {
    let directory = Directory::new("captured-no-more");
    let file = directory.path().join("all.pcapng");
    let server = start(&file, &[]);
    let mut room = Room::new(&server);
    let pid = server.pid().to_string();
    let limit = Command::new("prlimit").args(["--pid", &pid, "--fsize=10001:unlimited"]).status();
    assert!(limit.expect("prlimit, of util-linux").success());
    for n in 0..20 {
        room.say(&format!("{n} {}", "cup of tea ".repeat(100)));
    }
    let told = server.wait_for_log("capture to ");
    assert!(told.contains("ERROR") && told.contains("has ended, chat goes on: File too large"), "{told}");
    room.say("this is heard");
    let length = std::fs::metadata(&file).expect("it is there").len();
    assert!((1_000..=10_001).contains(&length) && length != 10_001, "{length} bytes");
    assert_eq!(complaints(&file), Vec::<String>::new());
    stop(server);
}

#[test]
fn a_full_device_is_told_once_and_a_place_where_nothing_can_be_is_no_start() {
    let server = start(Path::new("/dev/full"), &[]);
    let told = server.wait_for_log("capture to /dev/full has ended");
    assert!(told.contains("No space left on device"), "{told}");
    let mut room = Room::new(&server);
    room.say("this is heard");
    stop(server);
    for (args, part) in [
        (["--capture", "/nowhere/all.pcapng"], "cannot write a capture to /nowhere/all.pcapng: No such file"),
        (["--capture-bytes-max", "131071"], "capture-bytes-max is 131071; it must be at least 131072"),
    ] {
        let mut command = Command::new(SWITCHBOARD);
        let output = command.args(["serve", "--listen", "127.0.0.1:0", "--ephemeral"]).args(args).output();
        let output = output.expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(part), "{error}");
    }
}

/// The reader of a pipe takes nothing for a while: what does not fit is missing, says so, and is counted in sequence
/// numbers.
#[test]
fn a_disk_that_is_too_slow_leaves_a_gap_that_is_told() {
    let directory = Directory::new("captured-gap");
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo, of coreutils").success());
    // Open for both, so that nobody waits for the other to open it.
    let mut reader = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).expect("the pipe opens");
    let server = start(&pipe, &[]);
    let mut room = Room::new(&server);
    let text = "cup of tea ".repeat(370);
    // Of each, there are the line that came and those that went: 32 MiB wait, and what is more does not fit.
    for _ in 0..6_000 {
        room.say(&text);
    }
    let copy = directory.path().join("all.pcapng");
    let mut out = std::fs::File::create(&copy).expect("a file");
    let mut bytes = vec![0; 1 << 20];
    let mut tail = Vec::new();
    // What is said once there is room again is in it, behind the gap.
    while !tail.windows(12).any(|part| part == b"this is over") {
        let n = reader.read(&mut bytes).expect("a read");
        std::io::Write::write_all(&mut out, &bytes[..n]).expect("a copy");
        tail = bytes[..n].to_vec();
        if n < 65_536 {
            room.say("this is over");
        }
    }
    let length = std::fs::metadata(&copy).expect("it is there").len();
    assert!(length > 32 << 20, "{length} bytes");
    assert!(
        remarks(&copy)
            .iter()
            .any(|remark| remark.contains(" packets are missing here: the disk was too slow"))
    );
    let odd = complaints(&copy);
    let is_gap = |odd: &String| {
        odd.contains("Previous segment(s) not captured") || odd.contains("ACKed segment that wasn't captured")
    };
    assert!(!odd.is_empty() && odd.iter().all(is_gap), "{odd:?}");
    let frames = rows(&copy, "tcp.analysis.lost_segment", ["tcp.stream"]);
    assert!((1..=4).contains(&frames.len()), "one gap, in the connections that spoke: {frames:?}");
    drop(server);
    eventually("the pipe is there to its end", || pipe.exists());
}
