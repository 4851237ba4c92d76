//! The threads of a run: started, given orders, waited for.

use super::cast::Cast;
use super::clock::Clock;
use super::error::Error;
use super::latencies::Second;
use super::plan::{Plan, Target};
use super::setup::{Mailbox, Meter, Order, Report, Setup};
use super::speech::Speech;
use super::worker::{Share, WAKER, Worker};
use mio::{Poll, Waker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

pub struct Crew {
    pub setup: Arc<Setup>,
    orders: Vec<Sender<Order>>,
    reports: Receiver<Report>,
    threads: Vec<JoinHandle<Option<Share>>>,
}

/// What a wait ended with.
pub enum News {
    Done,
    Second(Second),
    /// Nothing, in this time.
    Nothing,
}

impl Crew {
    /// Starts the threads, which then wait for orders.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub fn start(plan: &Plan, target: &Target, speech: Speech, cast: Cast) -> Result<Crew, Error> {
        let mut polls = Vec::new();
        let mut mailboxes = Vec::new();
        for _ in 0..plan.threads {
            let poll = Poll::new().map_err(Error::machine("a poll"))?;
            let waker = Waker::new(poll.registry(), WAKER).map_err(Error::machine("a waker"))?;
            mailboxes.push(Mailbox::new(waker));
            polls.push(poll);
        }
        let setup = Arc::new(Setup {
            clock: Clock::start(),
            cast,
            speech,
            server: target.address,
            threads: plan.threads,
            spread_sources: plan.spread_sources,
            patience: plan.patience,
            meters: (0..plan.threads).map(|_| Meter::default()).collect(),
            mailboxes,
            given_up: AtomicBool::new(false),
        });
        let (report, reports) = channel();
        let mut crew = Crew { setup: setup.clone(), orders: Vec::new(), reports, threads: Vec::new() };
        for (index, poll) in polls.into_iter().enumerate() {
            let (order, orders) = channel();
            let worker = Worker::new(index, poll, setup.clone(), orders, report.clone())?;
            let (report, server) = (report.clone(), target.pid);
            let thread = std::thread::Builder::new().name(format!("load {index}")).spawn(move || {
                keep_away_from(server);
                match worker.run() {
                    Ok(share) => Some(share),
                    Err(error) => {
                        let _ = report.send(Report::Failed(error)); // nobody listens when another was first
                        None
                    }
                }
            });
            crew.threads.push(thread.map_err(Error::machine("a thread"))?);
            crew.orders.push(order);
        }
        Ok(crew)
    }

    pub fn order(&self, order: &Order) {
        for (sender, mailbox) in self.orders.iter().zip(&self.setup.mailboxes) {
            let _ = sender.send(order.clone()); // a thread that has failed said so
            mailbox.wake();
        }
    }

    /// Waits for the next report.
    ///
    /// # Errors
    /// That of a thread that failed.
    pub fn wait(&self, time: Duration) -> Result<News, Error> {
        match self.reports.recv_timeout(time) {
            Ok(Report::Done) => Ok(News::Done),
            Ok(Report::Second(second)) => Ok(News::Second(second)),
            Ok(Report::Failed(error)) => Err(error),
            Err(RecvTimeoutError::Timeout) => Ok(News::Nothing),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Plan("no thread is left".into())),
        }
    }

    /// Adds up a number that all threads show.
    pub fn sum(&self, meter: impl Fn(&Meter) -> &AtomicU64) -> u64 {
        self.setup.meters.iter().map(|of_thread| meter(of_thread).load(Ordering::Relaxed)).sum()
    }

    /// Clients that have come as far as the present order wants.
    pub fn ready(&self) -> usize {
        self.setup.meters.iter().map(|meter| meter.ready.load(Ordering::Relaxed)).sum()
    }

    /// Hangs up, and puts together what the threads have found out.
    ///
    /// # Errors
    /// That of a thread that failed meanwhile.
    pub fn finish(mut self) -> Result<Vec<Share>, Error> {
        self.order(&Order::Stop);
        let threads = std::mem::take(&mut self.threads);
        let shares: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect();
        if shares.len() == self.orders.len() {
            return Ok(shares);
        }
        loop {
            self.wait(Duration::ZERO)?;
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.setup.given_up.store(true, Ordering::Relaxed);
        self.order(&Order::Stop);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Where the server is held to some of the cores, this thread takes the others.
#[cfg(target_os = "linux")]
fn keep_away_from(server: Option<u32>) {
    use rustix::process::Pid;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let pid = server.and_then(|pid| Pid::from_raw(pid as i32));
    let (Some(pid), Ok(ours)) = (pid, sched_getaffinity(None)) else { return };
    let Ok(theirs) = sched_getaffinity(Some(pid)) else { return };
    let mut rest = CpuSet::new();
    (0..CpuSet::MAX_CPU)
        .filter(|cpu| ours.is_set(*cpu) && !theirs.is_set(*cpu))
        .for_each(|cpu| rest.set(cpu));
    if rest.count() > 0
        && let Err(error) = sched_setaffinity(None, &rest)
    {
        log::debug!("the load shares cores with the server: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_away_from(_: Option<u32>) {}
