"""docling-parse as an engine of pdfingest, with a layout: run pdfs/ --engine docling_parse."""

from collections.abc import Sequence
from math import atan2, cos, degrees, sin
from pathlib import Path
from typing import Any

from pdfingest import Box, DocumentInfo, EncryptedError, Font, MalformedError, Needs, Page, Span

NEEDS = Needs(warm="pdfingest_docling_parse:load", fork_safe=True)
_DESCENT = 0.2  # part of a line's height that is below its baseline
_WANTED = {"char_cells_content_level": 0, "word_cells_content_level": 0}  # lines, and what is drawn


class DoclingParseDocument:
    """An open document, by the protocol `pdfingest.LayoutDocument`."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self.page_count: int = document.number_of_pages()

    def info(self) -> DocumentInfo:
        """Nothing beyond the text."""
        return DocumentInfo()

    def page(self, number: int) -> Page:
        """Read one page (1-based), its lines in the order of the file."""
        return self.layout(number, marked=False, ruled=False)

    def layout(self, number: int, *, marked: bool, ruled: bool) -> Page:
        """Read one page with the places of its lines."""
        try:
            page = self._document.get_page(number)
        except RuntimeError as error:
            raise MalformedError(str(error)) from error
        finally:
            self._document.unload_pages((number, number + 1))
        lines = [line for line in page.textline_cells if line.text.strip()]
        text = "\n".join(line.text for line in lines)
        ink = bool(lines or page.bitmap_resources or page.shapes)
        edges, turn = page.dimension.crop_bbox, round(page.dimension.angle) % 360
        box = Box(edges.l, -edges.t, edges.r, -edges.b)
        return Page(text, ink=ink, spans=tuple(map(_span, lines)), box=box, turn=turn)

    def close(self) -> None:
        """Nothing: the process ends."""


def _span(line: Any) -> Span:
    """Make a span of a line, turned by its angle so that it is horizontal."""
    r = line.rect  # corners from the lower left, counterclockwise; y grows upwards
    angle = atan2(r.r_y1 - r.r_y0, r.r_x1 - r.r_x0)
    (left, low), (right, _), (_, high) = (
        (x * cos(angle) + y * sin(angle), y * cos(angle) - x * sin(angle))
        for x, y in ((r.r_x0, r.r_y0), (r.r_x1, r.r_y1), (r.r_x2, r.r_y2))
    )
    name = line.font_name.lstrip("/")
    font = Font(name, is_bold="Bold" in name, is_italic="Italic" in name)
    baseline = -(low + _DESCENT * (high - low))
    return Span(line.text, left, right, baseline, high - low, font, round(degrees(angle)) % 360)


def load() -> None:
    """Import what reads, which takes seconds."""
    import docling_parse.pdf_parser  # noqa: F401 - for the image to hold it


def open_document(path: str, passwords: Sequence[str]) -> DoclingParseDocument:
    """Open a file: the function that the entry point names."""
    from docling_parse.pdf_parser import ContentConfig, DoclingPdfParser

    config, parser = ContentConfig(**_WANTED, include_bitmap_bytes=False), DoclingPdfParser("fatal")
    for password in (None, *passwords):
        try:
            return DoclingParseDocument(parser.load(path, password=password, content_config=config))
        except RuntimeError as error:  # which does not say why
            if b"/Encrypt" not in Path(path).read_bytes():
                raise MalformedError(str(error)) from error
    raise EncryptedError
