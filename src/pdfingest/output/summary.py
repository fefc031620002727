"""Summary: counts and figures of one run, of bounded size however many sources there are.

Owns what is counted, the exit code of a run, and the content of `summary.json`. Does not own the
verdict on memory (`measure.flatness`), nor how a summary is shown (`cli`).
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pdfingest.errors import ExitCode
from pdfingest.exchange.report_line import iso_time
from pdfingest.measure.flatness import Sample, Trend, Verdict, judge
from pdfingest.model import SCHEMA, FailOn, FailureKind, Reading
from pdfingest.options import IngestOptions
from pdfingest.outcome import Finished, Status, Unchanged
from pdfingest.output.peak_gate import PeakGate
from pdfingest.output.quantiles import Quantiles

SHOWN_FAILURES = 20
"""Number of losses that are kept by name; `report.jsonl` has all."""
# Fewer old bytes are not worth a hint: they cost no disk and no reader a second, and outputs that
# are small but mostly old are usual while somebody tries things out.
_NOTICED_BYTES = 64 << 20


class Loss(NamedTuple):
    """A source that lost pages, or all of them."""

    source: str
    """Name of the source."""
    failure: FailureKind
    message: str
    pages_failed: int
    """Number of lost pages, as far as they are known."""
    partial: bool
    """Whether the other pages have records."""


@dataclass(slots=True)
class Summary:
    """Counts and figures of one run, up to date after every source."""

    planned: int = 0
    """Sources of the run, the unchanged included."""
    ok: int = 0
    partial: int = 0
    failed: int = 0
    unchanged: int = 0
    unchanged_partial: int = 0
    """Sources among the unchanged that lost pages when they were ingested."""
    gone: int = 0
    """Sources of earlier runs whose files no longer exist; not among the planned."""
    not_begun: int = 0
    """Sources that a stop left for the next run; known at the end."""
    started_at: float = field(default_factory=time.time)
    """Start of the run, in seconds since the epoch."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the user chose, by name, without passwords."""
    failures: Counter[FailureKind] = field(default_factory=Counter[FailureKind])
    """Sources that are failed or partial, by the kind of their first loss."""
    pages: int = 0
    """Pages that were written."""
    pages_failed: int = 0
    needs_ocr_pages: int = 0
    ocr_pages: int = 0
    chars: int = 0
    peaks: Quantiles = field(default_factory=Quantiles)
    """Peak resident set of the children, in bytes."""
    max_source: str = ""
    """Name of the source with the highest peak."""
    peak_gate: PeakGate = field(default_factory=PeakGate)
    """The gate `--max-peak`."""
    times: Quantiles = field(default_factory=Quantiles)
    """Wall time of the children, in seconds."""
    losses: list[Loss] = field(default_factory=list[Loss])
    """The first `SHOWN_FAILURES` losses."""
    reading: Sequence[Reading] = ()
    """Sources that are being read at this moment."""
    stopped: ExitCode | None = None
    """Exit code that an interrupt asked for; None without one. Known at the end."""
    wall_s: float = 0.0
    """Wall time of the run; 0 until its end."""
    samples: list[Sample] = field(default_factory=list[Sample])
    """Memory of the processes of the run, over the sources done; known at the end."""
    trend: Trend = field(default_factory=lambda: judge(()))
    """Growth of the memory that outlives a file; known at the end."""
    earlier_memory: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the summary of an earlier run says of memory, for a run that took up nothing."""
    output_bytes: int = 0
    """Length of all outputs; known at the end of a run that does not compact them itself."""
    live_bytes: int = 0
    """Bytes of the outputs that are the newest state of a source; known when `output_bytes` is."""
    _clock: float = field(default_factory=time.perf_counter)

    @property
    def old_bytes(self) -> int:
        """Bytes of the outputs that a compaction would remove."""
        return max(self.output_bytes - self.live_bytes, 0)

    @property
    def is_worth_compacting(self) -> bool:
        """Whether most of the outputs is old, and enough of it to notice."""
        return self.old_bytes >= _NOTICED_BYTES and self.old_bytes > self.live_bytes

    @property
    def taken_up(self) -> int:
        """Number of sources that have ended and were not unchanged."""
        return self.ok + self.partial + self.failed

    @property
    def finished(self) -> int:
        """Number of sources that are done, the unchanged included."""
        return self.taken_up + self.unchanged

    @property
    def pages_read(self) -> int:
        """Number of pages read so far, also of sources that are not done."""
        return self.pages + sum(each.pages_done for each in self.reading)

    @property
    def pages_per_s(self) -> float:
        """Pages read so far per second of wall time."""
        return self.pages_read / (self.wall_s or self.elapsed_s())

    @property
    def progress(self) -> float:
        """Number of sources that are done, and fractions of those that are being read."""
        return self.finished + sum(each.fraction for each in self.reading)

    def elapsed_s(self) -> float:
        """Return the seconds since the run began."""
        return max(time.perf_counter() - self._clock, 1e-9)

    def add(self, finished: Finished) -> None:
        """Take in how one source ended."""
        name, outcome = finished.source.name, finished.outcome
        if self.reading:
            self.reading = [each for each in self.reading if each.source.name != name]
        counter = outcome.status.value  # `ok`, `partial` … are counted in fields of these names
        setattr(self, counter, getattr(self, counter) + 1)
        if isinstance(outcome, Unchanged):
            self.unchanged_partial += bool(outcome.failed_pages)
            self.peak_gate.judge(outcome.peak_bytes, name)
        else:
            self.pages += outcome.pages
            self.needs_ocr_pages += outcome.needs_ocr_pages
            self.ocr_pages += outcome.ocr_pages
            self.chars += outcome.chars
        if outcome.failure is not None:
            partial = outcome.status is not Status.FAILED
            lost = len(outcome.failed_pages)
            self.failures[outcome.failure] += 1
            self.pages_failed += lost
            if len(self.losses) < SHOWN_FAILURES:
                self.losses.append(Loss(name, outcome.failure, outcome.message, lost, partial))
        peak_bytes = outcome.cost.peak.peak_bytes
        if peak_bytes > self.peaks.largest:
            self.max_source = name
        self.peaks.add(peak_bytes)
        self.peak_gate.judge(peak_bytes, name)
        self.times.add(outcome.cost.wall_s)

    def add_unchanged(self, sources: int, partial: int) -> None:
        """Take in sources that are known to be unchanged, without a look at each.

        Args:
            sources: their number.
            partial: number of those that have lost pages.
        """
        self.unchanged += sources
        self.unchanged_partial += partial

    def end(self, stopped: ExitCode | None, samples: Sequence[Sample] = ()) -> None:
        """Take in, at the end, the exit code that an interrupt asked for and what was measured."""
        self.wall_s = self.elapsed_s()
        self.reading = ()
        self.stopped = stopped
        self.not_begun = self.planned - self.finished
        self.samples = list(samples)
        self.trend = judge([(sample.files, sample.held_bytes) for sample in samples])

    def broken_gates(self, *, require_flat: bool) -> list[str]:
        """Return what the gates say against the run, as lines for the user; empty if it passes."""
        lines = [*self.peak_gate.lines()]
        # A run that took up nothing is no evidence of growth: a night without news must not fail.
        if require_flat and self.taken_up and self.trend.verdict is not Verdict.FLAT:
            lines.append(f"--require-flat: {self.trend.verdict}: {self.trend}")
        return lines

    def exit_code(self, options: IngestOptions) -> ExitCode:
        """Return the exit code of the run. This is the one place where outcomes become a code.

        The code describes the state of the outputs, so a second run that has nothing to do ends
        like the first.
        """
        if self.stopped is not None:
            return self.stopped
        if self.broken_gates(require_flat=options.require_flat):
            return ExitCode.GATE
        lost = {
            FailOn.ANY: self.partial + self.failed + self.unchanged_partial,
            FailOn.FAILED: self.failed,
            FailOn.NEVER: 0,
        }[options.fail_on]
        allowed = options.max_failures.of(self.planned)
        return ExitCode.SOME_FAILED if lost > allowed else ExitCode.OK

    def to_json(self) -> dict[str, Any]:
        """Return the content of `summary.json`, which `output.schema` describes."""
        from pdfingest.installed import version_of  # noqa: PLC0415 - an import takes 6 ms

        return {
            "schema": SCHEMA,
            "version": version_of("pdfingest"),
            "started_at": iso_time(self.started_at),
            "options": dict(self.options),
            "sources": self.planned,
            "ok": self.ok,
            "partial": self.partial,
            "failed": self.failed,
            "unchanged": self.unchanged,
            "unchanged_partial": self.unchanged_partial,
            "not_begun": self.not_begun,
            "gone": self.gone,
            "failures": {kind.value: self.failures[kind] for kind in FailureKind},
            "interrupted": self.stopped is not None,
            "pages": self.pages,
            "pages_failed": self.pages_failed,
            "needs_ocr_pages": self.needs_ocr_pages,
            "ocr_pages": self.ocr_pages,
            "chars": self.chars,
            "wall_s": round(self.wall_s, 3),
            "pages_per_s": round(self.pages_per_s, 1),
            "peak_rss_bytes": {**self.peaks.to_json(0), "max_source": self.max_source},
            "source_wall_s": self.times.to_json(4),
            "memory": self._memory(),
        }

    def _memory(self) -> dict[str, Any]:
        """Return what was measured of memory: by this run, or by the last that took up sources."""
        if not self.taken_up and self.earlier_memory:
            return dict(self.earlier_memory)
        return {
            "measured_at": iso_time(self.started_at),
            **self.trend.to_json(),
            "samples": {
                name: [getattr(sample, name) for sample in self.samples]
                for name in Sample.__dataclass_fields__
            },
        }
