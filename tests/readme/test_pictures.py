"""The pictures show what the program shows now; `nox -s pictures` makes them anew."""

import re
import shutil
import struct
from html import unescape
from itertools import takewhile
from pathlib import Path

import make_pictures
import pytest
from test_readme import comparable
from test_tables import options

_LINE = re.compile(r'<text class="[\w-]+-r\d+" x="[\d.]+" y="([\d.]+)"[^>]*>(.*?)</text>')


def lines_of(svg: Path) -> list[str]:
    """What a picture of a terminal shows."""
    lines: dict[str, str] = {}
    for y, text in _LINE.findall(svg.read_text(encoding="utf-8")):
        lines[y] = lines.get(y, "") + unescape(text).replace("\xa0", " ")
    return [*lines.values()]


def test_the_terminal_is_that_of_this_program(tmp_path: Path) -> None:
    make_pictures.draw_terminal(tmp_path / "terminal.svg", make_pictures.FIRST)
    shown = [lines_of(each / "terminal.svg") for each in (make_pictures.PICTURES, tmp_path)]
    assert comparable(shown[0]) == comparable(shown[1])


def words_of(svg: Path) -> set[str]:
    """What a picture of the leak test says above its table, without figures and curves."""
    said = takewhile(lambda line: "isolated" not in line, lines_of(svg)[1:])
    return {" ".join(re.findall(r"[a-z]{2,}", line)) for line in said if "|" not in line}


@pytest.mark.slow
def test_the_leak_test_is_that_of_this_program(tmp_path: Path) -> None:
    # Half of the time of the leak test is that of its server, which another engine ends sooner.
    control = options("bench")["--control"].default
    command = f"{make_pictures.BENCH} --files 500 --control pdfium"
    make_pictures.draw_terminal(tmp_path / "bench.svg", command)
    shown = words_of(make_pictures.PICTURES / "bench.svg")
    assert shown == {each.replace("pdfium", control) for each in words_of(tmp_path / "bench.svg")}
    assert {"fresh process for each file", "limit bytes file"} < shown


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
