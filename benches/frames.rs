//! Finding, decoding and encoding frames, per frame.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use switchboard::wire::{BODY_MAX, Flags, Split, frame, header, split};

const FRAMES: u64 = 1_000;
const TEXT: &str = "sixty-four bytes of text, or so, as people in a chat room write.";

fn stream() -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..FRAMES {
        header::put(&mut bytes, Flags::NONE, 1 << 20, &frame::Say { request: 0, text: TEXT });
    }
    bytes
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("frames");
    group.throughput(Throughput::Elements(FRAMES));
    let bytes = stream();
    group.bench_function("split_and_decode", |b| {
        b.iter(|| {
            let mut rest = bytes.as_slice();
            while let Ok(Split::Frame(raw)) = split(rest, BODY_MAX) {
                black_box(raw.decode()).expect("a frame that was encoded here");
                rest = &rest[raw.len()..];
            }
        });
    });
    let mut out = Vec::new();
    group.bench_function("encode", |b| {
        b.iter(|| {
            out.clear();
            for _ in 0..FRAMES {
                header::put(
                    &mut out,
                    Flags::NONE,
                    1 << 20,
                    &frame::Said { by: "alice", text: black_box(TEXT) },
                );
            }
        });
    });
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
