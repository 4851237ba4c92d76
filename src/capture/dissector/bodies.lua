-- Bodies, field by field. Each reader takes its field from the front of what is left, adds it to the tree, and returns
-- where the next one begins, or nil where the body ends too soon: nothing behind that can be understood.
--
-- A `cursor` is what is passed along: the bytes (tvb), where the body ends (limit), and what was read, for links.lua and
-- for the line in the list of packets (values).

-- Entries of one list that are shown. Nobody sends as many; a capture may hold anything.
local ENTRIES_MAX = 5000

-- Whether a string of bytes is UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing over U+10FFFF.
local function is_utf8(bytes)
  local at, length = 1, #bytes
  while at <= length do
    local ascii = bytes:match("^[%z\1-\127]+()", at)
    if ascii then
      at = ascii
    else
      local behind = bytes:match("^[\194-\223][\128-\191]()", at)
        or bytes:match("^\224[\160-\191][\128-\191]()", at)
        or bytes:match("^[\225-\236\238\239][\128-\191][\128-\191]()", at)
        or bytes:match("^\237[\128-\159][\128-\191]()", at)
        or bytes:match("^\240[\144-\191][\128-\191][\128-\191]()", at)
        or bytes:match("^[\241-\243][\128-\191][\128-\191][\128-\191]()", at)
        or bytes:match("^\244[\128-\143][\128-\191][\128-\191]()", at)
      if not behind then return false end
      at = behind
    end
  end
  return true
end

-- Adds bytes [at, at + length) as text. `shown` is where the item's bytes begin, its length field included.
local function add_string(cursor, tree, field, shown, at, length)
  if length == 0 then
    tree:add(field, cursor.tvb(shown, at - shown), "")
    return ""
  end
  local range = cursor.tvb(at, length)
  local item = tree:add_packet_field(field, range, ENC_UTF_8)
  if not is_utf8(range:raw()) then item:add_proto_expert_info(NOTE.not_utf8) end
  return range:string(ENC_UTF_8)
end

-- A moment, from milliseconds since 1970 as two numbers, so that no precision is lost.
local function moment(millis)
  local seconds, rest = millis / 1000, millis % 1000
  return NSTime.new(seconds:tonumber(), rest:tonumber() * 1000000)
end

