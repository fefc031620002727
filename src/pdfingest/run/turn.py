"""Turn: a job on a lane, from its start to its end, and what is known of it meanwhile."""

import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from pdfingest.exchange.answer import Answer, NotAnAnswer, decoded
from pdfingest.exchange.recorder import DONE, Note, Playback, unknown
from pdfingest.isolation.birth import Process
from pdfingest.model import Cost, Death, EnvironmentFailure, FailureKind, Halted, Job, Peak


@dataclass(slots=True, eq=False)
class Turn:
    """A job on a lane."""

    lane: int
    """0-based index of the lane."""
    playback: Playback
    """Of the lane's flight recorder."""
    job: Job
    used_s: float
    """Time that its work has had already."""
    future: "Future[bytes]"
    """What its child sends, or an exception where that is nothing."""
    submitted_s: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    deadline_s: float | None = None
    verdict: tuple[FailureKind, str] | None = None
    """Why its child is killed, where a limit of time is the reason."""
    kill_s: float = 0.0
    """When that is due, on the monotonic clock; 0 if it is not."""
    done_s: float | None = None
    """When it was first seen that the answer is ready, on the monotonic clock."""
    peak_bytes: int = 0
    first_note: Note | None = None
    is_told: bool = False
    """Whether the reader knows that it began."""
    is_over: bool = False
    """Whether it was put into the inbox."""
    process: Process | None = None
    """Its child, once it has ended or answered."""
    answer: Answer | NotAnAnswer | None = None
    """What its child sent; None before the end, and after an end without an answer."""

    @property
    def running_s(self) -> float:
        """How long it has been on the lane."""
        return time.monotonic() - self.submitted_s

    @property
    def is_answered(self) -> bool:
        """Whether its child did what it could, and the run goes on; asked once it has ended."""
        return not isinstance(self.answer, Halted | EnvironmentFailure | NotAnAnswer | None)

    def end(self, process: Process | None) -> None:
        """Take in what the child sent, once the future is done."""
        self.process = process
        if self.future.exception() is None:
            self.answer = decoded(self.future.result(), self.job)

    def note(self) -> Note | None:
        """What its child is on, as far as that can be; None if it has not announced itself."""
        note, limits = self.playback.read(self.job.ticket), self.job.limits
        if note is None:
            return None
        is_possible = (
            note.engine < len(self.job.engines)
            and (note.page <= note.total_pages <= limits.pages or note.page == DONE)
            and note.spool_bytes <= limits.output_bytes
        )
        return note if is_possible else unknown(note.ticket)

    def ahead_s(self) -> float:
        """An estimate of how long the child will yet read, by its pages so far; 0 if unknown."""
        note = self.note()
        if note is None or not 0 < note.page < DONE:
            return 0.0
        if self.first_note is None:
            self.first_note = note
        pages, seconds = note.page - self.first_note.page, note.at_s - self.first_note.at_s
        rest = (self.job.attempt.end or note.total_pages) - note.page
        return rest * seconds / pages if pages > 0 else 0.0

    def end_at(self, page: int) -> None:
        """Have the child stop before a page."""
        self.job = replace(self.job, attempt=replace(self.job.attempt, end=page - 1))
        self.playback.tell_end(self.job.ticket, page)

    def death(self, kind: FailureKind, message: str, cost: Cost) -> Death:
        """A death where the flight recorder says that it was."""
        note = self.note()
        unbegun = note is None and self.verdict is None
        if note is None or note.page == DONE:
            return Death(kind, message, cost, innocent=unbegun or note is not None)
        if note.page and self.verdict is None:
            message = f"page {note.page}: {message}"
        where = (note.engine, note.page, note.total_pages, note.spool_bytes, note.aside)
        return Death(kind, message, cost, *where)

    def cost(self, pid: int = 0, signal_name: str = "", stack: str = "") -> Cost:
        """What is known of a child that did not live to tell."""
        return Cost(
            pid=pid,
            started_at=self.started_at,
            wall_s=self.running_s,
            peak=Peak(self.peak_bytes, 0, "VmHWM" if self.peak_bytes else ""),
            signal=signal_name,
            stack=stack,
        )
