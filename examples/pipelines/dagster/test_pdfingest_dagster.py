"""pdfingest as an asset of Dagster, materialized in this process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckSeverity,
    DagsterInstance,
    ExecuteInProcessResult,
    RunConfig,
    materialize,
)

from pdfingest import ExitCode, Stop
from pdfingest.output.lock import held
from pdfingest_dagster import Ingest as Config
from pdfingest_dagster import pages
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

Materialize = Callable[..., ExecuteInProcessResult]


@pytest.fixture
def materialized(tmp_path: Path) -> Iterator[Materialize]:
    with DagsterInstance.ephemeral() as instance:

        def run(folder: Path, *options: str, **more: Any) -> ExecuteInProcessResult:
            given = {"output": str(tmp_path / "out"), **more}
            config = Config(inputs=[str(folder)], options=list(options), **given)
            return materialize(
                [pages],
                instance=instance,
                run_config=RunConfig({"pages": config}),
                raise_on_error=False,
            )

        yield run


@pytest.fixture
def ingest(materialized: Materialize, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    monkeypatch.setenv("PYTHONPATH", str(FAULTS))  # for the children

    def lines(name: str) -> list[dict[str, Any]]:
        return list(map(json.loads, (tmp_path / "out" / name).read_bytes().splitlines()))

    def run(folder: Path, **options: Any) -> Ingested:
        given = (
            f"--{name.replace('_bytes', '').replace('_s', '').replace('_', '-')}={value}"
            for name, value in options.items()
        )
        assert materialized(folder, *given).success
        failures = {Path(line["source"]).name: line["failure"] for line in lines("report.jsonl")}
        return Ingested(failures, texts_of(lines("pages.jsonl")))

    return run


def events(result: ExecuteInProcessResult) -> list[str]:
    return [event.event_type_value for event in result.all_events]


def test_a_whole_run_is_an_asset_with_its_counts(materialized: Materialize) -> None:
    result = materialized(PDFS)
    (made,) = result.asset_materializations_for_node("pages")
    counts = {name: entry.value for name, entry in made.metadata.items()}
    assert (counts["sources"], counts["ok"], counts["failed"], counts["pages"]) == (7, 7, 0, 14)
    assert counts["peak_rss_bytes"] > 0
    (check,) = result.get_asset_check_evaluations()
    assert check.passed


def test_files_that_failed_are_a_warning(materialized: Materialize) -> None:
    result = materialized(EXAMPLES)
    assert result.success
    assert "ASSET_MATERIALIZATION" in events(result)
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, AssetCheckSeverity.WARN)
    failures = {kind: entry.value for kind, entry in check.metadata.items()}
    assert failures == {"encrypted": 1, "malformed": 1, "not_pdf": 1}
    assert "broken/encrypted.pdf" in (check.description or "")


def test_where_there_is_nothing_nothing_is_materialized(
    materialized: Materialize, tmp_path: Path
) -> None:
    result = materialized(tmp_path)
    assert result.success
    assert "ASSET_MATERIALIZATION" not in events(result)


def test_a_run_that_finds_another_at_work_is_tried_again(
    materialized: Materialize, tmp_path: Path
) -> None:
    with held(str(tmp_path / "out"), 0, Stop()):
        result = materialized(PDFS, retries=1, retry_after_s=0.1)
    assert not result.success
    assert events(result).count("STEP_UP_FOR_RETRY") == 1


def test_a_run_that_cannot_be_is_a_failure_and_not_tried_again(materialized: Materialize) -> None:
    result = materialized(PDFS, "--engine", "absent")
    (failed,) = (event for event in result.all_events if event.is_step_failure)
    failure = failed.step_failure_data.user_failure_data
    assert failure is not None
    assert failure.metadata["exit_code"].value == ExitCode.ENVIRONMENT
    assert "absent" in (failure.description or "")