local function put_bits(cursor, item, field, range)
  local value, words = range:uint(), {}
  for _, part in ipairs(field.bits) do
    item:add(part.field, range)
    if math.floor(value / part.mask) % 2 == 1 then words[#words + 1] = part.word end
  end
  item:append_text(#words > 0 and " (" .. table.concat(words, ", ") .. ")" or " (none)")
end

local function put_number(cursor, tree, field, at, length)
  local range = cursor.tvb(at, length)
  if field.means == "millis" then
    local millis = range:uint64()
    local item = tree:add(field.item, range, moment(millis))
    if millis == UInt64(0) then item:append_text(" (0: none)") end
    return millis
  end
  local item = tree:add(field.item, range)
  if field.means == "happening" then
    local id = range:uint64()
    -- 20 bits below count what happened within the same millisecond.
    if id ~= UInt64(0) then item:add(field.time, range, moment(id / 1048576)):set_generated() end
    return id
  elseif length == 8 then
    return range:uint64()
  end
  local value = range:uint()
  if field.bits then
    put_bits(cursor, item, field, range)
  elseif field.means == "code" and not field.words[value] then
    item:add_proto_expert_info(NOTE.unknown_code)
  end
  return value
end

local SIZES = { u8 = 1, u16 = 2, u32 = 4, u64 = 8, bytes16 = 16, bytes24 = 24, bytes32 = 32 }

local put_field -- a list has fields in it

local function put_address(cursor, tree, field, at)
  local ip, port = cursor.tvb(at, 16), cursor.tvb(at + 16, 2)
  -- IPv4 comes as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
  local is_v4 = ip:raw():sub(1, 12) == ("\0"):rep(10) .. "\255\255"
  local text = is_v4 and ("%s:%d"):format(tostring(ip(12, 4):ipv4()), port:uint())
    or ("[%s]:%d"):format(tostring(ip:ipv6()), port:uint())
  local item = tree:add(field.item, cursor.tvb(at, 18), text)
  if is_v4 then item:add(field.ipv4, ip(12, 4)) else item:add(field.ipv6, ip) end
  item:add(field.port, port)
  return text
end

-- One row: a number of columns, and so many texts of at most 65,535 bytes.
local function put_row(cursor, tree, field, at)
  local columns = cursor.tvb(at, 1):uint()
  local begin, words = at, {}
  local item = tree:add(field.entry_item, cursor.tvb(at, 1))
  at = at + 1
  for _ = 1, columns do
    if at + 2 > cursor.limit then return nil end
    local length = cursor.tvb(at, 2):uint()
    if at + 2 + length > cursor.limit then return nil end
    words[#words + 1] = add_string(cursor, item, field.column_item, at, at + 2, length)
    at = at + 2 + length
  end
  item:set_len(at - begin)
  item:set_text("Row: " .. table.concat(words, " | "))
  return at
end

local function put_entry(cursor, tree, field, at)
  local begin, values = at, {}
  local item = tree:add(field.entry_item, cursor.tvb(at, 1))
  for _, part in ipairs(field.entry) do
    local value
    at, value = put_field(cursor, item, part, at)
    if not at then return nil end
    values[#values + 1] = part.means == "code" and part.words[value] or tostring(value)
  end
  item:set_len(at - begin)
  item:set_text("Entry: " .. table.concat(values, ", "))
  return at
end

local function put_list(cursor, tree, field, at)
  local item = tree:add(field.item, cursor.tvb(at, cursor.limit - at))
  local put_one, count = field.form == "rows" and put_row or put_entry, 0
  while at < cursor.limit do
    if count == ENTRIES_MAX then
      item:add_proto_expert_info(NOTE.many)
      at = cursor.limit
      break
    end
    at = put_one(cursor, item, field, at)
    if not at then return nil end
    count = count + 1
  end
  item:set_text(("%s: %d"):format(label(field.name), count))
  return at, count
end

-- Adds the field that begins at `at`. Returns where the next one begins, and the value; or nil where the body ends inside.
put_field = function(cursor, tree, field, at)
  local form, left = field.form, cursor.limit - at
  if left < field.len_min then return nil end
  if SIZES[form] and not form:find("^bytes") then
    return at + SIZES[form], put_number(cursor, tree, field, at, SIZES[form])
  elseif form == "name" or form == "long" then
    local begin = at + field.len_min
    local length = cursor.tvb(at, field.len_min):uint()
    if begin + length > cursor.limit then return nil end
    return begin + length, add_string(cursor, tree, field.item, at, begin, length)
  elseif form == "text" then
    return cursor.limit, add_string(cursor, tree, field.item, at, at, left)
  elseif form == "list" or form == "rows" then
    return put_list(cursor, tree, field, at)
  elseif form == "address" then
    return at + 18, put_address(cursor, tree, field, at)
  elseif form == "magic" then
    local range = cursor.tvb(at, 4)
    local item = tree:add_packet_field(field.item, range, ENC_ASCII)
    if range:raw() ~= MAGIC then item:add_proto_expert_info(NOTE.bad_magic) end
    return at + 4, range:raw() == MAGIC
  end
  local length = SIZES[form] or left -- bytes of a fixed number, or all that are left
  tree:add(field.item, cursor.tvb(at, length))
  return at + length, length
end

-- Adds all fields of a kind. Returns whether the body is what its kind promises; what was read is in cursor.values.
local function put_body(cursor, tree, kind, at)
  for _, field in ipairs(kind.fields) do
    local behind, value = put_field(cursor, tree, field, at)
    if not behind then
      tree:add_proto_expert_info(cursor.is_cut and NOTE.cut_short or NOTE.short)
      if at < cursor.limit then tree:add(F.rest, cursor.tvb(at, cursor.limit - at)):set_text("Part of " .. field.name) end
      return false
    end
    cursor.values[field.name], at = value, behind
    if field.form == "magic" and not value then return false end
    if kind.name == "hello" and field.name == "body_max" and cursor.values.version ~= PROTOCOL_VERSION then
      -- What another version says behind this is not known here.
      if at < cursor.limit then tree:add(F.rest, cursor.tvb(at, cursor.limit - at)) end
      tree:add_proto_expert_info(NOTE.other_version)
      return true
    end
  end
  if at < cursor.limit then
    tree:add(F.rest, cursor.tvb(at, cursor.limit - at))
    tree:add_proto_expert_info(NOTE.trailing)
    return false
  end
  return true
end

-- The same without a tree: whether bytes [at, limit) are a body of that kind. For heuristics, which must not add items.
local function skip_field(bytes, limit, field, at)
  local form = field.form
  if limit - at < field.len_min then return nil end
  if form == "name" then
    at = at + 1 + bytes:byte(at + 1)
  elseif form == "long" then
    at = at + 2 + bytes:byte(at + 1) * 256 + bytes:byte(at + 2)
  elseif form == "text" then
    return is_utf8(bytes:sub(at + 1, limit)) and limit or nil
  elseif form == "bytes" or form == "rows" then
    return limit
  elseif form == "list" then
    while at and at < limit do
      for _, part in ipairs(field.entry) do at = at and skip_field(bytes, limit, part, at) end
    end
    return at
  elseif form == "magic" then
    return bytes:sub(at + 1, at + 4) == MAGIC and at + 4 or nil
  else
    at = at + field.len_min
  end
  return at <= limit and at or nil
end

local function is_body(bytes, kind, at, limit)
  for _, field in ipairs(kind.fields) do
    at = skip_field(bytes, limit, field, at)
    if not at then return false end
  end
  return at == limit
end
