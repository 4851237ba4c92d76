//! `docs/PROTOCOL.md` is the authority for every number and every byte. Here it is read as a program would read it:
//! its tables and hexdumps say what the code does, and the code has nothing that they do not say.

use crate::goldens::{frames, goldens, hex};
use std::collections::BTreeMap;
use switchboard::hub::{Limits, Preset};
use switchboard::server::binding;
use switchboard::wire::schema::{Form, snake_case};
use switchboard::wire::{
    AccountCode, AdministerCode, AffiliationCode, BODY_MAX, BODY_MAX_FLOOR, ByeCode, ChangeCode, ClosedCode,
    CredentialsCode, Flags, HEADER_LEN, Kind, LeftCode, ListServerCode, Origin, PartCode, PastCode, PathRole,
    Purpose, RefusalCode, Transport, WishCode, datagram, frame,
};

pub const DOCUMENT: &str = include_str!("../../docs/PROTOCOL.md");
const CONFIGURATION: &str = include_str!("../../docs/switchboard.toml");

/// The rows of all tables whose first columns have these headings, without the headings.
fn rows(headings: &[&str]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut wanted = false;
    let mut in_table = false;
    for line in DOCUMENT.lines() {
        if !line.starts_with('|') {
            (wanted, in_table) = (false, false);
            continue;
        }
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        if !in_table {
            in_table = true;
            wanted = cells.iter().zip(headings).filter(|(cell, heading)| cell == heading).count()
                == headings.len();
        } else if wanted && !cells[0].starts_with("---") {
            rows.push(cells);
        }
    }
    assert!(!rows.is_empty(), "there is no table {headings:?}");
    rows
}

fn number(cell: &str) -> u32 {
    let parsed = match cell.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => cell.parse(),
    };
    parsed.unwrap_or_else(|_| panic!("{cell:?} is not a number"))
}

#[test]
fn wants_have_the_same_bits() {
    let document: Vec<(u32, String)> =
        rows(&["Wants", "Name"]).iter().map(|row| (number(&row[0]), row[1].clone())).collect();
    let code = [(frame::Wants::ROOMS, "ROOMS"), (frame::Wants::RELAYS, "RELAYS")];
    assert_eq!(document, code.map(|(bit, name)| (bit.into(), name.to_owned())));
}

fn kinds_in_the_code() -> BTreeMap<u32, String> {
    Kind::ALL.iter().map(|&kind| (kind as u32, snake_case(kind))).collect()
}

/// Asserts that the table whose first column is `heading` has the same numbers and names as the code.
fn assert_same_codes(heading: &str, code: impl Iterator<Item = (u32, String)>) {
    let rows = rows(&[heading, "Name"]);
    let document: BTreeMap<u32, String> = rows.iter().map(|row| (number(&row[0]), row[1].clone())).collect();
    assert_eq!(document.len(), rows.len(), "{heading}: a number stands there twice");
    assert_eq!(document, code.collect(), "{heading}: document (left) and code (right) differ");
}

#[test]
fn kinds_have_the_same_numbers_and_names() {
    assert_same_codes("Number", kinds_in_the_code().into_iter());
}

#[test]
fn codes_have_the_same_numbers_and_names() {
    assert_same_codes("Refusal", RefusalCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Bye", ByeCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes(
        "Credentials",
        CredentialsCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))),
    );
    assert_same_codes("Act", AdministerCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("View", ListServerCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Account", AccountCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Left", LeftCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Change", ChangeCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes(
        "Affiliation",
        AffiliationCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))),
    );
    assert_same_codes("Wish", WishCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Part", PartCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Past", PastCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Closed", ClosedCode::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Transport", Transport::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Origin", Origin::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Role", PathRole::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
    assert_same_codes("Purpose", Purpose::ALL.iter().map(|&c| (c.number().into(), snake_case(c))));
}

#[test]
fn flags_have_the_same_bits() {
    let document: Vec<(u32, String)> =
        rows(&["Bit", "Name"]).iter().map(|row| (number(&row[0]), row[1].clone())).collect();
    let code = [(Flags::MORE, "MORE"), (Flags::END, "END")];
    assert_eq!(document, code.map(|(flag, name)| (flag.bits().into(), name.to_owned())));
}

