"""The run, on one screen: discover, plan, supervise, sink, ledger, summary.

Sink, ledger and summary are correctness and are called by name; listeners only watch.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, takewhile
from typing import BinaryIO, Protocol, TypeAlias

from pdfingest import streams
from pdfingest.compact import settle
from pdfingest.discover import AnyPath, Found, discover
from pdfingest.errors import ExitCode, NoInputError, OutputError
from pdfingest.events import Listener, Listeners
from pdfingest.extract.registry import find_engines
from pdfingest.layout import ledger_of, parts_of
from pdfingest.ledger import Ledger
from pdfingest.lock import held
from pdfingest.model import (
    EngineSpec,
    Extracted,
    Failed,
    FailureKind,
    Finished,
    Job,
    Sandbox,
    Source,
    Stop,
)
from pdfingest.options import IngestOptions, options_digest
from pdfingest.plan import Plan
from pdfingest.record import Record
from pdfingest.sampler import Sampler
from pdfingest.sandbox import confine
from pdfingest.sandbox.readable import readable_paths
from pdfingest.sink import DirectorySink, Sink, StreamSink
from pdfingest.snapshot import snapshot
from pdfingest.spool import read_records
from pdfingest.summary import Summary
from pdfingest.supervise.supervisor import NOT_BEGUN, Supervisor

_Steps: TypeAlias = Generator[Finished, None, None]
_Pair: TypeAlias = tuple[Ledger, Sink]
_Outputs: TypeAlias = Callable[[str], AbstractContextManager[_Pair]]
"""Opens them, given the options digest."""


class Executor(Protocol):
    """Has jobs done, here or elsewhere."""

    def run(self, jobs: Iterator[Job], /) -> Generator[Finished | None, None, None]:
        """Yield each job as it ends, and None some times a second; see `Supervisor.run`."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


NewExecutor: TypeAlias = Callable[
    [IngestOptions, str, Stop, Callable[[int, Source], None]], Executor
]
"""Made of the options, a directory for spools, the stop, and whom to tell what begins."""

_VANISHED = "it is no more; an earlier run ingested it"


def ingest(  # noqa: PLR0913 - of which two by position
    inputs: AnyPath | Iterable[AnyPath],
    options: IngestOptions | None = None,
    *,
    listed: Iterable[AnyPath] | None = None,
    listeners: Sequence[Listener] = (),
    stop: Stop | None = None,
    executor: NewExecutor = Supervisor,
) -> Summary:
    """Ingest PDFs into the output directory, one fresh process per file.

    On Windows, call it under `if __name__ == "__main__":`, as children import the main module
    again.

    Args:
        inputs: files, directories, globs; or a single one.
        options: defaults where None.
        listed: more paths, taken literally and read as they are needed.
        listeners: told what happens, in the calling thread.
        stop: lets another thread or a signal handler end the run early.
        executor: what has the jobs done: children of this process, unless told otherwise.

    Returns:
        Counts and percentiles; every source found has its line in `report.jsonl`.

    Raises:
        PdfingestError: the run as a whole cannot go on; `exit_code` says of what family. A file
            that fails is not an error of the run.
    """
    found = discover(inputs, listed)
    return ingest_found(found, options or IngestOptions(), listeners, stop, executor)


def ingest_found(
    found: Iterator[Found],
    options: IngestOptions,
    listeners: Sequence[Listener] = (),
    stop: Stop | None = None,
    executor: NewExecutor = Supervisor,
) -> Summary:
    """Ingest what a discovery yields; as `ingest` otherwise."""
    run = _Run(found, options, Listeners(listeners), stop or Stop(), executor)
    deque(run.steps(partial(_outputs, options, run.stop)), maxlen=0)
    return run.summary


def stream(
    inputs: AnyPath | Iterable[AnyPath],
    options: IngestOptions | None = None,
    *,
    listed: Iterable[AnyPath] | None = None,
    listeners: Sequence[Listener] = (),
) -> Iterator[Record]:
    """Yield the records of PDFs as they come, without an output directory; as `ingest` otherwise.

    A source that failed yields nothing: watch `Listener.on_finished`. Closing the iterator ends
    the children.
    """
    found = discover(inputs, listed)
    run = _Run(found, options or IngestOptions(), Listeners(listeners), Stop())
    with closing(run.steps(lambda _: _private(None))) as steps:
        for finished in steps:
            if isinstance(finished.outcome, Extracted):
                yield from read_records(finished.spool)


