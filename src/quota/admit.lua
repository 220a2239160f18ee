-- Counts requests (one, or as many as a client reports) in the day and in the month, or in neither, and appends them to
-- the stream that the ledger folds.
-- ARGV: dataset, '<daily limit> <monthly limit> <count> <now>' (limits of -1: unlimited; now '': Redis' own clock), what is
--       called (see append), tag; and, where the caller has just read the ledger: the day it read for, what it found for
--       day and month, and up to which entry of the stream the ledger had been folded.
-- Returns '<decision> <day> <used today> <used this month> <id of the entry>'; decision 1: admitted, 2: the day is used up,
-- 3: the month is, 0: cold, a counter is missing and nothing was decided: read the ledger for this day and call again,
-- -2: the ledger is too far behind to seed from: fold it first; -1: the dataset is another one.
-- One text for several numbers, since whoever writes and reads them pays for each by itself.

local MOST_UNFOLDED = 20000

local function parts(id)
  local time, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(sequence)
end

local function is_before(one, other)
  local time, sequence = parts(one)
  local other_time, other_sequence = parts(other)
  return time < other_time or (time == other_time and sequence < other_sequence)
end

local function answer(decision, day, used_today, used_this_month, id)
  return table.concat({decision, day, used_today, used_this_month, id or ''}, ' ')
end

-- What of this license is in the stream, but not in what was read of the ledger.
local function unfolded(license, day, folded_to)
  local month, in_day, in_month = month_of(day), 0, 0
  local count = scan('(' .. folded_to, function(its_license, entry_day, requests)
    if its_license == license then
      if entry_day == day then in_day = in_day + requests end
      if month_of(entry_day) == month then in_month = in_month + requests end
    end
  end)
  return in_day, in_month, count
end

if not is_dataset(ARGV[1]) then return answer(OTHER_DATASET, 0, 0, 0) end
local daily, monthly, count, now = string.match(ARGV[2], '^(%-?%d+) (%-?%d+) (%d+) (%d*)$')
daily, monthly, count = tonumber(daily), tonumber(monthly), tonumber(count)
local day = today(now)
local day_counter, month_counter = day_key(day), month_key(day)

if ARGV[5] and tonumber(ARGV[5]) == day then
  local folded_to = ARGV[8]
  -- Entries that were folded and trimmed after the ledger was read are in neither: it has to be read again.
  local trimmed_to = redis.call('GET', KEYS[3] .. ':trimmed')
  if trimmed_to and is_before(folded_to, trimmed_to) then return answer(0, day, 0, 0) end
  local behind = redis.call('XLEN', KEYS[3]) > MOST_UNFOLDED
    and #redis.call('XRANGE', KEYS[3], '(' .. folded_to, '+', 'COUNT', MOST_UNFOLDED) == MOST_UNFOLDED
  if behind then return answer(-2, day, 0, 0) end
  local in_day, in_month = unfolded(string.match(ARGV[3], '^[^\n]*'), day, folded_to)
  -- NX: of all the instances that found the counter missing, the first one seeds it.
  redis.call('SET', day_counter, math.max(0, tonumber(ARGV[6]) + in_day), 'NX', 'EX', DAY_TTL)
  redis.call('SET', month_counter, math.max(0, tonumber(ARGV[7]) + in_month), 'NX', 'EX', MONTH_TTL)
end

local counts = redis.call('MGET', day_counter, month_counter)
local used_today, used_this_month = tonumber(counts[1]), tonumber(counts[2])
if not used_today or not used_this_month then return answer(0, day, 0, 0) end
if daily >= 0 and used_today + count > daily then return answer(2, day, used_today, used_this_month) end
if monthly >= 0 and used_this_month + count > monthly then return answer(3, day, used_today, used_this_month) end

redis.call('INCRBY', day_counter, count)
redis.call('INCRBY', month_counter, count)
local id = append(ARGV[3], day, count, 0, ARGV[4])
return answer(1, day, used_today + count, used_this_month + count, id)
