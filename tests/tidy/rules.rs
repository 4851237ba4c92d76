//! The rules, as tables. One that is in the way of something good is changed here, with its reason; it is not worked
//! around.

/// A module of the crate's top level, and what it may import beside std.
pub struct Layer {
    pub name: &'static str,
    pub modules: &'static [&'static str],
    pub crates: &'static [&'static str],
}

/// The table of `src/lib.rs`. What is not in it cannot be imported; a new module gets a line here and one there.
pub const LAYERS: &[Layer] = &[
    Layer { name: "wire", modules: &[], crates: &["blake3", "jiff", "memchr", "siphasher"] },
    Layer { name: "hub", modules: &[], crates: &["foldhash", "memchr", "slab", "smallvec"] },
    Layer {
        name: "net",
        modules: &[],
        crates: &["mio", "socket2", "quinn_udp", "nix", "rustix", "libc", "slab", "smallvec", "log"],
    },
    Layer { name: "session", modules: &["wire", "hub"], crates: &["base64ct", "hmac", "jiff", "sha2"] },
    Layer { name: "storage", modules: &["hub"], crates: &["rusqlite", "log"] },
    Layer { name: "capture", modules: &["wire"], crates: &["jiff", "log"] },
    Layer {
        name: "server",
        modules: &["wire", "hub", "net", "session", "storage", "capture"],
        crates: &[
            "mio",
            "socket2",
            "rustix",
            "slab",
            "smallvec",
            "log",
            "signal_hook",
            "signal_hook_mio",
            "blake3",
            "siphasher",
            "argon2",
            "pbkdf2",
            "sha2",
            "stringprep",
            "getrandom",
        ],
    },
    Layer { name: "tty", modules: &[], crates: &["rustix"] },
    Layer {
        name: "chat",
        // The hub for its rules on names, which a client without a server has to hold itself, and for its words for presets.
        modules: &["net", "wire", "hub", "tty", "capture"],
        crates: &[
            "mio",
            "socket2",
            "rustix",
            "slab",
            "log",
            "signal_hook",
            "signal_hook_mio",
            "rustyline",
            "indicatif",
            "if_addrs",
            "blake3",
            "jiff",
            "getrandom",
        ],
    },
    Layer {
        name: "load",
        modules: &["net", "wire"],
        crates: &[
            "mio",
            "socket2",
            "rustix",
            "slab",
            "log",
            "hdrhistogram",
            "indicatif",
            "memchr",
            "nix",
            "serde_json",
            "procfs",
            "perf_event2",
        ],
    },
    Layer {
        name: "admin",
        // Of chat, its rule on what a terminal may be shown.
        modules: &["net", "wire", "chat"],
        crates: &["getrandom", "jiff", "rustix", "serde_json", "signal_hook"],
    },
    Layer { name: "config", modules: EVERYTHING, crates: &["clap", "serde", "toml", "strsim", "log"] },
    Layer {
        name: "cli",
        modules: EVERYTHING,
        crates: &["clap", "log", "signal_hook", "rustix", "getrandom"],
    },
    Layer { name: "bare", modules: EVERYTHING, crates: &["log"] },
    Layer { name: "main", modules: EVERYTHING, crates: &["env_logger", "log"] },
    Layer { name: "lib", modules: EVERYTHING, crates: &[] },
];

pub const EVERYTHING: &[&str] = &[
    "wire", "hub", "net", "session", "storage", "capture", "server", "tty", "chat", "admin", "load",
    "config", "cli", "bare", "main",
];

/// Layers whose row in `src/lib.rs` names every import; of the others it says less.
pub const ROWS_IN_FULL: &[&str] = &["wire", "hub", "net", "session", "storage", "capture"];

/// Something that must not be in a source, where it may be all the same, and what to do instead.
pub struct Ban {
    /// One token after the other.
    pub code: &'static str,
    /// Paths that begin so are free of the ban.
    pub except: &'static [&'static str],
    pub instead: &'static str,
}

pub const TIME: &str =
    "time is an argument: take `now: Instant` from the turn, which looks at the clock once";
pub const CLOCKS: &[&str] = &[
    "src/server/reactor.rs",
    "src/server/stages.rs",
    "src/capture/clock.rs",
    "src/storage/worker.rs",
    "src/chat/",
    "src/load/",
    "src/admin/top/",
];
pub const CHANCE: &str = "what happens is to follow from what was put in, so that a test can repeat it: take a number as an argument";
pub const SOCKETS: &str = "only net, server and the clients touch sockets; take bytes, or put it there";
pub const SOCKET_OWNERS: &[&str] = &["src/net/", "src/server/", "src/chat/", "src/admin/", "src/load/"];
pub const THROWERS: &[&str] =
    &["src/net/", "src/server/", "src/chat/", "src/admin/", "src/load/", "src/cli/password.rs"];
pub const WAITS: &str = "the server is one thread that waits in poll alone; use a timer of the turn";
pub const WAITERS: &[&str] = &[
    "src/chat/",
    "src/load/",
    "src/capture/writer.rs",
    "src/server/worker.rs",
    "src/storage/worker.rs",
    "src/admin/top/",
];
pub const PANIC: &str = "bytes from outside must not end the process: return an error, close that one connection, or use `let … else`";
pub const UNSAFE: &str = "a safe crate that is kept up does it as well; look for one";
pub const ALLOCATOR: &[&str] = &["src/net/allocator.rs"];
pub const PRINT: &str = "it panics when nobody reads: `writeln!`, and decide what an error means";
pub const ASYNC: &str = "there is no async runtime here; the turn is the runtime";

