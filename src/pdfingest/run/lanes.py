"""The lanes of a supervisor: opened before its first job, and ended together."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from queue import SimpleQueue

from pdfingest.errors import resources_told
from pdfingest.exchange.recorder import DONE
from pdfingest.isolation.context import Starter
from pdfingest.isolation.start import starter
from pdfingest.job import Job
from pdfingest.measure.sizing import allow_descriptors
from pdfingest.model import FailureKind, Reading
from pdfingest.options import IngestOptions
from pdfingest.run.lane import Ending, Inbox, Lane
from pdfingest.run.turn import TimeLimits, Turn

_RETRY_S = 0.02
"""How soon a kill is repeated, for a child that was not yet started at the first."""
_ABORT_S = 0.5
"""How long a child that was killed may take to end before its start is given up as well."""
_GIVE_UP_S = 0.5
"""How long a lane may take after that; then it is left as it is."""


class Lanes:
    """All lanes of a supervisor, and the inbox where their turns appear.

    Args:
        options: number of lanes, and time limits.
        recorders: directory of the flight recorders.
    """

    def __init__(self, options: IngestOptions, recorders: str) -> None:
        self._workers = options.workers
        self._limits = TimeLimits(options.timeout_s, options.page_timeout_s)
        self._recorders = recorders
        self._lanes: list[Lane] = []
        self._starter: Starter | None = None
        self._stuck: list[Lane] = []
        """Lanes whose children not even SIGKILL could end."""
        self.inbox: Inbox = SimpleQueue()

    def __getitem__(self, index: int) -> Lane:
        return self._lanes[index]

    def open(self, job: Job) -> list[Lane]:
        """Open the lanes that are not open yet, for jobs like this one; they stay until `close`.

        Those for jobs with another image are closed: a child has the limits of its job, which count
        the image that the job is for.

        Raises:
            ResourceError: there are too few descriptors for them.
        """
        allow_descriptors(self._workers)
        start = starter(job.all_engines, job.readable)
        if start != self._starter:
            self.close()
            self._starter = start
        for index in range(len(self._lanes), self._workers):
            with resources_told():
                recorder = f"{self._recorders}/lane-{index}"
                lane = Lane(index, start, self.inbox, recorder, self._limits)
            self._lanes.append(lane)
        return [*self._lanes]

    def reading(self) -> Iterator[Reading]:
        """Say how far each source is that a child reads, in the order of the lanes."""
        found: dict[str, Reading] = {}
        for turn in filter(None, [lane.turn for lane in self._lanes]):
            if (reading := _reading(turn, found)) is not None:
                found[turn.job.source.name] = reading
        return iter(found.values())

    def killed(self) -> Iterator[tuple[Turn, Ending]]:
        """End what is running, and yield each turn that nobody has taken in, once."""
        for lane in self._lanes:
            lane.kill()  # a signal to all, before the wait for the first
        self._stuck += abort(self._lanes)
        for left in [lane.turn for lane in self._stuck if lane.turn]:
            message = "its child could not be ended"
            yield left, left.death(FailureKind.CRASHED, message, left.cost())
        while any(lane.turn for lane in self._lanes if lane not in self._stuck):
            if turn := self.inbox.get():
                yield turn, self._lanes[turn.lane].finish(turn)

    def leave_stuck(self) -> None:
        """Close all lanes if some are stuck; what they still have to say is nobody's any more."""
        if self._stuck:
            self.close()
            self.inbox = SimpleQueue()

    def close(self) -> None:
        """Let go of the lanes, and wait until nothing of them is left."""
        lanes = [lane for lane in self._lanes if lane not in self._stuck]
        self._lanes.clear()
        for lane in lanes:
            lane.begin_close()
        for lane in lanes:
            lane.close()
        self._stuck.clear()


def _reading(turn: Turn, found: dict[str, Reading]) -> Reading | None:
    """Say how far the source of a turn is; None if that is not known."""
    note, work = turn.note(), turn.work
    if note is None:
        return None
    source, is_done = turn.job.source, note.page == DONE
    total_pages = note.total_pages or work.parts[-1].job.pages.end
    if is_done and not total_pages:  # an answer that is on its way says no page
        return None
    mine = work.pages(total_pages)
    pages = max((mine.stop if is_done else note.page) - mine.start, 0)
    if other := found.get(source.name):
        pages += other.pages_done
    else:
        pages += sum(len(part.pages(total_pages)) for part in work.parts if part.ended)
    return Reading(source, pages, total_pages, note.hashed_bytes)


def abort(lanes: Sequence[Lane]) -> list[Lane]:
    """End the jobs of lanes, also those whose child is only just being started.

    What is lined up does not begin any more. It takes a second at the most: a start that hangs is
    given up, and a child that not even SIGKILL ends, as it waits for a disk, is left behind.

    Returns:
        The lanes that are still not free.
    """
    for lane in lanes:
        lane.forget_next()
    began_s = time.monotonic()
    is_given_up = False
    while turns := [lane.turn for lane in lanes if lane.turn and not lane.turn.future.done()]:
        busy = [lane for lane in lanes if lane.turn in turns]
        spent_s = time.monotonic() - began_s
        if spent_s > _ABORT_S + _GIVE_UP_S:
            return busy
        if spent_s > _ABORT_S and not is_given_up:
            is_given_up = True
            for lane in busy:
                lane.give_up()
        for lane in busy:
            lane.kill()
        wait([turn.future for turn in turns], timeout=_RETRY_S)
    return []
