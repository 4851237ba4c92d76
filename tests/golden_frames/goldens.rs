//! One frame of every kind, as bytes and as what they mean. The bytes are written by hand from `docs/PROTOCOL.md`,
//! never copied from what the encoder says.

use std::net::SocketAddr;
use switchboard::wire::frame::*;
use switchboard::wire::{
    AccountCode, AdministerCode, AffiliationCode, ByeCode, ChangeCode, ClosedCode, CredentialsCode, Flags,
    Frame, Kind, LeftCode, ListServerCode, Origin, PartCode, PastCode, PathRole, Purpose, RawFrame,
    RefusalCode, Split, Transport, WishCode, header, split,
};

pub struct Golden {
    /// Header and body.
    pub bytes: Vec<u8>,
    pub flags: Flags,
    pub channel: u32,
    pub meaning: Meaning,
}

/// Lists are read in place and never built, so they are told apart from the other frames.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Meaning {
    Frame(Frame<'static>),
    Names { kind: Kind, request: u32, names: &'static [&'static str] },
    Rooms { request: u32, rooms: &'static [(&'static str, u32)] },
}

impl Meaning {
    pub fn kind(&self) -> Kind {
        match self {
            Meaning::Frame(frame) => frame.kind(),
            Meaning::Names { kind, .. } => *kind,
            Meaning::Rooms { .. } => Kind::RoomList,
        }
    }
}

impl Golden {
    pub fn encode(&self, out: &mut Vec<u8>) {
        let more = self.flags.contains(Flags::MORE);
        let (channel, body_max) = (self.channel, u16::MAX);
        match self.meaning {
            Meaning::Frame(frame) => {
                header::put_with(out, frame.kind(), self.flags, channel, |out| frame.encode_body(out));
            }
            Meaning::Names { kind, request, names } => {
                put_list(out, kind, channel, request, body_max, names.iter().copied(), more);
            }
            Meaning::Rooms { request, rooms } => {
                let rooms = rooms.iter().map(|&(name, occupants)| RoomEntry { name, occupants });
                put_list(out, Kind::RoomList, channel, request, body_max, rooms, more);
            }
        }
    }

    /// Asserts that `raw` is this frame, header and body.
    pub fn assert_is(&self, raw: &RawFrame<'_>) {
        let kind = self.meaning.kind();
        assert_eq!((raw.kind(), raw.flags(), raw.header.channel), (Some(kind), self.flags, self.channel));
        let frame = raw.decode().unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        match (self.meaning, frame) {
            (Meaning::Frame(expected), frame) => assert_eq!(frame, expected),
            (Meaning::Names { request, names, .. }, Frame::PeerList(PeerList { request: r, names: n })) => {
                assert_eq!((r, n.iter().collect::<Vec<_>>()), (request, names.to_vec()), "{kind:?}");
            }
            (Meaning::Rooms { request, rooms }, Frame::RoomList(list)) => {
                let read: Vec<_> = list.rooms.iter().map(|room| (room.name, room.occupants)).collect();
                assert_eq!((list.request, read), (request, rooms.to_vec()));
            }
            (meaning, frame) => panic!("{frame:?} is not {meaning:?}"),
        }
    }
}

/// Hexadecimal digits in pairs; spaces are for the reader, and so is what follows `;` on a line.
pub fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits
        .lines()
        .map(|line| line.split(';').next().unwrap_or_default())
        .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
        .collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("pairs of hexadecimal digits"))
        .collect()
}

fn addresses(addresses: &[(Transport, Origin, &str)]) -> ListEntries<'static, AddressEntry> {
    let entry = |&(transport, origin, address): &(Transport, Origin, &str)| AddressEntry {
        transport: transport.number(),
        origin: origin.number(),
        address: address.parse().expect("an address"),
    };
    ListEntries::encode(kept(), addresses.iter().map(entry))
}

/// A handful of bytes that the goldens borrow until the end of the process.
fn kept() -> &'static mut Vec<u8> {
    Box::leak(Box::default())
}

