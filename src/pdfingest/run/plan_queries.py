"""The statements of the plan (SQL), over its tables and those of the ledger.

A source belongs to a wave: 0 are the files, 1 what is attached to them, and so on. Queries that are
named `EACH_…` are for `Database.walk`.
"""

from pdfingest.model import Order

SCHEMA = """
PRAGMA plan.journal_mode = OFF;
PRAGMA plan.synchronous = OFF;
PRAGMA plan.locking_mode = EXCLUSIVE;
PRAGMA plan.cache_size = -2000;  -- KiB; what exceeds it goes to disk
CREATE TABLE plan.planned (
    name TEXT PRIMARY KEY, path BLOB, size_bytes INTEGER, error TEXT,
    mtime_ns INTEGER, settled INTEGER, identity TEXT,
    chosen INTEGER DEFAULT 1, known INTEGER DEFAULT 0, partial INTEGER DEFAULT 0,
    unchanged INTEGER DEFAULT 0, inside TEXT DEFAULT '', wave INTEGER DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE plan.queue (position INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE plan.gone (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
FOUND = """
INSERT OR IGNORE INTO planned
(name, path, size_bytes, error, mtime_ns, settled, identity) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
# What is attached to a file changes when the file does.
ATTACHED = """
INSERT INTO planned (name, path, size_bytes, error, inside, wave, mtime_ns, settled)
SELECT ?, path, ?, ?, ?, ?, mtime_ns, settled FROM planned WHERE name = ?
"""
COUNT_ATTACHED = "SELECT count(*) FROM planned WHERE name > ? AND name < ?"
EACH_KNOWN = """
SELECT name, planned.path, planned.size_bytes, planned.mtime_ns * settled, error, inside
FROM planned JOIN source USING (name)
WHERE attachments <> '' AND wave = {wave} AND (unchanged OR {all}) AND name > ?
ORDER BY name LIMIT ?
"""
WITHIN = "SELECT name FROM source WHERE name > ? AND name < ?"
HAS_WAVE = "SELECT 1 FROM planned WHERE wave = ? LIMIT 1"
IS_PLANNED = "SELECT 1 FROM planned WHERE name = ?"
# Two names for one file (links, inputs that overlap) become one source, under the first of its
# names, so that the result does not depend on the order in which directories are listed.
ONCE = """
CREATE INDEX plan.by_identity ON planned (identity, name);
DELETE FROM planned WHERE EXISTS (
    SELECT 1 FROM planned AS other
    WHERE other.identity = planned.identity AND other.name < planned.name
);
DROP INDEX plan.by_identity;
"""
CHOOSE_FAILED = """
UPDATE planned SET chosen = name IN (SELECT name FROM source WHERE failure IN ({marks}))
WHERE wave = ?
"""
# A source that was ingested with these options, and still has its size, is unchanged if its content
# has the same hash. Its hash need not be computed if its path and modification time are the same.
# (An aggregate has a row for a source that is not known, too.)
KNOWN = """
UPDATE planned SET (known, partial, unchanged) = (
    SELECT count(*), total(status = 'partial'), ? AND settled AND total(
        source.mtime_ns <> 0 AND source.mtime_ns = planned.mtime_ns AND source.path = planned.path
    )
    FROM source WHERE source.name = planned.name
    AND options_digest = ? AND status IN ('ok', 'partial')
    AND source.size_bytes = planned.size_bytes
) WHERE error = '' AND wave = ?
"""
# A source that was skipped as a duplicate has its text in the records of its original. It is read
# anew if the original may change in this run, or if duplicates are to be kept now.
SKIPPED = """
UPDATE planned SET known = 0, unchanged = 0 WHERE known AND wave = ? AND name IN (
    SELECT name FROM source WHERE duplicate_of <> '' AND records = ''
    AND NOT (? AND EXISTS (
        SELECT 1 FROM source AS original JOIN planned AS its ON its.name = original.name
        WHERE original.name = source.duplicate_of AND its.unchanged AND original.records <> ''
    ))
)
"""
QUEUE = """
INSERT INTO queue (name)
SELECT name FROM planned WHERE wave = ? AND chosen AND error = '' AND NOT unchanged
ORDER BY {order}
"""
ORDERS = {
    Order.NAME: "name",
    Order.SIZE: "size_bytes DESC, name",
    Order.MTIME: "mtime_ns DESC, name",
}
COUNT = "SELECT count(*), total(size_bytes) FROM planned WHERE chosen"
COUNT_UNCHANGED = """
SELECT count(*), total(partial) FROM planned WHERE chosen AND unchanged AND wave = ?
"""
COUNT_ABOVE = """
SELECT count(*) FROM planned JOIN source USING (name)
WHERE chosen AND unchanged AND wave = ? AND peak_rss_bytes > ?
"""
HIGHEST_ABOVE = """
SELECT peak_rss_bytes, name FROM planned JOIN source USING (name)
WHERE chosen AND unchanged AND wave = ? AND peak_rss_bytes > ? ORDER BY peak_rss_bytes DESC LIMIT ?
"""
# The following are for `Database.walk`. A modification time that does not tell a later change from
# the present state is given as 0.
EACH_UNREADABLE = """
SELECT name, path, size_bytes, mtime_ns * settled, error, inside FROM planned
WHERE chosen AND error <> '' AND wave = {wave} AND name > ? ORDER BY name LIMIT ?
"""
EACH_UNCHANGED = """
SELECT name, path, size_bytes, mtime_ns * settled, error, inside FROM planned
WHERE chosen AND unchanged AND wave = {wave} AND name > ? ORDER BY name LIMIT ?
"""
EACH_QUEUED = """
SELECT position, name, path, size_bytes, mtime_ns * settled, error, inside, known
FROM queue JOIN planned USING (name) WHERE position > ? ORDER BY position LIMIT ?
"""
# One name for two files: the records of one would replace those of the other if both still exist.
EACH_MOVED = """
SELECT planned.name, planned.path, source.path FROM planned JOIN source USING (name)
WHERE planned.path <> source.path AND planned.name > ? ORDER BY planned.name LIMIT ?
"""
EACH_UNPLANNED = """
SELECT name, path FROM source
WHERE name > ? AND name NOT IN (SELECT name FROM planned) ORDER BY name LIMIT ?
"""
EACH_GONE = """
SELECT name, path, size_bytes, sha256, engine FROM gone JOIN source USING (name)
WHERE name > ? ORDER BY name LIMIT ?
"""
