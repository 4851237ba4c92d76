//! CPU per delivery inside the engine, with the kernel taken out: one room of 100 members, of whom ten speak, at several
//! numbers of messages in one turn. Divide the time by 99 times the messages.

#[path = "../tests/common/memory.rs"]
mod memory;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use memory::Room;

fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan_out_to_100");
    for messages in [8, 32, 128, 512] {
        let mut room = Room::with_members(100);
        group.throughput(Throughput::Elements(messages as u64 * 99));
        group.bench_function(BenchmarkId::from_parameter(messages), |b| b.iter(|| room.busy_turn(messages)));
    }
    group.finish();
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
