-- Takes the lease on a container, with a token that is higher than all before it.
-- KEYS: lease, rest, fence. ARGV: who, ms, "person" or "policy".
-- Answers { token, "", 0, "" }, or { 0, who has it, ms left, "acts" or "acted" }.
local function owner(value) return string.match(value, '^%d+ (.*)$') end
local held = redis.call('GET', KEYS[1])
if held and owner(held) ~= ARGV[1] then
  return { 0, owner(held) or '', redis.call('PTTL', KEYS[1]), 'acts' }
end
local rests = redis.call('GET', KEYS[2])
if rests and rests ~= ARGV[1] and ARGV[3] ~= 'person' then
  return { 0, rests, redis.call('PTTL', KEYS[2]), 'acted' }
end
if held then redis.call('DEL', KEYS[1]) end
local token = redis.call('INCR', KEYS[3])
redis.call('SET', KEYS[1], string.format('%d', token) .. ' ' .. ARGV[1], 'NX', 'PX', ARGV[2])
return { token, '', 0, '' }
