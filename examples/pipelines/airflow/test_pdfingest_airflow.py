"""pdfingest as a task of Airflow, run without a scheduler."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pdfingest import Stop
from pdfingest.output.lock import held
from pipeline_laws import (  # noqa: F401 - tests
    run,
    test_the_commands_of_the_readme_run_and_print_what_it_shows,
)
from reading import EXAMPLES

_PROGRAM = """
import json, sys
from pdfingest_airflow import dag
task = dag.get_task("ingest")
task.bash_command, task.retries = task.bash_command.replace("--wait 600", "--wait 0"), 0
run = dag.test(run_conf=json.loads(sys.argv[1]))
task = run.get_task_instance("ingest")
print(json.dumps([task.state, task.xcom_pull("ingest")]))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Airflow that knows the DAG."""
    folder = tmp_path_factory.mktemp("airflow")
    start(folder, "-m", "airflow", "db", "migrate")
    start(folder, "-m", "airflow", "dags", "reserialize")
    return folder


def start(home: Path, *arguments: str) -> str:
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    return run(
        [sys.executable, *arguments],
        PATH=path,
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=os.path.dirname(__file__),
    )


def ingest(home: Path, given: Path, output: Path) -> tuple[str, dict[str, Any]]:
    """How the task ended, and what it gave."""
    conf = json.dumps({"input": str(given), "output": str(output)})
    state, counts = json.loads(start(home, "-c", _PROGRAM, conf).splitlines()[-1])
    return state, counts or {}


def test_each_file_is_counted_and_one_that_fails_fails_no_task(home: Path, tmp_path: Path) -> None:
    state, counts = ingest(home, EXAMPLES, tmp_path / "out")
    assert state == "success"
    assert (counts["sources"], counts["ok"], counts["failed"]) == (10, 7, 3)
    failures = {kind for kind, number in counts["failures"].items() if number}
    assert failures == {"encrypted", "malformed", "not_pdf"}


def test_where_there_is_nothing_the_task_is_skipped(home: Path, tmp_path: Path) -> None:
    assert ingest(home, tmp_path, tmp_path / "out") == ("skipped", {})


def test_a_run_that_finds_another_at_work_fails_so_that_it_is_tried_again(
    home: Path, tmp_path: Path
) -> None:
    with held(str(tmp_path), 0, Stop()):
        assert ingest(home, EXAMPLES, tmp_path) == ("failed", {})
