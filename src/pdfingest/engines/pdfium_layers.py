"""What belongs to layers that are off, taken from a page before PDFium reads its text.

PDFium draws by layers, but gives the text of all of them. It tells the layer of an object by name.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from collections.abc import Collection
from typing import Any

import pypdfium2_raw as pdfium

_TAG, _KEY = "OC\0".encode("utf-16-le"), b"Name"
"""Tag of what belongs to a layer (ISO 32000-2, 8.11.3.2), and the entry with the layer's name."""
_NAME_BYTES = 512


def take_hidden(page: Any, names: Collection[bytes]) -> None:
    """Take from a page, given its handle, what belongs to layers of these names."""
    for index in reversed(range(pdfium.FPDFPage_CountObjects(page))):
        each = pdfium.FPDFPage_GetObject(page, index)
        marks = range(pdfium.FPDFPageObj_CountMarks(each))
        if any(_layer(pdfium.FPDFPageObj_GetMark(each, mark)) in names for mark in marks):
            pdfium.FPDFPage_RemoveObject(page, each)
            pdfium.FPDFPageObj_Destroy(each)


def _layer(mark: Any) -> bytes:
    """Return the name of the layer that a mark says something belongs to; empty if it says none."""
    size = ctypes.c_ulong()
    tag = (ctypes.c_ushort * (_NAME_BYTES // 2))()
    pdfium.FPDFPageObjMark_GetName(mark, tag, _NAME_BYTES, size)
    if bytes(tag)[: size.value] != _TAG:
        return b""
    name = (ctypes.c_ubyte * _NAME_BYTES)()
    if not pdfium.FPDFPageObjMark_GetParamBlobValue(mark, _KEY, name, _NAME_BYTES, size):
        return b""
    return bytes(name)[: size.value]
