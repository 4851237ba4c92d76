//! One client's side of the conversation, and what becomes of a line.

use super::commands::{self, Doing, knock, rename, rooms};
use super::elsewhere::Owed;
use super::labels::Labelled;
use super::refusals::Obstacle;
use super::registration::Registration;
use super::write::Write;
use super::{capabilities, events, labels, refusals};
use crate::hub::{Command, Event, Host, Marks, Reply, RequestId, RoomName};
use crate::session::{CloseReason, Credential, Stamp, Step, Surroundings, Variant, Verdict};
use crate::wire::irc::{
    BadLine, Capabilities, Capability, LineBody, LineDecoder, LineStep, Message, Numeric, TooLong,
};
use std::fmt::Display;
use std::time::Duration;

/// What is known of one client.
#[derive(Default)]
pub struct Dialogue {
    decoder: LineDecoder,
    pub(super) capabilities: Capabilities,
    /// Whether the client has asked for capabilities in a version that has values, and lists of several lines.
    pub(super) knows_values: bool,
    /// Until the welcome.
    pub(super) registration: Option<Box<Registration>>,
    /// As the hub has it; empty until it has accepted one.
    pub(super) nick: Box<str>,
    /// With the `~` that says that nobody else vouches for it.
    pub(super) user: Box<str>,
    pub(super) host: Host,
    /// As the hub has them.
    pub(super) marks: Marks,
    pub(super) task: Task,
    pub(super) label: Option<Box<Labelled>>,
    /// Boxed, because most have none of it.
    seldom: Option<Box<Seldom>>,
}

/// What few clients have, most of them for a moment.
#[derive(Default)]
pub(super) struct Seldom {
    /// The account that the client has identified itself for.
    pub account: Option<Box<str>>,
    /// How far it has come with AUTHENTICATE.
    #[cfg(feature = "storage")]
    pub sasl: Option<Box<super::commands::authenticate::Exchange>>,
    /// What became of the password that the line gave, until the line has seen it.
    pub verdict: Option<Verdict>,
    /// Rooms that the client is in by the doing of another session of its user, and has not got the names of.
    pub owed: Option<Box<Owed>>,
}

/// The line that is being carried out.
pub struct Task {
    /// Its command, as the table has it.
    pub command: &'static str,
    /// Which of the things that the line asks for is next.
    pub step: u16,
    /// What the hub was asked for last, which its answer does not say.
    pub doing: Doing,
    /// Whom or what that was about, as the client wrote it: a refusal names it. Behind it, who it was about besides.
    about: String,
    whom_at: u16,
    /// Why the hub did not do what it was asked for last but one, or before.
    pub refused: Option<Obstacle>,
}

impl Default for Task {
    fn default() -> Self {
        Task {
            command: "*",
            step: 0,
            doing: Doing::default(),
            about: String::new(),
            whom_at: 0,
            refused: None,
        }
    }
}

impl Task {
    /// What comes next is about this.
    pub fn begin(&mut self, doing: Doing, about: &str) {
        self.begin_with(doing, about, "");
    }

    /// The same, and about somebody.
    pub fn begin_with(&mut self, doing: Doing, about: &str, whom: &str) {
        self.doing = doing;
        self.about.clear();
        self.about.push_str(about);
        self.whom_at = self.about.len() as u16; // of one line, which 16 bits count
        self.about.push_str(whom);
    }

    /// Whom or what it is about, as the client wrote it.
    pub fn about(&self) -> &str {
        self.about.get(..self.whom_at.into()).unwrap_or_default()
    }

    /// Who it is about besides; empty for nobody.
    pub fn whom(&self) -> &str {
        self.about.get(self.whom_at.into()..).unwrap_or_default()
    }

    pub(super) fn end(&mut self) {
        (self.command, self.step, self.doing, self.refused) = ("*", 0, Doing::default(), None);
        self.about.clear();
        self.about.shrink_to(ABOUT_BYTES_KEPT);
        self.whom_at = 0;
    }
}

/// The hub answers within the step, so that one number does for all requests.
const ANSWERED: RequestId = RequestId(1);

