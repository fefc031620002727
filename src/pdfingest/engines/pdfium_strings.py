"""Strings that PDFium writes into a buffer of the caller."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from collections.abc import Callable
from typing import Any, TypeAlias

_TERMINATOR_BYTES = 2

Read: TypeAlias = Callable[[Any, int], int]
"""Takes a buffer and its size in bytes, and returns the size that it needs, terminator included.

It writes nothing into a buffer that is smaller.
"""


def content(read: Read) -> bytes:
    """Return the bytes that a function writes, as they are, without the NUL that ends them."""
    size = read(None, 0)
    if size <= 1:
        return b""
    buffer = ctypes.create_string_buffer(size)
    read(buffer, size)
    return buffer.raw[: size - 1]


def utf16(read: Read) -> str:
    """Return the text that a function writes as UTF-16."""
    size = read(None, 0)
    if size <= _TERMINATOR_BYTES:
        return ""
    kind = ctypes.c_ushort * (size // 2)
    buffer = kind()
    read(buffer, size)
    return bytes(buffer)[: size - _TERMINATOR_BYTES].decode("utf-16-le", "replace")
