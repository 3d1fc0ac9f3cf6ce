-- Writes down that tasks are about to be handed over: from now on they may have run.
-- KEYS[1]  what keys begin with
-- ARGV     consumer, and then pairs: id, whether it may run twice (0, 1)
-- Returns of each 1, or 0 where the consumer has it no longer
mustRun()
local answers = {}
for i = 2, #ARGV, 2 do
  local key = taskKey(ARGV[i])
  local mine = redis.call('HGET', key, 'holder') == ARGV[1]
  if mine then
    redis.call('HSET', key, 'state', 'running', 'twice', ARGV[i + 1])
    redis.call('HINCRBY', key, 'attempts', 1)
  end
  answers[#answers + 1] = mine and 1 or 0
end
return answers
