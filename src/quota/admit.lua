-- Counts one request in the day and in the month, or in neither, and appends it to the stream that the ledger folds.
-- ARGV: daily limit, monthly limit (-1: unlimited), now ('': Redis' own clock), license, device, provider, model,
--       and, where the caller has just read the ledger: the day it read for, and what it found for day and month.
-- Returns {decision, day, used today, used this month}; decision 1: admitted, 2: the day is used up, 3: the month is,
-- 0: cold, a counter is missing and nothing was decided: read the ledger for this day and call again.

local daily, monthly = tonumber(ARGV[1]), tonumber(ARGV[2])
local day = today(ARGV[3])
local day_counter, month_counter = day_key(day), month_key(day)

if ARGV[8] and tonumber(ARGV[8]) == day then
  -- NX: of all the instances that found the counter missing, the first one seeds it.
  redis.call('SET', day_counter, ARGV[9], 'NX', 'EX', DAY_TTL)
  redis.call('SET', month_counter, ARGV[10], 'NX', 'EX', MONTH_TTL)
end

local counts = redis.call('MGET', day_counter, month_counter)
local used_today, used_this_month = tonumber(counts[1]), tonumber(counts[2])
if not used_today or not used_this_month then return {0, day, 0, 0} end
if daily >= 0 and used_today >= daily then return {2, day, used_today, used_this_month} end
if monthly >= 0 and used_this_month >= monthly then return {3, day, used_today, used_this_month} end

redis.call('INCR', day_counter)
redis.call('INCR', month_counter)
redis.call('XADD', KEYS[2], '*',
  'l', ARGV[4], 'd', ARGV[5], 'p', ARGV[6], 'm', ARGV[7], 'y', day, 'n', 1, 'r', 0)
return {1, day, used_today + 1, used_this_month + 1}
