"""The engine `pdfium`: PDFium through pypdfium2, the fastest, and the best text of the three.

It uses the bindings alone. What the classes of pypdfium2 add to them (finalizers, weak references,
paths) touches hundreds of Python objects, each in memory that a fresh process must copy first.
Without them a page costs a third less, and the image of the children is 1 MiB smaller.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import codecs
import ctypes
import os
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.engines.engine import EncryptedError, MalformedError, tolerate
from pdfingest.engines.pdfium_annotations import (
    annotations_of,
    can_be_drawn,
    form_fields_of,
    kinds_of,
)
from pdfingest.engines.pdfium_bullets import with_bullets
from pdfingest.engines.pdfium_evidence import unsaid
from pdfingest.engines.pdfium_files import content_of, rebuilt, scheme_of
from pdfingest.engines.pdfium_fonts import NO_FONTS, lacks_text, shows_image, shows_text
from pdfingest.engines.pdfium_layers import take_hidden
from pdfingest.engines.pdfium_links import Link, links_of, outline_of
from pdfingest.engines.pdfium_objects import objects_of
from pdfingest.engines.pdfium_picture import drawn
from pdfingest.engines.pdfium_shapes import Shape, rules_of, shapes_of, shown_box
from pdfingest.engines.pdfium_spans import Spans
from pdfingest.engines.pdfium_strings import utf16
from pdfingest.engines.pdfium_text import text_of
from pdfingest.engines.pdfium_traits import attachment_of, traits_of, xfa_fields_of
from pdfingest.model import Aside
from pdfingest.ocr.engine import Picture
from pdfingest.outcome import Traits
from pdfingest.pages import Box, DocumentInfo, FormField, InternalLink, Page, Title

_ERRORS = {
    1: "unknown error",
    2: "file access error",
    3: "data format error",
    6: "page not found or content error",
}
_FORMAT, _PASSWORD, _SECURITY = 3, 4, 5
"""Error codes of FPDF_GetLastError (fpdfview.h)."""
_CUT_OFF = "the file is cut off, and nothing of this page is in it"
_UNDRAWN = frozenset({pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP})
"""Annotations that draw nothing that has text (ISO 32000-2, 12.5.6.5 and 12.5.6.14)."""


def _start() -> None:
    """Start PDFium with no font folders (fpdfview.h, FPDF_LIBRARY_CONFIG).

    Otherwise a process that meets a font that is not embedded reads every font file of the machine,
    which takes up to tens of milliseconds in each child, and the text could depend on what is
    installed. PDFium's own substitutes remain; on 234 real files the text is the same either way.
    """
    no_folders = (ctypes.POINTER(ctypes.c_char) * 1)()
    config = pdfium.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=no_folders)
    pdfium.FPDF_InitLibraryWithConfig(config)
    pdfium.FPDF_SetSystemFontInfo(NO_FONTS)


_start()
codecs.lookup("utf-16-le")  # of PDFium's texts; its first use in a process is an import


def open_document(path: str, passwords: Sequence[str]) -> "PdfiumDocument":
    """Open a file with PDFium; see `engine.Engine`."""
    content = content_of(path)
    for password in (None, *passwords):
        key = None if password is None else password.encode()
        if content is None:
            document = pdfium.FPDF_LoadDocument(os.fsencode(path), key)
        else:
            document = pdfium.FPDF_LoadMemDocument64(content, len(content), key)
        if document and pdfium.FPDF_GetPageCount(document) > 0:
            return PdfiumDocument(document, content)
        code = pdfium.FPDF_GetLastError()
        if document:
            pdfium.FPDF_CloseDocument(document)
            raise MalformedError("it has no pages")
        if code == _FORMAT and (whole := rebuilt(path)):
            document = pdfium.FPDF_LoadMemDocument64(whole, len(whole), key)
            if document and pdfium.FPDF_GetPageCount(document) > 0:
                return PdfiumDocument(document, whole, is_cut_off=True)
        if code == _SECURITY:
            raise EncryptedError(scheme_of(path), by_password=False)
        if code != _PASSWORD:
            raise MalformedError(f"PDFium cannot open it: {_ERRORS.get(code, 'unknown error')}")
    raise EncryptedError


class PdfiumDocument:
    """A document that PDFium holds open: its handle, and its content if that is in memory."""

    goes_by_count = True

    def __init__(self, document: Any, content: bytes | None, *, is_cut_off: bool = False) -> None:
        self._document = document
        self._is_cut_off = is_cut_off
        self._content = content  # PDFium does not copy it
        self.page_count: int = pdfium.FPDF_GetPageCount(document)
        self._spans = Spans()
        self._hidden: Collection[bytes] = ()
        self._form: Any = None
        if pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_NONE:
            # It is what draws values for which the file has no drawing, or an old one.
            self._callbacks = pdfium.FPDF_FORMFILLINFO(version=2)
            self._form = pdfium.FPDFDOC_InitFormFillEnvironment(document, self._callbacks)

    def info(self) -> DocumentInfo:
        """Return the metadata of the document; see `engine.Document`."""
        return DocumentInfo(
            title=self._meta(b"Title"),
            author=self._meta(b"Author"),
            subject=self._meta(b"Subject"),
            keywords=self._meta(b"Keywords"),
            created=self._meta(b"CreationDate"),
            modified=self._meta(b"ModDate"),
            producer=self._meta(b"Producer"),
            language=self._language(),
        )

    def page(self, number: int) -> Page:
        """Read one page; see `engine.Document`."""
        return self._read(number, None)

    def layout(self, number: int, *, marked: bool, ruled: bool) -> Page:
        """Read one page with where its text stands; see `abilities.LayoutDocument`."""
        return self._read(number, self._spans, marked=marked, ruled=ruled)

    def outline(self) -> Sequence[Title]:
        """Return the titles of the outline; see `abilities.OutlinedDocument`."""
        return list(outline_of(self._document))

    def traits(self) -> Traits:
        """Return what the document is; see `abilities.TraitsDocument`."""
        return traits_of(self._document)

    def picture(self, number: int, dpi: float, angle: float) -> Picture:
        """Draw one page; see `abilities.PicturedDocument`."""
        page = self._load(number)
        try:
            return drawn(page, dpi, angle)
        finally:
            pdfium.FPDF_ClosePage(page)

    def attachment(self, index: int) -> bytes:
        """Return the content of an attachment; see `abilities.AttachedDocument`."""
        return attachment_of(self._document, index)

    def hide_layers(self, names: Collection[bytes]) -> None:
        """Read no text of some layers; see `abilities.LayeredDocument`."""
        self._hidden = names

    def _read(
        self, number: int, spans: Spans | None, *, marked: bool = False, ruled: bool = False
    ) -> Page:
        """Read one page and close it, because PDFium keeps every page that is left open."""
        page = self._load(number)
        try:
            links: list[Link] = tolerate(
                Aside.LINKS, lambda: list(links_of(self._document, page)), []
            )
            outside = [link for link in links if link.target]
            kinds = kinds_of(page)
            added = self._added(page, number, kinds)
            drawn = kinds - _UNDRAWN
            ink = pdfium.FPDFPage_CountObjects(page) > 0 or pdfium.FPDF_ANNOT_STAMP in drawn
            is_flattened = (
                bool(drawn)
                and can_be_drawn(page)
                and tolerate(Aside.FIELDS, lambda: self._flatten(page), default=False)
            )
            said = None if is_flattened else _said(page, spans, outside, marked=marked, ruled=ruled)
        finally:
            pdfium.FPDF_ClosePage(page)
        if said is None:  # what is flattened shows once the page is loaded again
            page = self._load(number)
            try:
                said = _said(page, spans, outside, marked=marked, ruled=ruled)
                ink = ink or shows_text(page)  # empty fields and the icons of notes are no ink
            finally:
                pdfium.FPDF_ClosePage(page)
        if self._is_cut_off and not ink:
            raise MalformedError(_CUT_OFF)
        return said._replace(
            ink=ink,
            label=tolerate(Aside.LABEL, lambda: self._label(number), ""),
            internal_links=self._internal([link.number for link in links if link.number]),
            **added,
        )

    def _added(self, page: Any, number: int, kinds: set[int]) -> dict[str, Any]:
        """Return what a page shows beside its content, and its shape, as keywords of a `Page`."""
        none: tuple[Any, ...] = ()
        turn = 90 * pdfium.FPDFPage_GetRotation(page)
        added: dict[str, Any] = {"box": shown_box(page), "turn": turn}
        if not kinds <= {*_UNDRAWN, pdfium.FPDF_ANNOT_WIDGET}:
            added["annotations"] = tolerate(
                Aside.ANNOTATIONS, lambda: (*annotations_of(page),), none
            )
        if self._form and (number == 1 or pdfium.FPDF_ANNOT_WIDGET in kinds):
            added["form_fields"] = tolerate(
                Aside.FIELDS, lambda: (*self._fields(page, number),), none
            )
        return added

    def _fields(self, page: Any, number: int) -> Iterator[FormField]:
        """Yield the fields that a page shows; the first page stands for all of a form in XFA."""
        yield from form_fields_of(page, self._form)
        if number == 1:
            yield from xfa_fields_of(self._document)

    def _internal(self, numbers: Sequence[int]) -> tuple[InternalLink, ...]:
        """Return links to pages of the document, with the labels of these pages."""
        if not numbers:
            return ()
        return tolerate(
            Aside.LABEL,
            lambda: tuple(InternalLink(number, self._label(number)) for number in numbers),
            tuple(InternalLink(number, "") for number in numbers),
        )

    def close(self) -> None:
        """Release the document."""
        if self._form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(self._form)
        pdfium.FPDF_CloseDocument(self._document)

    def _flatten(self, page: Any) -> bool:
        """Draw fields and annotations into the page, so that what they say is text of the page.

        Returns:
            Whether anything was drawn.
        """
        if self._form:
            pdfium.FORM_OnAfterLoadPage(page, self._form)
        try:
            done = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
        finally:
            if self._form:
                pdfium.FORM_OnBeforeClosePage(page, self._form)
        return bool(done == pdfium.FLATTEN_SUCCESS)

    def _load(self, number: int) -> Any:
        if page := pdfium.FPDF_LoadPage(self._document, number - 1):
            if self._hidden:
                tolerate(Aside.LAYERS, lambda: take_hidden(page, self._hidden), None)
            return page
        raise MalformedError(_CUT_OFF if self._is_cut_off else "PDFium cannot load the page.")

    def _meta(self, key: bytes) -> str:
        return utf16(partial(pdfium.FPDF_GetMetaText, self._document, key))

    def _label(self, number: int) -> str:
        """Return the label of a page by its 1-based number."""
        return utf16(partial(pdfium.FPDF_GetPageLabel, self._document, number - 1))

    def _language(self) -> str:
        """Return the catalog's /Lang, where this build of PDFium can tell it."""
        read = getattr(pdfium, "FPDFCatalog_GetLanguage", None)
        return utf16(partial(read, self._document)) if read else ""


def _said(
    page: Any, spans: Spans | None, links: Sequence[Link], *, marked: bool, ruled: bool
) -> Page:
    """Return what a page says, and where, if its spans are wanted."""
    objects = objects_of(page)
    shapes: list[Shape] = []
    rules: tuple[Box, ...] = ()
    if marked or ruled:
        shapes = tolerate(Aside.SHAPES, lambda: shapes_of(objects), shapes)
        rules = tolerate(Aside.SHAPES, lambda: rules_of(shapes), rules) if ruled else rules
    found = text_of(page, spans, [link.area for link in links] if marked else (), rules)
    return Page(
        found.text,
        lacks_text=tolerate(Aside.INK, lambda: lacks_text(page), default=False),
        lost=found.lost,
        is_doubtful=found.is_doubtful,
        links=tuple(link.target for link in links),
        link_texts=found.inside,
        rules=rules,
        spans=tuple(with_bullets(found.spans, shapes) if marked else found.spans),
        draws_image=bool(found.text)
        or tolerate(Aside.INK, lambda: shows_image(page), default=True),
        unsaid=tolerate(Aside.INK, lambda: unsaid(page, objects, found.text), None),
    )
