"""Summary: the fold of all outcomes of a run, of bounded size however many there are."""

import heapq
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pdfingest.errors import ExitCode
from pdfingest.exchange.record import iso_time
from pdfingest.measure.flatness import THRESHOLD_BYTES, Sample, Trend, Verdict, judge
from pdfingest.model import (
    SCHEMA,
    Cost,
    Extracted,
    Failed,
    FailureKind,
    Finished,
    Gone,
    Reading,
    Unchanged,
)
from pdfingest.options import FailOn, IngestOptions
from pdfingest.text import mib, printable

SHOWN_FAILURES = 20
"""So many losses are kept by name; `report.jsonl` has them all."""
SHOWN_PEAKS = 20
"""So many of the sources that exceed the gate for peaks are kept by name, the highest."""
_NOTICED_BYTES = 64 << 20
"""Less than this costs no disk and no reader a second. Outputs that are mostly old but small are
usual while somebody tries things out, and a hint each time would be noise."""


@dataclass(slots=True)
class Quantiles:
    """Percentiles of a stream to within 1 %, in a table that grows with the logarithm of its range.

    Values fall into buckets whose bounds grow by a constant ratio, the idea of DDSketch
    (Masson, Rim and Lee 2019, doi:10.14778/3352063.3352135).
    """

    _buckets: Counter[int] = field(default_factory=Counter[int])
    largest: float = 0.0

    _RATIO = 1.02

    def add(self, value: float) -> None:
        """Count one value; values of 0 and below are left out."""
        if value > 0:
            self._buckets[math.ceil(math.log(value, self._RATIO))] += 1
            self.largest = max(self.largest, value)

    def at(self, fraction: float) -> float:
        """The value that this fraction of all values does not exceed; 0 if there are none."""
        rank = fraction * self._buckets.total()
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                middle = 2 * self._RATIO**bucket / (1 + self._RATIO)
                return min(middle, self.largest)
        return self.largest


@dataclass(frozen=True, slots=True)
class Loss:
    """A source that lost pages, or all of them."""

    source: str
    failure: FailureKind
    message: str
    pages_failed: int
    partial: bool


