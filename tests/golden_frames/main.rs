//! Every kind of frame is, byte for byte, what the protocol says; however the bytes are cut, the same frames come
//! out; and nothing that comes from outside makes the decoder panic or the encoder split one message into two.

mod datagrams;
mod document;
mod goldens;
mod properties;

use goldens::{Golden, frames, goldens, hex};
use switchboard::wire::frame::*;
use switchboard::wire::{BODY_MAX, Flags, Frame, FrameError, HEADER_LEN, Header, Kind, Split, header, split};

#[test]
fn every_kind_has_a_golden() {
    let mut kinds: Vec<Kind> = goldens().iter().map(|golden| golden.meaning.kind()).collect();
    let mut all = Kind::ALL.to_vec();
    kinds.sort_by_key(|&kind| kind as u8);
    all.sort_by_key(|&kind| kind as u8);
    assert_eq!(kinds, all);
}

#[test]
fn bytes_decode_to_what_they_mean_and_back() {
    for golden in goldens() {
        let [raw] = frames(&golden.bytes)[..] else { panic!("{:02x?} is not one frame", golden.bytes) };
        golden.assert_is(&raw);
        let mut out = Vec::new();
        golden.encode(&mut out);
        assert_eq!(out, golden.bytes, "{:?}", golden.meaning);
    }
}

#[test]
fn a_request_id_is_found_without_decoding_the_body() {
    for golden in goldens() {
        let [raw] = frames(&golden.bytes)[..] else { panic!("one frame") };
        let id: &[u8] = match golden.meaning.kind() {
            Kind::Hello => &raw.body[4..8],
            kind if kind.is_request() => &raw.body[..4],
            _ => &[0; 4],
        };
        assert_eq!(raw.request().to_be_bytes(), id, "{:?}", golden.meaning);
    }
}

/// Takes whole frames off the front of what has arrived, as a reader of a socket does.
#[derive(Default)]
struct Arrived {
    bytes: Vec<u8>,
    frames: usize,
}

impl Arrived {
    fn push(&mut self, bytes: &[u8], expected: &[Golden]) {
        self.bytes.extend_from_slice(bytes);
        loop {
            match split(&self.bytes, BODY_MAX).expect("only frames") {
                Split::Frame(raw) => {
                    expected[self.frames].assert_is(&raw);
                    let used = raw.len();
                    self.frames += 1;
                    self.bytes.drain(..used);
                }
                Split::Incomplete { needed } => {
                    assert!(needed > self.bytes.len(), "asks for what is there already");
                    return;
                }
            }
        }
    }
}

#[test]
fn a_stream_cut_anywhere_holds_the_same_frames() {
    let goldens = goldens();
    let stream: Vec<u8> = goldens.iter().flat_map(|golden| golden.bytes.clone()).collect();
    let arrive = |parts: &mut dyn Iterator<Item = &[u8]>| {
        let mut arrived = Arrived::default();
        for part in parts {
            arrived.push(part, &goldens);
        }
        assert_eq!((arrived.frames, arrived.bytes.len()), (goldens.len(), 0));
    };
    for cut in 0..=stream.len() {
        let (front, back) = stream.split_at(cut);
        arrive(&mut [front, back].into_iter());
    }
    arrive(&mut stream.chunks(1));
}

/// Where the last field of a body begins, if it goes up to the body's end: from there on, less of it is less text.
fn tail_at(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Data => Some(0),
        Kind::Closed => Some(1),
        Kind::Bye => Some(2),
        Kind::Say
        | Kind::Said
        | Kind::SetSubject
        | Kind::Told
        | Kind::ToldElsewhere
        | Kind::Decline
        | Kind::Announced
        | Kind::Notice => Some(4),
        Kind::Left => Some(5),
        Kind::Kicked => Some(10),
        Kind::Refused => Some(6),
        Kind::Tell | Kind::Sealed | Kind::Kick => Some(8),
        Kind::Destroy | Kind::Destroyed | Kind::RenameRoom | Kind::RoomRenamed => Some(7),
        Kind::Wish => Some(8),
        Kind::Wished => Some(5),
        Kind::Search => Some(17),
        Kind::Subject | Kind::Retract | Kind::Retracted => Some(12),
        Kind::Change => Some(14),
        Kind::Changed => Some(16),
        Kind::Joined => Some(33),
        Kind::Administer => Some(21),
        _ => None,
    }
}

/// Where the entries of the goldens' lists end, and one may stop.
fn entries_end_at(kind: Kind) -> &'static [usize] {
    match kind {
        Kind::RoomList => &[4, 11, 17],
        Kind::Occupants => &[4, 13, 20],
        Kind::Members | Kind::Masks | Kind::Wishes => &[4],
        Kind::PeerList => &[4],
        Kind::Past => &[5, 23],
        Kind::Peer => &[17, 37],
        Kind::Declare => &[6, 26],
        Kind::OfferPaths => &[4],
        Kind::Paths => &[34, 54],
        Kind::ServerList => &[4, 13],
        _ => &[],
    }
}

