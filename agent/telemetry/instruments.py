"""What kinds of meters are there? Counters, gauges and histograms in plain Python.

They are written on the hot path and read when somebody scrapes. One metric is written by one
thread; any thread may read it meanwhile.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple

Labels = tuple[str, ...]

MOST_SERIES = 100  # distinct label values per metric; the rest are counted together
OTHER = "other"


class Metric:
    """What every kind has: a name, a help text and the names of its labels."""

    kind: ClassVar[str]

    def __init__(self, name: str, help: str, *labels: str) -> None:
        self.name = name
        self.help = help
        self.labels: Labels = labels

    def _admitted(self, labels: Labels, known: int) -> Labels:
        """The label values to count under: `labels`, or "other" when there are too many already."""
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has labels {self.labels}, not {len(labels)} of them")
        return labels if known < MOST_SERIES else (OTHER,) * len(labels)


class Counter(Metric):
    """A number that only grows."""

    kind = "counter"

    def __init__(self, name: str, help: str, *labels: str) -> None:
        super().__init__(name, help, *labels)
        self._series: dict[Labels, float] = {} if labels else {(): 0}

    def add(self, n: float = 1, *labels: str) -> None:
        """Count `n` more (never negative: that is not checked, as this is the hot path)."""
        try:
            self._series[labels] += n
        except KeyError:
            admitted = self._admitted(labels, len(self._series))
            self._series[admitted] = self._series.get(admitted, 0) + n

    def value(self, *labels: str) -> float:
        """The count under these label values; 0 if nothing was counted there."""
        return self._series.get(labels, 0)

    def total(self) -> float:
        """The count over all label values."""
        return sum(self._series.copy().values())

    def series(self) -> Iterator[tuple[Labels, float]]:
        """Label values and count of every series, as they are now."""
        yield from self._series.copy().items()


class Gauge(Metric):
    """A number that goes up and down: set by its owner, or read from its owner when scraped."""

    kind = "gauge"

    def __init__(self, name: str, help: str, *labels: str) -> None:
        super().__init__(name, help, *labels)
        self._series: dict[Labels, float | Callable[[], float]] = {} if labels else {(): 0}

    def set(self, value: float, *labels: str) -> None:
        """It is `value` from now on."""
        self._place(value, labels)

    def read_from(self, read: Callable[[], float], *labels: str) -> None:
        """Ask `read` whenever the value is wanted; where `read` raises, the value is NaN."""
        self._place(read, labels)

    def forget(self, *labels: str) -> None:
        """Whoever it was about is gone."""
        self._series.pop(labels, None)

    def value(self, *labels: str) -> float:
        """The value under these label values; 0 if it was never set."""
        return _current(self._series.get(labels, 0))

    def series(self) -> Iterator[tuple[Labels, float]]:
        """Label values and value of every series, as they are now."""
        for labels, value in self._series.copy().items():
            yield labels, _current(value)

    def _place(self, value: float | Callable[[], float], labels: Labels) -> None:
        if labels not in self._series:
            labels = self._admitted(labels, len(self._series))
        self._series[labels] = value


class Example(NamedTuple):
    """One observation that can be looked up: what it is known by, and when it was made."""

    value: float
    xaction_id: str
    at: float  # seconds since 1970


class Observations:
    """The observations of one series: how many fell in each bucket, their sum, and examples."""

    __slots__ = ("counts", "examples", "sum")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.sum = 0.0
        self.examples: dict[int, Example] = {}  # the last one of each bucket


class Histogram(Metric):
    """How values are distributed; `buckets` are ascending upper bounds, +Inf is added."""

    kind = "histogram"

    def __init__(self, name: str, help: str, *labels: str, buckets: Sequence[float]) -> None:
        super().__init__(name, help, *labels)
        self.buckets = (*buckets, math.inf)
        self._series: dict[Labels, Observations] = {}
        if not labels:
            self._series[()] = Observations(len(self.buckets))

    def observe(self, value: float, *labels: str) -> None:
        """Count one `value`; a negative one comes from a clock that stepped, and counts as 0."""
        self.observe_many(value, 1, *labels)

    def observe_many(self, value: float, n: int, *labels: str) -> None:
        """Count `value` `n` times, at the price of once."""
        series = self._series.get(labels)
        if series is None:
            series = self._added(labels)
        value = max(value, 0)
        series.counts[bisect_left(self.buckets, value)] += n
        series.sum += value * n

    def exemplify(self, example: Example, *labels: str) -> None:
        """Remember `example`, one of those observed, as the last one of its bucket."""
        series = self._series.get(labels)
        if series is not None:
            series.examples[bisect_left(self.buckets, example.value)] = example

    def count(self, *labels: str) -> int:
        """How many values were observed under these label values."""
        series = self._series.get(labels)
        return sum(series.counts) if series else 0

    def total(self) -> int:
        """How many values were observed over all label values."""
        return sum(sum(series.counts) for series in self._series.copy().values())

    def series(self) -> Iterator[tuple[Labels, list[int], float, dict[int, Example]]]:
        """Label values, count per bucket (not cumulated), sum and examples of every series."""
        for labels, series in self._series.copy().items():
            yield labels, series.counts.copy(), series.sum, series.examples.copy()

    def _added(self, labels: Labels) -> Observations:
        admitted = self._admitted(labels, len(self._series))
        return self._series.setdefault(admitted, Observations(len(self.buckets)))


def _current(value: float | Callable[[], float]) -> float:
    if not callable(value):
        return value
    try:
        return value()
    except Exception:  # noqa: BLE001 - one broken reading must not hide every other metric
        return math.nan
