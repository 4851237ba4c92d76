//! Standard input and output beside a poll loop: a thread each, because neither can be counted on to be pollable,
//! and a waker that tells the loop when one of them got somewhere. Memory is bounded on both ways.

use mio::Waker;
use std::fs::File;
use std::io::{self, ErrorKind, IoSliceMut, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Buffers that the writer thread holds at once.
const WRITING_MAX: usize = 3;

/// From this many bytes on, a buffer waits to be handed over, and whoever fills it had better stop.
const STALL_BYTES: usize = 128 * 1_024;

/// Lines that wait for the loop to take them.
const LINES_MAX: usize = 64;

/// The longest line, in bytes, that is kept together.
const LINE_BYTES_MAX: usize = 64 * 1_024;

/// Between two tries on a descriptor that somebody else has made nonblocking.
const NONBLOCKING_PAUSE: Duration = Duration::from_millis(2);

/// Standard output. What is pushed is gathered in one buffer while the thread writes others.
pub struct Writer {
    to_thread: Sender<Vec<u8>>,
    from_thread: Receiver<io::Result<Vec<u8>>>,
    gathering: Vec<u8>,
    spare: Vec<Vec<u8>>,
    writing: usize,
    failed: Option<io::Error>,
}

impl Writer {
    /// # Errors
    /// Those of duplicating the descriptor and of starting a thread.
    pub fn start(waker: Arc<Waker>) -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Self::start_on(file, waker)
    }

    /// # Errors
    /// Those of starting a thread.
    pub fn start_on(mut file: impl Write + Send + 'static, waker: Arc<Waker>) -> io::Result<Self> {
        let (to_thread, buffers) = channel::<Vec<u8>>();
        let (done, from_thread) = channel();
        thread::Builder::new().name("stdout".to_owned()).spawn(move || {
            for mut buffer in buffers {
                let result = write_all(&mut file, &buffer);
                let failed = result.is_err();
                buffer.clear();
                if done.send(result.map(|()| buffer)).is_err() || waker.wake().is_err() || failed {
                    return;
                }
            }
        })?;
        let (gathering, spare) = (Vec::new(), Vec::new());
        Ok(Writer { to_thread, from_thread, gathering, spare, writing: 0, failed: None })
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.gathering.extend_from_slice(bytes);
    }

    /// Whether output is so far behind that nothing more should be pushed.
    pub fn is_stalled(&self) -> bool {
        self.gathering.len() >= STALL_BYTES
    }

    /// Hands over what is gathered if the thread has room for it. To be called whenever the waker woke the loop, and
    /// at the end of a turn that pushed.
    ///
    /// # Errors
    /// Those of writing, at every call from the first one on.
    pub fn pump(&mut self) -> Result<(), &io::Error> {
        while let Ok(result) = self.from_thread.try_recv() {
            self.writing -= 1;
            match result {
                Ok(buffer) => self.spare.push(buffer),
                Err(error) => self.failed = Some(error),
            }
        }
        if let Some(error) = &self.failed {
            return Err(error);
        }
        if !self.gathering.is_empty() && self.writing < WRITING_MAX {
            let next = self.spare.pop().unwrap_or_default();
            let full = std::mem::replace(&mut self.gathering, next);
            if self.to_thread.send(full).is_ok() {
                self.writing += 1;
            }
        }
        Ok(())
    }

    /// Whether everything is written.
    pub fn is_idle(&self) -> bool {
        self.gathering.is_empty() && self.writing == 0
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> io::Result<()> {
        while self.pump().is_ok() && !self.is_idle() {
            match self.from_thread.recv() {
                Ok(Ok(_)) => self.writing -= 1,
                Ok(Err(error)) => return Err(error),
                Err(_) => break,
            }
        }
        self.failed.map_or(Ok(()), Err)
    }

    /// Gives what is not written yet a moment.
    pub fn finish_within(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.pump().is_ok() && !self.is_idle() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.from_thread.recv_timeout(left) {
                Ok(Ok(_)) => self.writing -= 1,
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }
}

fn write_all(file: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(error) => may_go_on(error)?,
        }
    }
    Ok(())
}

