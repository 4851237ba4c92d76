-- A field that can be filtered by for every field of every body: switchboard.say.text, switchboard.room_list.rooms.name.
-- Request ids are the exception. They are switchboard.request in all kinds, so that one filter follows a request.

local YES_NO = { [0] = "no", [1] = "yes" }

-- "subject_millis" → "Subject millis"
local function label(name)
  return (name:gsub("_", " "):gsub("^%l", string.upper))
end

-- Bits of a number, each a field of its own below the number's.
local function add_bits(field, abbr, width)
  field.bits = {}
  local numbers = {}
  for number in pairs(field.words) do numbers[#numbers + 1] = number end
  table.sort(numbers)
  for _, number in ipairs(numbers) do
    -- Of codes, those that are no bit of this width stand for something else.
    local mask = field.means == "bits" and number or math.floor(2 ^ number)
    if mask < math.floor(2 ^ width) then
      local word = field.words[number]
      local bit_field = ProtoField.bool(abbr .. "." .. word, label(word), width, nil, mask)
      field.bits[#field.bits + 1] = { mask = mask, word = word, field = add_field(bit_field) }
    end
  end
end

local UNSIGNED = { u8 = ProtoField.uint8, u16 = ProtoField.uint16, u32 = ProtoField.uint32 }
local WIDTH = { u8 = 8, u16 = 16, u32 = 32 }

local function make_field(field, abbr)
  local form, means, name = field.form, field.means, label(field.name)
  if form == "list" then
    field.entry_item = add_field(ProtoField.none(abbr .. ".entry", "Entry"))
    for _, part in ipairs(field.entry) do part.item = make_field(part, abbr .. "." .. part.name) end
    return add_field(ProtoField.none(abbr, name))
  elseif form == "rows" then
    field.entry_item = add_field(ProtoField.none(abbr .. ".row", "Row"))
    field.column_item = add_field(ProtoField.string(abbr .. ".column", "Column"))
    return add_field(ProtoField.none(abbr, name))
  elseif form == "address" then
    field.ipv4 = add_field(ProtoField.ipv4(abbr .. ".ipv4", "IPv4 address"))
    field.ipv6 = add_field(ProtoField.ipv6(abbr .. ".ipv6", "IPv6 address"))
    field.port = add_field(ProtoField.uint16(abbr .. ".port", "Port", base.DEC))
    return add_field(ProtoField.string(abbr, name))
  elseif means == "millis" then
    return add_field(ProtoField.absolute_time(abbr, name:gsub(" millis$", "") .. " (UTC)", base.UTC))
  elseif form == "u64" then
    if means == "happening" then
      field.time = add_field(ProtoField.absolute_time(abbr .. ".time", "Time in it", base.UTC))
    end
    return add_field(ProtoField.uint64(abbr, name, base.DEC))
  elseif UNSIGNED[form] then
    if means == "bits" or means == "bit_per_code" then
      add_bits(field, abbr, WIDTH[form])
      return add_field(UNSIGNED[form](abbr, name, base.HEX))
    elseif means == "seconds" then
      return add_field(UNSIGNED[form](abbr, name, base.UNIT_STRING, { " second", " seconds" }))
    elseif means == "length" then
      return add_field(UNSIGNED[form](abbr, name, base.UNIT_STRING, { " byte", " bytes" }))
    end
    local words = means == "code" and field.words or means == "yes_no" and YES_NO or nil
    return add_field(UNSIGNED[form](abbr, name, base.DEC, words))
  elseif form == "bytes" or form == "bytes16" or form == "bytes24" or form == "bytes32" then
    return add_field(ProtoField.bytes(abbr, name))
  end
  return add_field(ProtoField.string(abbr, name))
end

for _, kind in pairs(KINDS) do
  for _, field in ipairs(kind.fields) do
    if field.name == "request" then
      field.item = F.request
    else
      field.item = make_field(field, "switchboard." .. kind.name .. "." .. field.name)
    end
  end
end

switchboard.fields = all_fields
