"""PDFs for a bench without inputs: texts and scans of one to eight pages, always the same ones.

They are written by hand (ISO 32000-2, 7.5), because nothing else would need a library for that.
"""

import os
import zlib
from random import Random

FILES = 40
_WORDS = (
    *("memory", "process", "page", "kernel", "file", "stream", "object"),
    *("table", "report", "child", "limit", "engine"),
)
_LINES = 45
_SCAN_WIDTH, _SCAN_HEIGHT = 1240, 1754
"""Size of an A4 page in pixels, at 150 dpi."""


def make_corpus(folder: str) -> None:
    """Write the PDFs into an existing directory."""
    random = Random(1)  # noqa: S311 - the same files each time, nothing secret
    for number in range(FILES):
        pages = 1 + number % 8
        streams = [_scan(random) if number % 10 == 0 else _text(random) for _ in range(pages)]
        with open(os.path.join(folder, f"{number:02}.pdf"), "wb") as file:
            file.write(_pdf(streams))


def _text(random: Random) -> tuple[bytes, bytes]:
    lines = "".join(f"({' '.join(random.choices(_WORDS, k=11))}) Tj T*\n" for _ in range(_LINES))
    return f"BT /F1 11 Tf 14 TL 60 780 Td\n{lines}ET".encode(), b"/Font << /F1 3 0 R >>"


def _scan(random: Random) -> tuple[bytes, bytes]:
    """Return the content and the resources of a page with a picture and a line of text below."""
    row = random.randbytes(_SCAN_WIDTH // 8)
    data = zlib.compress(row * (_SCAN_HEIGHT // 8))
    image = (
        f"q 500 0 0 700 47 71 cm BI /W {_SCAN_WIDTH // 8} /H {_SCAN_HEIGHT // 8} /CS /G /BPC 8 "
        "/F /Fl ID "
    ).encode()
    text = f"BT /F1 11 Tf 60 40 Td (scan {random.randrange(1000)}) Tj ET".encode()
    return image + data + b" EI Q\n" + text, b"/Font << /F1 3 0 R >>"


def _pdf(pages: list[tuple[bytes, bytes]]) -> bytes:
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, (content, resources) in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << %s >> "
            b"/Contents %d 0 R >>" % (resources, 5 + 2 * index)
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
