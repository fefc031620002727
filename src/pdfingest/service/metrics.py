"""Metrics for Prometheus: what the jobs cost, from Redis, and what this process takes."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pdfingest.service.jobs import Jobs

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_TOTALS = {
    "pages": ("pdfingest_pages", "Pages that were read."),
    "seconds": ("pdfingest_file_seconds", "Seconds that files took, added up."),
}


class _Totals(Collector):
    """Totals of all parts of the service, asked for when they are scraped."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance, which would ask Redis."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The metrics now."""
        counts = self._jobs.counts()
        states = CounterMetricFamily(
            "pdfingest_jobs", "Jobs that came (accepted) or ended so.", labels=["state"]
        )
        kinds = CounterMetricFamily(
            "pdfingest_failures", "Jobs that lost pages or all, by reason.", labels=["kind"]
        )
        for name, value in sorted(counts.items()):
            family, _, label = name.partition(":")
            if family == "jobs":
                states.add_metric([label], value)
            elif family == "failures":
                kinds.add_metric([label], value)
        yield from (states, kinds)
        for name, (metric, text) in _TOTALS.items():
            yield CounterMetricFamily(metric, text, value=counts.get(name, 0))
        peak = counts.get("peak_bytes", 0)
        yield GaugeMetricFamily("pdfingest_peak_bytes", "Highest peak RSS of a child.", value=peak)
        waiting, running = self._jobs.waiting(), self._jobs.running()
        yield GaugeMetricFamily("pdfingest_jobs_waiting", "Jobs that wait.", value=waiting)
        yield GaugeMetricFamily("pdfingest_jobs_running", "Jobs under way.", value=running)


class Metrics:
    """All metrics.

    Args:
        jobs: where the totals are.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Totals(jobs))
        ProcessCollector(registry=self._registry)

    def exposition(self) -> bytes:
        """As Prometheus reads it. Asks Redis, so it is called in a thread."""
        return generate_latest(self._registry)
