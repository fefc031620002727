"""The ledger: what is committed, and how every source ended. SQLite, in the output directory.

Owns two things. The committed lengths of the outputs: what an output holds beyond them was written
by a run that died before its commit, and is cut off. And the newest state of each source: its hash,
the digest of the options, where its records and its report line are. Does not own the file and its
version (`database`), nor the plan of a run (`run.plan`), whose tables share the connection.

A commit covers a group of sources: first the outputs reach the disk, then the ledger does, so that
it never names a byte that is not there. Between two commits lie at least `_PAUSE_S`, and nine times
what a commit took, so that commits cost at most a tenth of the time, on slow disks too.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Self, TypeAlias

from pdfingest.model import FailureKind
from pdfingest.outcome import Attachment, Extracted, Finished, Status, Traits, Unchanged
from pdfingest.output.database import Database

Sync: TypeAlias = Callable[[], Mapping[str, int]]
"""Brings the outputs to the disk, and returns the length of each in bytes, by name."""

_PAUSE_S = 0.5
_NOTE = """
INSERT OR {conflict} INTO source VALUES (
    :name, :path, :size_bytes, :mtime_ns, :sha256, :digest,
    :status, :failure, :engine, :pages, :chars, :needs_ocr_pages, :failed_pages, :peak_bytes,
    :finished_at, :records, :records_at, :records_bytes, :report_at, :report_bytes,
    :total_pages, :duplicate_of, :attachments, :ocr_pages
)
"""
_TOUCH = """
UPDATE source SET path = :path, size_bytes = :size_bytes, mtime_ns = :mtime_ns WHERE name = :name
"""
_MARK_UNCHANGED = "UPDATE planned SET unchanged = 1 WHERE name = ?"
_EARLIER = """
SELECT sha256, engine, pages, chars, needs_ocr_pages, ocr_pages, failed_pages, total_pages,
    peak_rss_bytes
