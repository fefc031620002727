"""A server as people write it: a pool of threads that open, read and close what they are given.

    a wave of files, one for each thread ─▶ open · read every page · close ─▶ none open: memory

It reads with an engine, and closes pages and documents as the documentation of the library says. It
writes no records, and has no sandbox. As memory is measured while no file is open, whatever grows
outlives the files: heaps, of which the C library has several for many threads and which it rarely
gives back, caches, and what a library forgets to release.
"""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass

from pdfingest.bench.legs import Inputs, Leg
from pdfingest.bench.long_lived import LongLived, Reports, Watch
from pdfingest.child import limits
from pdfingest.engines.engine import Engine, load_engine
from pdfingest.job import EngineSpec, Limits
from pdfingest.measure.memory import PeakMeter
from pdfingest.options import IngestOptions

THREADS = 40
"""Threads of the pool in which FastAPI calls endpoints that are not async: AnyIO's default."""
_HEAP_BYTES = 128 << 20
"""Address space that the C library may reserve for a thread, which is no memory (malloc(3))."""
_ONE_AT_A_TIME = frozenset({"pdfium"})
"""Engines that two threads must not call at the same time (pypdfium2-team/pypdfium2#303)."""


def served(inputs: Inputs, options: IngestOptions, engine: EngineSpec, watch: Watch) -> Leg:
    """Read the files in a server.

    Args:
        inputs: the files.
        options: of the run that is compared.
        engine: the engine with which it reads.
        watch: of the leg.
    """
    budget_bytes = options.budget_bytes()
    server = Server(engine, options.limits()._replace(memory_bytes=budget_bytes))
    process = LongLived(server, budget_bytes, options.timeout_s)
    return process.read("control", inputs, watch)


@dataclass(frozen=True, slots=True)
class Server:
    """The program of a server; see `long_lived.Program`."""

    spec: EngineSpec
    """The engine with which it reads."""
    limits: Limits

    @property
    def wave(self) -> int:
        """Number of files that it reads at the same time."""
        return THREADS

    def __call__(self, reports: Reports, inputs: Inputs, begin: int) -> None:
        """Read the files in waves."""
        meter = PeakMeter()
        room_bytes = self.limits.memory_bytes + THREADS * _HEAP_BYTES
        limits.apply(self.limits._replace(memory_bytes=room_bytes))
        open_document = load_engine(self.spec)
        turn = threading.Lock() if self.spec.name in _ONE_AT_A_TIME else nullcontext()
        reports.send(meter.resident_bytes())
        with ThreadPoolExecutor(THREADS) as pool:
            for first in range(begin, inputs.files, THREADS):
                wave = range(first, min(first + THREADS, inputs.files))
                # All at once, as requests come: otherwise one quick thread would read most of them.
                together = threading.Barrier(len(wave))
                paths = [inputs.at(index).path for index in wave]
                reads = [pool.submit(_read, open_document, p, together, turn) for p in paths]
                for each in as_completed(reads):
                    reports.send(each.result())
                reports.send(meter.resident_bytes())


def _read(
    open_document: Engine,
    path: str,
    together: threading.Barrier,
    turn: "AbstractContextManager[object]",
) -> bool:
    """Read every page of a file; return whether it can be read. Runs in a thread."""
    together.wait()
    try:
        with turn, closing(open_document(path, ())) as document:
            document.info()
            for number in range(1, document.page_count + 1):
                document.page(number)
    except Exception:  # noqa: BLE001 - parsers raise anything on broken files
        return False
    return True
