"""The figures of a report as one JSON document, for programs."""

import json
from collections.abc import Iterator
from typing import Any

from pdfingest.measure.flatness import Trend
from pdfingest.model import FailureKind
from pdfingest.outcome import Status
from pdfingest.report.costs import Costs, FileCost
from pdfingest.report.figures import Figures, percentiles

SCHEMA = 1
"""Version of the document that `pdfingest report --json` writes."""


def document(figures: Figures, workers: int) -> Iterator[str]:
    """Yield the document, piece by piece, because its list of losses may be long.

    Every key is always there, with one type each:

    - `schema`: the version of this document, a number.
    - `sources`: number of sources in the report, each in its newest state.
    - `status`: number of sources by status, `ok`, `partial`, `failed`, `unchanged`, `gone`.
    - `failures`: number of sources that lost pages, by kind of failure.
    - `pages`, `pages_failed`: number of pages whose text was written, and that were lost.
    - `peak_rss_bytes`: `p50`, `p95`, `p99`, `max` of the peaks of the files, and `max_source`.
    - `wall_s`: `p50`, `p95`, `p99`, `max` of the seconds that a file took.
    - `sizing`: what `workers` of them need: `peak_rss_bytes` of all at p99, the
      `memory_limit_bytes` under which every file passes, and `memory_budget_bytes`, which is the
      limit of all.
    - `memory`: whether memory stayed flat in the newest run, as `summary.json` has it: `verdict`
      (`flat`, `grows`, `inconclusive`, or empty where there is no `summary.json`),
      `bytes_per_file` with `bytes_per_file_low` and `_high`, `threshold_bytes_per_file`, `files`,
      `grown_bytes`, and `files_to_go`, how many more a verdict takes.
    - `losses`: all sources that lost pages, those that lost all of them first: `source`, `status`,
      `failure`, `message`, `pages`, `pages_failed`, `failed_pages` (1-based numbers),
      `total_pages` (0 where not known), `stack`.
    """
    costs = figures.costs
    head = {
        "schema": SCHEMA,
        "sources": len(costs),
        "status": dict.fromkeys(map(str, Status), 0) | costs.statuses,
        "failures": dict.fromkeys(map(str, FailureKind), 0) | costs.failures,
        **dict(zip(("pages", "pages_failed"), costs.pages(), strict=True)),
        "peak_rss_bytes": _peaks(costs),
        "wall_s": percentiles(costs.times or [0.0]),
        "sizing": _sizing(figures, workers),
        "memory": _memory(figures),
    }
    yield json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}")
    yield ',\n  "losses": ['
    separator = "\n    "
    for cost in costs.losses():
        yield separator + json.dumps(_loss(cost), ensure_ascii=False)
        separator = ",\n    "
    yield "\n  ]\n}\n"


def _peaks(costs: Costs) -> dict[str, Any]:
    """Return the percentiles of the peaks, and the source with the highest peak."""
    highest = costs.top(1)
    return {**percentiles(costs.peaks or [0]), "max_source": highest[0].source if highest else ""}


def _sizing(figures: Figures, workers: int) -> dict[str, int]:
    """Return the memory limit and the machine that the files need."""
    sizing = figures.sizing(workers)
    return {
        "workers": workers,
        "peak_rss_bytes": workers * sizing.peak_bytes,
        "memory_limit_bytes": sizing.limit_bytes,
        "memory_budget_bytes": workers * sizing.limit_bytes,
    }


def _memory(figures: Figures) -> dict[str, Any]:
    """Return the trend; its verdict is empty if it is not known."""
    trend = figures.trend
    return trend.to_json() if trend else Trend().to_json() | {"verdict": ""}


def _loss(cost: FileCost) -> dict[str, Any]:
    return {
        "source": cost.source,
        "status": cost.status,
        "failure": cost.failure,
        "message": cost.message,
        "pages": cost.pages,
        "pages_failed": cost.pages_failed,
        "failed_pages": cost.failed_pages,
        "total_pages": cost.total_pages,
        "stack": cost.stack,
    }
