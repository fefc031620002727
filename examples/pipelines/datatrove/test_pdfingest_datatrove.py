"""pdfingest in datatrove, on this machine."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline_laws import (  # noqa: F401 - tests
    Ingest,
    Ingested,
    run,
    test_a_file_that_hangs_crashes_or_takes_all_memory_costs_itself_alone,
    test_each_file_is_accounted_for_and_those_that_fail_are_named,
    test_the_commands_of_the_readme_run_and_print_what_it_shows,
    texts_of,
)
from reading import EXAMPLES, PDFS

_PROGRAM = """
import json, sys
import pdfingest_datatrove
inputs, output, options = sys.argv[1:]
pdfingest_datatrove.ingest_to_documents([inputs], output, **json.loads(options))
"""


def lines(output: Path, pattern: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for path in output.glob(pattern) for line in path.read_bytes().splitlines()
    ]


def ingest_folder(folder: Path, output: Path, **options: Any) -> Ingested:
    run([sys.executable, "-c", _PROGRAM, str(folder), str(output), json.dumps(options)])
    reports = lines(output, "pdfingest/part-*/report.jsonl")
    documents = lines(output, "documents/*.jsonl")
    # The writer leaves out what is empty, such as the text of a blank page.
    pages = [{"text": "", **each, "source": each["metadata"]["source"]} for each in documents]
    return Ingested(
        {Path(report["source"]).name: report["failure"] for report in reports}, texts_of(pages)
    )


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    return lambda folder, **options: ingest_folder(folder, tmp_path / "out", **options)


def test_the_statistics_of_the_pipeline_count_each_file(ingest: Ingest, tmp_path: Path) -> None:
    found = ingest(EXAMPLES)
    reader, _ = json.loads((tmp_path / "out" / "logs" / "stats.json").read_text())
    totals = {name: of["total"] for name, of in reader["stats"].items() if isinstance(of, dict)}
    assert (totals["ok"], totals["failed"], len(found.failures)) == (7, 3, 10)


def test_a_task_that_runs_again_reads_only_what_has_changed(tmp_path: Path) -> None:
    folder, output = tmp_path / "pdfs", tmp_path / "out"
    shutil.copytree(PDFS, folder)
    first = ingest_folder(folder, output)
    shutil.rmtree(output / "logs")  # where datatrove notes which tasks are done
    shutil.copy(folder / "pages.pdf", folder / "scan.pdf")
    second = ingest_folder(folder, output)
    assert second.texts == {**first.texts, "scan.pdf": first.texts["pages.pdf"]}
    stats = json.loads((output / "logs" / "stats.json").read_text())[0]["stats"]
    assert (stats["ok"]["total"], stats["unchanged"]["total"]) == (1, 6)
