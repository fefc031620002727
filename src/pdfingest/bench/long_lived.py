"""A process that stays and reads file after file: how it is started, watched and started again.

    process ── if a file could be read, for each ── memory, when none is open ──▶ leg

It is started again when it dies, hangs or reaches the memory budget. In a server that would be an
outage; here it costs the files of the wave that it was reading.
"""

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from time import perf_counter
from typing import Any, Protocol, TypeAlias

from pdfingest.bench.legs import Inputs, Leg
from pdfingest.isolation.context import Child
from pdfingest.isolation.spawn import Spawner
from pdfingest.measure.flatness import Point
from pdfingest.measure.memory import resident_bytes
from pdfingest.stop import Stop

Reports: TypeAlias = "Connection[Any, Any]"
"""Takes, from the process, a bool for each file that has ended and, when no file is open, its
resident memory in bytes: once before the first file, and again after each wave."""
_POLL_S = 0.1
"""Longest time until a request to stop, or too much memory, is seen."""
_START_S = 30.0
"""Longest time that it may take to start, and to import its engine."""
_MOST_POINTS = 1000


class Program(Protocol):
    """What the process does; it crosses to the process, and is called there."""

    @property
    def wave(self) -> int:
        """Number of files that it reads between two moments at which none is open."""
        ...

    def __call__(self, reports: Reports, inputs: Inputs, begin: int, /) -> None:
        """Read the files from an index on."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches a leg, and may end it early."""

    stop: Stop
    told: Callable[[Point], object]
    """Called after each wave."""
    time_s: float = math.inf
    """Time in seconds after which the leg ends; a wave that is under way does not count."""


@dataclass(frozen=True, slots=True)
class LongLived:
    """A process that stays.

    Args:
        program: what it does.
        memory_bytes: resident memory at which it is ended.
        timeout_s: time in seconds that a file may take. As the files of a wave share their time,
            the next file must end within as many times that.
    """

    program: Program
    memory_bytes: int
    timeout_s: float

    def read(self, name: str, inputs: Inputs, watch: Watch) -> Leg:
        """Read the files, and return the leg of this name."""
        lives: list[list[Point]] = []
        done = failed = deaths = 0
        wall_s, end_s = 0.0, perf_counter() + watch.time_s

        def is_over() -> bool:
            return watch.stop.requested or perf_counter() > end_s

        while done < inputs.files and not is_over():
            lives.append([])
            began_s = perf_counter()
            with closing(self._life(inputs, done, is_over)) as waves:
                for ended, lost, held_bytes in waves:
                    if ended == done:  # the process is ready: what it took until then is no price
                        began_s = perf_counter()
                    done, failed, deaths = ended, failed + lost, deaths + (not held_bytes)
                    if held_bytes:
                        lives[-1].append((done, held_bytes))
                        watch.told(lives[-1][-1])
            wall_s += perf_counter() - began_s
        points = _thinned([point for life in lives for point in life])
        longest = _thinned(max(lives, key=len)) if deaths else ()
        return Leg(name, done, failed, deaths, 1, wall_s, points, longest)

    def _life(
        self, inputs: Inputs, begun: int, is_over: Callable[[], bool]
    ) -> Generator[tuple[int, int, int], None, None]:
        """Start a process; yield, after each wave, files done, those lost, and bytes held.

        The last wave of a process that dies holds 0 bytes.
        """
        ours, theirs = Pipe(duplex=False)
        child = Spawner().start(_run, (theirs, self.program, inputs, begun))
        theirs.close()
        ended = lost = 0
        deadline_s = perf_counter() + _START_S
        try:
            while not (is_over() or perf_counter() > deadline_s or self._is_full(child)):
                if not ours.poll(_POLL_S):
                    continue
                match ours.recv():
                    case bool(is_read):
                        ended, lost = ended + 1, lost + (not is_read)
                    case held_bytes:
                        yield begun + ended, lost, held_bytes
                        begun, ended, lost = begun + ended, 0, 0
                deadline_s = perf_counter() + self.timeout_s * self.program.wave
        except EOFError:  # it is done, or has died
            pass
        finally:
            child.close()  # it may hang in a file, or in a pipe that nobody reads any more
            ours.close()
        if begun < inputs.files and not is_over():
            wave = min(self.program.wave, inputs.files - begun)
            yield begun + wave, lost + wave - ended, 0

    def _is_full(self, child: Child) -> bool:
        return resident_bytes(child.pid) > self.memory_bytes


def _run(reports: Reports, program: Program, inputs: Inputs, begin: int) -> None:
    """Call the program. Runs in the process."""
    program(reports, inputs, begin)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Return at most `_MOST_POINTS` of the points, evenly spread, with the last one."""
    stride = -(-len(points) // _MOST_POINTS) or 1
    return [*points[(len(points) - 1) % stride :: stride]]
