"""What does Observability Insights count, of inlets and of datasets, over time?

* POST /data/infrastructure/observability/insights/metrics    {start, end, granularity, metrics}
* GET  …/metrics?metric=…&id=…&dateRange=FROM/TO              as it was before, at most six metrics

Of an inlet, `success` and `failure` are HTTP requests, `total.messages.received` is messages. Of a
dataset, all follows from its batches: what is accepted and not yet judged is in none of them.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from agent.emulator.answers import now_ms
from agent.emulator.calls import Caller, answered, caller, object_of
from agent.emulator.refusals import Refused
from agent.emulator.resources import Resource
from agent.emulator.sandboxes import sandbox_id
from agent.emulator.state import State
from agent.emulator.traffic import Seen

PATH = "/data/infrastructure/observability/insights/metrics"
_INLET = "timeseries.data.collection.inlet."
_INGESTION = "timeseries.ingestion.dataset."
_PRESENCE = "timeseries.data.collection.validation.category.presence.count"
_METRICS_MAX = 6  # of the old form
_DEFAULT_GRANULARITY = "DAY"
_GRANULARITIES = {
    "MINUTE": "%Y-%m-%dT%H:%M:00Z",
    "HOUR": "%Y-%m-%dT%H:00:00Z",
    "DAY": "%Y-%m-%dT00:00:00Z",
    "MONTH": "%Y-%m-01T00:00:00Z",
    "YEAR": "%Y-01-01T00:00:00Z",
}
_AGGREGATORS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "count": len,
    "min": min,
    "max": max,
    "avg": lambda values: sum(values) / len(values),
}
_OF_INLETS: dict[str, Callable[[Seen], int]] = {
    f"{_INLET}total.messages.received": lambda seen: seen.messages,
    f"{_INLET}total.messages.size.received": lambda seen: seen.size,
    f"{_INLET}success": lambda seen: seen.succeeded,
    f"{_INLET}failure": lambda seen: seen.failed,
}
Batch = Mapping[str, Any]
_OF_BATCHES: dict[str, Callable[[Batch], int]] = {
    f"{_INGESTION}size": lambda batch: batch["metrics"]["outputByteSize"],
    f"{_INGESTION}dailysize": lambda batch: batch["metrics"]["outputByteSize"],
    f"{_INGESTION}batchsuccess.count": lambda batch: batch["status"] == "success",
    f"{_INGESTION}batchfailed.count": lambda batch: batch["status"] == "failed",
    f"{_INGESTION}recordsuccess.count": lambda batch: batch["metrics"]["outputRecordCount"],
    _PRESENCE: lambda batch: sum(
        each["recordCount"] for each in batch["errors"] if each["code"] == "INGEST-1555-400"
    ),
}
_TAGS = {
    "timeseries.identity.dataset.": "unifiedIdentity",
    "timeseries.profiles.dataset.": "unifiedProfile",
}
_OF_TAGGED: dict[str, Callable[[Batch], int]] = {
    "recordsuccess.count": lambda batch: batch["metrics"]["outputRecordCount"],
    "recordread.count": lambda batch: batch["metrics"]["outputRecordCount"],
    "batchsuccess.count": lambda batch: batch["status"] == "success",
    "recordfailed.count": lambda batch: 0,
}

Point = tuple[int, str, float]  # when, of what, and how much


class Observability:
    """The routes of Observability Insights."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._platform = state.platform

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [web.post(PATH, self.metrics), web.get(PATH, self.metrics_as_before)]

    async def metrics(self, request: web.Request) -> web.Response:
        """POST: several metrics, each with filters of its own."""
        who = caller(request)
        asked = await object_of(request, lambda detail: _bad(who, detail))
        start, end = (_moment(asked.get(name), name, who) for name in ("start", "end"))
        granularity = asked.get("granularity", _DEFAULT_GRANULARITY)
        if not isinstance(granularity, str) or granularity not in _GRANULARITIES:
            raise _bad(who, f"granularity: write one of {', '.join(_GRANULARITIES)}")
        metrics = asked.get("metrics")
        if not isinstance(metrics, list) or not metrics:
            raise _bad(who, "metrics: write a list of {name, filters, aggregator}")
        answers = [self._one(each, start, end, granularity, who) for each in metrics]
        return answered({"metricResponses": answers})

    async def metrics_as_before(self, request: web.Request) -> web.Response:
        """GET: some metrics of one resource or of all, a day at a time."""
        who = caller(request)
        names = request.query.getall("metric", [])
        if not 0 < len(names) <= _METRICS_MAX:
            raise _bad(who, f"metric: write one to {_METRICS_MAX} of them")
        first, _, last = request.query.get("dateRange", "/").partition("/")
        start = _moment(first or "1970-01-01T00:00:00Z", "dateRange", who)
        end = _moment(last or "2999-01-01T00:00:00Z", "dateRange", who)
        id_ = request.query.get("id")
        wanted = None if id_ is None else {id_}
        days: dict[str, dict[str, float]] = {}
        for name in names:
            points = self._within(name, start, end, wanted, who)
            for day, value in _aggregated(points, _DEFAULT_GRANULARITY, sum).items():
                days.setdefault(day, {})[name] = value
        items = [{"timestamp": day, "metrics": days[day]} for day in sorted(days, reverse=True)]
        timeseries = {"granularity": _DEFAULT_GRANULARITY, "items": items}
        told = {"id": id_ or "", "imsOrgId": who.org_id, "timeseries": timeseries, "stats": {}}
        return answered([told])

    def _one(
        self, asked: Any, start: int, end: int, granularity: str, who: Caller
    ) -> dict[str, Any]:
        if not isinstance(asked, Mapping) or not isinstance(asked.get("name"), str):
            raise _bad(who, "metrics: each needs a name")
        aggregator = asked.get("aggregator", "sum")
        if not isinstance(aggregator, str) or aggregator not in _AGGREGATORS:
            raise _bad(who, f"aggregator: write one of {', '.join(_AGGREGATORS)}")
        filters = asked.get("filters") or []
        wanted: set[str] | None = None
        grouped_by: str | None = None
        for each in filters if isinstance(filters, list) else [filters]:
            if not _is_filter(each):
                raise _bad(who, 'filters: each needs a name and a value, such as "a|b"')
            wanted = (wanted or set()) | set(each["value"].split("|"))
            grouped_by = each["name"] if each.get("groupBy") else grouped_by
        points = list(self._within(asked["name"], start, end, wanted, who))
        aggregate = _AGGREGATORS[aggregator]
        datapoints: list[dict[str, Any]] = [
            {"groupBy": {}, "dps": _aggregated(points, granularity, aggregate)}
        ]
        if grouped_by is not None:
            datapoints = [
                {
                    "groupBy": {grouped_by: of},
                    "dps": _aggregated([p for p in points if p[1] == of], granularity, aggregate),
                }
                for of in sorted(wanted or ())
            ]
        return {
            "metric": asked["name"],
            "filters": filters,
            "datapoints": datapoints,
            "granularity": granularity,
        }

    def _within(
        self, name: str, start: int, end: int, wanted: set[str] | None, who: Caller
    ) -> Iterator[Point]:
        for when, of, value in self._points(name, who):
            if start <= when <= end and (wanted is None or of in wanted) and value:
                yield when, of, value

    def _points(self, name: str, who: Caller) -> Iterator[Point]:
        """Everything that was counted under a name. Raises Refused: there is no such metric."""
        if name in _OF_INLETS:
            for minute, inlet_id, seen in self._state.traffic.minutes():
                yield minute, inlet_id, _OF_INLETS[name](seen)
            return
        count, tag = self._counted(name, who)
        for each in self._platform.batches.all(sandbox=who.sandbox):
            dataset_id = each.body["relatedObjects"][0]["id"]
            if tag is None or self._is_tagged(dataset_id, tag):
                yield _completed_ms(each), dataset_id, count(each.body)

    def _counted(self, name: str, who: Caller) -> tuple[Callable[[Batch], int], str | None]:
        """What a metric counts of a batch, and the tag that a dataset must have for it, if any."""
        if name in _OF_BATCHES:
            return _OF_BATCHES[name], None
        for prefix, tag in _TAGS.items():
            count = _OF_TAGGED.get(name.removeprefix(prefix))
            if name.startswith(prefix) and count is not None:
                return count, tag
        raise _bad(who, f"{name} is not a metric")

    def _is_tagged(self, dataset_id: str, tag: str) -> bool:
        dataset = self._platform.datasets.get(dataset_id)
        written = {} if dataset is None else dataset.body.get("tags", {})
        return "enabled:true" in written.get(tag, ())


