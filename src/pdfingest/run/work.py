"""Work: what is to be done of one source, and what comes of its attempts and its parts.

    source ── split ──▶ pages 1 … k-1 ── attempts ──▶ outcome ─┐
                 └────▶ pages k … n ──── attempts ──▶ outcome ─┴─ joined ──▶ outcome of the source

Values and arithmetic; starts no process. When to split, `supervisor` decides.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from pdfingest.errors import OptionError
from pdfingest.exchange.spool import append_spools
from pdfingest.job import ALL_PAGES, Attempt, Job, Limits, PageRange
from pdfingest.measure.sizing import LEAST_MEMORY_BYTES
from pdfingest.model import FailureKind, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import NO_SHAPE, Cost, Death, Extracted, Failed, Outcome, Peak, Unchanged
from pdfingest.run.attempts import History
from pdfingest.run.tools import Tools
from pdfingest.text import mib

_OF_ALL = {FailureKind.CHANGED, FailureKind.UNREADABLE}
"""Failures of the file, not of some pages."""


def job_template(options: IngestOptions, tools: Tools) -> Job:
    """Return the job that all sources of a run share, but for source, spool and earlier outcome.

    Args:
        options: of the run.
        tools: what reads them.
    """
    return Job(
        source=Source("", ""),
        engines=tools.engines,
        passwords=options.passwords,
        unit=options.unit,
        format=options.format,
        tables=options.tables,
        attachments=options.attachments,
        limits=_limits(options, tools),
        spool="",
        sandbox=options.sandbox,
        readable=tools.readable,
        ocr=tools.ocr,
        chunks=tools.chunks,
    )


def _limits(options: IngestOptions, tools: Tools) -> Limits:
    """Return what one child may take: the budget counts an image with models once.

    Raises:
        OptionError: the image leaves too little.
    """
    limits, image = options.limits(), tools.image
    needed = sum(each.needs.address_bytes for each in tools.all_engines)
    left = limits.alone_bytes - image.private_bytes
    share = left // options.workers
    if image.private_bytes and share < max(options.memory_limit_bytes, LEAST_MEMORY_BYTES):
        raise OptionError(
            ["workers"],
            f"the image of the engine takes {mib(image.private_bytes)} of the memory budget of "
            f"{mib(limits.alone_bytes)}, which leaves {mib(max(share, 0))} for each of "
            f"{options.workers} children. Use fewer workers, or a larger budget.",
        )
    memory_bytes = options.memory_limit_bytes or min(limits.memory_bytes, share)
    return limits._replace(
        memory_bytes=memory_bytes,
        alone_bytes=left,
        address_bytes=image.address_bytes + needed,
    )


@dataclass(slots=True)
class Work:
    """A range of pages of one source, at first all of them, with all its attempts."""

    job: Job
    deaths: list[Death] = field(default_factory=list[Death])
    costs: list[Cost] = field(default_factory=list[Cost])
    repeats: int = 0
    """Children that died and were not at fault."""
    had_s: float = 0.0
    """Time that its source had before this range was made, and not by these costs."""
    ended: Outcome | None = None
    parts: "list[Work]" = field(default_factory=list["Work"])
    """All ranges of the source, this one included, in the order of their pages; one list."""
    whole: bool = False
    """Whether the source must not be spread."""

    def __post_init__(self) -> None:
        if not self.parts:
            self.parts.append(self)

    @property
    def total_pages(self) -> int:
        """Page count of the document as children that died knew it; 0 if none did."""
        return max((death.total_pages for death in self.deaths), default=0)

    @property
    def used_s(self) -> float:
        """Time in seconds that its children have had, and its source before it was split."""
        return self.had_s + sum(cost.wall_s for cost in self.costs)

    def pages(self, total_pages: int) -> range:
        """Return the numbers of its pages, given the document's page count."""
        return self.job.pages.within(total_pages)

    def split(self, page: int, total_pages: int, spool: str, used_s: float) -> "Work":
        """Give the pages from one on to a work of their own.

        Args:
            page: number, 1-based, of the first of them.
            total_pages: of the document.
            spool: where the new work writes.
            used_s: time that this one has had.
        """
        pages, floor = self.pages(total_pages), self.job.attempt.floor
        rest = self.job._replace(
            pages=PageRange(page, pages.stop - 1),
            step=Attempt(first_page=page, engine=floor, floor=floor),
            spool=spool,
        )
        other = Work(rest, had_s=used_s, parts=self.parts)
        self.parts.insert(_position(self.parts, self) + 1, other)
        self.job = self.job._replace(pages=PageRange(pages.start, page - 1))
        return other

    def note(self, death: Death) -> None:
        """Note the death of a child that was at fault."""
        self.deaths.append(death)
        self.costs.append(death.cost)

    def history(self, death: Death, limit_s: float) -> History:
        """Return what `attempts.after` must know when a child has died.

        Args:
            death: of that child, which is not noted yet.
            limit_s: time in seconds that the source may take.
        """
        return History(
            deaths=len(self.deaths) + 1,
            repeats=self.repeats,
            in_time=self.used_s + death.cost.wall_s < limit_s,
            total_pages=max(self.total_pages, death.total_pages),
        )

    def cost(self, last: Cost) -> Cost:
        """Sum up the cost of all attempts.

        Args:
            last: cost of the attempt that is not in `costs`.
        """
        if not self.costs:
            return last
        costs = [*self.costs, last]
        baseline_bytes = max(cost.peak.baseline_bytes for cost in costs)
        return Cost(
            pid=last.pid,
            started_at=costs[0].started_at,
            wall_s=sum(cost.wall_s for cost in costs),
            cpu_s=sum(cost.cpu_s for cost in costs),
            peak=_highest(costs)._replace(baseline_bytes=baseline_bytes),
            attempts=len(costs),
            signal=next((cost.signal for cost in costs if cost.signal), ""),
            stack=next((cost.stack for cost in costs if cost.stack), ""),
        )

    def outcome(self, outcome: Outcome) -> Outcome:
        """Complete the outcome of the last attempt by what earlier ones cost and died of."""
        if not self.costs:
            return outcome
        outcome = outcome._replace(cost=self.cost(outcome.cost))
        if not self.deaths:
            return outcome
        death = self.deaths[0]
        match outcome:
            case Extracted(failed_pages=()):
                return outcome._replace(message=death.message)
            case Extracted():
                return outcome._replace(failure=death.kind, message=death.message)
            case Failed(failure=FailureKind.CHANGED) | Unchanged():
                return outcome
            case Failed():
                return outcome._replace(failure=death.kind, message=death.message)

    def failed(self) -> Failed:
        """Return the outcome of a work whose last child died and that has no record."""
        death, last = self.deaths[0], self.costs.pop()
        return Failed(
            death.kind,
            death.message,
            self.cost(last),
            engine=self.job.engines[0].name,
            failed_pages=tuple(self.pages(self.total_pages)),
        )

    def again(self) -> "Work":
        """Return a work that does the whole source anew, as its parts do not fit together."""
        job = self.parts[0].job._replace(pages=ALL_PAGES, step=Attempt())
        costs = [part.ended.cost for part in self.parts if part.ended is not None]
        # The parts ran side by side: the times of all are more than the source has had.
        had_s = max(part.used_s for part in self.parts) - sum(cost.wall_s for cost in costs)
        return Work(job, costs=costs, had_s=had_s, whole=True)


