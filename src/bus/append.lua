-- Appends events of one run to a stream and publishes them, each once: what a run sent before is
-- passed over. KEYS: stream, up to where each run arrived. ARGV: lane, channel, entries kept, age
-- kept in ms, ms for which the place is remembered, run, then for each event: number, type, JSON.
local lane = ARGV[1]
local last = tonumber(redis.call('HGET', KEYS[2], lane) or '0')
local problem = false
for i = 7, #ARGV, 3 do
  local number = tonumber(ARGV[i])
  if number > last then
    local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*',
      'run', ARGV[6], 'n', ARGV[i], 'type', ARGV[i + 1], 'event', ARGV[i + 2])
    if type(added) == 'table' and added.err then
      problem = added
      break
    end
    last = number
    -- Who may not publish may still append.
    redis.pcall('PUBLISH', ARGV[2], ARGV[i + 2])
  end
end
redis.call('HSET', KEYS[2], lane, string.format('%d', last))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
local time = redis.call('TIME')
local oldest = tonumber(time[1]) * 1000 - tonumber(ARGV[4])
redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%d', oldest))
if problem then return problem end
return last
