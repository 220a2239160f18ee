-- Which of the given entries a stream has lost: those that it does not hold although they were not trimmed.
-- KEYS: the stream. ARGV: ids, in order. Returns their indexes, from 1.

local function time_of(id) return tonumber(string.match(id, '^%d+')) end

local trimmed_to = redis.call('GET', KEYS[1] .. ':trimmed')
local missing = {}
for index, id in ipairs(ARGV) do
  local was_trimmed = trimmed_to and time_of(id) <= time_of(trimmed_to)
  if not was_trimmed and not redis.call('XRANGE', KEYS[1], id, id)[1] then missing[#missing + 1] = index end
end
return missing
