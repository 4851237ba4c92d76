//! One connection: a task that writes what is queued, and one that reads.

use super::queue::{Bytes, Queue};
use super::world::{Then, World};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use switchboard::net::Key;
use switchboard::wire::BODY_MAX;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep_until};

/// Bytes that one read asks for; more made it slower.
const READ_BYTES: usize = 64 * 1_024;

/// The beginning of a frame whose end has not arrived is put in front of what a read brings.
const SCRATCH_BYTES: usize = READ_BYTES + BODY_MAX as usize + 8;

/// Batches above this capacity go back to the allocator when their work is done: an idle connection holds little.
const KEPT_MESSAGES_MAX: usize = 64;

thread_local! {
    /// All tasks of a thread read into this one buffer, which nobody holds across an await.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);

    /// And copy messages that go out together into this one.
    static TOGETHER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// However the writing task ends, the reading one ends with it, and nobody waits for its queue any more.
struct Reading {
    task: JoinHandle<()>,
    queue: Arc<Queue>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
        self.queue.abandon();
    }
}

/// A connection's whole life: writes until it is closed and everything is out, then waits for the client to close its
/// side. The world ends it when that takes too long.
pub async fn live(socket: TcpStream, world: Arc<World>, key: Key, queue: Arc<Queue>) {
    let (input, output) = socket.into_split();
    let reader = Reader { input, world: Arc::clone(&world), key, held: Vec::new() };
    let mut reading = Reading { task: tokio::spawn(reader.run()), queue };
    match write(output, &reading.queue, world.low_water()).await {
        Ok(()) => drop((&mut reading.task).await),
        Err(error) => world.lose(key, error.kind()),
    }
}

/// Writes what is queued, all that there is at once, until the queue ends.
async fn write(mut output: OwnedWriteHalf, queue: &Queue, low_water: usize) -> io::Result<()> {
    let mut batch = Vec::new();
    while queue.take(&mut batch).await {
        let bytes = match &batch[..] {
            [only] => {
                output.write_all(only).await?;
                only.len()
            }
            several => write_together(&mut output, several).await?,
        };
        batch.clear();
        if batch.capacity() > KEPT_MESSAGES_MAX {
            batch = Vec::new();
        }
        queue.note_written(bytes, low_water);
    }
    output.shutdown().await
}

/// Short messages are copied in less time than the kernel takes to gather them. Returns how many bytes they are.
async fn write_together(output: &mut OwnedWriteHalf, messages: &[Bytes]) -> io::Result<usize> {
    let first = poll_fn(|cx| {
        TOGETHER.with_borrow_mut(|together| {
            together.clear();
            messages.iter().for_each(|bytes| together.extend_from_slice(bytes));
            let written = ready!(Pin::new(&mut *output).poll_write(cx, together))?;
            Poll::Ready(io::Result::Ok((together.len(), together[written..].to_vec())))
        })
    });
    let (bytes, rest) = first.await?;
    output.write_all(&rest).await?; // as a rule nothing, which allocates nothing
    Ok(bytes)
}

struct Reader {
    input: OwnedReadHalf,
    world: Arc<World>,
    key: Key,
    /// What was read and not used: the beginning of a frame, or everything behind the one that made us wait.
    held: Vec<u8>,
}

/// What comes of waiting for the socket or the clock.
enum Heard {
    Bytes(Then),
    End,
    Broken(io::ErrorKind),
    Alarm,
}

impl Reader {
    async fn run(mut self) {
        let mut alarm = pin!(sleep_until(self.world.first_alarm().into()));
        loop {
            match poll_fn(|cx| self.poll(cx, alarm.as_mut())).await {
                Heard::Bytes(then) => {
                    if !self.go_on(then).await {
                        break;
                    }
                }
                Heard::End => return self.world.end(self.key),
                Heard::Broken(kind) => return self.world.lose(self.key, kind),
                Heard::Alarm => match self.world.ring(self.key) {
                    Some(next) => alarm.as_mut().reset(next.into()),
                    None => break,
                },
            }
        }
        self.discard().await;
    }

    /// Reads once, and does what the bytes say; or notes that the alarm has gone off.
    fn poll(&mut self, cx: &mut Context<'_>, alarm: Pin<&mut Sleep>) -> Poll<Heard> {
        if let Poll::Ready(heard) = self.poll_read(cx) {
            return Poll::Ready(heard);
        }
        ready!(alarm.poll(cx));
        Poll::Ready(Heard::Alarm)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        SCRATCH.with_borrow_mut(|scratch| {
            let held = self.held.len();
            let end = SCRATCH_BYTES.min(held + READ_BYTES);
            let mut buffer = ReadBuf::new(&mut scratch[held..end]);
            let read = ready!(Pin::new(&mut self.input).poll_read(cx, &mut buffer));
            let n = buffer.filled().len();
            Poll::Ready(match read {
                Err(error) => Heard::Broken(error.kind()),
                Ok(()) if n == 0 => Heard::End,
                Ok(()) => {
                    scratch[..held].copy_from_slice(&self.held);
                    Heard::Bytes(self.consume(&scratch[..held + n]))
                }
            })
        })
    }

    fn consume(&mut self, bytes: &[u8]) -> Then {
        let (used, then) = self.world.consume(self.key, bytes, Instant::now());
        self.held = bytes[used..].to_vec(); // as a rule empty, which allocates nothing
        then
    }

    /// Waits where somebody's queue is too long, and then does what is held back. `false` when the connection is closed.
    async fn go_on(&mut self, mut then: Then) -> bool {
        loop {
            match then {
                Then::Read => return true,
                Then::Closed => return false,
                Then::WaitFor(queue) => queue.wait_for(self.world.low_water()).await,
            }
            let held = std::mem::take(&mut self.held);
            then = self.consume(&held);
        }
    }

    /// Closed: what the client still sends is thrown away until it closes its side, since closing with unread input
    /// would lose what it was sent last.
    async fn discard(&mut self) {
        let discard = |input: &mut OwnedReadHalf, cx: &mut Context<'_>| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                Pin::new(input).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
            })
        };
        while let Ok(1..) = poll_fn(|cx| discard(&mut self.input, cx)).await {}
    }
}
