"""The leak test sees a leak, sees none where there is none, and says when it cannot tell."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli
from terminal import shown_in_terminal, widest


@pytest.fixture
def bench(cli: Cli) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Run it; gives the finished process and its figures."""

    def bench(*args: object) -> tuple[Any, dict[str, Any]]:
        done = cli("bench", "-w", "2", "--json", "-", *args)
        assert "Traceback" not in done.stderr
        return done, json.loads(done.stdout)

    return bench


Bench = Callable[..., tuple[Any, dict[str, Any]]]


@pytest.mark.slow
def test_without_inputs_it_makes_its_own_and_finds_memory_flat(bench: Bench) -> None:
    done, figures = bench("--files", "1400")
    assert done.returncode == 0, done.stderr
    assert "pdfingest bench: FLAT: " in done.stderr
    assert figures["verdict"] == "flat"
    for name in ("isolated", "reused"):
        each = figures[name]
        assert (each["files"], each["failed"], each["deaths"]) == (1400, 0, 0)
        assert each["points"][-1][0] == 1400
        assert each["highest_bytes"] > 10 << 20
    assert figures["isolated"]["lane_ms_per_file"] > figures["reused"]["lane_ms_per_file"]


@pytest.mark.slow
def test_a_leak_of_a_kib_per_file_fails_it(bench: Bench) -> None:
    done, figures = bench("--files", "800", "--inject-leak", "1K")
    assert done.returncode == 5
    assert "pdfingest bench: LEAK: " in done.stderr
    assert figures["injected_leak_bytes"] == 1024
    assert 700 < figures["isolated"]["bytes_per_file"] < 4096


def test_too_few_files_are_inconclusive_and_no_pass(bench: Bench) -> None:
    done, _ = bench("--files", "20")
    assert done.returncode == 5
    assert "INCONCLUSIVE: 20 files are too few to tell" in done.stderr


def test_the_control_goes_on_behind_files_that_end_it(
    bench: Bench, faulty: Callable[..., Path], pdfs: Path
) -> None:
    faulty("a.pdf", fault="segfault")
    faulty("b.pdf", fault="hang")
    faulty("c.pdf")
    args = ("--engine", "faulty", "--timeout", "1", "--files", "3")
    done, figures = bench(pdfs, *args)
    assert (figures["reused"]["files"], figures["reused"]["deaths"]) == (3, 2)
    assert (figures["isolated"]["files"], figures["isolated"]["failed"]) == (3, 2)
    assert "reused" in done.stderr


@pytest.mark.slow
def test_a_control_that_leaks_is_shown(
    bench: Bench, faulty: Callable[..., Path], pdfs: Path
) -> None:
    faulty("a.pdf", fault="keeps", kib=8)
    done, figures = bench(pdfs, "--engine", "faulty", "--files", "1400")
    assert done.returncode == 0, done.stderr
    assert (figures["isolated"]["verdict"], figures["reused"]["verdict"]) == ("flat", "leak")
    assert "do not make it leak" not in done.stderr


def test_without_a_pdf_there_is_nothing_to_bench(cli: Cli, pdfs: Path) -> None:
    done = cli("bench", pdfs)
    assert done.returncode == 3
    assert "Leave the inputs out" in done.stderr


@pytest.mark.parametrize("columns", ["80", "200"])
def test_the_pictures_fit_the_terminal(cli: Cli, columns: str) -> None:
    env = {"COLUMNS": columns, "NO_COLOR": "1"}
    done = cli("bench", "--files", "60", "-w", "2", env=env)
    *lines, verdict = done.stderr.splitlines()
    pictures = [line for line in lines if not line.startswith("control: ")]
    assert max(map(len, pictures)) <= int(columns)
    assert "\x1b" not in done.stderr
    assert sum("oooo" in line for line in pictures) >= 1
    assert sum("++++" in line for line in pictures) >= 1
    assert any("####" in line for line in pictures)
    assert verdict.startswith("pdfingest bench: ")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_terminal_shows_every_figure_of_both_rounds(
    faulty: Callable[..., Path], pdfs: Path, columns: int
) -> None:
    faulty("a.pdf")
    args = ("bench", pdfs, "--engine", "faulty", "--files", "20", "-w", "1")
    lines = shown_in_terminal(columns, pdfs, *args)
    text = "\n".join(lines)
    assert text.count("+0 (+0 to +0)") == 2
    for heading in ("files/s", "ms of a lane", "failed", "deaths", "highest", "bytes per file"):
        assert heading in text
    for name in ("isolated", "reused"):
        assert name in text
    assert widest([line for line in lines if "INCONCLUSIVE" not in line]) <= columns