FROM source WHERE name = ?
"""
# A source that this run reads anew counts only once that is done: until then, its state may be out
# of date. The first term is for the index `source_content`; the plus keeps SQLite from replacing
# `sha256` in it by :sha256, which the equation would allow and which fits no index.
_ORIGINAL = """
SELECT name FROM source WHERE substr(sha256, 1, 16) = substr(:sha256, 1, 16) AND +sha256 = :sha256
AND name <> :name AND options_digest = :digest AND records <> '' AND duplicate_of = '' AND (
    finished_at >= :began_at
    OR NOT EXISTS (SELECT 1 FROM planned WHERE planned.name = source.name AND NOT unchanged)
) ORDER BY records_at, name LIMIT 1
"""


class Place(NamedTuple):
    """Where the records and the report line of a source are in the outputs, in bytes."""

    records: str = ""
    """Name of the file with the records; empty if there are none."""
    records_at: int = 0
    records_bytes: int = 0
    report_at: int = 0
    report_bytes: int = 0


class Ledger:
    """The ledger at a path; with an empty path a private one, which ends with the run.

    Raises:
        LedgerError: the ledger cannot be read or written, is damaged, is not a ledger, or is of a
            newer version of this program. It is left as it is.
    """

    def __init__(self, path: str) -> None:
        self.database = Database(path)
        self._due_s = 0.0
        self._began_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # What is not committed is rolled back, and the next run cuts it off the outputs.
        self.database.connection.close()

    # The journal of the outputs

    def lengths(self) -> dict[str, int]:
        """Return the committed length of each output in bytes, by name."""
        return dict(self.database.execute("SELECT name, bytes FROM output"))

    def begin_run(self, sync: Sync) -> None:
        """Commit that a run takes over the outputs as they are."""
        self._began_at = time.time()
        self.database.change("INSERT INTO run (started_at) VALUES (?)", (self._began_at,))
        self.commit(sync)

    def end_run(self, exit_code: int, sync: Sync) -> None:
        """Commit all that is left, and that the run came to its end."""
        sql = "UPDATE run SET exit_code = ? WHERE number = (SELECT max(number) FROM run)"
        self.database.change(sql, (exit_code,))
        self.commit(sync)

    def was_interrupted(self) -> bool:
        """Return whether the newest run did not come to its end, or was stopped before it."""
        rows = self.database.execute("SELECT exit_code FROM run ORDER BY number DESC LIMIT 1")
        # Exit codes above 128 stand for a signal.
        return any(code is None or code > 128 for (code,) in rows)  # noqa: PLR2004 - see above

    @property
    def due(self) -> bool:
        """Whether there is something to commit, and it is time to."""
        return self.database.connection.in_transaction and time.monotonic() >= self._due_s

    def commit(self, sync: Sync) -> None:
        """Commit what was noted, once the outputs have reached the disk."""
        began_s = time.monotonic()
        for output in sync().items():
            self.database.change("INSERT OR REPLACE INTO output VALUES (?, ?)", output)
        self.database.commit()
        self._due_s = time.monotonic() + max(_PAUSE_S, 9 * (time.monotonic() - began_s))

    def begin_renaming(self, lengths: Mapping[str, int]) -> None:
        """Commit to new outputs of these lengths in bytes, which have yet to take their names."""
        for name in lengths:
            self.database.change("INSERT INTO renaming VALUES (?)", (name,))
        self.commit(lambda: lengths)

    def renaming(self) -> list[str]:
        """Return the outputs whose new files may not have taken their names yet."""
        return [name for (name,) in self.database.execute("SELECT name FROM renaming")]

    def end_renaming(self) -> None:
        """Commit that all new files have taken their names."""
        self.database.change("DELETE FROM renaming")
        self.database.commit()

    def live_bytes(self) -> int:
        """Return the bytes of the outputs that a compaction keeps, uncommitted ones included."""
        sql = "SELECT total(records_bytes + report_bytes) FROM source"
        return int(self.database.execute(sql)[0][0])

    # The states of the sources

    def note(self, finished: Finished, place: Place, digest: str) -> None:
        """Note how a source ended, with options of this digest; the next commit makes it count."""
        source, outcome = finished.source, finished.outcome
        file = {
            "name": source.name,
            "path": os.fsencode(source.path),
            "size_bytes": source.size_bytes,
            "mtime_ns": source.mtime_ns,
        }
        if outcome.status is Status.GONE:
            self.database.change("DELETE FROM source WHERE name = ?", (source.name,))
            return
        if outcome.status is Status.UNCHANGED:
            if outcome.cost.started_at:  # a child found the same content at a new time or path
                self.database.change(_TOUCH, file)
                self.database.change(_MARK_UNCHANGED, (source.name,))
            return
        # Nobody looked at a source that was cancelled: what is known of it still holds.
        conflict = "IGNORE" if outcome.failure is FailureKind.CANCELLED else "REPLACE"
        ended = {
            "sha256": outcome.sha256,
            "digest": digest,
            "status": outcome.status.value,
            "failure": str(outcome.failure or ""),
            "engine": outcome.engine,
            "pages": outcome.pages,
            "chars": outcome.chars,
            "needs_ocr_pages": outcome.needs_ocr_pages,
            "ocr_pages": outcome.ocr_pages,
            "failed_pages": json.dumps(outcome.failed_pages),
            "peak_bytes": outcome.cost.peak.peak_bytes,
            "finished_at": time.time(),
            "total_pages": outcome.total_pages,
            "duplicate_of": finished.duplicate_of,
            "attachments": _packed(outcome.traits) if isinstance(outcome, Extracted) else "",
        }
        self.database.change(_NOTE.format(conflict=conflict), {**file, **ended, **place._asdict()})

    def earlier(self, name: str) -> Unchanged:
        """Return the outcome of a source whose content is still that of an earlier run."""
        [row] = self.database.execute(_EARLIER, (name,))
        sha256, engine, pages, chars, needs_ocr, by_ocr, failed_pages, total_pages, peak_bytes = row
        lost = tuple(json.loads(failed_pages))
        return Unchanged(
            sha256, engine, pages, chars, needs_ocr, by_ocr, lost, total_pages, peak_bytes
        )

    def attachments(self, name: str) -> Sequence[Attachment]:
        """Return what is attached to a source, as an earlier run found it."""
        rows = self.database.execute("SELECT attachments FROM source WHERE name = ?", (name,))
        return [Attachment(*each) for each in json.loads(rows[0][0] or "[]")] if rows else []

    def original_of(self, finished: Finished, digest: str) -> str:
        """Find a source that has records of the same content, made with the same options.

        Returns:
            The first of them in the outputs; empty if there is none, or if `finished` has no
            records.
        """
        if not isinstance(finished.outcome, Extracted):
            return ""
        wanted = {
            "sha256": finished.outcome.sha256,
            "name": finished.source.name,
            "digest": digest,
            "began_at": self._began_at,
        }
        found = self.database.execute(_ORIGINAL, wanted)
        return str(found[0][0]) if found else ""

    def sources(self) -> int:
        """Return the number of sources that earlier runs took up."""
        return int(self.database.execute("SELECT count(*) FROM source")[0][0])

    def inputs(self) -> dict[str, int]:
        """Return the number of sources that each input gave to an earlier run, by path."""
        return dict(self.database.execute("SELECT name, sources FROM input"))

    def note_inputs(self, given: Mapping[str, int]) -> None:
        """Note how many sources each input gives, by its path."""
        for row in given.items():
            self.database.change("INSERT OR REPLACE INTO input VALUES (?, ?)", row)


def _packed(traits: Traits) -> str:
    """Encode attachments for a column; empty for none, as for most sources."""
    listed = [(each.name, each.size_bytes, each.is_pdf) for each in traits.attachments]
    return json.dumps(listed) if listed else ""
