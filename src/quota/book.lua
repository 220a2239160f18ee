-- Books a change: of what was admitted (a refund, a late model), or an admission that is to be counted afterwards.
-- ARGV: dataset, day ('': that of the entry with the required tag), change of the counters (0: none), tag, required
--       tag ('': none), whether to look first ('1' or '0'), then for each booking: what was called (see append),
--       requests, refunded.
-- With '1' the stream is searched first: nothing is booked if an entry with this tag is there already (the call is a
-- repetition of one whose answer was lost), or if none with the required tag is.
-- Returns {1, id of the last entry, day}: booked, {2}: a repetition, {3}: there is none with the required tag,
-- {-1}: the dataset is another one.

if not is_dataset(ARGV[1]) then return {OTHER_DATASET} end
local day, change, tag, required = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]

if ARGV[6] == '1' then
  local found, repeated = required == '', false
  scan('-', function(_, its_day, _, its_tag)
    if its_tag == required then
      found = true
      day = day or its_day
    end
    if its_tag == tag then repeated = true end
    return repeated
  end)
  if repeated then return {2} end
  if not found then return {3} end
end

if change ~= 0 then
  for _, key in ipairs({day_key(day), month_key(day)}) do
    -- A counter that is gone will be seeded from the ledger and the stream, which this change reaches too.
    local count = tonumber(redis.call('GET', key))
    if count and count + change >= 0 then redis.call('INCRBY', key, change) end
  end
end
local id
for i = 7, #ARGV, 3 do id = append(ARGV[i], day, ARGV[i + 1], ARGV[i + 2], tag) end
return {1, id, day}
