//! Rooms that last, made before the load comes to them. Over IRC, in which that takes a few lines.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use switchboard::load::plan::Rooms;

const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the rooms of a load, as somebody who has an account and is gone again.
///
/// # Errors
/// A sentence, if the server does not let it.
pub fn make(server: SocketAddr, rooms: &Rooms) -> Result<(), String> {
    let told = |error: std::io::Error| format!("no rooms that last: {error}");
    let stream = TcpStream::connect(server).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    let mut lines = BufReader::new(stream.try_clone().map_err(told)?).lines();
    let say = |text: String| (&stream).write_all(text.as_bytes()).map_err(told);
    let mut hear = |mark: &str| {
        let mut last = String::new();
        for line in &mut lines {
            last = line.map_err(told)?;
            if last.contains(mark) {
                return Ok(());
            }
        }
        Err(format!("no rooms that last: the server said {last:?} and went, instead of {mark:?}"))
    };
    say("NICK owner\r\nUSER owner 0 * :owner\r\nREGISTER owner * sesame-sesame\r\n".into())?;
    hear(" SUCCESS owner ")?;
    let named = rooms.named.as_deref().unwrap_or_default();
    for room in (0..rooms.rooms).map(|room| format!("#{named}{room:04}")) {
        say(format!("JOIN {room}\r\nMODE {room} +P\r\n"))?;
        hear(&format!(" MODE {room} +P"))?;
    }
    say("QUIT\r\n".into())?;
    hear("ERROR")
}