#[test]
fn grants_have_the_same_bits() {
    let document: Vec<(u32, String)> =
        rows(&["Grant", "Name"]).iter().map(|row| (number(&row[0]), row[1].clone())).collect();
    let code = [
        (frame::Grants::MODERATOR, "moderator"),
        (frame::Grants::VOICE, "voice"),
        (frame::Grants::MUTED, "muted"),
    ];
    assert_eq!(document, code.map(|(bit, name)| (bit.into(), name.to_owned())));
}

#[test]
fn requests_are_the_kinds_that_a_client_sends_and_that_have_an_answer() {
    for row in rows(&["Number", "Name", "Direction", "Answer"]) {
        let kind = Kind::from_u8(number(&row[0]) as u8).unwrap_or_else(|| panic!("{row:?}"));
        assert_eq!(kind.is_request(), !row[3].is_empty(), "{row:?}");
        assert!(["C", "S", "both"].contains(&row[2].as_str()), "{row:?}");
        if kind.is_request() {
            assert_eq!(row[2], "C", "{row:?}");
            let answers: Vec<String> = kind.answers().iter().map(snake_case).collect();
            assert_eq!(row[3].split(", ").collect::<Vec<_>>(), answers, "{row:?}");
        }
    }
}

/// The fields of a body as the document lists them: names and types under a heading like `### 0x80 hello`.
fn fields_by_kind() -> BTreeMap<u32, (String, Vec<(String, String)>)> {
    let mut kinds = BTreeMap::new();
    let mut current = None;
    for line in DOCUMENT.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            current =
                heading.trim_start_matches('#').trim().split_once(' ').filter(|(n, _)| n.starts_with("0x"));
            if let Some((kind, name)) = current {
                kinds.insert(number(kind), (name.to_owned(), Vec::new()));
            }
        } else if let (Some((kind, _)), Some(row)) = (current, line.strip_prefix('|')) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            if cells[0] != "Field" && !cells[0].starts_with("---") {
                let fields = &mut kinds.get_mut(&number(kind)).expect("the heading came first").1;
                fields.push((cells[0].to_owned(), cells[1].to_owned()));
            }
        }
    }
    kinds
}

/// How many bytes a field takes at the front of `body`, by the document's own words about its type.
fn field_len(r#type: &str, body: &[u8]) -> usize {
    match r#type {
        "u8" => 1,
        "u16" => 2,
        "u32" | "magic" => 4,
        "u64" => 8,
        "bytes16" => 16,
        "bytes24" => 24,
        "bytes32" => 32,
        "address" => 18,
        "name" => 1 + usize::from(body[0]),
        "long" => 2 + usize::from(u16::from_be_bytes([body[0], body[1]])),
        "text" | "bytes" => body.len(),
        "rows" => {
            let mut at = 0;
            while at < body.len() {
                let columns = body[at];
                at += 1;
                for _ in 0..columns {
                    at += field_len("long", &body[at..]);
                }
            }
            at
        }
        list => entries_len(entry_of(list), body),
    }
}

/// The document's word for a form. Lists are told by what they are made of.
fn type_word(form: Form) -> String {
    const LISTS: &[&str] =
        &["names", "rooms", "occupants", "members", "masks", "pasts", "wishes", "addresses"];
    let Form::List(entry) = form else { return form.word().expect("only a list has none").to_owned() };
    let forms: Vec<&str> = entry.iter().filter_map(|field| field.form.word()).collect();
    let list = LISTS.iter().find(|list| entry_of(list) == forms);
    (*list.unwrap_or_else(|| panic!("the document has no list of {forms:?}"))).to_owned()
}

/// What the entries of a list are made of.
fn entry_of(list: &str) -> &'static [&'static str] {
    match list {
        "names" => &["name"],
        "rooms" => &["name", "u32"],
        "occupants" => &["name", "u8", "u8", "name"],
        "members" => &["name", "u8", "u8", "name", "name", "u64", "u64", "long"],
        "masks" => &["name", "long", "u64", "u64", "long"],
        "pasts" => &["u64", "u8", "name", "name", "long"],
        "wishes" => &["name", "u8", "long"],
        "addresses" => &["u8", "u8", "address"],
        unknown => panic!("the document does not define a list {unknown:?}"),
    }
}

