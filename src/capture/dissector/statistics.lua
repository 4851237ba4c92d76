-- How much of which kind, and how long answers took: `tshark -z switchboard,kinds`, or Statistics > Switchboard in Wireshark.

local kinds_seen, lengths_seen = Field.new("switchboard.kind"), Field.new("switchboard.length")
local asked_seen, times_seen = Field.new("switchboard.response_to.kind"), Field.new("switchboard.response_time")

local function new_counts()
  return { kinds = {}, times = {}, frames = 0, bytes = 0 }
end

local function count(counts)
  local kinds, lengths = { kinds_seen() }, { lengths_seen() }
  for at, kind in ipairs(kinds) do
    local row = counts.kinds[kind.value] or { frames = 0, bytes = 0, bytes_max = 0 }
    local bytes = HEADER_LEN + (lengths[at] and lengths[at].value or 0)
    row.frames, row.bytes, row.bytes_max = row.frames + 1, row.bytes + bytes, math.max(row.bytes_max, bytes)
    counts.kinds[kind.value] = row
    counts.frames, counts.bytes = counts.frames + 1, counts.bytes + bytes
  end
  local asked, times = { asked_seen() }, { times_seen() }
  for at, kind in ipairs(asked) do
    local seconds = times[at] and tonumber(tostring(times[at].value)) or 0
    local row = counts.times[kind.value] or { answers = 0, sum = 0, min = seconds, max = seconds }
    row.answers, row.sum = row.answers + 1, row.sum + seconds
    row.min, row.max = math.min(row.min, seconds), math.max(row.max, seconds)
    counts.times[kind.value] = row
  end
end

-- The kinds of a table, those with the most first.
local function ranked(rows, by)
  local names = {}
  for name in pairs(rows) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    if rows[a][by] ~= rows[b][by] then return rows[a][by] > rows[b][by] end
    return a < b
  end)
  return names
end

local function report(counts)
  local lines = { "Switchboard: frames by kind", ("%-16s %9s %7s %12s %9s %9s"):format("kind", "frames", "%", "bytes", "average", "longest") }
  for _, name in ipairs(ranked(counts.kinds, "frames")) do
    local row = counts.kinds[name]
    lines[#lines + 1] = ("%-16s %9d %7.2f %12d %9.1f %9d"):format(name, row.frames, 100 * row.frames / counts.frames, row.bytes,
      row.bytes / row.frames, row.bytes_max)
  end
  lines[#lines + 1] = ("%-16s %9d %7.2f %12d"):format("all", counts.frames, 100, counts.bytes)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Switchboard: milliseconds from request to answer"
  lines[#lines + 1] = ("%-16s %9s %12s %12s %12s"):format("request", "answers", "least", "average", "most")
  for _, name in ipairs(ranked(counts.times, "answers")) do
    local row = counts.times[name]
    lines[#lines + 1] = ("%-16s %9d %12.3f %12.3f %12.3f"):format(name, row.answers, row.min * 1000, row.sum / row.answers * 1000, row.max * 1000)
  end
  return table.concat(lines, "\n") .. "\n"
end

-- In tshark, once at the end.
register_stat_cmd_arg("switchboard,kinds", function()
  local counts, tap = new_counts(), Listener.new("frame", "switchboard")
  function tap.packet() count(counts) end
  function tap.reset() counts = new_counts() end
  function tap.draw() print(report(counts)) end
end)

-- In Wireshark, a window that goes on counting while packets come.
if gui_enabled() then
  register_menu("Switchboard/Kinds of frames", function()
    local counts, tap = new_counts(), Listener.new("frame", "switchboard")
    local window = TextWindow.new("Switchboard: kinds of frames")
    window:set_atclose(function() tap:remove() end)
    function tap.packet() count(counts) end
    function tap.reset() counts = new_counts() end
    function tap.draw() window:set(report(counts)) end
    retap_packets()
  end, MENU_STAT_UNSORTED)
end
