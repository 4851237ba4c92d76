-- What belongs together: a request and its answer, a ping and its pong, a challenge and its proof; and what a connection
-- has agreed on. Found out once, on the first pass, for every frame by the packet in which it ends and its place there.

local conversations -- by their two ends
local bindings      -- the TCP conversation of a binding, by "address:port/number": datagrams are a part of it
local relays        -- what a relay is for, by its channel; direct paths have the same channel and another conversation
local known         -- what was found out about a frame, by packet and place

local function forget()
  conversations, bindings, relays, known = {}, {}, {}, {}
end
forget()

local function source(pinfo) return tostring(pinfo.src) .. ":" .. pinfo.src_port end
local function destination(pinfo) return tostring(pinfo.dst) .. ":" .. pinfo.dst_port end

-- By addresses and ports, not by tcp.stream: Wireshark has fields of other protocols only while somebody looks at a
-- packet, and not on the first pass.
local function conversation_of(pinfo, transport)
  local from, to = source(pinfo), destination(pinfo)
  local key = transport .. " " .. (from < to and from .. " " .. to or to .. " " .. from)
  local conversation = conversations[key]
  if not conversation then
    -- Requests that wait for an answer, and the last one with an id; what calls are for; and see streams.lua.
    conversation = { waiting = {}, last = {}, relays = {}, opens = {}, directions = {} }
    conversations[key] = conversation
  end
  return conversation
end

-- Datagrams of a binding belong to the TCP conversation in which its ticket was given.
local function conversation_of_datagram(pinfo, channel)
  return bindings[destination(pinfo) .. "/" .. channel] or bindings[source(pinfo) .. "/" .. channel]
    or conversation_of(pinfo, "udp")
end

local function ask(conversation, id, pinfo, kind)
  local asked = { kind = kind, packet = pinfo.number, time = pinfo.rel_ts }
  local waiting = conversation.waiting[id]
  if waiting then waiting[#waiting + 1] = asked else conversation.waiting[id] = { asked } end
  conversation.last[id] = asked
  return asked
end

-- The request that this answers: the first that waits with that id, for such an answer. What comes behind an answer with
-- the same id (more frames of a list, the past of a room one joined) belongs to that request as well.
local function answer(conversation, id, pinfo, kind)
  local waiting = conversation.waiting[id]
  for at, asked in ipairs(waiting or {}) do
    if kind == "refused" or asked.kind.answers[kind] then
      table.remove(waiting, at)
      if #waiting == 0 then conversation.waiting[id] = nil end
      asked.answered_in = pinfo.number
      conversation.last[id] = asked
      return asked
    end
  end
  return id ~= 0 and conversation.last[id] or nil
end

-- Kinds that have no request id, and are answered all the same: what makes the pair one.
local PAIRS = {
  ping = function(values) return "ping " .. tostring(values.token), { answers = { pong = true } } end,
  bind = function() return "bind", { answers = { challenge = true } } end,
  prove = function() return "prove", { answers = { bound = true } } end,
}
local PAIRED = {
  pong = function(values) return "ping " .. tostring(values.token) end,
  challenge = function() return "bind" end,
  bound = function() return "prove" end,
}

local function link_request(conversation, kind, values, channel, pinfo)
  local id = values.request
  if kind.answers then
    if kind.name == "open" then conversation.opens[id] = values.purpose end
    -- What comes with id 0 is often no answer, but what happened without being asked for. Only a hello is alone.
    return (id ~= 0 or kind.name == "hello") and { asks = ask(conversation, id, pinfo, kind) } or {}
  elseif id and (id ~= 0 or conversation.waiting[0]) then
    local asked = answer(conversation, id, pinfo, kind.name)
    return { answers = asked }
  elseif PAIRS[kind.name] then
    local pair, as = PAIRS[kind.name](values)
    return { asks = ask(conversation, pair .. " of " .. source(pinfo) .. channel, pinfo,
      { name = kind.name, answers = as.answers }) }
  elseif PAIRED[kind.name] then
    local pair = PAIRED[kind.name](values)
    local waits = pair .. " of " .. destination(pinfo)
    -- A bound comes over TCP, and its prove came in a datagram, from another port.
    if kind.name == "bound" then waits = "prove of " .. tostring(conversation.proves or "") end
    return { answers = conversation.waiting[waits .. channel] and answer(conversation, waits .. channel, pinfo, kind.name) }
  end
  return {}
end

-- Notes what a whole and well-formed frame changes for those behind it.
local function learn(conversation, kind, values, channel, pinfo)
  local name = kind.name
  if name == "hello" then
    conversation.client = source(pinfo)
    -- The same two ports, and another connection: nothing of the one before holds.
    if conversation.is_over then conversation.body_max, conversation.is_over = nil, nil end
  elseif name == "bye" then
    conversation.is_over = true
  elseif name == "welcome" then
    conversation.body_max = values.body_max
  elseif name == "ticket" then
    bindings[source(pinfo) .. "/" .. channel] = conversation
  elseif name == "prove" then
    conversation.proves = source(pinfo)
  elseif name == "offer" then
    conversation.relays[channel], relays[channel] = values.purpose, values.purpose
  elseif name == "ringing" or name == "opened" then
    local purpose = conversation.opens[values.request]
    conversation.relays[channel], relays[channel] = purpose, purpose
  end
end

-- The longest body that holds for the next frame of this sender.
local function body_max_of(conversation, pinfo)
  if conversation.body_max then return conversation.body_max end
  return conversation.client == source(pinfo) and 4096 or BODY_MAX
end

-- The key of the next frame in this packet. Wireshark empties `private` before each dissection of a packet.
local function next_key(pinfo)
  local place = (tonumber(pinfo.private.switchboard_frames) or 0) + 1
  pinfo.private.switchboard_frames = tostring(place)
  return pinfo.number .. "." .. place
end

local function put_links(links, tree, range, pinfo)
  local asks, answers = links.asks, links.answers
  if asks and asks.answered_in then
    tree:add(F.response_in, range, asks.answered_in):set_generated()
  end
  if answers then
    tree:add(F.response_to, range, answers.packet):set_generated()
    tree:add(F.answers, range, answers.kind.name):set_generated()
    local span = math.max(pinfo.rel_ts - answers.time, 0)
    local seconds = math.floor(span)
    local nanos = math.min(math.floor((span - seconds) * 1e9 + 0.5), 999999999)
    tree:add(F.response_time, range, NSTime.new(seconds, nanos)):set_generated()
  end
end
