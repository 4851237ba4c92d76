//! What a connection still has to be sent: a queue of ranges of [`Blocks`].
//!
//! ```text
//!   blocks   A [ said | said | said | said | said ]   a room's frames of one turn, the same for every member
//!            B [ done ]                               this connection's own
//!   outbox   A[0..3]  B[0..1]  A[4..5]                three entries, one write
//! ```
//!
//! Ranges that touch become one. A partial write shortens the first. The queue counts its bytes; who fills it decides what
//! is too many.
//!
//! Only ranges hold blocks. `own` is the block that the connection's own bytes are appended to while ranges of it are
//! queued; it is named there, not held, and forgotten with its last range. When the socket takes no more,
//! [`Outbox::settle`] copies short ranges off long blocks, which a slow reader would otherwise keep alive.
//!
//! A *gate* keeps back what is queued behind it until it is opened, and lets everything before it go.

use super::blocks::Expect;
use super::gates::Gates;
use super::{BlockId, Blocks, Socket};
use smallvec::SmallVec;
use std::io::{self, ErrorKind, IoSlice};

/// Ranges given to one vectored write. More would cost stack and save nothing that the socket buffer can take.
const SLICES_MAX: usize = 64;

/// Several ranges of no more bytes than this are copied together: the kernel takes longer to gather so few than we do.
const GATHERED_BYTES_MAX: usize = 4 * 1_024;

/// A block of the connection's own, in bytes, from which on the next one is begun: the front of a block cannot be
/// given back while its end is still queued.
const OWN_BLOCK_BYTES_MAX: usize = 64 * 1_024;

/// A queued range that is less than 1/`PINNED_FACTOR_MAX` of its block is copied off when the socket does not take it,
/// so that a slow reader pins at most so many times the bytes it is owed (and its own block besides).
const PINNED_FACTOR_MAX: usize = 4;

/// What one connection is owed.
#[derive(Default)]
pub struct Outbox {
    queued: usize,
    /// Two fit in here: who is silent is owed one range of a room and turn, who speaks two, around their own words.
    ranges: SmallVec<[Range; 2]>,
    /// The block that this connection's own bytes are appended to; named, not held.
    own: Option<BlockId>,
    /// How many of the ranges [`Outbox::settle`] has looked at.
    settled: u32,
    /// There while something is held back.
    gates: Option<Box<Gates>>,
}

#[derive(Clone, Copy, Debug)]
struct Range {
    block: BlockId,
    start: u32,
    end: u32,
}

impl Range {
    fn len(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// How a flush ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flushed {
    /// Everything is written.
    All,
    /// The budget is spent; the socket would take more.
    Budget,
    /// The socket takes no more for now.
    WouldBlock,
    /// What is left is behind a gate.
    Held,
}

impl Outbox {
    /// Bytes that wait here.
    pub fn queued_bytes(&self) -> usize {
        self.queued
    }

    pub fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Queues `start..end` of a block, without copying it.
    pub fn push_range(&mut self, blocks: &mut Blocks, block: BlockId, start: usize, end: usize) {
        if start == end {
            return;
        }
        debug_assert!(start < end && end <= blocks.bytes(block).len());
        self.queued += end - start;
        let is_gate_between = self.is_gate_next();
        if let Some(last) = self.ranges.last_mut()
            && last.block == block
            && last.end as usize == start
            && !is_gate_between
        {
            last.end = end as u32;
            return;
        }
        blocks.hold(block);
        self.ranges.push(Range { block, start: start as u32, end: end as u32 });
    }

    /// Queues bytes of this connection's own, which `write` appends.
    pub fn push_own(&mut self, blocks: &mut Blocks, expect: Expect, write: impl FnOnce(&mut Vec<u8>)) {
        let fresh = match self.own {
            Some(own) if blocks.bytes(own).len() < OWN_BLOCK_BYTES_MAX => None,
            _ => Some(blocks.open(expect)),
        };
        let Some(own) = fresh.or(self.own) else { return };
        let start = blocks.bytes(own).len();
        let bytes = blocks.append_to(own);
        write(bytes);
        let end = bytes.len();
        self.push_range(blocks, own, start, end);
        if fresh.is_some() {
            // From here on only the ranges hold it: it goes when the last of them is written.
            self.own = (!blocks.release(own)).then_some(own);
        }
    }

