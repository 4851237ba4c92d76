-- Streams and datagrams. TCP hands over bytes as they were cut: one segment may have many frames in it, and one frame may
-- be spread over many segments. Each frame begins with its length, so the rest of it can be waited for: Wireshark is told
-- how many bytes are missing (desegment_len), and calls again when it has them.

-- A line of IRC with its tags has at most 8,191 + 512 bytes; what is longer without an end is not waited for.
local LINE_MAX = 16384

local tcp_ports, udp_ports = DissectorTable.get("tcp.port"), DissectorTable.get("udp.port")

-- Wireshark's own, by the port that they are known for. Not every version has them under a name.
local USUAL_PORTS = { irc = 6667, http = 80, tls = 443 }

local function dissector_for(protocol)
  return tcp_ports:get_dissector(USUAL_PORTS[protocol]) or Dissector.get("data")
end


-- Puts words into the list of packets, behind those of frames that ended in the same packet.
local function tell(pinfo, words)
  pinfo.cols.protocol:set("Switchboard")
  if pinfo.private.switchboard_told then
    pinfo.cols.info:append(", " .. words)
  else
    pinfo.private.switchboard_told = "yes"
    pinfo.cols.info:clear()
    pinfo.cols.info:set(words)
  end
  pinfo.cols.info:fence()
end

-- Which protocol lines of text are, by the first of them; nil for text that is the middle of something.
local function text_protocol(tvb)
  local text = tvb():raw()
  if text:byte(1) == 0x16 then return "tls" end
  if text:find("^%u+ [^\r\n]* HTTP/%d") then return "http" end
  -- A whole line, or the beginning of one: a command, or where it comes from, or its tags.
  return (text:find("\n", 1, true) or text:find("^%u+ ") or text:find("^%u+$") or text:find("^[:@]")) and "irc" or nil
end

-- Whether what begins at `at` may be the header of a frame, as far as it is there.
local function is_header(tvb, at)
  local there = tvb:len() - at
  local kind = KINDS[tvb(at, 1):uint()]
  if not kind or (there > 1 and tvb(at + 1, 1):uint() > FLAG_MORE + FLAG_END) then return false end
  if there < 4 then return true end
  local length = tvb(at + 2, 2):uint()
  return length <= BODY_MAX and length >= kind.len_min
end

for _, kind in pairs(KINDS) do
  kind.len_min = 0
  for _, field in ipairs(kind.fields) do kind.len_min = kind.len_min + field.len_min end
end
KINDS[0x80].len_min = 11 -- of every version: up to body_max

-- Whether one header follows another from the first byte to the last; the last frame need not be all there. Where bodies
-- are looked at as well, at least one frame has to be whole: random bytes hardly ever are.
local function are_frames(tvb, with_bodies)
  local at, length, whole = 0, tvb:len(), 0
  while at < length do
    if not is_header(tvb, at) then return false end
    local behind = length - at >= HEADER_LEN and at + HEADER_LEN + tvb(at + 2, 2):uint()
    if not behind or behind > length then break end
    local kind = KINDS[tvb(at, 1):uint()]
    if with_bodies and not is_body(tvb(at, behind - at):raw(), kind, HEADER_LEN, behind - at) then return false end
    whole, at = whole + 1, behind
    if whole == 16 then return true end -- sure enough
  end
  return whole > 0 or not with_bodies
end

-- How one direction of a stream stands before a part of it that TCP hands over: whether the next byte begins a frame
-- (is_in_step), whether it has had any (has_frames), and whether the conversation is text, and of which protocol (text).
-- Found out on the first pass, for each of the parts that end in a packet, and kept.
local function verdict_on(tvb, pinfo, conversation)
  local part = (tonumber(pinfo.private.switchboard_part) or 0) + 1
  pinfo.private.switchboard_part = tostring(part)
  local key, from = ("part %d.%d"):format(pinfo.number, part), source(pinfo)
  if pinfo.visited and known[key] then return known[key] end
  local direction = conversation.directions[from] or {}
  local is_frames = tvb(0, 1):uint() >= 0x80
  local text = conversation.text
  if is_frames and text and are_frames(tvb, true) then
    text = nil -- what was taken for text was the rest of a frame
  elseif not is_frames and not text and not direction.has_frames then
    text = text_protocol(tvb)
  end
  local verdict = { is_in_step = direction.is_in_step, has_frames = direction.has_frames, text = text }
  if not pinfo.visited then
    known[key], conversation.text, conversation.directions[from] = verdict, text, direction
  end
  return verdict
end

-- Notes on the first pass how the direction stands behind what was looked at.
local function leave(pinfo, conversation, is_in_step)
  if not pinfo.visited then
    conversation.directions[source(pinfo)] = { is_in_step = is_in_step, has_frames = true }
  end
end

-- Lines of text: IRC, HTTP, or the one line that a server says to whom it cannot serve.
local function put_text(tvb, pinfo, tree, protocol)
  local dissector = dissector_for(protocol)
  if protocol ~= "irc" then return dissector:call(tvb, pinfo, tree) end
  local text = tvb():raw()
  local last_end = text:match(".*\n()")
  local whole = last_end and last_end - 1 or 0
  if whole < #text and pinfo.can_desegment > 0 and #text - whole < LINE_MAX then
    pinfo.desegment_offset, pinfo.desegment_len = whole, DESEGMENT_ONE_MORE_SEGMENT
  else
    whole = #text
  end
  if whole > 0 then dissector:call(tvb(0, whole):tvb(), pinfo, tree) end
  return tvb:len()
end