/// All frames of `bytes`, which must hold whole frames only.
pub fn frames(mut bytes: &[u8]) -> Vec<RawFrame<'_>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let Ok(Split::Frame(raw)) = split(bytes, u16::MAX) else { panic!("no frame at {bytes:02x?}") };
        bytes = &bytes[raw.len()..];
        frames.push(raw);
    }
    frames
}

const ROOM: u32 = 0x0010_0000;
const RELAY: u32 = 0xffe0_0001;
const BINDING: u32 = 7;

/// The same byte over and over, but for the last, so that a field that is cut or shifted shows.
fn ending<const N: usize>(byte: u8) -> [u8; N] {
    let mut bytes = [byte; N];
    bytes[N - 1] += 1;
    bytes
}

#[rustfmt::skip]
pub fn goldens() -> Vec<Golden> {
    let golden = |flags, channel, digits, meaning| Golden { bytes: hex(digits), flags, channel, meaning };
    let frame = |channel, digits, frame| golden(Flags::NONE, channel, digits, Meaning::Frame(frame));
    vec![
        // The session.
        frame(0, "80 00 0011 00000000  53574244 00000001 01 8000 05616c696365",
            Frame::Hello(Hello { request: 1, version: 1, body_max: 32_768, name: "alice" })),
        frame(0, "81 00 000f 00000000  00000001 01 2000 1000 05616c696365",
            Frame::Welcome(Welcome { request: 1, version: 1, body_max: 8_192, text_max: 4_096, name: "alice" })),
        frame(ROOM, "82 00 0004 00100000  01020304", Frame::Done(Done { request: 0x0102_0304 })),
        frame(0, "83 00 0008 00000000  ffffffff 001e 6e6f",
            Frame::Refused(Refused { request: u32::MAX, code: RefusalCode::NoSuchPeer.number(), text: "no" })),
        frame(0, "84 00 0008 00000000  0102030405060708", Frame::Ping(Ping { token: 0x0102_0304_0506_0708 })),
        frame(0, "85 00 0008 00000000  0102030405060708", Frame::Pong(Pong { token: 0x0102_0304_0506_0708 })),
        frame(0, "86 00 0005 00000000  006b 627965",
            Frame::Bye(Bye { code: ByeCode::ServerStopping.number(), text: "bye" })),
        frame(0, "87 00 0012 00000000  00000011 04 03 616e6e 0002 6f6c 0003 6e6577",
            Frame::Credentials(Credentials {
                request: 17,
                what: CredentialsCode::Change.number(),
                name: "ann",
                password: "ol",
                new: "new",
            })),
        frame(0, "88 00 0009 00000000  00000011 03 03 416e6e",
            Frame::Account(Account { request: 17, code: AccountCode::PasswordChanged.number(), name: "Ann" })),
        // Rooms.
        frame(0, "90 00 000f 00000000  00000002 0014 04 23746561 03 736574",
            Frame::Join(Join { request: 2, past: 20, room: "#tea", password: "set" })),
        frame(ROOM, "91 00 0025 00100000  00000002 04 23746561 00000102 0081 03 02 03 c3a962 00000000000003e8 03 626f62 68656c6c",
            Frame::Joined(Joined { request: 2, room: "#tea", occupants: 258, flags: 0x81,
                affiliation: AffiliationCode::Owner.number(), grants: Grants::VOICE, you: "éb",
                subject_millis: 1_000, subject_by: "bob", subject: "hell" })),
        frame(ROOM, "92 00 0004 00100000  00000003", Frame::Leave(Leave { request: 3 })),
        frame(ROOM, "93 00 0006 00100000  00000004 6869", Frame::Say(Say { request: 4, text: "hi" })),
        frame(ROOM, "94 00 0007 00100000  03 626f62 e38182", Frame::Said(Said { by: "bob", text: "あ" })),
        frame(ROOM, "95 00 0003 00100000  02 c3a9", Frame::Entered(Entered { who: "é" })),
        frame(ROOM, "96 00 0009 00100000  03 626f62 01 67626f6e",
            Frame::Left(Left { who: "bob", code: LeftCode::Quit.number(), text: "gbon" })),
        frame(ROOM, "97 00 0004 00100000  00000005", Frame::SetSubject(SetSubject { request: 5, text: "" })),
        frame(ROOM, "98 00 000f 00100000  00000000000003e8 03 626f62 746561",
            Frame::Subject(Subject { at_millis: 1_000, by: "bob", text: "tea" })),
        frame(0, "99 00 0005 00000000  00000006 00", Frame::ListRooms(ListRooms { request: 6, after: "" })),
        golden(Flags::MORE, 0, "9a 01 0011 00000000  00000006 02 2361 00000001 01 23 ffffffff",
            Meaning::Rooms { request: 6, rooms: &[("#a", 1), ("#", u32::MAX)] }),
        frame(ROOM, "9b 00 0008 00100000  00000007 03 626f62", Frame::Who(Who { request: 7, after: "bob" })),
        frame(ROOM, "9c 00 0014 00100000  00000007 03 626f62 02 01 02 c3a9 03 c3a961 00 00 00",
            Frame::Occupants(Occupants { request: 7, occupants: ListEntries::encode(kept(), [
                OccupantEntry { name: "bob", affiliation: AffiliationCode::Admin.number(), grants: Grants::MODERATOR,
                    real: "é" },
                OccupantEntry { name: "éa", affiliation: AffiliationCode::None.number(), grants: 0, real: "" },
            ]) })),
        frame(ROOM, "9d 00 0006 00100000  03 626f62 6869", Frame::Notice(Notice { by: "bob", text: "hi" })),
        frame(ROOM, "9e 00 000d 00100000  03 626f62 05 616c696365 6e6f 21",
            Frame::Kicked(Kicked { who: "bob", by: "alice", text: "no!" })),
        frame(ROOM, "9f 00 0012 00100000  05 616c696365 30 01 00000e10 03 2a6f62 6e6f",
            Frame::Changed(Changed { by: "alice", change: ChangeCode::Ban.number(), on: 1, seconds: 3_600,
                value: "*ob", reason: "no" })),
        // Peers.
        frame(0, "a0 00 000a 00000000  00000008 03 626f62 6869",
            Frame::Tell(Tell { request: 8, to: "bob", text: "hi" })),
        frame(0, "a1 00 0006 00000000  03 626f62 6869", Frame::Told(Told { from: "bob", text: "hi" })),
        frame(0, "a9 00 0006 00000000  03 626f62 6869",
            Frame::ToldElsewhere(ToldElsewhere { to: "bob", text: "hi" })),
        frame(0, "a2 00 0008 00000000  00000009 03 626f62", Frame::Lookup(Lookup { request: 9, name: "bob" })),
        frame(0, "a3 00 0025 00000000  00000009 03 00000e10 00000005 03 426f62 01 01 00000000000000000000ffffc0000207 1ed3",
            Frame::Peer(Peer { request: 9, offers: 3, online_seconds: 3_600, heard_seconds: 5, name: "Bob",
                addresses: addresses(&[(Transport::Udp, Origin::Observed, "192.0.2.7:7891")]) })),
        frame(0, "a4 00 0006 00000000  0000000a 01 61", Frame::ListPeers(ListPeers { request: 10, after: "a" })),
        golden(Flags::NONE, 0, "a5 00 0004 00000000  0000000a",
            Meaning::Names { kind: Kind::PeerList, request: 10, names: &[] }),
        frame(0, "a6 00 001a 00000000  0000000b 06 01 00 00 20010db8000000000000000000000001 0050",
            Frame::Declare(Declare { request: 11, offers: 6, shown: 1,
                addresses: addresses(&[(Transport::Tcp, Origin::Declared, "[2001:db8::1]:80")]) })),
        frame(0, "a7 00 0008 00000000  03 626f62 03 c3a962",
            Frame::Renamed(Renamed { who: "bob", to: "éb" })),
        frame(0, "a8 00 0009 00000000  03 626f62 04 23746561",
            Frame::Invited(Invited { by: "bob", room: "#tea" })),
        // Relays.
        frame(0, "b0 00 0009 00000000  0000000b 01 03 626f62",
            Frame::Open(Open { request: 11, purpose: Purpose::Pipe.number(), to: "bob" })),
        frame(RELAY, "b1 00 0009 ffe00001  00 8000 05 616c696365",
            Frame::Offer(Offer { purpose: Purpose::Conversation.number(), payload_max: 32_768, from: "alice" })),
        frame(RELAY, "b2 00 0004 ffe00001  0000000c", Frame::Accept(Accept { request: 12 })),
        frame(RELAY, "b3 00 0008 ffe00001  0000000d 62757379", Frame::Decline(Decline { request: 13, text: "busy" })),
        frame(RELAY, "b4 00 000a ffe00001  0000000b 2000 03 626f62",
            Frame::Opened(Opened { request: 11, payload_max: 8_192, peer: "bob" })),
        frame(RELAY, "b5 00 0004 ffe00001  0000000e", Frame::Close(Close { request: 14 })),
        frame(RELAY, "b6 00 0001 ffe00001  03",
            Frame::Closed(Closed { code: ClosedCode::Cancelled.number(), text: "" })),
        golden(Flags::END, RELAY, "b7 02 0004 ffe00001  000d0aff",
            Meaning::Frame(Frame::Data(Data { payload: &[0, b'\r', b'\n', 0xff] }))),
        frame(RELAY, "b8 00 0004 ffe00001  0000000b", Frame::Ringing(Ringing { request: 11 })),
        frame(RELAY, "b9 00 0004 ffe00001  0000000f",
            Frame::OfferPaths(OfferPaths { request: 15, addresses: addresses(&[]) })),
        frame(RELAY, "ba 00 0036 ffe00001  03 01 0101010101010101010101010101010101010101010101010101010101010101
                01 00 00000000000000000000ffffc0000207 1ed3",
            Frame::Paths(Paths { round: 3, role: PathRole::Callee.number(), key: [1; 32],
                addresses: addresses(&[(Transport::Udp, Origin::Declared, "192.0.2.7:7891")]) })),
        // Datagrams.
        frame(0, "c0 00 0005 00000000  00000011 03",
            Frame::GetTicket(GetTicket { request: 17, wants: Wants::ROOMS | Wants::RELAYS })),
        frame(BINDING, "c1 00 0024 00000007  00000011 a1a1a1a1a1a1a1a1 a1a1a1a1a1a1a1a1 a1a1a1a1a1a1a1a1 a1a1a1a1a1a1a1a2",
            Frame::Ticket(Ticket { request: 17, key: ending(0xa1) })),
        frame(BINDING, "c2 00 0012 00000007  00000000 00000000 0000ffff c0000201 1df3",
            Frame::Bound(Bound { address: SocketAddr::from(([192, 0, 2, 1], 7_667)) })),
        frame(BINDING, "c8 00 0028 00000007  0000000000000000 0000000000000000 0000000000000000  b2b2b2b2b2b2b2b2 b2b2b2b2b2b2b2b3",
            Frame::Bind(Bind { padding: [0; 24], tag: ending(0xb2) })),
        frame(BINDING, "c9 00 0028 00000007  c3c3c3c3c3c3c3c3 c3c3c3c3c3c3c3c3 c3c3c3c3c3c3c3c4  b2b2b2b2b2b2b2b2 b2b2b2b2b2b2b2b3",
            Frame::Challenge(Challenge { cookie: ending(0xc3), tag: ending(0xb2) })),
        frame(BINDING, "ca 00 0028 00000007  c3c3c3c3c3c3c3c3 c3c3c3c3c3c3c3c3 c3c3c3c3c3c3c3c4  b2b2b2b2b2b2b2b2 b2b2b2b2b2b2b2b3",
            Frame::Prove(Prove { cookie: ending(0xc3), tag: ending(0xb2) })),
        frame(BINDING, "cb 00 001a 00000007  0102030405060708 6869 b2b2b2b2b2b2b2b2 b2b2b2b2b2b2b2b3",
            Frame::Sealed(Sealed { counter: 0x0102_0304_0506_0708, frame_and_tag: b"hi\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb3" })),
        // Those who run a room.
        frame(ROOM, "cc 00 000a 00100000  00000012 01 01 03 626f62",
            Frame::Decide(Decide { request: 18, wish: WishCode::Membership.number(), grant: 1, who: "bob" })),
        frame(ROOM, "cd 00 0007 00100000  00 01 04 23746561",
            Frame::Decided(Decided { wish: WishCode::Voice.number(), is_granted: 1, room: "#tea" })),
        frame(ROOM, "ce 00 0004 00100000  00000013", Frame::ListWishes(ListWishes { request: 19 })),
        frame(ROOM, "cf 00 000d 00100000  00000013 03 626f62 00 0002 6869",
            Frame::Wishes(Wishes { request: 19, wishes: ListEntries::encode(kept(), [
                WishEntry { who: "bob", wish: WishCode::Voice.number(), text: "hi" },
            ]) })),
        frame(ROOM, "d0 00 0010 00100000  00000014 26 01 0000003c 03 626f62 6e6f",
            Frame::Change(Change { request: 20, change: ChangeCode::Outcast.number(), on: 1, seconds: 60, value: "bob",
                reason: "no" })),
        frame(ROOM, "d1 00 0004 00100000  00000015", Frame::ShowSettings(ShowSettings { request: 21 })),
        frame(ROOM, "d2 00 0017 00100000  00000015 0803 00000019 0102030405060708 01 03 736574",
            Frame::Settings(Settings { request: 21, flags: 0x803, occupants_max: 25,
                made_millis: 0x0102_0304_0506_0708, has_password: 1, password: "set" })),
        frame(ROOM, "d3 00 0008 00100000  00000016 03 626f62",
            Frame::ReserveName(ReserveName { request: 22, name: "bob" })),
        frame(ROOM, "d4 00 0009 00100000  00000017 04 03 626f62",
            Frame::ListMembers(ListMembers { request: 23, affiliation: AffiliationCode::Outcast.number(), after: "bob" })),
        golden(Flags::MORE, ROOM, "d5 01 0025 00100000  00000017
                03 626f62 01 06 02 c3a9 03 616e6e 0102030405060708 0000000000000009 0002 6869",
            Meaning::Frame(Frame::Members(Members { request: 23, members: ListEntries::encode(kept(), [
                MemberEntry { account: "bob", affiliation: AffiliationCode::Member.number(),
                    grants: Grants::VOICE | Grants::MUTED, reserved: "é", by: "ann",
                    at_millis: 0x0102_0304_0506_0708, until_millis: 9, reason: "hi" },
            ]) }))),
        frame(ROOM, "d6 00 0007 00100000  00000018 33 0102",
            Frame::ListMasks(ListMasks { request: 24, list: ChangeCode::Mute.number(), from: 0x102 })),
        frame(ROOM, "d7 00 001f 00100000  00000018 03 2a6f62 0003 616e6e 0102030405060708 0000000000000009 0000",
            Frame::Masks(Masks { request: 24, masks: ListEntries::encode(kept(), [
                MaskEntry { mask: "*ob", by: "ann", at_millis: 0x0102_0304_0506_0708, until_millis: 9, reason: "" },
            ]) })),
        frame(ROOM, "d8 00 000a 00100000  00000019 03 626f62 6e6f",
            Frame::Kick(Kick { request: 25, who: "bob", text: "no" })),
        frame(ROOM, "d9 00 0008 00100000  0000001a 03 626f62", Frame::Invite(Invite { request: 26, who: "bob" })),
        frame(ROOM, "da 00 0009 00100000  0000001b 02 2361 6e6f",
            Frame::Destroy(Destroy { request: 27, instead: "#a", text: "no" })),
        frame(ROOM, "db 00 0009 00100000  03 616e6e 02 2361 6e6f",
            Frame::Destroyed(Destroyed { by: "ann", instead: "#a", text: "no" })),
        frame(ROOM, "dc 00 0009 00100000  0000001c 02 2361 6e6f",
            Frame::RenameRoom(RenameRoom { request: 28, to: "#a", text: "no" })),
        frame(ROOM, "dd 00 0009 00100000  03 616e6e 02 2361 6e6f",
            Frame::RoomRenamed(RoomRenamed { by: "ann", to: "#a", text: "no" })),
        frame(0, "de 00 000a 00000000  0000001d 01 02 2361 6869",
            Frame::Wish(Wish { request: 29, wish: WishCode::Membership.number(), room: "#a", text: "hi" })),
        frame(ROOM, "df 00 0007 00100000  03 626f62 00 6869",
            Frame::Wished(Wished { who: "bob", wish: WishCode::Voice.number(), text: "hi" })),
        // What happened before.
        frame(ROOM, "e0 00 0018 00100000  0000001e 04 01 0032 0102030405060708 0102030405060709",
            Frame::ShowPast(ShowPast { request: 30, part: PartCode::Between.number(), events: 1, limit: 50,
                id: 0x0102_0304_0506_0708, to: 0x0102_0304_0506_0709 })),
        frame(ROOM, "e1 00 0028 00100000  0000001e 01
                0102030405060708 00 03 626f62 00 0002 6869  0102030405060709 00 02 6379 01 61 0001 6e",
            Frame::Past(Past { request: 30, more: 1, entries: ListEntries::encode(kept(), [
                PastEntry { id: 0x0102_0304_0506_0708, what: PastCode::Said.number(), by: "bob", retracted_by: "", text: "hi" },
                PastEntry { id: 0x0102_0304_0506_0709, what: PastCode::Said.number(), by: "cy", retracted_by: "a", text: "n" },
            ]) })),
        frame(0, "e2 00 0014 00000000  0000001f 0102030405060708 000a 02 2362 746561",
            Frame::Search(Search {
                request: 31,
                before: 0x0102_0304_0506_0708,
                limit: 10,
                room: "#b",
                words: "tea",
            })),
        frame(ROOM, "e3 00 000e 00100000  00000020 0102030405060708 6e6f",
            Frame::Retract(Retract { request: 32, id: 0x0102_0304_0506_0708, text: "no" })),
        frame(ROOM, "e4 00 000e 00100000  0102030405060708 03 626f62 6e6f",
            Frame::Retracted(Retracted { id: 0x0102_0304_0506_0708, by: "bob", text: "no" })),
        frame(0, "e5 00 0011 00000000  00000021 0102030405060708 04 23746561",
            Frame::MarkRead(MarkRead { request: 33, at_millis: 0x0102_0304_0506_0708, conversation: "#tea" })),
        frame(0, "e6 00 0011 00000000  00000021 0102030405060708 04 23746561",
            Frame::ReadMark(ReadMark { request: 33, at_millis: 0x0102_0304_0506_0708, conversation: "#tea" })),
        // Operators of the server.
        frame(0, "e8 00 0017 00000000  00000012 00 00000e10 0a 31302e302e302e302f38 00 6e6f",
            Frame::Administer(Administer {
                request: 18,
                what: AdministerCode::Ban.number(),
                seconds: 3_600,
                value: "10.0.0.0/8",
                instead: "",
                text: "no",
            })),
        frame(0, "e9 00 000b 00000000  00000013 01 05 616e6e2037",
            Frame::ListServer(ListServer { request: 19, what: ListServerCode::Sessions.number(), after: "ann 7" })),
        golden(Flags::MORE, 0, "ea 01 0010 00000000  00000013 02 0003 616e6e 0001 37  01 0000",
            Meaning::Frame(Frame::ServerList(ServerList {
                request: 19,
                rows: ListEntries::of_encoded(b"\x02\x00\x03ann\x00\x017\x01\x00\x00"),
            }))),
        frame(0, "eb 00 0006 00000000  03 616e6e 6869", Frame::Announced(Announced { by: "ann", text: "hi" })),
    ]
}