fn entries_len(fields: &[&str], body: &[u8]) -> usize {
    let mut at = 0;
    while at < body.len() {
        fields.iter().for_each(|r#type| at += field_len(r#type, &body[at..]));
    }
    at
}

#[test]
fn every_kind_has_its_fields_and_they_read_the_goldens() {
    let documented = fields_by_kind();
    let names: BTreeMap<u32, String> =
        documented.iter().map(|(&kind, (name, _))| (kind, name.clone())).collect();
    assert_eq!(names, kinds_in_the_code());
    for &kind in Kind::ALL {
        let (name, fields) = &documented[&(kind as u32)];
        let schema: Vec<(String, String)> =
            kind.fields().iter().map(|field| (field.name.to_owned(), type_word(field.form))).collect();
        assert_eq!(fields, &schema, "{name}: document (left) and schema (right) differ");
    }
    for golden in goldens() {
        let kind = golden.meaning.kind();
        let (name, fields) = &documented[&(kind as u32)];
        let meaning = format!("{:?}", golden.meaning);
        let (mut unread, mut body) = (meaning.as_str(), &golden.bytes[HEADER_LEN..]);
        for (field, r#type) in fields {
            // The struct has the same fields in the same order, but for the magic, which is always the same.
            if field != "magic" {
                let at = unread.find(&format!("{field}: "));
                unread = &unread[at.unwrap_or_else(|| panic!("no {field} in its place in {meaning}"))..];
            }
            body =
                body.get(field_len(r#type, body)..).unwrap_or_else(|| panic!("{name}.{field} goes too far"));
        }
        assert!(body.is_empty(), "{name}: {body:02x?} belongs to no field");
    }
}

#[test]
fn the_hexdumps_are_frames() {
    let dumps: Vec<&str> = DOCUMENT
        .split("```hexdump\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    assert!(!dumps.is_empty());
    for dump in dumps {
        let bytes = hex(dump);
        let said: Vec<String> = dump
            .lines()
            .filter_map(|line| line.split_once(';'))
            .filter_map(|(_, words)| {
                let words = words.trim();
                let name =
                    words.strip_prefix("> ").or(words.strip_prefix("< ")).or(words.strip_prefix("kind: "))?;
                name.split_whitespace().next().map(str::to_owned)
            })
            .collect();
        let mut kinds = Vec::new();
        for raw in frames(&bytes) {
            let frame = raw.decode().unwrap_or_else(|error| panic!("{raw:02x?}: {error}"));
            let mut body = Vec::new();
            frame.encode_body(&mut body);
            assert_eq!(body, raw.body, "{frame:?}");
            kinds.push(snake_case(frame.kind()));
        }
        assert_eq!(said, kinds);
    }
}

fn assert_same_numbers(heading: &str, code: &[(&str, u64)]) {
    let document: BTreeMap<String, u64> =
        rows(&[heading]).iter().map(|row| (row[0].clone(), number(&row[1]).into())).collect();
    assert_eq!(document, code.iter().map(|&(name, value)| (name.to_owned(), value)).collect());
}

#[test]
fn limits_and_constants_have_the_same_values() {
    // Without `..`, so that a limit that is new to the hub is missed here at once.
    let Limits {
        name_bytes_max,
        room_name_bytes_max,
        text_bytes_max,
        subject_bytes_max,
        rooms_max,
        rooms_per_user_max,
        occupants_per_room_max,
        relays_max,
        relays_per_user_max,
        page_entries_max,
        relay_answer_time,
        seats_per_user_max,
        addresses_per_user_max,
        path_rounds_max,
        kick_bytes_max,
        password_bytes_max,
        mask_bytes_max,
        masks_per_list_max,
        invitations_max,
        members_per_room_max,
        rooms_per_account_max,
        wishes_per_room_max,
        wishes_per_user_max,
        bans_max,
        history,
        // What only the other dialect meets.
        scanned_entries_max: _,
        username_bytes_max: _,
        realname_bytes_max: _,
        away_bytes_max: _,
        tags_bytes_max: _,
        changes_max: _,
        mask_bytes_per_room_max: _,
        mask_bytes_on_server_max: _,
        members_on_server_max: _,
        watches_per_user_max: _,
        former_names_max: _,
        former_names_per_host_max: _,
        accounts_max: _,
        account_password_bytes_max: _,
        registration: _,
        new_rooms: _,
    } = Limits::default();
    assert_same_numbers(
        "Limit",
        &[
            ("name-bytes-max", name_bytes_max.into()),
            ("room-name-bytes-max", room_name_bytes_max.into()),
            ("text-bytes-max", text_bytes_max.into()),
            ("subject-bytes-max", subject_bytes_max.into()),
            ("rooms-max", rooms_max as u64),
            ("rooms-per-user-max", rooms_per_user_max as u64),
            ("occupants-per-room-max", occupants_per_room_max as u64),
            ("relays-max", relays_max as u64),
            ("relays-per-user-max", relays_per_user_max as u64),
            ("page-entries-max", page_entries_max as u64),
            ("relay-answer-seconds", relay_answer_time.as_secs()),
            ("seats-per-user-max", seats_per_user_max as u64),
            ("addresses-per-user-max", addresses_per_user_max as u64),
            ("path-rounds-max", path_rounds_max.into()),
            ("kick-bytes-max", kick_bytes_max.into()),
            ("password-bytes-max", password_bytes_max.into()),
            ("mask-bytes-max", mask_bytes_max.into()),
            ("masks-per-list-max", masks_per_list_max as u64),
            ("invitations-max", invitations_max as u64),
            ("members-per-room-max", members_per_room_max as u64),
            ("rooms-per-account-max", rooms_per_account_max as u64),
            ("wishes-per-room-max", wishes_per_room_max as u64),
            ("wishes-per-user-max", wishes_per_user_max as u64),
            ("bans-max", bans_max as u64),
            ("history-messages-max", history.messages_max as u64),
            ("history-bytes-max", history.bytes_max as u64),
            ("history-days-max", history.days_max as u64),
            ("history-memory-messages-max", history.memory_messages_max as u64),
            ("history-memory-bytes-max", history.memory_bytes_max as u64),
            ("history-page-max", history.page_max as u64),
            ("read-marks-max", history.read_marks_max as u64),
        ],
    );
    assert_same_numbers(
        "Constant",
        &[
            ("HEADER_LEN", HEADER_LEN as u64),
            ("BODY_MAX", BODY_MAX.into()),
            ("BODY_MAX_FLOOR", BODY_MAX_FLOOR.into()),
            ("VERSION", frame::VERSION.into()),
            ("DATAGRAM_MAX", datagram::DATAGRAM_MAX as u64),
            ("DATAGRAM_FRAME_MAX", datagram::FRAME_MAX as u64),
            ("REPLAY_WINDOW", datagram::ReplayWindow::LEN),
            ("COOKIE_SECONDS", binding::COOKIE_TIME.as_secs()),
            ("PROOF_SECONDS", binding::PROOF_TIME.as_secs()),
        ],
    );
}

#[test]
fn settings_have_the_values_of_the_configuration() {
    for row in rows(&["Limit"]).into_iter().chain(rows(&["Setting"])) {
        let line = format!("{} = {}", row[0], row[1]);
        assert!(CONFIGURATION.lines().any(|other| other == line), "the configuration does not have {line:?}");
    }
}

#[test]
fn every_code_and_kind_that_the_text_names_exists() {
    let mut known: Vec<String> = kinds_in_the_code().into_values().collect();
    known.extend(RefusalCode::ALL.iter().map(snake_case));
    known.extend(ByeCode::ALL.iter().map(snake_case));
    known.extend(CredentialsCode::ALL.iter().map(snake_case));
    known.extend(AccountCode::ALL.iter().map(snake_case));
    known.extend(AdministerCode::ALL.iter().map(snake_case));
    known.extend(ListServerCode::ALL.iter().map(snake_case));
    known.extend(LeftCode::ALL.iter().map(snake_case));
    known.extend(ClosedCode::ALL.iter().map(snake_case));
    known.extend(ChangeCode::ALL.iter().map(snake_case));
    known.extend(AffiliationCode::ALL.iter().map(snake_case));
    known.extend(WishCode::ALL.iter().map(snake_case));
    known.extend(PartCode::ALL.iter().map(snake_case));
    known.extend(PastCode::ALL.iter().map(snake_case));
    known.extend(
        fields_by_kind().into_values().flat_map(|(_, fields)| fields.into_iter().map(|(name, _)| name)),
    );
    known.extend(Preset::ALL.iter().map(|preset| preset.word().to_owned()));
    for heading in ["Limit", "Setting", "Type"] {
        known.extend(rows(&[heading]).into_iter().map(|row| row[0].clone()));
    }
    let mut in_fence = false;
    for line in DOCUMENT.lines() {
        in_fence ^= line.starts_with("```");
        if in_fence {
            continue;
        }
        for word in line.split('`').skip(1).step_by(2) {
            let is_name = !word.is_empty()
                && word.chars().all(|c| c.is_ascii_lowercase() || "_-".contains(c))
                && word != "_"
                && word != "-";
            assert!(!is_name || known.iter().any(|name| name == word), "`{word}` is nowhere defined: {line}");
        }
    }
}
