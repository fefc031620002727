"""What a font looks like, as PDFium has it: bold, italic, of one width."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
import re

import pypdfium2_raw as pdfium

from pdfingest.pages import Font

_BOLD_WEIGHT = 600
_FIXED_PITCH, _ITALIC, _FORCE_BOLD = 1, 1 << 6, 1 << 18
"""Flags of a font (ISO 32000-2, table 121)."""
_BOLD_NAME = re.compile("bold|black|heavy|demi|[-,]bd", re.IGNORECASE)
_ITALIC_NAME = re.compile("italic|oblique|[-,]it", re.IGNORECASE)
_FIXED_NAME = re.compile("mono|courier|consol|typewriter|cmtt|menlo", re.IGNORECASE)


def described(font: int) -> Font:
    """Describe a font, given the address of its handle; 0 stands for none."""
    if not font:
        return Font()
    handle = ctypes.cast(font, pdfium.FPDF_FONT)
    size = pdfium.FPDFFont_GetBaseFontName(handle, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 1))
    pdfium.FPDFFont_GetBaseFontName(handle, buffer, size)
    name = buffer.value.decode("utf-8", "replace")
    flags = pdfium.FPDFFont_GetFlags(handle)
    weight = pdfium.FPDFFont_GetWeight(handle)
    return Font(
        name=name,
        is_bold=bool(flags & _FORCE_BOLD or weight >= _BOLD_WEIGHT or _BOLD_NAME.search(name)),
        is_italic=bool(flags & _ITALIC or _ITALIC_NAME.search(name)),
        is_fixed=bool(flags & _FIXED_PITCH or _FIXED_NAME.search(name)),
    )
