"""Make the pictures of the documentation: a run and the leak test in a terminal, and a report.

    nox -s pictures

They are taken from real runs of the installed program. The report needs Chromium.
"""

import os
import pty
import re
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from fpdf import FPDF
from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
FIRST = "pdfingest run examples/pdfs"
"""The first command of the README."""
BENCH = "pdfingest bench"
LINES, COLUMNS = 50, 80
WIDTH, HEIGHT = 1000, 880
"""Size in pixels of the picture of the report: its head and the first two charts."""
_TOKENS = re.compile(
    r"\x1b\[(?P<up>\d+)A|\x1b\[(?P<erase>2)K|(?P<feed>\n)"
    r"|(?P<text>(?:\x1b\[[0-9;]*m|[^\x1b\r\n])+)|\r|\x1b\[[0-9;?]*[A-Za-z]"
)
"""The last two need not be obeyed: a line is always erased before it is written again."""
_WEB_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
FILES = 1500
"""Enough for a verdict on memory."""
_WORDS = ("the", "keeper", "wrote", "down", "every", "ship", "that", "passed", "the", "cape")


def record(command: str, cwd: Path) -> Iterator[str]:
    """Run a shell command in a terminal of 80 columns; yield its output as it comes."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (LINES, COLUMNS))
    others = ("PDFINGEST_", "GITHUB_", "COLUMNS", "NO_COLOR", "FORCE_COLOR")
    env = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        command, shell=True, stdin=its, stdout=its, stderr=its, cwd=cwd,
        env={**env, "PATH": path, "TERM": "xterm-256color"},
    ):  # fmt: skip
        os.close(its)
        with suppress(OSError):  # EIO, once the program has closed its end
            while part := os.read(ours, 1 << 16):
                yield part.decode()
    os.close(ours)


def screen(output: str) -> list[str]:
    """Return the lines that a terminal shows after this output, with their colours.

    It obeys what the progress bar needs: go up, erase a line.
    """
    lines, row = [""], 0
    for token in _TOKENS.finditer(output):
        if token["up"]:
            row -= int(token["up"])
        elif token["erase"]:
            lines[row] = ""
        elif token["feed"]:
            row += 1
            lines += [""] * (row == len(lines))
        elif token["text"]:
            lines[row] += token["text"]
    return lines


def draw_terminal(path: Path, command: str) -> None:
    """Draw the terminal after a command."""
    with TemporaryDirectory() as cwd, open(os.devnull, "w", encoding="utf-8") as nowhere:
        (Path(cwd) / "examples").symlink_to(ROOT / "examples")
        console = Console(width=COLUMNS, record=True, file=nowhere, highlight=False)
        console.print(f"$ {command}", style="bold")
        for line in screen("".join(record(command, Path(cwd)))):
            console.print(Text.from_ansi(line))
        svg = console.export_svg(title="pdfingest")
    # Without the web font: a picture is no reason to ask another server.
    path.write_text(_WEB_FONTS.sub("", svg), encoding="utf-8")


def write_pdfs(folder: Path, files: int) -> None:
    """Write PDFs of prose and scans, the same ones each time, and add the broken examples."""
    random = Random(1)
    for number in range(files):
        pdf = FPDF()
        pdf.set_font("Helvetica", size=11)
        for _ in range(1 + int(random.expovariate(0.2))):
            pdf.add_page()
            pdf.multi_cell(0, text=" ".join(random.choices(_WORDS, k=random.randrange(5, 99))))
        if number % 8 == 0:
            side = random.randrange(100, 1500)
            pdf.image(Image.frombytes("L", (side, side), random.randbytes(side * side)), w=90)
        pdf.output(str(folder / f"log-{number:04}.pdf"))
    shutil.copytree(ROOT / "examples" / "broken", folder, dirs_exist_ok=True)


def draw_report(folder: Path, files: int = FILES) -> None:
    """Run over this many files with `--html`, and photograph the page that it writes."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with TemporaryDirectory() as cwd, sync_playwright() as playwright:
        pdfs = Path(cwd) / "pdfs"
        pdfs.mkdir()
        write_pdfs(pdfs, files)
        for _ in record("pdfingest run pdfs --html --fail-on never", Path(cwd)):
            pass
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto((Path(cwd) / "pdfingest-out" / "report.html").as_uri())
        page.wait_for_function("window.Bokeh?.documents[0]?.is_idle")
        page.screenshot(path=folder / "report.png")
        browser.close()


def main(folder: Path = PICTURES) -> None:
    """Draw all pictures."""
    draw_terminal(folder / "terminal.svg", FIRST)
    draw_terminal(folder / "bench.svg", BENCH)
    draw_report(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
