"""pdfingest: PDFs to JSONL, one fresh process per file.

    from pdfingest import IngestOptions, ingest

    if __name__ == "__main__":
        summary = ingest(["pdfs/"], IngestOptions(workers=8))

Importing this package imports nothing heavy: a child imports it too, and names are resolved when
they are first asked for (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdfingest.engines.abilities import (
        AttachedDocument,
        LayoutDocument,
        OutlinedDocument,
        PicturedDocument,
        RangedDocument,
        TabledDocument,
        TraitsDocument,
    )
    from pdfingest.engines.engine import (
        Document,
        EncryptedError,
        Engine,
        MalformedError,
        tolerate,
    )
    from pdfingest.errors import ExitCode, OptionError, PdfingestError
    from pdfingest.events import Listener
    from pdfingest.export.load import load  # pyright: ignore[reportUnknownVariableType] - of types that may not be here
    from pdfingest.export.typed import Record, RecordMetadata
    from pdfingest.job import Sandbox
    from pdfingest.model import Aside, FailOn, FailureKind, Format, Source, Unit
    from pdfingest.needs import Needs
    from pdfingest.ocr.engine import Picture
    from pdfingest.options import IngestOptions
    from pdfingest.outcome import (
        Attachment,
        Extracted,
        Failed,
        Finished,
        Traits,
    )
    from pdfingest.output.summary import Summary
    from pdfingest.pages import (
        Annotation,
        Box,
        DocumentInfo,
        Font,
        FormField,
        InternalLink,
        Page,
        Span,
        Table,
        Title,
    )
    from pdfingest.run.pipeline import ingest, stream
    from pdfingest.stop import Stop

    __version__: str

__all__ = [
    "Annotation",
    "Aside",
    "AttachedDocument",
    "Attachment",
    "Box",
    "Document",
    "DocumentInfo",
    "EncryptedError",
    "Engine",
    "ExitCode",
    "Extracted",
    "FailOn",
    "Failed",
    "FailureKind",
    "Finished",
    "Font",
    "FormField",
    "Format",
    "IngestOptions",
    "InternalLink",
    "LayoutDocument",
    "Listener",
    "MalformedError",
    "Needs",
    "OptionError",
    "OutlinedDocument",
    "Page",
    "PdfingestError",
    "Picture",
    "PicturedDocument",
    "RangedDocument",
    "Record",
    "RecordMetadata",
    "Sandbox",
    "Source",
    "Span",
    "Stop",
    "Summary",
    "Table",
    "TabledDocument",
    "Title",
    "Traits",
    "TraitsDocument",
    "Unit",
    "ingest",
    "load",
    "stream",
    "tolerate",
]

_HOMES = {
    "errors": ("ExitCode", "OptionError", "PdfingestError"),
    "events": ("Listener",),
    "engines.abilities": (
        *("AttachedDocument", "LayoutDocument", "OutlinedDocument", "PicturedDocument"),
        *("RangedDocument", "TabledDocument", "TraitsDocument"),
    ),
    "engines.engine": ("Document", "EncryptedError", "Engine", "MalformedError", "tolerate"),
    "export.load": ("load",),
    "export.typed": ("Record", "RecordMetadata"),
    "job": ("Sandbox",),
    "needs": ("Needs",),
    "ocr.engine": ("Picture",),
    "model": ("Aside", "FailOn", "FailureKind", "Format", "Source", "Unit"),
    "pages": (
        *("Annotation", "Box", "DocumentInfo", "Font", "FormField"),
        *("InternalLink", "Page", "Span", "Table", "Title"),
    ),
    "options": ("IngestOptions",),
    "outcome": ("Attachment", "Extracted", "Failed", "Finished", "Traits"),
    "run.pipeline": ("ingest", "stream"),
    "output.summary": ("Summary",),
    "stop": ("Stop",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name from the module that it lives in."""
    if name == "__version__":
        from pdfingest.installed import version_of  # noqa: PLC0415 - 6 ms that few programs need

        return version_of(__name__)
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    """List also the names that nobody has asked for yet."""
    return sorted({*globals(), *__all__, "__version__"})
