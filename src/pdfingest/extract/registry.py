"""Which engines there are: those built in, and those of other packages.

A third party adds one by the entry point group `pdfingest.engines` (name = "module:function"). The
parent looks a name up without importing the engine; the child imports it.
"""

from importlib import metadata

from pdfingest.errors import EngineUnavailableError
from pdfingest.model import EngineSpec

ENTRY_POINTS = "pdfingest.engines"

_BUILT_IN = {
    "pdfium": ("pdfingest.extract.pdfium:open_document", "pypdfium2"),
    "pypdf": ("pdfingest.extract.pypdf:open_document", "pypdf"),
    "pdfplumber": ("pdfingest.extract.pdfplumber:open_document", "pdfplumber"),
}
"""Name to target and to the distribution whose version is the engine's."""

_AUTO = "pdfium,pypdf"


def find_engines(name: str) -> tuple[EngineSpec, ...]:
    """The engines behind a name, in the order in which they are tried. Runs in the parent.

    Args:
        name: `auto`, a built-in engine, an entry point of the group `pdfingest.engines`, or several
            of them, separated by commas.

    Raises:
        EngineUnavailableError: nothing installed has this name.
    """
    return tuple(_find(one) for one in name.replace("auto", _AUTO).split(","))


def _find(name: str) -> EngineSpec:
    """One engine by its name."""
    if name in _BUILT_IN:
        target, distribution = _BUILT_IN[name]
        return EngineSpec(name, target, _version(distribution))
    # Read the installed metadata only for names that are not built in: it takes milliseconds.
    found = metadata.entry_points(group=ENTRY_POINTS)
    for entry in found:
        if entry.name == name:
            return EngineSpec(name, entry.value, entry.dist.version if entry.dist else "")
    known = ", ".join(["auto", *_BUILT_IN, *sorted(found.names)])
    raise EngineUnavailableError(
        f"engine {name!r} is not installed. Known here: {known}. "
        f"A package adds one by the entry point group {ENTRY_POINTS}."
    )


def _version(distribution: str) -> str:
    """Version of an installed distribution."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise EngineUnavailableError(
            f"package {distribution} is not installed. Run: pip install {distribution}"
        ) from None
