"""The run, on one screen: discover, plan, supervise, sink, ledger, summary.

Sink, ledger and summary are correctness and are called by name; listeners only watch.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import Protocol, TypeAlias

from pdfingest import streams
from pdfingest.errors import ExitCode
from pdfingest.events import Listener, Listeners
from pdfingest.exchange.said import Record
from pdfingest.exchange.spool import read_records
from pdfingest.job import Job, Sandbox
from pdfingest.model import Duplicates, FailureKind, Reading, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import NO_TRAITS, Extracted, Failed, Finished, Unchanged
from pdfingest.output.ledger import Ledger
from pdfingest.output.peak_gate import SHOWN_PEAKS
from pdfingest.output.sink import Sink
from pdfingest.output.summary import Summary
from pdfingest.run.discover import AnyPath, discover
from pdfingest.run.fetching import Fetching
from pdfingest.run.found import Found
from pdfingest.run.outputs import Outputs, opened, private
from pdfingest.run.plan import Plan
from pdfingest.run.safeguards import refuse_clash, refuse_loss, require_some
from pdfingest.run.sampler import Sampler
from pdfingest.run.tools import Tools, find_tools, with_image
from pdfingest.run.work import job_template
from pdfingest.stop import Stop

_Steps: TypeAlias = Generator[Finished, None, None]
_Open: TypeAlias = Callable[[str], AbstractContextManager[Outputs]]
"""Opens the outputs, given the options digest."""


_LOOK_S = 0.1


class Executor(Protocol):
    """Runs jobs, in children of this process or elsewhere."""

    def run(self, jobs: Iterator[Job], /) -> Generator[Finished | None, None, None]:
        """Yield each job as it ends, and None some times a second; see `Supervisor.run`."""
        ...

    def reading(self) -> Iterable[Reading]:
        """Say how far the sources are that are being read, as far as that is known."""
        ...

    def close(self) -> None:
        """Release processes, threads and files."""
        ...


NewExecutor: TypeAlias = Callable[
    [IngestOptions, str, Stop, Callable[[int, Source], None]], Executor
]
"""Made of the options, a directory for spools, the stop, and whom to tell what begins."""


def ingest(  # noqa: PLR0913 - of which two by position
    inputs: AnyPath | Iterable[AnyPath],
    options: IngestOptions | None = None,
    *,
    listed: Iterable[AnyPath] | None = None,
    listeners: Sequence[Listener] = (),
    stop: Stop | None = None,
    executor: NewExecutor = Fetching,
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
    given, stop = dict[str, int](), stop or Stop()
    found = discover(inputs, listed, given, stop)
    run = _Run(found, options or IngestOptions(), Listeners(listeners), stop, executor, given)
    return run.to_end()


def ingest_found(
    found: Iterator[Found],
    options: IngestOptions,
    listeners: Sequence[Listener] = (),
    stop: Stop | None = None,
) -> Summary:
    """Ingest the sources that a discovery yields; see `ingest` for the rest."""
    return _Run(found, options, Listeners(listeners), stop or Stop()).to_end()


def stream(
    inputs: AnyPath | Iterable[AnyPath],
    options: IngestOptions | None = None,
    *,
    listed: Iterable[AnyPath] | None = None,
    listeners: Sequence[Listener] = (),
    stop: Stop | None = None,
) -> Iterator[Record]:
    """Yield the records of PDFs as they come, without an output directory; see also `ingest`.

    A source that failed yields nothing: watch `Listener.on_finished`. Closing the iterator ends
    the children.
    """
    stop = stop or Stop()
    found = discover(inputs, listed, stop=stop)
    run = _Run(found, options or IngestOptions(), Listeners(listeners), stop)
    with closing(run.steps(lambda _: private(None))) as steps:
        for finished in steps:
            if isinstance(finished.outcome, Extracted):
                yield from read_records(finished.spool)


@dataclass(slots=True)
class _Run:
    """State of one run: what was asked for, and the summary that grows."""

    found: Iterator[Found]
    options: IngestOptions
    listener: Listener
    stop: Stop
    executor: NewExecutor = Fetching
    given: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many sources each input gives; whole once discovery is done."""
    summary: Summary = field(default_factory=Summary)
    sampler: Sampler = field(default_factory=Sampler)
    _look_s: float = 0.0

    def to_end(self) -> Summary:
        """Run to the end, into the output directory, and return the summary."""
        deque(self.steps(partial(opened, self.options, self.stop)), maxlen=0)
        return self.summary

    def steps(self, outputs: _Open) -> _Steps:
        """Run step by step: yield each source when its outcome is known, and then write it."""
        streams.occupy()  # a program that uses the library may have closed them
        if self.options.sandbox is Sandbox.REQUIRE:
            from pdfingest.child.sandbox import confine  # noqa: PLC0415 - it brings ctypes

            confine.check()
        tools = find_tools(self.options)
        digest = tools.digest(self.options)
        found = require_some(self.found, self.options)
        tools = with_image(tools, self.stop)
        self.summary.peak_gate.limit_bytes = self.options.max_peak_bytes
        self.summary.options = self.options.to_json()
        with outputs(digest) as (ledger, sink), Plan(ledger) as plan:
            self._plan(found, plan, ledger, digest)
            ledger.begin_run(sink.sync)
            with closing(self._outcomes(plan, tools, ledger, sink)) as outcomes:
                for finished in outcomes:
                    taken = self._as_duplicate(finished, ledger.original_of(finished, digest))
                    yield taken
                    ledger.note(taken, sink.write(taken), digest)
                    if self.options.attachments:
                        self._attach(taken, plan, ledger)
                    self.summary.add(taken)
                    self.listener.on_finished(taken, self.summary)
                    if ledger.due:
                        ledger.commit(sink.sync)
            self.sampler.sample(self.summary.finished)
            self.summary.earlier_memory = sink.earlier_memory()
            if not self.options.compact:  # else what is old is about to go
                # What this run has written since its last commit counts too: a short one has none.
                lengths = {**ledger.lengths(), **sink.sync()}
                self.summary.output_bytes = sum(lengths.values())
                self.summary.live_bytes = ledger.live_bytes()
            self.summary.end(self.stop.exit_code, self.sampler.samples)
            sink.end(self.summary)
            ledger.end_run(self.stop.exit_code or ExitCode.OK, sink.sync)
        self.listener.on_ended(self.summary)

    def _plan(self, found: Iterator[Found], plan: Plan, ledger: Ledger, digest: str) -> None:
        """Fill and settle the plan, and refuse one that would harm what earlier runs wrote.

        Raises:
            UsageError: a source would replace the records of another.
            InputGoneError: more sources are gone than may be.
        """
        plan.fill(takewhile(lambda _: not self.stop.requested, found))
        plan.settle(self.options, digest)
        refuse_clash(plan, self.options)
        if not self.stop.requested:  # then discovery may have been cut short
            plan.find_gone(self.given)
            refuse_loss(plan, ledger, self.given, self.options)
        self._tell_planned(plan)

    def _tell_planned(self, plan: Plan) -> None:
        self.summary.planned = plan.sources
        self.listener.on_planned(plan.sources, plan.size_bytes)

    def _as_duplicate(self, finished: Finished, original: str) -> Finished:
        """Return a finished source that names the source with the same content, if any."""
        if not original:
            return finished
        outcome = finished.outcome
        if self.options.duplicates is Duplicates.SKIP and isinstance(outcome, Extracted):
            outcome = outcome._replace(pages=0, chars=0, needs_ocr_pages=0, ocr_pages=0)
        return finished._replace(outcome=outcome, duplicate_of=original)

    def _outcomes(self, plan: Plan, tools: Tools, ledger: Ledger, sink: Sink) -> _Steps:
        """Yield exactly one outcome for each source that the run takes up."""
        if not self.stop.requested:
            for source, gone in plan.gone():
                yield Finished(source, gone)
            ledger.note_inputs(self.given)
        yield from self._wave(plan, tools, sink, ledger)
        while self.options.attachments and not self.stop.requested:
            for source, gone in plan.gone():
                yield Finished(source, gone)
            if not plan.next_wave(self.options, tools.digest(self.options)):
                break
            self._tell_planned(plan)
            yield from self._wave(plan, tools, sink, ledger)

    def _wave(self, plan: Plan, tools: Tools, sink: Sink, ledger: Ledger) -> _Steps:
        """Yield an outcome for each source of one wave: of the files, or of their attachments."""
        for source in plan.unreadable():
            kind = FailureKind.TOO_LARGE if source.inside else FailureKind.UNREADABLE
            yield Finished(source, Failed(kind, source.error))
        if self.options.report_unchanged:
            for source, unchanged in plan.unchanged():
                yield Finished(source, unchanged)
        else:
            self.summary.add_unchanged(*plan.count_unchanged())
            if limit := self.options.max_peak_bytes:
                self.summary.peak_gate.add_above(*plan.unchanged_above(limit, SHOWN_PEAKS))
        template = job_template(self.options, tools)
        jobs = (
            template._replace(source=source, spool=sink.new_spool(), earlier=earlier)
            for source, earlier in plan.jobs()
        )
        executor = self.executor(
            self.options, sink.spool_folder, self.stop, self.listener.on_started
        )
        with closing(executor), closing(executor.run(jobs)) as steps:
            for finished in steps:
                if finished is not None:
                    yield finished
                elif ledger.due:
                    ledger.commit(sink.sync)
                self.sampler.tick(self.summary.finished)
                self._look(executor)
                self.listener.on_tick(self.summary)

    def _attach(self, finished: Finished, plan: Plan, ledger: Ledger) -> None:
        """Plan the PDFs that are attached to a source that has ended."""
        source, outcome = finished.source, finished.outcome
        if isinstance(outcome, Extracted):
            if outcome.traits != NO_TRAITS:  # else the file did not let itself be looked at
                plan.attach(source, outcome.traits.attachments)
        elif isinstance(outcome, Unchanged) and outcome.cost.started_at:
            plan.attach(source, ledger.attachments(source.name))

    def _look(self, executor: Executor) -> None:
        """Update the progress of the sources that are being read, some times a second."""
        now_s = time.monotonic()
        if now_s >= self._look_s:
            self._look_s = now_s + _LOOK_S
            # One that is between two children, or whose answer is on its way, is where it was.
            known = {each.source.name: each for each in self.summary.reading}
            known |= {each.source.name: each for each in executor.reading()}
            self.summary.reading = [*known.values()]
