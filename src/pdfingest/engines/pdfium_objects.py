"""The objects of a page or of a form: texts, paths, images, shadings and other forms."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from itertools import compress, repeat
from typing import Any, NamedTuple

import pypdfium2_raw as pdfium

from pdfingest.engines import pdfium_calls as calls

_MOST_OBJECTS = 20_000
"""Objects that are looked at; a drawing may have millions."""
_KINDS = 6


class Objects(NamedTuple):
    """Handles of objects as addresses, in the order in which they are drawn, and their kinds."""

    handles: list[int]
    kinds: bytes

    def of(self, kind: int) -> list[int]:
        """Return the handles of one kind (`FPDF_PAGEOBJ_TEXT` and so on)."""
        return list(compress(self.handles, self.kinds.translate(_ONLY[kind])))


_ONLY = [bytes(kind == each for each in range(256)) for kind in range(_KINDS)]
"""For each kind, a table that gives 1 for it and 0 for the others."""


def objects_of(page: Any) -> Objects:
    """Return the objects of a page, given its handle; what is in forms is not among them."""
    count = min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)
    return _with_kinds(list(map(calls.page_object, repeat(page), range(count))))


def objects_in(form: int) -> Objects:
    """Return the objects of a form, given its handle as an address."""
    handle = ctypes.cast(form, pdfium.FPDF_PAGEOBJECT)
    count = min(pdfium.FPDFFormObj_CountObjects(handle), _MOST_OBJECTS)
    return _with_kinds(list(map(calls.form_object, repeat(form), range(count))))


def _with_kinds(handles: list[int]) -> Objects:
    return Objects(handles, bytes(map(calls.object_type, handles)))
