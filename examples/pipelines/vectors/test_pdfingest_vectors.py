"""PDFs in a vector store, without a network."""

import json
import shutil
from pathlib import Path
from typing import Any

import lancedb
import pytest

from pdfingest_vectors import Pages
from pipeline_laws import (  # noqa: F401 - tests
    FAULTS,
    Ingest,
    Ingested,
    test_a_file_that_hangs_crashes_or_takes_all_memory_costs_itself_alone,
    test_each_file_is_accounted_for_and_those_that_fail_are_named,
    test_the_commands_of_the_readme_run_and_print_what_it_shows,
    texts_of,
)
from reading import EXAMPLES, PDFS


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(PDFS, tmp_path / "pdfs")


@pytest.fixture
def ingest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    monkeypatch.setenv("PYTHONPATH", str(FAULTS))  # for the children

    def run(folder: Path, **options: Any) -> Ingested:
        list(Pages(tmp_path / "store").update(str(folder), **options))
        report = (tmp_path / "store" / "pdfingest" / "report.jsonl").read_bytes().splitlines()
        failures = {Path(line["source"]).name: line["failure"] for line in map(json.loads, report)}
        table = lancedb.connect(tmp_path / "store").open_table("pages")
        return Ingested(failures, texts_of(table.to_arrow().to_pylist()))

    return run


def test_an_answer_names_source_and_page_and_quotes_the_passage(pages: Pages) -> None:
    list(pages.update(str(PDFS)))
    best, *_ = pages.answer("How many tons in February?")
    assert best.startswith("table.pdf, page 1: ")
    assert "February 9 18450" in best
    best, *_ = pages.answer("second chapter of the book")
    assert best == "outline.pdf, page 4: Chapter two of the labelled book"


def test_a_second_update_does_nothing(pages: Pages, folder: Path) -> None:
    assert list(pages.update(str(folder))) == [
        "7 files, 0 of them failed; 12 pages added, 0 removed"
    ]
    assert list(pages.update(str(folder))) == [
        "7 files, 0 of them failed; 0 pages added, 0 removed"
    ]


def test_an_update_adds_what_has_changed_and_removes_what_is_gone(
    pages: Pages, folder: Path
) -> None:
    list(pages.update(str(folder)))
    (folder / "table.pdf").unlink()
    shutil.copy(folder / "pages.pdf", folder / "columns.pdf")
    (said,) = pages.update(str(folder))
    assert said == "6 files, 0 of them failed; 3 pages added, 2 removed"
    found = [answer.partition(",")[0] for answer in pages.answer("tons", most=100)]
    assert found.count("columns.pdf") == found.count("pages.pdf") > 0
    assert "table.pdf" not in found


def test_pages_of_a_file_that_cannot_be_read_any_more_are_removed(
    pages: Pages, folder: Path
) -> None:
    list(pages.update(str(folder)))
    (folder / "table.pdf").write_bytes(b"404: not found")
    failed, said = pages.update(str(folder))
    assert failed == "not_pdf  table.pdf: no %PDF- in its first KiB"
    assert said == "7 files, 1 of them failed; 0 pages added, 1 removed"
    assert not any(each.startswith("table.pdf") for each in pages.answer("tons", most=100))


def test_what_failed_is_said(pages: Pages) -> None:
    *failed, said = pages.update(str(EXAMPLES))
    assert "encrypted  broken/encrypted.pdf: no password opens it; none given" in failed
    assert said == "10 files, 3 of them failed; 12 pages added, 0 removed"
