"""Functions of PDFium (fpdf_text.h, fpdf_edit.h) that are called hundreds of times a page."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from typing import Any

import pypdfium2_raw as pdfium


def _bare(name: str, result: Any, *arguments: Any) -> Any:
    """Return a function of PDFium whose arguments ctypes passes as they are, if it is told no types.

    Then they must be handles, numbers of 32 bits, or made by `ctypes.byref` once and for all. This
    takes a third of the time of a call that converts them, of which a page takes hundreds. None of
    them is long enough to let other threads run meanwhile, which takes a sixth of the time.
    """
    address = ctypes.cast(getattr(pdfium, name), ctypes.c_void_p).value or 0
    return ctypes.PYFUNCTYPE(result, *arguments)(address)


loose_box = _bare("FPDFText_GetLooseCharBox", ctypes.c_int)
matrix_of = _bare("FPDFText_GetMatrix", ctypes.c_int)
char_origin = _bare("FPDFText_GetCharOrigin", ctypes.c_int)
font_size = _bare("FPDFText_GetFontSize", ctypes.c_double)
text_object = _bare("FPDFText_GetTextObject", ctypes.c_void_p)
font_of = _bare("FPDFTextObj_GetFont", ctypes.c_void_p, ctypes.c_void_p)
count_rects = _bare("FPDFText_CountRects", ctypes.c_int)
rect = _bare("FPDFText_GetRect", ctypes.c_int)
page_object = _bare("FPDFPage_GetObject", ctypes.c_void_p)
object_type = _bare("FPDFPageObj_GetType", ctypes.c_int, ctypes.c_void_p)
object_bounds = _bare(
    "FPDFPageObj_GetBounds", ctypes.c_int, ctypes.c_void_p, *(ctypes.c_void_p,) * 4
)
form_object = _bare("FPDFFormObj_GetObject", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong)
count_segments = _bare("FPDFPath_CountSegments", ctypes.c_int, ctypes.c_void_p)