/// Whether reading or writing can be tried again, which it can after a pause where the descriptor is nonblocking.
fn may_go_on(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::WouldBlock => {
            thread::sleep(NONBLOCKING_PAUSE);
            Ok(())
        }
        _ => Err(error),
    }
}

/// What came from standard input.
#[derive(Debug)]
pub enum Input<T> {
    Got(T),
    End,
    Failed(io::Error),
}

/// Standard input as bytes, laid out for frames. It reads only when it is asked to, into the buffer it is given:
/// that is the backpressure.
pub struct Reader {
    to_thread: Sender<Vec<u8>>,
    from_thread: Receiver<Input<Vec<u8>>>,
    asked: usize,
}

/// Where the payloads are in a buffer.
///
/// ```text
///   | gap | payload … | gap | payload … | gap | payl            the last one read may be short
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub gap: usize,
    pub payload: usize,
    pub slots: usize,
}

impl Layout {
    fn bytes(self) -> usize {
        (self.gap + self.payload) * self.slots
    }
}

impl Reader {
    /// # Errors
    /// Those of duplicating the descriptor and of starting a thread.
    pub fn start(waker: Arc<Waker>, layout: Layout) -> io::Result<Self> {
        let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let (to_thread, buffers) = channel::<Vec<u8>>();
        let (done, from_thread) = channel();
        thread::Builder::new().name("stdin".to_owned()).spawn(move || {
            for mut buffer in buffers {
                let input = match read_slots(&mut file, &mut buffer, layout) {
                    Ok(true) => Input::Got(buffer),
                    Ok(false) => Input::End,
                    Err(error) => Input::Failed(error),
                };
                let over = !matches!(input, Input::Got(_));
                if done.send(input).is_err() || waker.wake().is_err() || over {
                    return;
                }
            }
        })?;
        Ok(Reader { to_thread, from_thread, asked: 0 })
    }

    /// How many buffers are out, to be filled.
    pub fn asked(&self) -> usize {
        self.asked
    }

    pub fn ask(&mut self, buffer: Vec<u8>) {
        self.asked += 1;
        // A thread that has ended has said so; its last word waits to be taken.
        let _ = self.to_thread.send(buffer);
    }

    pub fn take(&mut self) -> Option<Input<Vec<u8>>> {
        let input = self.from_thread.try_recv().ok()?;
        self.asked -= 1;
        Some(input)
    }
}

/// One read into the payloads of a buffer, which then ends where the last of them does; false at the end of input.
fn read_slots(file: &mut impl Read, buffer: &mut Vec<u8>, layout: Layout) -> io::Result<bool> {
    buffer.resize(layout.bytes(), 0);
    let stride = layout.gap + layout.payload;
    let read = loop {
        let mut slots: Vec<IoSliceMut<'_>> = buffer
            .chunks_mut(stride)
            .map(|slot| IoSliceMut::new(slot.get_mut(layout.gap..).unwrap_or_default()))
            .collect();
        match file.read_vectored(&mut slots) {
            Ok(n) => break n,
            Err(error) => may_go_on(error)?,
        }
    };
    let used = (read / layout.payload) * stride;
    let short = match read % layout.payload {
        0 => 0,
        n => layout.gap + n,
    };
    buffer.truncate(used + short);
    Ok(read > 0)
}

/// Standard input as lines of text. Bytes that are not UTF-8 are replaced; a line without end is cut, so that it
/// cannot fill the memory.
pub struct LineReader {
    from_thread: Receiver<Input<String>>,
    over: bool,
}

impl LineReader {
    /// # Errors
    /// Those of starting a thread.
    pub fn start(waker: Arc<Waker>) -> io::Result<Self> {
        let (lines, from_thread) = sync_channel(LINES_MAX);
        thread::Builder::new().name("stdin".to_owned()).spawn(move || {
            let last = match each_line(&mut io::stdin().lock(), &lines, &waker) {
                Ok(()) => Input::End,
                Err(error) => Input::Failed(error),
            };
            // Nobody may be waiting for it any more.
            let _ = lines.send(last);
            let _ = waker.wake();
        })?;
        Ok(LineReader { from_thread, over: false })
    }

