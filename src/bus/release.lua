-- Ends a lease if it is still this one; after an act others keep off for a while.
-- KEYS: lease, rest. ARGV: token and who, who, ms to keep off (0: none). Answers 1 or 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return redis.call('DEL', KEYS[1])
