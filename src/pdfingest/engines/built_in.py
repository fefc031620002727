"""The engines that come with pdfingest, and how `--engine` names several. Runs in the parent.

It imports next to nothing, for a run needs `modules_of` before all else.
"""

from pdfingest.errors import OptionError
from pdfingest.values import names

BUILT_IN = {
    "pdfium": ("pdfingest.engines.pdfium:open_document", "pypdfium2"),
    "pypdf": ("pdfingest.engines.pypdf:open_document", "pypdf"),
    "pdfplumber": ("pdfingest.engines.pdfplumber:open_document", "pdfplumber"),
}
"""Target of each engine, and the distribution whose version is the engine's."""

_AUTO = "pdfium,pypdf"


def engine_names(name: str) -> list[str]:
    """Split a value of `--engine` into names of engines; `auto` stands for the default chain.

    Raises:
        OptionError: a name is empty or is given twice.
    """
    try:
        parts = names(name).split(",")
        return names(",".join(_AUTO if part == "auto" else part for part in parts)).split(",")
    except ValueError as error:
        raise OptionError(["engine"], str(error)) from None


def modules_of(name: str) -> tuple[str, ...]:
    """Return the modules of the engines of a value of `--engine`, importing none of them.

    Raises:
        EngineUnavailableError: nothing that is installed has one of the names.
        OptionError: see `engine_names`.
    """
    found = engine_names(name)
    if all(each in BUILT_IN for each in found):
        return tuple(BUILT_IN[each][0].partition(":")[0] for each in found)
    from pdfingest.engines.registry import find_engines  # noqa: PLC0415 - 40 ms, not for ours

    return tuple(engine.module for engine in find_engines(name))
