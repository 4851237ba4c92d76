-- The protocol, its preferences, and what all frames have in common.
--
-- Wireshark runs this file once, when it starts. What it runs later, for each packet, are the functions at the end of
-- streams.lua; they may be called again for the same packet, in any order, whenever a filter changes or somebody clicks
-- on it. So what one packet has to know of another (links.lua) is found out on the first pass over the capture, and only
-- looked up later: `pinfo.visited` tells.
--
-- It goes with Lua 5.2 (Wireshark up to 4.2) and with Lua 5.4 (from 4.4 on).

local switchboard = Proto("switchboard", "Switchboard chat and relay")

switchboard.prefs.port = Pref.range("TCP and UDP ports", DEFAULT_PORT,
  "Ports at which Switchboard listens. Conversations on others are recognised by how they begin.", 65535)
switchboard.prefs.irc = Pref.bool("Lines of text are IRC", true,
  "What is no frame goes to Wireshark's own dissectors, for IRC and HTTP.")

-- Every field and every note that is made anywhere ends up in these, and Wireshark is told of them in fields.lua and here.
local all_fields, notes = {}, {}

local function add_field(field)
  all_fields[#all_fields + 1] = field
  return field
end

-- The header, and what is found out about frames.
local F = {
  kind = add_field(ProtoField.string("switchboard.kind", "Kind", base.ASCII, "What the frame is")),
  number = add_field(ProtoField.uint8("switchboard.kind.number", "Kind's number", base.HEX)),
  flags = add_field(ProtoField.uint8("switchboard.flags", "Flags", base.HEX)),
  more = add_field(ProtoField.bool("switchboard.flags.more", "More", 8, nil, 0x01, "The list goes on")),
  ["end"] = add_field(ProtoField.bool("switchboard.flags.end", "End", 8, nil, 0x02, "Nothing more in this direction")),
  reserved = add_field(ProtoField.bool("switchboard.flags.reserved", "Reserved", 8, nil, 0xfc, "Must be zero")),
  length = add_field(ProtoField.uint16("switchboard.length", "Body's length", base.DEC, nil, nil, "Bytes behind the header")),
  channel = add_field(ProtoField.uint32("switchboard.channel", "Channel", base.HEX, nil, nil, "Room, relay or binding")),
  request = add_field(ProtoField.uint32("switchboard.request", "Request", base.DEC, nil, nil, "The request's id, which its answer repeats")),
  response_in = add_field(ProtoField.framenum("switchboard.response_in", "Answered in", base.NONE, frametype.RESPONSE)),
  response_to = add_field(ProtoField.framenum("switchboard.response_to", "Answer to", base.NONE, frametype.REQUEST)),
  response_time = add_field(ProtoField.relative_time("switchboard.response_time", "Time since the request")),
  answers = add_field(ProtoField.string("switchboard.response_to.kind", "Answer to a", base.ASCII, "The kind of the request")),
  body = add_field(ProtoField.bytes("switchboard.body", "Body", base.NONE, "Of a frame whose kind is not known")),
  rest = add_field(ProtoField.bytes("switchboard.rest", "Behind the last field")),
  data = add_field(ProtoField.bytes("switchboard.undissected", "Not dissected")),
  tag = add_field(ProtoField.bytes("switchboard.sealed.tag", "Tag", base.NONE, "SipHash-2-4 over everything before it")),
  -- One line of a conversation between two peers, in the payload of data.
  seq = add_field(ProtoField.uint32("switchboard.line.seq", "Line's number", base.DEC, nil, nil, "0: only an acknowledgement")),
  ack = add_field(ProtoField.uint32("switchboard.line.ack", "Acknowledges up to line", base.DEC)),
  text = add_field(ProtoField.string("switchboard.line.text", "Text")),
}

local function add_note(name, text, group, severity)
  local note = ProtoExpert.new("switchboard.note." .. name, text, group, severity)
  notes[#notes + 1] = note
  return note
end

-- What Wireshark lists under Analyze > Expert Information.
local NOTE = {
  short = add_note("short", "The body ends inside a field", PI_MALFORMED, PI_ERROR),
  trailing = add_note("trailing", "The body goes on behind its last field", PI_MALFORMED, PI_ERROR),
  bad_magic = add_note("bad_magic", "Hello does not begin with the magic", PI_MALFORMED, PI_ERROR),
  bad_flags = add_note("bad_flags", "A flag that must be zero", PI_MALFORMED, PI_ERROR),
  too_long = add_note("too_long", "The body is longer than the connection agreed on", PI_PROTOCOL, PI_ERROR),
  no_frame = add_note("no_frame", "Bytes that are no frame, in a connection of frames", PI_MALFORMED, PI_ERROR),
  bad_seal = add_note("bad_seal", "What is sealed is not one whole frame", PI_MALFORMED, PI_ERROR),
  bad_datagram = add_note("bad_datagram", "A datagram that is not exactly one frame", PI_MALFORMED, PI_ERROR),
  not_utf8 = add_note("not_utf8", "Not UTF-8", PI_MALFORMED, PI_WARN),
  bad_line = add_note("bad_line", "Payload of a conversation that is no line", PI_PROTOCOL, PI_WARN),
  out_of_step = add_note("out_of_step", "Bytes in front of these are not in the capture: no frame begins here", PI_SEQUENCE, PI_WARN),
  unknown_kind = add_note("unknown_kind", "A kind that this dissector does not know", PI_UNDECODED, PI_NOTE),
  unknown_code = add_note("unknown_code", "A code that this dissector does not know", PI_UNDECODED, PI_NOTE),
  other_version = add_note("other_version", "Another version of the protocol", PI_UNDECODED, PI_NOTE),
  cut_short = add_note("cut_short", "The capture does not have all of this frame", PI_UNDECODED, PI_NOTE),
  many = add_note("many", "More entries than are shown", PI_UNDECODED, PI_NOTE),
  refused = add_note("refused", "The request was refused", PI_RESPONSE_CODE, PI_NOTE),
  hung_up = add_note("hung_up", "The server hangs up", PI_RESPONSE_CODE, PI_NOTE),
  no_done = add_note("no_done", "Request 0: done is not wanted", PI_REQUEST_CODE, PI_COMMENT),
}

switchboard.experts = notes
