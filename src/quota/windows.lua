-- Put in front of each script of this folder: which windows it is now, and their counters' keys.
-- KEYS[1] is the license's base key; KEYS[2] its partition's stream. All keys of a license carry one hash tag, so that
-- the keys made from KEYS[1] here lie in the same slot of a Redis Cluster.

local DAY_TTL = 3 * 86400
local MONTH_TTL = 40 * 86400

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

local function day_key(day) return KEYS[1] .. ':d:' .. day end
local function month_key(day) return KEYS[1] .. ':m:' .. month_of(day) end
