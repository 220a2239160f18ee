-- Reads a license's counters and counts nothing. ARGV: dataset, now ('': Redis' own clock).
-- Returns {1, day, used today, used this month}, {0, day, 0, 0} where a counter is missing, or {-1, 0, 0, 0} where the
-- dataset is another one.

if not is_dataset(ARGV[1]) then return {OTHER_DATASET, 0, 0, 0} end
local day = today(ARGV[2])
local counts = redis.call('MGET', day_key(day), month_key(day))
if not counts[1] or not counts[2] then return {0, day, 0, 0} end
return {1, day, tonumber(counts[1]), tonumber(counts[2])}