def _is_filter(written: Any) -> bool:
    names = ("name", "value")
    return isinstance(written, Mapping) and all(isinstance(written.get(n), str) for n in names)


def _completed_ms(batch: Resource) -> int:
    return int(batch.body.get("completed") or batch.created_ms)


def _aggregated(
    points: Any, granularity: str, aggregate: Callable[[list[float]], float]
) -> dict[str, float]:
    """One value for each step of time in which something was counted."""
    steps: dict[str, list[float]] = {}
    form = _GRANULARITIES[granularity]
    for when, _, value in points:
        step = datetime.fromtimestamp(when / 1000, UTC).strftime(form)
        steps.setdefault(step, []).append(float(value))
    return {step: float(aggregate(steps[step])) for step in sorted(steps)}


def _moment(text: Any, name: str, who: Caller) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise _bad(who, f"{name}: write a moment such as 2026-01-31T00:00:00.000Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _bad(who: Caller, detail: str) -> Refused:
    body = {
        "type": "http://ns.adobe.com/aep/errors/INSGHT-1000-400",
        "title": "Bad request",
        "status": 400,
        "report": {
            "tenantInfo": {
                "sandboxName": who.sandbox,
                "sandboxId": sandbox_id(who.sandbox),
                "imsOrgId": who.org_id,
            },
            "additionalContext": {"detail": detail, "request-id": who.request_id},
        },
        "error-chain": [
            {
                "serviceId": "INSGHT",
                "errorCode": "INSGHT-1000-400",
                "invokingServiceId": "INSGHT",
                "unixTimeStampMs": now_ms(),
            }
        ],
    }
    return Refused(400, body)
