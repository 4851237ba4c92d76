//! SCRAM-SHA-256 over real connections of IRC: whoever knows the password comes in and learns that the server knows it,
//! too; nobody else learns anything, not even whether there is such an account.

mod common;

use base64ct::{Base64, Encoding};
use common::{PATIENCE, Server};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(server: &Server) -> Client {
        let stream = TcpStream::connect(server.address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        Client(BufReader::new(stream))
    }

    fn send(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("the server reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).expect("a line") > 0, "the server hung up");
        line.trim_end().to_owned()
    }

    /// The next line with this command, and what is behind it.
    fn wait_for(&mut self, command: &str) -> String {
        loop {
            let line = self.line();
            let mut words = line.splitn(3, ' ');
            if words.nth(1) == Some(command) {
                return words.next().unwrap_or_default().to_owned();
            }
        }
    }

    fn come_in(&mut self, nick: &str) {
        self.send(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\nCAP END"));
        self.wait_for("001");
    }

    fn register(server: &Server, name: &str, password: &str) {
        let mut client = Client::connect(server);
        client.come_in(name);
        client.send(&format!("REGISTER * * :{password}"));
        client.wait_for("REGISTER");
        client.send("QUIT");
        while client.0.read_line(&mut String::new()).is_ok_and(|n| n > 0) {}
    }

    /// The server's challenge for somebody of this name.
    fn begin(&mut self, user: &str) -> Challenge {
        self.send("AUTHENTICATE SCRAM-SHA-256");
        assert_eq!(self.wait_for("AUTHENTICATE"), "+");
        let bare = format!("n={user},r=client-nonce");
        self.send(&format!("AUTHENTICATE {}", Base64::encode_string(format!("n,,{bare}").as_bytes())));
        let message = Base64::decode_vec(&self.wait_for("AUTHENTICATE")).expect("base64");
        Challenge { bare, message: String::from_utf8(message).expect("text") }
    }

    /// Proves to know the password, and says what the server's signature is to be.
    fn prove(&mut self, challenge: &Challenge, password: &str) -> String {
        let salt = Base64::decode_vec(challenge.attribute("s=")).expect("base64");
        let count = challenge.attribute("i=").parse().expect("a number");
        let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), &salt, count);
        let client_key = mac(&salted, b"Client Key");
        let without_proof = format!("c=biws,r={}", challenge.attribute("r="));
        let said = format!("{},{},{without_proof}", challenge.bare, challenge.message);
        let signature = mac(&Sha256::digest(client_key), said.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
        let message = format!("{without_proof},p={}", Base64::encode_string(&proof));
        self.send(&format!("AUTHENTICATE {}", Base64::encode_string(message.as_bytes())));
        format!("v={}", Base64::encode_string(&mac(&mac(&salted, b"Server Key"), said.as_bytes())))
    }
}

struct Challenge {
    bare: String,
    message: String,
}

impl Challenge {
    fn attribute(&self, name: &str) -> &str {
        self.message.split(',').find_map(|part| part.strip_prefix(name)).expect(name)
    }
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

#[test]
fn both_sides_show_that_they_know_the_password() {
    let server = Server::start(&["--account-delay-seconds", "1e-9"]);
    Client::register(&server, "ann", "se same");
    for is_before_the_welcome in [true, false] {
        let mut client = Client::connect(&server);
        if is_before_the_welcome {
            client.send("CAP REQ sasl");
        } else {
            client.come_in("bob");
        }
        let challenge = client.begin("ANN");
        assert!(challenge.attribute("r=").len() > "client-nonce".len() + 40, "{}", challenge.message);
        let signature = client.prove(&challenge, "se same");
        assert_eq!(client.wait_for("AUTHENTICATE"), Base64::encode_string(signature.as_bytes()));
        client.send("AUTHENTICATE +");
        assert!(client.wait_for("900").contains(" ann :"));
        client.wait_for("903");
        client.send(if is_before_the_welcome {
            "NICK ann\r\nUSER ann 0 * :ann\r\nCAP END"
        } else {
            "PING x"
        });
        client.wait_for(if is_before_the_welcome { "001" } else { "PONG" });
    }
}

#[test]
fn whoever_does_not_know_it_learns_nothing_and_has_to_wait() {
    let server = Server::start(&["--account-delay-seconds", "600"]);
    Client::register(&server, "ann", "sesame");
    let salt_for = |name: &str| {
        let mut client = Client::connect(&server);
        let salt = client.begin(name).attribute("s=").to_owned();
        (salt, client)
    };
    let (known, unknown) = (salt_for("ann").0, salt_for("nobody").0);
    assert_eq!((salt_for("Ann").0, salt_for("NOBODY").0), (known, unknown), "the same each time");
    // Two ask at once, and both guess: the second guess is not looked at, whether it is right or not.
    let (mut first, mut second) = (Client::connect(&server), Client::connect(&server));
    let challenges = [first.begin("ann"), second.begin("ann")];
    first.prove(&challenges[0], "guess");
    assert!(first.wait_for("904").contains("not its password"));
    second.prove(&challenges[1], "sesame");
    let told = second.wait_for("904");
    assert!(told.contains("too many passwords were wrong; try again after"), "{told}");
    second.send("AUTHENTICATE SCRAM-SHA-256");
    second.wait_for("AUTHENTICATE");
    second.send(&format!("AUTHENTICATE {}", Base64::encode_string(b"n,,n=ann,r=x")));
    assert!(second.wait_for("904").contains("try again after"));
}

#[test]
fn a_password_that_was_changed_meanwhile_does_not_let_anybody_in() {
    let server = Server::start(&["--account-delay-seconds", "1e-9"]);
    Client::register(&server, "ann", "sesame");
    let mut thief = Client::connect(&server);
    let challenge = thief.begin("ann");
    thief.prove(&challenge, "sesame");
    thief.wait_for("AUTHENTICATE");
    let mut ann = Client::connect(&server);
    ann.come_in("dan");
    ann.send("NS IDENTIFY ann sesame\r\nNS PASSWD sesame simsim");
    ann.wait_for("900");
    ann.wait_for("NOTICE");
    ann.wait_for("NOTICE");
    thief.send("AUTHENTICATE +");
    assert!(thief.wait_for("904").contains("not its password"));
}
