"""The protocol of an engine, for whoever writes one. Engines run in the child alone.

An engine is a function that opens a document. A package registers it under a name, for `--engine`:

    [project.entry-points."pdfingest.engines"]
    mine = "my_package:open_document"

The function and the document that it returns need no base class; `examples/engines/pdfminer` has
both. What a document may do beside what it must is in `abilities`. Each process opens one file,
from one thread, within a sandbox and limits. So an engine need not guard against huge, slow or
hostile files, nor clean the text. It tells what is wrong with a file by the exception that it
raises, whose message is shown to the user:

| exception | failure kind |
|---|---|
| `EncryptedError` | `encrypted` |
| `MalformedError` | `malformed`; `not_pdf` if there is no `%PDF-` in the first KiB of the file |
| `OSError` | `unreadable`; `engine_error` if it is a `PermissionError`, as raised in the sandbox |
| `MemoryError` | `memory_limit`, unless a child with the whole memory budget can read it |
| any other | `engine_error` |

After an exception, the next engine of the chain tries to open the file or to read the page. If no
engine can, that file or page is lost, and no other.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import ClassVar, Protocol, TypeVar, cast

from pdfingest.errors import EngineUnavailableError
from pdfingest.job import EngineSpec
from pdfingest.model import Aside, FailureKind
from pdfingest.pages import DocumentInfo, Page

T = TypeVar("T")


class FileError(Exception):
    """Something is wrong with the file. Subclasses say what; the message is for the user."""

    kind: ClassVar[FailureKind] = FailureKind.ENGINE_ERROR
    """The failure kind that the file or the page ends with."""


class MalformedError(FileError):
    """The file, or the page, is not PDF that this engine can read."""

    kind = FailureKind.MALFORMED


class EncryptedError(FileError):
    """The document is encrypted, and none of the passwords opens it.

    Args:
        message: why it cannot be opened.
        by_password: whether the right password would open it; false for certificates, for schemes
            that the engine does not know, and where a package to decrypt it is missing.
    """

    kind = FailureKind.ENCRYPTED

    def __init__(self, message: str = "no password opens it", *, by_password: bool = True) -> None:
        super().__init__(message)
        self.by_password = by_password


class Document(Protocol):
    """An open document, as an engine returns it.

    Give it an attribute `goes_by_count` that is true if the engine finds pages by the /Count of the
    nodes of the page tree instead of walking it (ISO 32000-2, 7.7.3). Where /Count is wrong, such
    an engine is asked only for pages that it surely finds.
    """

    @property
    def page_count(self) -> int:
        """Number of pages of the document. It must not change."""
        ...

    def info(self) -> DocumentInfo:
        """Return the metadata as the file has it. Whatever this raises costs the metadata alone."""
        ...

    def page(self, number: int) -> Page:
        """Read one page, and release all that reading it took.

        Read what is not the text, such as links, through `tolerate`.

        Args:
            number: 1-based number of the page. Numbers ascend, but some may be left out.

        Raises:
            MalformedError: the page cannot be read. Anything else that is raised costs it too.
        """
        ...

    def close(self) -> None:
        """Release the document. What this raises is ignored."""
        ...


class Engine(Protocol):
    """The function that opens a document."""

    def __call__(self, path: str, passwords: Sequence[str], /) -> Document:
        """Open a file, with no password at first and then with each of those given.

        Args:
            path: where the file is; it may hold surrogate escapes (PEP 383). The sandbox allows no
                other file, except those of Python and its packages.
            passwords: those that the user gave, in the order in which to try them.

        Raises:
            MalformedError: the file is not PDF that this engine can read.
            EncryptedError: no password opens it.
            OSError: the file cannot be read.
        """
        ...


class Watch:
    """Told what engines read beside the text. This one allows all of it."""

    __slots__ = ()

    def begin_aside(self, aside: Aside) -> bool:
        """Return whether this may be read, before it is."""
        return True

    def end_aside(self) -> None:
        """Note that it has been read."""


_watch = [Watch()]
"""The one that is told; one for all, as a process reads one file."""


@contextmanager
def watch_asides(watch: Watch) -> Generator[None, None, None]:
    """Have `watch` told what engines read beside the text while the block runs."""
    before = _watch[0]
    _watch[0] = watch
    try:
        yield
    finally:
        _watch[0] = before


def tolerate(aside: Aside, read: Callable[[], T], default: T) -> T:
    """Read something beside the text of a page, which must never cost the page. Runs in the child.

    If the process dies of it, the next one reads the page without.

    Args:
        aside: what is read.
        read: reads it, and may raise anything if the file is broken.
        default: what to return if `read` raises, or must not be called.

    Raises:
        MemoryError: `read` raised it, which counts like a death of the process.
    """
    watch = _watch[0]
    if not watch.begin_aside(aside):
        return default
    try:
        found = read()
    except MemoryError:
        raise  # without `end_aside`, so that it is known where the memory ran out
    except Exception:  # noqa: BLE001 - parsers raise anything on broken files
        found = default
    watch.end_aside()
    return found


def load_engine(spec: EngineSpec) -> Engine:
    """Import an engine. Runs in the child.

    Raises:
        EngineUnavailableError: the module cannot be imported or has no such function.
    """
    module, _, attribute = spec.target.partition(":")
    try:
        return cast(Engine, getattr(import_module(module), attribute))
    except Exception as error:
        raise EngineUnavailableError(
            f"engine {spec.name!r} cannot be imported from {spec.target}: "
            f"{type(error).__name__}: {error}. Reinstall the package that it comes from."
        ) from error
