//! What a failure most likely comes from, and what to do about it: one sentence each. Pure.

use super::pair::Trouble;
use crate::chat::lost::Lost;
use crate::wire::frame::VERSION;
use crate::wire::{ByeCode, RefusalCode};
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

/// The name has no address.
pub fn of_resolving(host: &str, error: &Error) -> String {
    format!("no address is known for {host} ({error}): check the spelling, and whether this host can ask DNS")
}

/// No connection to this address.
pub fn of_connecting(server: SocketAddr, lost: &Lost) -> String {
    let Lost::Connect(error) = lost else { return format!("{server}: {lost}") };
    match error.kind() {
        ErrorKind::ConnectionRefused => format!(
            "{server} refuses connections: no server runs there, or it listens on another port or address; check \
             the port, or start one with `switchboard serve --listen`"
        ),
        ErrorKind::TimedOut => unanswered(server),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => format!(
            "there is no way to {server} ({error}): check the address, and this host's network and routes"
        ),
        ErrorKind::PermissionDenied => {
            format!("this host does not let us connect to {server} ({error}): check its firewall")
        }
        _ => format!("cannot connect to {server} ({error})"),
    }
}

/// This address does not even refuse.
pub fn unanswered(server: SocketAddr) -> String {
    let port = server.port();
    format!(
        "no answer from {server}: a firewall drops the packets, or the host is down; let TCP port {port} through \
         to the server"
    )
}

/// Connected, and not logged in.
pub fn of_login(name: &str, trouble: &Trouble) -> String {
    let lost = match trouble {
        Trouble::Lost(lost) => lost,
        Trouble::Overdue(_) => {
            return "connected, but hello gets no answer: what listens there is no Switchboard server, or hangs; \
                    check the port"
                .to_owned();
        }
        other => return of_trouble(other),
    };
    match lost {
        Lost::Text(line) if is_ours(line) => of_farewell(line.trim_start_matches("ERROR :")),
        Lost::Text(line) => format!(
            "it answers {line:?}: that is text instead of frames, so not a Switchboard server; check the port"
        ),
        Lost::Broken(why) => format!(
            "its answer is not in Switchboard's protocol ({why}): another kind of server, or a newer one; check \
             the port, then the versions"
        ),
        Lost::Bye { code, text } if *code == ByeCode::ServerFull.number() => of_farewell(text),
        Lost::Bye { text, .. } => format!("the server hung up: {text}"),
        Lost::Ended | Lost::Io(_) => format!(
            "the connection is taken and then cut ({lost}): not a Switchboard server, or a proxy in front of one \
             that does not reach it; check the port"
        ),
        Lost::Refused { code, text } => match RefusalCode::from_number(*code) {
            Some(RefusalCode::Version) => format!(
                "the server speaks another version of the protocol ({text}), and this program version {VERSION}: \
                 update the older of the two"
            ),
            Some(RefusalCode::NameTaken) => format!("the name {name} is taken, by chance: try again"),
            Some(RefusalCode::BadName) => {
                format!("the server does not take the name {name} ({text}): raise its name-bytes-max")
            }
            _ => format!("the server does not let us in: {text}"),
        },
        lost => of_losing(lost),
    }
}

/// Whether a line of text is one with which our own server turns somebody away who has not said what they speak.
fn is_ours(line: &str) -> bool {
    line.strip_prefix("ERROR :the server is ").is_some()
}

fn of_farewell(text: &str) -> String {
    if text.contains("full") {
        format!("{text}: it has as many connections as it may; raise its connections-max and its `ulimit -n`")
    } else {
        format!("the server turns us away: {text}")
    }
}

/// Logged in, and then not any more.
pub fn of_losing(lost: &Lost) -> String {
    match lost {
        Lost::Ended | Lost::Io(_) => format!(
            "the connection to the server is gone ({lost}): it was stopped, or has crashed, or the network cut it; \
             see the server's log"
        ),
        Lost::Bye { code, text } if *code == ByeCode::ServerStopping.number() => {
            format!("the server is being stopped ({text}): try again when it is back")
        }
        lost => format!("the connection to the server is gone ({lost}); see the server's log"),
    }
}

