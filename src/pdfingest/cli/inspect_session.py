"""One invocation of `pdfingest inspect`: one file goes through a whole run, which is then shown.

The file is read exactly as in `run --tables`, so that what is shown is what a run would write.
Owns the run; what a person sees of it is in `inspect_view`.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain

from pdfingest.cli import outputs
from pdfingest.cli.inputs import opened
from pdfingest.cli.inspect_view import View
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.wanted import STDIN, Wanted
from pdfingest.errors import ExitCode, UsageError
from pdfingest.events import Listener
from pdfingest.exchange.report_line import report_line
from pdfingest.exchange.said import Record
from pdfingest.options import IngestOptions
from pdfingest.outcome import Finished
from pdfingest.output.summary import Summary
from pdfingest.run.pipeline import stream
from pdfingest.run.tools import find_tools
from pdfingest.text import printable


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
    options = replace(wanted.options, output=STDIN, workers=1, tables=True)
    ending = _Ending()
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        inputs, _ = opened(wanted, stop, stack)
        records = _begun(stream(inputs, options, listeners=[ending], stop=stop))
        if as_json:
            _write_json(records, ending, options)
        else:
            view = View()
            for record in records:
                view.add(record)
            view.show(_line(ending, options))
    return ending.summary.exit_code(options)


def _begun(records: Iterator[Record]) -> Iterator[Record]:
    """Read up to the first record, so that an error comes before anything is shown."""
    first = next(records, None)
    return records if first is None else chain([first], records)


def _line(ending: _Ending, options: IngestOptions) -> Record:
    """Return the report line of the file; empty after a stop that came before its end."""
    if ending.finished is None:
        return {}
    return report_line(ending.finished, find_tools(options).digest(options))


def _write_json(records: Iterator[Record], ending: _Ending, options: IngestOptions) -> None:
    """Write one JSON object, record by record, because a file may have any number of them."""
    with outputs.opened(outputs.STDOUT) as file:
        file.write('{"records": [')
        separator = "\n"
        for record in records:
            file.write(separator + json.dumps(record))
            separator = ",\n"
        file.write(f'\n], "report": {json.dumps(_line(ending, options))}}}\n')
