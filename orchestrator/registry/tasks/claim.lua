-- Gives a consumer tasks of a topic: first moves what has become due, then takes over what others abandoned, then
-- reads what is new, higher priorities first.
-- KEYS[1]  what keys begin with
-- ARGV     topic, consumer, how many, most of one lane, whose turn it is, abandoned after ms or '', and then pairs:
--          lane, how many of it the consumer has
-- Returns of each task {id, stream, JSON, state before, priority, attempts, refusals, principal, most attempts, may run
-- twice, enqueued, due, who had it before}
mustRun()
local topic, consumer, wanted, perLane, turn = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local busy = {}
for i = 7, #ARGV, 2 do busy[ARGV[i]] = tonumber(ARGV[i + 1]) end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayedKey(topic), '-inf', now, 'LIMIT', 0, 1000)) do
  local task = redis.call('HMGET', taskKey(id), 'stream', 'priority', 'json')
  redis.call('ZREM', delayedKey(topic), id)
  if task[3] then
    local entry = put(topic, task[1], task[2], id, task[3])
    redis.call('HDEL', taskKey(id), 'json')
    redis.call('HSET', taskKey(id), 'state', 'queued', 'entry', entry)
  end
end

local claimed = {}
local function hand(stream, entries)
  for _, entry in ipairs(entries) do
    local id, json = field(entry[2], 'id'), field(entry[2], 'json')
    local task = id and redis.call('HMGET', taskKey(id), 'state', 'priority', 'attempts', 'refusals', 'principal', 'max', 'twice', 'enqueued', 'due', 'holder')
    if task and task[1] then
      redis.call('HSET', taskKey(id), 'holder', consumer, 'entry', entry[1])
      claimed[#claimed + 1] = { id, stream, json, unpack(task) }
    else
      -- Written past the bus: nobody said who may see it or how often it may run. Somebody has to look at it.
      id, json = topic .. ':' .. entry[1], json or 'null'
      local message = 'The entry was not written by the bus.'
      local letter = redis.call('XADD', deadKey(topic), '*', 'id', id, 'json', json, 'reason', 'not_a_task',
        'message', message, 'attempts', 0, 'at', now, 'by', '')
      redis.call('HSET', taskKey(id), 'topic', topic, 'stream', stream, 'priority', 0, 'attempts', 0, 'refusals', 0,
        'principal', '', 'max', 1, 'twice', 0, 'enqueued', now, 'due', now, 'bytes', #json, 'state', 'dead',
        'reason', 'not_a_task', 'message', message, 'letter', letter)
      count(1, 1, #json)
      take(topic, stream, entry[1])
    end
  end
end

-- Streams of one priority after another; among equals each begins once.
local streams, sorted = redis.call('ZREVRANGE', streamsKey(topic), 0, -1, 'WITHSCORES'), {}
local from = 1
while from <= #streams do
  local to = from
  while to + 2 <= #streams and streams[to + 3] == streams[from + 1] do to = to + 2 end
  local size = (to - from) / 2 + 1
  for i = 0, size - 1 do sorted[#sorted + 1] = streams[from + 2 * ((i + turn) % size)] end
  from = to + 2
end

if ARGV[6] ~= '' then
  for _, stream in ipairs(sorted) do
    if #claimed >= wanted then break end
    local found = redis.pcall('XAUTOCLAIM', streamKey(stream), GROUP, consumer, ARGV[6], '0', 'COUNT', wanted - #claimed)
    if not found.err then hand(stream, found[2]) end
  end
end
for _, stream in ipairs(sorted) do
  local lane = string.match(stream, '@([^#]*)') or ''
  local room = math.min(wanted - #claimed, perLane - (busy[lane] or 0))
  if room > 0 then
    local found = redis.pcall('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', room, 'STREAMS', streamKey(stream), '>')
    if found and found.err then
      -- It has expired, or somebody removed it or its group past the bus.
      if redis.call('EXISTS', streamKey(stream)) == 0 then
        redis.call('ZREM', streamsKey(topic), stream)
      else
        redis.pcall('XGROUP', 'CREATE', streamKey(stream), GROUP, '0')
      end
    elseif found then
      busy[lane] = (busy[lane] or 0) + #found[1][2]
      hand(stream, found[1][2])
    end
  end
end
return claimed
