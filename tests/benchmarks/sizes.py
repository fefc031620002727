"""Made PDFs with the sizes that people have: median 150 KB, 90th percentile 1 MB, some of 10 MB.

Sizes have a heavy tail (Crovella and Bestavros 1997, doi:10.1109/90.650143), here a log-normal one
by its two percentiles, one file for each of as many quantiles. A file has as many pages as a draw
of kilobytes a page allows, 1 to 200, with headings, text, tables and drawings, in a font that is
embedded where one is on the machine; pictures are what is left of its size. The same seed gives the
same files.
"""

import io
import math
import statistics
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from fpdf import FPDF
from PIL import Image

FILES = 120
MEDIAN, PERCENTILE_90, LARGEST = 150_000, 1_000_000, 10_000_000
LARGEST_FILES = 3
MOST_PAGES = 200
TOLERANCE = 0.15
"""How far the percentiles may be from those named, as a share."""
_PAGE_BYTES = (6_000, 15_000, 30_000, 80_000, 250_000)
"""Draws of the size of a file for each of its pages."""
_FONTS = (
    ("/usr/share/fonts/truetype/liberation/LiberationSerif-{}.ttf", ("Regular", "Bold"), 30_000),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans{}.ttf", ("", "-Bold"), 26_000),
)
"""Paths of fonts, a regular and a bold face of each, and about how many bytes both take."""
_TEXT_BYTES = 2_300
"""About how many bytes a page takes without pictures."""
_LINES, _LINE = 44, 15.0
"""Lines of a page, and the points from one to the next."""
_PICTURE_BYTES = 400_000
"""The most that one picture has."""
_SYLLABLES = (
    *("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta"),
    *("ve", "wi", "xo", "yl", "zu", "ar", "en", "is", "or", "un", "st"),
)


def make_sizes(folder: Path) -> None:
    """Write the files into a new directory.

    Raises:
        ValueError: the sizes are not those that this module names.
    """
    folder.mkdir()
    for number, size in enumerate(_sizes()):
        _Maker(Random(number), size).write(folder / f"{number:03}.pdf")
    check_sizes([path.stat().st_size for path in folder.iterdir()])


def check_sizes(sizes: list[int]) -> None:
    """Print the percentiles of sizes in bytes; raises `ValueError` if they are not as named."""
    cuts = statistics.quantiles(sizes, n=10)
    found = {"median": cuts[4], "90th percentile": cuts[8], "largest": max(sizes)}
    print("sizes:", ", ".join(f"{name} {size / 1000:,.0f} KB" for name, size in found.items()))
    named = (MEDIAN, PERCENTILE_90, LARGEST)
    for (name, size), wanted in zip(found.items(), named, strict=True):
        if not abs(size / wanted - 1) < TOLERANCE:
            raise ValueError(f"the {name} is {size:,.0f} bytes, and not {wanted:,}")


def _sizes() -> list[int]:
    normal = statistics.NormalDist()
    sigma = math.log(PERCENTILE_90 / MEDIAN) / normal.inv_cdf(0.9)
    draws = [(index + 0.5) / FILES for index in range(FILES - LARGEST_FILES)]
    sizes = [MEDIAN * math.exp(sigma * normal.inv_cdf(draw)) for draw in draws]
    return [*map(int, sizes), *[LARGEST] * LARGEST_FILES]


class _Maker:
    """Makes one file of about so many bytes."""

    def __init__(self, random: Random, size: int) -> None:
        self._random = random
        self._pdf = FPDF(unit="pt", format="A4")
        self._pdf.set_margin(56)
        self._pdf.set_creation_date(datetime(2026, 1, 2, tzinfo=UTC))
        self._pdf.set_auto_page_break(auto=False)
        self._words = ["".join(random.choices(_SYLLABLES, k=1 + n % 4)) for n in range(3000)]
        self._font, font_bytes = self._embed(size)
        self.pages = min(max(size // random.choice(_PAGE_BYTES), 1), MOST_PAGES)
        self._pictures_bytes = size - font_bytes - self.pages * _TEXT_BYTES

    def _embed(self, size: int) -> tuple[str, int]:
        """Return the name of a font, and the bytes that it takes; 0 for one that is not in it."""
        path, faces, taken = self._random.choice(_FONTS)
        if size < 3 * taken or not all(Path(path.format(face)).exists() for face in faces):
            return "Helvetica", 0
        for style, face in zip(("", "B"), faces, strict=True):
            self._pdf.add_font("embedded", style, path.format(face))
        return "embedded", taken

    def write(self, path: Path) -> None:
        """Draw all pages and save the file."""
        pictures = math.ceil(max(self._pictures_bytes, 0) / _PICTURE_BYTES)
        if self._pictures_bytes > 4000:
            pictures = max(pictures, min(self.pages, 4))
        for number in range(self.pages):
            self._pdf.add_page()
            here = pictures * (number + 1) // self.pages - pictures * number // self.pages
            for _ in range(here):
                self._picture(self._pictures_bytes // pictures)
            self._text(_LINES // 2 if here else _LINES)
        self._pdf.output(str(path))

    def _text(self, lines: int) -> None:
        random, pdf = self._random, self._pdf
        pdf.set_xy(56, 56)
        pdf.set_font(self._font, "B", 18)
        pdf.cell(0, 28, " ".join(random.choices(self._words, k=4)), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(self._font, "", 11)
        kind = random.random()
        if kind < 0.15:
            self._table(8)
            lines -= 9
        elif kind < 0.3:
            self._drawing()
            lines -= 11
        for number in range(lines):
            text = " ".join(random.choices(self._words, k=12)) if number % 9 else ""
            pdf.cell(0, _LINE, text, new_x="LMARGIN", new_y="NEXT")

    def _table(self, rows: int) -> None:
        for _ in range(rows):
            self._pdf.set_x(56)
            for width in (160, 80, 80, 120):
                text = self._random.choice(self._words)
                self._pdf.cell(width, _LINE, text, border=1)
            self._pdf.ln(_LINE)
        self._pdf.ln(_LINE)

    def _drawing(self) -> None:
        top = self._pdf.get_y()
        points = [(56 + 4 * x, top + self._random.uniform(0, 150)) for x in range(120)]
        self._pdf.polyline(points)
        self._pdf.set_y(top + 165)

    def _picture(self, size: int) -> None:
        """Place a picture that takes about `size` bytes: noise, as what else has a known size."""
        random = self._random
        width = max(int(math.sqrt(size * 4 / 3)), 8)
        height = max(size // width, 8)  # noise takes a byte a pixel, as PNG and as JPEG of 95
        picture = Image.frombytes("L", (width, height), random.randbytes(width * height))
        file = io.BytesIO()
        picture.save(file, random.choice(("JPEG", "PNG")), quality=95)
        file.seek(0)
        self._pdf.image(file, x=56, y=460, w=480, h=340)