def _position(works: Sequence[Work], work: Work) -> int:
    """Return the index of a work, which is told from others by identity."""
    return next(index for index, each in enumerate(works) if each is work)


def joined(parts: Sequence[Work]) -> Outcome | None:
    """Join the outcomes of the parts of a source, and their records in the spool of the first.

    Args:
        parts: all ended, in the order of their pages.

    Returns:
        None where the parts do not fit together: the file was written to between their starts, or
        the whole crosses a limit. Then the source must be done anew, in one piece.
    """
    outcomes = [part.ended for part in parts if part.ended is not None]
    if len(parts) == 1:
        return outcomes[0]
    cost = _cost_of_all([outcome.cost for outcome in outcomes])
    for outcome in outcomes:
        if isinstance(outcome, Failed) and outcome.failure in _OF_ALL:
            return outcome._replace(cost=cost)
    if not _fit(parts, outcomes):
        return None
    read = [outcome for outcome in outcomes if isinstance(outcome, Extracted)]
    lost = tuple(page for part in parts for page in _lost(part))
    failures = [(outcome.failure, outcome.message) for outcome in outcomes]
    failure, message = next(filter(any, failures), (None, ""))
    if not read:
        return outcomes[0]._replace(cost=cost, failed_pages=lost)
    spools = [part.job.spool for part in parts if isinstance(part.ended, Extracted)]
    append_spools(parts[0].job.spool, spools)
    pages = sum(each.pages for each in read)
    return Extracted(
        cost=cost,
        sha256=read[0].sha256,
        engine=read[0].engine,
        pages=pages,
        chars=sum(each.chars for each in read),
        needs_ocr_pages=sum(each.needs_ocr_pages for each in read),
        ocr_pages=sum(each.ocr_pages for each in read),
        failed_pages=lost,
        failure=failure if lost else None,
        message=message,
        last_page=pages + len(lost),
        traits=read[0].traits,
        shape=read[0].shape if len({each.shape for each in read}) == 1 else NO_SHAPE,
    )


def _fit(parts: Sequence[Work], outcomes: Sequence[Outcome]) -> bool:
    """Check that the parts have one content, leave no gap, and are within the limits together."""
    size_bytes = 0
    for part, outcome in zip(parts, outcomes, strict=True):
        if outcome.failure is FailureKind.TOO_LARGE:
            return False
        if isinstance(outcome, Extracted):
            if outcome.last_page != part.job.pages.end:
                return False
            size_bytes += os.path.getsize(part.job.spool)
    contents = {outcome.sha256 for outcome in outcomes if outcome.sha256}
    return len(contents) <= 1 and size_bytes <= parts[0].job.limits.output_bytes


def _lost(part: Work) -> Sequence[int]:
    if isinstance(part.ended, Extracted):
        return part.ended.failed_pages
    return part.pages(0)


def _cost_of_all(costs: Sequence[Cost]) -> Cost:
    began = min(cost.started_at for cost in costs)  # they ran side by side
    return Cost(
        pid=costs[0].pid,
        started_at=began,
        wall_s=max(cost.started_at + cost.wall_s for cost in costs) - began,
        cpu_s=sum(cost.cpu_s for cost in costs),
        peak=_highest(costs),
        attempts=sum(cost.attempts for cost in costs),
        signal=next((cost.signal for cost in costs if cost.signal), ""),
        stack=next((cost.stack for cost in costs if cost.stack), ""),
    )


def _highest(costs: Sequence[Cost]) -> Peak:
    """Return the highest peak of several children, of all their memory and of their private one."""
    peaks = [cost.peak for cost in costs]
    highest = max(peaks, key=lambda peak: peak.peak_bytes)
    return highest._replace(private_peak_bytes=max(peak.private_peak_bytes for peak in peaks))
