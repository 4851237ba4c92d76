//! The async twin: the same service on tokio. Wire, session and hub are those of Switchboard; what differs is everything
//! between a socket and a session, and between the hub's effects and a socket:
//!
//! | | Switchboard | the twin |
//! |---|---|---|
//! | who waits | one poll loop | a task per connection that reads, another that writes |
//! | who owns the hub | the loop | everybody, behind one lock, once per read |
//! | a room's message | ranges of a block, queued once per turn and member | encoded once, an `Arc` of it queued per member |
//! | a queue | an outbox that the loop flushes | a vector that the writer takes and writes at once |
//!
//! It is what one would write with tokio, and measures to do well: one lock per read and not per frame, one scratch
//! buffer per thread to read into, one write for all that is queued, nothing held for an idle connection but what it
//! needs. Its limits on queues, its deadlines, and the order in which everybody sees events are the server's.
//!
//! Left out, because no figure needs it: datagrams (who asks for a ticket is told that there are none), signals and an
//! orderly end, logging and counters, the soft limit on queues with its time of grace. Payload of a relay is copied
//! into the peer's queue, where Switchboard tries the peer's socket first.

mod connection;
mod queue;
mod world;

use std::io;
use std::sync::Arc;
use std::time::Duration;
use switchboard::server::Limits;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use world::World;

/// The two kinds of runtime that tokio has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flavour {
    CurrentThread,
    /// As many workers as the process may use cores, which is one where it is held to one.
    MultiThread,
}

/// How long accepting rests when it fails, which as a rule says that no descriptor is free.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How often calls that rang for too long are looked for.
const HUB_TICK: Duration = Duration::from_secs(1);

/// Serves on a listening socket until the process ends.
pub fn serve(listener: std::net::TcpListener, flavour: Flavour, limits: Limits) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    runtime(flavour)?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let world = Arc::new(World::new(limits)?);
        // A task like any other: `block_on`'s own future is not run by the workers, but beside them.
        let accepting = tokio::spawn(accept(listener, Arc::clone(&world)));
        tokio::spawn(tick(world));
        accepting.await.map_err(io::Error::other)
    })
}

fn runtime(flavour: Flavour) -> io::Result<Runtime> {
    let mut builder = match flavour {
        Flavour::CurrentThread => Builder::new_current_thread(),
        Flavour::MultiThread => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

async fn accept(listener: TcpListener, world: Arc<World>) {
    loop {
        match listener.accept().await {
            Ok((socket, address)) => admit(&world, socket, address),
            Err(_) => tokio::time::sleep(ACCEPT_RETRY).await,
        }
    }
}

fn admit(world: &Arc<World>, socket: TcpStream, address: std::net::SocketAddr) {
    if socket.set_nodelay(true).is_err() {
        return; // gone at once
    }
    let Some((key, queue)) = world.admit(address) else { return };
    let life = connection::live(socket, Arc::clone(world), key, queue);
    let task = tokio::spawn(life);
    world.note_task(key, task.abort_handle());
}

async fn tick(world: Arc<World>) {
    loop {
        tokio::time::sleep(HUB_TICK).await;
        world.expire();
    }
}
