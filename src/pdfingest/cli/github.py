"""Failures as annotations of a GitHub workflow, which are commands in the log of its step.

The runner reads commands from stderr as well as from stdout, and keeps ten annotations of each
level for a step (actions/runner, ExecutionContext.cs). They are escaped in the way that
`ActionCommand.cs` there undoes.
"""

import os
import sys
from collections import Counter

from pdfingest.events import Listener
from pdfingest.model import Source
from pdfingest.outcome import Finished, Status
from pdfingest.output.summary import Summary
from pdfingest.text import counted, printable

_MOST = 10
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


class Annotations(Listener):
    """Writes an error for each source that failed and a warning for each that lost pages.

    Ten of each are written, and then a notice that counts the others.

    Args:
        report: path of the report, which has all of them; empty if there is none.
    """

    def __init__(self, report: str) -> None:
        self._report = report
        self._counts: Counter[str] = Counter()

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Annotate a source that failed or lost pages."""
        outcome = finished.outcome
        if outcome.failure is None:
            return
        if outcome.status is Status.FAILED:
            self._annotate("error", outcome.failure, outcome.message, finished.source)
        else:
            lost = f"{counted(len(outcome.failed_pages), 'page')} lost: {outcome.message}"
            self._annotate("warning", outcome.failure, lost, finished.source)

    def on_ended(self, summary: Summary) -> None:
        """Count the sources that failed or lost pages, but have no annotation."""
        more = {kind: number - _MOST for kind, number in self._counts.items() if number > _MOST}
        if more:
            names = {"error": "failed", "warning": "partial"}
            counts = " and ".join(f"{number:,} more {names[kind]}" for kind, number in more.items())
            where = f"; all are in {self._report}" if self._report else ""
            _command("notice", {"title": "pdfingest"}, f"{counts} files{where}")

    def _annotate(self, level: str, kind: str, message: str, source: Source) -> None:
        """Write an annotation, unless the step already has as many of its level as are kept."""
        self._counts[level] += 1
        if self._counts[level] <= _MOST:
            properties = {"file": _in_repository(source.path), "title": f"pdfingest: {kind}"}
            _command(level, properties, f"{source.name}: {message}")


def _in_repository(path: str) -> str:
    """Return a path relative to the checkout, as GitHub knows it; empty if it is outside."""
    root = os.path.abspath(os.environ.get("GITHUB_WORKSPACE", os.curdir))
    try:
        relative = os.path.relpath(path, root)
    except ValueError:  # on another drive of Windows
        return ""
    outside = relative.split(os.sep)[0] == os.pardir
    return "" if outside or not relative.isprintable() else relative.replace(os.sep, "/")


def _command(name: str, properties: dict[str, str], message: str) -> None:
    """Write a command for the runner; properties without a value are left out."""
    pairs = [f"{key}={text.translate(_PROPERTY)}" for key, text in properties.items() if text]
    data = "\n".join(map(printable, message.split("\n"))).translate(_DATA)
    sys.stderr.write(f"::{name} {','.join(pairs)}::{data}\n")
