"""The engines that are installed: those built in, and those of other packages. Runs in the parent.

Another package adds one by the entry point group `pdfingest.engines`; see `engine`. Engines are
looked up without being imported: a child imports them.
"""

from importlib import metadata

from pdfingest.errors import EngineUnavailableError, OptionError
from pdfingest.installed import version_of
from pdfingest.job import EngineSpec
from pdfingest.needs import needs_of
from pdfingest.values import names

ENTRY_POINTS = "pdfingest.engines"
BUILT_IN = {
    "pdfium": ("pdfingest.engines.pdfium:open_document", "pypdfium2"),
    "pypdf": ("pdfingest.engines.pypdf:open_document", "pypdf"),
    "pdfplumber": ("pdfingest.engines.pdfplumber:open_document", "pdfplumber"),
}
"""Target of each engine, and the distribution whose version is the engine's."""

_AUTO = "pdfium,pypdf"


def find_engines(name: str) -> tuple[EngineSpec, ...]:
    """Return the engines of a value of `--engine`, in the order in which to try them.

    Args:
        name: names of engines or `auto`, separated by commas.

    Raises:
        EngineUnavailableError: nothing that is installed has one of the names.
        OptionError: a name is empty or is given twice.
    """
    return tuple(map(_find, _names_of(name)))


def _names_of(name: str) -> list[str]:
    """Split a value of `--engine` into names of engines; `auto` stands for the default chain."""
    try:
        parts = names(name).split(",")
        return names(",".join(_AUTO if part == "auto" else part for part in parts)).split(",")
    except ValueError as error:
        raise OptionError(["engine"], str(error)) from None


def known_engines() -> tuple[str, ...]:
    """Return the names of all engines, first those built in, then those of other packages."""
    return (*BUILT_IN, *sorted(metadata.entry_points(group=ENTRY_POINTS).names))


def _find(name: str) -> EngineSpec:
    if name in BUILT_IN:
        target, distribution = BUILT_IN[name]
        return EngineSpec(name, target, _version(distribution))
    for entry in metadata.entry_points(group=ENTRY_POINTS, name=name):
        version = entry.dist.version if entry.dist else ""
        return EngineSpec(name, entry.value, version, needs_of(name))
    raise EngineUnavailableError(
        f"engine {name!r} is not installed. Known here: {', '.join(['auto', *known_engines()])}. "
        f"A package adds one by the entry point group {ENTRY_POINTS}."
    )


def _version(distribution: str) -> str:
    try:
        return version_of(distribution)
    except metadata.PackageNotFoundError:
        raise EngineUnavailableError(
            f"package {distribution} is not installed. Run: pip install {distribution}"
        ) from None
