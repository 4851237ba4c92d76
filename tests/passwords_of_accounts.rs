//! Passwords in frames that nobody should have, accounts that are made in floods, and guesses: each is refused in a way
//! that is defined, says how long to wait where that helps, and is noticed by nobody else.

#[path = "common/asking.rs"]
mod asking;
mod common;
#[path = "common/intruder.rs"]
mod intruder;

use asking::{REQUEST, SESAME, change, join, member, quick_server, undo};
use common::{Client, Server};
use intruder::{Bystanders, assert_small, bye_code, name, raw};
use socket2::{Domain, Socket, Type};
use std::net::SocketAddr;
use switchboard::wire::frame::{self, Frame};
use switchboard::wire::{ByeCode, ChangeCode, CredentialsCode, Kind, RefusalCode};

const ALL: [CredentialsCode; 7] = [
    CredentialsCode::Server,
    CredentialsCode::Operator,
    CredentialsCode::Identify,
    CredentialsCode::Register,
    CredentialsCode::LogOut,
    CredentialsCode::Change,
    CredentialsCode::Delete,
];

/// What becomes of a password: done, or refused, and why.
fn give(client: &mut Client, what: CredentialsCode, name: &str, passwords: [&str; 2]) -> Result<(), Refused> {
    let [password, new] = passwords;
    client.send(0, &frame::Credentials { request: REQUEST, what: what.number(), name, password, new });
    loop {
        let answer = client.receive();
        match answer.frame() {
            Frame::Account(account) if account.request == REQUEST => return Ok(()),
            Frame::Done(done) if done.request == REQUEST => return Ok(()),
            Frame::Refused(refused) if refused.request == REQUEST => {
                let code = RefusalCode::from_number(refused.code).expect("a known code");
                return Err(Refused { code, text: refused.text.to_owned() });
            }
            _ => {}
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Refused {
    code: RefusalCode,
    text: String,
}

impl Refused {
    /// How many seconds it says to wait.
    #[track_caller]
    fn seconds(&self) -> u64 {
        assert_eq!(self.code, RefusalCode::TryLater, "{self:?}");
        let words = self.text.strip_suffix(" s").and_then(|text| text.rsplit(' ').next());
        words.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no time in {self:?}"))
    }
}

fn code(answer: Result<(), Refused>) -> Result<(), RefusalCode> {
    answer.map_err(|refused| refused.code)
}

#[test]
fn no_password_and_the_longest_are_refused_for_what_they_are() {
    let server = quick_server();
    let mut owner = member(&server, "owner");
    let mut ann = Client::login(server.address, "ann");
    let long = "x".repeat(10_000);
    for password in ["", &long] {
        let mut asked = |what, name| code(give(&mut ann, what, name, [password, password]));
        assert_eq!(asked(CredentialsCode::Identify, "owner"), Err(RefusalCode::WrongPassword));
        assert_eq!(asked(CredentialsCode::Identify, "nobody"), Err(RefusalCode::WrongPassword));
        assert_eq!(asked(CredentialsCode::Operator, "ann"), Err(RefusalCode::WrongPassword));
        assert_eq!(asked(CredentialsCode::Change, ""), Err(RefusalCode::NotIdentified));
        assert_eq!(asked(CredentialsCode::Delete, ""), Err(RefusalCode::NotIdentified));
        assert_eq!(code(give(&mut owner, CredentialsCode::Delete, "", [password, ""])), WRONG);
        assert_eq!(code(give(&mut owner, CredentialsCode::Change, "", [password, "new"])), WRONG);
    }
    for bad in ["", &long] {
        let made = code(give(&mut ann, CredentialsCode::Register, "", [bad, ""]));
        assert_eq!(made, Err(RefusalCode::BadPassword));
        let changed = code(give(&mut owner, CredentialsCode::Change, "", [SESAME, bad]));
        assert_eq!(changed, Err(RefusalCode::BadPassword));
    }
    assert_eq!(code(give(&mut ann, CredentialsCode::Identify, "owner", [SESAME, ""])), Ok(()));
}

const WRONG: Result<(), RefusalCode> = Err(RefusalCode::WrongPassword);

/// Whoever has not said hello may send less at a time, and a field that is longer than its frame is none.
#[test]
fn ten_thousand_bytes_of_password_are_noticed_by_nobody_else() {
    let server = quick_server();
    let _owner = member(&server, "owner");
    let mut bystanders = Bystanders::start(&server);
    let before = server.memory();
    let much = [&10_000_u16.to_be_bytes()[..], &[b'x'; 10_000]].concat();
    for what in ALL {
        let head = [&REQUEST.to_be_bytes()[..], &[what.number()], &name("owner")].concat();
        let whole = raw(Kind::Credentials as u8, 0, &[&head[..], &much, &much].concat());
        let torn = raw(Kind::Credentials as u8, 0, &[&head[..], &much[..9_000]].concat());
        let too_much = raw(Kind::Credentials as u8, 0, &[&head[..], &much, &much, b"x"].concat());
        for (bytes, is_logged_in, expected) in [
            (&whole, true, None),
            (&torn, true, Some(ByeCode::Malformed)),
            (&too_much, true, Some(ByeCode::Malformed)),
            (&whole, false, Some(ByeCode::FrameTooLong)),
        ] {
            let mut mallory = Client::connect(server.address);
            if is_logged_in {
                mallory = Client::login(server.address, "mallory");
            }
            mallory.send_bytes(bytes);
            if expected.is_some() {
                let code = mallory.receive_all().last().and_then(bye_code);
                assert_eq!(code, expected, "{what:?}, logged in: {is_logged_in}");
            } else {
                let answer = mallory.receive();
                assert!(
                    matches!(answer.kind(), Kind::Refused | Kind::Done),
                    "{what:?}: {:?}",
                    answer.frame()
                );
                mallory.round_trip();
                mallory.send(0, &frame::Bye { code: 0, text: "" });
                mallory.receive_all();
            }
            bystanders.notice_nothing(&what);
        }
    }
    assert_small(&server, before, "the passwords");
}

#[test]
fn a_rooms_password_has_bounds_and_nobody_guesses_it_by_saying_much() {
    let server = quick_server();
    let (mut ann, mut bob) = (member(&server, "ann"), Client::login(server.address, "bob"));
    let tea = ann.join("#tea");
    let long = "x".repeat(255);
    for bad in ["", &long, "two words", "nul\0", "line\n", "comma,"] {
        assert_eq!(change(&mut ann, tea, ChangeCode::Password, bad), Err(RefusalCode::BadText), "{bad:?}");
    }
    assert_eq!(change(&mut ann, tea, ChangeCode::Password, "key"), Ok(()));
    for wrong in ["", &long, "KEY", "ke", "keys", "key\0"] {
        assert_eq!(join(&mut bob, "#tea", wrong), Err(RefusalCode::BadPassword), "{wrong:?}");
    }
    assert_eq!(join(&mut bob, "#tea", "key"), Ok(tea));
    assert_eq!(undo(&mut ann, tea, ChangeCode::Password, ""), Ok(()));
}

/// From one address, at once and one by one, by those who stay and by those who come again.
#[test]
fn as_many_accounts_are_made_from_an_address_as_may_be_and_the_others_are_told_when() {
    const MAX: usize = 5;
    let flags = ["--account-delay-seconds", "1e-9", "--registrations-per-address-max", "5"];
    let server = Server::start(&flags);
    let mut bystanders = Bystanders::start(&server);
    let register = |client: &mut Client| give(client, CredentialsCode::Register, "", [SESAME, ""]);
    let mut crowd: Vec<Client> =
        (0..40).map(|n| Client::login(server.address, &format!("guest{n}"))).collect();
    for client in &mut crowd {
        let what = CredentialsCode::Register.number();
        client.send(0, &frame::Credentials { request: REQUEST, what, name: "", password: SESAME, new: "" });
    }
    let mut made = 0;
    for client in &mut crowd {
        let answer = loop {
            let answer = client.receive();
            if matches!(answer.kind(), Kind::Account | Kind::Refused) {
                break answer;
            }
        };
        match answer.frame() {
            Frame::Account(_) => made += 1,
            Frame::Refused(refused) => {
                let code = RefusalCode::from_number(refused.code).expect("a known code");
                let refused = Refused { code, text: refused.text.to_owned() };
                assert!((1..=3_600).contains(&refused.seconds()), "{refused:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(made, MAX);
    let refused = register(&mut Client::login(server.address, "late")).expect_err("that is enough");
    // Five an hour are one in twelve minutes.
    assert!((1..=720).contains(&refused.seconds()), "{refused:?}");
    bystanders.notice_nothing(&"the flood");
    assert_eq!(register(&mut crowd[39]).map_err(|refused| refused.code), Err(RefusalCode::TryLater));
}

#[test]
fn who_guesses_is_told_how_many_seconds_to_wait_and_who_knows_does_not_wait_longer() {
    let server = Server::start(&["--account-delay-seconds", "600", "--registrations-per-address-max", "0"]);
    let _owner = member(&server, "owner");
    let mut mallory = Client::login(server.address, "mallory");
    let guess =
        |client: &mut Client, password| give(client, CredentialsCode::Identify, "owner", [password, ""]);
    assert_eq!(code(guess(&mut mallory, "guess")), WRONG);
    let refused = guess(&mut mallory, "another").expect_err("not yet");
    assert!((590..=600).contains(&refused.seconds()), "{refused:?}");
    let refused = guess(&mut mallory, SESAME).expect_err("nor is the right one looked at");
    assert!((1..=600).contains(&refused.seconds()), "{refused:?}");
    let mut again = Client::login(server.address, "again");
    let refused = guess(&mut again, "guess").expect_err("another connection from there waits as well");
    assert!((1..=600).contains(&refused.seconds()), "{refused:?}");
}

#[test]
fn guesses_from_elsewhere_do_not_keep_out_who_has_made_the_account_here() {
    let server = Server::start(&["--account-delay-seconds", "600"]);
    let owner = member(&server, "owner");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 9], 0)).into()).expect("another address of this machine");
    socket.connect(&server.address.into()).expect("the server accepts");
    let mut mallory = Client::over(socket.into());
    mallory.hello("mallory");
    mallory.receive_kind(Kind::Welcome);
    let guess =
        |client: &mut Client, password| give(client, CredentialsCode::Identify, "owner", [password, ""]);
    assert_eq!(code(guess(&mut mallory, "guess")), WRONG);
    guess(&mut mallory, SESAME).expect_err("not yet").seconds();
    let mut phone = Client::login(server.address, "phone");
    assert_eq!(code(guess(&mut phone, SESAME)), Ok(()));
    drop(owner);
}
