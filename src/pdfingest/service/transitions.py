"""The transitions of a job, as scripts that Redis runs as a whole. `jobs` says what they mean.

KEYS: the hash of the job; the sorted sets of those that wait and that run; the counts.
ARGV: the id of the job; the token of the lease; what each script asks for beyond these.
"""

_NOW = "local t = redis.call('TIME'); local now = t[1] + t[2] / 1000000; "
_SHARED = """
local function finish(state)
  redis.call('HSET', KEYS[1], 'state', state, 'ended_at', now)
  redis.call('HDEL', KEYS[1], 'lease', 'passwords')
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('HINCRBY', KEYS[4], 'jobs:' .. state, 1)
  local inbox = redis.call('HGET', KEYS[1], 'inbox')
  if inbox and inbox ~= '' then
    redis.call('RPUSH', inbox, ARGV[1])
    redis.call('EXPIRE', inbox, 86400)
  end
end
local function mine()
  return redis.call('HGET', KEYS[1], 'state') == 'running'
    and redis.call('HGET', KEYS[1], 'lease') == ARGV[2]
end
"""
_BODIES = {
    "claim": """
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'gone' end
local till = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[1]) or 0)
if state ~= 'queued' and not (state == 'running' and till < now) then return state end
local attempts = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
redis.call('HSET', KEYS[1], 'state', 'running', 'lease', ARGV[2], 'started_at', now)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
if attempts > tonumber(ARGV[4]) then return 'spent' end
return 'claimed'
""",
    "extend": """
if not mine() then return 0 end
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[1], 'pages_done', ARGV[4], 'total_pages', ARGV[5])
return 1
""",
    "finish": """
if not mine() then return 0 end
redis.call('HSET', KEYS[1], 'report', ARGV[4], 'sha256', ARGV[5])
finish(ARGV[3])
redis.call('HINCRBY', KEYS[4], 'pages', ARGV[6])
redis.call('HINCRBYFLOAT', KEYS[4], 'seconds', ARGV[7])
if ARGV[8] ~= '' then redis.call('HINCRBY', KEYS[4], 'failures:' .. ARGV[8], 1) end
if tonumber(ARGV[9]) > tonumber(redis.call('HGET', KEYS[4], 'peak_bytes') or 0) then
  redis.call('HSET', KEYS[4], 'peak_bytes', ARGV[9])
end
return 1
""",
    "release": """
if not mine() then return 0 end
redis.call('HSET', KEYS[1], 'state', 'queued')
redis.call('HINCRBY', KEYS[1], 'attempts', ARGV[3])
redis.call('HDEL', KEYS[1], 'lease')
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[2], now, ARGV[1])
return 1
""",
    "cancel": """
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
finish('cancelled')
return 1
""",
}

SCRIPTS = {name: _NOW + _SHARED + body for name, body in _BODIES.items()}
"""By name; times are those of Redis."""
