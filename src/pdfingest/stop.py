"""The stop: a request to end a run early, from a signal handler or another thread."""

from pdfingest.errors import ExitCode


class Stop:
    """A request to end the run early: no new jobs, children ended, what is finished kept.

    Safe to make from a signal handler: it sets a number and calls one reentrant function
    (`queue.SimpleQueue.put`, documented as reentrant).
    """

    def __init__(self) -> None:
        self.exit_code: ExitCode | None = None
        self.wake = _nothing

    def request(self, exit_code: ExitCode) -> None:
        """Ask the run to end, and to return an exit code."""
        self.exit_code = exit_code
        self.wake()

    @property
    def requested(self) -> bool:
        """Whether the run was asked to end."""
        return self.exit_code is not None


def _nothing() -> None:
    """Wake nobody, as no supervisor listens yet."""
