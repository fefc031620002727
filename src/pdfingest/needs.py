"""What an engine of another package needs beside the file, for whoever writes one.

An engine with models that take seconds to load would load them in each child. Instead its package
can name a function that loads them once, in the image that children are forked from:

    [project.entry-points."pdfingest.needs"]
    mine = "my_package:NEEDS"

    NEEDS = Needs(warm="my_package:load", fork_safe=True, readable=("/srv/models",))

The name is that of the engine, or of the OCR engine. The parent imports this module before the run,
so it must not import the library that reads at its top; functions in it may. An engine that needs
nothing has no such entry point, and the parent imports nothing of it.
"""

from typing import NamedTuple

from pdfingest.errors import EngineUnavailableError

ENTRY_POINTS = "pdfingest.needs"


class Needs(NamedTuple):
    """What an engine needs beside the file."""

    warm: str = ""
    """`module:attribute` of a function that loads what takes long, such as a model, or empty."""
    warm_with: str = ""
    """What `warm` is called with, such as the name of a model; empty for nothing."""
    fork_safe: bool = False
    """Whether the engine's module, and with it `warm`, may be loaded in the image, once, before the
    first fork: they leave no thread at work and take no device. Where that is not done, as on
    systems without fork, the engine loads its models by itself."""
    warm_s: float = 300.0
    """How long the image may take with it, in seconds."""
    readable: tuple[str, ...] = ()
    """Files and folders that children read beside Python and its packages, such as models."""
    variables: tuple[str, ...] = ()
    """Names of environment variables that children are to have, if the parent has them."""
    threads: int = 1
    """Threads that its libraries may compute with in a child (`OMP_NUM_THREADS` and the like)."""
    idle_threads: int = 0
    """Threads that `warm` leaves waiting, and that children can do without."""
    address_bytes: int = 0
    """Address space that a child takes beyond its memory, such as for the stacks of threads."""
    is_whole: bool = False
    """Whether it knows no pages and gives a document as one text; then `--unit document` is asked
    for, and its `page_count` is 1."""


NOTHING = Needs()
"""What an engine needs whose package does not say."""


def needs_of(name: str) -> Needs:
    """Return what an engine of another package needs, given its name.

    Raises:
        EngineUnavailableError: its package says so in a way that cannot be understood.
    """
    from importlib import metadata  # noqa: PLC0415 - 6 ms; the image holds this module

    for entry in metadata.entry_points(group=ENTRY_POINTS, name=name):
        try:
            needs = entry.load()
        except Exception as error:
            raise _unclear(name, entry.value, f"{type(error).__name__}: {error}") from error
        if not isinstance(needs, Needs):
            raise _unclear(name, entry.value, f"it is a {type(needs).__name__}")
        return needs
    return NOTHING


def _unclear(name: str, target: str, reason: str) -> EngineUnavailableError:
    return EngineUnavailableError(
        f"What engine {name!r} needs cannot be read from {target}, which must be a "
        f"pdfingest.Needs: {reason}. Reinstall the package that it comes from."
    )