    pub fn take(&mut self) -> Option<Input<String>> {
        if self.over {
            return None;
        }
        let input = match self.from_thread.try_recv() {
            Ok(input) => input,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Input::End,
        };
        self.over = !matches!(input, Input::Got(_));
        Some(input)
    }
}

fn each_line(
    input: &mut impl io::BufRead,
    lines: &SyncSender<Input<String>>,
    waker: &Waker,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        let room = LINE_BYTES_MAX - line.len();
        match io::BufRead::read_until(&mut input.by_ref().take(room as u64), b'\n', &mut line) {
            Ok(0) if line.is_empty() => return Ok(()),
            Ok(n) => {
                let cut = line.last() != Some(&b'\n') && line.len() >= LINE_BYTES_MAX;
                if n > 0 && !cut && line.last() != Some(&b'\n') {
                    continue; // the end of input, perhaps; the next read knows
                }
                let rest = line.split_off(if cut { last_boundary(&line) } else { line.len() });
                let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
                if lines.send(Input::Got(text)).is_err() || waker.wake().is_err() {
                    return Ok(());
                }
                line = rest;
            }
            Err(error) => may_go_on(error)?,
        }
    }
}

/// Where the last character begins, if it may be unfinished.
fn last_boundary(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(4).position(|byte| byte & 0b1100_0000 != 0b1000_0000);
    match tail {
        Some(back) if bytes.get(bytes.len() - 1 - back).is_some_and(|&byte| byte >= 0xc0) => {
            bytes.len() - 1 - back
        }
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Poll, Token};

    fn waker() -> (Poll, Arc<Waker>) {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), Token(0)).expect("a waker");
        (poll, Arc::new(waker))
    }

    fn lines_of(input: &[u8]) -> Vec<String> {
        let (_poll, waker) = waker();
        let (lines, got) = sync_channel(1_000);
        each_line(&mut io::BufReader::with_capacity(7, input), &lines, &waker).expect("lines");
        drop(lines);
        got.iter().map(|input| if let Input::Got(line) = input { line } else { panic!("no line") }).collect()
    }

    #[test]
    fn lines_with_and_without_their_end() {
        assert_eq!(lines_of(b""), [""; 0]);
        assert_eq!(lines_of(b"one\ntwo\r\n\nlast"), ["one", "two\r", "", "last"]);
        assert_eq!(lines_of(b"\xff\n"), ["\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_cut_between_characters() {
        let text = format!("a{}", "日".repeat(50_000));
        let lines = lines_of(text.as_bytes());
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= LINE_BYTES_MAX));
        assert_eq!(lines.concat(), text);
    }

    #[test]
    fn what_is_read_lies_in_the_payloads() {
        let layout = Layout { gap: 2, payload: 4, slots: 3 };
        for (n, expected) in [(4, 6), (5, 9), (12, 18), (13, 18)] {
            let (input, mut buffer) = (vec![7; n], Vec::new());
            assert!(read_slots(&mut input.as_slice(), &mut buffer, layout).expect("a read"));
            assert_eq!(buffer.len(), expected, "{n} bytes");
            assert_eq!(buffer.iter().filter(|&&byte| byte == 7).count(), n.min(12));
        }
        assert!(!read_slots(&mut [].as_slice(), &mut Vec::new(), layout).expect("a read"));
    }

    #[test]
    fn a_writer_that_is_stuck_stalls_whoever_fills_it() {
        /// Writes nothing until it is told to.
        struct Stuck(Receiver<()>, Sender<usize>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                let _ = self.1.send(bytes.len());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (_poll, waker) = waker();
        let (go, stuck) = channel();
        let (count, written) = channel();
        let mut writer = Writer::start_on(Stuck(stuck, count), waker).expect("a writer");
        let mut pushed = 0;
        while !writer.is_stalled() {
            writer.push(&[1; 1_000]);
            pushed += 1_000;
            writer.pump().expect("no error");
        }
        assert!(pushed <= STALL_BYTES * 2, "{pushed} bytes are held");
        drop(go);
        writer.finish().expect("written");
        assert_eq!(written.iter().sum::<usize>(), pushed);
    }
}
