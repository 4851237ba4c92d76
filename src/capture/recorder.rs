//! What the one who reads and writes tells: who is there, what came, what went, how it ended.

use super::Options;
use super::files::Files;
use super::flow::{Ends, Flow, Side};
use super::packets::put_datagram;
use super::sheet::Sheet;
use super::writer::Writer;
use std::collections::HashMap;
use std::io::{self, ErrorKind, IoSlice};

/// Makes a capture of everything that it is told. Whom it was not told of does not exist for it.
pub struct Recorder {
    flows: HashMap<u64, Flow>,
    sheet: Sheet,
    shows_secrets: bool,
}

impl Recorder {
    /// Makes the file, or the first of them. `None` if there is to be none.
    ///
    /// # Errors
    /// A sentence: which file cannot be made, and why.
    pub fn create(options: &Options) -> io::Result<Option<Recorder>> {
        let Some(path) = &options.file else { return Ok(None) };
        let cannot = |error: io::Error| {
            let what = format!("cannot write a capture to {}: {error}", path.display());
            io::Error::new(error.kind(), what)
        };
        let files = Files::create(options, path).map_err(cannot)?;
        log::info!("capture: what is read and written goes to {}", files.path().display());
        if options.secrets {
            log::warn!("capture: passwords, keys and tickets are in it, as capture-secrets has it");
        }
        let sheet = Sheet::new(options, Writer::start(files).map_err(cannot)?);
        Ok(Some(Recorder { flows: HashMap::new(), sheet, shows_secrets: options.secrets }))
    }

    /// There is a connection of that number, which `initiator` has made; its name is for remarks.
    pub fn opened(&mut self, number: u64, name: &str, ends: Ends, initiator: Side) {
        if self.sheet.is_over() {
            return self.flows.clear();
        }
        let mut flow = Flow::new(number, name, ends, initiator, self.shows_secrets);
        flow.shake_hands(&mut self.sheet, initiator);
        self.flows.insert(number, flow);
    }

    /// These bytes came; none: nothing more will.
    pub fn read(&mut self, number: u64, bytes: &[u8]) {
        let Some((flow, sheet)) = self.flow(number) else { return };
        match bytes.len() {
            0 => flow.end(sheet, Side::Theirs),
            length => flow.data(sheet, Side::Theirs, &[IoSlice::new(bytes)], length),
        }
    }

    /// The socket took `taken` bytes of these.
    pub fn wrote(&mut self, number: u64, slices: &[IoSlice<'_>], taken: usize) {
        let Some((flow, sheet)) = self.flow(number) else { return };
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        if taken < offered {
            flow.remark(format!("a partial write: the socket took {taken} of {offered} bytes"));
        }
        flow.data(sheet, Side::Ours, slices, taken);
    }

    /// We say nothing more.
    pub fn shut(&mut self, number: u64) {
        if let Some((flow, sheet)) = self.flow(number) {
            flow.end(sheet, Side::Ours);
        }
    }

    /// A read or a write has failed. What only means to try again later is told with the next packet, where it was a
    /// write.
    pub fn failed(&mut self, number: u64, kind: ErrorKind, is_write: bool) {
        let Some((flow, sheet)) = self.flow(number) else { return };
        match kind {
            ErrorKind::WouldBlock if is_write => flow.block(sheet.now()),
            ErrorKind::WouldBlock | ErrorKind::Interrupted => {}
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => flow.reset(sheet, Side::Theirs),
            kind => {
                flow.remark(format!("it is broken: {kind}"));
                flow.reset(sheet, Side::Ours);
            }
        }
    }

    /// From now on it is not read, for this reason.
    pub fn paused(&mut self, number: u64, why: &'static str) {
        if let Some((flow, sheet)) = self.flow(number) {
            flow.pause(sheet.now(), why);
        }
    }

    /// The socket was closed. With bytes in it that nobody has read, the kernel breaks the connection off.
    pub fn closed(&mut self, number: u64, is_unread: bool) {
        let Some((flow, sheet)) = self.flow(number) else { return };
        match is_unread {
            true if !flow.is_over() => {
                flow.remark("closed with bytes in it that nobody has read".to_owned());
                flow.reset(sheet, Side::Ours);
            }
            true => {}
            false => flow.end(sheet, Side::Ours),
        }
        self.flows.remove(&number);
    }

    /// Somebody connected, was told this, and the connection was closed.
    pub fn turned_away(&mut self, ends: Ends, words: &[u8]) {
        if self.sheet.is_over() {
            return;
        }
        let number = self.sheet.now(); // like nobody else's
        let mut flow = Flow::new(number, "turned away", ends, Side::Theirs, self.shows_secrets);
        flow.shake_hands(&mut self.sheet, Side::Theirs);
        flow.data(&mut self.sheet, Side::Ours, &[IoSlice::new(words)], words.len());
        flow.end(&mut self.sheet, Side::Ours);
    }

    /// A datagram came or went.
    pub fn datagram(&mut self, ends: Ends, from: Side, payload: &[u8]) {
        self.sheet.make_room(payload.len());
        let (source, target) = ends.from(from);
        self.sheet.put(from.direction(), &[], |out| put_datagram(out, source, target, payload));
    }

    /// What there is goes to be written: at the end of each turn.
    pub fn hand_over(&mut self) {
        self.sheet.hand_over();
    }

    fn flow(&mut self, number: u64) -> Option<(&mut Flow, &mut Sheet)> {
        let Recorder { flows, sheet, .. } = self;
        Some((flows.get_mut(&number)?, sheet))
    }
}
