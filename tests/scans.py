"""PDFs that are pictures of text."""

from io import BytesIO
from pathlib import Path

from fpdf import FPDF
from PIL import Image

from pdfingest.engines.pdfium import open_document

WORDS = "The keeper of the harbour light wrote down the weather of each night in a book. "


def make_scan(path: Path, pages: int = 1, times: int = 6, dpi: int = 200) -> None:
    """Make a PDF whose pages are pictures of `WORDS`, so many times over, and of their number."""
    native = FPDF()
    native.set_font("Helvetica", size=12)
    for number in range(1, pages + 1):
        native.add_page()
        native.multi_cell(0, text=f"Page {number}. " + WORDS * times)
    source = path.with_suffix(".native")
    source.write_bytes(bytes(native.output()))
    document = open_document(str(source), ())
    scan = FPDF()
    for number in range(1, pages + 1):
        picture = document.picture(number, dpi, 0.0)
        image = Image.frombytes("L", (picture.width, picture.height), picture.data)
        scan.add_page()
        scan.image(_png(image), x=0, y=0, w=scan.w, h=scan.h)
    document.close()
    source.unlink()
    path.write_bytes(bytes(scan.output()))


def _png(image: Image.Image) -> BytesIO:
    file = BytesIO()
    image.save(file, "png")
    file.seek(0)
    return file
