"""pdfingest as an asset of Dagster, which acts by the exit code: dagster dev -f THIS_FILE."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    Config,
    Definitions,
    Failure,
    MaterializeResult,
    RetryRequested,
    asset,
)
from pydantic import Field

from pdfingest import ExitCode

WHOLE = AssetCheckSpec("no_page_lost", asset="pages")


class Ingest(Config):
    """What is ingested, and where to."""

    inputs: list[str] = Field(["examples/pdfs"], description="Files, directories or globs.")
    output: str = "pdfingest-out"
    options: list[str] = Field([], description="Of `pdfingest run`, such as `--workers`, `4`.")
    retries: int = Field(10, description="Of a run that finds another at work on the output.")
    retry_after_s: float = 60.0


@asset(output_required=False, check_specs=[WHOLE])
def pages(
    context: AssetExecutionContext, config: Ingest
) -> Iterator[MaterializeResult | AssetCheckResult]:
    """The text of each page, in `pages.jsonl` of the output directory."""
    command = [sys.executable, "-m", "pdfingest", "run", "--output", config.output]
    command += [*config.options, "--", *config.inputs]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - it is this program
    context.log.info(done.stderr)
    match done.returncode:
        case ExitCode.OK | ExitCode.SOME_FAILED:
            yield _materialized(done.stderr, Path(config.output, "summary.json"))
        case ExitCode.NO_INPUT:
            yield AssetCheckResult(passed=True, description=done.stderr)
        case ExitCode.BUSY:
            raise RetryRequested(config.retries, config.retry_after_s)
        case code:
            raise Failure(done.stderr, metadata={"exit_code": code}, allow_retries=False)


def _materialized(said: str, path: Path) -> MaterializeResult:
    """Return the counts of a run, and a check that warns of lost files and names them."""
    summary = json.loads(path.read_bytes())
    lost = {kind: number for kind, number in summary["failures"].items() if number}
    check = AssetCheckResult(
        passed=not lost, severity=AssetCheckSeverity.WARN, description=said, metadata=lost
    )
    counts = ("sources", "ok", "partial", "failed", "unchanged", "gone", "pages", "wall_s")
    peak = summary["peak_rss_bytes"]["max"]
    metadata = {**{name: summary[name] for name in counts}, "peak_rss_bytes": peak}
    return MaterializeResult(metadata=metadata, check_results=[check])


defs = Definitions(assets=[pages])
