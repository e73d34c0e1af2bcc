"""How are the metrics exposed? As Prometheus text or OpenMetrics, whichever the scraper asks for.

Beside the agent's own metrics stand the usual `process_*` ones (memory, CPU time, open files).
Import this module only when somebody may scrape: prometheus_client takes a tenth of a second.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import PROCESS_COLLECTOR
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from agent.telemetry.instruments import Counter, Example, Gauge, Histogram, Labels
from agent.telemetry.meters import Meters

Meter = Counter | Gauge | Histogram

_EXEMPLAR_CHARACTERS = 100  # OpenMetrics allows 128 for the names and values of all its labels


class MetersCollector(Collector):
    """Reads the tables of metrics anew for each scrape."""

    def __init__(self, meters: Mapping[str, Meters]) -> None:
        """*meters* of each flow by its name, which is empty where there is one without a name."""
        self._meters = meters

    def collect(self) -> Iterator[Metric]:
        """Every metric with every series it has now, then those of the operating system."""
        first = next(iter(self._meters.values()))
        shared = set(first.of_process())
        for alike in zip(*(meters.metrics() for meters in self._meters.values()), strict=True):
            of_flows = dict(zip(self._meters, alike, strict=True))
            yield _family({"": alike[0]} if alike[0] in shared else of_flows)
        yield from PROCESS_COLLECTOR.collect()


def render(meters: Mapping[str, Meters], accept: str) -> tuple[bytes, str]:
    """The metrics as they are now, and their content type; `accept` is the request's header.

    *meters* as for `MetersCollector`. Never raises because of `accept`: what is not understood gets
    Prometheus text.
    """
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is not a number
        encode, content_type = choose_encoder("")
    return encode(MetersCollector(meters)), content_type


def _family(meters: Mapping[str, Meter]) -> Metric:
    """One metric of each flow; the names of flows are a label, but that of one without a name."""
    meter = next(iter(meters.values()))
    labels = (*meter.labels, "flow") if all(meters) else meter.labels
    if isinstance(meter, Histogram):
        histograms = HistogramMetricFamily(meter.name, meter.help, labels=labels)
        bounds = [floatToGoString(bound) for bound in meter.buckets]  # type: ignore[no-untyped-call]
        for values, (counts, total, examples) in _series(meters):
            buckets = [
                (bound, count, *_exemplars(examples.get(place)))
                for place, (bound, count) in enumerate(zip(bounds, accumulate(counts), strict=True))
            ]
            histograms.add_metric(values, buckets, total)
        return histograms
    kind = CounterMetricFamily if isinstance(meter, Counter) else GaugeMetricFamily
    numbers = kind(meter.name, meter.help, labels=labels)
    for values, (value,) in _series(meters):
        numbers.add_metric(values, value)
    return numbers


def _exemplars(example: Example | None) -> tuple[Exemplar, ...]:
    """The one or none that scrapers see who ask for OpenMetrics; others see none."""
    if example is None or len(example.xaction_id) > _EXEMPLAR_CHARACTERS:
        return ()
    return (Exemplar({"xaction_id": example.xaction_id}, example.value, example.at),)


def _series(meters: Mapping[str, Meter]) -> Iterator[tuple[Labels, tuple[Any, ...]]]:
    """The values of all labels, and what was measured, for every series."""
    for flow, meter in meters.items():
        for labels, *measured in meter.series():
            yield _writable((*labels, flow) if flow else labels), tuple(measured)


def _writable(labels: Labels) -> Labels:
    """Names of files need not be UTF-8; a label must be."""
    return tuple(label.encode("utf-8", "backslashreplace").decode() for label in labels)
