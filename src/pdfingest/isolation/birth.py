"""Birth: how a lane's executor gets the processes that it starts.

Owns the choice between the two ways: a fork of an image, and spawn where there is no fork. Does not
own what a child does (`child`) nor when one is needed (`lane`).
"""

import multiprocessing
import sys
from functools import cache
from typing import TYPE_CHECKING, Protocol

from pdfingest.child.sandbox.readable import readable_paths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import ProcessPoolExecutor

    from pdfingest.isolation.image import Image
    from pdfingest.model import EngineSpec

LOST = 256
"""Stands for the exit code of a child of which nothing can be learnt; no process ends with it."""


class Process(Protocol):
    """A child, as far as a lane looks at it."""

    @property
    def pid(self) -> int | None:
        """Its number; 0 or None before it has started."""
        ...

    @property
    def exitcode(self) -> int | None:
        """As `multiprocessing.Process.exitcode`; None while it lives or before it has started."""
        ...

    @property
    def start_error(self) -> str:
        """Why the system did not start it; empty if it did."""
        ...

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has ended, or does so within that time; None waits for it."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to it, and to no other process, if it lives."""
        ...


class Births(Protocol):
    """Where the children of one lane come from."""

    def executor(self) -> "ProcessPoolExecutor":
        """Create an executor with one worker process that runs one task."""
        ...

    @property
    def newest(self) -> Process | None:
        """The child that was started last; None before the first."""
        ...

    def give_up(self) -> None:
        """Start no child any more for calls that the executor has; end what holds up a start.

        May be called by any thread. The next executor starts children again.
        """
        ...

    def close(self) -> None:
        """Wait for what has not ended yet; the executor must have."""
        ...


def births(engines: "Sequence[EngineSpec]") -> Births:
    """Where the children of one lane come from.

    Args:
        engines: in the order in which files are given to them.
    """
    if can_fork():
        from pdfingest.isolation.forks import Forks  # noqa: PLC0415 - not for Windows

        return Forks(_image_for(tuple(engine.module for engine in engines)))
    from pdfingest.isolation.spawn import Spawns  # noqa: PLC0415 - only where it is needed

    return Spawns()


def begin_image(modules: tuple[str, ...]) -> None:
    """Begin to make the image in another process, and go on here.

    Args:
        modules: of the engines, in order.
    """
    if can_fork():
        _image_for(modules).begin()


def kill_images() -> None:
    """Kill all zygotes at once, also while other threads wait for them."""
    for image in _images:
        image.kill()


def can_fork() -> bool:
    """Tell whether there is fork, and descriptors can be passed to the process that does it."""
    return "forkserver" in multiprocessing.get_all_start_methods()


def _image_for(modules: tuple[str, ...]) -> "Image":
    """The image for the engines of some modules, where modules are found as they are now.

    Only the first of them is in it: a larger image makes every fork slower. And only if it is one
    of ours: an engine that hangs or dies on import must do so in a child.
    """
    own = tuple(module for module in modules[:1] if module.startswith("pdfingest."))
    return _image(own, tuple(sys.path), readable_paths(modules))


@cache
def _image(modules: tuple[str, ...], path: tuple[str, ...], readable: tuple[str, ...]) -> "Image":
    """An image is made once, and lives as long as this process does."""
    from pdfingest.isolation.image import Image  # noqa: PLC0415 - not for Windows

    image = Image(modules, path, readable)
    _images.append(image)
    return image


_images: "list[Image]" = []
"""All that were made."""
