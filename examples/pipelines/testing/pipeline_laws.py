"""What holds of every pipeline here; the test of each imports it, and gives an `ingest`."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faulty
import pytest

from reading import EXAMPLES, PDFS, in_order

ROOT = EXAMPLES.parent
FAULTS = ROOT / "tests" / "faults"
_TIMEOUT_S = 240


@dataclass(frozen=True)
class Ingested:
    """What a pipeline gave."""

    failures: Mapping[str, str]
    """The kind of failure of each file, by its name; empty for one that was read."""
    texts: Mapping[str, Sequence[str]]
    """The texts of the pages of each file that was read, in their order."""


Ingest = Callable[..., Ingested]
"""Runs the pipeline over all PDFs below a folder, with fields of `IngestOptions`."""


def run(command: Sequence[str], cwd: Path = ROOT, **variables: str) -> str:
    """Run a command, with the engine `faulty` to be had, and return what it prints."""
    done = subprocess.run(  # noqa: S603 - commands that stand here
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(FAULTS), **variables},
        stdout=subprocess.PIPE,
        text=True,
        timeout=_TIMEOUT_S,
        check=True,
    )
    return done.stdout


def pdfs_below(folder: Path) -> list[str]:
    """The paths of the PDFs below a folder."""
    return sorted(map(str, folder.rglob("*.pdf")))


def texts_of(pages: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The texts of the pages of each file, in their order, of records in any order."""
    texts: dict[str, list[str]] = {}
    for page in sorted(pages, key=lambda page: page["id"]):
        texts.setdefault(os.path.basename(page["source"]), []).append(page["text"])
    return texts


def written(output: Path, paths: Sequence[str]) -> Ingested:
    """What a pipeline that was given paths has written as Parquet; each of them has a report."""
    from pyarrow.parquet import read_table  # noqa: PLC0415 - some pipelines do not have it

    kinds = {kind: output / f"kind={kind}" for kind in ("report", "record")}
    rows = {kind: read_table(path).to_pylist() for kind, path in kinds.items() if path.exists()}
    assert sorted(report["path"] for report in rows["report"]) == sorted(paths)
    failures = {os.path.basename(report["path"]): report["failure"] for report in rows["report"]}
    return Ingested(failures, texts_of(rows.get("record", [])))


def _with_one_blank(texts: Sequence[str]) -> list[str]:
    """Texts with a blank one behind them, which some pipelines leave out."""
    return [*filter(str.strip, texts), ""]


def _blocks(readme: Path, language: str) -> list[str]:
    """The lines of the blocks of a README in a language."""
    found = re.findall(rf"```{language}\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    return "".join(found).splitlines()


def test_the_commands_of_the_readme_run_and_print_what_it_shows(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    readme = request.path.parent / "README.md"
    (tmp_path / "examples").symlink_to(EXAMPLES)
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    # `pip install` was done by what runs this test.
    commands = [each for each in _blocks(readme, "sh") if not each.startswith("pip install ")]
    printed = run(["bash", "-ec", "\n".join(commands)], tmp_path, PATH=path).splitlines()
    shown = _blocks(readme, "text")
    assert shown
    assert [line for line in shown if line not in printed] == []


def test_each_file_is_accounted_for_and_those_that_fail_are_named(ingest: Ingest) -> None:
    found = ingest(EXAMPLES)
    read = dict.fromkeys((path.name for path in PDFS.glob("*.pdf")), "")
    broken = {"broken.pdf": "malformed", "encrypted.pdf": "encrypted", "not-a-pdf.pdf": "not_pdf"}
    assert found.failures == read | broken
    assert set(read) - set(found.texts) <= {"scan.pdf"}  # of which there is no text
    assert set(found.texts) <= set(read)
    assert in_order(_with_one_blank(found.texts["pages.pdf"]))


def test_a_file_that_hangs_crashes_or_takes_all_memory_costs_itself_alone(
    ingest: Ingest, tmp_path: Path
) -> None:
    for name, fault in (("hangs", "hang"), ("crashes", "segfault"), ("hogs", "hog")):
        faulty.write_pdf(tmp_path / f"{name}.pdf", fault=fault)
    (tmp_path / "pages.pdf").write_bytes((PDFS / "pages.pdf").read_bytes())
    limits = {"page_timeout_s": 10, "memory_limit_bytes": "400M", "memory_budget_bytes": "800M"}
    found = ingest(tmp_path, engine="pdfium,faulty", **limits)
    failed = {"hangs.pdf": "timeout", "crashes.pdf": "crashed", "hogs.pdf": "memory_limit"}
    assert found.failures == {"pages.pdf": "", **failed}
    assert list(found.texts) == ["pages.pdf"]
    assert in_order(_with_one_blank(found.texts["pages.pdf"]))
