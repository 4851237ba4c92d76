//! Today's IRC servers, as their distributions install them: with one listener on loopback, and with everything off that
//! protects them from many clients at one address who talk fast. docs/BENCH.md says what each setting is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `{port}` is filled in by whoever starts it.
pub const NGIRCD: &str = "\
[Global]
Name = irc.bench.test
Info = bench
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = hi
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 600
PongTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
";

const INSPIRCD: &str = r#"
<server name="irc.bench.test" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@bench.test">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="main" allow="*" timeout="90" hardsendq="64M" softsendq="32M" recvq="1M" threshold="1000000"
         commandrate="100000000" fakelag="no" localmax="30000" globalmax="30000" limit="30000" maxconnwarn="no"
         resolvehostnames="no" useident="no" pingfreq="10m" maxchans="1000">
<performance somaxconn="4096" softlimit="30000" netbuffersize="65534" quietbursts="yes" nouserdns="yes"
             clonesonconnect="no">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{directory}/inspircd.log">
<options allowzerolimit="yes">
"#;

/// Where distributions put servers, beside what PATH has.
const PLACES: [&str; 3] = ["", "/usr/sbin/", "/usr/local/sbin/"];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Ngircd,
    Inspircd,
}

/// A directory with a server's configuration, or with what it keeps. It is gone when this goes out of scope.
pub struct Files(PathBuf);

impl Files {
    /// # Errors
    /// A sentence, if there is no place for it.
    pub fn new() -> Result<Files, String> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("switchboard-bench-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Files(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Peer {
    /// A command line that starts it on a port of which it is told as `{port}`; the files must outlive the server.
    ///
    /// # Errors
    /// A sentence, if it is not installed or there is no place for its files.
    pub fn command(self, port: u16) -> Result<(String, Files), String> {
        let (name, config) = match self {
            Peer::Ngircd => ("ngircd", NGIRCD),
            Peer::Inspircd => ("inspircd", INSPIRCD),
        };
        let program = installed(name)?;
        let files = Files::new()?;
        let (directory, path) = (files.0.display().to_string(), files.0.join(format!("{name}.conf")));
        let config = config.replace("{port}", &port.to_string()).replace("{directory}", &directory);
        fs::write(&path, config).map_err(|error| format!("{}: {error}", path.display()))?;
        let path = path.display();
        let line = match self {
            Peer::Ngircd => format!("{program} --nodaemon --config {path}"),
            // From root it wants to be told that this is meant; from others it does not mind.
            Peer::Inspircd => format!("{program} --nofork --nopid --runasroot --config={path}"),
        };
        Ok((line, files))
    }
}

/// Where a server is.
///
/// # Errors
/// A sentence, if it is not installed.
pub fn installed(name: &str) -> Result<String, String> {
    let mut places = PLACES.iter().map(|place| format!("{place}{name}"));
    let is_there = |program: &String| match program.contains('/') {
        true => Path::new(program).exists(),
        false => Command::new("sh")
            .args(["-c", &format!("command -v {name}")])
            .output()
            .is_ok_and(|out| out.status.success()),
    };
    places.find(is_there).ok_or_else(|| format!("{name} is compared with, and not installed; install it"))
}
