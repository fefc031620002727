"""Birth: how a lane's executor gets the processes that it starts.

Owns the choice between the two ways: a fork of an image, and spawn where there is no fork. Does not
own what a child does (`child`) nor when one is needed (`lane`).
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Protocol

from pdfingest.model import EngineSpec

if TYPE_CHECKING:
    from pdfingest.supervise.image import Image


class Process(Protocol):
    """A child, as far as a lane looks at it; `multiprocessing.Process` is one too."""

    @property
    def pid(self) -> int | None:
        """Its number; 0 or None before its birth."""
        ...

    @property
    def exitcode(self) -> int | None:
        """As `multiprocessing.Process.exitcode`; None while it lives or before its birth."""
        ...

    def kill(self) -> None:
        """SIGKILL, if it lives."""
        ...


class Births(Protocol):
    """Where the children of one lane come from."""

    def executor(self) -> ProcessPoolExecutor:
        """One of one process that takes one call in its life."""
        ...

    def child(self, pid: int = 0) -> Process | None:
        """The child of this number; without one, or where it is unknown, the newest."""
        ...

    def close(self) -> None:
        """Wait for what has not ended yet; the executor must have."""
        ...


def births(engine: EngineSpec) -> Births:
    """Where the children of one lane come from, for a run whose files are first given to `engine`.

    Only that engine is in the image: a larger image makes every fork slower. And only if it is one
    of ours: an engine that hangs or dies on import must do so in a child.
    """
    if _can_fork():
        from pdfingest.supervise.forks import Forks  # noqa: PLC0415 - not for Windows

        return Forks(_image_for(engine))
    from pdfingest.supervise.spawn import Spawns  # noqa: PLC0415 - only where it is needed

    return Spawns()


def begin_image(engine: EngineSpec) -> None:
    """Begin to make the image in another process, and go on here."""
    if _can_fork():
        _image_for(engine).begin()


def _can_fork() -> bool:
    """Whether there is fork, and it is safe in a process that has loaded little."""
    return "forkserver" in multiprocessing.get_all_start_methods()


def _image_for(engine: EngineSpec) -> "Image":
    """The image for an engine, where modules are found as they are now."""
    own = (engine.module,) if engine.module.startswith("pdfingest.") else ()
    return _image(own, tuple(sys.path))


@cache
def _image(modules: tuple[str, ...], path: tuple[str, ...]) -> "Image":
    """An image is made once, and lives as long as this process does."""
    from pdfingest.supervise.image import Image  # noqa: PLC0415 - not for Windows

    return Image(modules, path)
