//! One of the two peers: its connection to the server, its datagrams and direct paths, and what came by them.

use crate::chat::link::{Incoming, Link};
use crate::chat::lost::Lost;
use crate::chat::paths::{Happened, Paths};
use crate::wire::frame::{AddressEntry, Body, ListEntries, OfferPaths};
use crate::wire::{Flags, Frame, Kind, Transport};
use mio::event::Event;
use mio::{Registry, Token};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

/// Reads from the server in one turn.
const READS_MAX: usize = 8;

pub struct Peer {
    pub name: String,
    /// Frames that are said before hello.
    credentials: Vec<u8>,
    token: Token,
    link: Option<Link>,
    pub paths: Paths,
    news: VecDeque<News>,
    /// Why there is no connection any more, until somebody asks.
    lost: Option<Lost>,
    search: Option<Search>,
    requests: u32,
}

/// A search for a direct path of one kind.
#[derive(Clone, Copy)]
struct Search {
    channel: u32,
    transport: Transport,
}

/// What came, in the order in which it did.
pub enum News {
    Connected,
    Welcome,
    Frame {
        by: By,
        channel: u32,
        flags: Flags,
        kind: Kind,
        body: Vec<u8>,
    },
    /// The server does not take datagrams, for this reason.
    NotBound(String),
    PathOpened {
        peer: SocketAddr,
    },
    RoundFailed {
        again: bool,
        reason: String,
    },
    PathLost(String),
}

/// Which way a frame came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    Connection,
    Datagram,
    DirectPath,
}

impl News {
    /// A frame with its channel; `None` for what is none.
    pub fn frame(&self) -> Option<(u32, Frame<'_>)> {
        let News::Frame { channel, kind, body, .. } = self else { return None };
        Some((*channel, Frame::decode(*kind as u8, body).ok()?))
    }

    /// Of a frame; none otherwise.
    pub fn flags(&self) -> Flags {
        if let News::Frame { flags, .. } = self { *flags } else { Flags::NONE }
    }

    pub fn by(&self) -> Option<By> {
        if let News::Frame { by, .. } = self { Some(*by) } else { None }
    }

    fn of(by: By, channel: u32, flags: Flags, frame: &Frame<'_>) -> News {
        let mut body = Vec::new();
        frame.encode_body(&mut body);
        News::Frame { by, channel, flags, kind: frame.kind(), body }
    }
}

impl Peer {
    /// # Errors
    /// Those of opening ports.
    pub fn new(registry: &Registry, token: Token, name: String, credentials: Vec<u8>) -> io::Result<Peer> {
        let paths = Paths::open(registry, true)?;
        let news = VecDeque::new();
        Ok(Peer { name, credentials, token, link: None, paths, news, lost: None, search: None, requests: 0 })
    }

    /// Begins to connect, and to log in once that is done.
    ///
    /// # Errors
    /// [`Lost::Connect`].
    pub fn dial(&mut self, registry: &Registry, server: SocketAddr, now: Instant) -> Result<(), Lost> {
        self.hang_up(registry);
        let dialler = self.paths.dialler();
        let mut link = Link::dial(registry, self.token, &server.to_string(), &self.name, dialler, now)?;
        link.say_before_hello(self.credentials.clone());
        self.link = Some(link);
        Ok(())
    }

    pub fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// Drops the connection without a word.
    pub fn hang_up(&mut self, registry: &Registry) {
        if let Some(mut link) = self.link.take() {
            link.hang_up(registry);
        }
        (self.lost, self.search) = (None, None);
        self.news.clear();
    }

    pub fn take_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Forgets what came for nobody.
    pub fn clear_news(&mut self) {
        self.news.clear();
    }

    pub fn take_lost(&mut self) -> Option<Lost> {
        self.lost.take()
    }

