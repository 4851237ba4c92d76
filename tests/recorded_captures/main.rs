//! The captures of `docs/captures` show what they say that they show, and so does the same scene when it is played again.
//!
//! Each scene is played by the real binary over real sockets on small networks, and dumpcap listens at the switch. What
//! one is to see in it is a list of filters, which are held against the scene as it was just played, and against the
//! recorded file; `docs/captures/README.md` names the same filters, and the packets of the recorded file that pass them.
//!
//! `docs/captures/record.sh` has the files written anew, by setting `SWITCHBOARD_RECORD`. Without dumpcap, tshark and
//! ethtool these tests fail.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/irc.rs"]
mod irc;
#[path = "../common/network/mod.rs"]
mod network;
#[path = "../common/running.rs"]
mod running;
#[path = "../common/tshark.rs"]
mod tshark;

mod blocks;
mod guide;
mod scenes;
mod sights;
mod stage;

use network::Families;
use sights::{Sight, Times, View, listed};
use stage::Stage;
use std::path::{Path, PathBuf};
use tshark::Folder;

/// Set by `docs/captures/record.sh`: scenes are written to the documents, instead of being held against them.
const RECORD: &str = "SWITCHBOARD_RECORD";

/// What Wireshark remarks on wherever a connection ends in order.
const USUAL: [&str; 2] = ["the connection closing", "The server hangs up"];

/// Bytes of the longest file, and of all together.
const FILE_MAX: u64 = 200 * 1_024;
const ALL_MAX: u64 = 1_024 * 1_024;

/// One capture: how it comes about, and what is to be seen in it.
pub struct Scene {
    /// Of the file, and of its section in the guide.
    pub name: &'static str,
    /// What Wireshark shows as the comment of the file.
    pub about: &'static str,
    pub families: Families,
    pub play: fn(&Stage),
    /// In the order in which they begin.
    pub sights: &'static [Sight],
    /// What Wireshark may remark on, because the scene is about it: a part of each sentence.
    pub remarks: &'static [&'static str],
}

impl Scene {
    /// Plays it, and looks at it; then at the recorded one, or makes that one of it.
    fn hold(&self) {
        let Some(stage) = Stage::set(self.families) else { return };
        (self.play)(&stage);
        let played = stage.finish(self.about);
        let folder = Folder::new();
        let file = folder.path().join("played.pcapng");
        std::fs::write(&file, &played).expect("a file");
        self.check(&file);
        if is_recording() {
            std::fs::write(self.file(), played).expect("a recorded file");
        } else {
            self.check(&self.file());
        }
    }

    fn file(&self) -> PathBuf {
        documents().join(self.name).with_extension("pcapng")
    }

    fn filters(&self) -> Vec<&'static str> {
        self.sights.iter().map(|sight| sight.filter).collect()
    }

    #[track_caller]
    fn check(&self, file: &Path) {
        let (name, view) = (file.display(), View::of(file, &self.filters()));
        let mut begun = 0;
        for (Sight { filter, times, is_in_order }, passed) in self.sights.iter().zip(&view.passed) {
            let is_met = match *times {
                Times::AtLeast(times) => passed.len() >= times,
                Times::Exactly(times) => passed.len() == times,
            };
            assert!(is_met, "{name}: {filter} passes [{}], which is not {times:?}", listed(passed));
            if !is_in_order {
                continue;
            }
            let first = passed.first().copied().unwrap_or(begun);
            assert!(first >= begun, "{name}: {filter} begins in packet {first}, before {begun}");
            begun = first;
        }
        let may_be = |remark: &str| USUAL.iter().chain(self.remarks).any(|part| remark.contains(part));
        let odd = |(_, remark): &&(u32, String)| !may_be(remark);
        let odd: Vec<_> = view.remarks.iter().filter(odd).collect();
        assert!(odd.is_empty(), "{name}: Wireshark remarks on {odd:?}");
        let length = std::fs::metadata(file).expect("a file").len();
        assert!(length <= FILE_MAX, "{name} has {length} bytes");
    }
}

fn is_recording() -> bool {
    std::env::var_os(RECORD).is_some()
}

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/captures")
}

#[test]
fn there_is_no_file_without_a_scene_and_all_are_small() {
    let mut all = 0;
    for entry in std::fs::read_dir(documents()).expect("the recorded files") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "pcapng") {
            assert!(
                scenes::ALL.iter().any(|scene| scene.file() == path),
                "{} is of no scene",
                path.display()
            );
            all += path.metadata().expect("a file").len();
        }
    }
    assert!(all <= ALL_MAX, "{all} bytes are too many to keep");
}
