-- wrk: one packet a POST, like load/posts.ts. Each thread has calls of its own; the packets of a call are
-- numbered from 1. Arguments: the prefix of the call ids, calls for each thread.
local data = string.rep('1dXV', 53) .. '1Q=='
local threads = 0

function setup(thread)
  thread:set('number', threads)
  threads = threads + 1
end

function init(args)
  prefix = args[1] .. '-' .. number .. '-'
  calls = tonumber(args[2])
  -- wrk makes one request to look at it, and never sends it.
  sent = number == 0 and -1 or 0
  wrk.method = 'POST'
  wrk.headers['Content-Type'] = 'application/json'
end

function request()
  local call = sent % calls
  local sequence = math.floor(sent / calls) + 1
  sent = sent + 1
  local body = '{"sequence":' .. sequence .. ',"data":"' .. data .. '","timestamp":'
    .. string.format('%.2f', 1732147200 + sequence / 50) .. '}'
  return wrk.format(nil, '/v1/call/stream/' .. prefix .. call, nil, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answered":%d,"seconds":%f,"refused":%d,"broken":%d,"p50Ms":%f,"p99Ms":%f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
