-- Which dataset a partition of Redis holds: a random name that is made where there is none, and that is lost together
-- with the counters. So a Redis that came back empty is not taken for the one before.
-- KEYS: the dataset's name. ARGV: a name to set where there is none, or where the present one is ARGV[2].
-- Returns {name, id of the last entry of its stream ('0-0': none)}.

local name = redis.call('GET', KEYS[1])
if not name or name == ARGV[2] then
  name = ARGV[1]
  redis.call('SET', KEYS[1], name)
end
local stream = string.gsub(KEYS[1], 'dataset$', '') .. name .. ':usage'
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
return {name, last and last[1] or '0-0'}
