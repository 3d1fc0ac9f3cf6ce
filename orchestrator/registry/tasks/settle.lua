-- Ends attempts: what came out is stored and the entry acknowledged, both or neither.
-- KEYS[1]    what keys begin with
-- ARGV[1]    consumer
-- ARGV[2-4]  of a topic: finished tasks that are kept, bytes of their results, for how many ms
-- ARGV[5..]  of each: id, kind (done, failed, retry, dead), text (the outcome as JSON, else a message), reason or '',
--            delay in ms, whether it was refused (0, 1)
-- Returns of each 1, or 0 where the consumer has it no longer
mustRun()
local consumer, kept, keptBytes, keptMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local RESULT_BYTES = prefix .. 'tasks:results'

-- The oldest finished tasks are forgotten together with their results.
local function trim(topic, length)
  local bytes = tonumber(redis.call('HGET', RESULT_BYTES, topic) or 0)
  local before = bytes
  while length > kept or (bytes > keptBytes and length > 1) do
    local oldest = redis.call('XRANGE', resultsKey(topic), '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', resultsKey(topic), oldest[1])
    forget(field(oldest[2], 'id'))
    bytes = bytes - #field(oldest[2], 'json')
    length = length - 1
  end
  if bytes ~= before then redis.call('HSET', RESULT_BYTES, topic, bytes) end
end

local function finish(id, topic, kind, json, principal, bytes, idempotency)
  local key = resultsKey(topic)
  if redis.call('EXISTS', key) == 0 then redis.call('HDEL', RESULT_BYTES, topic) end
  local result = redis.call('XADD', key, '*', 'id', id, 'json', json, 'by', principal)
  redis.call('HSET', taskKey(id), 'state', kind, 'result', result)
  redis.call('HINCRBY', RESULT_BYTES, topic, #json)
  for _, expiring in ipairs({ key, taskKey(id) }) do redis.call('PEXPIRE', expiring, keptMs) end
  if idempotency then redis.call('PEXPIRE', prefix .. 'task:key:' .. idempotency, keptMs) end
  count(-1, 0, -bytes)
  trim(topic, redis.call('XLEN', key))
end

local answers = {}
for i = 5, #ARGV, 6 do
  local id, kind, text = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local key = taskKey(id)
  local holder, stream, entry, topic, principal, bytes, attempts, idempotency =
    unpack(redis.call('HMGET', key, 'holder', 'stream', 'entry', 'topic', 'principal', 'bytes', 'attempts', 'key'))
  local mine = holder == consumer
  if mine then
    if kind == 'retry' then
      redis.call('HSET', key, 'state', 'delayed', 'message', text, 'json', jsonIn(streamKey(stream), entry))
      redis.call('HINCRBY', key, 'refusals', ARGV[i + 5])
      redis.call('ZADD', delayedKey(topic), now + ARGV[i + 4], id)
    elseif kind == 'dead' then
      local letter = redis.call('XADD', deadKey(topic), '*', 'id', id, 'json', jsonIn(streamKey(stream), entry),
        'reason', ARGV[i + 3], 'message', text, 'attempts', attempts, 'at', now, 'by', principal)
      redis.call('HSET', key, 'state', 'dead', 'message', text, 'reason', ARGV[i + 3], 'letter', letter)
      count(0, 1, 0)
    else
      finish(id, topic, kind, text, principal, tonumber(bytes), idempotency)
    end
    redis.call('HDEL', key, 'holder', 'entry')
    take(topic, stream, entry)
  end
  answers[#answers + 1] = mine and 1 or 0
end
return answers