#[test]
fn a_body_cut_short_is_an_error_or_holds_less_text() {
    for golden in goldens() {
        let (kind, body) = (golden.meaning.kind(), &golden.bytes[HEADER_LEN..]);
        for cut in 0..body.len() {
            let in_tail = tail_at(kind).is_some_and(|tail| cut >= tail);
            let defined = in_tail || entries_end_at(kind).contains(&cut);
            match Frame::decode(kind as u8, &body[..cut]) {
                Ok(frame) => {
                    assert!(defined, "{kind:?} cut at {cut} is {frame:?}");
                    assert_eq!(body_of(&frame), body[..cut], "{kind:?} cut at {cut}");
                }
                Err(BodyError::NotUtf8) => assert!(in_tail, "{kind:?} cut at {cut}, inside a character"),
                Err(error) => {
                    assert_eq!((error, defined), (BodyError::Short, false), "{kind:?} cut at {cut}");
                }
            }
        }
    }
}

#[test]
fn a_body_that_goes_on_is_an_error_or_holds_more() {
    for golden in goldens() {
        let kind = golden.meaning.kind();
        let longer = [&golden.bytes[HEADER_LEN..], &[0]].concat();
        let expected = match kind {
            Kind::RoomList
            | Kind::Peer
            | Kind::Declare
            | Kind::OfferPaths
            | Kind::Paths
            | Kind::Occupants
            | Kind::Members
            | Kind::Masks
            | Kind::Wishes
            | Kind::Past => Err(BodyError::Short),
            Kind::PeerList => Ok(kind),   // one more name, an empty one
            Kind::ServerList => Ok(kind), // one more row, without columns
            _ if tail_at(kind).is_some() => Ok(kind),
            _ => Err(BodyError::Trailing),
        };
        assert_eq!(Frame::decode(kind as u8, &longer).map(|frame| frame.kind()), expected, "{kind:?}");
    }
}

#[test]
fn hello_of_another_version_is_read_as_far_as_all_versions_agree() {
    let hello = hex("53574244 00000001 02 8000  ff 00 ; the last two only version 2 can judge");
    let expected = Hello { request: 1, version: 2, body_max: 32_768, name: "" };
    assert_eq!(Frame::decode(Kind::Hello as u8, &hello), Ok(Frame::Hello(expected)));
    assert_eq!(Frame::decode(Kind::Hello as u8, b"HTTP/1.1 200 OK"), Err(BodyError::BadMagic));
}

#[test]
fn lengths_zero_max_and_one_over() {
    for length in [0, 1, BODY_MAX - 1, BODY_MAX] {
        let mut out = Vec::new();
        header::put(&mut out, Flags::NONE, 7, &Data { payload: &vec![0x55; length.into()] });
        let Ok(Split::Frame(raw)) = split(&out, BODY_MAX) else { panic!("no frame of {length} bytes") };
        assert_eq!((raw.header.length, raw.body.len(), raw.len()), (length, length.into(), out.len()));
        if let Some(under) = length.checked_sub(1) {
            assert_eq!(split(&out, under), Err(FrameError::TooLong { length, max: under }));
        }
    }
    let (length, max) = (BODY_MAX + 1, BODY_MAX);
    let header = Header { kind: Kind::Data as u8, flags: 0, length, channel: 7 }.to_bytes();
    assert_eq!(split(&header, max), Err(FrameError::TooLong { length, max }), "before the body has arrived");
}

#[test]
fn unknown_kinds_are_whole_frames_and_unknown_flags_are_not() {
    for kind in Kind::FIRST..=u8::MAX {
        let mut bytes = Header { kind, flags: 0, length: 3, channel: 0 }.to_bytes().to_vec();
        bytes.extend_from_slice(b"abc\x84");
        let Ok(Split::Frame(raw)) = split(&bytes, BODY_MAX) else { panic!("{kind:#x} is not a frame") };
        assert_eq!(raw.len(), HEADER_LEN + 3);
        if raw.kind().is_none() {
            assert_eq!((raw.decode(), raw.request()), (Err(BodyError::UnknownKind(kind)), 0));
        }
    }
    for flags in 0..=u8::MAX {
        let bytes = Header { kind: Kind::Data as u8, flags, length: 0, channel: 0 }.to_bytes();
        let expected = if flags & !0b11 == 0 { None } else { Some(FrameError::UnknownFlags(flags)) };
        assert_eq!(split(&bytes, BODY_MAX).err(), expected);
    }
}

pub fn body_of(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frame.encode_body(&mut out);
    out
}
