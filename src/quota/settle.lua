-- Books what became of an admitted request; a refund gives it back to the windows that it was counted in.
-- ARGV: day of the admission, refund ('1' or '0'), then for each booking: license, device, provider, model, requests,
--       refunded.

local day = tonumber(ARGV[1])
if ARGV[2] == '1' then
  for _, key in ipairs({day_key(day), month_key(day)}) do
    -- A counter that is gone will be seeded from the ledger, which this refund reaches too.
    local count = tonumber(redis.call('GET', key))
    if count and count > 0 then redis.call('DECR', key) end
  end
end
for i = 3, #ARGV, 6 do
  redis.call('XADD', KEYS[2], '*', 'l', ARGV[i], 'd', ARGV[i + 1], 'p', ARGV[i + 2], 'm', ARGV[i + 3],
    'y', day, 'n', ARGV[i + 4], 'r', ARGV[i + 5])
end
return 1
