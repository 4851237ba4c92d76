-- One frame, wherever it was found: eight bytes of header, a body, and what is known about it from other packets.

-- What people say, for the line in the list of packets: on one line, and not too long for it.
local SHOWN_MAX = 60

local function shown(text)
  local line = text:gsub("%c", " ")
  if #line > SHOWN_MAX then
    -- Cut in front of a byte that begins a character.
    local cut = SHOWN_MAX
    while cut > 0 and line:byte(cut + 1) >= 128 and line:byte(cut + 1) < 192 do cut = cut - 1 end
    line = line:sub(1, cut) .. "…"
  end
  return '"' .. line .. '"'
end

-- Fields that are told in that line, in this order, where a kind has them.
local TOLD = { "code", "what", "change", "wish", "part", "purpose", "from", "by", "who", "to", "name", "room", "peer",
  "you", "conversation", "value", "words", "subject", "text", "reason" }

local function code_word(kind, name, value)
  for _, field in ipairs(kind.fields) do
    if field.name == name then return field.words and (field.words[value] or tostring(value)) end
  end
end

-- "say #1 "hello"": the kind, the request's id, and what is said, by whom and to whom.
local function summary(kind, values)
  local words = { kind.name }
  if values.request then words[#words + 1] = "#" .. values.request end
  for _, name in ipairs(TOLD) do
    local value = values[name]
    if type(value) == "number" then
      words[#words + 1] = code_word(kind, name, value)
    elseif type(value) == "string" and value ~= "" then
      words[#words + 1] = shown(value)
    end
  end
  if kind.name == "data" then words[#words + 1] = values.payload .. " bytes" end
  if kind.name == "hello" and values.version ~= PROTOCOL_VERSION then words[#words + 1] = "version " .. tostring(values.version) end
  return table.concat(words, " ")
end

-- Payload of a conversation between two peers is one line of it; of a pipe it is bytes.
local function put_line(cursor, tree, kind, at, links)
  local length = cursor.limit - at
  if kind.name ~= "data" or not links.is_conversation or length == 0 then return end
  local line = tree:add(switchboard, cursor.tvb(at, length), "Line of a conversation")
  if length < 8 then
    line:add_proto_expert_info(NOTE.bad_line)
    return
  end
  line:add(F.seq, cursor.tvb(at, 4))
  line:add(F.ack, cursor.tvb(at + 4, 4))
  local seq, ack = cursor.tvb(at, 4):uint(), cursor.tvb(at + 4, 4):uint()
  if seq == 0 then
    cursor.values.text = nil
    line:append_text((", acknowledges up to %d"):format(ack))
  elseif length > 8 then
    cursor.values.text = add_string(cursor, line, F.text, at + 8, at + 8, length - 8)
    line:append_text((" %d: %s"):format(seq, shown(cursor.values.text)))
  end
end

local function put_flags(tree, range, kind)
  local flags = tree:add(F.flags, range)
  local bits = range:uint()
  flags:add(F.more, range)
  flags:add(F["end"], range)
  flags:add(F.reserved, range)
  if bits > FLAG_MORE + FLAG_END then flags:add_proto_expert_info(NOTE.bad_flags) end
end

local put_frame -- a sealed frame has a frame in it

-- Counter, a whole frame or nothing, tag. What is sealed is not secret: it can only not be changed.
local function put_sealed(cursor, tree, kind, at, pinfo, context)
  local counter, frame_and_tag = kind.fields[1], kind.fields[2]
  local inner_at = at + 8
  local tag_at = cursor.limit - TAG_LEN
  if tag_at < inner_at then
    put_body(cursor, tree, kind, at)
    if not cursor.is_cut then tree:add_proto_expert_info(NOTE.bad_seal) end
    return false
  end
  put_field(cursor, tree, counter, at)
  local range = cursor.tvb(inner_at, cursor.limit - inner_at)
  local item = tree:add(frame_and_tag.item, range)
  local is_good = true
  if tag_at > inner_at then
    local inner = cursor.tvb(inner_at, tag_at - inner_at)
    local length = inner:len() >= HEADER_LEN and HEADER_LEN + inner(2, 2):uint()
    if length == inner:len() and inner(0, 1):uint() >= 0x80 and not context.is_sealed then
      cursor.inner = put_frame(cursor.tvb, inner_at, length, pinfo, item, { conversation = context.conversation, is_sealed = true })
    else
      item:add_proto_expert_info(NOTE.bad_seal)
      is_good = false
    end
  end
  if not cursor.is_cut then tree:add(F.tag, cursor.tvb(tag_at, TAG_LEN)) end
  return is_good
end

-- What other packets say about this frame: found out now, or found out before.
local function links_of(kind, cursor, channel, is_good, pinfo, conversation)
  local key = next_key(pinfo)
  -- That includes those that were still waited for on the first pass, because segments are missing.
  if pinfo.visited then return known[key] or { body_max = BODY_MAX } end
  local links = {}
  links.body_max = body_max_of(conversation, pinfo)
  links.is_conversation = (conversation.relays[channel] or relays[channel]) == 0
  if kind and is_good then
    for name, value in pairs(link_request(conversation, kind, cursor.values, channel, pinfo)) do links[name] = value end
    learn(conversation, kind, cursor.values, channel, pinfo)
  end
  -- Most frames have nothing that the second pass would not guess.
  local is_usual = links.body_max == BODY_MAX and not (links.is_conversation or links.asks or links.answers)
  if not is_usual then known[key] = links end
  return links
end

local function put_notes(tree, kind, values, links, length)
  if length > links.body_max then
    tree:add_proto_expert_info(NOTE.too_long, ("A body of %d bytes, where %d were agreed on"):format(length, links.body_max))
  end
  if kind.answers and kind.answers.done and values.request == 0 then tree:add_proto_expert_info(NOTE.no_done) end
  if kind.name == "refused" and values.text then tree:add_proto_expert_info(NOTE.refused) end
  if kind.name == "bye" and (values.code or 0) ~= 0 then tree:add_proto_expert_info(NOTE.hung_up) end
end

-- Adds the frame of `length` bytes at `at`, of which fewer may have been captured. Returns its words for the list of
-- packets. `context` has the conversation, and whether the frame lies in a sealed one.
put_frame = function(tvb, at, length, pinfo, tree, context)
  local captured = math.min(length, tvb:len() - at)
  local kind_range, body_at = tvb(at, 1), at + HEADER_LEN
  local number, channel = kind_range:uint(), tvb(at + 4, 4):uint()
  local kind = KINDS[number]
  local name = kind and kind.name or "unknown"

  local frame = tree:add(switchboard, tvb(at, captured))
  frame:add(F.kind, kind_range, name)
  frame:add(F.number, kind_range)
  put_flags(frame, tvb(at + 1, 1))
  frame:add(F.length, tvb(at + 2, 2))
  frame:add(F.channel, tvb(at + 4, 4))

  local cursor = { tvb = tvb, limit = at + captured, values = {}, is_cut = captured < length }
  local is_good, words = false, nil
  if not kind then
    frame:add_proto_expert_info(NOTE.unknown_kind)
    if captured > HEADER_LEN then frame:add(F.body, tvb(body_at, captured - HEADER_LEN)) end
    words = ("unknown 0x%02x"):format(number)
  elseif kind.name == "sealed" then
    is_good = put_sealed(cursor, frame, kind, body_at, pinfo, context)
    words = "sealed" .. (cursor.inner and " (" .. cursor.inner .. ")" or "")
  else
    is_good = put_body(cursor, frame, kind, body_at)
  end
  local links = links_of(kind, cursor, channel, is_good and not cursor.is_cut, pinfo, context.conversation)
  if kind then
    put_line(cursor, frame, kind, body_at, links)
    put_notes(frame, kind, cursor.values, links, length - HEADER_LEN)
    put_links(links, frame, kind_range, pinfo)
  end
  words = words or summary(kind, cursor.values)
  frame:set_text("Switchboard: " .. words)
  return words
end
