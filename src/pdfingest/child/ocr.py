"""Reads the pages of a document that show text which is not there.

Runs in the child. Owns which pages are read as pictures, in which languages, and what of it becomes
the page. Does not own how a picture is read: an OCR engine does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from pdfingest.child.opening import Opening
from pdfingest.engines.engine import tolerate
from pdfingest.exchange.record import ocr_reason
from pdfingest.job import OcrSpec
from pdfingest.model import Aside, OcrReason, TextSource
from pdfingest.ocr.engine import Reader
from pdfingest.ocr.languages import USUAL, code_of
from pdfingest.ocr.registry import load_ocr
from pdfingest.ocr.transcript import transcribe
from pdfingest.page.ocr import read_page, with_ocr
from pdfingest.pages import Page
from pdfingest.text import clean, is_garbled, is_unread, is_usable


@dataclass
class Ocr:
    """Reads pages of a document that is open as pictures."""

    opening: Opening
    language: str = ""
    """What the document says of its language (BCP 47)."""

    def read(self, page: Page, number: int) -> Page:
        """Return a page with what its pictures say, if it needs that and it can be read.

        Args:
            page: as an engine reads it.
            number: of the page, 1-based.
        """
        reason = ocr_reason(page, clean(page.text))
        if not reason:
            return page
        return tolerate(Aside.OCR, lambda: self._read(page, number, reason), page)

    def _read(self, page: Page, number: int, reason: OcrReason) -> Page:
        read = transcribe(partial(self.opening.picture, number), self._reader)
        if not read.lines:
            return page
        text = clean(page.text)
        if reason is OcrReason.INVISIBLE or is_garbled(text, page.lost) or is_unread(text):
            seen, source, ocr_chars = read_page(page, read), TextSource.OCR, 0
        else:
            seen = with_ocr(page, read)
            source = TextSource.MIXED if is_usable(text) else TextSource.OCR
            ocr_chars = len(page.text)
        ocr_chars = len(seen.text) - ocr_chars
        if not ocr_chars:  # the page says all that it shows
            return page._replace(unsaid=OcrReason.NONE, lacks_text=False)
        return seen._replace(
            text_source=source, ocr_chars=ocr_chars, ocr_confidence=read.confidence
        )

    @cached_property
    def _reader(self) -> Reader:
        """What reads, which takes a while to be made."""
        spec = self.opening.job.ocr
        assert spec is not None, "the job says so"
        return load_ocr(spec.engine).open_reader(_languages(spec, self.language))


def _languages(spec: OcrSpec, language: str) -> Sequence[str]:
    """Return the languages to read: those that were chosen, or else what the document says."""
    if spec.chosen:
        return spec.chosen
    for code in (code_of(language), USUAL):
        if code in spec.languages:
            return [code]
    return spec.languages[:1]