/// Anything else that goes wrong in a step.
pub fn of_trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Lost(lost) => of_losing(lost),
        Trouble::Refused { text, code } => format!("the server refuses it, with code {code}: {text}"),
        Trouble::Overdue(what) => format!(
            "{what} did not come in time: the server hangs or is overloaded, or the network loses most of what is \
             sent; see the server's log and its load"
        ),
        Trouble::System(error) => format!("this host cannot wait for events: {error}"),
    }
}

/// No ticket for datagrams.
pub fn of_ticket(trouble: &Trouble) -> String {
    if trouble.is_refusal(RefusalCode::NoDatagrams) {
        "the server runs without datagrams: start it with `--datagrams true`, or `datagrams = true` in its config \
         file, if they are wanted; everything works over TCP all the same"
            .to_owned()
    } else {
        of_trouble(trouble)
    }
}

/// Asked for a binding, over UDP, in vain.
pub fn of_binding(server: SocketAddr, reason: &str) -> String {
    let port = server.port();
    format!(
        "{reason}: TCP works, so UDP port {port} is blocked on the way or by a firewall, or a port forward has TCP \
         alone; let UDP port {port} through to the server"
    )
}

/// Bound, and yet no datagram arrives.
pub fn of_datagrams(by_connection: usize) -> String {
    if by_connection > 0 {
        return "what was sent in datagrams arrived over TCP: the server does not send datagrams to us; see its \
                datagrams-caused-per-second-max, and its log at RUST_LOG=debug"
            .to_owned();
    }
    "the server has seen our address, and yet all datagrams are lost: a firewall or NAT in between lets the first \
     ones pass only, or cuts those of more than some length; the server's log says at RUST_LOG=debug what it dropped"
        .to_owned()
}

/// Addresses were exchanged, and led to nothing.
pub fn of_search(transport: &str, reason: &str) -> String {
    format!(
        "{reason}: the addresses were exchanged, so a firewall on this host keeps its own programs from reaching \
         each other over {transport}; let {transport} in on ports that programs choose themselves"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 7_667);

    fn login(lost: Lost) -> String {
        of_login("doctor-a-0", &Trouble::Lost(lost))
    }

    #[test]
    fn what_kind_of_connection_error_it_is_tells_where_to_look() {
        let cause = |kind: ErrorKind| of_connecting(SERVER, &Lost::Connect(kind.into()));
        assert!(cause(ErrorKind::ConnectionRefused).contains("no server runs there"));
        assert!(cause(ErrorKind::TimedOut).contains("firewall"));
        assert!(cause(ErrorKind::HostUnreachable).contains("routes"));
    }

    #[test]
    fn an_answer_that_is_not_ours_is_told_from_one_that_is() {
        assert!(login(Lost::Text("SSH-2.0-OpenSSH_10".to_owned())).contains("not a Switchboard server"));
        let full = login(Lost::Text("ERROR :the server is full; try again later".to_owned()));
        assert!(full.starts_with("the server is full") && full.contains("connections-max"), "{full}");
        let bye = Lost::Bye { code: ByeCode::ServerFull.number(), text: "the server is full".to_owned() };
        assert!(login(bye).contains("connections-max"));
    }

    #[test]
    fn a_refused_login_says_whose_fault_it_is() {
        let refused = |code: RefusalCode| Lost::Refused { code: code.number(), text: "no".to_owned() };
        assert!(login(refused(RefusalCode::Version)).contains("update the older"));
        assert!(login(refused(RefusalCode::NameTaken)).contains("try again"));
    }

    #[test]
    fn a_server_without_datagrams_is_told_from_one_that_refuses_otherwise() {
        let refused =
            |code: RefusalCode| Trouble::Refused { code: code.number(), text: "the text".to_owned() };
        assert!(of_ticket(&refused(RefusalCode::NoDatagrams)).contains("datagrams = true"));
        assert!(of_ticket(&refused(RefusalCode::UnknownRequest)).contains("the text"));
    }
}
