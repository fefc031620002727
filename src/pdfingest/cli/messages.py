"""Messages on stderr: text, or with `--log-format json` one JSON object a line.

The format is a property of `sys.stderr` itself, so that what other code writes there, such as a
warning of Python or of a library, becomes JSON too. `streams` sees to it that no such write fails.
"""

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from pdfingest.model import Reading
from pdfingest.text import mib, printable

Level: TypeAlias = Literal["info", "warning", "error"]


_WITH_FORMAT = frozenset({"run", "doctor", "serve", "worker", "up", "mcp"})
"""Commands that have the option `--log-format`."""


class LogFormat(StrEnum):
    """Formats of what the program writes to stderr."""

    TEXT = "text"
    JSON = "json"


def choose_format(words: Sequence[str], config: Mapping[str, Any]) -> None:
    """Choose the format before the command line is parsed, because errors in it have a format too.

    Args:
        words: arguments of the program, beginning with the command.
        config: table of the configuration; empty before it is read.
    """
    if not words or words[0] not in _WITH_FORMAT:
        return
    # The same order as for every option: the last flag, then the variable, then the file.
    configured = {key.replace("-", "_"): value for key, value in config.items()}
    chosen = os.environ.get("PDFINGEST_LOG_FORMAT", configured.get("log_format", ""))
    for word, following in pairwise([*words, ""]):
        name, _, value = word.partition("=")
        if name == "--log-format":
            chosen = value or following
    use(LogFormat.JSON if chosen == LogFormat.JSON else LogFormat.TEXT)


def use(log_format: LogFormat) -> None:
    """Switch stderr to a format, until it is switched again."""
    stream = sys.stderr
    if log_format is LogFormat.JSON and not isinstance(stream, JsonLines):
        sys.stderr = JsonLines(stream)
    elif log_format is LogFormat.TEXT and isinstance(stream, JsonLines):
        sys.stderr = stream.stream


def say(level: Level, message: str, **fields: Any) -> None:
    """Write a message for the user to stderr.

    Args:
        level: severity, which only JSON shows.
        message: what happened, to which file, and what to do next; it may have several lines.
        fields: more keys of the JSON object, which only JSON shows.
    """
    if isinstance(sys.stderr, JsonLines):
        sys.stderr.log(level, "message", message=message, **fields)
    else:
        lines = map(shown, message.split("\n"))
        sys.stderr.write("".join(f"pdfingest: {line}\n" for line in lines))
        sys.stderr.flush()  # whoever reads it may wait for it, and the program for a long time


def shown(text: str) -> str:
    """Return hostile text as harmless text for a line of a terminal or a log.

    GitHub's runner takes commands from the logs of its jobs: `##[…]` anywhere in a line, and
    `::…::` at its start (actions/runner, ActionCommand.cs). The latter needs no escape, because no
    line of this program begins with text from outside.
    """
    text = printable(text)
    return text.replace("##[", r"#\x23[") if is_github() else text


def how_far(reading: Reading) -> str:
    """Return the progress inside a source, to follow its name; empty at its very beginning."""
    if reading.total_pages:
        return f" · {reading.pages_done:,} of {reading.total_pages:,} pages"
    if reading.hashed_bytes:
        return f" · {mib(reading.hashed_bytes)} of {mib(reading.source.size_bytes)} hashed"
    return ""


def is_github() -> bool:
    """Return whether the program runs in a step of a GitHub workflow."""
    return bool(os.environ.get("GITHUB_ACTIONS"))


class JsonLines(io.TextIOBase):
    """A text stream that turns every line written to it into a JSON object."""

    encoding = "utf-8"

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._begun = ""

    def log(self, level: Level, event: str, **fields: Any) -> None:
        """Write an object with the time, the level, the name of the event, and more keys."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "level": level, "event": event, **fields})
        self.stream.write(line.replace("##[", r"#\u0023[") + "\n")  # see `shown`
        self.stream.flush()

    def write(self, text: str, /) -> int:
        """Write an object for each complete line, from code that does not know the format."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(str.strip, lines):
            self.log("warning", "message", message=line)
        return len(text)

    def flush(self) -> None:
        """Write the last line even if it is not complete."""
        if self._begun:
            self.write("\n")
        self.stream.flush()

    def writable(self) -> bool:
        """Return True, as for any stream that is written to."""
        return True

    def isatty(self) -> bool:
        """Return False, because what is drawn for a terminal would not be JSON."""
        return False

    def fileno(self) -> int:
        """Return the descriptor of the underlying stream."""
        return int(self.stream.fileno())
