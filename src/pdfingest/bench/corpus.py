"""PDFs for a bench without inputs, always the same ones: letters and scans, and some drawings.

Most real files are small, and a few are much larger: sizes have a heavy tail (Crovella and
Bestavros 1997, doi:10.1109/90.650143). That is what servers grow on, as what a thread took for the
largest file that it ever read stays in its heap. So one file of 40 is a drawing, such as a plan or
a map: one page with thousands of lines, for each of which pypdf and pdfplumber make objects. Of
the drawings, the largest has n times the lines of that of rank n, by Zipf's law. On letters alone
servers grow by little; `pdfingest bench` tells with any files.

They are written by hand (ISO 32000-2, 7.5), because nothing else would need a library for that.
"""

import os
import zlib
from random import Random

FILES = 1000
_PER_DRAWING = 40
"""Number of files of which one is a drawing."""
_WORDS = (
    *("memory", "process", "page", "kernel", "file", "stream", "object"),
    *("table", "report", "child", "limit", "engine"),
)
_LINES = 15
_MOST_STROKES, _LABELS = 40_000, 200
_SCAN_WIDTH, _SCAN_HEIGHT = 1240, 1754
"""Size of an A4 page in pixels, at 150 dpi."""
_FONT = b"/Font << /F1 3 0 R >>"


def make_corpus(folder: str) -> None:
    """Write the PDFs into an existing directory."""
    random = Random(1)  # noqa: S311 - the same files each time, nothing secret
    ranks = random.sample(range(1, FILES // _PER_DRAWING + 1), FILES // _PER_DRAWING)
    for number in range(FILES):
        group, index = divmod(number, _PER_DRAWING)
        if index == _PER_DRAWING // 2:
            pages = [_drawing(random, _MOST_STROKES // ranks[group])]
        else:
            draw = _scan if number % 10 == 0 else _letter
            pages = [draw(random) for _ in range(1 + number % 3)]
        with open(os.path.join(folder, f"{number:03}.pdf"), "wb") as file:
            file.write(_pdf(pages))


def _letter(random: Random) -> bytes:
    lines = "".join(f"({' '.join(random.choices(_WORDS, k=11))}) Tj T*\n" for _ in range(_LINES))
    return f"BT /F1 11 Tf 14 TL 60 780 Td\n{lines}ET".encode()


def _scan(random: Random) -> bytes:
    """Return the content of a page with a picture and a line of text below."""
    row = random.randbytes(_SCAN_WIDTH // 8)
    data = zlib.compress(row * (_SCAN_HEIGHT // 8))
    image = (
        f"q 500 0 0 700 47 71 cm BI /W {_SCAN_WIDTH // 8} /H {_SCAN_HEIGHT // 8} /CS /G /BPC 8 "
        "/F /Fl ID "
    ).encode()
    text = f"BT /F1 11 Tf 60 40 Td (scan {random.randrange(1000)}) Tj ET".encode()
    return image + data + b" EI Q\n" + text


def _drawing(random: Random, strokes: int) -> bytes:
    """Return the content of a page with lines, each from where the last one ends, and labels."""
    x, y = 300.0, 420.0
    lines: list[str] = []
    for _ in range(strokes):
        start = f"{x:.2f} {y:.2f} m"
        x = min(max(x + random.uniform(-9, 9), 20), 575)
        y = min(max(y + random.uniform(-9, 9), 20), 820)
        lines.append(f"{start} {x:.2f} {y:.2f} l S")
    for _ in range(_LABELS):
        place = f"{random.uniform(20, 560):.1f} {random.uniform(20, 800):.1f}"
        lines.append(f"BT /F1 6 Tf {place} Td ({random.choice(_WORDS)}) Tj ET")
    return "\n".join(lines).encode()


def _pdf(pages: list[bytes]) -> bytes:
    """Return a PDF of pages, given the content of each."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, content in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << %s >> "
            b"/Contents %d 0 R >>" % (_FONT, 5 + 2 * index)
        )
        packed = zlib.compress(content)
        objects.append(
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
        )
    result = bytearray(b"%PDF-1.7\n")
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(result))
        result += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(result)
    result += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    result += b"".join(b"%010d 00000 n \n" % place for place in places)
    result += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(result)
