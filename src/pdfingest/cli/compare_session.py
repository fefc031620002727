"""One invocation of `pdfingest compare`: a run for each engine, and what they made of the files."""

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from pdfingest.cli.inputs import opened
from pdfingest.cli.outputs import STDOUT, write_text
from pdfingest.cli.run_session import listener_of
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.tables import LEFT, RIGHT, hanging, put, table, width_of
from pdfingest.cli.wanted import View, Wanted
from pdfingest.compare.comparison import Comparison, EngineFigures, compared, figures_of
from pdfingest.compare.html import render
from pdfingest.compare.texts import Texts
from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode, OptionError
from pdfingest.options import IngestOptions
from pdfingest.output.layout import RECORDS
from pdfingest.report.figures import read_figures
from pdfingest.run.pipeline import ingest
from pdfingest.stop import Stop
from pdfingest.text import mib, printable

_ENGINES = {
    "engine": LEFT,
    **dict.fromkeys(("ok", "lost", "pages", "characters", "s", "CPU ms/page", "median"), RIGHT),
    "highest": RIGHT,
}
_PAIRS = {"one": LEFT, "other": LEFT, "only one": RIGHT, "only other": RIGHT, "same order": RIGHT}
_FILES = {"only one": RIGHT, "only other": RIGHT, "engines": LEFT, "differ most": LEFT}


def compare_engines(
    wanted: Wanted, *, keep: str | None, as_json: bool, html_file: str | None
) -> ExitCode:
    """Run each engine over the files, show how they compare, and return the exit code.

    Args:
        wanted: inputs, and options of each run, whose engines are those to compare.
        keep: directory of the outputs, which stay; None for a temporary one.
        as_json: whether to write JSON in place of tables.
        html_file: path of the page to write; None for none.

    Raises:
        OptionError: fewer than two engines are named.
        EngineUnavailableError: one of them is not installed.
        PdfingestError: whatever stops a run.
    """
    names = [name.strip() for name in wanted.options.engine.split(",")]
    if len(names) < 2:  # noqa: PLR2004 - to compare
        raise OptionError(["engine"], "must name two engines or more, such as pdfium,pypdf.")
    for name in names:
        find_engines(name)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        folder = keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="pdfingest-"))
        inputs, listed = opened(wanted, stop, stack)
        runs = _Runs(inputs, [*listed] if listed else [], wanted.view, stop)
        engines: list[EngineFigures] = []
        options = [
            replace(wanted.options, engine=name, output=os.path.join(folder, name))
            for name in names
        ]
        for each in options:
            engines.append(runs.run(each))
            if stop.requested:
                return stop.exit_code or ExitCode.INTERRUPTED
        paths = [os.path.join(each.folder, RECORDS[each.unit]) for each in options]
        texts = stack.enter_context(closing(Texts(paths)))
        comparison = compared(engines, texts)
        if html_file:
            write_text(html_file, render(comparison, texts))
        if as_json:
            write_text(STDOUT, [json.dumps(comparison.to_json(), indent=2), "\n"])
        else:
            _show(comparison)
        return runs.exit_code


class _Runs:
    """Runs over the same inputs, one after the other."""

    def __init__(
        self, inputs: Sequence[str], listed: Sequence[str], view: View, stop: Stop
    ) -> None:
        self._inputs, self._listed, self._view, self._stop = inputs, listed, view, stop
        self.exit_code = ExitCode.OK
        """That of the first run which lost something."""

    def run(self, options: IngestOptions) -> EngineFigures:
        """Run one engine, and return what it cost."""
        with ExitStack() as stack:
            listeners = [] if self._view.quiet else [listener_of(self._view, stack)]
            summary = ingest(
                self._inputs,
                options,
                listed=self._listed or None,
                listeners=listeners,
                stop=self._stop,
            )
        self.exit_code = self.exit_code or summary.exit_code(options)
        with read_figures(options.folder) as figures:
            return figures_of(options.engine, figures, summary.wall_s)


def _show(comparison: Comparison) -> None:
    """Print the tables."""
    console = Console(highlight=False)
    width, names = width_of(console), [each.name for each in comparison.engines]
    rows = [
        [
            each.name,
            f"{each.ok:,}",
            f"{each.partial + each.failed:,}",
            f"{each.pages:,}",
            f"{each.chars:,}",
            f"{each.wall_s:.1f}",
            f"{each.page_ms:.1f}",
            *map(mib, each.peaks),
        ]
        for each in comparison.engines
    ]
    put(console, table(_ENGINES, rows, width, title=0))
    for each in comparison.engines:
        if each.failures:
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in each.failures.items())
            put(console, hanging(console, Text(f"{each.name} lost "), kinds))
    put(console, [Text()])
    rows = [
        [names[one], names[other], *map(_percent, (*found.shares, found.order))]
        for (one, other), found in comparison.pairs.items()
    ]
    put(console, table(_PAIRS, rows, width, title=0))
    if comparison.files:
        put(console, [Text()])
        rows = [
            [
                *map(_percent, each.difference.shares),
                "/".join(names[index] for index in each.pair),
                printable(each.source),
            ]
            for each in comparison.files
        ]
        put(console, table(_FILES, rows, width))


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
