"""A turn: a job on a lane, from its start to its end, and what is known of it meanwhile."""

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from pdfingest.exchange.answer import Answer, NotAnAnswer, decoded
from pdfingest.exchange.recorder import DONE, Note, Playback, unknown
from pdfingest.isolation.context import Process
from pdfingest.job import Attempt, Closing, Job
from pdfingest.measure.memory import peak_of, private_bytes
from pdfingest.model import FailureKind, Unit
from pdfingest.outcome import Cost, Death, EnvironmentFailure, Halted, Peak
from pdfingest.run.work import Work

_START_S = 30.0
"""How long a child may take to announce that it has the job; it needs milliseconds."""
_CLOSING_S = 300.0
"""How long a child may take that reads no page and only counts those that earlier ones read: a
limit of the user's that is up must not discard them."""


class TimeLimits(NamedTuple):
    """How long a job may take, in seconds."""

    file_s: float
    page_s: float
    start_s: float = _START_S
    """How long its child may take to announce itself."""


@dataclass(slots=True, eq=False)
class Turn:
    """A job on a lane."""

    lane: int
    """0-based index of the lane."""
    work: Work
    """What the job is of; its job is the one that the child has."""
    ticket: int
    """Number of the turn on its lane, by which the notes of its child are told from others."""
    playback: Playback
    """Of the lane's flight recorder."""
    future: "Future[bytes]"
    """What the child sends, or an exception where that is nothing."""
    submitted_s: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    deadline_s: float | None = None
    """When its time is up, on the monotonic clock; None until the child has announced itself."""
    verdict: tuple[FailureKind, str] | None = None
    """Why its child is killed, where a time limit is the reason."""
    kill_s: float = 0.0
    """When that is due, on the monotonic clock; 0 if it is not."""
    done_s: float | None = None
    """When it was first seen that the answer is ready, on the monotonic clock."""
    ended_s: float | None = None
    """When it was first seen that its child has ended, on the monotonic clock."""
    peak_bytes: int = 0
    """Highest resident set of the child that was seen."""
    private_bytes: int = 0
    """Highest memory of the child that was seen, of what it does not share with its image; 0 where
    that is not looked at."""
    first_note: Note | None = None
    """The first note of a page that was looked at, to tell how fast the child reads."""
    is_told: bool = False
    """Whether the reader of the run knows that it began."""
    is_over: bool = False
    """Whether it was put into the inbox."""
    process: Process | None = None
    """Its child, once it has ended or answered."""
    answer: Answer | NotAnAnswer | None = None
    """What its child sent; None before the end, and after an end without an answer."""

    @property
    def job(self) -> Job:
        """What the child was told to do."""
        return self.work.job

    @property
    def running_s(self) -> float:
        """How long it has been on the lane."""
        return time.monotonic() - self.submitted_s

    @property
    def is_closing(self) -> bool:
        """Whether its child reads no page; then no limit of the user's holds."""
        return isinstance(self.job.step, Closing)

    @property
    def is_answered(self) -> bool:
        """Whether its child did what it could, and the run goes on; asked once it has ended."""
        return not isinstance(self.answer, Halted | EnvironmentFailure | NotAnAnswer | None)

    def end(self, process: Process | None) -> None:
        """Take in what the child sent, once the future is done."""
        self.process = process
        if self.future.exception() is None:
            self.answer = self._with_peak(decoded(self.future.result(), self.job))

    def _with_peak(self, answer: Answer | NotAnAnswer) -> Answer | NotAnAnswer:
        """Add to an answer what was seen of its child's private memory, which has no high mark."""
        if not self.private_bytes or isinstance(answer, EnvironmentFailure | NotAnAnswer):
            return answer
        cost, peak = answer.cost, answer.cost.peak
        highest = max(peak.private_peak_bytes, self.private_bytes)
        return answer._replace(cost=cost._replace(peak=peak._replace(private_peak_bytes=highest)))

    def look(self, pid: int) -> None:
        """Look at the memory of its child, given the number of that."""
        self.peak_bytes = max(self.peak_bytes, peak_of(pid))
        if self.job.limits.address_bytes:
            self.private_bytes = max(self.private_bytes, private_bytes(pid))

    @property
    def has_too_much(self) -> bool:
        """Whether its child was seen with more memory than it may have; see `Limits`."""
        return self.private_bytes > self.job.limits.memory_bytes

    @property
    def seen_bytes(self) -> int:
        """Highest memory of its child that was seen, of what counts for its limit."""
        return self.private_bytes or self.peak_bytes

    def note(self) -> Note | None:
        """Return the newest note of its child; None if it has not announced itself.

        A note that cannot be true is replaced by one that says nothing.
        """
        note, limits = self.playback.read(self.ticket), self.job.limits
        if note is None:
            return None
        is_possible = (
            note.engine < len(self.job.engines)
            and (note.page <= note.total_pages <= limits.pages or note.page == DONE)
            and note.spool_bytes <= limits.output_bytes
        )
        return note if is_possible else unknown(note.ticket)

    def overdue(self, note: Note | None, now: float, limits: TimeLimits) -> str:
        """Say which time limit is up; empty if none is."""
        if note is not None and self.deadline_s is None:
            left_s = _CLOSING_S if self.is_closing else limits.file_s - self.work.used_s
            self.deadline_s = max(note.at_s, self.submitted_s) + left_s
        if self.deadline_s is None:
            late = now - self.submitted_s > limits.start_s
            return f"its child did not start in {limits.start_s:g} s" if late else ""
        if now > self.deadline_s:
            return f"it took more than {limits.file_s:g} s"
        # A child that a file has taken over may erase its notes; the limit above holds for it too.
        if note is None or self.is_closing or now - note.at_s <= limits.page_s:
            return ""
        what = f"page {note.page}" if note.page else "opening it"
        return f"{what} took more than {limits.page_s:g} s"

    def ahead_s(self) -> float:
        """Estimate how long the child will yet read, by its pages so far; 0 if that is unknown."""
        note = self.note()
        if note is None or not 0 < note.page < DONE:
            return 0.0
        if self.first_note is None:
            self.first_note = note
        pages, seconds = note.page - self.first_note.page, note.at_s - self.first_note.at_s
        rest = self.work.pages(note.total_pages).stop - 1 - note.page
        return rest * seconds / pages if pages > 0 else 0.0

    @property
    def can_be_split(self) -> bool:
        """Whether its child reads pages that another child may take over."""
        step = self.job.step
        is_reading = isinstance(step, Attempt) and not step.alone
        return is_reading and self.job.unit is Unit.PAGE and not self.work.whole

    def split(self, spool: str) -> Work | None:
        """Have the child stop half-way, and return the rest as a work of its own.

        Returns:
            None if the child is at its last pages.
        """
        note = self.note()
        if note is None:
            return None
        last = self.work.pages(note.total_pages).stop - 1
        page = (note.page + last) // 2 + 1
        if not note.page < page - 1 < last:
            return None
        used_s = self.work.used_s + self.running_s
        rest = self.work.split(page, note.total_pages, spool, used_s)
        self.playback.tell_end(self.ticket, page)
        return rest

    def death(self, kind: FailureKind, message: str, cost: Cost) -> Death:
        """Return a death where the flight recorder says that it was."""
        note = self.note()
        if note is None or note.page == DONE:
            is_at_fault = note is None and self.verdict is not None
            return Death(kind, message, cost, is_at_fault=is_at_fault)
        if note.page and self.verdict is None:
            message = f"page {note.page}: {message}"
        where = (note.engine, note.page, note.total_pages, note.spool_bytes, note.aside)
        return Death(kind, message, cost, *where)

    def cost(self, pid: int = 0, signal_name: str = "", stack: str = "") -> Cost:
        """Return what is known of the cost of a child that did not live to tell."""
        return Cost(
            pid=pid,
            started_at=self.started_at,
            wall_s=self.running_s,
            peak=Peak(self.peak_bytes, 0, "VmHWM" if self.peak_bytes else "", self.private_bytes),
            signal=signal_name,
            stack=stack,
        )
