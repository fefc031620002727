"""Gates for CI: a run that ends with 5 where memory is not what was asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cli, read_lines

Make = Callable[..., Path]


@pytest.fixture
def args(faulty: Make, pdfs: Path, out: Path) -> tuple[object, ...]:
    """A run of one file that takes 60 MiB and one that takes none."""
    faulty("large.pdf", fault="allocate", mib=60)
    faulty("small.pdf")
    return ("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2")


def test_a_peak_above_the_gate_fails_and_is_named(cli_here: Cli, args: tuple[Path, ...]) -> None:
    done = cli_here(*args, "--max-peak", "70M")
    assert done.returncode == 5
    assert "1 files exceed --max-peak 70.0 MiB:" in done.stderr
    assert "MiB  large.pdf" in done.stderr
    assert "MiB  small.pdf" not in done.stderr


def test_peaks_below_the_gate_pass(cli_here: Cli, args: tuple[Path, ...]) -> None:
    done = cli_here(*args, "--max-peak", "120M")
    assert done.returncode == 0
    assert "exceed" not in done.stderr


def test_a_gate_goes_before_failures_and_keeps_the_outputs(
    cli_here: Cli, args: tuple[Path, ...], faulty: Make, out: Path
) -> None:
    faulty("bad.pdf", fault="raises")
    assert cli_here(*args, "--max-peak", "70M", "-q").returncode == 5
    assert (out / "pages.jsonl").read_bytes().count(b"\n") == 2


def test_flatness_that_cannot_be_told_is_not_flat(
    cli: Cli, args: tuple[Path, ...], out: Path
) -> None:
    done = cli(*args, "--require-flat")
    assert done.returncode == 5
    assert "--require-flat: inconclusive: " in done.stderr
    assert "KiB over 2 files; 498 more would tell" in done.stderr
    memory = json.loads((out / "summary.json").read_text())["memory"]
    assert memory["verdict"] == "inconclusive"
    assert memory["samples"]["files"][-1] == 2
    assert memory["samples"]["parent_rss_bytes"][-1] > 10 << 20


def test_files_that_are_unchanged_are_no_evidence_that_memory_is_flat(
    cli: Cli, args: tuple[Path, ...], faulty: Make, out: Path
) -> None:
    cli(*args)
    faulty("new.pdf")
    done = cli(*args, "--require-flat")
    assert done.returncode == 5
    assert "over 1 file; 499 more would tell" in done.stderr
    memory = json.loads((out / "summary.json").read_text())["memory"]
    assert (memory["samples"]["files"][0], memory["samples"]["files"][-1]) == (2, 3)


@pytest.mark.slow
def test_a_run_over_enough_files_is_flat(cli: Cli, faulty: Make, pdfs: Path, out: Path) -> None:
    args = ("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", "-q", "--require-flat")
    for number in range(800):
        faulty(f"{number}.pdf")
    done = cli(*args)
    if "inconclusive" in done.stderr:  # a busy machine; more files tell, as it says
        for number in range(800, 1600):
            faulty(f"{number}.pdf")
        done = cli(*args, "--force")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_gate_judges_what_is_unchanged_by_the_peaks_that_it_had(
    cli_here: Cli, args: tuple[Path, ...], faulty: Make
) -> None:
    first = cli_here(*args, "--max-peak", "70M", "-q")
    again = cli_here(*args, "--max-peak", "70M", "-q")
    assert (first.returncode, again.returncode) == (5, 5)
    assert again.stderr == first.stderr
    assert cli_here(*args, "--max-peak", "120M").returncode == 0
    faulty("new.pdf")
    for flag in ("--report-unchanged", "--checksum"):
        done = cli_here(*args, "--max-peak", "70M", "-q", flag)
        assert (done.returncode, done.stderr) == (5, first.stderr)


def test_a_run_that_has_nothing_to_do_is_no_evidence_against_flatness(
    cli: Cli, args: tuple[Path, ...], out: Path
) -> None:
    assert cli(*args, "--require-flat").returncode == 5
    before = json.loads((out / "summary.json").read_text())["memory"]
    quiet = cli(*args, "--require-flat", "-q")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["unchanged"], summary["memory"]) == (2, before)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 1),
        (["--max-failures", "2"], 1),
        (["--max-failures", "3"], 0),
        (["--max-failures", "74%"], 1),
        (["--max-failures", "75%"], 0),
        (["--fail-on", "failed", "--max-failures", "1"], 1),
        (["--fail-on", "failed", "--max-failures", "2"], 0),
    ],
)
def test_as_many_may_be_lost_as_the_user_says(
    cli_here: Cli, faulty: Make, pdfs: Path, out: Path, words: list[str], code: int
) -> None:
    faulty("good.pdf")
    faulty("partial.pdf", pages=2, fault="raises")
    for name in ("bad.pdf", "worse.pdf"):
        (pdfs / name).write_bytes(b"no PDF")
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", *words)
    assert done.returncode == code, done.stderr
    statuses = sorted(line["status"] for line in read_lines(out / "report.jsonl"))
    assert statuses == ["failed", "failed", "ok", "partial"]
