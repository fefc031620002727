"""What a document is, beside its pages, as PDFium has it: version, marks, form, attachments."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from collections.abc import Iterator
from functools import partial
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.engines.engine import MalformedError
from pdfingest.engines.pdfium_strings import content, utf16
from pdfingest.engines.xfa import values_of
from pdfingest.outcome import Attachment, Traits
from pdfingest.pages import FormField

_MOST_ATTACHMENTS = 1000
"""Attachments that are named; a file that has more is an attack."""
_MOST_NAME_CHARS = 255
_MOST_PACKET_BYTES = 16 << 20
_PDF_NAME, _PDF_TYPE = ".pdf", "application/pdf"


def traits_of(document: Any) -> Traits:
    """Return what a document is, given its handle."""
    version = ctypes.c_int()
    pdfium.FPDF_GetFileVersion(document, version)
    return Traits(
        pdf_version=f"{version.value // 10}.{version.value % 10}" if version.value else "",
        is_tagged=bool(pdfium.FPDFCatalog_IsTagged(document)),
        is_signed=pdfium.FPDF_GetSignatureCount(document) > 0,
        has_xfa=pdfium.FPDF_GetXFAPacketCount(document) > 0,
        attachments=tuple(_attachments(document)),
    )


def _attachments(document: Any) -> Iterator[Attachment]:
    for index in range(min(pdfium.FPDFDoc_GetAttachmentCount(document), _MOST_ATTACHMENTS)):
        attachment = pdfium.FPDFDoc_GetAttachment(document, index)
        name = utf16(partial(pdfium.FPDFAttachment_GetName, attachment))
        kind = utf16(partial(pdfium.FPDFAttachment_GetSubtype, attachment))
        is_pdf = kind == _PDF_TYPE or name.lower().endswith(_PDF_NAME)
        yield Attachment(name[:_MOST_NAME_CHARS], is_pdf=is_pdf)


def attachment_of(document: Any, index: int) -> bytes:
    """Return the content of an attachment by its 0-based index.

    Raises:
        MalformedError: it is not there, or cannot be decoded.
    """
    attachment = pdfium.FPDFDoc_GetAttachment(document, index)
    length = ctypes.c_ulong()
    if not attachment or not pdfium.FPDFAttachment_GetFile(attachment, None, 0, length):
        raise MalformedError("the attachment cannot be decoded")
    buffer = ctypes.create_string_buffer(length.value)
    pdfium.FPDFAttachment_GetFile(attachment, buffer, length.value, length)
    return buffer.raw


def xfa_fields_of(document: Any) -> Iterator[FormField]:
    """Yield the fields of a form that is in XFA alone, by its data.

    In other forms the fields of the pages have these values as well.
    """
    if pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_XFA_FULL:
        return
    for index in range(pdfium.FPDF_GetXFAPacketCount(document)):
        name = content(partial(pdfium.FPDF_GetXFAPacketName, document, index))
        if name not in {b"", b"datasets"}:  # a form that is not in packets has no names
            continue
        length = ctypes.c_ulong()
        pdfium.FPDF_GetXFAPacketContent(document, index, None, 0, length)
        if 0 < length.value <= _MOST_PACKET_BYTES:
            buffer = ctypes.create_string_buffer(length.value)
            pdfium.FPDF_GetXFAPacketContent(document, index, buffer, length.value, length)
            yield from values_of(buffer.raw)
