-- Takes tasks: all of them, or none.
-- KEYS[1]    what keys begin with
-- ARGV[1,2]  most open tasks, most bytes of them
-- ARGV[3..]  of each task: id, topic, stream, priority, delay in ms, idempotency key or '', digest, principal, most
--            attempts, whether it may run twice (0, 1), JSON
-- Returns 'full', 'conflict', or of each task {id, state, whether it existed}
local FIELDS = 11
local function keyOf(key) return prefix .. 'task:key:' .. key end

local seen, room, bytes = {}, 0, 0
for i = 3, #ARGV, FIELDS do
  local key, stands = ARGV[i + 5], ARGV[i] .. ' ' .. ARGV[i + 6]
  local known = key ~= '' and (seen[key] or redis.call('GET', keyOf(key)))
  if not known then
    room, bytes = room + 1, bytes + #ARGV[i + 10]
    if key ~= '' then seen[key] = stands end
  elseif string.match(known, ' (%S+)$') ~= ARGV[i + 6] then
    return 'conflict'
  end
end
local usage = redis.call('HMGET', USAGE, 'open', 'bytes')
local open, held = tonumber(usage[1] or 0) + room, tonumber(usage[2] or 0) + bytes
if room > 0 and (open > tonumber(ARGV[1]) or held > tonumber(ARGV[2])) then return 'full' end

local answers = {}
for i = 3, #ARGV, FIELDS do
  local id, topic, stream, priority, delay, key, digest, principal, most, twice, json = unpack(ARGV, i, i + FIELDS - 1)
  local known = key ~= '' and redis.call('GET', keyOf(key))
  if known then
    local first = string.match(known, '^(%S+)')
    answers[#answers + 1] = { first, redis.call('HGET', taskKey(first), 'state') or 'done', '1' }
  else
    local isDelayed = tonumber(delay) > 0
    redis.call('HSET', taskKey(id), 'topic', topic, 'stream', stream, 'priority', priority, 'attempts', 0,
      'refusals', 0, 'principal', principal, 'max', most, 'twice', twice, 'enqueued', now, 'due', now + delay,
      'bytes', #json, 'state', isDelayed and 'delayed' or 'queued')
    if key ~= '' then
      redis.call('SET', keyOf(key), id .. ' ' .. digest)
      redis.call('HSET', taskKey(id), 'key', key)
    end
    if isDelayed then
      redis.call('HSET', taskKey(id), 'json', json)
      redis.call('ZADD', delayedKey(topic), now + delay, id)
    else
      redis.call('HSET', taskKey(id), 'entry', put(topic, stream, priority, id, json))
    end
    count(1, 0, #json)
    answers[#answers + 1] = { id, isDelayed and 'delayed' or 'queued', '0' }
  end
end
return answers
