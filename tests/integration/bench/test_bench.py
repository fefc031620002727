"""The leak test sees memory flat, finds a leak, and shows a server that grows beside it."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli
from pdfingest.bench.legs import Inputs, Leg, find_inputs
from pdfingest.bench.long_lived import Watch
from pdfingest.bench.loop import looped
from pdfingest.bench.server import THREADS, served
from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode
from pdfingest.measure.flatness import Point, Verdict
from pdfingest.options import IngestOptions
from pdfingest.stop import Stop
from terminal import shown_in_terminal, widest


@pytest.fixture
def inputs(faulty: Callable[..., Path], pdfs: Path) -> Callable[..., Inputs]:
    """Sound files, and among them those that are given, by their index."""

    def make(files: int, **faults: dict[str, Any]) -> Inputs:
        for index in range(files):
            faulty(f"{index:03}.pdf", **faults.get(f"at_{index}", {}))
        return find_inputs([str(pdfs)], files)

    return make


def watch(time_s: float = math.inf) -> tuple[Watch, list[Point]]:
    """Of a leg, with what it is told."""
    told: list[Point] = []
    return Watch(Stop(), told.append, time_s), told


def served_by_faulty(inputs: Inputs, options: IngestOptions, watch: Watch) -> Leg:
    """The leg of a server that reads with the engine for faults."""
    (engine,) = find_engines("faulty")
    return served(inputs, options, engine, watch)


COLUMNS = 80


def benched(tmp_path: Path, files: int) -> tuple[dict[str, Any], str]:
    """The figures of a bench, and what a terminal shows of it."""
    figures = tmp_path / "figures.json"
    words = ("bench", "--files", files, "--control", "pypdf", "-w", "2", "--json", figures)
    lines = shown_in_terminal(COLUMNS, tmp_path, *words, code=0)  # 20 s on a quiet machine
    assert widest(lines) <= COLUMNS, max(lines, key=len)
    return json.loads(figures.read_text()), "\n".join(lines)


@pytest.mark.slow
def test_out_of_the_box_memory_is_flat_a_leak_is_found_and_a_server_grows(tmp_path: Path) -> None:
    count = 800
    figures, text = benched(tmp_path, count)
    if "control   INCONCLUSIVE" in text:  # a noisy machine; more files tell, as the line says
        count = 1600
        figures, text = benched(tmp_path, count)
    for mark in ("ooo", "+++", "---", "###"):
        assert mark in text
    for heading in ("files", "failed", "ended", "ms a file", "highest", "bytes a file", "verdict"):
        assert heading in text
    for line in (
        "isolated  FLAT: ",
        "leaking   GROWS: ",
        "control   GROWS: ",
        "bench     PASSED: ",
    ):
        assert f"\n{line}" in text
    said = " ".join(text.split())  # where lines are broken depends on the figures
    assert "pypdf in 40 threads of one process" in said
    assert "load of the machine" in said
    assert figures["passed"]
    for name in ("isolated", "leaking", "control"):
        leg = figures["legs"][name]
        assert (leg["files"], leg["failed"], leg["deaths"]) == (count, 0, 0)
        assert leg["points"][-1][0] == count
    assert 800 < figures["legs"]["leaking"]["memory"]["bytes_per_file"] < 1500
    assert figures["isolation_ratio"] > 1


def test_fewer_files_than_can_be_judged_are_refused_before_the_work(cli: Cli) -> None:
    done = cli("bench", "--files", "499", "nowhere")
    assert done.returncode == 2
    assert "a verdict takes 500 files at least" in done.stderr


@pytest.mark.parametrize("leak", ["0", "1000", "2M"])
def test_a_leak_that_cannot_be_found_or_held_is_refused(cli: Cli, leak: str) -> None:
    done = cli("bench", "--inject-leak", leak, "nowhere")
    assert done.returncode == 2
    assert "the leak must be twice the limit of the verdict (1024) at least" in done.stderr


def test_a_server_reads_with_one_engine(cli: Cli) -> None:
    done = cli("bench", "--control", "pypdf,pdfium")
    assert done.returncode == 2
    assert "a server reads with one engine" in done.stderr


def test_inputs_that_overlap_are_read_once_a_turn(pdfs: Path, faulty: Callable[..., Path]) -> None:
    inputs = [str(pdfs), str(faulty("b.pdf")), str(faulty("a.pdf"))]
    found = find_inputs(inputs, 500)
    assert [source.name for source in found.sources] == ["a.pdf", "b.pdf"]
    assert [found.at(index).name for index in range(3)] == ["a.pdf", "b.pdf", "a.pdf"]


def test_a_server_whose_engine_is_missing_is_refused_before_the_work(cli: Cli) -> None:
    done = cli("bench", "--control", "missing")
    assert done.returncode == 4
    assert "engine 'missing' is not installed" in done.stderr


def test_without_a_pdf_there_is_nothing_to_bench(cli: Cli, pdfs: Path) -> None:
    done = cli("bench", pdfs)
    assert done.returncode == 3
    assert "Leave the inputs out" in done.stderr


FAULTS: dict[str, dict[str, Any]] = {
    "it dies": {"fault": "segfault"},
    "it hangs": {"fault": "hang"},
    "it takes all memory": {"fault": "keeps", "kib": 300 << 10},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_server_is_started_again_and_every_file_is_accounted_for(
    inputs: Callable[..., Inputs], fault: dict[str, Any]
) -> None:
    options = IngestOptions(
        timeout_s=0.1, page_timeout_s=0.1, memory_budget_bytes=200 << 20, workers=1
    )
    each, told = watch()
    leg = served_by_faulty(inputs(2 * THREADS + 5, at_50=fault), options, each)
    assert (leg.files, leg.deaths) == (85, 1)
    assert 1 <= leg.failed <= THREADS, "what it was reading"
    assert [files for files, _ in told] == [0, 40, 80, 85]
    assert leg.longest == told[:2], "of one process"


def test_a_server_counts_files_that_it_cannot_read(inputs: Callable[..., Inputs]) -> None:
    leg = served_by_faulty(inputs(41, at_3={"fault": "raises"}), IngestOptions(), watch()[0])
    assert (leg.files, leg.failed, leg.deaths) == (41, 1, 0)


def test_a_server_that_keeps_memory_grows_by_it(inputs: Callable[..., Inputs]) -> None:
    one = inputs(1, at_0={"fault": "keeps", "kib": 16})
    leg = served_by_faulty(Inputs(one.sources, 1600), IngestOptions(), watch()[0])
    assert leg.trend.verdict is Verdict.GROWS
    assert 15_000 < leg.trend.bytes_per_file < 25_000


def test_a_server_ends_when_its_time_is_up(inputs: Callable[..., Inputs]) -> None:
    one = inputs(1, at_0={"fault": "sleep", "seconds": 0.05})
    leg = served_by_faulty(Inputs(one.sources, 10**6), IngestOptions(), watch(time_s=3)[0])
    assert 40 <= leg.files < 10_000
    assert leg.files % THREADS == leg.failed == leg.deaths == 0


def test_a_file_that_hangs_does_not_hold_up_a_server_beyond_its_time(
    inputs: Callable[..., Inputs],
) -> None:
    hangs = inputs(85, at_50={"fault": "hang"})
    leg = served_by_faulty(hangs, IngestOptions(timeout_s=60), watch(time_s=4)[0])
    assert (leg.files, leg.failed, leg.deaths) == (40, 0, 0)


def test_a_stop_ends_a_server_at_once(inputs: Callable[..., Inputs]) -> None:
    one, stop = inputs(1), Stop()
    told: list[Point] = []

    def tell(at: Point) -> None:
        told.append(at)
        if at[0] >= 80:
            stop.request(ExitCode.INTERRUPTED)

    leg = served_by_faulty(Inputs(one.sources, 10**6), IngestOptions(), Watch(stop, tell))
    assert leg.files == told[-1][0] == 80


def test_a_loop_does_what_a_child_does(inputs: Callable[..., Inputs], tmp_path: Path) -> None:
    some = inputs(5, at_1={"fault": "raises"}, at_3={"fault": "segfault"})
    leg: Leg = looped(some, IngestOptions(engine="faulty"), str(tmp_path), watch()[0])
    assert (leg.files, leg.failed, leg.deaths) == (5, 2, 1)
    assert leg.lane_ms > 0
    assert not (tmp_path / "spool").exists()
