"""What a log collector sees on stderr: one line every some seconds, as text or as JSON."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any, cast

from pdfingest.cli.messages import JsonLines, Level, how_far, shown
from pdfingest.events import Listener
from pdfingest.exchange.record import status_of
from pdfingest.measure.processes import look
from pdfingest.model import Extracted, Failed, Finished, Gone, Unchanged
from pdfingest.output.summary import Summary

_EVERY_S = 5.0
_MOST_READING = 8
"""Most files in a line of progress, so that it stays a line with many lanes."""
_LEVELS: dict[str, Level] = {"partial": "warning", "failed": "error"}


class LogView(Listener):
    """Log lines of a run, in the format of stderr.

    A program gets a line for each source that lost pages; a person gets a table of them at the end.

    Args:
        verbose: a line for each source.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._last = time.monotonic()

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """The run begins."""
        _write("info", "planned", sources=sources, bytes=size_bytes)

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """A source is done."""
        level = _LEVELS.get(status_of(finished.outcome), "info")
        if self._verbose or (level != "info" and isinstance(sys.stderr, JsonLines)):
            _write(level, "finished", **_fields(finished))
        self.on_tick(summary)

    def on_tick(self, summary: Summary) -> None:
        """A line every some seconds."""
        if time.monotonic() - self._last < _EVERY_S:
            return
        self._last = time.monotonic()
        _write(
            "info",
            "progress",
            finished=summary.finished,
            sources=summary.planned,
            failed=summary.failed,
            pages=summary.pages_read,
            pages_per_s=round(summary.pages_per_s, 1),
            tree_bytes=look().tree_bytes,
            reading=[
                f"{each.source.name}{how_far(each)}" for each in summary.reading[:_MOST_READING]
            ],
        )

    def on_ended(self, summary: Summary) -> None:
        """The summary, for a program; a person gets the table."""
        if isinstance(sys.stderr, JsonLines):
            _write("info", "summary", **summary.to_json())


def _fields(finished: Finished) -> dict[str, Any]:
    """How a source ended; every key is always there, with one type each."""
    outcome = finished.outcome
    failure = message = ""
    pages = 0
    match outcome:
        case Extracted():
            pages, message = outcome.pages, outcome.message
            failure = outcome.failure.value if outcome.failure else ""
        case Unchanged():
            pages = outcome.pages
        case Failed():
            failure, message = outcome.kind.value, outcome.message
        case Gone():
            pass
    return {
        "source": finished.source.name,
        "status": status_of(outcome),
        "failure": failure,
        "message": message,
        "pages": pages,
        "pages_failed": len(outcome.failed_pages),
        "wall_s": round(outcome.cost.wall_s, 3),
        "peak_rss_bytes": outcome.cost.peak.peak_bytes,
    }


def _write(level: Level, event: str, **fields: Any) -> None:
    """One line on stderr."""
    if isinstance(sys.stderr, JsonLines):
        sys.stderr.log(level, event, **fields)
    else:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        pairs = " ".join(f"{name}={_plain(value)}" for name, value in fields.items())
        sys.stderr.write(f"{now} {level} {event} {pairs}\n")


def _plain(value: object) -> str:
    """A value that cannot break its line; quoted where it has spaces."""
    if isinstance(value, list):
        value = ", ".join(cast(list[str], value))
    text = shown(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text
