"""What a page shows is looked at cheaply, within bounds, and never costs the page."""

import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocr_pages import image, page, placed, text
from pdfingest.engines import pdfium, pdfium_evidence
from pdfingest.engines.engine import Watch, watch_asides
from pdfingest.engines.pdfium_pictures import picture_of
from pdfingest.engines.text_lines import Picture, TextLine
from pdfingest.exchange.record import DocumentFacts, page_record
from pdfingest.job import EngineSpec
from pdfingest.model import Aside, Format, OcrReason
from pdfingest.pages import INFO_NAMES, Page
from pictures import scanned, sentences, typeset
from written import stream

SCAN = image(scanned(typeset(sentences(1, 30), "Times", 11), 110))
NAMES = dict.fromkeys(INFO_NAMES, "")
FACTS = DocumentFacts("a", "a.pdf", "", 1, NAMES, Format.RAW, EngineSpec("pdfium", "", ""))
DECLARED = (
    b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray"
)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Page]:
    """Read a PDF of one page."""

    def read(content: bytes) -> Page:
        (tmp_path / "a.pdf").write_bytes(content)
        document = pdfium.open_document(str(tmp_path / "a.pdf"), ())
        try:
            return document.page(1)
        finally:
            document.close()

    return read


Read = Callable[[bytes], Page]


def reason(read: Page) -> str:
    found = page_record(FACTS, 1, read)["metadata"]["ocr_reason"]
    assert isinstance(found, str)
    return found


def fail(*_: object) -> None:
    raise ValueError


@pytest.mark.parametrize("part", ["scene_of", "picture_of", "text_lines"])
def test_what_fails_beside_the_text_costs_no_page(
    read: Read, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(pdfium_evidence, part, fail)
    found = read(page(placed() + text(["a few words"]), [SCAN]))
    assert found.text.split() == ["a", "few", "words"]
    assert (found.unsaid, reason(found)) == (None, "")
    assert reason(read(page(placed(), [SCAN]))) == "image"


def test_it_is_not_looked_at_where_an_earlier_child_died_of_it(read: Read) -> None:
    class NoInk(Watch):
        def begin_aside(self, aside: Aside) -> bool:
            return aside is not Aside.INK

    with watch_asides(NoInk()):
        assert read(page(placed(), [SCAN])).unsaid is None


@pytest.mark.parametrize("side", [7_000, 100_000])
def test_a_huge_image_is_not_decoded(
    read: Read, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    monkeypatch.setattr(pdfium_evidence, "picture_of", fail)
    huge = stream(b"", DECLARED % (side, side))
    begin = time.process_time()
    alone, beside = page(placed(), [huge]), page(placed() + text(["some words"]), [huge])
    assert read(alone).unsaid is OcrReason.IMAGE, "what cannot be looked at is taken for a scan"
    assert read(beside).unsaid is OcrReason.NONE
    assert time.process_time() - begin < 0.5


def test_many_large_images_are_as_one(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdfium_evidence, "picture_of", fail)
    large = stream(b"", DECLARED % (2_000, 2_000))
    drawn = b"".join(placed((0, 80 * n, 500, 80)) for n in range(11))
    assert read(page(drawn, [large])).unsaid is OcrReason.IMAGE


def test_forms_in_forms_and_masses_of_objects_are_bounded(read: Read) -> None:
    inner = b"/Type/XObject/Subtype/Form/BBox[0 0 600 850]/Resources 6 0 R"
    itself = {8: stream(b"/X Do " + placed(), inner)}
    begin = time.process_time()
    assert read(page(b"/X Do", [SCAN], more=itself)).unsaid is not None
    lines = b"".join(b"%d 0 m 9 9 l S " % n for n in range(60_000))
    assert read(page(lines + text(["some words"]))).unsaid is OcrReason.NONE
    assert time.process_time() - begin < 5


def test_a_picture_is_never_larger_than_its_bound(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def note(picture: Picture) -> list[TextLine]:
        sizes.append(picture.width * picture.height)
        return []

    monkeypatch.setattr(pdfium_evidence, "text_lines", note)
    for width, height in ((14_400, 14_400), (10, 14_400), (3, 3), (595, 842)):
        entries = b"/MediaBox[0 0 %d %d]" % (width, height)
        read(page(placed((0, 0, width, height)), [SCAN], entries=entries))
    assert sizes
    assert max(sizes) <= 1_050_000


def test_most_pages_with_text_are_not_drawn(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdfium_evidence, "picture_of", fail)
    grid = b"".join(b"60 %d 475 .5 re f " % (60 + n) for n in range(600))
    logo = placed((500, 800, 60, 20))
    lines = text(sentences(1, 40))
    assert read(page(grid + logo + lines, [SCAN])).unsaid is OcrReason.NONE
    layer = placed() + text(sentences(1, 38, 16), mode=3)
    assert read(page(layer, [SCAN])).unsaid is OcrReason.NONE


def test_once_a_picture_is_a_text_no_other_is_drawn(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []

    def counted(*arguments: Any) -> Picture | None:
        looks.append(arguments)
        return picture_of(*arguments)

    monkeypatch.setattr(pdfium_evidence, "picture_of", counted)
    two = placed((40, 440, 500, 380)) + placed((40, 40, 500, 380))
    assert read(page(two + text(["some words"]), [SCAN])).unsaid is OcrReason.IMAGE
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Page("", ink=True, draws_image=True), "image"),
        (Page("", ink=True, draws_image=False), "outlines"),
        (Page("", ink=False), ""),
        (Page("words"), ""),
        (Page("words", unsaid=OcrReason.IMAGE), "image"),
        (Page("", unsaid=OcrReason.NONE), ""),
        (Page("words", unsaid=OcrReason.IMAGE, lacks_text=True), "unmapped"),
        (Page("/g936/g1007/g1004 /g3/g296"), "unmapped"),
    ],
)
def test_engines_that_do_not_look_are_judged_as_before(known: Page, expected: str) -> None:
    assert reason(known) == expected


@pytest.mark.parametrize(("kept", "found"), [(1.0, ""), (0.7, ""), (0.2, "image"), (0.0, "image")])
def test_a_picture_whose_data_end_early_may_say_anything(
    read: Read, kept: float, found: str
) -> None:
    blank, declared = bytes([255]) * 800 * 1000, DECLARED % (800, 1000)
    data = zlib.compress(blank[: int(kept * len(blank))])
    content = page(placed(), [stream(data, declared + b"/Filter/FlateDecode")])
    assert reason(read(content)) == found
    assert reason(read(page(placed(), [stream(b"garbage" * 100, declared)]))) == "image"


@pytest.mark.parametrize("filtered", [b"JBIG2Decode", b"JPXDecode", b"DCTDecode"])
def test_an_image_that_cannot_be_decoded_may_say_anything(read: Read, filtered: bytes) -> None:
    declared = DECLARED % (1700, 2200) + b"/Filter/" + filtered
    assert reason(read(page(placed(), [stream(b"garbage" * 100, declared)]))) == "image"


def test_an_image_that_is_white_says_nothing(read: Read) -> None:
    white = stream(b"\xff" * 200 * 300, DECLARED % (200, 300))
    assert reason(read(page(placed(), [white]))) == ""
