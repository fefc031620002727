"""Inputs to sources, streaming: files, directories, globs and lists of them.

Owns which files count and what they are called. Opens none of them: a name that ends in `.pdf` is
a source, whatever is behind it, and what is not a PDF is found out in a child.

A source is named relative to its input; where there are several inputs, relative to the deepest
directory that holds them all; where inputs come from a list, relative to the current directory.
So a name depends on the inputs alone, never on what else was found. Why no `glob` or `os.walk`:
both build lists of all names of a directory.
"""

import fnmatch
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from pdfingest.errors import UsageError
from pdfingest.model import Source
from pdfingest.text import printable, source_name

AnyPath: TypeAlias = str | bytes | os.PathLike[Any]
Found: TypeAlias = tuple[Source, os.stat_result | None]

COPIES = "pdfingest-copy-"
"""How the directory of a copy begins that does not outlive the run, as of the PDF on stdin."""
_MAGIC = re.compile(r"[*?\[]")
_ANY_DEPTH = "**"


def discover(
    inputs: AnyPath | Iterable[AnyPath],
    listed: Iterable[AnyPath] | None = None,
    given: dict[str, int] | None = None,
) -> Iterator[Found]:
    """Find the sources behind the inputs; one that is reached twice may come twice.

    Args:
        inputs: files, directories and globs, or a single one.
        listed: paths of files and directories, taken literally; None if no list was given.
        given: takes the number of sources of each input, by its absolute path, as they come.

    Raises:
        UsageError: an input does not exist, or is no path.
    """
    inputs = _paths(inputs)
    base = os.getcwd() if listed is not None else _common_base(inputs)
    for one in inputs:
        if not _is_glob(one) and not os.path.lexists(one):
            raise UsageError(
                f"input does not exist: {printable(one)}. Check the path; quote a pattern, so "
                "that the shell leaves it alone."
            )
    for one in inputs:
        found = _glob(one, base) if _is_glob(one) else _reach(one, base)
        yield from _counted(found, os.path.abspath(one), {} if given is None else given)
    for path in listed or ():
        yield from _reach(os.fsdecode(path), base)


def _paths(inputs: AnyPath | Iterable[AnyPath]) -> list[str]:
    """Bring inputs to text; a single path is one input."""
    try:
        if isinstance(inputs, (str, bytes, os.PathLike)):
            return [os.fsdecode(inputs)]
        return [os.fsdecode(one) for one in inputs]
    except TypeError:
        raise UsageError(
            f"inputs must be a path, or paths in a list, not {printable(repr(inputs), 60)}."
        ) from None


def is_copy(path: str) -> bool:
    """Whether a path is that of a copy which does not outlive its run."""
    return os.path.basename(os.path.dirname(path)).startswith(COPIES)


def _counted(found: Iterator[Found], name: str, given: dict[str, int]) -> Iterator[Found]:
    """Count what an input gives."""
    given.setdefault(name, 0)
    for each in found:
        given[name] += 1
        yield each


def _is_glob(text: str) -> bool:
    """Whether an input is a pattern; a file whose name has brackets is not."""
    return bool(_MAGIC.search(text)) and not os.path.lexists(text)


def _common_base(inputs: Sequence[str]) -> str:
    """The deepest directory that holds all inputs."""
    bases: set[str] = set()
    for one in inputs:
        root = os.path.abspath(_glob_root(one) if _is_glob(one) else one)
        bases.add(root if os.path.isdir(root) else os.path.dirname(root))
    try:
        return os.path.commonpath(bases) if bases else os.getcwd()
    except ValueError:  # different drives on Windows have no directory in common
        return ""


def _named(path: str, base: str) -> str:
    """The name of the source at a path: relative to the base, absolute where it is outside."""
    path = os.path.abspath(path)
    inside = os.path.join(base, "")
    return source_name(path.removeprefix(inside) if base else path)


def _reach(path: str, base: str) -> Iterator[Found]:
    """What one literal path leads to: the PDFs of a directory, or the file, whatever its name."""
    if os.path.isdir(path):
        yield from _walk(path, base)
    else:
        yield _source(path, base)


def _walk(root: str, base: str) -> Iterator[Found]:
    """All PDFs of a directory and the directories below it."""
    # A stack of its own: recursion ends at a depth that a hostile tree exceeds.
    pending = [root]
    while pending:
        folder = pending.pop()
        for entry in _list(folder, base):
            if isinstance(entry, Source):
                yield entry, None
            elif entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            elif _is_pdf(entry):
                yield from _unless_directory(entry, base)


def _glob(pattern: str, base: str) -> Iterator[Found]:
    """PDFs that a pattern matches, and the PDFs of directories that it matches."""
    root = _glob_root(pattern)
    parts = [part for part in pattern[len(root) :].split("/") if part not in ("", ".")]
    pending = [(root or ".", parts)]
    while pending:
        folder, (part, *rest) = pending.pop()
        if part == _ANY_DEPTH and rest:
            pending.append((folder, rest))
        matches = re.compile(fnmatch.translate("*" if part == _ANY_DEPTH else part)).match
        for entry in _list(folder, base):
            if isinstance(entry, Source):
                yield entry, None
            elif not matches(entry.name):
                continue
            elif entry.is_dir(follow_symlinks=False):
                if part == _ANY_DEPTH:
                    pending.append((entry.path, [part, *rest]))
                elif rest:
                    pending.append((entry.path, rest))
                else:
                    yield from _walk(entry.path, base)
            elif not rest and _is_pdf(entry):
                yield from _unless_directory(entry, base)


def _glob_root(pattern: str) -> str:
    """The leading directories of a pattern that hold no wildcard, with their last `/`."""
    magic = _MAGIC.search(pattern)
    assert magic is not None, "only patterns are split"
    return pattern[: pattern.rfind("/", 0, magic.start()) + 1]


def _list(folder: str, base: str) -> Iterator["os.DirEntry[str] | Source"]:
    """The entries of a directory, hidden ones left out; a source that failed if it has no list."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    yield entry
    except OSError as error:
        # Its PDFs cannot be counted, but the loss must be seen.
        reason = f"the directory cannot be listed: {error.strerror}"
        yield Source(_named(folder, base) or ".", folder, error=reason)


def _is_pdf(entry: "os.DirEntry[str]") -> bool:
    """Whether a name says that it is a PDF."""
    return entry.name[-4:].lower() == ".pdf"


def _unless_directory(entry: "os.DirEntry[str]", base: str) -> Iterator[Found]:
    """The source of an entry, unless it is a link to a directory."""
    if not (entry.is_symlink() and os.path.isdir(entry.path)):
        yield _source(entry.path, base)


def _source(path: str, base: str) -> Found:
    """The source at a path, with what can be known of it without opening it."""
    name = _named(path, base)
    try:
        found = os.stat(path)
    except OSError as error:
        return Source(name, path, error=f"{error.strerror}"), None
    except ValueError:  # no system call takes it
        return Source(name, path, error="its name holds a NUL"), None
    if not stat.S_ISREG(found.st_mode):
        return Source(name, path, error="it is not a regular file"), None
    return Source(name, path, found.st_size), found
