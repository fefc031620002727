"""A scan of Chinese that Tesseract reads in two sizes."""

from difflib import SequenceMatcher
from pathlib import Path

import pytest
from fpdf import FPDF

from pdfingest.engines.pdfium import open_document
from pdfingest.ocr import tesseract
from pdfingest.ocr.engine import Picture
from pdfingest.ocr.transcript import transcribe

pytest.importorskip("tesserocr")
FONT = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")
FACE = 2
"""The font of the collection that has the forms of the mainland."""
if "chi_sim" not in tesseract.languages() or not FONT.exists():
    needed = "tesseract-ocr-chi-sim and fonts-noto-cjk"  # of Debian, which pip cannot install
    pytest.skip(f"needs {needed}", allow_module_level=True)  # there is nothing to read it with

LINES = (
    "清晨五点，我们坐上开往草原的长途汽车。窗外的天空还是",
    "深蓝色，远处的山像一排沉睡的骆驼。司机爱唱歌，一路上",
    "给我们讲马头琴的传说。中午时分，车停在一个小镇上，大",
    "家下来喝奶茶、吃包子。下午三点，我们看见了湖水。",
)


@pytest.mark.parametrize("turn", [0, 180, 2])
def test_chinese_is_read_twice_and_stands_where_it_was_drawn(tmp_path: Path, turn: float) -> None:
    pdf = FPDF(unit="pt", format="A4")
    pdf.add_page()
    pdf.add_font("font", "", FONT, collection_font_number=FACE)
    pdf.set_font("font", size=12)
    for row, text in enumerate(LINES):
        pdf.text(70, 100 + 18 * row, text)
    pdf.output(str(tmp_path / "a.pdf"))
    document = open_document(str(tmp_path / "a.pdf"), ())
    asked: list[tuple[float, float]] = []

    def draw(dpi: float, angle: float) -> Picture:
        asked.append((dpi, angle))
        return document.picture(1, dpi, angle + turn)

    reader = tesseract.open_reader(["chi_sim"])
    found = transcribe(draw, reader)
    reader.close()
    document.close()
    (first, first_angle), (second, second_angle) = asked[-2:]
    assert first == 200
    assert second == pytest.approx(180, abs=0.5)
    assert first_angle == second_angle
    assert len(found.lines) == len(LINES)
    for row, (line, text) in enumerate(zip(found.lines, LINES, strict=True)):
        read = "".join(word.text for word in line.words)
        assert SequenceMatcher(None, read, text, autojunk=False).ratio() >= 0.94
        if turn == 0:
            assert line.words[0].left == pytest.approx(70, abs=3)
            assert line.words[-1].right == pytest.approx(70 + 12 * len(text), abs=12)
            assert line.baseline == pytest.approx(100 + 18 * row, abs=3)