@dataclass(slots=True)
class _Run:
    """One run: what was asked for, and the summary that grows."""

    found: Iterator[Found]
    options: IngestOptions
    listener: Listener
    stop: Stop
    executor: NewExecutor = Supervisor
    summary: Summary = field(default_factory=Summary)
    sampler: Sampler = field(default_factory=Sampler)

    def steps(self, outputs: _Outputs) -> _Steps:
        """The run; each source is yielded once its outcome is known, and written after that."""
        streams.occupy()  # a program that uses the library may have closed them
        if self.options.sandbox is Sandbox.REQUIRE:
            confine.check()
        engines = find_engines(self.options.engine)
        digest = options_digest(self.options, engines)
        found = _some(self.found)
        self.summary.max_peak_bytes = self.options.max_peak_bytes
        with outputs(digest) as (ledger, sink), Plan(ledger) as plan:
            plan.fill(takewhile(lambda _: not self.stop.requested, found))
            plan.settle(self.options, digest)
            self.summary.planned = plan.sources
            self.listener.on_planned(plan.sources, plan.size_bytes)
            ledger.begin_run(sink.sync)
            with closing(self._outcomes(plan, engines, ledger, sink)) as outcomes:
                for finished in outcomes:
                    yield finished
                    ledger.note(finished, sink.write(finished), digest)
                    self.summary.add(finished)
                    self.listener.on_finished(finished, self.summary)
                    if ledger.due:
                        ledger.commit(sink.sync)
            self._tell_vanished(plan, ledger, sink)
            self.sampler.sample(self.summary.finished)
            self.summary.end(self.stop.exit_code, self.sampler.samples)
            sink.end(self.summary)
            ledger.end_run(self.stop.exit_code or ExitCode.OK, sink.sync)
        self.listener.on_ended(self.summary)

    def _outcomes(
        self, plan: Plan, engines: tuple[EngineSpec, ...], ledger: Ledger, sink: Sink
    ) -> _Steps:
        """Exactly one outcome for each source of the plan."""
        for source in plan.unreadable():
            yield Finished(source, Failed(FailureKind.UNREADABLE, source.error))
        for source, unchanged in plan.unchanged():
            yield Finished(source, unchanged)
        waiting = plan.jobs(self.options.order)
        options, limits = self.options, self.options.limits()
        readable = readable_paths([engine.module for engine in engines])
        jobs = (
            Job(
                source,
                engines,
                options.passwords,
                options.unit,
                limits,
                sink.new_spool(),
                options.sandbox,
                readable,
                earlier,
            )
            for source, earlier in waiting
        )
        executor = self.executor(options, sink.spool_folder, self.stop, self.listener.on_started)
        with closing(executor), closing(executor.run(jobs)) as steps:
            for finished in steps:
                if finished is not None:
                    yield finished
                elif ledger.due:
                    ledger.commit(sink.sync)
                self.sampler.tick(self.summary.finished)
                self.listener.on_tick(self.summary)
        for source, _ in waiting:
            yield Finished(source, Failed(FailureKind.CANCELLED, NOT_BEGUN))

    def _tell_vanished(self, plan: Plan, ledger: Ledger, sink: Sink) -> None:
        """A report line for each source of earlier runs that is no more."""
        if self.stop.requested:  # then discovery may have been cut short
            return
        for source in plan.vanished():
            sink.write(Finished(source, Failed(FailureKind.UNREADABLE, _VANISHED)))
            ledger.forget(source.name)
            self.summary.vanished += 1


@contextmanager
def planned(
    inputs: AnyPath | Iterable[AnyPath],
    listed: Iterable[AnyPath] | None,
    options: IngestOptions,
    stop: Stop,
) -> Generator[Plan, None, None]:
    """Plan a run and leave everything as it is; another run may hold the output directory.

    Raises:
        NoInputError: nothing matched.
        LedgerError: the ledger cannot be read.
    """
    found = _some(discover(inputs, listed))
    digest = options_digest(options, find_engines(options.engine))
    with ExitStack() as stack:
        ledger = Ledger("") if options.to_stdout else snapshot(options.folder)
        plan = stack.enter_context(Plan(stack.enter_context(ledger)))
        plan.fill(takewhile(lambda _: not stop.requested, found))
        plan.settle(options, digest)
        yield plan


def _some(found: Iterator[Found]) -> Iterator[Found]:
    """What was found, if anything was; asked before anything is made.

    Raises:
        NoInputError: nothing was.
    """
    for first in found:
        return chain([first], found)
    raise NoInputError(
        "no PDF found. Directories are searched for names that end in .pdf; hidden entries and "
        "linked directories are left out."
    )


@contextmanager
def _outputs(options: IngestOptions, stop: Stop, digest: str) -> Generator[_Pair, None, None]:
    """The ledger and the sink that the options ask for, held against other runs."""
    if options.to_stdout:
        with _private(streams.stdout()) as outputs:
            yield outputs
        return
    with held(options.folder, options.wait_s, stop):
        _refuse_mixture(options)
        folder, unit = options.folder, options.unit
        with Ledger(ledger_of(folder)) as ledger:
            settle(folder, ledger)
            with DirectorySink(folder, unit, digest, ledger.lengths()) as sink:
                yield ledger, sink


@contextmanager
def _private(stream: BinaryIO | None) -> Generator[_Pair, None, None]:
    """A ledger that nothing outlives, and a sink that streams."""
    with Ledger("") as ledger, StreamSink(stream) as sink:
        yield ledger, sink


def _refuse_mixture(options: IngestOptions) -> None:
    """An output directory is written by shards or as a whole: a source must have one home."""
    whole = os.path.exists(ledger_of(options.output))
    if options.shard and whole:
        raise OutputError(
            f"{options.output} was written without --shard. Name another --output for the shards."
        )
    if not options.shard and not whole and parts_of(options.output):
        raise OutputError(
            f"{options.output} was written by shards. Give --shard, or name another --output."
        )
