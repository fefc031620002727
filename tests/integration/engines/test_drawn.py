"""What a viewer draws over a page, fields of forms and annotations, is text of the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, read_lines
from pictures import words_image
from written import plain_pdf, stream

FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
BOX = b"/Type/Annot/Rect[100 600 300 640]/F 4"
DRAWING = b"/Type/XObject/Subtype/Form/BBox[0 0 200 40]/Resources<</Font<</H 5 0 R>>>>"


def pdf(annotation: bytes, *, content: bytes = b"", form: bytes = b"", drawn: bytes = b"") -> bytes:
    """A page with one annotation, whose drawing is object 7."""
    return plain_pdf({
        1: b"<</Type/Catalog/Pages 2 0 R%s>>" % form,
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Annots[6 0 R]"
        b"/Resources<</Font<</H 5 0 R>>>>>>",
        4: stream(content),
        5: FONT,
        6: annotation,
        7: stream(drawn, DRAWING),
    })  # fmt: skip


def field(kind: bytes, *, needs: bool = True, drawn: bytes = b"") -> bytes:
    """A page with a field of a form; `needs` says that viewers must draw it themselves."""
    form = b"/AcroForm<</Fields[6 0 R]/DR<</Font<</H 5 0 R>>>>/DA(/H 12 Tf 0 g)%s>>" % (
        b"/NeedAppearances true" if needs else b""
    )
    appearance = b"/AP<</N 7 0 R>>" if drawn else b""
    widget = b"<<%s/Subtype/Widget/T(a)/DA(/H 12 Tf 0 g)%s%s>>" % (BOX, kind, appearance)
    return pdf(widget, form=form, drawn=drawn)


def words(text: bytes) -> bytes:
    """A drawing of some words."""
    return b"BT /H 12 Tf 4 14 Td (%s)Tj ET" % text


def picture_of_words() -> bytes:
    """A drawing of an inline image that shows some words."""
    image = words_image("Received and checked by the office", 800, 160)
    return b"q 200 0 0 40 0 0 cm BI/W 800/H 160/BPC 8/CS/G ID %s EI Q" % image.tobytes()


DRAWN = {
    "a value without a drawing": (field(b"/FT/Tx/V(Grace Hopper)"), "Grace Hopper"),
    "a value with an old drawing": (
        field(b"/FT/Tx/V(Grace Hopper)", drawn=words(b"Nobody")), "Grace Hopper"
    ),
    "a drawing": (field(b"/FT/Tx/V(x)", needs=False, drawn=words(b"as drawn")), "as drawn"),
    "the label of an option": (
        field(b"/FT/Ch/Ff 131072/V(b)/Opt[[(a)(Alpha)][(b)(Beta)]]"), "Beta"
    ),
    "an annotation": (
        pdf(b"<<%s/Subtype/FreeText/DA(/H 12 Tf)/Contents(no)/AP<</N 7 0 R>>>>" % BOX,
            drawn=words(b"written over it")), "written over it"
    ),
    "nothing hidden": (
        pdf(b"<<%s/Subtype/FreeText/DA(/H 12 Tf)/AP<</N 7 0 R>>>>" % BOX.replace(b"/F 4", b"/F 2"),
            drawn=words(b"hidden")), ""
    ),
}  # fmt: skip
FLAGGED = {
    "a stamp whose words are a picture": (
        pdf(b"<<%s/Subtype/Stamp/AP<</N 7 0 R>>>>" % BOX, drawn=picture_of_words()),
        True,
    ),
    "a stamp without words": (
        pdf(b"<<%s/Subtype/Stamp/AP<</N 7 0 R>>>>" % BOX, drawn=b"0 0 m 9 9 l S"),
        False,
    ),
    "an icon of a note": (
        pdf(b"<<%s/Subtype/Text/AP<</N 7 0 R>>>>" % BOX, drawn=b"0 0 m 9 9 l S"),
        False,
    ),
    "an empty field": (field(b"/FT/Tx", needs=False, drawn=b"0 0 200 40 re S"), False),
}


@pytest.fixture
def record(cli_here: Cli, pdfs: Path, out: Path) -> Callable[[bytes], dict[str, Any]]:
    """The record of a PDF of one page."""

    def record(content: bytes) -> dict[str, Any]:
        (pdfs / "a.pdf").write_bytes(content)
        done = cli_here("run", pdfs, "-o", out, "-w", "1", "-q")
        assert done.returncode == 0, done.stderr
        (only,) = read_lines(out / "pages.jsonl")
        return only

    return record


Record = Callable[[bytes], dict[str, Any]]


@pytest.mark.parametrize(("content", "text"), DRAWN.values(), ids=DRAWN)
def test_what_is_drawn_is_text(record: Record, content: bytes, text: str) -> None:
    assert record(content)["text"].strip() == text


@pytest.mark.parametrize(("content", "is_flagged"), FLAGGED.values(), ids=FLAGGED)
def test_a_page_that_shows_no_text_is_flagged_if_there_may_be_some(
    record: Record, content: bytes, is_flagged: bool
) -> None:
    found = record(content)
    assert (found["text"], found["metadata"]["needs_ocr"]) == ("", is_flagged)
