-- Streams and datagrams. TCP hands over bytes as they were cut: one segment may have many frames in it, and one frame may
-- be spread over many segments. Each frame begins with its length, so the rest of it can be waited for: Wireshark is told
-- how many bytes are missing (desegment_len), and calls again when it has them.

-- A line of IRC with its tags has at most 8,191 + 512 bytes; what is longer without an end is not waited for.
local LINE_MAX = 16384

local irc, http, tls = Dissector.get("irc"), Dissector.get("http"), Dissector.get("tls")
local completeness, sequence, next_sequence = Field.new("tcp.completeness"), Field.new("tcp.seq"), Field.new("tcp.nxtseq")

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

-- Whether what begins at `at` is at least the header of a frame that may be sent.
local function is_header(tvb, at)
  if tvb:len() - at < HEADER_LEN then return false end
  local kind = KINDS[tvb(at, 1):uint()]
  local flags, length = tvb(at + 1, 1):uint(), tvb(at + 2, 2):uint()
  return kind ~= nil and flags <= FLAG_MORE + FLAG_END and length <= BODY_MAX and length >= (kind.len_min or 0)
end

for _, kind in pairs(KINDS) do
  kind.len_min = 0
  for _, field in ipairs(kind.fields) do kind.len_min = kind.len_min + field.len_min end
end
KINDS[0x80].len_min = 11 -- of every version: up to body_max

-- Whether these bytes are frames and nothing else, but for a last one that is not all there. Random bytes hardly ever are:
-- kind, length and every field have to fit. At least one frame has to be whole.
local function are_frames(tvb)
  local at, length, whole = 0, tvb:len(), 0
  while length - at >= HEADER_LEN do
    if not is_header(tvb, at) then return false end
    local behind = at + HEADER_LEN + tvb(at + 2, 2):uint()
    if behind > length then break end
    local kind = KINDS[tvb(at, 1):uint()]
    local bytes = tvb(at, behind - at):raw()
    if kind.name ~= "hello" and not is_body(bytes, kind, HEADER_LEN, #bytes) then return false end
    whole, at = whole + 1, behind
    if whole == 16 then return true end -- sure enough
  end
  return whole > 0
end

-- How one direction of a stream stands: whether the next byte begins a frame (is_in_step), and which number of TCP it has.
-- Found out on the first pass; a packet's verdict is kept.
local function step_of(pinfo, conversation)
  local key = "step " .. pinfo.number
  if pinfo.visited then return known[key] or { is_in_step = true } end
  local from = source(pinfo)
  local direction = conversation.directions[from]
  local begins, seq = last_of(sequence), last_of(completeness) or 0
  begins, seq = last_of(sequence), begins
  if not direction then
    -- Bits 1 and 2 of completeness: SYN and SYN-ACK were seen, so this is where the direction begins.
    local is_start = (last_of(completeness) or 0) % 4 ~= 0
    direction = { is_in_step = is_start }
    conversation.directions[from] = direction
  elseif not pinfo.private.switchboard_step and direction.next ~= seq then
    direction.is_in_step = false
  end
  pinfo.private.switchboard_step = "yes"
  direction.next = last_of(next_sequence)
  known[key] = known[key] or { is_in_step = direction.is_in_step }
  return direction
end

-- Lines of text: IRC, HTTP, or the one line that a server says to whom it cannot serve.
local function put_text(tvb, at, pinfo, tree, conversation)
  local text = tvb(at):raw()
  if not conversation.text then
    conversation.text = text:find("^%u+ [^\r\n]* HTTP/%d") and http or (text:byte(1) == 0x16 and tls) or irc
  end
  if conversation.text ~= irc then
    if at == 0 then return conversation.text:call(tvb, pinfo, tree) end
    return conversation.text:call(tvb(at):tvb(), pinfo, tree)
  end
  local last_end = text:match(".*\n()")
  local whole = last_end and last_end - 1 or 0
  if whole < #text and pinfo.can_desegment > 0 and #text - whole < LINE_MAX then
    pinfo.desegment_offset, pinfo.desegment_len = at + whole, DESEGMENT_ONE_MORE_SEGMENT
  else
    whole = #text
  end
  if whole > 0 then irc:call(tvb(at, whole):tvb(), pinfo, tree) end
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
  local direction = step_of(pinfo, conversation)
  local is_frames = tvb(0, 1):uint() >= 0x80
  if not direction.is_in_step and is_frames and not are_frames(tvb) and not conversation.text then
    put_undissected(tvb, 0, pinfo, tree, NOTE.out_of_step)
    return length
  end
  if (is_frames and conversation.text) or (not is_frames and not direction.has_frames) then
    if not switchboard.prefs.irc then return 0 end
    return put_text(tvb, 0, pinfo, tree, conversation)
  end
  direction.is_in_step, direction.has_frames = true, true
  -- Where a capture was told to keep only the first bytes of each packet, nothing can be waited for.
  local can_wait = pinfo.can_desegment > 0 and tvb:reported_len() == length
  while at < length do
    local left = length - at
    if tvb(at, 1):uint() < 0x80 then
      direction.is_in_step = false
      put_undissected(tvb, at, pinfo, tree, NOTE.no_frame)
      return length
    end
    local needed = left >= HEADER_LEN and HEADER_LEN + tvb(at + 2, 2):uint()
    if needed and needed > HEADER_LEN + BODY_MAX then
      direction.is_in_step = false
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

local tcp_ports, udp_ports = DissectorTable.get("tcp.port"), DissectorTable.get("udp.port")
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
  if tvb:len() < HEADER_LEN or tvb(0, 1):uint() < 0x80 or not are_frames(tvb) then return false end
  local kind = KINDS[tvb(0, 1):uint()].name
  -- A hello has its magic; of others, two that follow each other, or what only fits as a whole.
  if kind == "hello" and (tvb:len() < 12 or tvb(8, 4):raw() ~= MAGIC) then return false end
  if kind ~= "hello" and HEADER_LEN + tvb(2, 2):uint() ~= tvb:len() and not are_frames(tvb) then return false end
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