    /// The id for a request.
    pub fn next_request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    /// Sends over the connection to the server.
    pub fn send<'a>(&mut self, flags: Flags, channel: u32, body: &impl Body<'a>) {
        if let Some(link) = &mut self.link {
            link.out().send(flags, channel, body);
        }
    }

    /// Whether the server has welcomed this one, and has not gone since.
    pub fn is_open(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_open)
    }

    pub fn say_bye(&mut self) {
        if let Some(link) = self.link.as_mut().filter(|link| link.is_open()) {
            link.say_bye("");
        }
    }

    /// Offers the other peer what addresses there are, of this kind; again after each round in vain.
    pub fn search(&mut self, channel: u32, transport: Transport) {
        self.search = Some(Search { channel, transport });
        self.offer_addresses();
    }

    fn offer_addresses(&mut self) {
        let Some(Search { channel, transport }) = self.search else { return };
        let addresses = self.addresses(transport);
        let (request, mut scratch) = (self.next_request(), Vec::new());
        self.paths.expect_round(channel);
        let addresses = ListEntries::encode(&mut scratch, addresses);
        self.send(Flags::NONE, channel, &OfferPaths { request, addresses });
    }

    /// Where this peer is, as far as this host knows; the likeliest first.
    pub fn addresses(&mut self, transport: Transport) -> Vec<AddressEntry> {
        let Some(local) = self.link.as_ref().and_then(Link::local_address) else { return Vec::new() };
        let mut addresses = self.paths.addresses(local, &[], false);
        addresses.retain(|entry| entry.transport == transport.number());
        addresses
    }

    pub fn close_path(&mut self, channel: u32) {
        self.search = None;
        self.paths.close(channel);
    }

    /// Notes readiness.
    pub fn note(&mut self, event: &Event) {
        if self.paths.owns(event.token()) {
            self.paths.note(event);
        } else if let Some(link) = self.link.as_mut().filter(|_| event.token() == self.token) {
            link.note(event);
        }
    }

    /// Lets everything happen that can.
    pub fn turn(&mut self, registry: &Registry, now: Instant) {
        if let Err(lost) = self.exchange(registry, now) {
            if let Some(mut link) = self.link.take() {
                link.hang_up(registry);
            }
            self.lost = Some(lost);
            self.paths.unbind();
        }
        self.drive(now);
        if let Some(Err(lost)) = self.link.as_mut().map(Link::flush) {
            log::debug!("{}: {lost}", self.name); // the next read has a better word for it
        }
        self.paths.flush();
    }

    fn exchange(&mut self, registry: &Registry, now: Instant) -> Result<(), Lost> {
        let Peer { link: Some(link), paths, news, search, .. } = self else { return Ok(()) };
        let was_connected = link.is_connected();
        link.advance(registry, now)?;
        if link.is_connected() && !was_connected {
            news.push_back(News::Connected);
        }
        let server = link.server_address();
        for _ in 0..READS_MAX {
            if !link.is_readable() {
                break;
            }
            link.read(now, |_, incoming| match incoming {
                Incoming::Welcome { .. } => news.push_back(News::Welcome),
                Incoming::Frame { channel, flags, frame } => {
                    match (&frame, server) {
                        (Frame::Ticket(ticket), Some(server)) => {
                            paths.ticket(channel, &ticket.key, server, now);
                        }
                        (Frame::Bound(_), _) => paths.bound(now),
                        (Frame::Paths(round), _) => {
                            let tcp_only = search.is_some_and(|search| search.transport == Transport::Tcp);
                            paths.begin(channel, round, tcp_only, now);
                        }
                        _ => {}
                    }
                    news.push_back(News::of(By::Connection, channel, flags, &frame));
                }
                Incoming::Request(_) => {} // a server asks for nothing
            })?;
        }
        Ok(())
    }

    fn drive(&mut self, now: Instant) {
        let Peer { paths, news, .. } = self;
        let mut offer_again = false;
        paths.drive(now, |happened| match happened {
            Happened::ServerFrame { channel, flags, frame } => {
                news.push_back(News::of(By::Datagram, channel, flags, &frame));
            }
            Happened::PeerData { channel, flags, payload } => {
                let (by, kind, body) = (By::DirectPath, Kind::Data, payload.to_vec());
                news.push_back(News::Frame { by, channel, flags, kind, body });
            }
            Happened::Opened { peer, .. } => news.push_back(News::PathOpened { peer }),
            Happened::RoundFailed { again, reason, .. } => {
                offer_again |= again;
                news.push_back(News::RoundFailed { again, reason });
            }
            Happened::Lost { reason, .. } => news.push_back(News::PathLost(reason)),
            Happened::NotBound { reason } => news.push_back(News::NotBound(reason)),
            Happened::Bound => {} // the server's frame has said so
        });
        if offer_again {
            self.offer_addresses();
        }
    }

    /// Whether there is something to do already.
    pub fn is_busy(&self) -> bool {
        let link = self.link.as_ref().is_some_and(|link| link.is_readable() || link.is_flushable());
        link || self.paths.is_busy()
    }

    /// When the clock next has something to say.
    pub fn next_look(&self) -> Option<Instant> {
        self.paths.next_look()
    }
}
