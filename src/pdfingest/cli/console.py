"""What a person sees of a run on stderr when it has ended; see `progress` for the time before."""

import shlex
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from pdfingest.cli.messages import shown
from pdfingest.cli.tables import LossLine, hanging, losses, put
from pdfingest.output.summary import Summary
from pdfingest.text import counted, mib


def on_stderr() -> Console:
    """Return a console that writes to stderr."""
    return Console(stderr=True, highlight=False)


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
