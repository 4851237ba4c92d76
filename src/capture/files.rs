//! The files of a capture: one, or a ring of which the oldest goes.

use super::Options;
use super::clock::unix_nanos;
use super::pcapng::whole_blocks;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

pub struct Files {
    base: PathBuf,
    /// How many there are at one time; 0: one, which bears the name that was given.
    max: usize,
    made: VecDeque<PathBuf>,
    number: u32,
    file: File,
    /// Bytes of it that are whole blocks.
    length: u64,
}

impl Files {
    /// Makes the first.
    ///
    /// # Errors
    /// Those of making a file.
    pub fn create(options: &Options, base: &Path) -> io::Result<Files> {
        let number = 1;
        let path = if options.files == 0 { base.to_owned() } else { numbered(base, number) };
        let file = create(&path)?;
        Ok(Files { base: base.to_owned(), max: options.files, made: [path].into(), number, file, length: 0 })
    }

    /// The present one.
    pub fn path(&self) -> &Path {
        self.made.back().unwrap_or(&self.base)
    }

    /// Begins the next, and removes the oldest if there are too many then.
    ///
    /// # Errors
    /// Those of making a file.
    pub fn begin_next(&mut self) -> io::Result<()> {
        self.number += 1;
        let path = numbered(&self.base, self.number);
        self.file = create(&path)?;
        self.length = 0;
        self.made.push_back(path);
        while self.made.len() > self.max
            && let Some(oldest) = self.made.pop_front()
        {
            let _ = std::fs::remove_file(oldest); // it may be gone already
        }
        Ok(())
    }

    /// Appends whole blocks. Where not all of them can be written, those that can are kept, and no part of another.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&mut self, blocks: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while let Some(rest) = blocks.get(written..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return self.give_up(blocks, written, ErrorKind::WriteZero.into()),
                Ok(n) => written += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.give_up(blocks, written, error),
            }
        }
        self.length += written as u64;
        Ok(())
    }

    /// Takes back the part of a block that was written.
    fn give_up(&mut self, blocks: &[u8], written: usize, error: io::Error) -> io::Result<()> {
        self.length += whole_blocks(blocks, written) as u64;
        let _ = self.file.set_len(self.length); // a pipe cannot, and then the reader has to do with what it got
        Err(error)
    }
}

/// For its owner alone: it holds what people say.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        // It may have been there, for others to read.
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    Ok(file)
}

/// `chat.pcapng` becomes `chat_00001_20260131183000.pcapng`: its number, and when it was begun (UTC).
fn numbered(base: &Path, number: u32) -> PathBuf {
    let seconds = i64::try_from(unix_nanos() / 1_000_000_000).unwrap_or_default();
    let time = Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y%m%d%H%M%S");
    let mut name = base.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_{number:05}_{time}"));
    if let Some(extension) = base.extension() {
        name.push(".");
        name.push(extension);
    }
    base.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_ring_are_told_apart_and_keep_their_ending() {
        let name = |base: &str| numbered(Path::new(base), 7).display().to_string();
        let chat = name("over/there/chat.pcapng");
        assert!(chat.starts_with("over/there/chat_00007_20") && chat.ends_with(".pcapng"), "{chat}");
        assert_eq!(chat.len(), "over/there/chat_00007_20260131183000.pcapng".len());
        assert!(name("chat").starts_with("chat_00007_2"));
    }
}
