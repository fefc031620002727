-- Counts one more file of a key, and tells what decides whether it is taken.
--
-- KEYS[1]  prefix of the counter of the key's files in one minute, which is one of Redis' clock
-- KEYS[2]  set of the open tickets of the key
-- KEYS[3]  sorted set of all queued tickets
--
-- Returns the files of the key in this minute, this one included, the seconds that are left of it,
-- and how many tickets the two sets have.

local now = redis.call('TIME')[1]
local sent = KEYS[1] .. math.floor(now / 60)
local count = redis.call('INCR', sent)
redis.call('EXPIRE', sent, 120)
return {count, 60 - now % 60, redis.call('SCARD', KEYS[2]), redis.call('ZCARD', KEYS[3])}
