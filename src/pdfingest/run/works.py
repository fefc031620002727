"""Works that are to come, some of which may not be there yet."""

from collections import deque
from collections.abc import Iterator
from typing import Self

from pdfingest.job import Job
from pdfingest.run.work import Work


class Works:
    """Works, as they come.

    Args:
        works: yields None where the next is not there yet; it is then asked for again.
        due: taken before them; others may add to it.
    """

    def __init__(self, works: Iterator[Work | None], due: deque[Work]) -> None:
        self._works = works
        self._due = due
        self.are_over = False

    @classmethod
    def of(cls, jobs: Iterator[Job | None], due: deque[Work]) -> Self:
        """Return a work for each job; arguments as those of the class."""
        return cls((None if job is None else Work(job) for job in jobs), due)

    def next(self) -> Work | None:
        """Return the next; None if there is none yet, or none any more."""
        if self._due:
            return self._due.popleft()
        for work in self._works:
            return work
        self.are_over = True
        return None
