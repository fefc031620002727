"""What an engine is: a function that opens a document. `registry` finds one by its name.

An engine tells what is wrong by the exception it raises: `MalformedError`, `EncryptedError`,
`OSError` for a file that cannot be read, `MemoryError`. Anything else that it raises is its own
mistake and becomes the failure kind `engine_error`.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol, TypeVar, cast

from pdfingest.errors import EngineUnavailableError
from pdfingest.model import Aside, DocumentInfo, EngineSpec, Page

T = TypeVar("T")


class MalformedError(Exception):
    """The file is no PDF that this engine can read."""


class EncryptedError(Exception):
    """The document is encrypted, and nothing that was given opens it.

    Args:
        message: what it is encrypted with, or that no password opens it.
        by_password: whether a password would; false for certificates, unknown schemes, and where
            a package to decrypt it is missing.
    """

    def __init__(self, message: str = "no password opens it", *, by_password: bool = True) -> None:
        super().__init__(message)
        self.by_password = by_password


class Document(Protocol):
    """An open document. One thread, one process: PDFium is not thread-safe.

    An engine that finds pages by the /Count of the nodes of the page tree, which may be wrong,
    instead of going through the tree, says so by an attribute `goes_by_count` that is true.
    """

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


class Watch(Protocol):
    """Is told what an engine reads beside the text."""

    def begin_aside(self, aside: Aside) -> bool:
        """Take note that this is read from now on; False if it shall not be read."""
        ...

    def end_aside(self) -> None:
        """Take note that it has been read."""
        ...


class _NoWatch(Watch):
    """Nobody is told."""

    def begin_aside(self, aside: Aside) -> bool:
        """Have it read."""
        return True

    def end_aside(self) -> None:
        """Do nothing."""


_watch: list[Watch] = [_NoWatch()]
"""Who is told: one, as a process reads one file."""


@contextmanager
def watch_asides(watch: Watch) -> Generator[None, None, None]:
    """Have somebody told what engines read beside the text, while the block runs."""
    before = _watch[0]
    _watch[0] = watch
    try:
        yield
    finally:
        _watch[0] = before


def tolerate(aside: Aside, read: Callable[[], T], default: T) -> T:
    """Read what is not the text: a label, a link or the metadata must never cost a page.

    If the process dies while it reads, the page is read again by another, without.

    Args:
        aside: what it is.
        read: reads it; may raise anything where the file is broken.
        default: what to give then.
    """
    watch = _watch[0]
    if not watch.begin_aside(aside):
        return default
    try:
        found = read()
    except MemoryError:
        raise  # as good as a death: it says where
    except Exception:  # noqa: BLE001 - parsers raise anything on broken files
        found = default
    watch.end_aside()
    return found


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
