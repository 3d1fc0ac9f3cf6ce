-- What becomes of a dead letter.
-- KEYS[1]  what keys begin with
-- ARGV     id, and replay or discard
-- Returns 1, or 0 where the task is not dead
mustRun()
local id = ARGV[1]
local state, topic, stream, priority, letter, bytes =
  unpack(redis.call('HMGET', taskKey(id), 'state', 'topic', 'stream', 'priority', 'letter', 'bytes'))
if state ~= 'dead' then return 0 end
if ARGV[2] == 'replay' then
  local entry = put(topic, stream, priority, id, jsonIn(deadKey(topic), letter))
  redis.call('HDEL', taskKey(id), 'reason', 'message', 'letter')
  redis.call('HSET', taskKey(id), 'state', 'queued', 'entry', entry, 'attempts', 0, 'refusals', 0, 'due', now)
  count(0, -1, 0)
else
  forget(id)
  count(-1, -1, -tonumber(bytes))
end
redis.call('XDEL', deadKey(topic), letter)
return 1
