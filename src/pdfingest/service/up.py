"""The whole service on one machine: the queue, the API and a worker, started and ended together.

    queue ─▶ ready ─▶ API, worker ─▶ …        at the end: API, worker, queue

Owns the order, and that a part that dies is started again, with the reason said. Does not own what
a part is: each is a program of its own, so that none takes another with it.
"""

# pyright: basic
# The client of Redis is not typed throughout; mypy checks this file strictly.

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import redis

from pdfingest.errors import ExitCode, ResourceError
from pdfingest.service.presence import present
from pdfingest.service.tickets import Tickets
from pdfingest.stop import Stop

if sys.platform == "linux":
    from pdfingest.child.sandbox.kernel import prctl

_TICK_S = 0.1
_READY_S = 60.0
"""Seconds in which a part must be ready for the first time."""
_LASTS_S = 60.0
"""Seconds after which a part counts as sound, so that the next pause is short again."""
_FIRST_PAUSE_S, _MOST_PAUSE_S = 0.5, 30.0
"""Seconds before a part is started again, doubled each time."""
_END_S = {"API": 15.0, "worker": 30.0, "queue": 10.0}
"""Seconds that each part may take to end, in the order in which they end; then it is killed."""
_PR_SET_PDEATHSIG = 1


@dataclass
class Part:
    """A program that runs as long as the service does."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[int], bool]
    """Tells of its process number whether it is ready."""
    descriptors: Sequence[int] = ()
    """What it inherits."""
    log: str = "above"
    """Where it says why it ended."""
    process: "subprocess.Popen[bytes] | None" = None
    began_s: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    due_s: float = 0.0
    """When it is to be started again."""

    def start(self) -> None:
        """Start it."""
        self.began_s = time.monotonic()
        first = _die_with_parent if sys.platform == "linux" else None
        self.process = subprocess.Popen(  # noqa: S603 - parts of this program
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            pass_fds=self.descriptors,
            start_new_session=True,  # Ctrl-C is for this program, which ends them in order
            preexec_fn=first,  # noqa: PLW1509 - it calls the kernel alone, and waits for no lock
        )

    def end(self, seconds: float) -> None:
        """End it, and wait until it has ended."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Parts:
    """All parts, in the order in which they start.

    Args:
        parts: the queue, unless it is elsewhere, and the API and the worker.
        stop: request to end.
        say: tells the user a line.
    """

    def __init__(self, parts: Sequence[Part], stop: Stop, say: Callable[[str], None]) -> None:
        self._parts, self._stop, self._say = parts, stop, say

    def run(self, when_ready: Callable[[], None]) -> int:
        """Start all parts, and keep them running until a stop is requested; returns the exit code.

        Args:
            when_ready: called once all are ready.

        Raises:
            ResourceError: a part ended before it was ready for the first time.
        """
        try:
            for part in self._parts:
                part.start()
                self._await(part)
            if not self._stop.requested:
                when_ready()
            while not self._stop.requested:
                for part in self._parts:
                    self._look_after(part)
                time.sleep(_TICK_S)
        finally:
            for name, seconds in _END_S.items():
                for part in self._parts:
                    if part.name == name:
                        part.end(seconds)
        return ExitCode.OK

    def _await(self, part: Part) -> None:
        """Wait until a part is ready for the first time, or a stop is requested."""
        deadline_s = time.monotonic() + _READY_S
        assert part.process is not None, "it was started"
        while not self._stop.requested and not part.is_ready(part.process.pid):
            code = part.process.poll()
            if code is not None:
                raise ResourceError(
                    f"the {part.name} {_told(code)} before it was ready; see {part.log}."
                )
            if time.monotonic() > deadline_s:
                raise ResourceError(f"the {part.name} was not ready in {_READY_S:.0f} s.")
            time.sleep(_TICK_S)

    def _look_after(self, part: Part) -> None:
        """Start a part again that has ended, at once the first time, and then ever later."""
        now_s = time.monotonic()
        if part.process is None:
            if now_s >= part.due_s:
                part.start()
            return
        code = part.process.poll()
        if code is None:
            return
        if now_s - part.began_s > _LASTS_S:
            part.pause_s = _FIRST_PAUSE_S
        self._say(f"the {part.name} {_told(code)}; it is started again in {part.pause_s:g} s")
        part.process, part.due_s = None, now_s + part.pause_s
        part.pause_s = min(2 * part.pause_s, _MOST_PAUSE_S)


def _told(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"


def _die_with_parent() -> None:
    """Have the kernel end this process when its parent dies, also if that is killed."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def answers_http(url: str) -> Callable[[int], bool]:
    """Make what tells whether a URL answers with success."""

    def ask(pid: int) -> bool:
        del pid
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - http of our own
                return True
        except (OSError, urllib.error.URLError):
            return False

    return ask


def answers_redis(url: str) -> Callable[[int], bool]:
    """Make what tells whether a Redis answers, and has read what it has on the disk."""

    def ask(pid: int) -> bool:
        del pid
        try:
            with redis.Redis.from_url(url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    return ask


def works(url: str) -> Callable[[int], bool]:
    """Make what tells whether the worker with a process number is at work."""

    def ask(pid: int) -> bool:
        client = redis.Redis.from_url(url, socket_timeout=2, decode_responses=True)
        with client, suppress(redis.RedisError):
            return any(each.pid == pid for each in present(Tickets(client, 1)))
        return False

    return ask


def this_program(*words: str) -> list[str]:
    """Return the command of a part that is a command of this program."""
    return [sys.executable, "-m", "pdfingest", *words]


def environment_with(**changes: str) -> dict[str, str]:
    """Return the environment of a part."""
    return {**os.environ, **changes}
