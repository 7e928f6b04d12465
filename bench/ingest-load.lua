-- wrk's load for the ingest benchmark: batches of events that are never the same. Arguments: the write key, events per batch, a number for this round.
local types = { "page_view", "page_view", "product_view", "add_to_cart" }
local count, batch, round = 0, 100, 0

function init(args)
  batch = tonumber(args[2])
  round = tonumber(args[3])
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  wrk.headers["x-write-key"] = args[1]
end

function request()
  local events = {}
  for i = 1, batch do
    count = count + 1
    events[i] = string.format(
      '{"event_id":"%08x-0000-4000-a000-%012x","event_type":"%s","user_id":"u%d","page_url":"/p/p%d","product_id":"p%d","region":"EU-West","device":"mobile"}',
      round, count, types[count % 4 + 1], count * 7919 % 50000, count % 5000, count % 5000)
  end
  return wrk.format(nil, nil, nil, "[" .. table.concat(events, ",") .. "]")
end

function done(summary, latency)
  io.write(string.format('{"requests":%d,"refused":%d,"errors":%d,"p50Ms":%.2f,"p99Ms":%.2f}\n', summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
