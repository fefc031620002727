"""A page whose content cannot be decoded is lost, and a blank one is not."""

import zlib
from pathlib import Path

import pytest

from conftest import Cli, read_lines
from written import Objects, packed_pdf, plain_pdf, stream

SHOWN = zlib.compress(b"BT /F1 12 Tf 72 700 Td (Good page) Tj ET" + b" " * 900, 9)
FLATE = b"/Filter/FlateDecode"
CONTENTS = {
    "damaged from the start": (stream(SHOWN[:2] + b"\xff" * 40, FLATE), "partial"),
    "empty": (stream(b""), "ok"),
    "without a drawing": (stream(zlib.compress(b"q Q"), FLATE), "ok"),
    "encoded otherwise": (stream(b"~>", b"/Filter/ASCII85Decode"), "ok"),
}


def objects(content: bytes) -> Objects:
    """A document of one page with this content, and a good one."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 5 0 R>>>>"
    return {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]>>",
        3: page + b"/Contents[6 0 R]>>",
        4: page + b"/Contents 7 0 R>>",
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        6: content,
        7: stream(SHOWN, FLATE),
    }


@pytest.mark.parametrize("written", [plain_pdf, packed_pdf])
@pytest.mark.parametrize(("content", "status"), CONTENTS.values(), ids=CONTENTS)
def test_damage_is_told_from_nothing(
    cli_here: Cli, pdfs: Path, out: Path, written: type, content: bytes, status: str
) -> None:
    (pdfs / "a.pdf").write_bytes(written(objects(content)))
    cli_here("run", pdfs, "-o", out, "-w", "1", "-q")
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["failed_pages"]) == (status, [1] if status == "partial" else [])
    assert read_lines(out / "pages.jsonl")[-1]["text"].strip() == "Good page"
