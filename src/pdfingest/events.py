"""Listeners: how a program watches a run. A listener cannot change the run.

Every hook runs in the parent, in the thread that called `ingest`, and does nothing by default.
"""

from collections.abc import Sequence

from pdfingest.model import Source
from pdfingest.outcome import Finished
from pdfingest.output.summary import Summary


class Listener:
    """Base class of listeners: override the hooks you need. An exception in one ends the run."""

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """Discovery has ended, with this number of sources and their total size in bytes."""

    def on_started(self, lane: int, source: Source) -> None:
        """A lane, named by its 0-based index, has started to read a source."""

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """A source has its report line, and `summary` includes it."""

    def on_tick(self, summary: Summary) -> None:
        """The run goes on. Called several times a second, also while no source ends."""

    def on_ended(self, summary: Summary) -> None:
        """The run has ended, and its files are closed."""


class Listeners(Listener):
    """Forwards every event to several listeners, in their order."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """Forward the end of discovery."""
        for listener in self._listeners:
            listener.on_planned(sources, size_bytes)

    def on_started(self, lane: int, source: Source) -> None:
        """Forward the start of a source."""
        for listener in self._listeners:
            listener.on_started(lane, source)

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Forward the end of a source."""
        for listener in self._listeners:
            listener.on_finished(finished, summary)

    def on_tick(self, summary: Summary) -> None:
        """Forward a tick."""
        for listener in self._listeners:
            listener.on_tick(summary)

    def on_ended(self, summary: Summary) -> None:
        """Forward the end of the run."""
        for listener in self._listeners:
            listener.on_ended(summary)
