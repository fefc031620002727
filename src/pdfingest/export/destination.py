"""The directory that an export writes: it takes its name when it is whole, and replaces an old one.

What is written stands in a directory beside it until then, `NAME.new`, which has a lock and which
the next export clears if this one is killed.
"""

import os
import re
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress

from pdfingest.errors import OptionError, OutputBusyError
from pdfingest.output.layout import output_errors, sync_folder
from pdfingest.output.lock import held

_SHARD = re.compile(r"\w+-\d{5,}\.(parquet|jsonl|jsonl\.gz)")


def shard_name(name: str, number: int, ending: str) -> str:
    """Return the name of a shard, such as `pages-00000.parquet`; they sort as their numbers do."""
    return f"{name}-{number:05d}{ending}"


@contextmanager
def replaced(path: str) -> Generator[str, None, None]:
    """Give an empty directory, which replaces the one at `path` when the block ends without error.

    Raises:
        OptionError: at `path` is something that no export wrote.
        OutputBusyError: another export writes there.
        OutputError: it cannot be written.
    """
    path = os.path.realpath(path)  # a symbolic link stays: what it leads to is replaced
    beside = f"{path}.new"
    fresh, old = os.path.join(beside, "shards"), os.path.join(beside, "old")
    check(path)
    with _held(path, beside):
        try:
            with output_errors(path):
                _clear(path, fresh, old)
                os.mkdir(fresh)
            with output_errors(path):
                yield fresh
            check(path)  # it took a while
            with output_errors(path):
                sync_folder(fresh)
                with suppress(FileNotFoundError):
                    os.rename(path, old)
                os.rename(fresh, path)
                sync_folder(os.path.dirname(path))
        finally:
            shutil.rmtree(beside, ignore_errors=True)  # also on a full disk, which it keeps full


@contextmanager
def _held(path: str, beside: str) -> Generator[None, None, None]:
    """Hold the lock of the directory beside an export while the block runs."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(beside))
        except OutputBusyError as error:
            raise OutputBusyError(
                f"another export writes to {path}. Wait for it, or name another --output."
            ) from error
        yield


def check(path: str) -> None:
    """Check that nothing is at a path, or an export, or an empty directory.

    Raises:
        OptionError: something else is there.
        OutputError: the directory cannot be read.
    """
    with output_errors(path):
        try:
            names = os.listdir(path)
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise OptionError(["output"], f"{path} is a file. Name a directory.") from None
    if foreign := sorted(name for name in names if not _SHARD.fullmatch(name)):
        raise OptionError(
            ["output"],
            f"{path} holds {foreign[0]}, which no export wrote. Move it away, or name another.",
        )
    if os.path.ismount(path):
        raise OptionError(["output"], f"{path} is a mount point. Name a directory below it.")


def _clear(path: str, fresh: str, old: str) -> None:
    """Remove what a killed export left, but for an old export that it had moved away."""
    if os.path.exists(old) and not os.path.exists(path):
        os.rename(old, path)
    for folder in (fresh, old):
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
