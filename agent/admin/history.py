"""How did a flow do over the last minutes? Samples of it, one a second, and what follows from them.

There are never more of them than there is room for, so that watching costs the same for ever.
"""

import math
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SECONDS = 300  # how far back it goes
WINDOWS = (10, 60)  # seconds over which rates are told

# What only grows: rates are made of it. Seconds, bytes, else records and requests.
COUNTED = (
    *("read", "accepted", "dead_lettered", "filtered", "dropped", "bytes_read"),
    *("requests", "throttled_seconds", "paced_seconds"),
)
LEVELS = ("held", "held_bytes", "spooled_bytes")  # what goes up and down

Plain = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Sample:
    """How a flow stood at one moment, of the monotonic clock.

    `lags` is the histogram of receive lag: records in each bucket; `lag_sum` their seconds.
    """

    at: float
    counted: Sequence[float]  # in the order of COUNTED
    levels: Sequence[float]  # in the order of LEVELS
    lags: Sequence[float]
    lag_sum: float

    @classmethod
    def of_all(cls, samples: Sequence["Sample"]) -> "Sample":
        """Several flows, seen as one."""
        return cls(
            samples[0].at,
            _added(each.counted for each in samples),
            _added(each.levels for each in samples),
            _added(each.lags for each in samples),
            sum(each.lag_sum for each in samples),
        )


class History:
    """The last samples. `bounds` are the upper bounds of the buckets of lag, the last one +Inf."""

    def __init__(self, bounds: Sequence[float], seconds: int = SECONDS) -> None:
        self._bounds = bounds
        self._samples: deque[Sample] = deque(maxlen=seconds + 1)

    def add(self, sample: Sample) -> None:
        """One more, a second after the one before; beyond the limit the oldest one goes."""
        self._samples.append(sample)

    def rates(self) -> dict[str, dict[str, float]]:
        """What was counted in a second, on average over each of WINDOWS, as far as is known."""
        return {f"{window}s": self._rates(window) for window in WINDOWS}

    def receive_lag(self) -> dict[str, dict[str, float | None]]:
        """Seconds from reading to acceptance over each of WINDOWS; None where none was accepted."""
        return {f"{window}s": self._lag(*self._ends(window)) for window in WINDOWS}

    def growth(self, level: str) -> float:
        """How much a level grew in a second, over the longest of WINDOWS; negative: it fell."""
        first, last = self._ends(WINDOWS[-1])
        if first is None or last is None or last.at == first.at:
            return 0.0
        place = LEVELS.index(level)
        return (last.levels[place] - first.levels[place]) / (last.at - first.at)

    def columns(self, seconds: float) -> dict[str, object]:
        """The last seconds as columns of numbers, the newest last: rates, levels, and lags.

        `ago` is how many seconds ago each was; NaN stands where there is nothing to tell.
        """
        newest = self._samples[-1].at if self._samples else 0.0
        pairs = [pair for pair in pairwise(self._samples) if newest - pair[1].at < seconds]
        columns: dict[str, object] = {
            "ago": array("d", (round(newest - each.at, 2) for _, each in pairs))
        }
        for place, name in enumerate(COUNTED):
            columns[name] = array("d", (round(_rate(*pair, place), 3) for pair in pairs))
        for place, name in enumerate(LEVELS):
            columns[name] = array("d", (each.levels[place] for _, each in pairs))
        lags = [self._lag(*pair) for pair in pairs]
        for name in ("mean", "p99"):
            columns[f"lag_{name}"] = array("d", (_number(lag[name]) for lag in lags))
        return columns

    def _ends(self, window: float) -> tuple[Sample | None, Sample | None]:
        """The newest sample, and before it the one as old as the window."""
        if not self._samples:
            return None, None
        last = self._samples[-1]
        within = (each for each in self._samples if last.at - each.at <= window + 0.5)
        return next(within), last

    def _rates(self, window: float) -> dict[str, float]:
        first, last = self._ends(window)
        return {
            name: round(_rate(first, last, place), 3) if first and last else 0.0
            for place, name in enumerate(COUNTED)
        }

    def _lag(self, first: Sample | None, last: Sample | None) -> dict[str, float | None]:
        counts = list(_gained(first.lags, last.lags)) if first and last else []
        if first is None or last is None or not sum(counts):
            return {"mean": None, "p50": None, "p99": None}
        mean = max(0.0, last.lag_sum - first.lag_sum) / sum(counts)
        shares = {name: quantile(self._bounds, counts, q) for name, q in _QUANTILES}
        return {"mean": round(mean, 4), **shares}


_QUANTILES = (("p50", 0.5), ("p99", 0.99))


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float:
    """The value below which that share of all lies, evenly spread within each bucket.

    What lies beyond the last finite bound is told as that bound, as Prometheus does.
    """
    wanted, below, floor = share * sum(counts), 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=True):
        if below + count >= wanted and count:
            if math.isinf(bound):
                return floor
            return round(floor + (bound - floor) * (wanted - below) / count, 4)
        below += count
        floor = bound
    return floor


def until_full(level: float, limit: float, growth: float) -> float | None:
    """Seconds until a level reaches its limit; None where it does not grow."""
    if not limit or growth <= 0:
        return None
    return round(max(0.0, limit - level) / growth, 1)


def _rate(first: Sample, last: Sample, place: int) -> float:
    seconds = last.at - first.at
    gained = last.counted[place] - first.counted[place]
    return max(0.0, gained) / seconds if seconds > 0 else 0.0


def _gained(first: Sequence[float], last: Sequence[float]) -> Iterator[float]:
    yield from (max(0.0, after - before) for before, after in zip(first, last, strict=True))


def _added(columns: Iterable[Sequence[float]]) -> "array[float]":
    return array("d", map(sum, zip(*columns, strict=True)))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
