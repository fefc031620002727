"""The run, on one screen: discover, plan, supervise, sink, summary.

Sink and summary are correctness and are called by name; listeners only watch.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias

from pdfingest.discover import discover
from pdfingest.errors import NoInputError
from pdfingest.events import Listener, Listeners
from pdfingest.extract.engine import find_engines
from pdfingest.model import (
    EngineSpec,
    Extracted,
    Failed,
    FailureKind,
    Finished,
    Job,
    Sandbox,
    Stop,
)
from pdfingest.options import IngestOptions, options_digest
from pdfingest.plan import Plan
from pdfingest.record import Record
from pdfingest.sandbox import confine
from pdfingest.sink import Sink, StreamSink, open_sink
from pdfingest.spool import read_records
from pdfingest.summary import Summary
from pdfingest.supervise.supervisor import Supervisor

_Steps: TypeAlias = Generator[Finished, None, None]

_NOT_BEGUN = "the run was interrupted before its turn"


def ingest(
    inputs: Sequence[str],
    options: IngestOptions | None = None,
    *,
    listed: Iterable[str] | None = None,
    listeners: Sequence[Listener] = (),
    stop: Stop | None = None,
) -> Summary:
    """Ingest PDFs into the output directory, one fresh process per file.

    Call it under `if __name__ == "__main__":`, as children import the main module again.

    Args:
        inputs: files, directories, globs.
        options: defaults where None.
        listed: more paths, taken literally and read as they are needed.
        listeners: told what happens, in the calling thread.
        stop: lets another thread or a signal handler end the run early.

    Returns:
        Counts and percentiles; every source found has its line in `report.jsonl`.

    Raises:
        PdfingestError: the run as a whole cannot go on; `exit_code` says of what family. A file
            that fails is not an error of the run.
    """
    options = options or IngestOptions()
    run = _Run(inputs, listed, options, Listeners(listeners), stop or Stop())
    deque(run.steps(open_sink), maxlen=0)
    return run.summary


def stream(
    inputs: Sequence[str],
    options: IngestOptions | None = None,
    *,
    listed: Iterable[str] | None = None,
    listeners: Sequence[Listener] = (),
) -> Iterator[Record]:
    """Yield the records of PDFs as they come, without an output directory; as `ingest` otherwise.

    A source that failed yields nothing: watch `Listener.on_finished`. Closing the iterator ends
    the children.
    """
    run = _Run(inputs, listed, options or IngestOptions(), Listeners(listeners), Stop())
    with closing(run.steps(lambda _options, _digest: StreamSink(None))) as steps:
        for finished in steps:
            if isinstance(finished.outcome, Extracted):
                yield from read_records(finished.spool)


@contextmanager
def planned(
    inputs: Sequence[str], listed: Iterable[str] | None, stop: Stop
) -> Generator[Plan, None, None]:
    """What a run of these inputs would ingest.

    Raises:
        NoInputError: nothing matched.
    """
    with Plan() as plan:
        plan.fill(takewhile(lambda _: not stop.requested, discover(inputs, listed)))
        if not plan.sources and not stop.requested:
            raise NoInputError(
                "no PDF found. Directories are searched for names that end in .pdf; hidden "
                "entries and linked directories are left out."
            )
        yield plan


@dataclass(slots=True)
class _Run:
    """One run: what was asked for, and the summary that grows."""

    inputs: Sequence[str]
    listed: Iterable[str] | None
    options: IngestOptions
    listener: Listener
    stop: Stop
    summary: Summary = field(default_factory=Summary)

    def steps(self, open_sink: Callable[[IngestOptions, str], Sink]) -> _Steps:
        """The run; each source is yielded once its outcome is known, and committed after that."""
        if self.options.sandbox is Sandbox.REQUIRE:
            confine.check()
        engines = find_engines(self.options.engine)
        digest = options_digest(self.options, engines)
        with planned(self.inputs, self.listed, self.stop) as plan:
            self.summary.planned = plan.sources
            self.listener.on_planned(plan.sources, plan.size_bytes)
            with open_sink(self.options, digest) as sink:
                with closing(self._outcomes(plan, engines, sink)) as outcomes:
                    for finished in outcomes:
                        yield finished
                        sink.commit(finished, self.summary)
                        self.listener.on_finished(finished, self.summary)
                self.summary.end(self.stop.exit_code)
                sink.end(self.summary)
        self.listener.on_ended(self.summary)

    def _outcomes(self, plan: Plan, engines: tuple[EngineSpec, ...], sink: Sink) -> _Steps:
        """Exactly one outcome for each source of the plan."""
        for source in plan.unreadable():
            yield Finished(source, Failed(FailureKind.UNREADABLE, source.error))
        waiting = plan.readable()
        options, limits = self.options, self.options.limits()
        jobs = (
            Job(
                source,
                engines,
                options.passwords,
                options.unit,
                limits,
                sink.new_spool(),
                options.sandbox,
            )
            for source in waiting
        )
        supervisor = Supervisor(options, sink.spool_folder, self.stop, self.listener.on_started)
        with closing(supervisor.run(jobs)) as supervised:
            for finished in supervised:
                if finished is not None:
                    yield finished
                self.listener.on_tick(self.summary)
        for source in waiting:
            yield Finished(source, Failed(FailureKind.CANCELLED, _NOT_BEGUN))
