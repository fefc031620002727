"""Discovery: from inputs, which are files, directories, globs or lists of them, to sources.

Owns which files count and how sources are named. Does not open any file: a name that ends in `.pdf`
makes a source, and whether the file is a PDF is found out in a child.

A source is named relative to its input; with several inputs, relative to the deepest directory that
holds them all; with a list of inputs, relative to the current directory. So a name depends on the
inputs alone and not on what else was found. Why not `glob` or `os.walk`: both hold all names of a
directory in memory.
"""

import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from pdfingest.errors import UsageError
from pdfingest.remote.place import is_remote
from pdfingest.run import discover_remote as remote
from pdfingest.run.found import Found, is_settled
from pdfingest.stop import Stop
from pdfingest.text import printable, source_name

AnyPath: TypeAlias = str | bytes | os.PathLike[Any]

COPIES = "pdfingest-copy-"
"""Prefix of the name of a temporary directory for a copy of a PDF, such as the one on stdin."""
_MAGIC = re.compile(r"[*?\[]")
_ANY_DEPTH = "**"


def discover(
    inputs: AnyPath | Iterable[AnyPath],
    listed: Iterable[AnyPath] | None = None,
    given: dict[str, int] | None = None,
    stop: Stop | None = None,
) -> Iterator[Found]:
    """Find the sources of the inputs. A file that is reached twice may be yielded twice.

    Args:
        inputs: files, directories and globs, or a single one of these.
        listed: paths of files and directories, taken literally; None if no list was given.
        given: is filled, while sources are yielded, with the number of sources of each input, by
            the absolute path of the input.
        stop: ends the listing of object stores.

    Raises:
        UsageError: an input does not exist, or is not a path.
        ListingError: a folder of an object store cannot be listed.
    """
    inputs, given, stop = _paths(inputs), {} if given is None else given, stop or Stop()
    here = os.getcwd()
    local = [one for one in inputs if not is_remote(one)]
    base = here if listed is not None else _common_base(local)
    for one in local:
        if not _is_glob(one) and not os.path.lexists(one):
            raise UsageError(
                f"input does not exist: {printable(one)}. Check the path; quote a pattern, so "
                "that the shell leaves it alone."
            )
    for one in local:
        found = _glob(one, here, base) if _is_glob(one) else _reach(os.path.join(here, one), base)
        yield from _counted(found, os.path.abspath(one), given)
    for one in inputs:
        if is_remote(one):
            found = remote.reach(one, stop, is_only=len(inputs) == 1 and listed is None)
            yield from _counted(found, remote.place_of(one), given)
    batch: list[str] = []
    for path in map(os.fsdecode, () if listed is None else listed):  # an array has no truth value
        if not is_remote(path):
            # An empty path is no file; joined, it would be the current directory.
            yield from _reach(path and os.path.join(here, path), base)
            continue
        batch.append(path)
        if len(batch) == remote.BATCH:
            yield from remote.reach_all(batch, stop)
            batch.clear()
    yield from remote.reach_all(batch, stop)


def _paths(inputs: AnyPath | Iterable[AnyPath]) -> list[str]:
    """Return inputs as a list of texts; a single path is one input."""
    try:
        if isinstance(inputs, (str, bytes, os.PathLike)):
            return [os.fsdecode(inputs)]
        return [os.fsdecode(one) for one in inputs]
    except TypeError:
        raise UsageError(
            f"inputs must be a path, or paths in a list, not {printable(repr(inputs), 60)}."
        ) from None


def is_below(path: str, folder: str) -> bool:
    """Return whether a resolved path is in a directory: `/data2/a.pdf` is not in `/data`."""
    return path.startswith(os.path.join(os.path.realpath(folder), ""))


def is_copy(path: str) -> bool:
    """Return whether a path is that of a copy, whose end with its run does not mean it is gone."""
    return os.path.basename(os.path.dirname(path)).startswith(COPIES)


def _counted(found: Iterator[Found], name: str, given: dict[str, int]) -> Iterator[Found]:
    given.setdefault(name, 0)
    for each in found:
        given[name] += 1
        yield each


def _is_glob(text: str) -> bool:
    """Return whether an input is a pattern; an existing file with brackets in its name is not."""
    return bool(_MAGIC.search(text)) and not os.path.lexists(text)


def _common_base(inputs: Sequence[str]) -> str:
    """Return the deepest directory that holds all inputs; empty if there is none."""
    bases: set[str] = set()
    for one in inputs:
        root = os.path.abspath(_glob_root(one) if _is_glob(one) else one)
        bases.add(root if os.path.isdir(root) else os.path.dirname(root))
    try:
        return os.path.commonpath(bases) if bases else os.getcwd()
    except ValueError:  # different drives on Windows have no directory in common
        return ""


