"""Metrics for Prometheus: what tickets and workers cost, from Redis, and this process itself."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from pdfingest.measure.flatness import Verdict
from pdfingest.service.presence import Presence, present
from pdfingest.service.tickets import PEAKS_MIB, Tickets

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_TOTALS = {
    "pages": ("pdfingest_pages", "Pages that were read."),
    "seconds": ("pdfingest_file_seconds", "Seconds that files took, added up."),
}
_VERDICTS = tuple(Verdict)


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
        yield from _totals(counts)
        yield _peaks(counts)
        peak = counts.get("peak_bytes", 0)
        yield GaugeMetricFamily("pdfingest_peak_bytes", "Highest peak RSS of a child.", value=peak)
        queued, running = self._tickets.queued(), self._tickets.running()
        yield GaugeMetricFamily("pdfingest_jobs_waiting", "Queued tickets.", value=queued)
        yield GaugeMetricFamily("pdfingest_jobs_running", "Running tickets.", value=running)
        age = "Seconds for which the ticket has waited that waits longest; 0 for none."
        yield GaugeMetricFamily("pdfingest_queue_age_seconds", age, value=self._tickets.oldest_s())
        yield from _workers(present(self._tickets))

    def exposition(self) -> bytes:
        """Encode the metrics as Prometheus reads them; asks Redis, so it is called in a thread."""
        return generate_latest(self._registry)


def _totals(counts: Mapping[str, float]) -> Iterable[Metric]:
    """Yield what is counted since the beginning."""
    families = {
        "jobs": CounterMetricFamily(
            "pdfingest_jobs",
            "Tickets that were accepted, ended so, were deleted, or expired.",
            labels=["state"],
        ),
        "failures": CounterMetricFamily(
            "pdfingest_failures", "Tickets that lost some or all pages.", labels=["kind"]
        ),
        "webhooks": CounterMetricFamily(
            "pdfingest_webhooks", "Webhooks that were delivered, or given up.", labels=["state"]
        ),
    }
    for name, value in sorted(counts.items()):
        family, _, label = name.partition(":")
        if label and family in families:
            families[family].add_metric([label], value)
    yield from families.values()
    for name, (metric, text) in _TOTALS.items():
        yield CounterMetricFamily(metric, text, value=counts.get(name, 0))


def _peaks(counts: Mapping[str, float]) -> Metric:
    """Make the histogram of the peaks of files."""
    total, buckets = 0.0, list[tuple[str, float]]()
    for mib in PEAKS_MIB:
        total += counts.get(f"peaks:{mib}", 0)
        buckets.append((f"{float(mib << 20)}", total))
    buckets.append(("+Inf", total + counts.get("peaks:more", 0)))
    text = "Peak RSS of the children of a file, in bytes."
    return HistogramMetricFamily(
        "pdfingest_file_peak_bytes", text, buckets, sum_value=counts.get("peaks_sum", 0)
    )


def _workers(workers: Sequence[Presence]) -> Iterable[Metric]:
    """Yield what the workers that are alive say of themselves."""
    yield GaugeMetricFamily("pdfingest_workers", "Workers that are alive.", value=len(workers))
    lanes = sum(each.lanes for each in workers)
    yield GaugeMetricFamily("pdfingest_lanes", "Files that they read at a time.", value=lanes)
    names = ["worker", "host"]
    memory = GaugeMetricFamily(
        "pdfingest_worker_rss_bytes", "What a worker holds that outlives a file.", labels=names
    )
    files = GaugeMetricFamily(
        "pdfingest_worker_files", "Tickets that ended there since it began.", labels=names
    )
    verdict = GaugeMetricFamily(
        "pdfingest_worker_memory",
        "1 for what can be said of its memory over its files.",
        labels=[*names, "verdict"],
    )
    for each in workers:
        name = [each.id[:8], each.host]
        memory.add_metric(name, each.rss_bytes)
        files.add_metric(name, each.files)
        for kind in _VERDICTS:
            verdict.add_metric([*name, kind.value], float(each.verdict == kind.value))
    yield from (memory, files, verdict)
