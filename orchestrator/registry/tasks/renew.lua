-- Says that a consumer is still at work on its tasks.
-- KEYS[1]  what keys begin with
-- ARGV     consumer, and then ids
-- Returns of each 1, or 0 where the consumer has it no longer
local answers = {}
for i = 2, #ARGV do
  local task = redis.call('HMGET', taskKey(ARGV[i]), 'holder', 'stream', 'entry')
  local mine = task[1] == ARGV[1]
  if mine then redis.call('XCLAIM', streamKey(task[2]), GROUP, ARGV[1], 0, task[3], 'JUSTID') end
  answers[#answers + 1] = mine and 1 or 0
end
return answers
