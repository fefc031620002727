"""What a person sees of a run on stderr: the progress while it runs, and a table at its end."""

import shlex
import time
from collections.abc import Iterator
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from pdfingest.cli.messages import how_far, shown
from pdfingest.cli.tables import LossLine, cut, hanging, losses, put
from pdfingest.events import Listener
from pdfingest.measure.processes import look
from pdfingest.model import Source
from pdfingest.outcome import Finished
from pdfingest.output.summary import Summary
from pdfingest.text import counted, mib

_REDRAW_S = 0.2
_MEMORY_S = 1.0
_SHOWN_LANES = 8


def on_stderr() -> Console:
    """Return a console that writes to stderr."""
    return Console(stderr=True, highlight=False)


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


def show_summary(console: Console, summary: Summary, records: str) -> None:
    """Print what was lost, and below it the counts and figures of the run."""
    if summary.losses:
        put(console, losses(console, [*_losses(summary)]))
        more = summary.failed + summary.partial - len(summary.losses)
        if more:
            put(console, [Text(f"… and {more:,} more in the report")])
        console.print()
    rows = [*_rows(summary, records)]
    name_width = max(len(name) for name, _, _ in rows)
    value_width = max(len(value) for _, value, _ in rows)
    for name, value, note in rows:
        padded = f"{name:<{name_width}}"
        lead = Text.assemble((padded, "bold"), f"  {value:>{value_width}}  ")
        put(console, hanging(console, lead, note))


def _rows(summary: Summary, records: str) -> Iterator[tuple[str, str, str]]:
    failures = ", ".join(f"{kind} {count:,}" for kind, count in summary.failures.most_common())
    peaks = summary.peaks
    yield "ok", f"{summary.ok:,}", ""
    if summary.unchanged:
        partial = summary.unchanged_partial
        note = f", {partial:,} of them partial: --retry-failed" if partial else ""
        yield "unchanged", f"{summary.unchanged:,}", f"ingested before{note}"
    if summary.partial:
        yield "partial", f"{summary.partial:,}", f"{counted(summary.pages_failed, 'page')} lost"
    yield "failed", f"{summary.failed:,}", failures
    if summary.gone:
        yield "gone", f"{summary.gone:,}", "ingested by an earlier run; the files are gone"
    if summary.not_begun:
        yield "not begun", f"{summary.not_begun:,}", "left for the next run"
    ocr = f" · {summary.ocr_pages:,} by OCR" if summary.ocr_pages else ""
    ocr += f" · {summary.needs_ocr_pages:,} need OCR" if summary.needs_ocr_pages else ""
    yield "pages", f"{summary.pages:,}", f"{summary.pages_per_s:,.0f}/s{ocr}"
    if peaks.largest:
        spread = f"p50 {mib(peaks.at(0.5))} · p95 {mib(peaks.at(0.95))}"
        yield "peak", mib(peaks.largest), f"{spread} · max: {shown(summary.max_source)}"
        yield "memory", summary.trend.verdict, f"parent: {summary.trend}"
    yield "time", f"{summary.wall_s:,.1f} s", ""
    if summary.stopped is not None:
        yield "stopped", "", "interrupted; what was finished is kept"
    yield "output", "", shown(records)
    if summary.is_worth_compacting:
        command = f"pdfingest compact {shlex.quote(shown(records))}"
        yield (
            "old",
            mib(summary.old_bytes),
            f"of {mib(summary.output_bytes)}. To remove it: {command}",
        )


def _losses(summary: Summary) -> Iterator[LossLine]:
    """Yield the first of the sources that lost pages."""
    for each in summary.losses:
        what = f"{counted(each.pages_failed, 'page')}: " if each.partial else ""
        yield LossLine(each.source, each.failure.value, f"{what}{each.message}", each.partial)
