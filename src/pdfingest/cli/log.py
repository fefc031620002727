"""What a log collector sees on stderr: one line every some seconds, as text or as JSON."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from pdfingest.cli.log_format import LogFormat
from pdfingest.events import Listener
from pdfingest.memory import look
from pdfingest.model import Extracted, Failed, Finished, Gone, Unchanged
from pdfingest.record import status_of
from pdfingest.summary import Summary
from pdfingest.text import printable

_EVERY_S = 5.0


class LogView(Listener):
    """Log lines of a run."""

    def __init__(self, log_format: LogFormat, *, verbose: bool) -> None:
        self._format = log_format
        self._verbose = verbose
        self._last = time.monotonic()

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """The run begins."""
        self._write("info", "planned", sources=sources, bytes=size_bytes)

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """With --verbose, a line for each source."""
        if self._verbose:
            outcome = finished.outcome
            fields: dict[str, Any] = {
                "source": finished.source.name,
                "status": status_of(outcome),
                "wall_s": round(outcome.cost.wall_s, 3),
                "peak_rss_bytes": outcome.cost.peak.peak_bytes,
            }
            match outcome:
                case Extracted() | Unchanged():
                    fields["pages"] = outcome.pages
                case Failed():
                    fields |= {"failure": outcome.kind.value, "message": outcome.message}
                case Gone():
                    pass
            self._write("warning" if isinstance(outcome, Failed) else "info", "finished", **fields)
        self.on_tick(summary)

    def on_tick(self, summary: Summary) -> None:
        """A line every some seconds."""
        if time.monotonic() - self._last < _EVERY_S:
            return
        self._last = time.monotonic()
        self._write(
            "info",
            "progress",
            finished=summary.finished,
            sources=summary.planned,
            failed=summary.failed,
            pages_per_s=round(summary.pages_per_s, 1),
            tree_bytes=look().tree_bytes,
        )

    def on_ended(self, summary: Summary) -> None:
        """The summary, for a program; a person gets the table."""
        if self._format is LogFormat.JSON:
            self._write("info", "summary", **summary.to_json())

    def _write(self, level: str, event: str, **fields: Any) -> None:
        """One line on stderr."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self._format is LogFormat.JSON:
            line = json.dumps({"time": now, "level": level, "event": event, **fields})
        else:
            pairs = " ".join(f"{name}={_plain(value)}" for name, value in fields.items())
            line = f"{now} {level} {event} {pairs}"
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - stderr is the log


def _plain(value: object) -> str:
    """A value that cannot break its line; quoted where it has spaces."""
    text = printable(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text
