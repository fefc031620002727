"""Text that the first engine does not read is taken from the next one, or the page is flagged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, Lines, read_lines
from written import plain_pdf, stream

ENGINES = ("--engine", "faulty,second")


@pytest.fixture
def record(cli_here: Cli, pdfs: Path, out: Path) -> Callable[..., dict[str, Any]]:
    """The record of the one page that there is, of a run that lost nothing."""

    def record(*args: str) -> dict[str, Any]:
        done = cli_here("run", pdfs, "-o", out, "-w", "1", "-q", *args)
        (line,) = read_lines(out / "report.jsonl")
        assert (done.returncode, line["status"], line["failed_pages"]) == (0, "ok", []), line
        records: Lines = read_lines(out / "pages.jsonl")
        (only,) = records
        return only

    return record


Record = Callable[..., dict[str, Any]]


def told(record: dict[str, Any]) -> tuple[str, str, bool]:
    """Text, engine, and flag of a record."""
    metadata = record["metadata"]
    return record["text"], metadata["engine"], metadata["needs_ocr"]


def test_a_second_engine_that_finds_more_reads_the_page(
    record: Record, faulty: Callable[..., Path]
) -> None:
    faulty("a.pdf", lacks=True, text="some", second_text="some and more")
    assert told(record(*ENGINES)) == ("some and more", "second", False)


def test_a_page_of_which_the_second_finds_as_much_is_whole(
    record: Record, faulty: Callable[..., Path]
) -> None:
    faulty("a.pdf", lacks=True, text="all of it", second_text="allofit")
    assert told(record(*ENGINES)) == ("all of it", "faulty", False)


def test_a_page_of_which_the_second_finds_less_is_flagged(
    record: Record, faulty: Callable[..., Path]
) -> None:
    faulty("a.pdf", lacks=True, text="some of it", second_text="some")
    assert told(record(*ENGINES)) == ("some of it", "faulty", True)


def test_without_another_engine_it_is_flagged(record: Record, faulty: Callable[..., Path]) -> None:
    faulty("a.pdf", lacks=True, text="some")
    assert told(record("--engine", "faulty")) == ("some", "faulty", True)


@pytest.mark.parametrize("fault", ["raises", "segfault", "hang", "no_page", "memory_error"])
def test_whatever_the_second_engine_does_the_page_stays(
    record: Record, faulty: Callable[..., Path], fault: str
) -> None:
    faulty("a.pdf", lacks=True, text="some", second_text="", second_fault=fault, second_page=1)
    found = record(*ENGINES, "--page-timeout", "1")
    assert told(found) == ("some", "faulty", True)


def cmap(ends: bytes, **meant: str) -> bytes:
    """A ToUnicode map (9.10.3), with what each code means, and the least and greatest code."""
    pairs = b"".join(b"<%s><%04x>" % (c[1:].encode(), ord(mean)) for c, mean in meant.items())
    return stream(
        b"/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CMapName/A def"
        b"/CMapType 2 def 1 begincodespacerange%s endcodespacerange %d beginbfchar%s endbfchar "
        b"endcmap end end" % (ends, len(meant), pairs)
    )


def page_of(font: bytes, codes: list[str], **more: bytes) -> bytes:
    """A PDF whose page shows strings of one font, each by itself, and a word in Helvetica.

    Args:
        font: object 5.
        codes: of each string, in hexadecimal.
        more: further objects, as `o7`.
    """
    shown = " ".join(f"1 0 0 1 {72 + 9 * i} 700 Tm <{each}>Tj" for i, each in enumerate(codes))
    content = f"BT /F 12 Tf {shown} /H 12 Tf 1 0 0 1 72 600 Tm (Total)Tj ET".encode()
    return plain_pdf({
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F 5 0 R/H 6 0 R>>>>>>",
        4: stream(content),
        5: font,
        6: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        **{int(name[1:]): body for name, body in more.items()},
    })  # fmt: skip


DAMAGED = (
    b"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Sub/FirstChar 1/LastChar 3/Widths[600 600 600]"
    b"/FontDescriptor 7 0 R/ToUnicode 9 0 R>>"
)
DESCRIPTOR = (
    b"<</Type/FontDescriptor/FontName/ABCDEF+Sub/Flags 4/FontBBox[0 -200 1000 900]/Ascent 900"
    b"/Descent -200/CapHeight 700/StemV 80/ItalicAngle 0/FontFile2 8 0 R>>"
)


def test_text_in_a_damaged_font_is_not_lost(record: Record, pdfs: Path) -> None:
    means = cmap(b"<00><ff>", c01="4", c02="7", c03="1")
    damaged = page_of(
        DAMAGED, ["01", "02", "03", "03"], o7=DESCRIPTOR, o8=stream(b"no font at all"), o9=means
    )
    (pdfs / "a.pdf").write_bytes(damaged)
    text, engine, is_flagged = told(record())
    assert "".join(text.split()) == "4711Total"
    assert (engine, is_flagged) == ("pypdf", False)


def test_spaces_in_a_font_that_is_not_there_are_no_lack(record: Record, pdfs: Path) -> None:
    calibri = b"<</Type/Font/Subtype/TrueType/BaseFont/Calibri/Encoding/WinAnsiEncoding>>"
    (pdfs / "a.pdf").write_bytes(page_of(calibri, ["20", "20"]))
    text, engine, is_flagged = told(record())
    assert (text.strip(), engine, is_flagged) == ("Total", "pdfium", False)


def test_a_glyph_without_a_character_is_no_hyphen(record: Record, pdfs: Path) -> None:
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/Some/Encoding/Identity-H/ToUnicode 9 0 R"
        b"/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/Some/CIDToGIDMap/Identity"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW 600>>]>>"
    )
    means = cmap(b"<0000><ffff>", c0001="I", c0002="\0", c0003="n")
    (pdfs / "a.pdf").write_bytes(page_of(font, ["000100020003"], o9=means))
    text, *_ = told(record("--engine", "pdfium"))
    assert text.replace("\ufffd", "").split() == ["In", "Total"]
