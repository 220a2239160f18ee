-- Put in front of the scripts of this folder: which windows it is now, their counters' keys, and how to read the stream.
-- KEYS[1] names the partition's dataset (see dataset.lua), KEYS[2] is the license's base key within the dataset, KEYS[3]
-- the dataset's stream. All keys of a partition carry one hash tag, so that they lie in one slot of a Redis Cluster.

local DAY_TTL = 3 * 86400
local MONTH_TTL = 40 * 86400
-- What a script does to a caller that counts in a dataset which is not (or no longer) the partition's.
local OTHER_DATASET = -1

-- Days since 1970-01-01, by Redis' clock: instances whose clocks differ agree on when midnight is.
-- @param override milliseconds since the epoch, or '' (tests stand at midnight with it)
local function today(override)
  if override ~= '' then return math.floor(tonumber(override) / 86400000) end
  return math.floor(tonumber(redis.call('TIME')[1]) / 86400)
end

-- year * 12 + (month - 1) of a day: Howard Hinnant's civil_from_days, for days since 1970.
local function month_of(day)
  local z = day + 719468
  local era = math.floor(z / 146097)
  local day_of_era = z - era * 146097
  local year_of_era = math.floor(
    (day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local shifted = math.floor((5 * day_of_year + 2) / 153) -- 0 is March
  local year = year_of_era + era * 400 + (shifted >= 10 and 1 or 0)
  return year * 12 + (shifted < 10 and shifted + 2 or shifted - 10)
end

local function day_key(day) return KEYS[2] .. ':d:' .. day end
local function month_key(day) return KEYS[2] .. ':m:' .. month_of(day) end

local function is_dataset(dataset) return redis.call('GET', KEYS[1]) == dataset end

-- What was called (license, device, provider and model, a line each), and how often: an entry of the stream.
local function append(call, day, requests, refunded, tag)
  return redis.call('XADD', KEYS[3], '*', 'c', call, 'v', table.concat({day, requests, refunded, tag}, ' '))
end

-- Reads an entry: license, day, requests, tag. Those of instances of before have a field for each.
local function read(fields)
  if fields[1] == 'l' then return fields[2], tonumber(fields[10]), tonumber(fields[12]), fields[16] end
  local license = string.match(fields[2], '^[^\n]*')
  local day, requests, tag = string.match(fields[4], '^(%-?%d+) (%-?%d+) %-?%d+ (.*)$')
  return license, tonumber(day), tonumber(requests), tag
end

-- Calls `visit` with license, day, requests and tag of each entry of the stream behind an id, until it returns true.
-- Returns how many entries it has visited.
local function scan(from, visit)
  local visited = 0
  while true do
    local entries = redis.call('XRANGE', KEYS[3], from, '+', 'COUNT', 500)
    for _, entry in ipairs(entries) do
      visited = visited + 1
      if visit(read(entry[2])) then return visited end
    end
    if #entries < 500 then return visited end
    from = '(' .. entries[#entries][1]
  end
end