/// `Task::step` of a line that is used up, and whose answer is still to come.
const LAST_STEP: u16 = u16::MAX;

/// Room that a task keeps for its texts between lines, in bytes.
const ABOUT_BYTES_KEPT: usize = 64;

/// One line and everything that it takes to carry it out. `'a` is what a command for the hub borrows from.
pub struct Call<'a, 'w> {
    pub message: Message<'a>,
    /// Empty; for text of a command that is not in the line.
    pub notes: &'a mut String,
    pub world: &'w Surroundings,
    pub out: &'w mut Vec<u8>,
}

impl Call<'_, '_> {
    pub fn numeric(&mut self, numeric: Numeric, nick: &str) -> LineBody<'_> {
        Write::to(self.out).numeric(self.world, numeric, nick)
    }

    pub fn server(&mut self, command: &str) -> LineBody<'_> {
        Write::to(self.out).server(self.world, command)
    }
}

/// Keeps texts of a command that are not in the line in the notes, which the command can borrow.
pub fn noted<'a, const N: usize>(notes: &'a mut String, texts: [&str; N]) -> [&'a str; N] {
    notes.clear();
    texts.iter().for_each(|text| notes.push_str(text));
    let mut rest: &'a str = notes;
    texts.map(|text| {
        let (one, behind) = rest.split_at_checked(text.len()).unwrap_or_default();
        rest = behind;
        one
    })
}

