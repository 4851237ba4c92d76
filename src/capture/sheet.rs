//! Packets on their way to the disk: gathered, and handed to the writer in one piece per turn.
//!
//! Here is also known how long each file gets, so that a packet never is in two of them and no file is longer than it
//! may be.

use super::Options;
use super::clock::unix_nanos;
use super::pcapng::{self, Direction};
use super::writer::{Batch, Writer};
use log::warn;

/// Bytes that are handed over before a turn ends.
const BATCH_BYTES_MAX: usize = 256 * 1_024;

/// More than a packet takes beside its payload: its block, its headers, and its remarks.
const OVERHEAD: usize = 4 * 1_024;

/// What every file says of itself.
const APPLICATION: &str = concat!("switchboard ", env!("CARGO_PKG_VERSION"));
const ABOUT: &str = "Made by the program itself of what it read and wrote, and when: the bytes and their times are real; IP and TCP headers, \
                     handshakes, acknowledgements and windows are made up to fit.";
const MASKED: &str = " Passwords, keys and tickets are masked with asterisks.";

pub struct Sheet {
    writer: Writer,
    batch: Batch,
    /// Bytes in the present file, and at most in each.
    file_bytes: u64,
    file_bytes_max: u64,
    /// Whether there is another file behind it.
    is_ring: bool,
    file: u32,
    /// Packets that the writer could not take, and that no remark has told of.
    missing: u64,
    is_over: bool,
    header: Vec<u8>,
    clock: fn() -> u64,
}

impl Sheet {
    pub fn new(options: &Options, writer: Writer) -> Self {
        let mut header = Vec::new();
        let about = if options.secrets { ABOUT.to_owned() } else { ABOUT.to_owned() + MASKED };
        pcapng::put_header(&mut header, APPLICATION, &about);
        let mut sheet = Sheet {
            writer,
            batch: Batch::default(),
            file_bytes: 0,
            file_bytes_max: options.bytes_max as u64,
            is_ring: options.files > 0,
            file: 0,
            missing: 0,
            is_over: false,
            header,
            clock: unix_nanos,
        };
        sheet.begin_file();
        sheet.batch.begins_file = false; // the writer has it open
        sheet.hand_over();
        sheet
    }

    /// Which file the next packet is in.
    pub fn file(&self) -> u32 {
        self.file
    }

    /// Nanoseconds since 1970.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Whether nothing more is written, because of an error or because the only file is full.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Sees to it that a packet with so much payload fits into the present file.
    pub fn make_room(&mut self, payload: usize) {
        if self.file_bytes + (payload + OVERHEAD) as u64 <= self.file_bytes_max || self.is_over {
            return;
        }
        self.hand_over();
        if self.is_ring {
            self.begin_file();
        } else if !self.is_over {
            self.is_over = true;
            let (path, bytes) = (self.writer.path().display(), self.file_bytes);
            warn!("capture: {path} has {bytes} bytes, and does not get longer: it ends here, chat goes on");
            self.writer.end();
        }
    }

    /// Writes a packet, for which there is room.
    pub fn put(&mut self, direction: Direction, remarks: &[String], write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_over {
            return;
        }
        let missing = (self.missing > 0).then(|| {
            format!("{} packets are missing here: the disk was too slow", std::mem::take(&mut self.missing))
        });
        let comments = missing.iter().chain(remarks).map(String::as_str);
        let (at, before) = ((self.clock)(), self.batch.bytes.len());
        pcapng::put_packet(&mut self.batch.bytes, at, direction, comments, write);
        self.batch.packets += 1;
        self.file_bytes += (self.batch.bytes.len() - before) as u64;
        if self.batch.bytes.len() >= BATCH_BYTES_MAX {
            self.hand_over();
        }
    }

    /// Gives the writer what there is. What it does not take is missing.
    pub fn hand_over(&mut self) {
        if self.batch.bytes.is_empty() || self.is_over {
            return;
        }
        match self.writer.take(&mut self.batch) {
            Taken::Yes => {}
            Taken::Over => {
                self.is_over = true;
                self.batch = Batch::default();
            }
            Taken::No => {
                self.missing += std::mem::take(&mut self.batch.packets);
                let kept = if self.batch.begins_file { self.header.len() } else { 0 };
                self.file_bytes -= (self.batch.bytes.len() - kept) as u64;
                self.batch.bytes.truncate(kept);
            }
        }
    }

    fn begin_file(&mut self) {
        self.file += 1;
        self.batch.begins_file = true;
        self.batch.bytes.extend_from_slice(&self.header);
        self.file_bytes = self.header.len() as u64;
    }
}

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    Yes,
    /// Too much waits already.
    No,
    /// Nothing is written any more.
    Over,
}

impl Drop for Sheet {
    fn drop(&mut self) {
        self.hand_over();
        self.writer.finish();
    }
}
