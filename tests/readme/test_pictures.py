"""The pictures show what the program shows now; `nox -s pictures` makes them anew."""

import re
import shutil
import struct
from html import unescape
from pathlib import Path

import make_pictures
import pytest
from test_readme import comparable

_LINE = re.compile(r'<text class="[\w-]+-r\d+" x="[\d.]+" y="([\d.]+)"[^>]*>(.*?)</text>')


def lines_of(svg: Path) -> list[list[str]]:
    """What a picture of a terminal shows."""
    lines: dict[str, str] = {}
    for y, text in _LINE.findall(svg.read_text(encoding="utf-8")):
        lines[y] = lines.get(y, "") + unescape(text).replace("\xa0", " ")
    return comparable([*lines.values()])


def test_the_terminal_is_that_of_this_program(tmp_path: Path) -> None:
    make_pictures.draw_terminal(tmp_path)
    assert lines_of(make_pictures.PICTURES / "terminal.svg") == lines_of(tmp_path / "terminal.svg")


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("google-chrome")), reason="needs chromium"
)
def test_the_report_can_be_drawn_anew(tmp_path: Path) -> None:
    make_pictures.draw_report(tmp_path, files=20)
    for picture in (make_pictures.PICTURES / "report.png", tmp_path / "report.png"):
        content = picture.read_bytes()
        size = struct.unpack(">II", content[16:24])  # IHDR, the first chunk of every PNG
        assert size == (make_pictures.WIDTH, make_pictures.HEIGHT)
        assert len(content) < 200_000
