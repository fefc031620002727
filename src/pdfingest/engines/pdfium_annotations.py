"""Annotations and form fields of a page, as PDFium has them (fpdf_annot.h, fpdf_formfill.h)."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.engines.pdfium_strings import utf16
from pdfingest.pages import Annotation, FormField

_MOST = 10_000
"""Annotations of a page that are read; a page that has more is an attack. To draw them takes the
square of their number."""
_MOST_OPTIONS = 1000
_NAMES = {
    getattr(pdfium, f"FPDF_ANNOT_{name.upper()}"): name
    for name in (
        *("Text", "FreeText", "Line", "Square", "Circle", "Polygon", "PolyLine", "Highlight"),
        *("Underline", "Squiggly", "StrikeOut", "Stamp", "Caret", "Ink", "FileAttachment", "Sound"),
        *("Movie", "Screen", "Watermark", "Redact", "RichMedia", "ThreeD"),
    )
} | {pdfium.FPDF_ANNOT_THREED: "3D"}
"""Subtypes by their number, but for links, fields and what only serves others, such as pop-ups."""
_FIELDS = {
    pdfium.FPDF_FORMFIELD_PUSHBUTTON: "button",
    pdfium.FPDF_FORMFIELD_CHECKBOX: "checkbox",
    pdfium.FPDF_FORMFIELD_RADIOBUTTON: "radio",
    pdfium.FPDF_FORMFIELD_COMBOBOX: "choice",
    pdfium.FPDF_FORMFIELD_LISTBOX: "choice",
    pdfium.FPDF_FORMFIELD_TEXTFIELD: "text",
    pdfium.FPDF_FORMFIELD_SIGNATURE: "signature",
}


def kinds_of(page: Any) -> set[int]:
    """Return the numbers of the subtypes that a page has annotations of."""
    kinds: set[int] = set()
    for index in _indices(page):  # without a context manager, as most pages have links alone
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        kinds.add(pdfium.FPDFAnnot_GetSubtype(annotation))
        pdfium.FPDFPage_CloseAnnot(annotation)
    return kinds


def can_be_drawn(page: Any) -> bool:
    """Return whether a page has so few annotations that they can be drawn into it."""
    return bool(pdfium.FPDFPage_GetAnnotCount(page) <= _MOST)


def annotations_of(page: Any) -> Iterator[Annotation]:
    """Yield the annotations that somebody may have made, in the order of the file."""
    for index in _indices(page):
        with _annotation(page, index) as annotation:
            kind = _NAMES.get(pdfium.FPDFAnnot_GetSubtype(annotation))
            if kind is not None:
                yield Annotation(kind, _text(annotation, b"T"), _text(annotation, b"Contents"))


def form_fields_of(page: Any, form: Any) -> Iterator[FormField]:
    """Yield the fields that a page shows, each once, given the handles of page and form."""
    seen: set[str] = set()
    for index in _indices(page):
        with _annotation(page, index) as annotation:
            if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_WIDGET:
                continue
            kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
            name = utf16(partial(pdfium.FPDFAnnot_GetFormFieldName, form, annotation))
            if kind not in _FIELDS or name in seen:
                continue
            seen.update(filter(None, [name]))
            value = utf16(partial(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation))
            if kind == pdfium.FPDF_FORMFIELD_CHECKBOX:
                value = value if pdfium.FPDFAnnot_IsChecked(form, annotation) else "Off"
            if kind == pdfium.FPDF_FORMFIELD_LISTBOX:
                value = ", ".join(_chosen(form, annotation)) or value
            yield FormField(name, _FIELDS[kind], value)


def _indices(page: Any) -> range:
    return range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST))


@contextmanager
def _annotation(page: Any, index: int) -> Generator[Any]:
    annotation = pdfium.FPDFPage_GetAnnot(page, index)
    try:
        yield annotation
    finally:
        pdfium.FPDFPage_CloseAnnot(annotation)


def _text(annotation: Any, key: bytes) -> str:
    return utf16(partial(pdfium.FPDFAnnot_GetStringValue, annotation, key))


def _chosen(form: Any, annotation: Any) -> Iterator[str]:
    """Yield the labels of the options that are chosen in a list."""
    for index in range(min(pdfium.FPDFAnnot_GetOptionCount(form, annotation), _MOST_OPTIONS)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, index):
            yield utf16(partial(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, index))
