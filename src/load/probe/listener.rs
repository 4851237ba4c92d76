//! Whose process listens at an address of this machine, so that nobody has to look it up.

use std::net::SocketAddr;

/// The process that listens there, if it is on this machine and we may look at its files.
pub fn listener_of(address: SocketAddr) -> Option<u32> {
    listeners_of(address).first().copied()
}

/// All that hold the socket: a server may share it with its children.
#[cfg(target_os = "linux")]
pub fn listeners_of(address: SocketAddr) -> Vec<u32> {
    use procfs::net::{TcpState, tcp, tcp6};
    let entries = tcp().into_iter().chain(tcp6()).flatten();
    let inodes: Vec<u64> = entries
        .filter(|entry| entry.state == TcpState::Listen && serves(entry.local_address, address))
        .map(|entry| entry.inode)
        .collect();
    let is_local = address.ip().is_loopback() || is_ours(address);
    if inodes.is_empty() || !is_local {
        return Vec::new();
    }
    let processes = procfs::process::all_processes().into_iter().flatten().filter_map(Result::ok);
    let holders = processes.filter(|process| holds(process, &inodes));
    holders.filter_map(|process| u32::try_from(process.pid()).ok()).collect()
}

#[cfg(not(target_os = "linux"))]
pub fn listeners_of(_: SocketAddr) -> Vec<u32> {
    Vec::new()
}

/// Whether who listens at the one is reached at the other.
#[cfg(target_os = "linux")]
fn serves(listens: SocketAddr, asked: SocketAddr) -> bool {
    listens.port() == asked.port()
        && (listens.ip().is_unspecified() || listens.ip().to_canonical() == asked.ip().to_canonical())
}

/// An address can be bound where it is one of this machine's.
#[cfg(target_os = "linux")]
fn is_ours(address: SocketAddr) -> bool {
    std::net::UdpSocket::bind((address.ip(), 0)).is_ok()
}

#[cfg(target_os = "linux")]
fn holds(process: &procfs::process::Process, inodes: &[u64]) -> bool {
    use procfs::process::FDTarget;
    let Ok(files) = process.fd() else { return false };
    files
        .filter_map(Result::ok)
        .any(|file| matches!(file.target, FDTarget::Socket(inode) if inodes.contains(&inode)))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_process_behind_an_address_is_found() {
        for bound in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(bound).expect("a port");
            let port = listener.local_addr().expect("bound").port();
            assert_eq!(listener_of(([127, 0, 0, 1], port).into()), Some(std::process::id()), "{bound}");
            drop(listener);
            assert_eq!(listener_of(([127, 0, 0, 1], port).into()), None);
        }
    }
}
