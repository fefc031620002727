-- The transitions of a ticket. Redis runs a script as a whole, so of two workers that claim a ticket
-- at the same time exactly one gets it. `tickets.py` says what each transition means.
--
-- KEYS[1]  hash of the ticket
-- ARGV[1]  name of the transition
-- ARGV[2]  id of the ticket
-- ARGV[3]  prefix of all keys
-- ARGV[4]  seconds after its end at which a ticket is deleted
-- ARGV[5]  and further: the parameters of the transition, in the order in which it declares them
--
-- Times are seconds since the epoch by the clock of Redis, as the clocks of machines differ.

local ticket = KEYS[1]
local id, prefix, keep_s = ARGV[2], ARGV[3], tonumber(ARGV[4])
local queued, running, ended = prefix .. 'queued', prefix .. 'running', prefix .. 'ended'
local names = prefix .. 'same:'
local webhooks, counts = prefix .. 'webhooks', prefix .. 'counts'
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000

local function get(field)
  return redis.call('HGET', ticket, field) or ''
end

local function is_mine(token)
  return get('state') == 'running' and get('lease') == token
end

local function close(state)
  redis.call('HSET', ticket, 'state', state, 'ended_at', now)
  redis.call('HDEL', ticket, 'lease', 'passwords')
  redis.call('ZREM', queued, id)
  redis.call('ZREM', running, id)
  redis.call('ZADD', ended, now, id)
  redis.call('SREM', prefix .. 'open:' .. get('owner'), id)
  redis.call('HINCRBY', counts, 'jobs:' .. state, 1)
  local named = get('named')
  if named ~= '' then redis.call('EXPIRE', names .. named, keep_s) end
  if get('webhook') ~= '' then
    redis.call('HSET', ticket, 'told', 'pending')
    redis.call('ZADD', webhooks, now, id)
  end
  local inbox = get('inbox')
  if inbox ~= '' then
    redis.call('RPUSH', inbox, id)
    redis.call('EXPIRE', inbox, 86400)  -- its reader may be dead
  end
end

local function remove(count)
  local named = get('named')
  if named ~= '' then redis.call('DEL', names .. named) end
  local same = get('same')
  if same ~= '' and redis.call('GET', names .. same) == id then redis.call('DEL', names .. same) end
  for _, set in ipairs({queued, running, ended, webhooks, prefix .. 'owner:' .. get('owner')}) do
    redis.call('ZREM', set, id)
  end
  redis.call('SREM', prefix .. 'open:' .. get('owner'), id)
  redis.call('DEL', ticket)
  if count ~= '' then redis.call('HINCRBY', counts, 'jobs:' .. count, 1) end
end

local transitions = {}

function transitions.add(...)  -- the fields of the hash, each with its value
  redis.call('HSET', ticket, ...)
  redis.call('HSET', ticket, 'created_at', now)
  redis.call('ZADD', queued, now, id)
  redis.call('ZADD', prefix .. 'owner:' .. get('owner'), now, id)
  redis.call('SADD', prefix .. 'open:' .. get('owner'), id)
  redis.call('HINCRBY', counts, 'jobs:accepted', 1)
  local named = get('named')
  if named ~= '' then redis.call('PERSIST', names .. named) end
  return redis.call('HGET', ticket, 'created_at')
end

function transitions.claim(token, lease_s, most_attempts)
  local state = get('state')
  if state == '' then return {'gone', {}} end
  local lease_end = tonumber(redis.call('ZSCORE', running, id) or 0)
  if state ~= 'queued' and not (state == 'running' and lease_end < now) then return {state, {}} end
  redis.call('HSET', ticket, 'state', 'running', 'lease', token, 'started_at', now)
  redis.call('ZREM', queued, id)
  redis.call('ZADD', running, now + lease_s, id)
  if tonumber(get('attempts')) >= tonumber(most_attempts) then
    return {'spent', redis.call('HGETALL', ticket)}
  end
  redis.call('HINCRBY', ticket, 'attempts', 1)
  return {'claimed', redis.call('HGETALL', ticket)}
end

function transitions.extend(token, lease_s, pages_done, total_pages)
  if not is_mine(token) then return 0 end
  redis.call('ZADD', running, now + lease_s, id)
  redis.call('HSET', ticket, 'pages_done', pages_done, 'total_pages', total_pages)
  return 1
end

function transitions.finish(token, state, shares, report, sha256, pages, wall_s, failure, peak, le)
  if not is_mine(token) then return 0 end
  redis.call('HSET', ticket, 'report', report, 'sha256', sha256)
  close(state)
  local same = get('same')
  if shares ~= '' and same ~= '' then redis.call('SET', names .. same, id, 'EX', keep_s) end
  redis.call('HINCRBY', counts, 'pages', pages)
  redis.call('HINCRBYFLOAT', counts, 'seconds', wall_s)
  if failure ~= '' then redis.call('HINCRBY', counts, 'failures:' .. failure, 1) end
  if tonumber(peak) > 0 then  -- a child has worked on it
    redis.call('HINCRBY', counts, 'peaks:' .. le, 1)
    redis.call('HINCRBY', counts, 'peaks_sum', peak)
    if tonumber(peak) > tonumber(redis.call('HGET', counts, 'peak_bytes') or 0) then
      redis.call('HSET', counts, 'peak_bytes', peak)
    end
  end
  return 1
end

function transitions.release(token, attempts, store_faults, fault)
  if not is_mine(token) then return 0 end
  redis.call('HSET', ticket, 'state', 'queued')
  redis.call('HINCRBY', ticket, 'attempts', attempts)
  redis.call('HINCRBY', ticket, 'store_faults', store_faults)
  if fault ~= '' then redis.call('HSET', ticket, 'fault', fault) end
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

function transitions.delete(count)
  local state = get('state')
  if count == 'deleted' and (state == 'queued' or state == 'running') then return 0 end
  if count == 'expired' and redis.call('ZREM', ended, id) == 0 then return 0 end  -- was another's
  remove(count)
  return 1
end

function transitions.tell(pause_s)  -- take it upon oneself to tell the webhook, for that long
  local due = tonumber(redis.call('ZSCORE', webhooks, id) or now + 1)
  if due > now then return 0 end
  redis.call('ZADD', webhooks, now + pause_s, id)
  return redis.call('HINCRBY', ticket, 'tellings', 1)
end

function transitions.told(told, fault, pause_s)
  if get('state') == '' then return 0 end
  redis.call('HSET', ticket, 'told', told, 'telling_error', fault)
  if told == 'pending' then
    redis.call('ZADD', webhooks, now + pause_s, id)
  else
    redis.call('ZREM', webhooks, id)
    redis.call('HINCRBY', counts, 'webhooks:' .. told, 1)
  end
  return 1
end

return transitions[ARGV[1]](unpack(ARGV, 5))
