"""Text whose font does not say which characters it is comes from the next engine, or is flagged."""

from pathlib import Path

import pytest

from conftest import Cli, read_lines
from written import plain_pdf, stream

SHIFTED = bytes(code - 29 for code in b"The total amount is due within thirty days")
"""Numbers of glyphs, as TrueType fonts have them; that of the space is 3."""

FONTS = b"<</Font<</F 5 0 R>>>>"
FONT = (
    b"<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+Some/Encoding/Identity-H"
    b"/DescendantFonts[6 0 R]%s>>"
)
DESCENDANT = (
    b"<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEF+Some/FontDescriptor 7 0 R/DW 500"
    b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
)
DESCRIPTOR = (
    b"<</Type/FontDescriptor/FontName/ABCDEF+Some/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0"
    b"/Ascent 800/Descent -200/CapHeight 700/StemV 80>>"
)


def make(path: Path, content: bytes, to_unicode: bytes = b"") -> None:
    """Write a PDF whose one font, of glyph numbers, says which characters they are, or does not."""
    mapped = b"/ToUnicode 8 0 R" if to_unicode else b""
    path.write_bytes(
        plain_pdf({
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources %s>>"
            % FONTS,
            4: stream(content),
            5: FONT % mapped,
            6: DESCENDANT,
            7: DESCRIPTOR,
            8: stream(to_unicode),
        })
    )  # fmt: skip


def shown() -> bytes:
    codes = b"".join(b"%04x" % code for code in SHIFTED)
    return b"BT /F 12 Tf 72 700 Td <%s> Tj ET" % codes


@pytest.mark.parametrize("engine", ["auto", "pdfium", "pypdf"])
def test_numbers_of_glyphs_that_pose_as_letters_are_flagged(
    cli_here: Cli, pdfs: Path, out: Path, engine: str
) -> None:
    make(pdfs / "a.pdf", shown())
    assert cli_here("run", pdfs, "-o", out, "--engine", engine).returncode == 0
    (record,) = read_lines(out / "pages.jsonl")
    assert record["metadata"]["needs_ocr"]
    assert record["metadata"]["ocr_reason"] == "unmapped"


def test_numbers_that_are_mapped_are_read(cli_here: Cli, pdfs: Path, out: Path) -> None:
    pairs = b"".join(b"<%04x> <%04x>\n" % (code, code + 29) for code in sorted(set(SHIFTED)))
    count = len(set(SHIFTED))
    cmap = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange
%d beginbfchar
%sendbfchar endcmap end end""" % (count, pairs)
    make(pdfs / "a.pdf", shown(), cmap)
    assert cli_here("run", pdfs, "-o", out).returncode == 0
    (record,) = read_lines(out / "pages.jsonl")
    assert record["text"] == "The total amount is due within thirty days"
    assert not record["metadata"]["needs_ocr"]
