"""An earlier run shown again: in the terminal, as CSV, as pictures, as advice."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cli

Make = Callable[..., Path]


@pytest.fixture
def ingested(cli: Cli, faulty: Make, pdfs: Path, out: Path) -> Path:
    """A run of files whose peaks differ, one of which fails."""
    for number in range(20):
        faulty(f"{number:02}.pdf", pages=1 + number % 3)
    faulty("large.pdf", fault="allocate", mib=70)
    faulty("=1+1.pdf", fault="raises")
    done = cli("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", "-q")
    assert done.returncode == 1
    return out


def test_it_shows_peaks_and_what_to_look_at(cli: Cli, ingested: Path) -> None:
    done = cli("report", ingested, "--top", "2", "--workers", "8")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Peaks of the files" in done.stdout
    lines = done.stdout.splitlines()
    first, second = (line for line in lines if ".pdf " in line)
    assert first.startswith("large.pdf")
    assert not second.startswith("large.pdf")
    assert "22 files; failures: engine_error 1" in lines
    assert "inconclusive" in done.stdout
    assert "8 workers need" in done.stdout


def test_files_pass_under_the_limit_that_it_names(
    cli: Cli, ingested: Path, pdfs: Path, tmp_path: Path
) -> None:
    said = cli("report", ingested).stdout
    limit = said.split("--memory-limit ")[1].split(",")[0]
    assert limit.endswith("M")
    args = ("--memory-limit", limit, "-w", "2", "-q", "--engine", "faulty")
    cli("run", pdfs, "-o", tmp_path / "again", *args)
    summary = json.loads((tmp_path / "again" / "summary.json").read_text())
    assert (summary["failures"]["memory_limit"], summary["ok"]) == (0, 21)


def test_csv_has_a_row_for_each_file_and_no_formula(cli: Cli, ingested: Path) -> None:
    done = cli("report", ingested, "--csv")
    rows = {row["source"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert len(rows) == 22
    assert rows["'=1+1.pdf"]["failure"] == "engine_error"
    assert int(rows["large.pdf"]["peak_bytes"]) > 70 << 20
    assert int(rows["large.pdf"]["peak_bytes"]) > int(rows["large.pdf"]["baseline_bytes"])


def test_a_run_that_had_nothing_to_do_does_not_hide_what_files_cost(
    cli: Cli, ingested: Path, pdfs: Path
) -> None:
    cli("run", pdfs, "-o", ingested, "--engine", "faulty", "-q")
    done = cli("report", ingested, "--csv")
    rows = {row["source"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert len(rows) == 22
    assert int(rows["large.pdf"]["peak_bytes"]) > 70 << 20


def test_what_holds_no_run_is_told(cli: Cli, tmp_path: Path) -> None:
    done = cli("report", tmp_path)
    assert done.returncode == 3
    assert "Name what --output named" in done.stderr


def test_pictures_without_the_extra_are_refused_before_the_work(
    cli: Cli, faulty: Make, pdfs: Path, out: Path, tmp_path: Path
) -> None:
    faulty("a.pdf")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys; sys.modules['bokeh'] = None\n")
    env = {"PYTHONPATH": f"{hidden}:{Path(__file__).parent.parent / 'faults'}"}
    done = cli("run", pdfs, "-o", out, "--engine", "faulty", "--html", env=env)
    assert done.returncode == 4
    assert "pip install 'pdfingest[report]'" in done.stderr
    assert not out.exists()


def test_pictures_need_a_directory(cli: Cli, faulty: Make, pdfs: Path) -> None:
    pytest.importorskip("bokeh")
    faulty("a.pdf")
    done = cli("run", pdfs, "-o", "-", "--html")
    assert done.returncode == 2
    assert "--html needs an output directory" in done.stderr