    /// Writes until all is written, the socket takes no more, or `budget` bytes are.
    ///
    /// # Errors
    /// Those of the socket; `WriteZero` when it takes nothing and does not say why. The connection is lost then.
    pub fn flush(
        &mut self,
        blocks: &mut Blocks,
        socket: &mut impl Socket,
        budget: usize,
    ) -> io::Result<Flushed> {
        let mut done = 0;
        let flushed = self.write(blocks, socket, budget, &mut done);
        self.settled = self.settled.saturating_sub(done as u32);
        if let Some(gates) = &mut self.gates {
            gates.advance(done);
        }
        if !self.is_empty() {
            self.ranges.drain(..done); // all at once, because those behind them move to the front
        } else if self.ranges.spilled() {
            self.ranges = SmallVec::new();
        } else {
            self.ranges.clear();
        }
        flushed
    }

    /// Prepares what the socket did not take for a longer stay: short ranges are copied off long blocks, which would
    /// otherwise be kept alive for their sake.
    pub fn settle(&mut self, blocks: &mut Blocks) {
        for range in self.ranges.iter_mut().skip(self.settled as usize) {
            let Range { block, start, end } = *range;
            let is_own = self.own == Some(block);
            if is_own || range.len() * PINNED_FACTOR_MAX >= blocks.bytes(block).len() {
                continue;
            }
            let bytes = blocks.bytes(block)[start as usize..end as usize].to_vec();
            *range = Range { block: blocks.adopt(bytes), start: 0, end: end - start };
            blocks.release(block);
        }
        self.settled = self.ranges.len() as u32;
    }

    /// What is queued from here on waits until `number` is reached. Numbers grow from gate to gate.
    pub fn hold(&mut self, number: u64) {
        self.gates.get_or_insert_default().shut(self.ranges.len(), number);
    }

    /// Opens the gates up to this number. Returns whether there was one.
    pub fn let_go(&mut self, upto: u64) -> bool {
        let Some(gates) = &mut self.gates else { return false };
        let has_opened = gates.open(upto);
        if gates.is_empty() {
            self.gates = None;
        }
        has_opened
    }

    /// Whether something has to wait for a number up to this one.
    pub fn is_held(&self, upto: u64) -> bool {
        self.gates.as_ref().is_some_and(|gates| gates.has(upto))
    }

    /// Queues bytes of this connection's own in front of everything that is held back; behind everything, where nothing
    /// is.
    pub fn push_before_gate(&mut self, blocks: &mut Blocks, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.free();
        let (end, block) = (bytes.len(), blocks.adopt(bytes));
        self.queued += end;
        self.ranges.insert(at, Range { block, start: 0, end: end as u32 });
        self.settled += u32::from(at < self.settled as usize);
        if let Some(gates) = &mut self.gates {
            gates.make_room();
        }
    }

    /// How many ranges are before the first gate.
    fn free(&self) -> usize {
        self.gates.as_ref().and_then(|gates| gates.first()).unwrap_or(self.ranges.len())
    }

    /// Whether there is a gate behind all that is queued.
    fn is_gate_next(&self) -> bool {
        self.gates.as_ref().is_some_and(|gates| gates.last() == Some(self.ranges.len()))
    }

    /// Forgets everything that is queued.
    pub fn clear(&mut self, blocks: &mut Blocks) {
        for range in std::mem::take(self).ranges.iter() {
            blocks.release(range.block);
        }
    }

