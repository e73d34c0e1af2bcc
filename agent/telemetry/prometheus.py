"""How are the metrics exposed? As Prometheus text or OpenMetrics, whichever the scraper asks for.

Beside the agent's own metrics stand the usual `process_*` ones (memory, CPU time, open files).
Import this module only when somebody may scrape: prometheus_client takes a tenth of a second.
"""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import PROCESS_COLLECTOR
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from agent.telemetry.instruments import Counter, Gauge, Histogram, Labels
from agent.telemetry.meters import Meters


class MetersCollector(Collector):
    """Reads the table of metrics anew for each scrape."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def collect(self) -> Iterator[Metric]:
        """Every metric with every series it has now, then those of the operating system."""
        for metric in self._meters.metrics():
            if isinstance(metric, Histogram):
                yield _histogram(metric)
            else:
                yield _numbers(metric)
        yield from PROCESS_COLLECTOR.collect()


def render(meters: Meters, accept: str) -> tuple[bytes, str]:
    """The metrics as they are now, and their content type; `accept` is the request's header.

    Never raises because of `accept`: what is not understood gets Prometheus text.
    """
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is not a number
        encode, content_type = choose_encoder("")
    return encode(MetersCollector(meters)), content_type


def _numbers(metric: Counter | Gauge) -> Metric:
    kind = CounterMetricFamily if isinstance(metric, Counter) else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in metric.series():
        family.add_metric(_writable(labels), value)
    return family


def _histogram(metric: Histogram) -> Metric:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    bounds = [floatToGoString(bound) for bound in metric.buckets]  # type: ignore[no-untyped-call]
    for labels, counts, total in metric.series():
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        family.add_metric(_writable(labels), buckets, total)
    return family


def _writable(labels: Labels) -> Labels:
    """Names of files need not be UTF-8; a label must be."""
    return tuple(label.encode("utf-8", "backslashreplace").decode() for label in labels)
