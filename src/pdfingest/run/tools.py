"""What a run reads PDFs with: engines, and OCR if it is wanted. Runs in the parent.

Owns the check, before the first file is read, that all of it is there.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from pdfingest.child.sandbox.readable import readable_paths
from pdfingest.engines.registry import find_engines
from pdfingest.errors import EngineUnavailableError, OptionError
from pdfingest.isolation.contents import NO_MODELS, Made
from pdfingest.isolation.start import forks, image_for
from pdfingest.job import ChunkSpec, EngineSpec, OcrSpec, all_of
from pdfingest.model import SCHEMA, Unit
from pdfingest.ocr.languages import USUAL
from pdfingest.ocr.registry import find_ocr, load_ocr
from pdfingest.options import IngestOptions
from pdfingest.stop import Stop


class Tools(NamedTuple):
    """What reads the files of a run."""

    engines: tuple[EngineSpec, ...]
    """In the order in which they are tried."""
    ocr: OcrSpec | None
    readable: tuple[str, ...]
    """What children may read beside the file; see `child.sandbox.readable`."""
    chunks: ChunkSpec | None = None
    """How documents are cut; None unless chunks are wanted."""
    image: Made = NO_MODELS
    """What their image holds, if it holds models."""

    @property
    def all_engines(self) -> tuple[EngineSpec, ...]:
        """The engines in the order in which they are tried, then OCR and tokenizer, if any."""
        return all_of(self.engines, self.ocr, self.chunks)

    def digest(self, options: IngestOptions) -> str:
        """Return the digest of all that changes a record."""
        return options_digest(options, self.engines, self.ocr, self.chunks)


def find_tools(options: IngestOptions) -> Tools:
    """Find what the options name.

    Raises:
        EngineUnavailableError: an engine, the OCR engine or a language of it is not installed.
        OptionError: a name is empty, or an engine cannot do what is asked for.
    """
    engines = find_engines(options.engine)
    ocr, folders = _ocr_of(options) if options.has_ocr else (None, ())
    _check_whole(engines, options)
    chunks = None
    if options.unit is Unit.CHUNK:
        from pdfingest.page.splitting import find_splitting  # noqa: PLC0415 - 3 ms of a start

        chunks = find_splitting(options.chunk_tokens, options.chunk_overlap, options.tokenizer)
    all_engines = all_of(engines, ocr, chunks)
    modules = [engine.module for engine in all_engines]
    needed = [path for engine in all_engines for path in engine.needs.readable]
    return Tools(engines, ocr, readable_paths(modules, [*folders, *needed]), chunks)


def with_image(tools: Tools, stop: Stop) -> Tools:
    """Have an image made if engines have models in it, and say what it holds.

    Args:
        tools: whose engines are known.
        stop: ends the wait, and with it the image; no job must be run then.

    Raises:
        EngineUnavailableError: a model cannot be loaded, or cannot be forked.
    """
    engines = [each for each in tools.all_engines if each.needs.fork_safe]
    if not engines or not forks():
        return tools
    names = " and ".join(repr(each.name) for each in engines)
    image = image_for(tools.all_engines, tools.readable)
    stop.wake = image.kill
    if stop.requested:  # before it could wake anybody
        return tools
    try:
        made = image.made()
    except TimeoutError:
        allowed_s = sum(each.needs.warm_s for each in engines)
        raise EngineUnavailableError(
            f"Engine {names} is not loaded after {allowed_s:g} s. Find out what its warm function "
            "waits for, or have its package say a larger warm_s."
        ) from None
    except ConnectionError:
        if stop.exit_code is not None:
            return tools
        raise EngineUnavailableError(
            f"Engine {names} ended the process that loads it. To see how, call its warm function "
            "in a Python of your own."
        ) from None
    if made.error:
        raise EngineUnavailableError(made.error)
    return tools._replace(image=made)


def options_digest(
    options: IngestOptions,
    engines: Sequence[EngineSpec],
    ocr: OcrSpec | None = None,
    chunks: ChunkSpec | None = None,
) -> str:
    """Return the first 16 hex digits of the SHA-256 of all that changes a record.

    Passwords are not part of it: they decide whether a file opens, not what it says, and a digest
    of a short password could be searched.
    """
    text: dict[str, object] = {
        "schema": SCHEMA,
        "unit": options.unit,
        "format": options.format,
        "tables": options.tables,
        "engines": [(engine.name, engine.version) for engine in engines],
    }
    if ocr is not None:
        text["ocr"] = (ocr.engine.name, ocr.engine.version, ocr.chosen or ocr.languages)
    if chunks is not None:
        tokenizer = chunks.tokenizer
        text["chunks"] = (chunks.tokens, chunks.overlap, tokenizer.name, tokenizer.version)
    return hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()[:16]


def _check_whole(engines: Sequence[EngineSpec], options: IngestOptions) -> None:
    """Refuse pages of an engine that knows none, and a chain with one, whose pages differ."""
    for engine in engines:
        if not engine.needs.is_whole:
            continue
        if options.unit is not Unit.DOCUMENT:
            reason = f"must be document for engine {engine.name!r}, which knows no pages."
            raise OptionError(["unit"], reason)
        if len(engines) > 1:
            reason = f"{engine.name!r} knows no pages, so no other engine can stand in for it."
            raise OptionError(["engine"], reason)


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
