"""What commands write beside the outputs of a run: text to a file, whole or not at all, or stdout.

Four commands share it, so that `-` and a failed write mean the same to all of them.
"""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TextIO

from pdfingest import streams
from pdfingest.output.layout import output_errors

STDOUT = "-"
"""The path that stands for stdout."""


def write_text(path: str, pieces: Iterable[str]) -> None:
    """Write a text in UTF-8 to a file, replacing it in one step, or to stdout for `-`.

    Raises:
        OutputError: it cannot be written.
    """
    with opened(path) as file:
        file.writelines(pieces)


@contextmanager
def opened(path: str) -> Generator[TextIO, None, None]:
    """Open a file for text in UTF-8, or stdout for `-`.

    The text replaces the file in one step when the block ends, and not at all when it fails.

    Raises:
        OutputError: it cannot be written.
    """
    if path == STDOUT:
        # UTF-8 whatever the locale is; with newline="" CSV keeps its own line ends.
        stdout = TextIOWrapper(streams.stdout(), "utf-8", newline="", write_through=True)
        try:
            yield stdout
        finally:
            stdout.detach()  # else its end would close stdout
        return
    with output_errors(path):
        if os.path.exists(path) and not os.path.isfile(path):  # a device such as /dev/null stays
            with open(path, "w", encoding="utf-8", newline="") as file:
                yield file
            return
        path = os.path.realpath(path)  # a symbolic link stays, too: what it leads to is replaced
        with open(f"{path}.new", "w", encoding="utf-8", newline="") as file:
            try:
                yield file
                file.close()  # so that a full disk fails here, before the old file is replaced
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
