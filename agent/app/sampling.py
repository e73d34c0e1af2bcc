"""What is remembered of the last minutes, so that /status can tell how fast, and how it went?"""

import asyncio
import shutil
import time
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.admin.history import WINDOWS, History, Sample, until_full
from agent.app.parts import Parts
from agent.app.pipeline import Pipeline
from agent.store.disk import Store

_EVERY = 1.0  # seconds
_SELDOM = 5  # samples of flows to one of sources and of the disk
_TELLING = 30.0  # seconds: how the disk grew in a shorter time says nothing of the next hours
_KEPT = WINDOWS[-1] // _SELDOM + 1  # of those


@dataclass(frozen=True, slots=True)
class Disk:
    """What the store takes, and what is left on its disk, in bytes."""

    at: float
    used: int
    free: int


# Records and bytes that were read, by flow and source.
Counted = Mapping[tuple[str, str], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class SourceRates:
    """What sources have given by now, and what they had given before, at times in order."""

    before: Sequence[tuple[float, Counted]]
    now: float
    counted: Counted

    def of(self, flow: str, source: str) -> dict[str, dict[str, float]]:
        """What a source gave in a second, on average over each of WINDOWS."""
        return {f"{window}s": self._over(window, (flow, source)) for window in WINDOWS}

    def _over(self, window: float, key: tuple[str, str]) -> dict[str, float]:
        within = (each for each in self.before if self.now - each[0] <= window + _SELDOM)
        then, before = next(within, (self.now, self.counted))
        seconds = max(self.now - then, _EVERY)
        records, size = self.counted.get(key, (0.0, 0.0))
        records_before, size_before = before.get(key, (0.0, 0.0))
        return {
            "records": round((records - records_before) / seconds, 3),
            "bytes": round((size - size_before) / seconds, 3),
        }


class Sampling:
    """The histories of all flows, of each, and of their sources. For the loop's thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._bounds = next(iter(parts.each)).meters.receive_lag_seconds.buckets
        self.whole = History(self._bounds)
        self.flows: dict[str, History] = {}
        self._sources: deque[tuple[float, Counted]] = deque(maxlen=_KEPT)
        self._disks: deque[Disk] = deque(maxlen=_KEPT)

    async def run(self) -> None:
        """Take samples until cancelled."""
        while True:
            for number in range(_SELDOM):
                self.sample()
                if not number:
                    self._sources.append((time.monotonic(), self._of_sources()))
                    # off the loop: a network's disk may take its time to answer
                    self._disks.append(await asyncio.to_thread(_disk, self._parts.store))
                await asyncio.sleep(_EVERY)

    def sample(self) -> None:
        """Look at every flow once."""
        now = time.monotonic()
        samples = {name: _sample(each, now) for name, each in self._parts.pipelines.items()}
        self.whole.add(Sample.of_all(list(samples.values())))
        for name, sample in samples.items():
            self.flows.setdefault(name, History(self._bounds)).add(sample)
        for gone in self.flows.keys() - samples.keys():
            del self.flows[gone]

    def source_rates(self) -> SourceRates:
        """How fast sources are, as of now."""
        return SourceRates(tuple(self._sources), time.monotonic(), self._of_sources())

    def disk(self) -> dict[str, object]:
        """What the store takes, what is left, and when that is used up as things go."""
        if not self._disks:
            return {"bytes_on_disk": None, "disk_free_bytes": None, "disk_full_in_seconds": None}
        first, last = self._disks[0], self._disks[-1]
        seconds = last.at - first.at
        growth = (last.used - first.used) / seconds if seconds >= _TELLING else 0.0
        return {
            "bytes_on_disk": last.used,
            "disk_free_bytes": last.free,
            "disk_full_in_seconds": until_full(0, last.free, growth),
        }

    def _of_sources(self) -> Counted:
        return {
            (name, label): (count, each.meters.bytes_read.value(label))
            for name, each in self._parts.pipelines.items()
            for (label,), count in each.meters.records_read.series()
        }


def _sample(pipeline: Pipeline, now: float) -> Sample:
    meters, totals = pipeline.meters, pipeline.settler.totals
    lags, lag_sum = [0.0] * len(meters.receive_lag_seconds.buckets), 0.0
    for _, counts, total, *_ in meters.receive_lag_seconds.series():
        lags, lag_sum = [float(count) for count in counts], total
    return Sample(
        now,
        array(
            "d",
            (
                meters.records_read.total(),
                totals.accepted,
                sum(totals.dead_lettered.values()),
                sum(totals.filtered.values()),
                meters.records_dropped.total(),
                meters.bytes_read.total(),
                meters.requests.total(),
                meters.throttled_seconds.total(),
                meters.paced_seconds.total(),
            ),
        ),
        array(
            "d",
            (
                meters.records_held.value(),
                pipeline.budget.held,
                pipeline.spool.statistics().bytes,
            ),
        ),
        array("d", lags),
        lag_sum,
    )


def _disk(store: Store) -> Disk:
    try:
        free = shutil.disk_usage(store.data_dir).free
    except OSError:
        free = 0
    return Disk(time.monotonic(), store.statistics().bytes_on_disk, free)
