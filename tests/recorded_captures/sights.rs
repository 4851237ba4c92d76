//! What a student is to see in a capture: filters as they are typed into Wireshark, and the packets that pass them.

use super::tshark::{Folder, at_home, checked, need};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// A filter, and how many packets at least pass it.
pub struct Sight {
    pub filter: &'static str,
    pub times: Times,
    /// Whether it does not begin before the sights in front of it do.
    pub is_in_order: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Times {
    AtLeast(usize),
    Exactly(usize),
}

/// Something that is there, however often.
pub const fn seen(filter: &'static str) -> Sight {
    at_least(1, filter)
}

/// The same, and before or after others.
pub const fn anywhere(filter: &'static str) -> Sight {
    Sight { is_in_order: false, ..at_least(1, filter) }
}

pub const fn at_least(times: usize, filter: &'static str) -> Sight {
    Sight { filter, times: Times::AtLeast(times), is_in_order: true }
}

pub const fn exactly(times: usize, filter: &'static str) -> Sight {
    Sight { filter, times: Times::Exactly(times), is_in_order: true }
}

/// What tshark says of a capture.
pub struct View {
    /// The numbers of the packets that pass each filter.
    pub passed: Vec<Vec<u32>>,
    /// Remarks that Wireshark lists as notes, warnings and errors, each with the number of its packet.
    pub remarks: Vec<(u32, String)>,
    pub packets: u32,
}

/// Of the severities of expert information, the least that is more than a remark on what is usual (`PI_NOTE`).
const NOTE: u32 = 0x0040_0000;

/// Wireshark looks at no checksum unless it is asked to.
const CHECKSUMS: [&str; 3] = ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE"];

impl View {
    /// Dissects a file once, with our dissector and a tap for each filter.
    pub fn of(file: &Path, filters: &[&str]) -> View {
        need();
        let folder = Folder::new();
        let (dissector, taps) = (folder.path().join("switchboard.lua"), folder.path().join("taps.lua"));
        let printed = Command::new(super::common::SWITCHBOARD).args(["wireshark", "print"]).output();
        std::fs::write(&dissector, printed.expect("it prints").stdout).expect("the dissector");
        std::fs::write(&taps, taps_of(filters)).expect("the taps");
        let mut command = at_home(&folder, Command::new("tshark"));
        command.arg("-2").arg("-r").arg(file);
        for script in [&dissector, &taps] {
            command.arg("-X").arg(format!("lua_script:{}", script.display()));
        }
        CHECKSUMS.iter().for_each(|preference| {
            command.args(["-o", preference]);
        });
        (0..filters.len()).for_each(|number| {
            command.args(["-z", &format!("sight{number}")]);
        });
        command.args(["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"]);
        command.args(["-e", "frame.number", "-e", "_ws.expert.severity", "-e", "_ws.expert.message"]);
        Self::read(&checked(&command.output().expect("tshark runs")), filters.len())
    }

    fn read(told: &str, filters: usize) -> View {
        let mut view = View { passed: vec![Vec::new(); filters], remarks: Vec::new(), packets: 0 };
        for line in told.lines() {
            let mut columns = line.split('\t');
            let [first, second, third] = [(); 3].map(|()| columns.next().unwrap_or_default());
            if let Some(tap) = first.strip_prefix("tap ") {
                let tap: usize = tap.parse().expect("the number of a filter");
                view.passed[tap].push(second.parse().expect("the number of a packet"));
                continue;
            }
            view.packets = first.parse().unwrap_or_else(|_| panic!("no packet: {line}"));
            let severe = |severity: &str| severity.parse::<u32>().is_ok_and(|severity| severity >= NOTE);
            for (severity, message) in second.split('|').zip(third.split('|')) {
                if severe(severity) {
                    view.remarks.push((view.packets, message.to_owned()));
                }
            }
        }
        view
    }
}

/// A script that tells, for each filter that is asked for with `-z`, the packets that pass it. Asked for, because our
/// fields are not known yet while scripts are read.
fn taps_of(filters: &[&str]) -> String {
    let mut script = String::new();
    for (number, filter) in filters.iter().enumerate() {
        let _ = write!(
            script,
            "register_stat_cmd_arg(\"sight{number}\", function()\n\
             \x20 local tap, passed = Listener.new(\"frame\", {filter:?}), {{}}\n\
             \x20 function tap.packet(pinfo) passed[#passed + 1] = \"tap {number}\\t\" .. pinfo.number .. \"\\n\" end\n\
             \x20 function tap.draw() io.stdout:write(table.concat(passed)) passed = {{}} end\nend)\n"
        );
    }
    script
}

/// Packets as people list them: `4, 7-9`, and no more of them than one looks at.
pub fn listed(packets: &[u32]) -> String {
    const SHOWN: usize = 6;
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &packet in packets {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == packet => *last = packet,
            _ => runs.push((packet, packet)),
        }
    }
    let word = |&(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    };
    let shown: Vec<String> = runs.iter().take(SHOWN).map(word).collect();
    let more = if runs.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}
