"""Observability Insights: what is counted of inlets and datasets, and how it is asked for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator
from emulator.test_batches import JANE, NUMBER, send
from support.platform import Answered, Calls
from support.provisioned import Provisioned, provision

PATH = "/data/infrastructure/observability/insights/metrics"
INLET = "timeseries.data.collection.inlet."
DATASET = "timeseries.ingestion.dataset."


def asked(*metrics: dict[str, Any], **changed: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "start": (now - timedelta(hours=1)).isoformat(),
        "end": (now + timedelta(hours=1)).isoformat(),
        "granularity": "YEAR",
        "metrics": list(metrics),
        **changed,
    }


async def total(calls: Calls, name: str, **of: str) -> float:
    filters = [{"name": key, "value": value} for key, value in of.items()]
    answer = await calls.post(PATH, asked({"name": name, "filters": filters, "aggregator": "sum"}))
    assert answer.status == 200, answer.body
    (response,) = answer.body["metricResponses"]
    (points,) = response["datapoints"]
    assert response["metric"] == name
    return float(sum(points["dps"].values()))


async def test_inlets_and_datasets_are_counted(client: Any, calls: Calls) -> None:
    flow = provision(client.emulator.platform, tags={"unifiedProfile": ["enabled:true"]})
    other = provision(client.emulator.platform, tags={"unifiedIdentity": ["enabled:true"]})
    await send(calls, flow, [JANE, NUMBER, JANE])
    await send(calls, other, [JANE])
    await calls.post(f"/collection/batch/{flow.inlet_id}", b"no json")

    one = {"inletId": flow.inlet_id}
    assert await total(calls, f"{INLET}total.messages.received", **one) == 3
    assert await total(calls, f"{INLET}total.messages.received") == 4
    assert await total(calls, f"{INLET}total.messages.size.received", **one) > 100
    assert await total(calls, f"{INLET}success", **one) == 1
    assert await total(calls, f"{INLET}failure", **one) == 1
    dataset = {"dataSetId": flow.dataset_id}
    assert await total(calls, f"{DATASET}recordsuccess.count", **dataset) == 2
    assert await total(calls, f"{DATASET}batchsuccess.count") == 2
    assert await total(calls, f"{DATASET}batchfailed.count", **dataset) == 1
    assert await total(calls, f"{DATASET}size", **dataset) > 100
    assert await total(calls, "timeseries.profiles.dataset.recordsuccess.count") == 2
    assert await total(calls, "timeseries.profiles.dataset.batchsuccess.count") == 1
    assert await total(calls, "timeseries.identity.dataset.recordsuccess.count") == 1


async def test_tags_of_old_tutorials_enable_a_dataset_for_nothing(
    client: Any, calls: Calls
) -> None:
    old = {"identity": ["enabled:true"], "profile": ["enabled:true"]}
    flow = provision(client.emulator.platform, identity="/personalEmail/address", tags=old)
    await send(calls, flow, [{"personalEmail": {"address": "a@example.org"}}])

    assert await total(calls, f"{DATASET}recordsuccess.count") == 1
    assert await total(calls, "timeseries.profiles.dataset.recordsuccess.count") == 0
    assert await total(calls, "timeseries.identity.dataset.recordsuccess.count") == 0
    assert (await calls.get("/_emulator/profiles")).body["total"] == 0


async def test_missing_fields_are_counted_as_a_category(client: Any, calls: Calls) -> None:
    flow = provision(client.emulator.platform, identity="/personalEmail/address")
    await send(calls, flow, [JANE])

    name = "timeseries.data.collection.validation.category.presence.count"
    assert await total(calls, name, dataSetId=flow.dataset_id) == 1


async def test_several_inlets_are_told_apart_where_that_is_asked_for(
    client: Any, calls: Calls
) -> None:
    flows: list[Provisioned] = [provision(client.emulator.platform) for _ in range(2)]
    for number, flow in enumerate(flows, 1):
        await send(calls, flow, [JANE] * number)
    ids = [flow.inlet_id for flow in flows]
    filters = [{"name": "inletId", "value": "|".join(ids), "groupBy": True}]

    answer = await calls.post(
        PATH, asked({"name": f"{INLET}total.messages.received", "filters": filters})
    )

    (response,) = answer.body["metricResponses"]
    assert response["filters"] == filters
    assert response["granularity"] == "YEAR"
    found = {each["groupBy"]["inletId"]: each["dps"] for each in response["datapoints"]}
    year = f"{datetime.now(UTC).year}-01-01T00:00:00Z"
    assert found == {ids[0]: {year: 1.0}, ids[1]: {year: 2.0}}


async def test_what_lies_outside_the_time_is_not_counted(client: Any, calls: Calls) -> None:
    flow = provision(client.emulator.platform)
    await send(calls, flow, [JANE])
    metrics = ({"name": f"{DATASET}recordsuccess.count"}, {"name": f"{INLET}success"})

    answer = await calls.post(
        PATH, asked(*metrics, start="2020-01-01T00:00:00.000Z", end="2020-02-01T00:00:00Z")
    )

    points = [each["datapoints"] for each in answer.body["metricResponses"]]
    assert points == [[{"groupBy": {}, "dps": {}}]] * 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (asked({"name": "timeseries.none"}), "timeseries.none is not a metric"),
        (asked({"name": f"{INLET}success"}, start="yesterday"), "start"),
        (asked({"name": f"{INLET}success"}, end=None), "end"),
        (asked({"name": f"{INLET}success"}, granularity="FORTNIGHT"), "MINUTE"),
        (asked({"name": f"{INLET}success", "aggregator": "median"}), "aggregator"),
        (asked({"name": f"{INLET}success", "filters": [{"value": 7}]}), "filters"),
        (asked({"filters": []}), "name"),
        (asked(), "metrics"),
        ([], "object"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_insights_own_words(
    client: Any, calls: Calls, body: Any, said: str
) -> None:
    await send(calls, provision(client.emulator.platform), [JANE])
    answer: Answered = await calls.post(PATH, body)

    assert answer.status == 400
    assert answer.body["type"] == "http://ns.adobe.com/aep/errors/INSGHT-1000-400"
    assert answer.body["report"]["tenantInfo"]["sandboxName"] == "prod"
    assert said in answer.body["report"]["additionalContext"]["detail"]
    assert answer.body["error-chain"][0]["errorCode"] == "INSGHT-1000-400"


async def test_the_form_of_before_is_still_answered(client: Any, calls: Calls) -> None:
    flow = provision(client.emulator.platform)
    await send(calls, flow, [JANE, JANE])
    name = f"{DATASET}recordsuccess.count"

    (answer,) = (await calls.get(f"{PATH}?metric={name}&id={flow.dataset_id}")).body
    too_many = await calls.get(f"{PATH}?" + "&".join([f"metric={name}"] * 7))

    (item,) = answer["timeseries"]["items"]
    assert item["metrics"] == {name: 2.0}
    assert too_many.status == 400


async def test_messages_and_batches_are_known_over_a_restart(tmp_path: Path) -> None:
    async def counted(records: list[Any]) -> tuple[float, float]:
        async with (
            aiohttp.ClientSession() as session,
            Emulator(EmulatorOptions(directory=tmp_path)) as emulator,
        ):
            calls = Calls(emulator.listening, session)
            if records:
                await send(calls, provision(emulator.platform), records)
            return (
                await total(calls, f"{INLET}total.messages.received"),
                await total(calls, f"{DATASET}recordsuccess.count"),
            )

    await counted([JANE, NUMBER])

    assert await counted([]) == (2, 1)


async def test_forgotten_messages_are_counted_no_more(client: Any, calls: Calls) -> None:
    flow = provision(client.emulator.platform)
    await send(calls, flow, [JANE, JANE])
    assert await total(calls, f"{INLET}total.messages.received") == 2

    client.emulator.forget_records()
    await send(calls, flow, [JANE])

    assert await total(calls, f"{INLET}total.messages.received") == 1
