"""pdfingest as a step of Spark: from a DataFrame of paths to one of records and reports.

python examples/pipelines/spark/pdfingest_spark.py examples/pdfs out
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession

from pdfingest import Finished, IngestOptions, Listener, Summary, stream

SCHEMA = """kind string, source string, path string, id string, text string, metadata string,
    status string, failure string, message string, pages int, peak_rss_bytes long, wall_s double"""
"""Of the rows: `kind` is `record` or `report`, and what only the other has is empty."""
_EMPTY = {name: "" if kind == "string" else 0 for name, kind in map(str.split, SCHEMA.split(","))}


class Rows(Listener):
    """The rows of some PDFs: one for each record, and one for how each file ended."""

    def __init__(self) -> None:
        self._reports: list[dict[str, Any]] = []

    def read(self, paths: Iterable[str], options: IngestOptions) -> Iterator[dict[str, Any]]:
        """Yield the rows as they come."""
        for record in stream([], options, listed=paths, listeners=[self]):
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


def extract(**options: Any) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """Return what `mapInPandas` takes, to read the PDFs of column `path` with these options."""

    def frames(given: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for paths in given:
            rows = Rows().read(paths["path"], IngestOptions(workers=1, **options))
            while some := [_EMPTY | row for row in islice(rows, 100)]:  # all may not fit
                yield pd.DataFrame(some)

    return frames


def ingest(spark: SparkSession, paths: list[str], output: str, **options: Any) -> None:
    """Ingest PDFs into `kind=record` and `kind=report` of a directory, and say what failed."""
    found = spark.createDataFrame([(path,) for path in paths], "path string")
    rows = found.repartition(4).mapInPandas(extract(**options), SCHEMA)
    rows.write.partitionBy("kind").mode("overwrite").parquet(output)
    reports = spark.read.parquet(f"{output}/kind=report")
    for each in reports.where("failure != ''").toLocalIterator():
        print(f"{each.failure}  {each.path}: {each.message}")
    print(f"{reports.count()} of {len(paths)} files are accounted for")


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the python3 of the PATH
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    pdfs = sorted(map(str, Path(sys.argv[1]).absolute().rglob("*.[pP][dD][fF]")))
    ingest(session.getOrCreate(), pdfs, sys.argv[2], memory_budget_bytes="1G")  # of each task
