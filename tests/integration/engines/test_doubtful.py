"""Letters of fonts that do not map them, but whose glyphs are named by what they are."""

from pathlib import Path

import pytest

from conftest import Cli, read_lines
from written import plain_pdf, stream

NAMES = (b"uni0416", b"u0444", b"afii10017", b"Psi", b"alpha")
READ = "\u0416\u0444\u0410\u03a8\u03b1"
UNNAMED = (b"g1", b"g2", b"g3", b"g4", b"g5")


def write(path: Path, names: tuple[bytes, ...], pages: int) -> None:
    """Write a PDF that shows ABCDE in a Type 3 font whose glyphs have these names."""
    glyphs = b"".join(b"/%s 5 0 R" % name for name in names)
    differences = b"".join(b"/%s" % name for name in names)
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[%s]/Count %d>>"
        % (b" ".join(b"%d 0 R" % (10 + n) for n in range(pages)), pages),
        3: b"<</Type/Font/Subtype/Type3/FontBBox[0 0 500 700]/FontMatrix[.001 0 0 .001 0 0]"
        b"/FirstChar 65/LastChar 69/Widths[500 500 500 500 500]/CharProcs<<%s>>"
        b"/Encoding<</Type/Encoding/Differences[65 %s]>>>>" % (glyphs, differences),
        4: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        5: stream(b"500 0 0 0 400 700 d1 0 0 400 700 re f"),
        6: stream(
            b"BT /F1 14 Tf 72 700 Td (ABCDE) Tj ET BT /F2 14 Tf 72 650 Td (plain text) Tj ET"
        ),
    }
    for n in range(pages):
        objects[10 + n] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 6 0 R"
            b"/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>>>"
        )
    path.write_bytes(plain_pdf(objects))


@pytest.mark.parametrize("pages", [1, 12])
def test_letters_are_those_that_the_names_of_their_glyphs_say(
    cli_here: Cli, pdfs: Path, out: Path, pages: int
) -> None:
    write(pdfs / "a.pdf", NAMES, pages)
    assert cli_here("run", pdfs, "-o", out, "--format", "raw").returncode == 0
    records = read_lines(out / "pages.jsonl")
    assert [record["text"].split() for record in records] == [[READ, "plain", "text"]] * pages
    assert {record["metadata"]["engine"] for record in records} == {"pypdf"}


@pytest.mark.parametrize("pages", [1, 12])
def test_letters_stay_as_they_are_where_names_say_nothing(
    cli_here: Cli, pdfs: Path, out: Path, pages: int
) -> None:
    write(pdfs / "a.pdf", UNNAMED, pages)
    assert cli_here("run", pdfs, "-o", out, "--format", "raw").returncode == 0
    records = read_lines(out / "pages.jsonl")
    assert [record["text"].split() for record in records] == [["ABCDE", "plain", "text"]] * pages
    assert {record["metadata"]["engine"] for record in records} == {"pdfium"}
