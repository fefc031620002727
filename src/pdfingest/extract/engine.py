"""What an engine is: a function that opens a document. `registry` finds one by its name.

An engine tells what is wrong by the exception it raises: `MalformedError`, `EncryptedError`,
`OSError` for a file that cannot be read, `MemoryError`. Anything else that it raises is its own
mistake and becomes the failure kind `engine_error`.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, TypeVar, cast

from pdfingest.errors import EngineUnavailableError
from pdfingest.model import DocumentInfo, EngineSpec, Page

T = TypeVar("T")


class MalformedError(Exception):
    """The file is no PDF that this engine can read."""


class EncryptedError(Exception):
    """The document needs a password, and none of those given opens it."""


class Document(Protocol):
    """An open document. One thread, one process: PDFium is not thread-safe."""

    @property
    def page_count(self) -> int:
        """Pages of the document."""
        ...

    def info(self) -> DocumentInfo:
        """Metadata of the document."""
        ...

    def page(self, number: int) -> Page:
        """Read page `number` (1-based) and release what reading it took before returning."""
        ...

    def close(self) -> None:
        """Release the document."""
        ...


class Engine(Protocol):
    """Opens a document; the door through which all engines come."""

    def __call__(self, path: str, passwords: Sequence[str], /) -> Document:
        """Open the file at `path`, trying no password first and then each of `passwords`.

        Raises:
            MalformedError: the file is no PDF that this engine can read.
            EncryptedError: no password opens it.
            OSError: the file cannot be read.
        """
        ...


def tolerate(read: Callable[[], T], default: T) -> T:
    """What `read` gives, or `default` where the file is broken: for all that is not the text.

    A label or a link that cannot be read must not cost the page.
    """
    try:
        return read()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - parsers raise anything on broken files
        return default


def load_engine(spec: EngineSpec) -> Engine:
    """Import an engine. Runs in the child.

    Raises:
        EngineUnavailableError: its module or its function is not there, or fails to import.
    """
    module, _, attribute = spec.target.partition(":")
    try:
        return cast(Engine, getattr(import_module(module), attribute))
    except Exception as error:
        raise EngineUnavailableError(
            f"engine {spec.name!r} cannot be imported from {spec.target}: "
            f"{type(error).__name__}: {error}. Reinstall the package that it comes from."
        ) from error