    /// Flushes; `done` counts the ranges that are written.
    fn write(
        &mut self,
        blocks: &mut Blocks,
        socket: &mut impl Socket,
        mut budget: usize,
        done: &mut usize,
    ) -> io::Result<Flushed> {
        let free = self.free();
        while *done < free {
            if budget == 0 {
                return Ok(Flushed::Budget);
            }
            match write_once(&self.ranges[*done..free], self.queued, blocks, socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => {
                    *done += self.advance(blocks, *done, n);
                    budget = budget.saturating_sub(n);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Flushed::WouldBlock);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if self.is_empty() { Flushed::All } else { Flushed::Held })
    }

    /// `n` bytes of the ranges from `first` on are written. Returns how many of these are done with; the next is
    /// shortened.
    fn advance(&mut self, blocks: &mut Blocks, first: usize, mut n: usize) -> usize {
        self.queued -= n;
        let mut done = 0;
        while let Some(range) = self.ranges.get_mut(first + done) {
            if n < range.len() {
                range.start += n as u32;
                break;
            }
            n -= range.len();
            let block = range.block;
            self.release(blocks, block);
            done += 1;
        }
        done
    }

    fn release(&mut self, blocks: &mut Blocks, block: BlockId) {
        if blocks.release(block) && self.own == Some(block) {
            self.own = None;
        }
    }
}

/// One system call for as much of the ranges as it takes; `length` is that of all together, or more.
fn write_once(
    ranges: &[Range],
    length: usize,
    blocks: &mut Blocks,
    socket: &mut impl Socket,
) -> io::Result<usize> {
    let place = |range: &Range| (range.block, range.start as usize..range.end as usize);
    if let [only] = ranges {
        return socket.write(blocks.range(place(only)));
    }
    if length <= GATHERED_BYTES_MAX {
        return socket.write(blocks.gather(ranges.iter().map(place)));
    }
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut count = 0;
    for (to, range) in slices.iter_mut().zip(ranges) {
        *to = IoSlice::new(blocks.range(place(range)));
        count += 1;
    }
    socket.write_vectored(&slices[..count])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::Shutdown;

    /// Takes `room` bytes, in writes of at most `step`, then blocks.
    struct Sink {
        got: Vec<u8>,
        room: usize,
        step: usize,
        calls: usize,
    }

    impl Sink {
        fn new(room: usize, step: usize) -> Self {
            Sink { got: Vec::new(), room, step, calls: 0 }
        }
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.calls += 1;
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
            let n = all.len().min(self.step).min(self.room);
            if n == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.got.extend_from_slice(&all[..n]);
            self.room -= n;
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Read for Sink {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    impl Socket for Sink {
        fn shutdown(&self, _: Shutdown) -> io::Result<()> {
            Ok(())
        }
    }

    fn shared(blocks: &mut Blocks, bytes: &[u8]) -> BlockId {
        let id = blocks.open(Expect::Much);
        blocks.append_to(id).extend_from_slice(bytes);
        id
    }

    #[test]
    fn bytes_come_out_in_order_however_little_is_taken() {
        // Few are copied together, many are gathered by the kernel.
        for (each, step) in (1..=20).flat_map(|step| [(1, step), (GATHERED_BYTES_MAX, step * 1_000)]) {
            let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
            let stretched = |bytes: &[u8]| bytes.iter().flat_map(|&b| vec![b; each]).collect::<Vec<u8>>();
            let room = shared(&mut blocks, &stretched(b"0123456789"));
            outbox.push_range(&mut blocks, room, 0, 4 * each);
            outbox.push_own(&mut blocks, Expect::Little, |out| out.extend(stretched(b"own")));
            outbox.push_range(&mut blocks, room, 6 * each, 8 * each);
            outbox.push_range(&mut blocks, room, 8 * each, 10 * each);
            outbox.push_own(&mut blocks, Expect::Little, |out| out.extend(stretched(b"end")));
            blocks.release(room);
            assert_eq!(
                (outbox.ranges.len(), outbox.queued_bytes()),
                (4, 14 * each),
                "touching ranges are one"
            );
            let mut sink = Sink::new(100 * each, step);
            assert_eq!(outbox.flush(&mut blocks, &mut sink, usize::MAX).ok(), Some(Flushed::All));
            assert_eq!(sink.got, stretched(b"0123own6789end"));
            assert!(outbox.is_empty() && blocks.is_empty(), "nothing is kept");
        }
    }

    #[test]
    fn a_full_socket_keeps_the_rest_and_its_offset() {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        outbox.push_own(&mut blocks, Expect::Little, |out| out.extend_from_slice(b"0123456789"));
        let mut sink = Sink::new(4, 100);
        assert_eq!(outbox.flush(&mut blocks, &mut sink, usize::MAX).ok(), Some(Flushed::WouldBlock));
        assert_eq!(outbox.queued_bytes(), 6);
        outbox.push_own(&mut blocks, Expect::Little, |out| out.extend_from_slice(b"ab"));
        sink.room = 100;
        assert_eq!(outbox.flush(&mut blocks, &mut sink, usize::MAX).ok(), Some(Flushed::All));
        assert_eq!(sink.got, b"0123456789ab");
        assert!(blocks.is_empty());
    }

    #[test]
    fn the_budget_ends_a_flush() {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        outbox.push_own(&mut blocks, Expect::Much, |out| out.resize(100, 7));
        let mut sink = Sink::new(1_000, 10);
        assert_eq!(outbox.flush(&mut blocks, &mut sink, 25).ok(), Some(Flushed::Budget));
        assert_eq!(outbox.queued_bytes(), 70);
    }

    #[test]
    fn one_turn_of_a_room_is_one_write() {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        let room = shared(&mut blocks, &[1; 5_000]);
        for at in 0..50 {
            outbox.push_range(&mut blocks, room, at * 100, (at + 1) * 100);
        }
        let mut sink = Sink::new(10_000, 10_000);
        outbox.flush(&mut blocks, &mut sink, usize::MAX).expect("a flush");
        assert_eq!((sink.calls, sink.got.len()), (1, 5_000));
    }

    #[test]
    fn a_slow_reader_does_not_pin_a_block_for_a_few_bytes_of_it() {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        let room = shared(&mut blocks, &[b'x'; 10_000]);
        outbox.push_range(&mut blocks, room, 10, 20);
        outbox.push_range(&mut blocks, room, 30, 9_000);
        outbox.settle(&mut blocks);
        blocks.release(room);
        assert_eq!((blocks.len(), outbox.queued_bytes()), (2, 8_980));
        let mut sink = Sink::new(10, 10);
        assert_eq!(outbox.flush(&mut blocks, &mut sink, usize::MAX).ok(), Some(Flushed::WouldBlock));
        assert_eq!(blocks.len(), 1, "the short range had a block of its own");
        outbox.clear(&mut blocks);
        assert!(blocks.is_empty() && outbox.is_empty());
    }

    #[test]
    fn what_is_queued_behind_settled_ranges_is_settled_in_its_turn() {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        let mut sink = Sink::new(0, 10);
        for turn in 1..=4 {
            let room = shared(&mut blocks, &[b'x'; 10_000]);
            outbox.push_range(&mut blocks, room, 10, 20);
            outbox.push_range(&mut blocks, room, 30, 40);
            blocks.release(room);
            sink.room = 10; // one of the ranges in front goes
            outbox.flush(&mut blocks, &mut sink, usize::MAX).expect("a flush");
            outbox.settle(&mut blocks);
            assert_eq!((outbox.queued_bytes(), blocks.held_bytes()), (10 * turn, 10 * turn));
        }
    }

    #[test]
    fn own_blocks_are_bounded_and_let_go_from_the_front() {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        for _ in 0..10 {
            outbox.push_own(&mut blocks, Expect::Much, |out| out.extend_from_slice(&[1; 32 * 1_024]));
        }
        assert_eq!(blocks.len(), 5);
        let mut sink = Sink::new(130 * 1_024, usize::MAX);
        outbox.flush(&mut blocks, &mut sink, usize::MAX).expect("a flush");
        assert_eq!(blocks.len(), 3);
    }

    #[test]
    fn what_is_behind_a_gate_waits_until_it_is_opened() {
        for step in [1, 3, 100] {
            let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
            let mut sink = Sink::new(1_000, step);
            let own = |outbox: &mut Outbox, blocks: &mut Blocks, bytes: &[u8]| {
                outbox.push_own(blocks, Expect::Little, |out| out.extend_from_slice(bytes));
            };
            let mut flush = |outbox: &mut Outbox, blocks: &mut Blocks| {
                let flushed = outbox.flush(blocks, &mut sink, usize::MAX).expect("a flush");
                outbox.settle(blocks);
                (flushed, String::from_utf8_lossy(&sink.got).into_owned())
            };
            own(&mut outbox, &mut blocks, b"free ");
            outbox.hold(1);
            own(&mut outbox, &mut blocks, b"first ");
            outbox.hold(2);
            outbox.hold(3); // in the same place
            own(&mut outbox, &mut blocks, b"third");
            assert_eq!(flush(&mut outbox, &mut blocks), (Flushed::Held, "free ".to_owned()));
            assert!(!outbox.let_go(0), "no gate has this number");
            assert_eq!(flush(&mut outbox, &mut blocks).0, Flushed::Held);
            outbox.push_before_gate(&mut blocks, b"before ".to_vec());
            assert!(outbox.let_go(2), "the first opens");
            assert_eq!(flush(&mut outbox, &mut blocks), (Flushed::Held, "free before first ".to_owned()));
            assert!(outbox.let_go(3));
            assert_eq!(flush(&mut outbox, &mut blocks), (Flushed::All, "free before first third".to_owned()));
            assert!(blocks.is_empty() && outbox.gates.is_none(), "nothing is kept");
        }
    }
}
