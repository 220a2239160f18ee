-- Sends the request that lies in the folder BENCH_LOAD_FOLDER, always the same, so that wrk builds it once; prints the
-- result as one line of JSON.

local folder = os.getenv('BENCH_LOAD_FOLDER')

local function read(name)
  local file = assert(io.open(folder .. '/' .. name, 'rb'))
  local content = file:read('*a')
  file:close()
  return content
end

wrk.method = 'POST'
wrk.body = read('body')
for name, value in read('headers'):gmatch('([^\n:]+): ([^\n]+)') do
  wrk.headers[name] = value
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answered":%d,"refused":%d,"broken":%d,"bytes":%d,"seconds":%f,"p50":%f,"p99":%f}\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.bytes, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