def _named(path: str, base: str) -> str:
    """Return the name of the source at a path: relative to the base, or absolute if outside it."""
    return source_name(_relative(os.path.abspath(path), base))


def _relative(path: str, base: str) -> str:
    """Return an absolute path relative to the base, or as it is if it is outside of that."""
    return path.removeprefix(os.path.join(base, "")) if base else path


def _reach(path: str, base: str) -> Iterator[Found]:
    """Yield the PDFs below a directory, or the one file at a path, whatever its name."""
    found = _look(_named(path, base), path)
    if found.error and os.path.isdir(path):  # asked last, as lists name millions of files
        yield from _walk(path, [_ANY_DEPTH], base)
    else:
        yield found


def _glob(pattern: str, here: str, base: str) -> Iterator[Found]:
    """Yield the PDFs that a pattern matches, and those below directories that it matches."""
    root = _glob_root(pattern)
    parts = [part for part in pattern[len(root) :].split("/") if part not in ("", ".")]
    yield from _walk(os.path.join(here, root or "."), parts, base)


def _walk(root: str, parts: list[str], base: str) -> Iterator[Found]:
    """Yield the PDFs below a directory that a pattern matches; see `_glob`.

    Args:
        root: the directory, absolute.
        parts: the pattern, relative to the directory, split at each `/`.
        base: directory that names are relative to.
    """
    # A list and not recursion, whose limit a hostile tree of directories would exceed.
    pending = [(root, parts)]
    while pending:
        folder, parts = pending.pop()
        if parts[0] == _ANY_DEPTH and parts[1:]:
            pending.append((folder, parts[1:]))  # it matches no directory at all, too
        try:
            with os.scandir(folder) as entries:
                yield from _search(entries, _prefix(folder, base), parts, pending)
        except OSError as error:
            # How many PDFs are lost is unknown, but the report must show that some are.
            reason = f"the directory cannot be listed: {error.strerror}"
            yield Found(_named(folder, base) or ".", folder, error=reason)


def _search(
    entries: Iterator["os.DirEntry[str]"],
    prefix: str,
    parts: list[str],
    pending: list[tuple[str, list[str]]],
) -> Iterator[Found]:
    """Yield the PDFs of a directory that a pattern matches, hidden entries left out.

    Args:
        entries: what is in the directory.
        prefix: what the names of the files in it begin with, before they are made valid.
        parts: the pattern, relative to the directory, split at each `/`.
        pending: is given the directories that are to be searched too, each with its pattern.
    """
    part, *rest = parts
    matches: Callable[[str], object] = re.compile(fnmatch.translate(part)).match
    below = rest or [_ANY_DEPTH]
    if part == _ANY_DEPTH:
        matches, below = bool, parts  # no name is empty, so all match
    for entry in entries:
        name = entry.name
        if name.startswith(".") or not matches(name):
            continue
        if entry.is_dir(follow_symlinks=False):
            pending.append((entry.path, below))
        elif not rest and _is_pdf(entry):
            yield _look(source_name(prefix + name), entry.path)


def _prefix(folder: str, base: str) -> str:
    """Return what the relative paths of the files in a directory begin with."""
    return _relative(os.path.join(os.path.abspath(folder), ""), base)


def _glob_root(pattern: str) -> str:
    """Return the leading directories of a pattern that hold no wildcard, with the `/` behind."""
    magic = _MAGIC.search(pattern)
    assert magic is not None, "only patterns are split"
    return pattern[: pattern.rfind("/", 0, magic.start()) + 1]


def _is_pdf(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry has the name of a PDF and is not a link to a directory."""
    is_named = entry.name[-4:].lower() == ".pdf"
    return is_named and not (entry.is_symlink() and os.path.isdir(entry.path))


def _look(name: str, path: str) -> Found:
    """Find out what is known of the file at a path without opening it."""
    try:
        found = os.stat(path)
    except OSError as error:
        return Found(name, path, error=f"{error.strerror}")
    except ValueError:  # no system call accepts such a path
        return Found(name, path, error="its name holds a NUL")
    if not stat.S_ISREG(found.st_mode):
        return Found(name, path, error="it is not a regular file")
    mtime_ns = found.st_mtime_ns
    # As text, since an inode number may exceed SQLite's integers.
    identity = f"{found.st_dev}:{found.st_ino}" if found.st_ino else None
    return Found(name, path, found.st_size, "", mtime_ns, is_settled(mtime_ns), identity)
