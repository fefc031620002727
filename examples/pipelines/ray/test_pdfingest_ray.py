"""pdfingest in Ray Data, on this machine."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline_laws import (  # noqa: F401 - tests
    Ingest,
    Ingested,
    pdfs_below,
    run,
    test_a_file_that_hangs_crashes_or_takes_all_memory_costs_itself_alone,
    test_each_file_is_accounted_for_and_those_that_fail_are_named,
    test_the_commands_of_the_readme_run_and_print_what_it_shows,
    written,
)

_PROGRAM = """
import json, sys
import pdfingest_ray, ray
ray.init(num_cpus=2, object_store_memory=200 << 20, include_dashboard=False)
pdfingest_ray.ingest(json.loads(sys.argv[1]), sys.argv[2], **json.loads(sys.argv[3]))
"""


def ingest_paths(paths: list[str], output: Path, **options: Any) -> Ingested:
    given = json.dumps(paths), str(output), json.dumps(options)
    said = run([sys.executable, "-c", _PROGRAM, *given])
    assert f"{len(paths)} of {len(paths)} files are accounted for" in said
    return written(output, paths)


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    return lambda folder, **options: ingest_paths(pdfs_below(folder), tmp_path / "out", **options)


def test_a_path_without_a_file_is_accounted_for(tmp_path: Path) -> None:
    found = ingest_paths([str(tmp_path / "absent.pdf")], tmp_path / "out")
    assert found.failures == {"absent.pdf": "unreadable"}