/// What a line comes to.
pub enum Do<'a> {
    /// Nothing more.
    Done,
    /// The hub's answer is the last that comes of it.
    Ask(Command<'a>),
    /// There is more to do when the hub has answered.
    AskAndGoOn(Command<'a>),
    /// Nothing more, and events are written otherwise from here on.
    NewVariant,
    /// Go on when this password has been checked.
    Verify {
        credential: Credential<'a>,
        password: &'a str,
    },
    /// Nothing more, and the server reads its settings again.
    Reload,
    Quit(&'a str),
    Close(CloseReason),
}

impl Dialogue {
    pub(super) fn seldom(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }

    /// The account that the client has identified itself for.
    pub(super) fn account(&self) -> Option<&str> {
        self.seldom.as_ref()?.account.as_deref()
    }

    /// What became of the password that the line gave.
    pub(super) fn take_verdict(&mut self) -> Option<Verdict> {
        self.seldom.as_mut()?.verdict.take()
    }

    pub(super) fn owed(&self) -> Option<&Owed> {
        self.seldom.as_ref()?.owed.as_deref()
    }

    #[cfg(feature = "storage")]
    pub(super) fn take_sasl(&mut self) -> Option<super::commands::authenticate::Exchange> {
        self.seldom.as_mut()?.sasl.take().map(|exchange| *exchange)
    }

    #[cfg(feature = "storage")]
    pub(super) fn go_on_with_sasl(&mut self, exchange: super::commands::authenticate::Exchange) {
        self.seldom().sasl = Some(Box::new(exchange));
    }

    /// `host`: what others see of where the client comes from.
    pub fn new(host: Host) -> Self {
        Dialogue { registration: Some(Box::default()), host, ..Dialogue::default() }
    }

    #[inline]
    pub fn is_open(&self) -> bool {
        self.registration.is_none()
    }

    pub fn variant(&self) -> Variant {
        capabilities::variant(self.capabilities)
    }

    pub fn next<'a>(
        &mut self,
        bytes: &'a [u8],
        world: &Surroundings,
        notes: &'a mut String,
        out: &mut Vec<u8>,
    ) -> Step<'a> {
        if self.asks_for_owed() {
            let command = rooms::next_names(self, notes);
            let ask = |command| Step::Command { used: 0, request: ANSWERED, command };
            return command.map_or(Step::Done { used: 0 }, ask);
        }
        let (used, line) = match self.decoder.next(bytes) {
            LineStep::Incomplete { needed } => return Step::Incomplete { needed },
            LineStep::Skipped { used } => return Step::Done { used },
            LineStep::TooLong { used, part } => {
                self.too_long(part, world, out);
                return Step::Done { used };
            }
            LineStep::Line { used, line } => (used, line),
        };
        let message = match Message::parse(line) {
            Ok(message) => message,
            Err(bad) => {
                self.bad_line(bad, world, out);
                return Step::Done { used };
            }
        };
        if self.task.step == 0 && self.label.is_none() {
            self.label = labels::of(self.capabilities, &message.tags);
        }
        let mut label = self.label.take();
        let own = label.as_mut().map_or(&mut *out, |label| &mut label.lines);
        let next = commands::carry_out(self, Call { message, notes, world, out: own });
        self.keep_label(label, world, out);
        self.step(next, used, world, out)
    }

    /// What carrying out a line, or a part of it, means for whoever owns the connection. `used`: the bytes of the line.
    fn step<'a>(&mut self, next: Do<'a>, used: usize, world: &Surroundings, out: &mut Vec<u8>) -> Step<'a> {
        match next {
            Do::Done => {
                self.end_line(world, out);
                Step::Done { used }
            }
            Do::NewVariant => {
                self.end_line(world, out);
                Step::NewDialect { used }
            }
            Do::Ask(command) => {
                self.task.step = LAST_STEP;
                Step::Command { used, request: ANSWERED, command }
            }
            Do::AskAndGoOn(command) => Step::Command { used: 0, request: ANSWERED, command },
            Do::Verify { credential, password } => {
                Step::Verify { used: 0, request: ANSWERED, credential, password }
            }
            Do::Reload => {
                self.end_line(world, out);
                Step::Reload { used }
            }
            Do::Quit(text) => {
                self.end_line(world, out);
                Step::Quit { used, text }
            }
            Do::Close(reason) => Step::Close(reason),
        }
    }

    /// Begins a reply or refusal.
    pub(super) fn line<'o>(
        &self,
        numeric: Numeric,
        world: &Surroundings,
        out: &'o mut Vec<u8>,
    ) -> LineBody<'o> {
        Write::to(out).numeric(world, numeric, &self.nick)
    }

    /// Goes on with a line of the client's own doing, as others see it.
    pub(super) fn own<'o>(&self, head: Write<'o>, command: &str) -> LineBody<'o> {
        let head = head.by(self.variant(), self.account(), self.marks);
        head.source(&self.nick, &self.user, &self.host, command)
    }

    /// What a step led to has been written.
    pub fn settle(&mut self, world: &Surroundings, out: &mut Vec<u8>) {
        if self.task.step == LAST_STEP {
            self.end_line(world, out);
        }
    }

    /// The hub has accepted the login; the welcome is still to come.
    pub fn open(&mut self) {
        self.registration = None;
    }

    /// The hub's answer to the step that is being carried out.
    pub fn encode_reply(&mut self, reply: &Reply<'_>, world: &Surroundings, out: &mut Vec<u8>) {
        let mut label = self.label.take();
        let own = label.as_mut().map_or(&mut *out, |label| &mut label.lines);
        match *reply {
            Reply::Refused(refusal) => refusals::put(self, refusal, world, own),
            _ => commands::answer(self, reply, world, own),
        }
        self.keep_label(label, world, out);
    }

    /// Something that is meant for this client alone.
    pub fn encode_event(
        &mut self,
        room: Option<&RoomName>,
        event: &Event<'_>,
        stamp: &Stamp<'_>,
        out: &mut Vec<u8>,
    ) {
        if matches!(event, Event::WatchedChanged { .. })
            && !self.capabilities.has(Capability::ExtendedMonitor)
        {
            return;
        }
        match (room, event) {
            (Some(room), &Event::Wished { who, wish, text }) => {
                return knock::wished(self, room, (who, wish, text), stamp, out);
            }
            (Some(room), &Event::Decided { wish, is_granted }) => {
                return knock::decided(self, room, (wish, is_granted), stamp.surroundings, out);
            }
            (Some(room), &Event::RoomRenamed { by, who, to, subject, text }) => {
                let host = stamp.host_of(&by);
                let renamed = rename::Renamed { from: room, to, subject, text };
                return rename::renamed(self, (by, host), who, &renamed, stamp.surroundings, out);
            }
            (Some(room), &Event::Destroyed { by, text, instead }) => {
                return rooms::destroyed(self, room, by, (text, instead), stamp, out);
            }
            _ => {}
        }
        let target = match (room, event) {
            (Some(room), event) if !matches!(event, Event::Invited { .. }) => room.shown(),
            _ => &self.nick,
        };
        events::encode_event(self.variant(), target, event, stamp, out);
    }

    /// The line that gave a password comes again.
    pub fn verified(&mut self, verdict: Verdict) {
        self.seldom().verdict = Some(verdict);
    }

    pub fn encode_throttled(&self, wait: Duration, world: &Surroundings, out: &mut Vec<u8>) {
        let seconds = wait.as_secs_f64();
        Write::to(out).server(world, "NOTICE").param(&self.nick).trailing(format_args!(
            "You send faster than this server takes lines; your next one is taken in {seconds:.1} s"
        ));
    }

    pub fn encode_ping(&self, world: &Surroundings, out: &mut Vec<u8>) {
        let name = world.server.name.as_str();
        Write::to(out).server(world, "PING").trailing(name);
    }

    /// RFC 1459 §4.6.4: ERROR, and the connection is closed.
    pub fn encode_farewell(&self, words: &dyn Display, out: &mut Vec<u8>) {
        Write::to(out).bare("ERROR").trailing(format_args!("Closing Link: {words}"));
    }

    pub fn encode_notice(&self, text: &str, world: &Surroundings, out: &mut Vec<u8>) {
        Write::to(out).server(world, "NOTICE").param(&self.nick).trailing(text);
    }

    /// What the client did holds, but is not saved. As a standard reply where the client takes them (IRCv3
    /// standard-replies).
    pub fn encode_unsaved(&self, text: &str, world: &Surroundings, out: &mut Vec<u8>) {
        if self.capabilities.has(Capability::StandardReplies) {
            Write::to(out).server(world, "WARN").param("*").param("NOT_SAVED").trailing(text);
        } else {
            self.encode_notice(text, world, out);
        }
    }

    /// The client's mode of operators is gone.
    pub fn encode_dismissed(&self, world: &Surroundings, out: &mut Vec<u8>) {
        let head = Write::to(out).time(self.variant(), world);
        self.own(head, "MODE").param(&self.nick).trailing("-o");
    }

    /// Remembers the label again, but not too much of what bears it.
    fn keep_label(&mut self, mut label: Option<Box<Labelled>>, world: &Surroundings, out: &mut Vec<u8>) {
        if let Some(label) = &mut label {
            label.relieve(world, out);
        }
        self.label = label;
    }

    fn end_line(&mut self, world: &Surroundings, out: &mut Vec<u8>) {
        self.task.end();
        if let Some(label) = self.label.take() {
            label.close(world, out);
        }
    }

    fn too_long(&mut self, part: TooLong, world: &Surroundings, out: &mut Vec<u8>) {
        let what = match part {
            TooLong::Tags => "Tags",
            TooLong::Body => "Line",
        };
        Write::to(out)
            .numeric(world, Numeric::ERR_INPUTTOOLONG, &self.nick)
            .trailing(format_args!("{what} too long; nothing of it was carried out"));
    }

    fn bad_line(&mut self, bad: BadLine<'_>, world: &Surroundings, out: &mut Vec<u8>) {
        match bad {
            BadLine::NotUtf8 { tags, command } => {
                self.label = labels::of(self.capabilities, &tags);
                let own = self.label.as_mut().map_or(&mut *out, |label| &mut label.lines);
                let command = if command.is_empty() { "*" } else { command };
                Write::to(own)
                    .server(world, "FAIL")
                    .param(command)
                    .param("INVALID_UTF8")
                    .trailing("That is not UTF-8; nothing of it was carried out");
                self.end_line(world, out);
            }
            BadLine::NoCommand => {}
            BadLine::Forbidden(_) | BadLine::TooManyTags => {
                Write::to(out).server(world, "FAIL").param("*").param("INVALID_LINE").trailing(bad);
            }
        }
    }
}
