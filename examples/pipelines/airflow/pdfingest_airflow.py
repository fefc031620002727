"""pdfingest as a task of Airflow, which acts by its exit code."""

import json
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from pdfingest import ExitCode

# A file that fails is in the report, and no reason to run again. What is tried again is a run that
# another keeps from its output for longer than `--wait`, or that the machine is not up to.
COMMAND = """pdfingest run "$INPUT" --output "$OUTPUT" --fail-on never --wait 600 || exit $?
tr -d '\\n' < "$OUTPUT/summary.json"
"""
COUNTS = ("sources", "ok", "partial", "failed", "unchanged", "gone", "pages", "failures")


def counts(summary: str) -> dict[str, Any]:
    """Return the counts of `summary.json`: what the task gives to others (XCom)."""
    found = json.loads(summary)
    return {name: found[name] for name in COUNTS}


with DAG("pdfingest", schedule=None, params={"input": "/pdfs", "output": "/ingested"}) as dag:
    BashOperator(
        task_id="ingest",
        bash_command=COMMAND,
        env={"INPUT": "{{ params.input }}", "OUTPUT": "{{ params.output }}"},
        append_env=True,
        output_processor=counts,
        skip_on_exit_code=int(ExitCode.NO_INPUT),
        retries=3,
        retry_delay=timedelta(minutes=5),
    )