macro_rules! bans {
    ($($instead:ident except $except:ident: $($code:literal)*;)*) => {
        &[$($(Ban { code: $code, except: $except, instead: $instead },)*)*]
    };
}

pub const NOBODY: &[&str] = &[];

pub const BANS: &[Ban] = bans! {
    TIME except CLOCKS: "Instant :: now" "SystemTime" "UNIX_EPOCH" ". elapsed (";
    CHANCE except THROWERS: "rand ::" "getrandom" "fastrand" "RandomState" "DefaultHasher";
    SOCKETS except SOCKET_OWNERS: "TcpStream" "TcpListener" "UdpSocket" "UnixStream" "UnixListener" "ToSocketAddrs";
    WAITS except WAITERS: "thread ::" "park (" "recv_timeout";
    PANIC except NOBODY: ". unwrap (" ". expect (" ". unwrap_err (" ". expect_err (" "unwrap_unchecked";
    PANIC except NOBODY: "panic !" "todo !" "unimplemented !" "unreachable !" "assert !" "assert_eq !" "assert_ne !";
    PANIC except NOBODY: "dbg !";
    UNSAFE except ALLOCATOR: "unsafe" "allow ( unsafe_code";
    PRINT except NOBODY: "println !" "print !";
    ASYNC except NOBODY: "async" ". await";
};

/// Where a ban, or the rule on indexing, was looked at and does not apply. Each has to be there still, once.
pub struct Reviewed {
    pub file: &'static str,
    /// Part of the line.
    pub line: &'static str,
    #[allow(dead_code)] // for those who read
    pub because: &'static str,
}

pub const REVIEWED: &[Reviewed] = &[
    Reviewed {
        file: "src/net/slots.rs",
        line: r#".expect("fewer than 2^32 connections")"#,
        because: "a process cannot have that many descriptors, whatever its clients do",
    },
    Reviewed {
        file: "src/net/slots.rs",
        line: "const _: () = assert!(usize::BITS == 64",
        because: "fails when it is compiled, not when it runs",
    },
    Reviewed {
        file: "src/session/irc/letters.rs",
        line: "kinds[at] = (CHANNEL[at].0",
        because: "fails when it is compiled, not when it runs",
    },
    Reviewed {
        file: "src/session/irc/letters.rs",
        line: "kinds[at].0 = USER[at].0",
        because: "fails when it is compiled, not when it runs",
    },
    Reviewed {
        file: "src/wire/frame/lists.rs",
        line: "out[start + 1] |= ",
        because: "the header at `start` was written just before",
    },
    Reviewed {
        file: "src/wire/header.rs",
        line: "out[start + LENGTH.start..start + LENGTH.end]",
        because: "the header at `start` was written just before",
    },
    Reviewed {
        file: "src/net/inbox.rs",
        line: "socket.read(&mut scratch[held..])",
        because: "`held` is at most COPIED_BYTES_MAX, and scratch is longer than that",
    },
    Reviewed {
        file: "src/net/inbox.rs",
        line: "scratch[..held].copy_from_slice(",
        because: "`held` is at most COPIED_BYTES_MAX, and scratch is longer than that",
    },
    Reviewed {
        file: "src/net/inbox.rs",
        line: "socket.read(&mut bytes[held..])",
        because: "it was made longer than `held` on the line before",
    },
    Reviewed {
        file: "src/load/latencies.rs",
        line: r#".expect("bounds that a histogram can have")"#,
        because: "the bounds are constants, and every test makes one",
    },
    Reviewed {
        file: "src/server/read.rs",
        line: "self.consume(key, &scratch[..n], ",
        because: "the inbox says how much of scratch it filled",
    },
    Reviewed {
        file: "src/server/read.rs",
        line: "connection.inbox.keep(&scratch[used..n], ",
        because: "`used` adds up steps that lie within the n bytes",
    },
    Reviewed {
        file: "src/server/read.rs",
        line: "let rest = &bytes[done..]",
        because: "`done` adds up steps that lie within the bytes",
    },
    Reviewed {
        file: "src/server/read.rs",
        line: "self.pass_on(key, relay, longest, &rest[..used])",
        because: "a step's `used` is a part of the bytes that the session was given",
    },
    Reviewed {
        file: "src/server/exchange.rs",
        line: "rest = &rest[n..]",
        because: "a write takes no more than it is given",
    },
];

/// Sources that hold bytes of others in their hands. A number out of these must not index anything.
pub const INDEXING_IS_CHECKED: &[&str] = &[
    "src/wire/",
    "src/session/",
    "src/hub/",
    "src/net/inbox.rs",
    "src/server/engine.rs",
    "src/server/read.rs",
    "src/server/effects.rs",
    "src/server/exchange.rs",
    "src/server/binding.rs",
    "src/server/datagrams.rs",
];

pub const LINES_MAX: usize = 500;

/// Crates that bring a runtime of their own.
pub const RUNTIMES: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "async-executor",
    "futures",
    "futures-executor",
    "pollster",
    "monoio",
    "glommio",
    "compio",
    "actix-rt",
    "hyper",
    "quinn",
];

/// Directories of somebody's machine.
pub const PLACES: &[&str] = &["home", "root", "Users", "work", "tmp", "mnt", "build"];
