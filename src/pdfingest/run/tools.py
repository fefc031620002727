"""What a run reads PDFs with: engines, and OCR if it is wanted. Runs in the parent.

Owns the check, before the first file is read, that all of it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pdfingest.child.sandbox.readable import readable_paths
from pdfingest.engines.registry import find_engines
from pdfingest.errors import EngineUnavailableError
from pdfingest.job import EngineSpec, OcrSpec
from pdfingest.ocr.languages import USUAL
from pdfingest.ocr.registry import find_ocr, load_ocr
from pdfingest.options import IngestOptions, options_digest


@dataclass(frozen=True, slots=True)
class Tools:
    """What reads the files of a run."""

    engines: tuple[EngineSpec, ...]
    """In the order in which they are tried."""
    ocr: OcrSpec | None
    readable: tuple[str, ...]
    """What children may read beside the file; see `child.sandbox.readable`."""

    def digest(self, options: IngestOptions) -> str:
        """Return the digest of all that changes a record."""
        return options_digest(options, self.engines, self.ocr)


def find_tools(options: IngestOptions) -> Tools:
    """Find what the options name.

    Raises:
        EngineUnavailableError: an engine, the OCR engine or a language of it is not installed.
        OptionError: a name is empty.
    """
    engines = find_engines(options.engine)
    modules = [engine.module for engine in engines]
    if not options.has_ocr:
        return Tools(engines, None, readable_paths(modules))
    ocr, folders = _ocr_of(options)
    return Tools(engines, ocr, readable_paths([*modules, ocr.engine.module], folders))


def _ocr_of(options: IngestOptions) -> tuple[OcrSpec, Sequence[str]]:
    """Return what reads pictures, and the paths that it reads from; raises as `find_tools`."""
    spec = find_ocr(options.ocr)
    engine = load_ocr(spec)
    known = tuple(sorted(engine.languages()))
    chosen = tuple(options.ocr_lang.split(",")) if options.ocr_lang else ()
    for language in chosen or known[:1] or (USUAL,):
        if language not in known:
            raise EngineUnavailableError(engine.missing(language))
    return OcrSpec(spec, known, chosen), engine.folders()
