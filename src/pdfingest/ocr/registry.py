"""The OCR engines that are installed: the one built in, and those of other packages.

Another package adds one by the entry point group `pdfingest.ocr`; see `engine`. The parent looks
them up and loads them, and so does each child that reads pictures.
"""

from importlib import import_module, metadata
from operator import attrgetter
from typing import cast

from pdfingest.errors import EngineUnavailableError
from pdfingest.installed import version_of
from pdfingest.job import EngineSpec
from pdfingest.needs import needs_of
from pdfingest.ocr.engine import OcrEngine

ENTRY_POINTS = "pdfingest.ocr"
AUTO = "tesseract"
"""The engine that `auto` stands for."""
_BUILT_IN = {AUTO: ("pdfingest.ocr.tesseract", "tesserocr")}
"""Target of each engine, and the distribution whose version is the engine's."""
_FUNCTIONS = ("languages", "missing", "folders", "open_reader")


def known_ocr() -> tuple[str, ...]:
    """Return the names of all OCR engines, first those built in."""
    others = sorted(metadata.entry_points(group=ENTRY_POINTS).names - _BUILT_IN.keys())
    return (*_BUILT_IN, *others)


def find_ocr(name: str) -> EngineSpec:
    """Return an OCR engine by its name, or by `auto`. Imports nothing of it.

    Raises:
        EngineUnavailableError: nothing that is installed has this name, or what it needs is not
            installed.
    """
    name = AUTO if name == "auto" else name
    if name in _BUILT_IN:
        target, distribution = _BUILT_IN[name]
        return EngineSpec(name, target, _version(distribution))
    for entry in metadata.entry_points(group=ENTRY_POINTS, name=name):
        version = entry.dist.version if entry.dist else ""
        return EngineSpec(name, entry.value, version, needs_of(name))
    raise EngineUnavailableError(
        f"OCR engine {name!r} is not installed. Known here: {', '.join(['auto', *known_ocr()])}. "
        f"A package adds one by the entry point group {ENTRY_POINTS}."
    )


def load_ocr(spec: EngineSpec) -> OcrEngine:
    """Import an OCR engine, but not yet the library that reads.

    Raises:
        EngineUnavailableError: it cannot be imported, or lacks a function of the protocol.
    """
    module, _, attribute = spec.target.partition(":")
    try:
        engine = import_module(module)
        if attribute:
            engine = attrgetter(attribute)(engine)
    except Exception as error:
        raise EngineUnavailableError(
            f"OCR engine {spec.name!r} cannot be imported from {spec.target}: "
            f"{type(error).__name__}: {error}. Reinstall the package that it comes from."
        ) from error
    if lacking := [each for each in _FUNCTIONS if not callable(getattr(engine, each, None))]:
        raise EngineUnavailableError(
            f"OCR engine {spec.name!r}, {spec.target}, has no {' and no '.join(lacking)}."
        )
    return cast(OcrEngine, engine)


def _version(distribution: str) -> str:
    try:
        return version_of(distribution)
    except metadata.PackageNotFoundError:
        raise EngineUnavailableError(
            f"package {distribution} is not installed. Run: pip install 'pdfingest[ocr]'"
        ) from None
