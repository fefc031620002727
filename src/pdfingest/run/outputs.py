"""What a run writes to: a ledger and a sink, opened together and held against other runs."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import BinaryIO, TypeAlias

from pdfingest import streams
from pdfingest.options import IngestOptions
from pdfingest.output.compact import compact, settle
from pdfingest.output.layout import ledger_of
from pdfingest.output.ledger import Ledger
from pdfingest.output.lock import held
from pdfingest.output.sink import DirectorySink, Sink, StreamSink
from pdfingest.run.safeguards import refuse_mixture
from pdfingest.stop import Stop

Outputs: TypeAlias = tuple[Ledger, Sink]


@contextmanager
def opened(options: IngestOptions, stop: Stop, digest: str) -> Generator[Outputs, None, None]:
    """Open the ledger and the sink that the options ask for, held against other runs."""
    if options.to_stdout:
        with private(streams.stdout()) as outputs:
            yield outputs
        return
    with held(options.folder, options.wait_s, stop):
        refuse_mixture(options)
        folder, unit = options.folder, options.unit
        with Ledger(ledger_of(folder)) as ledger:
            settle(folder, ledger)
            lengths = ledger.lengths()
            with DirectorySink(
                folder, unit, digest, lengths, report_unchanged=options.report_unchanged
            ) as sink:
                yield ledger, sink
        if options.compact and not stop.requested:
            compact(folder, is_held=True)


@contextmanager
def private(stream: BinaryIO | None) -> Generator[Outputs, None, None]:
    """Open a ledger that lives as long as the run, and a sink that writes to a stream."""
    with Ledger("") as ledger, StreamSink(stream) as sink:
        yield ledger, sink
