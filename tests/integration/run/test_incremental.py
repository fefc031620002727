"""A run takes only what changed since an earlier one, and says what became of the rest."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, Lines, read_lines

LONG_AGO_NS = 1_600_000_000_123_456_789


@pytest.fixture
def run(
    cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path
) -> Callable[..., dict[str, dict[str, Any]]]:
    """Ingest again; gives the report lines that this run added, by source."""
    seen = 0
    for name in ("a.pdf", "b.pdf"):
        age(faulty(name, pages=2))

    def run(*args: str | Path) -> dict[str, dict[str, Any]]:
        nonlocal seen
        usual = ("--engine", "faulty", "-w", "2", "-q", "--report-unchanged")
        done = cli_here("run", pdfs, "-o", out, *usual, *args)
        assert done.stderr == ""
        lines = read_lines(out / "report.jsonl")
        added, seen = lines[seen:], len(lines)
        assert len(added) == len({line["source"] for line in added})
        return {line["source"]: line for line in added}

    return run


Run = Callable[..., dict[str, dict[str, Any]]]


def age(path: Path, by_ns: int = 0) -> None:
    """Give a file a time that is long past."""
    os.utime(path, ns=(LONG_AGO_NS + by_ns, LONG_AGO_NS + by_ns))


def states(report: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: line["status"] for name, line in report.items()}


def records(out: Path) -> list[tuple[str, int]]:
    return [(r["source"], r["metadata"]["page"]) for r in read_lines(out / "pages.jsonl")]


def test_what_has_not_changed_costs_no_child_and_keeps_its_records(run: Run, out: Path) -> None:
    first = run()
    assert states(first) == {"a.pdf": "ok", "b.pdf": "ok"}
    before = (out / "pages.jsonl").read_bytes()
    second = run()
    assert states(second) == {"a.pdf": "unchanged", "b.pdf": "unchanged"}
    for name, line in second.items():
        assert (line["pid"], line["attempts"], line["failure"]) == (0, 0, "")
        for key in ("sha256", "bytes", "pages", "chars", "engine", "options_digest"):
            assert line[key] == first[name][key]
    assert (out / "pages.jsonl").read_bytes() == before


def test_what_changed_gets_new_records(run: Run, faulty: Callable[..., Path], out: Path) -> None:
    run()
    age(faulty("a.pdf", pages=3), 1)
    assert states(run()) == {"a.pdf": "ok", "b.pdf": "unchanged"}
    assert records(out)[4:] == [("a.pdf", 1), ("a.pdf", 2), ("a.pdf", 3)]
    assert states(run()) == {"a.pdf": "unchanged", "b.pdf": "unchanged"}


def test_a_new_time_alone_is_no_change_and_is_only_looked_into_once(run: Run, pdfs: Path) -> None:
    run()
    age(pdfs / "a.pdf", 1)
    second = run()
    assert states(second) == {"a.pdf": "unchanged", "b.pdf": "unchanged"}
    assert second["a.pdf"]["pid"] != 0, "its hash was taken, in a child"
    assert second["b.pdf"]["pid"] == 0
    assert run()["a.pdf"]["pid"] == 0


def test_a_file_that_moved_with_its_folder_is_unchanged(run: Run, pdfs: Path) -> None:
    run()
    pdfs.rename(pdfs.with_name("moved"))
    pdfs.symlink_to("moved")
    assert set(states(run()).values()) == {"unchanged"}


def test_a_change_that_keeps_size_and_time_is_seen_by_its_hash(
    run: Run, faulty: Callable[..., Path]
) -> None:
    run()
    age(faulty("a.pdf", pages=1))
    assert states(run()) == {"a.pdf": "unchanged", "b.pdf": "unchanged"}
    assert states(run("--checksum")) == {"a.pdf": "ok", "b.pdf": "unchanged"}


def test_a_file_that_was_only_just_written_is_not_trusted_by_its_time(
    run: Run, faulty: Callable[..., Path]
) -> None:
    path = faulty("a.pdf", pages=1)
    soon_ns = time.time_ns() + 3_600_000_000_000
    os.utime(path, ns=(soon_ns, soon_ns))
    run()
    faulty("a.pdf", pages=2)
    os.utime(path, ns=(soon_ns, soon_ns))
    assert states(run()) == {"a.pdf": "ok", "b.pdf": "unchanged"}


def test_force_takes_all(run: Run) -> None:
    run()
    assert states(run("--force")) == {"a.pdf": "ok", "b.pdf": "ok"}


@pytest.mark.parametrize(
    "args", [("--engine", "second"), ("--unit", "document"), ("--unit", "chunk")]
)
def test_an_option_that_changes_the_text_makes_all_anew(run: Run, args: tuple[str, ...]) -> None:
    run()
    assert states(run(*args)) == {"a.pdf": "ok", "b.pdf": "ok"}


@pytest.mark.parametrize(
    "args", [("--timeout", "7"), ("--password", "x"), ("--order", "name"), ("-w", "1")]
)
def test_an_option_that_does_not_change_the_text_changes_nothing(
    run: Run, args: tuple[str, ...]
) -> None:
    run()
    assert set(states(run(*args)).values()) == {"unchanged"}


@pytest.fixture
def failures(faulty: Callable[..., Path]) -> None:
    """A file that raises, one that is malformed, and one that loses a page."""
    faulty("raises.pdf", fault="raises")
    faulty("malformed.pdf", fault="malformed", page=0)
    faulty("partial.pdf", pages=2, fault="raises")


@pytest.mark.usefixtures("failures")
def test_failures_are_tried_again_and_lost_pages_only_if_asked(run: Run) -> None:
    first = states(run())
    assert first["partial.pdf"] == "partial"
    second = run()
    assert states(second) == {
        "a.pdf": "unchanged",
        "b.pdf": "unchanged",
        "partial.pdf": "unchanged",
        "raises.pdf": "failed",
        "malformed.pdf": "failed",
    }
    assert (second["partial.pdf"]["pages"], second["partial.pdf"]["failed_pages"]) == (1, [1])


def test_lost_pages_are_not_forgotten_by_a_run_that_has_nothing_to_do(
    cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    faulty("partial.pdf", pages=2, fault="raises")
    args = ("run", pdfs, "-o", out, "--engine", "faulty")
    assert [cli_here(*args).returncode for _ in range(2)] == [1, 1]
    assert "1 of them partial: --retry-failed" in cli_here(*args).stderr
    assert cli_here(*args, "--fail-on", "failed").returncode == 0


@pytest.mark.usefixtures("failures")
@pytest.mark.parametrize(
    ("args", "taken"),
    [
        (("--retry-failed",), {"raises.pdf", "malformed.pdf", "partial.pdf"}),
        (("--retry-failed", "malformed"), {"malformed.pdf"}),
        (("--retry-failed=engine_error,timeout",), {"raises.pdf", "partial.pdf"}),
    ],
)
def test_a_retry_takes_failures_only(run: Run, args: tuple[str, ...], taken: set[str]) -> None:
    run()
    assert set(run(*args)) == taken


def test_a_retry_before_its_inputs_is_understood(
    cli_here: Cli, run: Run, pdfs: Path, out: Path
) -> None:
    run()
    done = cli_here("run", "--retry-failed", pdfs, "-o", out, "--engine", "faulty")
    assert done.returncode == 0


def test_a_retry_of_an_unknown_kind_is_refused(cli_here: Cli, pdfs: Path) -> None:
    done = cli_here("run", pdfs, "--retry-failed=timeouts")
    assert done.returncode == 2
    assert "--retry-failed: must be any or one or more of encrypted, malformed," in done.stderr
    assert "memory_limit" in done.stderr


def test_what_vanished_is_told_once_and_costs_no_exit_code(
    cli_here: Cli, run: Run, pdfs: Path, out: Path
) -> None:
    run()
    (pdfs / "b.pdf").unlink()
    second = run()
    assert states(second) == {"a.pdf": "unchanged", "b.pdf": "gone"}
    assert (second["b.pdf"]["failure"], second["b.pdf"]["pid"]) == ("", 0)
    assert set(run()) == {"a.pdf"}
    (pdfs / "a.pdf").rename(pdfs / "c.pdf")
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", "--max-gone", "100%")
    assert done.returncode == 0
    told = [(line["source"], line["status"]) for line in read_lines(out / "report.jsonl")[-2:]]
    assert told == [("a.pdf", "gone"), ("c.pdf", "ok")]


def test_other_inputs_do_not_make_a_source_vanish(
    cli_here: Cli, run: Run, faulty: Callable[..., Path], tmp_path: Path, out: Path
) -> None:
    run()
    (tmp_path / "more").mkdir()
    faulty("c.pdf").rename(tmp_path / "more" / "c.pdf")
    cli_here("run", tmp_path / "more", "-o", out, "--engine", "faulty")
    lines: Lines = read_lines(out / "report.jsonl")[2:]
    assert [line["source"] for line in lines] == ["c.pdf"]


def test_a_dry_run_lists_only_what_a_run_would_take(
    cli_here: Cli, run: Run, faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    run()
    faulty("c.pdf")
    before = sorted(path.name for path in (out / ".pdfingest").iterdir())
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", "--dry-run")
    assert done.stdout == "c.pdf\n"
    assert sorted(path.name for path in (out / ".pdfingest").iterdir()) == before


def test_outputs_that_are_gone_are_not_forgotten(
    cli_here: Cli, run: Run, pdfs: Path, out: Path
) -> None:
    run()
    (out / "pages.jsonl").unlink()
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty")
    assert done.returncode == 4
    assert "move the whole directory away" in done.stderr
