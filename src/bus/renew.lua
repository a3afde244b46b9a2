-- Renews a lease if it is still this one. KEYS: lease. ARGV: token and who, ms. Answers 1 or 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