@dataclass(slots=True)
class Summary:
    """Counts and percentiles of one run, up to date after every source."""

    planned: int = 0
    ok: int = 0
    partial: int = 0
    failed: int = 0
    unchanged: int = 0
    unchanged_partial: int = 0
    """Those of the unchanged whose lost pages are still lost."""
    gone: int = 0
    """Sources of earlier runs that are not there any more; not among the planned."""
    not_begun: int = 0
    """Sources that a stop left for the next run."""
    started_at: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the user chose, without passwords."""
    failures: Counter[FailureKind] = field(default_factory=Counter[FailureKind])
    """Sources failed or partial, by kind."""
    pages: int = 0
    pages_failed: int = 0
    needs_ocr_pages: int = 0
    chars: int = 0
    peaks: Quantiles = field(default_factory=Quantiles)
    """Peak resident set of the children, in bytes."""
    max_source: str = ""
    """The source with the highest of them."""
    max_peak_bytes: int = 0
    """The gate of that name; 0 for none."""
    above_max_peak: int = 0
    """Sources whose peak exceeds it, or did when they were ingested."""
    highest: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """The highest of these peaks with their sources, as a heap whose root is the least of them."""
    times: Quantiles = field(default_factory=Quantiles)
    """Wall time of the children, in seconds."""
    losses: list[Loss] = field(default_factory=list[Loss])
    """The first of them."""
    reading: Sequence[Reading] = ()
    """The sources that are being read at this moment."""
    stopped: ExitCode | None = None
    """The exit code that an interrupt asked for."""
    wall_s: float = 0.0
    samples: list[Sample] = field(default_factory=list[Sample])
    """What the processes of the run held, over the sources done; known at its end."""
    trend: Trend = field(default_factory=lambda: judge(()))
    """Of the memory that outlives a file; known at its end."""
    earlier_memory: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the summary of an earlier run says of memory, for a run that took up nothing."""
    output_bytes: int = 0
    """Length of all outputs; known at the end of a run that does not compact them itself."""
    live_bytes: int = 0
    """Those of them that are the newest state of a source."""
    _clock: float = field(default_factory=time.perf_counter)

    @property
    def old_bytes(self) -> int:
        """Bytes of the outputs that a compaction would remove."""
        return max(self.output_bytes - self.live_bytes, 0)

    @property
    def is_worth_compacting(self) -> bool:
        """Whether most of the outputs is old, and enough to notice."""
        return self.old_bytes >= _NOTICED_BYTES and self.old_bytes > self.live_bytes

    @property
    def taken_up(self) -> int:
        """Sources that were not known to be unchanged, and that have ended."""
        return self.ok + self.partial + self.failed

    @property
    def finished(self) -> int:
        """Sources that are done: taken up, or unchanged."""
        return self.taken_up + self.unchanged

    @property
    def pages_read(self) -> int:
        """Pages written so far, and those read of sources that are not done."""
        return self.pages + sum(each.pages_done for each in self.reading)

    @property
    def pages_per_s(self) -> float:
        """Pages read per second of wall time so far."""
        return self.pages_read / (self.wall_s or self.elapsed_s())

    @property
    def progress(self) -> float:
        """Sources that are done, and the parts of those that are being read."""
        return self.finished + sum(each.fraction for each in self.reading)

    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return max(time.perf_counter() - self._clock, 1e-9)

    def add(self, finished: Finished) -> None:
        """Take in how one source ended."""
        source, outcome = finished.source, finished.outcome
        if self.reading:
            self.reading = [each for each in self.reading if each.source.name != source.name]
        self._count(outcome.status.value)
        match outcome:
            case Extracted():
                self.pages += outcome.pages
                self.needs_ocr_pages += outcome.needs_ocr_pages
                self.chars += outcome.chars
                if outcome.failure is not None:
                    lost = len(outcome.failed_pages)
                    self._lose(
                        Loss(source.name, outcome.failure, outcome.message, lost, partial=True)
                    )
            case Failed():
                lost = len(outcome.failed_pages)
                self._lose(Loss(source.name, outcome.failure, outcome.message, lost, partial=False))
            case Unchanged():
                self.unchanged_partial += bool(outcome.failed_pages)
                self._judge(outcome.peak_bytes, source.name)
            case Gone():
                return
        self._weigh(outcome.cost, source.name)

    def _count(self, status: str) -> None:
        """Count a source by how it ended."""
        setattr(self, status, getattr(self, status) + 1)

    def _weigh(self, cost: Cost, source: str) -> None:
        """Take in what the children of a source took."""
        peak_bytes = cost.peak.peak_bytes
        if peak_bytes > self.peaks.largest:
            self.max_source = source
        self.peaks.add(peak_bytes)
        self._judge(peak_bytes, source)
        self.times.add(cost.wall_s)

    def _judge(self, peak_bytes: int, source: str) -> None:
        """Count a peak that exceeds the gate, and keep it by name if it is one of the highest."""
        if not self.max_peak_bytes or peak_bytes <= self.max_peak_bytes:
            return
        self.above_max_peak += 1
        if len(self.highest) < SHOWN_PEAKS:
            heapq.heappush(self.highest, (peak_bytes, source))
        else:
            heapq.heappushpop(self.highest, (peak_bytes, source))

    def _lose(self, loss: Loss) -> None:
        """Count what was lost, and keep the first of it by name."""
        self.failures[loss.failure] += 1
        self.pages_failed += loss.pages_failed
        if len(self.losses) < SHOWN_FAILURES:
            self.losses.append(loss)

    def add_unchanged(self, sources: int, partial: int) -> None:
        """Take in sources that are known to be unchanged, without a look at each.

        Args:
            sources: their number.
            partial: those of them that have lost pages.
        """
        self.unchanged += sources
        self.unchanged_partial += partial

    def add_above(self, sources: int, highest: Sequence[tuple[int, str]]) -> None:
        """Take in unchanged sources that exceeded the gate for peaks when they were ingested.

        Args:
            sources: their number.
            highest: the highest of them, each with its peak in bytes and its name.
        """
        for peak_bytes, source in highest:
            self._judge(peak_bytes, source)
        self.above_max_peak += sources - len(highest)

    def end(self, stopped: ExitCode | None, samples: Sequence[Sample] = ()) -> None:
        """The run is over; its wall time stands still from here on."""
        self.wall_s = self.elapsed_s()
        self.reading = ()
        self.stopped = stopped
        self.not_begun = self.planned - self.finished
        self.samples = list(samples)
        self.trend = judge([(sample.files, sample.held_bytes) for sample in samples])

    def broken_gates(self, *, require_flat: bool) -> list[str]:
        """What the gates of the run say against it, a line each."""
        lines: list[str] = []
        if self.above_max_peak:
            limit = mib(self.max_peak_bytes)
            lines.append(f"{self.above_max_peak:,} files exceed --max-peak {limit}:")
            lines += [
                f"  {mib(peak_bytes)}  {printable(source)}"
                for peak_bytes, source in sorted(self.highest, reverse=True)
            ]
            if self.above_max_peak > len(self.highest):
                lines.append(f"  … and {self.above_max_peak - len(self.highest):,} more")
        # A run that took up nothing is no evidence against, and a quiet night no failure.
        if require_flat and self.taken_up and self.trend.verdict is not Verdict.FLAT:
            lines.append(f"--require-flat: {self.trend.verdict}: {self.trend}")
        return lines

    def exit_code(self, options: IngestOptions) -> ExitCode:
        """The exit code of the run; the one place where outcomes become a code.

        It tells the state of the outputs: a second run that has nothing to do ends like the first.
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
        """The content of `summary.json`."""
        from importlib import metadata  # noqa: PLC0415 - 10 ms that a start need not wait for

        return {
            "schema": SCHEMA,
            "version": metadata.version("pdfingest"),
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
            "chars": self.chars,
            "wall_s": round(self.wall_s, 3),
            "pages_per_s": round(self.pages_per_s, 1),
            "peak_rss_bytes": {
                **_percentiles(self.peaks, 0),
                "max_source": self.max_source,
            },
            "source_wall_s": _percentiles(self.times, 4),
            "memory": self._memory(),
        }

    def _memory(self) -> dict[str, Any]:
        """What was seen of memory, by this run or, if it took up nothing, by the last that did."""
        if not self.taken_up and self.earlier_memory:
            return dict(self.earlier_memory)
        return {
            "measured_at": iso_time(self.started_at),
            "verdict": self.trend.verdict.value,
            "bytes_per_file": round(self.trend.slope, 1),
            "bytes_per_file_low": round(self.trend.low, 1),
            "bytes_per_file_high": round(self.trend.high, 1),
            "threshold_bytes_per_file": THRESHOLD_BYTES,
            "files": self.trend.files,
            "samples": {
                name: [getattr(sample, name) for sample in self.samples]
                for name in Sample.__dataclass_fields__
            },
        }


def _percentiles(values: Quantiles, digits: int) -> dict[str, Any]:
    """The usual ones, of which the maximum is exact."""
    return {
        name: round(value, digits) if digits else int(value)
        for name, value in (
            ("p50", values.at(0.50)),
            ("p95", values.at(0.95)),
            ("p99", values.at(0.99)),
            ("max", values.largest),
        )
    }
