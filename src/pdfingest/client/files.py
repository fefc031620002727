"""Files that the client writes: whole, or not there."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Generator[BinaryIO, None, None]:
    """Open a file that gets its name when the block has ended well, and is deleted otherwise.

    A file that had the name is replaced then, and not before.
    """
    target = os.fspath(path)
    part = f"{target}.{secrets.token_hex(4)}.part"  # beside it, as a rename stays on a file system
    try:
        with open(part, "xb") as file:
            yield file
        os.replace(part, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise
