"""Pages whose need for OCR is known, because they are made: the bricks that kinds are made of."""

import io
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from fpdf import FPDF
from PIL import Image, ImageFont

from pictures import jpeg
from written import plain_pdf, stream

WIDTH, HEIGHT = 595, 842
_FIRST = 20
"""Number of the first image among the objects of a file."""


def image(picture: Image.Image, *, entries: bytes = b"", as_jpeg: bool = False) -> bytes:
    """An image as an object: gray, or one bit a pixel if the picture is so."""
    size = b"/Width %d/Height %d" % picture.size
    head = b"/Type/XObject/Subtype/Image%s%s" % (size, entries)
    if as_jpeg:
        return stream(jpeg(picture), head + b"/BitsPerComponent 8/ColorSpace/DeviceGray"
                      b"/Filter/DCTDecode")  # fmt: skip
    depth = 1 if picture.mode == "1" else 8
    space = b"" if b"/ImageMask" in entries else b"/ColorSpace/DeviceGray"
    head += b"/BitsPerComponent %d%s/Filter/FlateDecode" % (depth, space)
    return stream(zlib.compress(picture.tobytes(), 1), head)


def page(
    content: bytes,
    images: Sequence[bytes] = (),
    *,
    font: str = "Helvetica",
    entries: bytes = b"",
    more: Mapping[int, bytes] | None = None,
) -> bytes:
    """A PDF of one page of A4.

    Args:
        content: what it draws; images are `/I0`, `/I1` and so on, the font is `/F`.
        images: objects.
        font: one of those that need no file.
        entries: further entries of the page.
        more: further objects, from 8; object 8 is the form `/X` and object 9 the pattern `/P`.
    """
    named = b"".join(b"/I%d %d 0 R" % (n, _FIRST + n) for n in range(len(images)))
    resources = b"<</Font<</F 5 0 R>>/XObject<<%s/X 8 0 R>>/Pattern<</P 9 0 R>>>>" % named
    names = {"Times": "Times-Roman"}
    return plain_pdf({
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R/Resources 6 0 R%s>>"
        % (WIDTH, HEIGHT, entries),
        4: stream(content),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>"
        % names.get(font, font).encode(),
        6: resources,
        **(more or {}),
        **{_FIRST + number: each for number, each in enumerate(images)},
    })  # fmt: skip


def placed(box: tuple[float, float, float, float] = (0, 0, WIDTH, HEIGHT), name: int = 0) -> bytes:
    """Draw an image in a box: left, bottom, width and height."""
    left, bottom, width, height = box
    return b"q %g 0 0 %g %g %g cm /I%d Do Q " % (width, height, left, bottom, name)


def text(lines: Sequence[str], *, at: tuple[float, float] = (60, 772), size: float = 11,
         mode: int = 0, leading: float = 1.4) -> bytes:  # fmt: skip
    """Draw lines of text, from the top; mode 3 does not show."""
    drawn = b"".join(b"(%s)' " % line.encode("cp1252") for line in lines)
    return b"BT /F %g Tf %d Tr %g TL %g %g Td %sET " % (
        size, mode, leading * size, at[0], at[1] + leading * size, drawn
    )  # fmt: skip


class _Curves(BasePen):  # type: ignore[misc]  # it has no types
    """Writes what a font draws as operators of PDF (ISO 32000-2, 8.5.2)."""

    def __init__(self, glyphs: Any, origin: tuple[float, float], face: "Face") -> None:
        super().__init__(glyphs)
        self.origin, self.face, self.drawn = origin, face, b""

    def _write(self, points: Sequence[tuple[float, float]], operator: bytes) -> None:
        (left, bottom), face = self.origin, self.face
        unit = face.size / 1000
        for x, y in points:
            place = (left + unit * (face.wide * x + face.slant * y), bottom + unit * y)
            self.drawn += b"%.2f %.2f " % place
        self.drawn += operator

    def _moveTo(self, pt: tuple[float, float]) -> None:  # noqa: N802
        self._write([pt], b"m ")

    def _lineTo(self, pt: tuple[float, float]) -> None:  # noqa: N802
        self._write([pt], b"l ")

    def _curveToOne(  # noqa: N802
        self, pt1: tuple[float, float], pt2: tuple[float, float], pt3: tuple[float, float]
    ) -> None:
        self._write([pt1, pt2, pt3], b"c ")

    def _closePath(self) -> None:  # noqa: N802
        self._write([], b"h ")


class Face(NamedTuple):
    """How the letters of the font that comes with Pillow are drawn."""

    size: float
    wide: float = 1
    slant: float = 0
    """How far their tops lean to the right, for each unit of height."""


def outlines(lines: Sequence[str], face: Face, together: int) -> bytes:
    """Draw lines of text as curves, so many letters in one path."""
    default = ImageFont.load_default(20)
    assert isinstance(default, ImageFont.FreeTypeFont)
    assert isinstance(default.path, io.BytesIO)
    font = TTFont(io.BytesIO(default.path.getvalue()))
    glyphs, names = font.getGlyphSet(), font.getBestCmap()
    letters: list[bytes] = []
    for number, line in enumerate(lines):
        left = 60.0
        for name in (names[ord(each)] for each in line):
            pen = _Curves(glyphs, (left, 772 - 1.4 * face.size * number), face)
            glyphs[name].draw(pen)
            letters.append(pen.drawn)
            left += face.size / 1000 * face.wide * glyphs[name].width
    parts = [letters[at : at + together] for at in range(0, len(letters), together)]
    return b"".join(b"".join(part) + b"f " for part in parts)


def by_fpdf(*drawn: tuple[Image.Image, float, float, float], lines: Sequence[str] = ()) -> bytes:
    """A page as a library writes it: text, and pictures with left, top and width in points."""
    pdf = FPDF(unit="pt", format=(WIDTH, HEIGHT))
    pdf.set_auto_page_break(auto=False)
    pdf.add_page()
    pdf.set_font("Times", size=11)
    for number, line in enumerate(lines):
        pdf.text(60, 70 + 15 * number, line)
    for picture, left, top, width in drawn:
        file = io.BytesIO()
        picture.save(file, "PNG")
        pdf.image(file, left, top, width)
    return bytes(pdf.output())
