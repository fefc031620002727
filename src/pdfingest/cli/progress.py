"""The progress of a run on a terminal, which is drawn while the run goes on.

Apart from `console`, since what draws it takes as long to import as all that a log needs.
"""

import time
from collections.abc import Iterator
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from pdfingest.cli.messages import how_far, shown
from pdfingest.cli.tables import cut
from pdfingest.events import Listener
from pdfingest.measure.processes import look
from pdfingest.model import Source
from pdfingest.outcome import Finished
from pdfingest.output.summary import Summary
from pdfingest.text import mib

_REDRAW_S = 0.2
_MEMORY_S = 1.0
_SHOWN_LANES = 8


class ProgressView(Listener):
    """Draws a bar, the counts, the memory of all processes, and the file of each lane."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("files"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            expand=True,
        )
        self._files = self._bar.add_task("files", total=None)
        self._lanes: dict[int, tuple[str, float]] = {}
        self._drawn_at = self._measured_at = 0.0
        self._memory = ""
        # The hooks draw, so rich needs no thread for it.
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """Give the bar its end."""
        self._bar.update(self._files, total=sources)

    def on_started(self, lane: int, source: Source) -> None:
        """Show the file that a lane reads."""
        self._lanes[lane] = (source.name, time.monotonic())

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Take the file away from the lane that has read it, and draw."""
        # By name: the event does not say the lane, and parts of one file may be on several.
        self._lanes = {
            lane: (name, since)
            for lane, (name, since) in self._lanes.items()
            if name != finished.source.name
        }
        self._draw(summary)

    def on_tick(self, summary: Summary) -> None:
        """Draw, also while no file ends."""
        self._draw(summary)

    def on_ended(self, summary: Summary) -> None:
        """Clear what was drawn."""
        self._live.update("", refresh=True)

    def _draw(self, summary: Summary) -> None:
        """Draw, but not more often than a terminal needs it."""
        now = time.monotonic()
        if now - self._drawn_at < _REDRAW_S:
            return
        self._drawn_at = now
        if now - self._measured_at > _MEMORY_S:  # it reads /proc for every process
            self._measured_at = now
            self._memory = f" · memory {mib(look().tree_bytes)}"
        self._bar.update(self._files, completed=summary.progress)
        counts = f"{summary.pages_read:,} pages · {summary.pages_per_s:,.0f}/s{self._memory}"
        if summary.failed or summary.partial:
            counts += f" · {summary.failed:,} failed · {summary.partial:,} partial"
        lines = [Text(counts, overflow="fold"), *self._lane_lines(now, summary)]
        self._live.update(Group(self._bar.get_renderable(), *lines), refresh=True)

    def _lane_lines(self, now: float, summary: Summary) -> Iterator[Text]:
        """Yield a line for each of the first lanes: its time so far, its file, how far that is."""
        ahead = {each.source.name: how_far(each) for each in summary.reading}
        for lane in sorted(self._lanes)[:_SHOWN_LANES]:
            name, since = self._lanes[lane]
            lead = f"  {now - since:6.1f} s  "
            tail = ahead.get(name, "")
            width = max(self._console.width - cell_len(lead + tail), 1)
            yield Text(f"{lead}{cut(shown(name), width)}{tail}", style="dim", no_wrap=True)
