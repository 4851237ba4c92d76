//! What a flood took is given back to the system once it is over, and not kept for the next one.

mod common;

use common::{Client, Server, eventually};
use socket2::{Domain, Socket, Type};
use switchboard::wire::frame;

const MIB: usize = 1 << 20;

/// Somebody for whom the kernel takes little while they do not read.
fn slow_reader(server: &Server, name: &str) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a descriptor");
    socket.set_recv_buffer_size(16 * 1_024).expect("SO_RCVBUF");
    socket.connect(&server.address.into()).expect("the server accepts");
    let mut client = Client::over(socket.into());
    client.hello(name);
    client.round_trip();
    client
}

#[test]
fn memory_of_backlogs_comes_back_when_their_readers_are_gone() {
    const SLOW: usize = 60;
    // The kernel has little room for them, so that it is the server that keeps what they do not read.
    let server = Server::start(&["--send-buffer-bytes", "16384"]);
    let mut teller = Client::login(server.address, "teller");
    let before = server.memory();
    let slow: Vec<Client> = (0..SLOW).map(|n| slow_reader(&server, &format!("slow{n}"))).collect();
    // Of many lengths, so that what is freed is no use to what comes next, and newcomers in between, who stay.
    let mut stay = Vec::new();
    for round in 0..2_000 {
        let text = "x".repeat(1_000 + round * 3 % 3_000);
        for n in 0..SLOW {
            let to = format!("slow{n}");
            teller.send(0, &frame::Tell { request: 0, to: &to, text: &text });
        }
        if round % 20 == 0 {
            stay.push(Client::login(server.address, &format!("stays{round}")));
        }
        if server.memory() > before + 150 * MIB {
            break;
        }
    }
    let flooded = server.memory();
    assert!(flooded > before + 50 * MIB, "the flood took {} MiB", (flooded - before) / MIB);
    drop(slow);
    eventually("the memory is given back", || server.memory() < before + 8 * MIB);
    stay.iter_mut().for_each(Client::round_trip);
}

#[test]
fn memory_of_what_was_said_comes_back_when_the_rooms_are_gone() {
    let server = Server::start(&[]);
    let mut stays = Client::login(server.address, "stays");
    let before = server.memory();
    let text = "x".repeat(4_000);
    let talkers: Vec<Client> = (0..4)
        .map(|n| {
            let mut talker = Client::login(server.address, &format!("talker{n}"));
            for room in 0..100 {
                let room = talker.join(&format!("#room{n}-{room}"));
                (0..25).for_each(|_| talker.send(room, &frame::Say { request: 0, text: &text }));
            }
            talker.round_trip();
            talker
        })
        .collect();
    let full = server.memory();
    assert!(full > before + 30 * MIB, "what was said took {} MiB", (full - before) / MIB);
    drop(talkers);
    eventually("the memory is given back", || server.memory() < before + 8 * MIB);
    stays.round_trip();
}
