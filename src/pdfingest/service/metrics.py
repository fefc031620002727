"""Metrics for Prometheus: what the tickets cost, from Redis, and what this process takes."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pdfingest.service.tickets import Tickets

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_TOTALS = {
    "pages": ("pdfingest_pages", "Pages that were read."),
    "seconds": ("pdfingest_file_seconds", "Seconds that files took, added up."),
}


class Metrics(Collector):
    """Metrics of all parts of the service, and those of this process."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        self._registry = CollectorRegistry(auto_describe=False)  # not the global one of the library
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def describe(self) -> Iterable[Metric]:
        """Describe no metric in advance, as that would ask Redis."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics as they are now."""
        counts = self._tickets.counts()
        states = CounterMetricFamily(
            "pdfingest_jobs", "Tickets that were accepted, or ended so.", labels=["state"]
        )
        kinds = CounterMetricFamily(
            "pdfingest_failures", "Tickets that lost some or all pages.", labels=["kind"]
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
        queued, running = self._tickets.queued(), self._tickets.running()
        yield GaugeMetricFamily("pdfingest_jobs_waiting", "Queued tickets.", value=queued)
        yield GaugeMetricFamily("pdfingest_jobs_running", "Running tickets.", value=running)

    def exposition(self) -> bytes:
        """Encode the metrics as Prometheus reads them; asks Redis, so it is called in a thread."""
        return generate_latest(self._registry)
