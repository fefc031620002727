"""`--dry-run`: what a run would take, looked up without a trace and without waiting."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cli, as_nobody_special, environment, wait_for


@pytest.fixture
def ingested(cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path) -> Path:
    """An output directory that knows two of three files."""
    for name in ("a.pdf", "b.pdf"):
        os.utime(faulty(name, text="x" * 100_000), (1_600_000_000, 1_600_000_000))
    assert cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-q").returncode == 0
    faulty("c.pdf")
    return out


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """All that is in a directory, with size and time."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def test_it_counts_what_it_lists(cli_here: Cli, pdfs: Path, ingested: Path) -> None:
    size = (pdfs / "c.pdf").stat().st_size
    assert size < 1000
    done = cli_here("run", pdfs, "-o", ingested, "--engine", "faulty", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "c.pdf\n")
    assert done.stderr == "1 file, 0.0 MiB, and 2 unchanged\n"
    done = cli_here("run", pdfs, "-o", ingested, "--engine", "faulty", "--dry-run", "--force")
    assert done.stdout.splitlines() == ["a.pdf", "b.pdf", "c.pdf"]
    assert done.stderr == "3 files, 0.2 MiB\n"


def test_it_leaves_no_trace(cli_here: Cli, pdfs: Path, ingested: Path) -> None:
    before = tree(ingested.parent)
    cli_here("run", pdfs, "-o", ingested, "--engine", "faulty", "--dry-run")
    assert tree(ingested.parent) == before


def test_it_works_where_nothing_can_be_written(pdfs: Path, ingested: Path) -> None:
    for path in (ingested, *ingested.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    command = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(ingested)]
    done = subprocess.run(
        [*as_nobody_special(), *command, "--engine", "faulty", "--dry-run"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    for path in (ingested, *ingested.rglob("*")):
        path.chmod(0o755)
    assert (done.returncode, done.stdout) == (0, "c.pdf\n")


def test_it_does_not_wait_for_a_run_and_sees_what_that_has_committed(
    cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, ingested: Path
) -> None:
    os.utime(faulty("d.pdf", fault="hang"), (1_600_000_000, 1_600_000_000))
    os.utime(pdfs / "c.pdf", (1_600_000_000, 1_600_000_000))
    args = ["run", str(pdfs), "-o", str(ingested), "--engine", "faulty", "-q", "-w", "2"]
    process = subprocess.Popen([sys.executable, "-m", "pdfingest", *args], env=environment())
    try:
        listed: list[str] = []

        def is_done() -> bool:
            done = cli_here(*args, "--dry-run")
            assert (done.returncode, process.poll()) == (0, None)
            listed[:] = done.stdout.splitlines()
            return "c.pdf" not in listed

        wait_for(is_done)
        assert listed == ["d.pdf"]
    finally:
        process.terminate()
        process.wait()


def test_a_ledger_that_is_damaged_is_named_by_its_own_path(
    cli_here: Cli, pdfs: Path, ingested: Path
) -> None:
    ledger = ingested / ".pdfingest" / "ledger.sqlite3"
    ledger.write_bytes(b"no database " * 100)
    done = cli_here("run", pdfs, "-o", ingested, "--engine", "faulty", "--dry-run")
    assert done.returncode == 4
    assert f"pdfingest: {ledger} cannot be used" in done.stderr
    assert f"move {ingested} away" in done.stderr
