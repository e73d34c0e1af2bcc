"""What does the platform count of a flow in a time: messages, records that landed or not?"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.aep.observability import (
    DATASET_RECORDS,
    INLET_FAILURE,
    INLET_SUCCESS,
    RECEIVED,
    Metric,
    total,
)
from agent.aep.platform import Platform
from agent.aep.ways import Way
from agent.reconcile.counting import Window

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of the dataset, as Catalog has it."""

    id: str
    status: str
    landed: int
    failed: int
    reasons: Mapping[str, int]  # how many records failed by each


@dataclass(frozen=True, slots=True)
class Counts:
    """What the platform says; None where it counts no such thing."""

    requests: int | None  # that the inlet answered with success
    requests_refused: int | None
    messages: int | None
    dataset_records: int | None  # by Observability Insights
    batches: tuple[Batch, ...]  # by Catalog; those of other flows left out where that is told

    @property
    def landed(self) -> int:
        """Records in the dataset, by Catalog's batches."""
        return sum(batch.landed for batch in self.batches)

    @property
    def failed(self) -> int:
        """Records that did not land."""
        return sum(batch.failed for batch in self.batches)


async def counted(platform: Platform, way: Way, window: Window) -> Counts:
    """What the platform counts of a flow's inlet and dataset. Raises PlatformError."""
    start = datetime.fromtimestamp(window.since // _MINUTE * _MINUTE, UTC)
    end = datetime.fromtimestamp(window.until + window.lag, UTC)
    wanted: dict[str, Metric] = {}
    if way.inlet_id:
        of_inlet = {"inletId": [way.inlet_id]}
        names = (INLET_SUCCESS, INLET_FAILURE, RECEIVED)
        wanted |= {name: Metric(name, of_inlet) for name in names}
    if way.dataset_id:
        wanted[DATASET_RECORDS] = Metric(DATASET_RECORDS, {"datasetId": [way.dataset_id]})
    found: dict[str, int] = {}
    if wanted:
        answers = await platform.observability.metrics(
            start,
            end,
            list(wanted.values()),
            granularity=_granularity(window.until + window.lag - window.since),
        )
        found = {name: round(total(each)) for name, each in zip(wanted, answers, strict=False)}
    return Counts(
        requests=found.get(INLET_SUCCESS),
        requests_refused=found.get(INLET_FAILURE),
        messages=found.get(RECEIVED),
        dataset_records=found.get(DATASET_RECORDS),
        batches=await _batches(platform, way, start, end),
    )


async def _batches(
    platform: Platform, way: Way, start: datetime, end: datetime
) -> tuple[Batch, ...]:
    if not way.dataset_id:
        return ()
    since = int(start.timestamp() * 1000)
    listed = await platform.catalog.batches(way.dataset_id, since=since)
    latest = end.timestamp() * 1000
    return tuple(
        _batch(each)
        for each in listed
        if _is_of(each, way) and _number(each.get("created")) <= latest
    )


def _batch(body: Mapping[str, Any]) -> Batch:
    metrics = body.get("metrics")
    metrics = metrics if isinstance(metrics, Mapping) else {}
    errors = body.get("errors")
    reasons: Counter[str] = Counter()
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, Mapping):
            why = str(each.get("description") or each.get("code") or "")
            reasons[why] += int(_number(each.get("recordCount")))
    landed, failed = (
        int(_number(metrics.get(name))) for name in ("outputRecordCount", "failedRecordCount")
    )
    status = str(body.get("status", ""))
    if status == "failed" and not failed:
        failed, landed = int(_number(metrics.get("inputRecordCount"))), 0
    return Batch(str(body["id"]), status, landed, failed, reasons)


def _is_of(body: Mapping[str, Any], way: Way) -> bool:
    """Whether a batch may be of this flow: those that name their flow may be of another."""
    tags = body.get("tags")
    flows = tags.get("flowId") if isinstance(tags, Mapping) else None
    return not isinstance(flows, list) or not flows or way.flow_id in flows


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _granularity(seconds: float) -> str:
    """Fine steps for short times, or answers would be large."""
    if seconds <= 6 * _HOUR:
        return "MINUTE"
    return "HOUR" if seconds <= 7 * _DAY else "DAY"
