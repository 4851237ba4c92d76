//! A connection that blocks: a request goes out, and what comes in is passed over until its answer is there.

use super::{Error, Options};
use crate::wire::frame::{Body, Bye, Credentials, Done, Hello, Ping, Pong, Refused, VERSION, Welcome};
use crate::wire::{
    BODY_MAX, ByeCode, CredentialsCode, Flags, Frame, FrameError, Kind, RefusalCode, Split, header, split,
};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long one address may take to answer.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long an answer may take. Passwords wait in line where many are looked at.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Names that are tried, in case somebody has one of them.
const NAMES_MAX: usize = 5;

/// Bytes of an operator's name that become part of the name that others see.
const NAME_BYTES_MAX: usize = 16;

/// Bytes that a server may answer with instead of frames, and of which the first line is shown.
const TEXT_BYTES_MAX: usize = 400;

/// Bytes of one read.
const READ_BYTES: usize = 64 * 1_024;

pub struct Link {
    server: String,
    stream: TcpStream,
    received: Vec<u8>,
    requests: u32,
    is_operator: bool,
}

/// What became of a request.
pub enum Answer {
    Done,
    Refused {
        code: u16,
        text: String,
    },
    /// A frame that says more. `is_more` where the list goes on.
    Frame {
        kind: Kind,
        body: Vec<u8>,
        is_more: bool,
    },
}

impl Link {
    /// Connects, logs in, and shows itself to be an operator.
    pub fn connect(options: &Options) -> Result<Link, Error> {
        let server = options.server.clone();
        let stream = dial(&server)?;
        let mut link = Link { server, stream, received: Vec::new(), requests: 0, is_operator: false };
        if let Some(password) = &options.server_password {
            let given = |request| credentials(request, CredentialsCode::Server, "", password);
            if let Answer::Refused { text, .. } = link.ask(given)? {
                return Err(Error::NotLetIn { text });
            }
        }
        link.log_in(&options.operator)?;
        let given =
            |request| credentials(request, CredentialsCode::Operator, &options.operator, &options.password);
        match link.ask(given)? {
            Answer::Refused { text, .. } => {
                Err(Error::NotOperator { operator: options.operator.clone(), text })
            }
            _ => Ok(Link { is_operator: true, ..link }),
        }
    }

    /// Takes a name that nobody has.
    fn log_in(&mut self, operator: &str) -> Result<(), Error> {
        let mut base = operator;
        for _ in 0..NAMES_MAX {
            let mut suffix = [0; 2];
            getrandom::fill(&mut suffix).map_err(|error| Error::NoRandomNumbers(error.to_string()))?;
            let short = crate::wire::cut(base, NAME_BYTES_MAX);
            let name = format!("{short}-{:04x}", u16::from_be_bytes(suffix));
            let hello = |request| Hello { request, version: VERSION, body_max: BODY_MAX, name: &name };
            match self.ask(hello)? {
                Answer::Refused { code, text } => match RefusalCode::from_number(code) {
                    Some(RefusalCode::NameTaken | RefusalCode::NameReserved) => {}
                    // What may be the name of an operator need not be one of a user.
                    Some(RefusalCode::BadName) if base == operator => base = "admin",
                    Some(RefusalCode::BadPassword) => {
                        return Err(Error::NotLetIn {
                            text: format!("{text} (with --server-password-file)"),
                        });
                    }
                    _ => return Err(Error::NotLetIn { text }),
                },
                _ => return Ok(()),
            }
        }
        Err(Error::NotLetIn { text: "somebody has each of the names that were tried".to_owned() })
    }

    /// Makes a request and waits for its answer.
    pub fn ask<'b, B: Body<'b>>(&mut self, request: impl FnOnce(u32) -> B) -> Result<Answer, Error> {
        self.requests += 1;
        let id = self.requests;
        self.send(&request(id))?;
        loop {
            if let Some(answer) = self.take_frame(id)? {
                return Ok(answer);
            }
        }
    }

