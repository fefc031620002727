"""Which engines there are: those built in, and those of other packages.

A third party adds one by the entry point group `pdfingest.engines` (name = "module:function"). The
parent looks a name up without importing the engine; the child imports it.
"""

from typing import TYPE_CHECKING

from pdfingest.errors import EngineUnavailableError, OptionError
from pdfingest.values import names

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pdfingest.model import EngineSpec

ENTRY_POINTS = "pdfingest.engines"

_BUILT_IN = {
    "pdfium": ("pdfingest.engines.pdfium:open_document", "pypdfium2"),
    "pypdf": ("pdfingest.engines.pypdf:open_document", "pypdf"),
    "pdfplumber": ("pdfingest.engines.pdfplumber:open_document", "pdfplumber"),
}
"""Name to target and to the distribution whose version is the engine's."""

_AUTO = "pdfium,pypdf"


def find_engines(name: str) -> tuple["EngineSpec", ...]:
    """The engines behind a name, in the order in which they are tried. Runs in the parent.

    Args:
        name: `auto`, a built-in engine, an entry point of the group `pdfingest.engines`, or several
            of them, separated by commas.

    Raises:
        EngineUnavailableError: nothing installed has this name.
        OptionError: names are empty or stand there twice.
    """
    return tuple(_find(one) for one in _names(name))


def modules_of(name: str) -> tuple[str, ...]:
    """The modules of the engines behind a name, for the head start: by far less than all of them.

    Raises:
        EngineUnavailableError: nothing installed has this name.
    """
    targets = (
        _BUILT_IN[one][0] if one in _BUILT_IN else _entry_point(one).value for one in _names(name)
    )
    return tuple(target.partition(":")[0] for target in targets)


def known_engines() -> tuple[str, ...]:
    """Names of all engines that are installed here, those built in first."""
    from importlib import metadata  # noqa: PLC0415 - as above

    return (*_BUILT_IN, *sorted(metadata.entry_points(group=ENTRY_POINTS).names))


def _names(name: str) -> list[str]:
    """Cut a name into those of single engines.

    Raises:
        OptionError: one of them is empty, or stands there twice.
    """
    try:
        parts = names(name).split(",")
        return names(",".join(_AUTO if part == "auto" else part for part in parts)).split(",")
    except ValueError as error:
        raise OptionError(["engine"], str(error)) from None


def _find(name: str) -> "EngineSpec":
    """One engine by its name."""
    from pdfingest.model import EngineSpec  # noqa: PLC0415 - 30 ms that the head start is without

    if name in _BUILT_IN:
        target, distribution = _BUILT_IN[name]
        return EngineSpec(name, target, _version(distribution))
    entry = _entry_point(name)
    return EngineSpec(name, entry.value, entry.dist.version if entry.dist else "")


def _entry_point(name: str) -> "EntryPoint":
    """Of an engine that is not built in."""
    from importlib import metadata  # noqa: PLC0415 - as above

    for entry in metadata.entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return entry
    raise EngineUnavailableError(
        f"engine {name!r} is not installed. Known here: {', '.join(['auto', *known_engines()])}. "
        f"A package adds one by the entry point group {ENTRY_POINTS}."
    )


def _version(distribution: str) -> str:
    """Version of an installed distribution."""
    from importlib import metadata  # noqa: PLC0415 - as above

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise EngineUnavailableError(
            f"package {distribution} is not installed. Run: pip install {distribution}"
        ) from None
