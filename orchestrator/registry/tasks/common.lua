-- Begins every script of the task bus. KEYS[1] is what its keys begin with; all others are made of it, so that a
-- script can reach the tasks it finds: one Redis, no cluster.
local prefix = KEYS[1]
local GROUP = 'default'
local USAGE = prefix .. 'tasks:usage'
local EMPTY_STREAM_MS = 86400000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function taskKey(id) return prefix .. 'task:' .. id end
local function streamKey(stream) return prefix .. 'stream:tasks:' .. stream end
local function delayedKey(topic) return prefix .. 'tasks:delayed:' .. topic end
local function streamsKey(topic) return prefix .. 'tasks:streams:' .. topic end
local function deadKey(topic) return prefix .. 'stream:dead:' .. topic end
local function resultsKey(topic) return prefix .. 'stream:results:' .. topic end

-- A Redis that is full refuses a script at its first command that may take memory, and no later one. What ends tasks is
-- how it gets room again, so it begins with a write that takes none.
local function mustRun() redis.call('PERSIST', USAGE) end

local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return nil
end

-- Into its stream; the task's JSON is there and nowhere else.
local function put(topic, stream, priority, id, json)
  local key = streamKey(stream)
  redis.pcall('XGROUP', 'CREATE', key, GROUP, '0', 'MKSTREAM')
  local entry = redis.call('XADD', key, '*', 'id', id, 'json', json)
  redis.call('PERSIST', key)
  redis.call('ZADD', streamsKey(topic), priority, stream)
  return entry
end

-- Out of its stream, for good. One that is empty is forgotten after a day, not at once: somebody may be reading it.
local function take(topic, stream, entry)
  local key = streamKey(stream)
  redis.call('XACK', key, GROUP, entry)
  redis.call('XDEL', key, entry)
  if redis.call('XLEN', key) == 0 then
    redis.call('ZREM', streamsKey(topic), stream)
    redis.call('PEXPIRE', key, EMPTY_STREAM_MS)
  end
end

-- `null` for an entry that somebody removed past the bus.
local function jsonIn(key, entry)
  local found = redis.call('XRANGE', key, entry, entry)[1]
  return found and field(found[2], 'json') or 'null'
end

local function forget(id)
  local idempotency = redis.call('HGET', taskKey(id), 'key')
  if idempotency then redis.call('UNLINK', prefix .. 'task:key:' .. idempotency) end
  redis.call('UNLINK', taskKey(id))
end

local function count(open, dead, bytes)
  redis.call('HINCRBY', USAGE, 'open', open)
  if dead ~= 0 then redis.call('HINCRBY', USAGE, 'dead', dead) end
  redis.call('HINCRBY', USAGE, 'bytes', bytes)
end
