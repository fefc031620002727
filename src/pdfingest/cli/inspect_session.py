"""One invocation of `pdfingest inspect`: one file goes through a whole run, which is then shown.

The file is read exactly as in `run`, so that what is shown is what a run would write.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from typing import Any

from rich.console import Console
from rich.text import Text

from pdfingest.cli import outputs
from pdfingest.cli.inputs import opened
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.tables import LEFT, RIGHT, put, show_fact, table, width_of
from pdfingest.cli.wanted import STDIN, Wanted
from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode, UsageError
from pdfingest.events import Listener
from pdfingest.exchange.record import Record, report_line
from pdfingest.model import INFO_NAMES
from pdfingest.options import IngestOptions, options_digest
from pdfingest.outcome import Finished
from pdfingest.output.summary import Summary
from pdfingest.run.pipeline import stream
from pdfingest.text import counted, mib, printable, shortened

_SHOWN_PAGES = 1000
"""Most pages in the table, which bounds the memory; `--json` has all pages."""
_SHOWN_NUMBERS = 20
_PREVIEW_CHARS = 40
"""Most characters of a page that fit beside its figures in 80 columns."""
_COLUMNS = {
    "page": RIGHT,
    "label": LEFT,
    "chars": RIGHT,
    "links": RIGHT,
    "OCR": LEFT,
    "begins with": LEFT,
}


class _Ending(Listener):
    def __init__(self) -> None:
        self.finished: Finished | None = None
        self.summary = Summary()

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Remember the file and the summary."""
        self.finished, self.summary = finished, summary


def inspect_file(file: str, wanted: Wanted, *, as_json: bool) -> ExitCode:
    """Read a file, show what is known of it on stdout, and return the exit code.

    Args:
        file: its path; `-` for a PDF on stdin.
        wanted: options of a run, whose inputs do not count.
        as_json: whether to write JSON in place of text.

    Raises:
        UsageError: the file is a directory, or does not exist.
    """
    if not os.path.lexists(file) and file != STDIN:
        raise UsageError(f"file does not exist: {printable(file)}. Check the path.")
    if os.path.isdir(file):
        raise UsageError(f"{printable(file)} is a directory. For its files: pdfingest run")
    # To stdout means that there is no output directory and no ledger; the records are taken here.
    wanted = replace(wanted, inputs=[file])
    options = replace(wanted.options, output=STDIN, workers=1)
    ending = _Ending()
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        inputs, _ = opened(wanted, stop, stack)
        records = _begun(stream(inputs, options, listeners=[ending], stop=stop))
        if as_json:
            _write_json(records, ending, options)
        else:
            _show(records, ending, options)
    return ending.summary.exit_code(options)


def _begun(records: Iterator[Record]) -> Iterator[Record]:
    """Read up to the first record, so that an error comes before anything is shown."""
    first = next(records, None)
    return records if first is None else chain([first], records)


def _line(ending: _Ending, options: IngestOptions) -> Record:
    """Return the report line of the file; empty after a stop that came before its end."""
    if ending.finished is None:
        return {}
    return report_line(ending.finished, options_digest(options, find_engines(options.engine)))


def _write_json(records: Iterator[Record], ending: _Ending, options: IngestOptions) -> None:
    """Write one JSON object, record by record, because a file may have any number of them."""
    with outputs.opened(outputs.STDOUT) as file:
        file.write('{"records": [')
        separator = "\n"
        for record in records:
            file.write(separator + json.dumps(record))
            separator = ",\n"
        file.write(f'\n], "report": {json.dumps(_line(ending, options))}}}\n')


def _show(records: Iterator[Record], ending: _Ending, options: IngestOptions) -> None:
    metadata: dict[str, Any] = {}
    rows: list[tuple[int, Sequence[str]]] = []
    for record in records:
        metadata = metadata or record["metadata"]
        if len(rows) < _SHOWN_PAGES:
            rows.append((record["metadata"]["page"], _row(record)))
    line = _line(ending, options)
    for name, said in _facts(metadata, line):
        if said:
            show_fact(name, printable(said))
    # Lost pages have no record, but a row in their place.
    lost = line.get("failed_pages", ())[:_SHOWN_PAGES]
    rows = sorted([*rows, *((number, _lost_row(number)) for number in lost)])[:_SHOWN_PAGES]
    if rows:
        console = Console(file=sys.stdout, highlight=False)
        console.print()
        put(console, table(_COLUMNS, [row for _, row in rows], width_of(console)))
        if more := line["pages"] + line["pages_failed"] - len(rows):
            put(console, [Text(f"… and {more:,} more pages: --json has all")])


def _row(record: Record) -> Sequence[str]:
    metadata, text = record["metadata"], record["text"]
    return (
        str(metadata["page"]),
        printable(metadata["page_label"]),
        f"{metadata['char_count']:,}",
        f"{len(record['links']):,}",
        "needed" if metadata["needs_ocr"] else "",
        printable(shortened(" ".join(text[: 4 * _PREVIEW_CHARS].split()), _PREVIEW_CHARS)),
    )


def _lost_row(number: int) -> Sequence[str]:
    return str(number), "", "", "", "", "(lost)"


def _facts(metadata: dict[str, Any], line: Record) -> Iterator[tuple[str, str]]:
    """Yield what is known of the whole file, name by name; empty where it is not known."""
    if not line:
        return
    yield "file", line["source"]
    yield "status", " · ".join(filter(None, (line["status"], line["failure"], line["message"])))
    yield "size", f"{line['bytes']:,} bytes"
    yield "sha256", line["sha256"]
    yield "pages", _counts(line) if line["total_pages"] else ""
    yield "engine", f"{line['engine']} {metadata.get('engine_version', '')}".strip()
    for name in INFO_NAMES:
        yield name, metadata.get(name, "")
    if line["peak_rss_bytes"]:
        baseline = mib(line["baseline_rss_bytes"])
        yield "peak", f"{mib(line['peak_rss_bytes'])}, {baseline} before it ({line['peak_method']})"
    attempts = counted(line["attempts"], "attempt")
    yield "time", f"{line['wall_s']:.3f} s, {line['cpu_s']:.3f} s of CPU, {attempts}"
    yield "signal", line["signal"]
    for frame in line["stack"].splitlines():
        yield "stack", frame


def _counts(line: Record) -> str:
    said = f"{line['pages']:,} of {line['total_pages']:,} read, {line['chars']:,} characters"
    if line["needs_ocr_pages"]:
        said += f", {line['needs_ocr_pages']:,} need OCR"
    if lost := line["failed_pages"]:
        numbers = ", ".join(map(str, lost[:_SHOWN_NUMBERS]))
        said += f"; lost: {numbers}{', …' * (len(lost) > _SHOWN_NUMBERS)}"
    return said
