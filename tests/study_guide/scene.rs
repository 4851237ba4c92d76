//! A lesson, played: two terminals in an empty directory, at an address that no other lesson has.

use super::guide::Lesson;
use super::pattern;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take. Long, because a loaded machine is no failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the lessons need besides what this project needs anyway, and the package that has it.
const TOOLS: [(&str, &str); 4] =
    [("bash", "bash"), ("python3", "python3"), ("strace", "strace"), ("tshark", "tshark")];

pub struct Scene {
    directory: PathBuf,
    /// What a shell is given in front of a block.
    setup: String,
    server: Child,
}

impl Scene {
    /// Starts the server of a lesson.
    pub fn set(setup: &str, lesson: &Lesson) -> Scene {
        for (tool, package) in TOOLS {
            let found =
                Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(found.is_ok(), "{tool} is needed for docs/STUDY.md: install the package {package}");
        }
        let name = format!("study-{}-{}", std::process::id(), lesson.number);
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&directory); // of an earlier process of that number
        fs::create_dir_all(&directory).expect("a directory");
        let root = env!("CARGO_MANIFEST_DIR");
        // All of 127.0.0.0/8 is this machine: each lesson has an address of its own, and the port of the page.
        let id = std::process::id();
        let host = format!("127.{}.{}.{}", 1 + id / 256 % 250, id % 256, lesson.number);
        let setup = format!("cd '{root}'\n{setup}cd '{}'\nexport HOST={host}\n", directory.display());
        let file = |name: &str| File::create(directory.join(name)).expect("a file");
        let server = shell(&setup, &lesson.server)
            .stdout(file("server.out"))
            .stderr(file("trace"))
            .spawn()
            .expect("bash starts");
        Scene { directory, setup, server }
    }

    /// Runs the second terminal's block, and looks at what came of it.
    pub fn play(mut self, lesson: &Lesson) {
        eventually(|| match self.server.try_wait() {
            Ok(None) if self.lines("server.out").iter().any(|line| line.starts_with("listening on")) => {
                Ok(())
            }
            Ok(None) => Err("the server does not say where it listens".into()),
            ended => panic!("{ended:?}: {}", self.lines("trace").join("\n")),
        });
        self.show(lesson, &lesson.run, &lesson.shows);
        eventually(|| {
            let told = self.lines("trace");
            let told: Vec<String> = told.iter().map(|line| without_prefix(line).to_owned()).collect();
            pattern::within(&lesson.trace, &told)
                .map_err(|wrong| format!("lesson {}: {wrong}\nin:\n{}", lesson.number, told.join("\n")))
        });
        if let Some((block, shows)) = &lesson.wire {
            self.show(lesson, block, shows);
        }
    }

    /// Runs a block, and holds what it prints against the page.
    fn show(&self, lesson: &Lesson, block: &str, shows: &str) {
        let Output { status, stdout, stderr } = self.run(block);
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        let said = format!("lesson {}: {status}\n{stdout}{stderr}", lesson.number);
        assert!(status.success(), "{said}");
        let shown: Vec<String> = stdout.lines().map(str::to_owned).collect();
        pattern::whole(shows, &shown).unwrap_or_else(|wrong| panic!("{wrong}\n{said}"));
    }

    /// A shell that ends within a time.
    fn run(&self, block: &str) -> Output {
        let mut shell = shell(&self.setup, block);
        let child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash starts");
        let group = child.id();
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(child.wait_with_output()));
        match ended.recv_timeout(PATIENCE) {
            Ok(output) => output.expect("its output"),
            Err(_) => {
                end_group(group);
                panic!("it does not end:\n{block}\n{}", self.lines("trace").join("\n"));
            }
        }
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read(self.directory.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        end_group(self.server.id());
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A terminal that has been set up, in a process group of its own, so that it ends with all that it has started.
fn shell(setup: &str, block: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    let mut path = binary.parent().expect("its directory").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("{setup}{block}")).stdin(Stdio::null()).process_group(0);
    command.env("PATH", path).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("RUST_LOG");
    command
}

fn end_group(leader: u32) {
    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{leader}")]).status();
}

/// What a line says, without the time and the level that the logger puts in front.
fn without_prefix(line: &str) -> &str {
    line.split_once("] ").map_or(line, |(_, told)| told)
}

/// Tries again until it is so; then nothing more is wrong.
fn eventually(mut attempt: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(wrong) = attempt() {
        assert!(Instant::now() < deadline, "{wrong}");
        std::thread::sleep(Duration::from_millis(10)); // polling a file
    }
}
