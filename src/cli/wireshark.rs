//! `switchboard wireshark`: puts the dissector where Wireshark finds it, or writes it out.

use crate::capture::dissector::{self, profile};
use crate::server::limits;
use clap::Subcommand;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

#[derive(clap::Args, Debug)]
pub struct WiresharkArgs {
    #[command(subcommand)]
    command: WiresharkCommand,
}

#[derive(Subcommand, Debug)]
enum WiresharkCommand {
    /// Put the dissector into your folder of Lua plugins, and beside it a profile with colours and columns
    Install(Places),
    /// Remove what install has put there
    Uninstall(Places),
    /// Write the dissector to standard output
    Print,
    /// Write the colouring rules to standard output, for View > Coloring Rules > Import
    Colors,
}

#[derive(clap::Args, Debug)]
struct Places {
    /// Folder for the dissector alone, without the profile unless --config-dir says where that goes
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Wireshark's folder for your configuration, in which the profile goes to profiles/Switchboard
    #[arg(long, value_name = "DIR")]
    config_dir: Option<PathBuf>,
}

// A paragraph is one line: clap wraps it to the terminal.
pub const HELP: &str = "\
The folders are those that `tshark -G folders` names; without tshark they are ~/.local/lib/wireshark/plugins and \
~/.config/wireshark, or what XDG_CONFIG_HOME says. A file that is not from here is never replaced or removed.

To see your own chat on this machine:

    switchboard wireshark install
    tshark -i lo -f 'port 7667'
    wireshark -C Switchboard -i lo -k -f 'port 7667'

Capturing takes the right to do so: root, or membership in the group wireshark. docs/WIRESHARK.md has filters, colours \
and statistics.

Exit status 0 means that it was done, 1 that it was not, with a sentence on standard error.";

/// Does it.
///
/// # Errors
/// A sentence about what went wrong.
pub fn wireshark(args: WiresharkArgs) -> Result<ExitCode, String> {
    match args.command {
        WiresharkCommand::Install(places) => install(&places),
        WiresharkCommand::Uninstall(places) => uninstall(&places),
        WiresharkCommand::Print => print(&the_dissector()),
        WiresharkCommand::Colors => print(&profile::colors()),
    }
}

fn the_dissector() -> String {
    dissector::lua(limits::DEFAULT_LISTEN.port())
}

/// A file to be put somewhere, and how a file at that place begins if it is ours.
struct Ours {
    path: PathBuf,
    text: String,
    mark: &'static str,
}

fn install(places: &Places) -> Result<ExitCode, String> {
    let files = places.files()?;
    // Before the first is written: all of them, or none.
    for file in &files {
        file.is_there()?;
    }
    let mut said = String::new();
    for file in &files {
        let done = if file.is_there()? { "replaced" } else { "wrote" };
        file.write().map_err(|error| format!("cannot write {}: {error}", file.path.display()))?;
        said.push_str(&format!("{done} {}\n", file.path.display()));
    }
    if let Some(dir) = &places.dir {
        said.push_str("Wireshark and tshark know the protocol switchboard if they look there for plugins; else with -X ");
        said.push_str(&format!("lua_script:{}\n", dir.join(dissector::FILE_NAME).display()));
    } else {
        said.push_str(
            "Wireshark and tshark know the protocol switchboard when they start the next time; for colours ",
        );
        said.push_str("and columns, start Wireshark with `wireshark -C Switchboard`.\n");
    }
    said.push_str("To see a chat on this machine: tshark -i lo -f 'port ");
    said.push_str(&format!("{}'\n", limits::DEFAULT_LISTEN.port()));
    print(&said)
}

fn uninstall(places: &Places) -> Result<ExitCode, String> {
    let mut said = String::new();
    for file in places.files()? {
        if file.is_there()? {
            std::fs::remove_file(&file.path)
                .map_err(|error| format!("cannot remove {}: {error}", file.path.display()))?;
            said.push_str(&format!("removed {}\n", file.path.display()));
        }
        // The profile's folder, if nothing else is in it.
        if let Some(folder) = file.path.parent().filter(|folder| folder.ends_with(profile::NAME)) {
            let _ = std::fs::remove_dir(folder);
        }
    }
    if said.is_empty() {
        said.push_str("nothing of it is there\n");
    }
    print(&said)
}

fn print(text: &str) -> Result<ExitCode, String> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("cannot write: {error}")),
        _ => Ok(ExitCode::SUCCESS), // who has read enough of it, has
    }
}

impl Places {
    fn files(&self) -> Result<Vec<Ours>, String> {
        let (plugins, config) = match (&self.dir, &self.config_dir) {
            (Some(dir), config) => (dir.clone(), config.clone()),
            (None, config) => {
                let folders = Folders::find()?;
                (folders.plugins, Some(config.clone().unwrap_or(folders.config)))
            }
        };
        let path = plugins.join(dissector::FILE_NAME);
        let mut files = vec![Ours { path, text: the_dissector(), mark: dissector::MARK }];
        if let Some(config) = config {
            let folder = config.join("profiles").join(profile::NAME);
            files.extend(profile::files().map(|(name, text)| Ours {
                path: folder.join(name),
                text,
                mark: profile::MARK,
            }));
        }
        Ok(files)
    }
}

impl Ours {
    /// Whether there is one of ours already. What is there and somebody else's stays as it is.
    fn is_there(&self) -> Result<bool, String> {
        match std::fs::read(&self.path) {
            Ok(bytes) if bytes.starts_with(self.mark.as_bytes()) => Ok(true),
            Ok(_) => {
                Err(format!("{} is there and not from switchboard; move it away first", self.path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(format!("cannot read {}: {error}", self.path.display())),
        }
    }

    fn write(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&self.path, &self.text)
    }
}

/// Where Wireshark looks for what is a user's own.
struct Folders {
    plugins: PathBuf,
    config: PathBuf,
}

impl Folders {
    fn find() -> Result<Folders, String> {
        let output = Command::new("tshark").args(["-G", "folders"]).stderr(Stdio::null()).output();
        let listed = output.ok().filter(|output| output.status.success());
        if let Some(listed) = listed
            && let Some(folders) = Folders::of_listing(&String::from_utf8_lossy(&listed.stdout))
        {
            return Ok(folders);
        }
        let var = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = var("HOME").ok_or("HOME is not set, and tshark cannot be asked; say --dir")?;
        let config = var("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        let plugins = home.join(".local/lib/wireshark/plugins");
        Ok(Folders { plugins, config: config.join("wireshark") })
    }

    /// From lines of a name, a colon, and a folder.
    fn of_listing(listing: &str) -> Option<Folders> {
        let folder = |name: &str| {
            listing.lines().find_map(|line| {
                let (found, folder) = line.split_once(':')?;
                (found == name).then(|| Path::new(folder.trim()).to_owned()).filter(|path| path.is_absolute())
            })
        };
        Some(Folders { plugins: folder("Personal Lua Plugins")?, config: folder("Personal configuration")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_those_that_tshark_lists() {
        let listing = "Temp:                \t/x\nPersonal configuration:\t/ann/.config/wireshark\n\
                       Personal Plugins:    \t/ann/p/4.0\nPersonal Lua Plugins:\t/ann/p\n";
        let folders = Folders::of_listing(listing).expect("both are listed");
        assert_eq!(folders.plugins, Path::new("/ann/p"));
        assert_eq!(folders.config, Path::new("/ann/.config/wireshark"));
        assert!(Folders::of_listing("Personal configuration:\t/x\n").is_none());
    }
}
