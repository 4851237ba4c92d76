//! In a room in which people are not known, nothing says who they are: whatever they do, and whatever the others ask.

mod common;

use common::{Client, PATIENCE, Received, Server};
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use switchboard::wire::Kind;
use switchboard::wire::frame::{self, Frame};

const CAPABILITIES: &str = "account-notify account-tag away-notify batch chghost echo-message extended-join \
                            extended-monitor invite-notify message-tags multi-prefix server-time setname \
                            userhost-in-names labeled-response";
/// For those who ask for what was said before, and see it as it was.
const READING: &str = "draft/chathistory draft/event-playback draft/message-redaction draft/channel-rename";
/// `\0secretalice\0sesame`, as SASL has it.
const PLAIN: &str = "AHNlY3JldGFsaWNlAHNlc2FtZQ==";

/// Somebody who speaks lines, and keeps every line that they get.
struct Person {
    link: BufReader<TcpStream>,
    nick: String,
    log: String,
    pings: usize,
}

impl Person {
    /// From an address of their own; the user name and the real name begin as the nickname does.
    fn connect(server: &Server, from: [u8; 4], nick: &str) -> Person {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address of this machine");
        socket.connect(&server.address.into()).expect("the server accepts");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let (link, nick) = (BufReader::new(stream), nick.to_owned());
        let mut person = Person { link, nick, log: String::new(), pings: 0 };
        let nick = &person.nick.clone();
        person.send(&format!(
            "CAP REQ :{CAPABILITIES}\r\nNICK {nick}\r\nUSER {nick}_u 0 * :{nick} r\r\nCAP END\r\n"
        ));
        person.wait_for(" 422 ");
        person
    }

