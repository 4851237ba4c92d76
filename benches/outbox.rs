//! The out-queue: what a connection is owed, queued and written. Per message of a room's turn, without a kernel: the
//! socket is a counter that takes as much as it is told.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use switchboard::net::blocks::Expect;
use switchboard::net::{BlockId, Blocks, Flushed, Outbox, Socket};

/// A frame of 64 bytes of text.
const FRAME: [u8; 84] = [b'x'; 84];

const MESSAGES: usize = 64;

/// Takes at most `step` bytes a write; what it took is gone.
struct Sink {
    step: usize,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len().min(self.step))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let all: usize = black_box(slices).iter().map(|slice| slice.len()).sum();
        Ok(all.min(self.step))
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

/// A room's block of one turn.
fn turn_of_a_room(blocks: &mut Blocks) -> BlockId {
    let block = blocks.open(Expect::Much);
    (0..MESSAGES).for_each(|_| blocks.append_to(block).extend_from_slice(&FRAME));
    block
}

fn flush_all(outbox: &mut Outbox, blocks: &mut Blocks, step: usize) {
    let flushed = outbox.flush(blocks, &mut Sink { step }, usize::MAX);
    assert_eq!(flushed.ok(), Some(Flushed::All));
}

fn outbox(c: &mut Criterion) {
    let mut group = c.benchmark_group("outbox");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    // A member who said nothing in this turn: one range, whatever it holds.
    group.bench_function("range_of_a_turn", |b| {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        let block = turn_of_a_room(&mut blocks);
        b.iter(|| {
            outbox.push_range(&mut blocks, block, 0, MESSAGES * FRAME.len());
            flush_all(&mut outbox, &mut blocks, usize::MAX);
        });
    });
    // The same message by message, which touch and become one.
    group.bench_function("touching_ranges", |b| {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        let block = turn_of_a_room(&mut blocks);
        b.iter(|| {
            for at in 0..MESSAGES {
                outbox.push_range(&mut blocks, block, at * FRAME.len(), (at + 1) * FRAME.len());
            }
            flush_all(&mut outbox, &mut blocks, usize::MAX);
        });
    });
    // Around one's own messages, which are every other one, in writes that take all, or only so many bytes.
    for step in [usize::MAX, 1_460, 200] {
        let name = if step == usize::MAX { "all".into() } else { step.to_string() };
        group.bench_function(BenchmarkId::new("gaps_in_writes_of", name), |b| {
            let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
            let block = turn_of_a_room(&mut blocks);
            b.iter(|| {
                for at in (0..MESSAGES).step_by(2) {
                    outbox.push_range(&mut blocks, block, at * FRAME.len(), (at + 1) * FRAME.len());
                }
                flush_all(&mut outbox, &mut blocks, step);
            });
        });
    }
    // Answers: bytes of the connection's own.
    group.bench_function("own", |b| {
        let (mut blocks, mut outbox) = (Blocks::default(), Outbox::default());
        b.iter(|| {
            for _ in 0..MESSAGES {
                outbox.push_own(&mut blocks, Expect::Little, |out| out.extend_from_slice(&FRAME));
            }
            flush_all(&mut outbox, &mut blocks, usize::MAX);
        });
    });
    group.finish();
}

criterion_group!(benches, outbox);
criterion_main!(benches);
