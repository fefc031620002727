"""Log lines on stderr, as text or as JSON.

Of a run there is one every few seconds and for each loss; of the service, whatever its parts log.
"""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any, cast

from pdfingest.cli.messages import JsonLines, Level, how_far, shown
from pdfingest.events import Listener
from pdfingest.measure.processes import look
from pdfingest.outcome import Finished, Status
from pdfingest.output.summary import Summary

_EVERY_S = 5.0
_MOST_READING = 8
"""Most files in a line of progress, so that it stays a line with many lanes."""
_LEVELS: dict[Status, Level] = {Status.PARTIAL: "warning", Status.FAILED: "error"}


class LogView(Listener):
    """Writes log lines of a run, in the format of stderr.

    In JSON there is a line for each source that lost pages; in text a table at the end has them.

    Args:
        verbose: whether to write a line for each source.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._last = time.monotonic()

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """Log the number and size of the sources."""
        _write("info", "planned", sources=sources, bytes=size_bytes)

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Log how a source ended, if it lost pages or everything is logged."""
        level = _LEVELS.get(finished.outcome.status, "info")
        if self._verbose or (level != "info" and isinstance(sys.stderr, JsonLines)):
            _write(level, "finished", **_fields(finished))
        self.on_tick(summary)

    def on_tick(self, summary: Summary) -> None:
        """Log the progress every few seconds."""
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
        """Log the summary in JSON; in text the table at the end has it."""
        if isinstance(sys.stderr, JsonLines):
            _write("info", "summary", **summary.to_json())


class LogHandler(logging.Handler):
    """Writes what is logged by the library `logging`, in the format of stderr.

    A record may have an attribute `fields`, whose items are keys of the line.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; of an error with its traceback, all of it."""
        level: Level = "info"
        if record.levelno >= logging.WARNING:
            level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = dict(getattr(record, "fields", {}))
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
        if fields:
            _write(level, text, **fields)
        else:
            _write(level, record.name, message=text)


def log_service() -> None:
    """Have the parts of the service log on stderr, and libraries what they warn of."""
    root = logging.getLogger()
    root.handlers[:] = [LogHandler()]
    root.setLevel(logging.WARNING)
    logging.getLogger("pdfingest").setLevel(logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of clients' mistakes
    # Of each message that cannot be sent at once, these have a warning with a traceback.
    logging.getLogger("celery").setLevel(logging.ERROR)


def _fields(finished: Finished) -> dict[str, Any]:
    """Return how a source ended; every key is always there, with one type each."""
    outcome = finished.outcome
    return {
        "source": finished.source.name,
        "status": outcome.status.value,
        "failure": str(outcome.failure or ""),
        "message": outcome.message,
        "pages": outcome.pages,
        "pages_failed": len(outcome.failed_pages),
        "wall_s": round(outcome.cost.wall_s, 3),
        "peak_rss_bytes": outcome.cost.peak.peak_bytes,
    }


def _write(level: Level, event: str, **fields: Any) -> None:
    if isinstance(sys.stderr, JsonLines):
        sys.stderr.log(level, event, **fields)
    else:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        pairs = " ".join(f"{name}={_plain(value)}" for name, value in fields.items())
        sys.stderr.write(f"{now} {level} {event} {pairs}\n")
        sys.stderr.flush()


def _plain(value: object) -> str:
    """Return a value as text that cannot break its line; quoted if it has spaces or is empty."""
    if isinstance(value, list):
        value = ", ".join(cast(list[str], value))
    text = shown(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text