    /// The second client of somebody who has an account.
    fn connect_again(server: &Server, nick: &str, proof: &str) -> Person {
        let stream = TcpStream::connect(server.address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let (link, nick) = (BufReader::new(stream), nick.to_owned());
        let mut person = Person { link, nick, log: String::new(), pings: 0 };
        let nick = &person.nick.clone();
        person.send(&format!("CAP REQ :sasl message-tags\r\nNICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n"));
        person.send(&format!("AUTHENTICATE PLAIN\r\nAUTHENTICATE {proof}\r\n"));
        person.wait_for(" 903 ");
        person.send("CAP END\r\n");
        person.wait_for(" 422 ");
        person
    }

    fn send(&mut self, lines: &str) {
        self.link.get_mut().write_all(lines.as_bytes()).expect("the server reads");
    }

    /// The next line with this in it.
    #[track_caller]
    fn wait_for(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.link.read_line(&mut line).unwrap_or(0);
            assert!(read > 0, "{}: the end came before {part:?}; until then\n{}", self.nick, self.log);
            self.log.push_str(&line);
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Makes an account of the nickname.
    #[track_caller]
    fn register(&mut self) {
        self.send("NS REGISTER sesame\r\n");
        self.wait_for(" 900 ");
    }

    /// Everything up to now has come.
    #[track_caller]
    fn catch_up(&mut self) {
        self.pings += 1;
        let token = format!("ping-{}", self.pings);
        self.send(&format!("PING {token}\r\n"));
        self.wait_for(&token);
    }

    /// Enters a room that hides people; returns what the others there call them.
    #[track_caller]
    fn enter(&mut self, room: &str) -> String {
        self.send(&format!("JOIN {room}\r\n"));
        let line = self.wait_for("the others know you as ");
        let (_, name) = line.split_once("know you as ").expect("the name");
        let name = name.split(',').next().expect("the name").to_owned();
        assert!(name.starts_with("anon-") && name.len() == 13, "{name}");
        self.wait_for(" 366 ");
        name
    }

    /// What has come from here on.
    fn since(&self, mark: usize) -> &str {
        self.log.get(mark..).expect("a place between lines")
    }

    /// Where they come from, as others on the server see it.
    fn host(&mut self) -> String {
        let nick = self.nick.clone();
        self.send(&format!("USERHOST {nick}\r\n"));
        let line = self.wait_for(" 302 ");
        line.trim_end().rsplit('@').next().expect("a host").to_owned()
    }
}

/// A room that hides people, and its moderator.
fn found(server: &Server, keeper: &str, room: &str) -> Person {
    let mut keeper = Person::connect(server, [127, 0, 0, 1], keeper);
    keeper.send(&format!("JOIN {room}\r\n"));
    keeper.wait_for(" 366 ");
    keeper.send(&format!("MODE {room} +A\r\n"));
    keeper.wait_for(&format!("MODE {room} +A"));
    keeper
}

/// The next frame of this kind; what comes before it is heard as well.
fn hear(client: &mut Client, heard: &mut String, kind: Kind) -> Received {
    loop {
        let frame = client.receive();
        heard.push_str(&frame.text());
        heard.push('\n');
        if frame.kind() == kind {
            return frame;
        }
    }
}

#[track_caller]
fn assert_silent_about(secrets: &[&str], who: &str, log: &str) {
    for secret in secrets {
        let leak = log.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert_eq!(leak, None, "{who} learns {secret:?}");
    }
}

/// Secret hosts, account names and all: what no line may have.
#[test]
fn whatever_people_do_nobody_in_the_room_or_in_another_learns_who_they_are() {
    let server = Server::start(&[]);
    let mut keeper = found(&server, "keeper", "#masks");
    let _other_keeper = found(&server, "otherkeeper", "#other");
    let mut spy = Person::connect(&server, [127, 0, 0, 1], "spy");
    let spy_name = spy.enter("#masks");
    let mut stranger = Person::connect(&server, [127, 0, 0, 1], "stranger");
    stranger.enter("#other");
    let mut mole = Client::login(server.address, "mole");
    let channel = mole.join("#masks");

    let mut alice = Person::connect(&server, [127, 9, 8, 7], "secretalice");
    let host = alice.host();
    alice.register();
    let alice_name = alice.enter("#masks");
    let other_name = alice.enter("#other");
    assert_ne!(alice_name, other_name, "the two have nothing in common");
    let mut bob = Client::login(server.address, "secretbob");
    bob.join("#masks");

    alice.send("PRIVMSG #masks :words\r\nNOTICE #masks :a notice\r\n@+typing=active TAGMSG #masks\r\n");
    alice.send("TOPIC #masks :a subject\r\nAWAY :secretaway\r\nAWAY\r\nSETNAME :secretname\r\n");
    alice.send(&format!("PRIVMSG {spy_name} :a whisper\r\n"));
    let line = spy.wait_for(":a whisper");
    assert!(line.contains(&format!(":{alice_name}!anon@")), "{line}");
    keeper.send(&format!("MODE #masks +ov {alice_name} {spy_name}\r\n"));
    alice.wait_for("MODE #masks +ov secretalice ");
    let line = spy.wait_for("MODE #masks +ov ");
    assert!(line.ends_with(&format!("+ov {alice_name} spy\r\n")), "each by the name they go by: {line}");
    alice.send("MODE #masks +b nobody!*@*\r\nINVITE stranger #masks\r\nNICK secretalice2\r\nNS LOGOUT\r\n");
    alice.wait_for("NICK secretalice2");
    alice.send("PRIVMSG #masks :after it all\r\n");
    spy.wait_for(":after it all");
    let line = stranger.wait_for("INVITE");
    assert!(line.contains(&format!(":{alice_name}!anon@")), "{line}");

    spy.send(
        "WHO #masks\r\nWHO #masks %tcuihsnfdlaor,1\r\nNAMES #masks\r\nTOPIC #masks\r\nMODE #masks b\r\n",
    );
    spy.send(&format!("WHOIS {alice_name}\r\nUSERHOST {alice_name}\r\nISON {alice_name}\r\n"));
    spy.send(&format!("WHOWAS {alice_name}\r\nMONITOR + {alice_name}\r\nPRIVMSG {alice_name} :and back\r\n"));
    let line = alice.wait_for(":and back");
    assert!(line.contains(&format!(":{spy_name}!anon@")), "{line}");
    mole.send(channel, &frame::Who { request: 77, after: "" });
    let mut heard = String::new();
    let listed = hear(&mut mole, &mut heard, Kind::Occupants);
    assert!(listed.text().contains(&alice_name), "{}", listed.text());
    mole.send(0, &frame::Open { request: 78, purpose: 0, to: &alice_name });
    let refused = hear(&mut mole, &mut heard, Kind::Refused);
    assert!(matches!(refused.frame(), Frame::Refused(frame::Refused { request: 78, .. })), "{refused:?}");

    alice.send("PART #other :see you\r\nQUIT :secretwords\r\n");
    let line = spy.wait_for("PART");
    assert!(
        line.ends_with("PART #masks\r\n"),
        "who leaves the server leaves the room, without words: {line}"
    );
    let asked = "INVITE secretbob";
    keeper.send(&format!("{asked} #masks\r\n"));
    keeper.wait_for(" 341 ");
    bob.send(0, &frame::Bye { code: 0, text: "secretwords" });
    assert!(bob.receive_all().iter().any(|frame| frame.kind() == Kind::Bye));
    spy.wait_for("PART #masks");
    [&mut spy, &mut stranger, &mut keeper].into_iter().for_each(Person::catch_up);
    mole.send(0, &frame::Bye { code: 0, text: "" });
    heard.extend(mole.receive_all().iter().map(|frame| frame.text() + "\n"));
    assert!(heard.contains("after it all") && heard.contains(&alice_name), "{heard}");

    let cloak = host.split('.').next().expect("a part of the host");
    let secrets = ["secret", cloak];
    assert_silent_about(&secrets, "the spy", &spy.log);
    assert_silent_about(&secrets, "the stranger", &stranger.log);
    assert_silent_about(&secrets, "the mole", &heard);
    let of_keeper: Vec<&str> = keeper.log.lines().filter(|line| !line.contains("secretbob #masks")).collect();
    assert_silent_about(&secrets, "the moderator", &of_keeper.join("\n"));
    assert_silent_about(&[&other_name], "the spy", &spy.log);
    let of_stranger: Vec<&str> = stranger.log.lines().filter(|line| !line.contains("INVITE")).collect();
    assert_silent_about(&[&alice_name], "the stranger, but for the invitation", &of_stranger.join("\n"));
}

/// What the room keeps, what is asked of it, and what its owners do with it: heard by somebody who was there, and by
/// somebody who came later and asks. Alice has two clients, who know each other.
#[test]
fn what_a_room_keeps_and_what_owners_do_with_it_says_nothing_of_who_they_are() {
    let server = Server::start(&["--account-delay-seconds", "1e-9"]);
    let mut alice = Person::connect(&server, [127, 9, 8, 7], "secretalice");
    let host = alice.host();
    alice.register();
    alice.send("JOIN #masks\r\nMODE #masks +A\r\n");
    alice.wait_for("MODE #masks +A");
    let mut phone = Person::connect_again(&server, "secretalice", PLAIN);
    phone.wait_for(" 366 ");
    let mut bob = Person::connect(&server, [127, 9, 8, 6], "secretbob");
    bob.register();
    let bob_name = bob.enter("#masks");
    let mut spy = Person::connect(&server, [127, 0, 0, 1], "spy");
    spy.send(&format!("CAP REQ :{READING}\r\n"));
    spy.wait_for(" ACK ");
    spy.enter("#masks");

    alice.send("PRIVMSG #masks :by the desk\r\nTOPIC #masks :a subject\r\n");
    let line = phone.wait_for(":by the desk");
    assert!(line.contains(":secretalice!"), "to herself she is who she is: {line}");
    let line = spy.wait_for(":by the desk");
    let alice_name =
        line.split('!').next().and_then(|head| head.rsplit(':').next()).expect("a name").to_owned();
    assert!(alice_name.starts_with("anon-"), "{line}");
    let id = line.split_once("msgid=").and_then(|(_, rest)| rest.split([';', ' ']).next()).expect("an id");
    let id = id.to_owned();
    phone.send("PRIVMSG #masks :by the phone\r\n@+draft/react=x TAGMSG #masks\r\n");
    let line = alice.wait_for(":by the phone");
    assert!(line.contains(":secretalice!"), "{line}");
    bob.send("PRIVMSG #masks :by bob\r\nPART #masks :see you\r\n");
    spy.wait_for("PART #masks");
    assert_eq!(bob.enter("#masks"), bob_name);
    alice.send(&format!("REDACT #masks {id} :no\r\nCAP REQ :{READING}\r\nREDACT #masks {id} :no\r\n"));
    spy.wait_for("REDACT #masks");
    phone.send("MODE #masks +b ~a:secretcarol\r\nMODE #masks +m\r\nCS MUTE #masks ~a:secretbob\r\n");
    bob.send("PRIVMSG ChanServ :ASK #masks VOICE\r\nCS LIST #masks members\r\n");
    phone.send("MODE #masks -m\r\n");
    spy.wait_for("MODE #masks -m");
    bob.catch_up();

    spy.send("CHATHISTORY LATEST #masks * 50\r\nCHATHISTORY BEFORE #masks timestamp=2999-01-01T00:00:00.000Z 50\r\n");
    spy.send(
        "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2999-01-01T00:00:00.000Z 9\r\n",
    );
    spy.send(
        "CS HISTORY #masks\r\nCS SEARCH #masks phone\r\nCS LIST #masks members\r\nCS LIST #masks owners\r\n",
    );
    spy.send("CS LIST #masks bans\r\nCS INFO #masks\r\nMODE #masks b\r\nMODE #masks q\r\nMODE #masks a\r\n");
    spy.send(&format!(
        "MODE #masks +b ~a:{alice_name}\r\nREDACT #masks {id} :mine\r\nRENAME #masks #mine\r\n"
    ));
    spy.catch_up();
    assert!(
        spy.log.contains(&format!("{alice_name}!anon@")) && spy.log.contains("by the phone"),
        "{}",
        spy.log
    );

    // Somebody who comes later, without the capabilities, is shown the latest lines; and a native asks for them.
    let mut late = Person::connect(&server, [127, 0, 0, 1], "late");
    late.enter("#masks");
    late.catch_up();
    assert!(late.log.contains("by the phone") && late.log.contains(" 332 "), "{}", late.log);
    let mut mole = Client::login(server.address, "mole");
    mole.send(0, &frame::Join { request: 70, past: 50, room: "#masks", password: "" });
    let mut heard = String::new();
    let channel = hear(&mut mole, &mut heard, Kind::Joined).channel();
    let past = hear(&mut mole, &mut heard, Kind::Past);
    assert!(past.text().contains("by the phone") && past.text().contains(&alice_name), "{}", past.text());
    mole.send(channel, &frame::Search { request: 71, before: 0, limit: 9, room: "", words: "phone" });
    hear(&mut mole, &mut heard, Kind::Past);

    // Who asks to be let in is named to those who run the room, and to nobody else.
    let mut dave = Person::connect(&server, [127, 9, 8, 5], "secretdave");
    dave.register();
    phone.send("MODE #masks +i\r\n");
    spy.wait_for("MODE #masks +i");
    dave.send("KNOCK #masks :let me in\r\n");
    dave.wait_for(" 711 ");
    let line = alice.wait_for(" 710 ");
    assert!(line.contains(" secretdave!") && line.contains("let me in"), "{line}");

    phone.send("RENAME #masks #capes :a better name\r\n");
    spy.wait_for("RENAME #masks #capes");
    late.wait_for("JOIN #capes");
    phone.send("CS DESTROY #capes\r\n");
    for person in [&mut spy, &mut late] {
        person.wait_for("#capes");
        person.catch_up();
    }
    mole.send(0, &frame::Bye { code: 0, text: "" });
    heard.extend(mole.receive_all().iter().map(|frame| frame.text() + "\n"));

    let cloak = host.split('.').next().expect("a part of the host");
    let secrets = ["secret", cloak];
    assert_silent_about(&secrets, "the spy", &spy.log);
    assert_silent_about(&secrets, "who came later", &late.log);
    assert_silent_about(&secrets, "the mole", &heard);
}

/// What one asks about a name that one knows says nothing of the room.
#[test]
fn whoever_knows_the_name_does_not_learn_of_the_room() {
    let server = Server::start(&[]);
    let _keeper = found(&server, "keeper", "#masks");
    let mut alice = Person::connect(&server, [127, 9, 8, 7], "alice");
    let mut spy = Person::connect(&server, [127, 0, 0, 1], "spy");
    spy.enter("#masks");
    let mark = spy.log.len();
    spy.send("MONITOR + alice\r\n");
    alice.enter("#masks");
    spy.wait_for("JOIN #masks");
    alice.send("AWAY :tea\r\n");
    alice.wait_for(" 306 ");
    let line = spy.wait_for("AWAY");
    assert!(line.contains(":alice!"), "told as to somebody who watches her, and shares no room: {line}");
    alice.send("MODE alice +i\r\nPRIVMSG #masks :a word\r\n");
    spy.wait_for(":a word");
    spy.send(
        "WHOIS alice\r\nWHO alic?\r\nKICK #masks alice\r\nINVITE alice #masks\r\nMODE #masks +v alice\r\n",
    );
    spy.send("PRIVMSG #masks :the end\r\n");
    spy.catch_up();
    let heard = spy.since(mark);
    assert!(heard.contains(" 311 spy alice "), "{heard}");
    assert!(
        !heard.contains(" 319 ") && !heard.contains(" 352 "),
        "no room, and not found by a mask: {heard}"
    );
    assert!(heard.contains(" 341 spy alice #masks"), "she is invited as if she were not there: {heard}");
    assert!(!heard.contains(" 443 "), "{heard}");
    alice.send("WHOIS alice\r\n");
    let line = alice.wait_for(" 319 ");
    assert!(line.contains("#masks"), "one's own rooms one knows: {line}");
}

/// Everybody who shares another room with somebody hears at once of what they do with their account.
#[test]
fn nothing_happens_in_the_room_when_somebody_logs_in_or_out_or_has_no_account_any_more() {
    let server = Server::start(&[]);
    let mut owner = Person::connect(&server, [127, 0, 0, 1], "owner");
    owner.register();
    owner.send("JOIN #masks\r\nMODE #masks +Am\r\n");
    owner.wait_for("MODE #masks +Am");
    let mut alice = Person::connect(&server, [127, 0, 0, 2], "alice");
    alice.register();
    owner.send("CS MEMBER #masks alice\r\n");
    owner.wait_for("It is done");
    alice.send("JOIN #open\r\n");
    alice.wait_for(" 366 ");
    let name = alice.enter("#masks");
    let mut spy = Person::connect(&server, [127, 0, 0, 1], "spy");
    spy.send("JOIN #open\r\n");
    spy.wait_for(" 366 ");
    spy.enter("#masks");
    let mark = spy.log.len();
    for lines in ["NICK alice2\r\nNS LOGOUT\r\n", "NS IDENTIFY alice sesame\r\n", "NS DROP sesame\r\n"] {
        alice.send(lines);
        spy.wait_for(" ACCOUNT ");
    }
    alice.send("PRIVMSG #masks :still a member\r\n");
    let line = spy.wait_for("still a member");
    assert!(line.contains(&format!(":{name}!")), "{line}");
    let told = spy.since(mark).lines().filter(|line| line.contains("#masks") && !line.contains("PRIVMSG"));
    assert_eq!(told.collect::<Vec<_>>(), [""; 0]);
    // What she was, the owner takes from her all the same.
    owner.send(&format!("CS REMOVE #masks {name}\r\n"));
    spy.wait_for(&format!("MODE #masks -v {name}"));
    alice.send("PART #masks\r\n");
    alice.wait_for("PART #masks");
    alice.enter("#masks");
    alice.send("PRIVMSG #masks :no member\r\n");
    alice.wait_for(" 404 ");
}

/// To log out is no way to keep what one was when it is taken, or to be out of a ban's reach.
#[test]
fn who_has_logged_out_is_what_the_account_is_as_long_as_they_stay() {
    let server = Server::start(&[]);
    let mut owner = Person::connect(&server, [127, 0, 0, 1], "owner");
    owner.register();
    owner.send("JOIN #masks\r\nMODE #masks +A\r\n");
    owner.wait_for("MODE #masks +A");
    let mut alice = Person::connect(&server, [127, 0, 0, 2], "alice");
    alice.register();
    owner.send("CS ADMIN #masks alice\r\n");
    owner.wait_for("It is done");
    let name = alice.enter("#masks");
    alice.send("NICK alice2\r\nNS LOGOUT\r\nMODE #masks +b nobody!*@*\r\n");
    alice.wait_for("MODE #masks +b nobody!*@*"); // still an admin
    owner.send("CS REMOVE #masks alice\r\n");
    alice.wait_for("MODE #masks -ao alice2 alice2");
    alice.send("MODE #masks -b nobody!*@*\r\n");
    alice.wait_for(" 482 ");
    owner.send(&format!("CS BAN #masks {name}\r\n"));
    alice.wait_for("KICK #masks alice2");
    alice.send("NS IDENTIFY alice sesame\r\nJOIN #masks\r\n");
    alice.wait_for(" 474 ");
}

/// What was heard of somebody under a pseudonym is not found again beside their account.
#[test]
fn when_people_become_known_what_was_before_does_not_say_who_they_were() {
    let server = Server::start(&[]);
    let mut alice = Person::connect(&server, [127, 0, 0, 1], "alice");
    alice.register();
    alice.send("JOIN #masks\r\nMODE #masks +A\r\n");
    alice.wait_for("MODE #masks +A");
    let mut bob = Person::connect(&server, [127, 0, 0, 2], "bob");
    bob.register();
    let bob_name = bob.enter("#masks");
    bob.send("PRIVMSG #masks :cheap watches\r\n");
    alice.wait_for("cheap watches");
    alice.send(&format!("CS BAN #masks {bob_name} selling\r\n"));
    bob.wait_for("KICK #masks bob");
    alice.send("CS LIST #masks OUTCASTS\r\n");
    let line = alice.wait_for("bob");
    assert!(line.contains("selling"), "as long as people are not known, its keepers know why: {line}");
    alice.send("MODE #masks -A\r\n");
    alice.wait_for("MODE #masks -A");

    let mut spy = Person::connect(&server, [127, 0, 0, 1], "spy");
    spy.send(&format!("CAP REQ :{READING}\r\nJOIN #masks\r\n"));
    spy.wait_for(" 366 ");
    spy.send("CHATHISTORY LATEST #masks * 50\r\nMODE #masks b\r\n");
    let line = spy.wait_for(" 367 ");
    assert!(line.contains("bob"), "he is banned all the same: {line}");
    spy.send("CS LIST #masks OUTCASTS\r\nCS LIST #masks\r\nCS HISTORY #masks\r\n");
    spy.catch_up();
    assert_silent_about(&["anon-", "selling", "watches"], "the spy", &spy.log);
    alice.send("CS LIST #masks OUTCASTS\r\n");
    let line = alice.wait_for("bob");
    assert!(!line.contains("selling"), "{line}");
}

#[test]
fn everybody_goes_by_their_own_name_themselves() {
    let server = Server::start(&[]);
    let mut keeper = found(&server, "keeper", "#masks");
    let mut alice = Person::connect(&server, [127, 0, 0, 2], "alice");
    let name = alice.enter("#masks");
    assert!(alice.log.contains(" JOIN #masks * "), "{}", alice.log);
    let names = alice.log.lines().find(|line| line.contains(" 353 ")).expect("names");
    assert!(names.contains(" alice!~alice_u@") || names.contains(":alice!"), "{names}");
    assert!(!names.contains(&name), "once: {names}");
    alice.send("PRIVMSG #masks :hello\r\n");
    let line = alice.wait_for("PRIVMSG #masks :hello");
    assert!(line.contains(":alice!"), "what comes back is hers: {line}");
    alice.send(&format!("WHOIS {name}\r\n"));
    let line = alice.wait_for(" 320 ");
    assert!(line.ends_with(&format!(" {name} :is alice\r\n")), "{line}");
    keeper.send(&format!("KICK #masks {name} :out\r\n"));
    let line = alice.wait_for("KICK");
    assert!(line.ends_with("KICK #masks alice :out\r\n"), "{line}");
    let line = keeper.wait_for("KICK");
    assert!(line.ends_with(&format!("KICK #masks {name} :out\r\n")), "{line}");
    assert_eq!(alice.enter("#masks"), name, "the same one as before");
    let mut mole = Client::login(server.address, "mole");
    let channel = mole.join("#masks");
    let line = keeper.wait_for("JOIN #masks");
    let line = if line.contains(&name) { keeper.wait_for("JOIN #masks") } else { line };
    let mole_name =
        line.split('!').next().and_then(|start| start.rsplit(':').next()).expect("a name").to_owned();
    keeper.send(&format!("KICK #masks {mole_name} :you too\r\n"));
    let kicked = mole.receive_kind(Kind::Kicked);
    let Frame::Kicked(frame::Kicked { who, by, text }) = kicked.frame() else { panic!("{kicked:?}") };
    assert_eq!((kicked.channel(), who, text), (channel, "mole", "you too"));
    assert!(by.starts_with("anon-"), "{by}");
}

#[test]
fn a_ban_holds_for_whoever_is_behind_the_name() {
    let server = Server::start(&[]);
    let mut keeper = found(&server, "keeper", "#masks");
    let mut alice = Person::connect(&server, [127, 0, 0, 2], "alice");
    alice.register();
    let name = alice.enter("#masks");
    keeper.send(&format!("MODE #masks +b {name}!*@*\r\n"));
    keeper.wait_for("+b");
    alice.send("PRIVMSG #masks :can you hear me\r\n");
    alice.wait_for(" 404 ");
    alice.send("PRIVMSG keeper :in private, under my own name\r\n");
    keeper.wait_for("in private");
    alice.send("QUIT\r\n");
    keeper.wait_for("PART #masks");

    let mut again = Person::connect(&server, [127, 0, 0, 3], "someone");
    again.send("NS IDENTIFY alice sesame\r\n");
    again.wait_for(" 900 ");
    again.send("JOIN #masks\r\n");
    again.wait_for(" 474 ");

    let mut bob = Person::connect(&server, [127, 0, 0, 4], "bob");
    bob.enter("#masks");
    let line = keeper.wait_for("JOIN #masks");
    let host = line.rsplit('@').next().and_then(|rest| rest.split(' ').next()).expect("a host");
    let own = bob.host();
    assert!(!own.split('.').take(3).any(|part| host.contains(part)), "{host} has nothing of {own}");
    let part = host.split('.').next().expect("a part");
    keeper.send(&format!("MODE #masks +b *!*@{part}.*\r\n"));
    keeper.wait_for("+b");
    bob.send("PART #masks\r\nNICK carol\r\nJOIN #masks\r\n");
    bob.wait_for(" 474 ");
}

/// Who may set it is alone in the room: others would be told under both names.
#[test]
fn people_are_hidden_and_shown_only_while_nobody_else_is_there() {
    let server = Server::start(&[]);
    let mut keeper = Person::connect(&server, [127, 0, 0, 1], "keeper");
    keeper.send("JOIN #r\r\n");
    keeper.wait_for(" 366 ");
    keeper.send("TOPIC #r :mine\r\n");
    keeper.wait_for("TOPIC");
    let mut bob = Person::connect(&server, [127, 0, 0, 1], "bob");
    bob.send("JOIN #r\r\n");
    bob.wait_for(" 366 ");
    let mark = keeper.log.len();
    keeper.send("MODE #r +A\r\n");
    keeper.catch_up();
    assert!(!keeper.since(mark).contains("MODE #r +A"), "{}", keeper.since(mark));
    bob.send("PART #r\r\n");
    keeper.wait_for("PART");
    keeper.send("MODE #r +A\r\n");
    keeper.wait_for("MODE #r +A");
    let mark = bob.log.len();
    bob.enter("#r");
    let heard = bob.since(mark);
    assert!(!heard.contains("keeper"), "not as who set the subject either: {heard}");
    keeper.send("PRIVMSG #r :still a moderator\r\nMODE #r +m\r\n");
    bob.wait_for("MODE #r +m");
    bob.send("PART #r\r\n");
    keeper.wait_for("PART");
    keeper.send("MODE #r -A\r\n");
    keeper.wait_for("MODE #r -A");
    bob.send("JOIN #r\r\n");
    let line = bob.wait_for(" 353 ");
    assert!(line.contains("@keeper"), "{line}");
}
