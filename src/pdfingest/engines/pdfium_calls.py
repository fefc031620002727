"""Functions of PDFium (fpdf_text.h, fpdf_edit.h) that are called hundreds of times a page."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from typing import Any

import pypdfium2_raw as pdfium


def _bare(name: str, result: Any, *arguments: Any) -> Any:
    """Return a function of PDFium of whose arguments ctypes converts the first few alone.

    The others it passes as they are: handles, numbers of 32 bits, and what `ctypes.byref` returns.
    That halves the time of a call, of which a page takes hundreds. None of them is long enough to
    let other threads run meanwhile, which takes a sixth of the time.

    Args:
        name: of the function.
        result: type of what it returns.
        arguments: types of the arguments that are converted, such as an address of 64 bits.
    """
    address = ctypes.cast(getattr(pdfium, name), ctypes.c_void_p).value or 0
    return ctypes.PYFUNCTYPE(result, *arguments)(address)


loose_box = _bare("FPDFText_GetLooseCharBox", ctypes.c_int)
matrix_of = _bare("FPDFText_GetMatrix", ctypes.c_int)
char_origin = _bare("FPDFText_GetCharOrigin", ctypes.c_int)
is_generated = _bare("FPDFText_IsGenerated", ctypes.c_int)
is_unmapped = _bare("FPDFText_HasUnicodeMapError", ctypes.c_int)
font_size = _bare("FPDFText_GetFontSize", ctypes.c_double)
text_object = _bare("FPDFText_GetTextObject", ctypes.c_void_p)
font_of = _bare("FPDFTextObj_GetFont", ctypes.c_void_p, ctypes.c_void_p)
count_rects = _bare("FPDFText_CountRects", ctypes.c_int)
rect = _bare("FPDFText_GetRect", ctypes.c_int)
page_object = _bare("FPDFPage_GetObject", ctypes.c_void_p)
object_type = _bare("FPDFPageObj_GetType", ctypes.c_int, ctypes.c_void_p)
object_bounds = _bare("FPDFPageObj_GetBounds", ctypes.c_int, ctypes.c_void_p)
object_matrix = _bare("FPDFPageObj_GetMatrix", ctypes.c_int, ctypes.c_void_p)
text_size = _bare("FPDFTextObj_GetFontSize", ctypes.c_int, ctypes.c_void_p)
form_object = _bare("FPDFFormObj_GetObject", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong)
count_segments = _bare("FPDFPath_CountSegments", ctypes.c_int, ctypes.c_void_p)
path_segment = _bare("FPDFPath_GetPathSegment", ctypes.c_void_p, ctypes.c_void_p)
segment_point = _bare("FPDFPathSegment_GetPoint", ctypes.c_int, ctypes.c_void_p)
segment_type = _bare("FPDFPathSegment_GetType", ctypes.c_int, ctypes.c_void_p)
segment_closes = _bare("FPDFPathSegment_GetClose", ctypes.c_int, ctypes.c_void_p)