    /// Says goodbye, and waits until the server has heard it: it has done everything then.
    pub fn leave(mut self) {
        let bye = Bye { code: ByeCode::Goodbye.number(), text: "" };
        if self.send(&bye).is_ok() {
            while let Ok(None) = self.take_frame(0) {}
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn send<'b>(&mut self, body: &impl Body<'b>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        header::put(&mut bytes, Flags::NONE, 0, body);
        self.stream.write_all(&bytes).map_err(|error| self.lost(error))
    }

    /// Takes the next frame; `None` where it is not the answer to this request.
    fn take_frame(&mut self, id: u32) -> Result<Option<Answer>, Error> {
        let (used, pong, answer) = loop {
            match split(&self.received, BODY_MAX) {
                Ok(Split::Frame(raw)) => {
                    let (mut pong, mut answer) = (None, None);
                    let is_more = raw.flags().contains(Flags::MORE);
                    match raw.decode() {
                        Ok(Frame::Ping(Ping { token })) => pong = Some(Pong { token }),
                        Ok(Frame::Bye(Bye { text, .. })) => {
                            return Err(Error::Ended { server: self.server.clone(), text: text.to_owned() });
                        }
                        Ok(Frame::Done(Done { request })) if request == id => answer = Some(Answer::Done),
                        Ok(Frame::Welcome(Welcome { request, .. })) if request == id => {
                            answer = Some(Answer::Done);
                        }
                        Ok(Frame::Refused(Refused { request, code, text })) if request == id => {
                            answer = Some(Answer::Refused { code, text: text.to_owned() });
                        }
                        Ok(Frame::ServerList(list)) if list.request == id => {
                            answer = Some(Answer::Frame {
                                kind: Kind::ServerList,
                                body: raw.body.to_vec(),
                                is_more,
                            });
                        }
                        Ok(Frame::RoomList(list)) if list.request == id => {
                            answer = Some(Answer::Frame {
                                kind: Kind::RoomList,
                                body: raw.body.to_vec(),
                                is_more,
                            });
                        }
                        // What others do, and what a newer server may say.
                        _ => {}
                    }
                    break (raw.len(), pong, answer);
                }
                Ok(Split::Incomplete { .. }) => {}
                Err(FrameError::NotAFrame(_)) => return Err(self.text()),
                Err(_) => return Err(Error::Strange { server: self.server.clone() }),
            }
            self.receive()?;
        };
        self.received.drain(..used);
        if let Some(pong) = pong {
            self.send(&pong)?;
        }
        Ok(answer)
    }

    fn receive(&mut self) -> Result<(), Error> {
        let held = self.received.len();
        self.received.resize(held + READ_BYTES, 0);
        let read = loop {
            match self.stream.read(self.received.get_mut(held..).unwrap_or_default()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.received.truncate(held + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(self.lost(ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(()),
            Err(error) => Err(self.lost(error)),
        }
    }

    /// The server says something in lines: that it is full, or that we are banned.
    fn text(&mut self) -> Error {
        while self.received.len() < TEXT_BYTES_MAX
            && !self.received.contains(&b'\n')
            && self.receive().is_ok()
        {}
        let line = self.received.split(|&byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let line = String::from_utf8_lossy(line.get(..TEXT_BYTES_MAX).unwrap_or(line));
        match line.strip_prefix("ERROR :") {
            Some(text) => Error::Ended { server: self.server.clone(), text: text.to_owned() },
            None => Error::Strange { server: self.server.clone() },
        }
    }

    /// What the server says that should not come here.
    pub fn strange(&self) -> Error {
        Error::Strange { server: self.server.clone() }
    }

    fn lost(&self, error: io::Error) -> Error {
        Error::Lost { server: self.server.clone(), error, is_early: !self.is_operator }
    }
}

fn credentials<'a>(request: u32, what: CredentialsCode, name: &'a str, password: &'a str) -> Credentials<'a> {
    Credentials { request, what: what.number(), name, password, new: "" }
}

/// Connects to the first of a server's addresses that takes it. Nothing waits for longer than an answer may take.
pub fn dial(server: &str) -> Result<TcpStream, Error> {
    let resolve = |error| Error::Resolve { server: server.to_owned(), error };
    let mut failed: io::Error = ErrorKind::AddrNotAvailable.into();
    for address in server.to_socket_addrs().map_err(resolve)? {
        let connected = TcpStream::connect_timeout(&address, CONNECT_TIME).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_TIME))?;
            stream.set_write_timeout(Some(ANSWER_TIME))?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(Error::Connect { server: server.to_owned(), error: failed })
}
