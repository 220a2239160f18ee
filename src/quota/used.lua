-- Reads a license's counters and counts nothing. ARGV: now ('': Redis' own clock).
-- Returns {1, day, used today, used this month}, or {0, day, 0, 0} where a counter is missing.

local day = today(ARGV[1])
local counts = redis.call('MGET', day_key(day), month_key(day))
if not counts[1] or not counts[2] then return {0, day, 0, 0} end
return {1, day, tonumber(counts[1]), tonumber(counts[2])}