local function put_undissected(tvb, at, pinfo, tree, note)
  local item = tree:add(switchboard, tvb(at), "Switchboard: not dissected")
  item:add(F.data, tvb(at))
  item:add_proto_expert_info(note)
  tell(pinfo, note == NOTE.out_of_step and "out of step" or "no frame")
end

-- One whole segment, or what was put together from several.
local function put_stream(tvb, pinfo, tree)
  local at, length = 0, tvb:len()
  if length == 0 then return 0 end
  local conversation = conversation_of(pinfo, "tcp")
  local verdict = verdict_on(tvb, pinfo, conversation)
  if verdict.text then
    return switchboard.prefs.irc and put_text(tvb, pinfo, tree, verdict.text) or 0
  end
  if not verdict.is_in_step and not are_frames(tvb) then
    put_undissected(tvb, 0, pinfo, tree, verdict.has_frames and tvb(0, 1):uint() < 0x80 and NOTE.no_frame or NOTE.out_of_step)
    return length
  end
  leave(pinfo, conversation, true)
  -- Where a capture was told to keep only the first bytes of each packet, nothing can be waited for.
  local can_wait = pinfo.can_desegment > 0 and tvb:reported_len() == length
  while at < length do
    local left = length - at
    if tvb(at, 1):uint() < 0x80 then
      leave(pinfo, conversation, false)
      put_undissected(tvb, at, pinfo, tree, NOTE.no_frame)
      return length
    end
    local needed = left >= HEADER_LEN and HEADER_LEN + tvb(at + 2, 2):uint()
    if needed and (needed > HEADER_LEN + BODY_MAX or tvb(at + 1, 1):uint() > FLAG_MORE + FLAG_END) then
      -- Whoever reads this closes. Should there be more, it begins anywhere.
      leave(pinfo, conversation, false)
      tell(pinfo, put_frame(tvb, at, needed, pinfo, tree, { conversation = conversation }))
      return length
    end
    if can_wait and (not needed or needed > left) then
      pinfo.desegment_offset = at
      pinfo.desegment_len = needed and needed - left or DESEGMENT_ONE_MORE_SEGMENT
      return length
    elseif not needed then
      put_undissected(tvb, at, pinfo, tree, NOTE.cut_short)
      return length
    end
    tell(pinfo, put_frame(tvb, at, needed, pinfo, tree, { conversation = conversation }))
    at = at + needed
  end
  return length
end

-- A datagram is one frame. Frames of a binding belong to the TCP conversation of its ticket.
local function put_datagram(tvb, pinfo, tree)
  local length = tvb:len()
  if length == 0 or tvb(0, 1):uint() < 0x80 then return 0 end
  if length < HEADER_LEN then
    put_undissected(tvb, 0, pinfo, tree, tvb:reported_len() > length and NOTE.cut_short or NOTE.bad_datagram)
    return length
  end
  local needed = HEADER_LEN + tvb(2, 2):uint()
  local conversation = conversation_of_datagram(pinfo, tvb(4, 4):uint())
  local is_cut = tvb:reported_len() > length
  tell(pinfo, put_frame(tvb, 0, is_cut and needed or math.min(needed, length), pinfo, tree, { conversation = conversation }))
  if needed ~= tvb:reported_len() or tvb:reported_len() > DATAGRAM_MAX then
    local behind = math.min(needed, length)
    local item = tree:add(switchboard, tvb(0), "Switchboard: not exactly one frame")
    if behind < length then item:add(F.rest, tvb(behind)) end
    item:add_proto_expert_info(NOTE.bad_datagram)
  end
  return length
end

function switchboard.init() forget() end

function switchboard.dissector(tvb, pinfo, tree)
  -- port_type: 2 is TCP, 3 is UDP.
  if pinfo.port_type == 3 then return put_datagram(tvb, pinfo, tree) end
  return put_stream(tvb, pinfo, tree)
end

-- Ports.

local listening

local function listen(ports)
  if listening == ports then return end
  for _, ports_of in ipairs({ tcp_ports, udp_ports }) do
    if listening and listening ~= "" then ports_of:remove(listening, switchboard) end
    if ports ~= "" then ports_of:add(ports, switchboard) end
  end
  listening = ports
end

listen(tostring(switchboard.prefs.port))
function switchboard.prefs_changed() listen(tostring(switchboard.prefs.port)) end

-- Conversations on other ports: by frames that nothing else looks like. What follows in them is ours then.

switchboard:register_heuristic("tcp", function(tvb, pinfo, tree)
  -- A hello has its magic, and everything else has to fit, field by field.
  if tvb:len() < HEADER_LEN or tvb(0, 1):uint() < 0x80 or not are_frames(tvb, true) then return false end
  pinfo.conversation = switchboard
  put_stream(tvb, pinfo, tree)
  return true
end)

switchboard:register_heuristic("udp", function(tvb, pinfo, tree)
  local length = tvb:len()
  if length < HEADER_LEN + TAG_LEN or length > DATAGRAM_MAX or not is_header(tvb, 0) then return false end
  if HEADER_LEN + tvb(2, 2):uint() ~= length or tvb(1, 1):uint() ~= 0 then return false end
  local name = KINDS[tvb(0, 1):uint()].name
  if name == "bind" then
    if tvb(HEADER_LEN, 24):raw() ~= ("\0"):rep(24) then return false end
  elseif name == "sealed" then
    -- The frame in it has to be one, and to end where the tag begins.
    local inner = length - HEADER_LEN - 8 - TAG_LEN
    if inner < HEADER_LEN or not is_header(tvb, HEADER_LEN + 8) then return false end
    if HEADER_LEN + tvb(HEADER_LEN + 10, 2):uint() ~= inner then return false end
  else
    return false
  end
  pinfo.conversation = switchboard
  put_datagram(tvb, pinfo, tree)
  return true
end)
