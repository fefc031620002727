"""There is a sign of life inside of a file: pages, and before them the bytes that are hashed."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from pdfingest import IngestOptions, ingest
from pdfingest.cli import log, progress
from pdfingest.cli.log import LogView
from pdfingest.cli.messages import how_far
from pdfingest.cli.progress import ProgressView
from pdfingest.errors import ExitCode
from pdfingest.events import Listener
from pdfingest.model import Reading, Source
from pdfingest.output.summary import Summary
from pdfingest.stop import Stop
from terminal import shown_in_terminal

Make = Callable[..., Path]
READING = (
    Reading(Source("long.pdf", "", 1), 250, 1000),
    Reading(Source("large.pdf", "", 3 << 30), hashed_bytes=1 << 30),
    Reading(Source("new.pdf", "", 1)),
)


class Watch(Listener):
    """Notes how far a run is, while it waits for its only file."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float, float]] = []

    def on_tick(self, summary: Summary) -> None:
        if not summary.finished:
            self.seen.append((summary.pages_read, summary.progress, summary.pages_per_s))


@pytest.mark.parametrize("workers", [1, 3])
def test_pages_count_while_their_file_is_read_by_however_many_children(
    faulty: Make, pdfs: Path, out: Path, workers: int
) -> None:
    faulty("a.pdf", pages=300, page_s=0.005)
    watch = Watch()
    options = IngestOptions(output=out, engine="faulty", workers=workers)
    assert ingest(pdfs, options, listeners=[watch]).pages == 300
    pages, progress, rates = zip(*watch.seen, strict=True)
    assert len(set(pages)) > 3
    assert [*pages] == sorted(pages)
    assert [*progress] == sorted(progress)
    assert 0.5 < progress[-1] <= 1
    assert rates[-1] > 0


def test_a_file_that_is_hashed_shows_how_far_it_is(faulty: Make, pdfs: Path, out: Path) -> None:
    path = faulty("a.pdf")
    with open(path, "ab") as file:
        file.truncate(2 << 30)  # a hole, which takes no room
    seen: list[str] = []
    stop = Stop()

    class Hashing(Listener):
        def on_tick(self, summary: Summary) -> None:
            if summary.reading and summary.reading[0].hashed_bytes:
                seen.append(how_far(summary.reading[0]))
                stop.request(ExitCode.INTERRUPTED)

    options = IngestOptions(output=out, engine="faulty", workers=1)
    ingest(pdfs, options, listeners=[Hashing()], stop=stop)
    assert seen[0].endswith(" MiB of 2,048.0 MiB hashed")


def test_the_log_says_how_far_the_files_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log, "_EVERY_S", 0.0)
    LogView(verbose=False).on_tick(Summary(planned=4, ok=1, pages=7, reading=READING))
    (line,) = capsys.readouterr().err.splitlines()
    assert " finished=1 sources=4 failed=0 pages=257 " in line
    assert line.endswith(
        'reading="long.pdf · 250 of 1,000 pages, '
        'large.pdf · 1,024.0 MiB of 3,072.0 MiB hashed, new.pdf"'
    )


def test_the_bar_moves_with_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_REDRAW_S", 0.0)
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=80, height=24, color_system=None)
    with ProgressView(terminal) as view:
        view.on_planned(4, 1 << 30)
        view.on_started(0, READING[0].source)
        view.on_tick(Summary(planned=4, reading=READING[:1]))
        begun = screen.getvalue()
        view.on_tick(Summary(planned=4, reading=[Reading(READING[0].source, 999, 1000)]))
        ahead = screen.getvalue().removeprefix(begun)
    assert "long.pdf · 250 of 1,000 pages" in begun
    assert "long.pdf · 999 of 1,000 pages" in ahead
    assert ahead.count("━") >= begun.count("━") > 0
    assert "250 pages · " in begun


def test_a_name_gives_way_to_the_figures_on_a_narrow_terminal(
    faulty: Make, pdfs: Path, out: Path, tmp_path: Path
) -> None:
    faulty(f"{'long ' * 20}.pdf", pages=100, page_s=0.02)
    words = ("run", pdfs, "-o", out, "--engine", "faulty", "-w", "1", "--progress")
    lines = shown_in_terminal(60, tmp_path, *words)
    assert any("of 100 pages" in line and "…" in line for line in lines)
