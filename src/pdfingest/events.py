"""Listener: what a program may watch of a run. A listener cannot change the run.

Every hook runs in the parent, in the thread that called `ingest`, and does nothing by default.
"""

from collections.abc import Sequence

from pdfingest.model import Finished, Source
from pdfingest.output.summary import Summary


class Listener:
    """Override what you want to see. An exception in a hook ends the run."""

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """Discovery is done: so many sources, so many bytes."""

    def on_started(self, lane: int, source: Source) -> None:
        """A lane (0-based index) took a job."""

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """A source has its report line; `summary` includes it."""

    def on_tick(self, summary: Summary) -> None:
        """Called some times a second while the run waits for children."""

    def on_ended(self, summary: Summary) -> None:
        """The run is over and its files are closed."""


class Listeners(Listener):
    """Tells several listeners, in their order."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.on_planned(sources, size_bytes)

    def on_started(self, lane: int, source: Source) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.on_started(lane, source)

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.on_finished(finished, summary)

    def on_tick(self, summary: Summary) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.on_tick(summary)

    def on_ended(self, summary: Summary) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.on_ended(summary)
