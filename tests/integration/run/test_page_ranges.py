"""A large file at the end of a run is read by all lanes, and nobody can tell from its records."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, read_lines

PAGES = 60
Read = Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]


@pytest.fixture
def read(cli_here: Cli, faulty: Callable[..., Path], out: Path) -> Read:
    """Run one file of many slow pages; gives its report line and its records."""

    def read(
        *args: object, workers: int = 3, into: Path = out, **order: Any
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        path = faulty("a.pdf", **{"pages": PAGES, "page": -1, "page_s": 0.03, **order})
        done = cli_here("run", path, "-o", into, "--engine", "faulty,second", "-w", workers, *args)
        assert "Traceback" not in done.stderr
        (line,) = read_lines(into / "report.jsonl")
        assert not os.path.exists(into / ".pdfingest" / "spool")
        return line, read_lines(into / "pages.jsonl")

    return read


def numbers(records: list[dict[str, Any]]) -> list[int]:
    return [record["metadata"]["page"] for record in records]


def test_idle_lanes_take_over_pages_and_records_are_in_order(read: Read) -> None:
    line, records = read()
    assert numbers(records) == [*range(1, PAGES + 1)]
    assert {record["metadata"]["sha256"] for record in records} == {line["sha256"]}
    assert (line["status"], line["pages"], line["pages_failed"]) == ("ok", PAGES, 0)
    assert line["attempts"] > 1
    assert line["wall_s"] < PAGES * 0.03  # what one lane takes
    assert line["chars"] == sum(record["metadata"]["char_count"] for record in records)


def test_one_lane_reads_all_of_it(read: Read) -> None:
    line, records = read(workers=1)
    assert numbers(records) == [*range(1, PAGES + 1)]
    assert line["attempts"] == 1


@pytest.mark.parametrize("killers", [[2], [PAGES], [3, 20, 31, 45, 59]])
def test_pages_that_kill_cost_themselves_in_any_range(read: Read, killers: list[int]) -> None:
    faults = {"fault": "sigkill", "second_fault": "segfault"}
    line, records = read(killers=killers, second_killers=killers, **faults)
    assert numbers(records) == [page for page in range(1, PAGES + 1) if page not in killers]
    assert (line["status"], line["failure"]) == ("partial", "crashed")
    assert line["failed_pages"] == killers
    assert line["signal"] in {"SIGKILL", "SIGSEGV"}


def test_pages_that_raise_cost_themselves_in_any_range(read: Read) -> None:
    killers = [1, 30, PAGES]
    faults = {"fault": "raises", "second_fault": "raises"}
    line, records = read(killers=killers, second_killers=killers, **faults)
    assert numbers(records) == [page for page in range(1, PAGES + 1) if page not in killers]
    assert (line["failure"], line["failed_pages"]) == ("engine_error", killers)


def test_a_range_that_hangs_is_ended_and_goes_on(read: Read) -> None:
    line, records = read(
        "--page-timeout", "1", fault="hang", second_fault="hang", killers=[40], second_killers=[40]
    )
    assert numbers(records) == [page for page in range(1, PAGES + 1) if page != 40]
    assert (line["failure"], line["failed_pages"]) == ("timeout", [40])


def test_a_file_that_changes_while_it_is_spread_is_changed(read: Read) -> None:
    line, records = read("--sandbox", "off", fault="changes", killers=[55])
    assert (line["status"], line["failure"], records) == ("failed", "changed", [])


def test_a_limit_on_the_whole_file_gives_what_one_lane_gives(read: Read, tmp_path: Path) -> None:
    one, few = read("--max-output", "20K", workers=1, into=tmp_path / "one")
    line, records = read("--max-output", "20K", into=tmp_path / "three")
    assert (one["failure"], line["failure"]) == ("too_large", "too_large")
    assert line["failed_pages"] == one["failed_pages"]
    assert numbers(records) == numbers(few)
    assert line["attempts"] > 2  # the parts, and then all in one piece
