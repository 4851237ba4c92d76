//! A terminal that is drawn on in place, and is afterwards what it was.

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use signal_hook::consts::{SIGHUP, SIGTERM};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Columns and lines where the terminal does not tell.
const SIZE: (usize, usize) = (80, 24);

/// The other screen, without a cursor; and back (DEC private modes 1049 and 25).
const OPEN: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J";
const CLOSE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// Tenths of a second that a read of the keyboard waits.
const TENTHS: u8 = 1;

/// How waiting ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    Over,
    /// Somebody has seen enough.
    Ended,
}

pub struct Screen {
    /// `None`: the keyboard is none of a terminal's.
    before: Option<Termios>,
    is_told_to_end: Arc<AtomicBool>,
}

impl Screen {
    /// # Errors
    /// Those of the terminal, and of catching signals.
    pub fn open(out: &mut impl Write) -> io::Result<Screen> {
        let is_told_to_end = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&is_told_to_end))?;
        }
        let before = tcgetattr(io::stdin()).ok();
        let screen = Screen { before, is_told_to_end };
        if let Some(before) = &screen.before {
            // Keys come one by one and unseen, Ctrl-C among them; and a read that finds none comes back.
            let mut raw = before.clone();
            raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
            raw.special_codes[SpecialCodeIndex::VMIN] = 0;
            raw.special_codes[SpecialCodeIndex::VTIME] = TENTHS;
            tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        }
        out.write_all(OPEN)?;
        out.flush()?;
        Ok(screen)
    }

    /// Draws all of it anew, over what was there, in one write.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn draw(&self, out: &mut impl Write, lines: &str) -> io::Result<()> {
        let mut drawn = String::from("\x1b[H");
        for line in lines.lines() {
            drawn.push_str(line);
            drawn.push_str("\x1b[K\r\n");
        }
        let drawn = drawn.trim_end_matches("\r\n").to_owned() + "\x1b[J";
        out.write_all(drawn.as_bytes())?;
        out.flush()
    }

    /// Waits until then, or for q, Ctrl-C, or a signal.
    pub fn wait_until(&self, then: Instant) -> Wait {
        loop {
            let mut keys = [0; 16];
            let typed = match &self.before {
                Some(_) => io::stdin().lock().read(&mut keys).unwrap_or(0),
                None => {
                    std::thread::sleep(Duration::from_millis(100 * u64::from(TENTHS)));
                    0
                }
            };
            let is_enough = |key: &u8| matches!(key, b'q' | b'Q' | 0x03);
            if self.is_told_to_end.load(Ordering::Relaxed)
                || keys.get(..typed).unwrap_or_default().iter().any(is_enough)
            {
                return Wait::Ended;
            }
            if Instant::now() >= then {
                return Wait::Over;
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let mut out = io::stdout().lock();
        let _ = out.write_all(CLOSE).and_then(|()| out.flush());
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Columns and lines of the terminal.
pub fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => SIZE,
    }
}
