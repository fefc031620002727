"""How this system starts children: as forks of an image, or by `spawn` where there is no fork.

Two variables of the environment switch off what makes it fast, for whoever suspects it of a crash:
`PDFINGEST_FORK=0` spawns each child, and `PDFINGEST_WARM_UP=0` makes a plain image (see `warm_up`).
"""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from pdfingest.child.sandbox.readable import readable_paths
from pdfingest.isolation.contents import Contents, contents_of, own_modules

if TYPE_CHECKING:  # `main` imports this module before it begins the image
    from pdfingest.isolation.context import Starter
    from pdfingest.isolation.image import Image
    from pdfingest.job import EngineSpec

FORK, WARM_UP = "PDFINGEST_FORK", "PDFINGEST_WARM_UP"
SWITCHES = (FORK, WARM_UP)
"""The variables; each is on unless it is 0."""


def is_on(switch: str) -> bool:
    """Whether a switch is on."""
    return os.environ.get(switch) != "0"


def forks() -> bool:
    """Whether children are forks of an image; needs fork, and descriptors that can be passed on."""
    return is_on(FORK) and "forkserver" in multiprocessing.get_all_start_methods()


def starter(engines: "Sequence[EngineSpec]", readable: tuple[str, ...]) -> "Starter":
    """Return what starts children, for the contexts of one lane.

    Args:
        engines: in the order in which files are given to them, then that for OCR, if any.
        readable: what all children may read in their sandbox.
    """
    if forks():
        return image_for(engines, readable)
    from pdfingest.isolation.spawn import Spawner  # noqa: PLC0415 - only where it is needed

    return Spawner(tuple(name for each in engines for name in each.needs.variables))


def begin_image(modules: Sequence[str]) -> None:
    """Begin to make the image that `starter` will return, in another process, and go on here.

    Not for engines with models, whose image is waited for; see `run.tools.with_image`.

    Args:
        modules: names of the modules of the engines, in the order in which files are given to them.

    Raises:
        OSError: there is no process or descriptor to be had.
    """
    if forks():
        _image(Contents(own_modules(modules)), tuple(sys.path), readable_paths(modules)).begin()


def kill_images() -> None:
    """Kill all zygotes at once, also while other threads wait for them."""
    for image in _images:
        image.kill()


def image_for(engines: "Sequence[EngineSpec]", readable: tuple[str, ...]) -> "Image":
    """Return the image for some engines, where modules are found as they are now.

    Args:
        engines: in the order in which files are given to them, then that for OCR, if any.
        readable: what all children may read in their sandbox.
    """
    return _image(contents_of(engines), tuple(sys.path), readable)


@cache
def _image(contents: "Contents", path: tuple[str, ...], readable: tuple[str, ...]) -> "Image":
    """Return an image; each is made once, and lives as long as this process does."""
    from pdfingest.isolation.image import Image  # noqa: PLC0415 - not for Windows

    for other in _images:
        other.close_unused()  # made for what turned out not to be needed
    image = Image(contents, path, readable, warm_up=is_on(WARM_UP))
    _images.append(image)
    return image


_images: "list[Image]" = []
"""All that were made."""
