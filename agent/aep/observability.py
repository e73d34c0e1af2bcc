"""What does the platform count of what it was sent? Observability Insights' client.

There are no pages: a shorter time or a coarser granularity makes answers smaller. [Observability
Insights API, version 2; platform facts 9]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agent.aep.services import Service

RECEIVED = "timeseries.data.collection.inlet.total.messages.received"
INLET_SUCCESS = "timeseries.data.collection.inlet.success"  # requests, not messages; so the next
INLET_FAILURE = "timeseries.data.collection.inlet.failure"
DATASET_RECORDS = "timeseries.ingestion.dataset.recordsuccess.count"


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing to count: its name, and of what, as {"inletId": […]}."""

    name: str
    of: dict[str, list[str]] = field(default_factory=dict)
    aggregator: str = "sum"

    def as_json(self) -> dict[str, Any]:
        """As a request has it."""
        filters = [
            {"name": name, "value": "|".join(values), "groupBy": True}
            for name, values in self.of.items()
        ]
        body: dict[str, Any] = {"name": self.name, "aggregator": self.aggregator}
        return {**body, "filters": filters} if filters else body


class Observability(Service):
    """Counts over time."""

    name = "Observability Insights"
    root = "/data/infrastructure/observability/insights"

    async def metrics(
        self,
        start: datetime,
        end: datetime,
        metrics: Sequence[Metric],
        *,
        granularity: str = "MINUTE",
    ) -> list[dict[str, Any]]:
        """Counts in that time, in the order asked: each with `datapoints`.

        *granularity* is MINUTE, HOUR or DAY.
        """
        body = {
            "start": _moment(start),
            "end": _moment(end),
            "granularity": granularity,
            "metrics": [each.as_json() for each in metrics],
        }
        call = self.call("POST", "metrics", body=body, repeatable=True)
        reply = await self.session.ask(call)
        return self.listed(call, reply, "metricResponses")

    async def total(self, start: datetime, end: datetime, metric: Metric) -> float:
        """All that was counted of one metric in that time."""
        (found, *_) = await self.metrics(start, end, [metric]) or [{}]
        return total(found)


def total(response: dict[str, Any]) -> float:
    """The sum of all data points of one metric's response."""
    points = response.get("datapoints")
    found = 0.0
    for point in points if isinstance(points, list) else ():
        values = point.get("dps") if isinstance(point, dict) else None
        for value in values.values() if isinstance(values, dict) else ():
            found += float(value) if isinstance(value, int | float) else 0.0
    return found


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
