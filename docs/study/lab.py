"""What the lessons of docs/STUDY.md share: connections that block, and a server that can be held still.

Everything goes to $HOST:$PORT. The process id of the server is in the file server.pid, where `serve` of the lessons puts it.
"""

import contextlib
import os
import signal
import socket
import struct
import time

ADDRESS = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "7667"))

# Kinds of native frames that the lessons need: docs/PROTOCOL.md, section 5.
HELLO, WELCOME, PING, PONG = 0x80, 0x81, 0x84, 0x85
NAMES = {HELLO: "hello", WELCOME: "welcome", PING: "ping", PONG: "pong"}


def connect(receive_buffer=None):
    """A connection over which nothing was said yet. The size of its receive buffer has to be set before the handshake."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(60)
    client.connect(ADDRESS)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def login(name, **options):
    """A client of IRC that has read its greeting to the end."""
    client = connect(**options)
    client.sendall(f"NICK {name}\nUSER {name} 0 * :{name}\n".encode())
    read_until(client, b" 422 ")
    settle(client)
    return client


def read_until(client, text):
    """Reads until this text has come, and returns all that was read."""
    got = b""
    while text not in got:
        more = client.recv(65536)
        if not more:
            raise EOFError(f"the stream ended after {got!r}")
        got += more
    return got


def read_all(client):
    """Reads to the end of the stream."""
    got = b""
    while more := client.recv(65536):
        got += more
    return got


def settle(client):
    """A round trip. When it is over, the server has dealt with everything that reached it before."""
    client.sendall(b"PING settled\n")
    read_until(client, b"settled\r\n")


def server_pid():
    with open("server.pid") as file:
        return int(file.read())


def state_of(process):
    """The letter for what a process does: see proc_pid_stat(5)."""
    with open(f"/proc/{process}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


@contextlib.contextmanager
def server_stopped():
    """Holds the server still. What happens meanwhile happens, for the server, between two turns."""
    os.kill(server_pid(), signal.SIGSTOP)
    while state_of(server_pid()) != "T":  # a signal is on its way for a moment
        time.sleep(0.001)
    try:
        yield
    finally:
        os.kill(server_pid(), signal.SIGCONT)


def frame(kind, body, channel=0):
    """A native frame: docs/PROTOCOL.md, section 2."""
    return struct.pack(">BBHI", kind, 0, len(body), channel) + body


def read_frame(client):
    """The name and the body of the next native frame."""
    kind, _, length, _ = struct.unpack(">BBHI", read_exactly(client, 8))
    return NAMES.get(kind, hex(kind)), read_exactly(client, length)


def read_exactly(client, length):
    """So many bytes: a stream brings them in whatever portions it likes."""
    got = b""
    while len(got) < length:
        more = client.recv(length - len(got))
        if not more:
            raise EOFError(f"the stream ended after {len(got)} of {length} bytes")
        got += more
    return got


def hello(name):
    """The body of the frame that logs in: magic, request 1, version 1, bodies of 32,768 bytes at most, the name."""
    return b"SWBD" + struct.pack(">IBHB", 1, 1, 32768, len(name)) + name.encode()
