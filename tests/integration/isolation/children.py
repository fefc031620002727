"""Executors whose processes are children, for the tests of this folder."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from pdfingest.isolation.context import Child, Context, Starter


@contextmanager
def executor(starter: Starter) -> Iterator[tuple[ProcessPoolExecutor, Context]]:
    """The library's executor with one process that does one call, on a context of ours."""
    context = Context(starter)
    pool = ProcessPoolExecutor(max_workers=1, mp_context=context, max_tasks_per_child=1)
    try:
        yield pool, context
    finally:
        if context.newest is not None:
            closing = threading.Thread(target=pool.shutdown)
            closing.start()
            closing.join(5)
            while closing.is_alive():  # a call that waits for ever
                context.newest.kill()
                closing.join(0.02)
        context.close()


class Watched:
    """Starts children as another does, and keeps what it started."""

    def __init__(self, starter: Starter) -> None:
        self._starter = starter
        self.children: list[Child] = []
        self.before: Callable[[], object] = int
        """What is done before each start."""

    def start(self, target: Callable[..., Any], args: tuple[Any, ...]) -> Child:
        self.before()
        child = self._starter.start(target, args)
        self.children.append(child)
        return child

    def kill(self) -> None:
        self._starter.kill()


class Barren:
    """Starts nothing, as a system does that has too many processes."""

    tries = 0

    def start(self, target: Callable[..., Any], args: tuple[Any, ...]) -> Child:
        self.tries += 1
        raise BlockingIOError("no process")

    def kill(self) -> None:
        pass
