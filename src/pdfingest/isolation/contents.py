"""What is to be in an image, and what came of it: values between the parent and the zygote.

Imports next to nothing, as the command line begins an image before all else.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pdfingest.job import EngineSpec

_MAKE_S = 60.0
"""How long an image without models may take to be made; it takes a tenth of a second."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Variables that tell libraries how many threads to compute with."""
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Has the C library ask for pages of 2 MiB (mallopt(3)). What a model computes takes hundreds of
MiB that each child faults in anew: RapidOCR took .98 s a picture in a fork, and .65 with this, as
long as in a process that lives on. A user who sets the variable switches it off."""


class Loaded(NamedTuple):
    """An engine of another package that is loaded in the image."""

    name: str
    module: str
    warm: str
    """`module:attribute` of the function that loads its models; empty for none."""
    warm_with: str
    """Its argument; empty for none."""
    idle_threads: int
    """Threads that it leaves waiting, and that children can do without."""


class Contents(NamedTuple):
    """What an image is to hold, beside what every child needs."""

    modules: tuple[str, ...] = ()
    """Modules of our engines."""
    loaded: tuple[Loaded, ...] = ()
    """Engines of others that may be forked."""
    make_s: float = _MAKE_S
    """How long all of it may take, in seconds."""
    variables: tuple[str, ...] = ()
    """Names of environment variables that it has beside the usual ones."""
    threads: int = 0
    """Threads that its children compute with; 0 for as many as their libraries like."""

    def environment(self, usual: dict[str, str]) -> dict[str, str]:
        """Return the environment of the image, given what it has usually. Runs in the parent."""
        threads = dict.fromkeys(_THREADS, str(self.threads)) if self.threads else {}
        pages = _HUGE_PAGES if self.loaded else {}
        added = {name: os.environ[name] for name in self.variables if name in os.environ}
        return {**threads, **pages, **usual, **added}


class Made(NamedTuple):
    """An image as it was made."""

    error: str = ""
    """Why its children cannot do their work, for the user; empty if they can."""
    seconds: float = 0.0
    """How long its engines and their models took."""
    resident_bytes: int = 0
    private_bytes: int = 0
    """What was its own alone before the first fork: the memory that all children share."""
    address_bytes: int = 0
    """Address space, of which each child has as much before it does anything."""


NO_MODELS = Made()
"""Of an image that holds no engine of another package."""


def own_modules(modules: Sequence[str]) -> tuple[str, ...]:
    """Return which modules of engines an image holds by default.

    Only the first, as a larger image makes every fork slower. And only if it is one of ours: what
    hangs or dies when it is imported must do so in a child, unless its package asks for it.
    """
    return tuple(each for each in modules[:1] if each.startswith("pdfingest."))


def contents_of(engines: "Sequence[EngineSpec]") -> Contents:
    """Return what the image for some engines holds.

    Args:
        engines: in the order in which files are given to them, then that for OCR, if any.
    """
    from pdfingest.needs import NOTHING  # noqa: PLC0415 - the head of this module says why

    loaded = [each for each in engines if each.needs.fork_safe]
    needs = [each.needs for each in engines if each.needs != NOTHING]
    return Contents(
        own_modules([each.module for each in engines]),
        tuple(
            Loaded(
                *(each.name, each.module, each.needs.warm, each.needs.warm_with),
                each.needs.idle_threads,
            )
            for each in loaded
        ),
        sum(each.needs.warm_s for each in loaded) or _MAKE_S,
        tuple(dict.fromkeys(name for each in needs for name in each.variables)),
        max((each.threads for each in needs), default=0),
    )
