"""Files as PDFium is given them: small ones in memory, and with an end if theirs is missing."""

import os
import re

from pdfingest.engines.raw_objects import find_catalog

_PUBLIC_KEY = re.compile(rb"/Filter\s*/(?:Adobe\.PubSec|Adobe\.PPKLite|Entrust\.PPKEF)\b")
"""Security handlers of certificates (ISO 32000-2, 7.6.5)."""
_IN_MEMORY_BYTES = 8 << 20
"""Largest file that is read into memory at once; more is not worth the memory."""
_MOST_REBUILT_BYTES = 256 << 20
"""Largest file that is read whole because its end is missing."""


def rebuilt(path: str) -> bytes | None:
    """Return a file that was cut off with an end that names its catalog; None if that is not seen.

    Then PDFium looks for the objects itself, and reads the pages that are there. An object that is
    not whole is left out, so that its page is lost and not half of it.
    """
    with open(path, "rb", buffering=0) as file:
        content = file.read(_MOST_REBUILT_BYTES + 1)
    if len(content) > _MOST_REBUILT_BYTES or not (catalog := find_catalog(content)):
        return None
    whole = content[: content.rfind(b"endobj")]
    return b"%sendobj\ntrailer<</Root %d 0 R>>\n%%%%EOF\n" % (whole, catalog)


def scheme_of(path: str) -> str:
    """Say how a file is encrypted whose scheme PDFium does not know."""
    with open(path, "rb") as file:
        # The encryption dictionary is neither encrypted nor in an object stream (7.6.1).
        before = b""
        while piece := file.read(1 << 20):
            if _PUBLIC_KEY.search(before + piece):
                return "it is encrypted for the owner of a certificate; no password opens it"
            before = piece[-100:]
    return "it is encrypted by a scheme that PDFium does not know; no password opens it"


def content_of(path: str) -> bytes | None:
    """Return the content of a file, or None if it is large.

    From a file PDFium reads 512 bytes at a time, with three system calls. Why not map it: a file
    that is truncated meanwhile would kill the process (SIGBUS).
    """
    with open(path, "rb", buffering=0) as file:
        return file.read() if os.fstat(file.fileno()).st_size <= _IN_MEMORY_BYTES else None
