"""Messages on stderr: text, or with `--log-format json` one JSON object a line.

The format is a property of `sys.stderr` itself, so that what other code writes there, such as a
warning of Python or of a library, becomes JSON too. That writes to it never fail is the business
of `streams`.
"""

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pdfingest.cli.log_format import LogFormat
from pdfingest.text import mib, printable

if TYPE_CHECKING:
    from pdfingest.model import Reading

Level: TypeAlias = Literal["info", "warning", "error"]


def choose_format(words: Sequence[str], config: Mapping[str, Any]) -> None:
    """Choose the format before the command line is parsed, since errors in it have a format too.

    Args:
        words: arguments of the program, the command first.
        config: options that the configuration sets, by parameter name.
    """
    if words[:1] != ["run"]:  # the others do not have the option
        return
    chosen = os.environ.get("PDFINGEST_LOG_FORMAT", config.get("log_format", ""))
    for word, following in pairwise([*words, ""]):
        name, _, value = word.partition("=")
        if name == "--log-format":
            chosen = value or following
    use(LogFormat.JSON if chosen == LogFormat.JSON else LogFormat.TEXT)


def use(log_format: LogFormat) -> None:
    """Write to stderr in this format from here on."""
    stream = sys.stderr
    if log_format is LogFormat.JSON and not isinstance(stream, JsonLines):
        sys.stderr = JsonLines(stream)
    elif log_format is LogFormat.TEXT and isinstance(stream, JsonLines):
        sys.stderr = stream.stream


def say(level: Level, message: str, **fields: Any) -> None:
    """Write a message for the user to stderr.

    Args:
        level: severity; text does not show it.
        message: what happened, to which file, and what to do next. It may have several lines.
        fields: more keys of the JSON object; text does not show them.
    """
    if isinstance(sys.stderr, JsonLines):
        sys.stderr.log(level, "message", message=message, **fields)
    else:
        lines = map(shown, message.split("\n"))
        sys.stderr.write("".join(f"pdfingest: {line}\n" for line in lines))


def shown(text: str) -> str:
    """Make hostile text fit for a line of a terminal or a log, and harmless there.

    GitHub's runner takes commands from the logs of its jobs: `##[…]` anywhere in a line, `::…::` at
    its start (actions/runner, ActionCommand.cs). No line begins with such text here.
    """
    text = printable(text)
    return text.replace("##[", r"#\x23[") if is_github() else text


def how_far(reading: "Reading") -> str:
    """Say how far a source is, as what follows its name; empty at its very beginning."""
    if reading.total_pages:
        return f" · {reading.pages_done:,} of {reading.total_pages:,} pages"
    if reading.hashed_bytes:
        return f" · {mib(reading.hashed_bytes)} of {mib(reading.source.size_bytes)} hashed"
    return ""


def is_github() -> bool:
    """Return whether this is a step of a GitHub workflow."""
    return bool(os.environ.get("GITHUB_ACTIONS"))


class JsonLines(io.TextIOBase):
    """A text stream that turns every line that is written to it into a JSON object.

    Args:
        stream: where the objects go.
    """

    encoding = "utf-8"

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._begun = ""

    def log(self, level: Level, event: str, **fields: Any) -> None:
        """Write an object with a time, a level, the name of an event, and more keys."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "level": level, "event": event, **fields})
        self.stream.write(line.replace("##[", r"#\u0023[") + "\n")  # see `shown`

    def write(self, text: str, /) -> int:
        """Write an object for each complete line of text from code that knows of no format."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(str.strip, lines):
            self.log("warning", "message", message=line)
        return len(text)

    def flush(self) -> None:
        """Write what there is of a line that is not complete."""
        if self._begun:
            self.write("\n")
        self.stream.flush()

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: what is drawn for a terminal would not be JSON."""
        return False

    def fileno(self) -> int:
        """Return the descriptor of the stream below."""
        return int(self.stream.fileno())
