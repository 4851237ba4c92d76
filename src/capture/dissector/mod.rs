//! The dissector for Wireshark and tshark: one Lua file, made of the parts beside this file, which are written by hand
//! and meant to be read, and of tables that come from [`schema`](crate::wire::schema) when the file is written. So the
//! dissector knows every kind of frame, field and code that the server knows.
//!
//! | part | what it is |
//! |---|---|
//! | `protocol.lua` | the protocol, its preferences, and what all frames have in common |
//! | the tables | kinds, fields, and words for numbers |
//! | `fields.lua` | a field that can be filtered by for each of them |
//! | `bodies.lua` | bodies, field by field |
//! | `links.lua` | what belongs together: requests and answers, and what a connection has agreed on |
//! | `frames.lua` | one frame, in a segment or a datagram, or sealed in another |
//! | `streams.lua` | streams and datagrams: where frames begin, and what is none |
//! | `statistics.lua` | how much of which kind |
//!
//! [`profile`] has what Wireshark takes from elsewhere: colours, columns, and preferences.

pub mod profile;
mod tables;

/// How the first line of the file begins, by which it is recognised as ours.
pub const MARK: &str = "-- switchboard.lua ";

/// Its name in the folder of plugins.
pub const FILE_NAME: &str = "switchboard.lua";

const PARTS_AFTER: [&str; 6] = [
    include_str!("fields.lua"),
    include_str!("bodies.lua"),
    include_str!("links.lua"),
    include_str!("frames.lua"),
    include_str!("streams.lua"),
    include_str!("statistics.lua"),
];

/// The whole file. `port` is where the server listens unless it is told otherwise.
pub fn lua(port: u16) -> String {
    let mut file = format!(
        "{MARK}{version}: Switchboard's frames for Wireshark and tshark. Written by `switchboard wireshark`, which\n\
         -- replaces it; changes belong into the source. Facts about the bytes are in docs/PROTOCOL.md.\n\n\
         local VERSION = \"{version}\"\nlocal DEFAULT_PORT = \"{port}\"\n\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    file.push_str(include_str!("protocol.lua"));
    file.push('\n');
    tables::put(&mut file);
    for part in PARTS_AFTER {
        file.push('\n');
        file.push_str(part);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Kind;
    use crate::wire::schema::snake_case;

    #[test]
    fn the_file_has_its_mark_and_every_kind() {
        let file = lua(7_667);
        assert!(file.starts_with(MARK));
        for kind in Kind::ALL {
            let entry = format!("[{:#04x}] = {{ name = \"{}\"", *kind as u8, snake_case(kind));
            assert_eq!(file.matches(&entry).count(), 1, "{entry}");
        }
    }
}
