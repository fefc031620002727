-- The transitions of a ticket. Redis runs a script as a whole, so of two workers that claim a ticket
-- at the same time exactly one gets it. `tickets.py` says what each transition means.
--
-- KEYS[1]  hash of the ticket
-- KEYS[2]  sorted set of the queued tickets, scored by when they were queued
-- KEYS[3]  sorted set of the running tickets, scored by when their lease ends
-- KEYS[4]  hash of the counts since the beginning
-- ARGV[1]  name of the transition
-- ARGV[2]  id of the ticket
-- ARGV[3]  token of the caller's lease; empty where the caller needs none
-- ARGV[4]  and further: the parameters of the transition, in the order in which it declares them
--
-- Times are seconds since the epoch by the clock of Redis, as the clocks of machines differ.

local ticket, queued, running, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, token = ARGV[2], ARGV[3]
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000

local function get(field)
  return redis.call('HGET', ticket, field)
end

local function is_mine()
  return get('state') == 'running' and get('lease') == token
end

local function close(state)
  redis.call('HSET', ticket, 'state', state, 'ended_at', now)
  redis.call('HDEL', ticket, 'lease', 'passwords')
  redis.call('ZREM', queued, id)
  redis.call('ZREM', running, id)
  redis.call('HINCRBY', counts, 'jobs:' .. state, 1)
  local inbox = get('inbox')
  if inbox and inbox ~= '' then
    redis.call('RPUSH', inbox, id)
    redis.call('EXPIRE', inbox, 86400)  -- its reader may be dead
  end
end

local transitions = {}

function transitions.claim(lease_s, most_attempts)
  local state = get('state')
  if not state then return 'gone' end
  local lease_end = tonumber(redis.call('ZSCORE', running, id) or 0)
  if state ~= 'queued' and not (state == 'running' and lease_end < now) then return state end
  local attempts = redis.call('HINCRBY', ticket, 'attempts', 1)
  redis.call('HSET', ticket, 'state', 'running', 'lease', token, 'started_at', now)
  redis.call('ZREM', queued, id)
  redis.call('ZADD', running, now + lease_s, id)
  if attempts > tonumber(most_attempts) then return 'spent' end
  return 'claimed'
end

function transitions.extend(lease_s, pages_done, total_pages)
  if not is_mine() then return 0 end
  redis.call('ZADD', running, now + lease_s, id)
  redis.call('HSET', ticket, 'pages_done', pages_done, 'total_pages', total_pages)
  return 1
end

function transitions.finish(state, report, sha256, pages, wall_s, failure, peak_bytes)
  if not is_mine() then return 0 end
  redis.call('HSET', ticket, 'report', report, 'sha256', sha256)
  close(state)
  redis.call('HINCRBY', counts, 'pages', pages)
  redis.call('HINCRBYFLOAT', counts, 'seconds', wall_s)
  if failure ~= '' then redis.call('HINCRBY', counts, 'failures:' .. failure, 1) end
  if tonumber(peak_bytes) > tonumber(redis.call('HGET', counts, 'peak_bytes') or 0) then
    redis.call('HSET', counts, 'peak_bytes', peak_bytes)
  end
  return 1
end

function transitions.release(attempts)  -- 0 keeps the count of attempts, -1 takes this one back
  if not is_mine() then return 0 end
  redis.call('HSET', ticket, 'state', 'queued')
  redis.call('HINCRBY', ticket, 'attempts', attempts)
  redis.call('HDEL', ticket, 'lease')
  redis.call('ZREM', running, id)
  redis.call('ZADD', queued, now, id)
  return 1
end

function transitions.cancel()
  local state = get('state')
  if state ~= 'queued' and state ~= 'running' then return 0 end
  close('cancelled')
  return 1
end

return transitions[ARGV[1]](unpack(ARGV, 4))
