//! `switchboard top`: a running server, watched live.
//!
//! - `source` where figures come from: `GET /metrics`, or the status that operators see; [`Figures`] what came, under the
//!   names of the latter;
//! - `view` what two looks at them, one behind the other, come to; `screen` where that is shown.
//!
//! A server that is gone ends it, with a sentence: whoever wants to go on runs it again, and sees that it was gone.

mod screen;
mod source;
mod view;

pub use source::Figures;

use super::{Error, Options};
use screen::{Screen, Wait};
use source::Source;
use std::io::{self, Write};
use std::time::{Duration, Instant};
use view::View;

/// How it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Once, as a table.
    Once,
    /// Again and again in the same place, on a terminal.
    Screen,
    /// Again and again, a line each time, with tabs between its columns, below a line with their names.
    Lines,
}

/// Where the figures come from.
pub enum From {
    /// Whoever may ask there can have them over HTTP: `host:port`.
    Metrics(String),
    Operator(Options),
}

/// Shows the server until somebody has seen enough.
///
/// # Errors
/// [`Error`], in one sentence for the user: the server cannot be reached, or is gone.
pub fn run(from: From, style: Style, interval: Duration, out: &mut impl Write) -> Result<(), Error> {
    let mut source = Source::open(from)?;
    let first = source.look()?;
    let screen = match style {
        Style::Screen => Some(Screen::open(out).map_err(Error::Output)?),
        Style::Once | Style::Lines => None,
    };
    if style == Style::Lines {
        print(out, &(view::heading() + "\n")).map_err(Error::Output)?;
    }
    let mut view = View::first(source.name().to_owned(), first);
    let mut next = Instant::now();
    loop {
        let shown = match style {
            Style::Once => view.table(),
            Style::Lines => view.line() + "\n",
            Style::Screen => view.screen(screen::size()),
        };
        match &screen {
            Some(screen) => screen.draw(out, &shown).map_err(Error::Output)?,
            None => print(out, &shown).map_err(Error::Output)?,
        }
        if style == Style::Once {
            return Ok(());
        }
        next = (next + interval).max(Instant::now());
        match &screen {
            Some(screen) if screen.wait_until(next) == Wait::Ended => return Ok(()),
            Some(_) => {}
            None => std::thread::sleep(next.saturating_duration_since(Instant::now())),
        }
        view.look_again(source.look()?);
    }
}

fn print(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}
