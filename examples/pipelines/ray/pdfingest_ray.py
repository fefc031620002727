"""pdfingest as a step of Ray Data: from a dataset of paths to one of records and reports.

python examples/pipelines/ray/pdfingest_ray.py examples/pdfs out
"""

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import ray.data

from pdfingest import Finished, IngestOptions, Listener, Summary, stream

TEXTS = ("kind", "source", "path", "id", "text", "metadata", "status", "failure", "message")
EMPTY = {**dict.fromkeys(TEXTS, ""), "pages": 0, "peak_rss_bytes": 0, "wall_s": 0.0}
"""The columns of a row: `kind` is `record` or `report`, and what only the other has is empty."""


class Extract(Listener):
    """For `map_batches`: reads the PDFs at the paths of a batch, each in a fresh process.

    Args:
        options: fields of `pdfingest.IngestOptions`, such as the limits of that process.
    """

    def __init__(self, **options: Any) -> None:
        self._options = IngestOptions(workers=1, **options)  # an actor has one CPU
        self._reports: list[dict[str, Any]] = []

    def __call__(self, batch: dict[str, Iterable[str]]) -> Iterator[dict[str, list[Any]]]:
        """Yield rows, some at a time: those of a long document may not fit into memory."""
        rows = self._rows(batch["path"])
        while some := [EMPTY | row for row in islice(rows, 100)]:
            yield {column: [row[column] for row in some] for column in EMPTY}

    def _rows(self, paths: Iterable[str]) -> Iterator[dict[str, Any]]:
        for record in stream([], self._options, listed=paths, listeners=[self]):
            yield from self._ended()
            row = {column: record[column] for column in ("source", "id", "text")}
            yield {"kind": "record", **row, "metadata": json.dumps(record["metadata"])}
        yield from self._ended()

    def _ended(self) -> list[dict[str, Any]]:
        reports, self._reports = self._reports, []
        return reports

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Make the report of a file that has ended."""
        source, outcome = finished.source, finished.outcome
        report = {"kind": "report", "source": source.name, "path": source.path}
        ended = {"status": outcome.status.value, "failure": str(outcome.failure or "")}
        said = {"message": outcome.message, "pages": outcome.pages}
        cost = {"peak_rss_bytes": outcome.cost.peak.peak_bytes, "wall_s": outcome.cost.wall_s}
        self._reports.append({**report, **ended, **said, **cost})


def ingest(paths: list[str], output: str, **options: Any) -> None:
    """Ingest PDFs into `kind=record` and `kind=report` of a directory, and say what failed."""
    rows = ray.data.from_items([{"path": path} for path in paths]).map_batches(
        Extract,
        fn_constructor_kwargs=options,
        batch_size=16,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=2),
    )
    rows.write_parquet(output, partition_cols=["kind"], mode=ray.data.SaveMode.OVERWRITE)
    reports = ray.data.read_parquet(f"{output}/kind=report")
    for each in reports.filter(expr="failure != ''").iter_rows():
        print(f"{each['failure']}  {each['path']}: {each['message']}")
    print(f"{reports.count()} of {len(paths)} files are accounted for")


if __name__ == "__main__":
    ray.init(num_cpus=2, object_store_memory=200 << 20, include_dashboard=False)
    found = sorted(map(str, Path(sys.argv[1]).absolute().rglob("*.[pP][dD][fF]")))
    ingest(found, sys.argv[2], memory_budget_bytes="1G")  # for the one child of each actor
