//! Addresses on the command line, and what is wrong with them.

use crate::hub;
use crate::server::limits;
use std::net::{Ipv6Addr, SocketAddr};

/// The address of a server as a user writes it, with the port that may be left out.
pub fn server_address(text: &str) -> Result<String, String> {
    address(text, 1, "a server is HOST or HOST:PORT, such as example.org, 127.0.0.1:7667 or [::1]:7667")
}

/// An address that a server does not refuse in any case; loopback it takes from who connects from there.
pub fn declared_address(text: &str) -> Result<SocketAddr, String> {
    let usage = "an address to declare is IP:PORT, such as 203.0.113.5:40000 or [2001:db8::5]:40000";
    let address = text.parse().map_err(|_| usage.to_owned())?;
    if hub::is_reachable(address, true) {
        Ok(address)
    } else {
        Err("peers cannot connect to port 0, nor to an unspecified, multicast, broadcast or link-local address"
            .to_owned())
    }
}

/// Where to wait for a peer; port 0 is any that is free.
pub fn listen_address(text: &str) -> Result<String, String> {
    address(
        text,
        0,
        "an address to wait at is HOST or HOST:PORT, such as 0.0.0.0:7667, 127.0.0.1 or [::]:7667",
    )
}

fn address(text: &str, port_min: u16, usage: &str) -> Result<String, String> {
    let default = limits::DEFAULT_LISTEN.port();
    // IPv6 is full of colons: with a port it stands in brackets.
    let whole = match text.parse::<Ipv6Addr>() {
        Ok(_) => format!("[{text}]:{default}"),
        Err(_) if text.ends_with(']') || !text.contains(':') => format!("{text}:{default}"),
        Err(_) => text.to_owned(),
    };
    let (host, port) = whole.rsplit_once(':').unwrap_or_default();
    if port.parse::<u16>().is_ok_and(|port| port >= port_min) {
        let bracketed = host.contains(['[', ']', ':']);
        if !host.is_empty() && (!bracketed || whole.parse::<SocketAddr>().is_ok()) {
            return Ok(whole);
        }
    } else if host.ends_with(']') || (!host.is_empty() && !host.contains(':')) {
        return Err(format!("{port:?} is no port; a port is a number from {port_min} to 65535"));
    }
    Err(usage.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_be_named_without_its_port() {
        for (text, expected) in [
            ("example.org", "example.org:7667"),
            ("example.org:1", "example.org:1"),
            ("127.0.0.1", "127.0.0.1:7667"),
            ("127.0.0.1:99", "127.0.0.1:99"),
            ("::1", "[::1]:7667"),
            ("[::1]", "[::1]:7667"),
            ("[::1]:99", "[::1]:99"),
        ] {
            assert_eq!(server_address(text).as_deref(), Ok(expected));
        }
        for port in ["localhost:", "localhost:0", "localhost:65536", "localhost:x", "127.0.0.1:-1", "[::1]:0"]
        {
            assert!(server_address(port).is_err_and(|e| e.contains("from 1 to 65535")), "{port}");
        }
        for bad in ["", ":7667", "[", "[]", "[x]:1", "::1]:1", "a:b:1", "[::1]x:1"] {
            assert!(server_address(bad).is_err_and(|e| e.contains("HOST:PORT")), "{bad}");
        }
    }

    #[test]
    fn an_address_that_no_server_takes_is_not_declared() {
        for good in ["203.0.113.5:40000", "[2001:db8::5]:1", "10.0.0.1:7667", "127.0.0.1:9"] {
            assert_eq!(declared_address(good), Ok(good.parse().expect("an address")));
        }
        let unreachable = [
            "203.0.113.5:0",
            "0.0.0.0:1",
            "[::]:1",
            "224.0.0.1:1",
            "[ff02::1]:1",
            "255.255.255.255:1",
            "169.254.0.1:1",
            "[fe80::1]:1",
            "[::ffff:224.0.0.1]:1",
        ];
        for bad in unreachable {
            assert!(declared_address(bad).is_err_and(|e| e.starts_with("peers cannot connect")), "{bad}");
        }
        for bad in ["", "203.0.113.5", "example.org:1", "2001:db8::5:1"] {
            assert!(declared_address(bad).is_err_and(|e| e.contains("IP:PORT")), "{bad}");
        }
    }
}
