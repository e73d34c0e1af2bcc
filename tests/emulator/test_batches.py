"""Batches in Catalog, and the records that Data Access hands out of those that failed."""

import json
from typing import Any

import pytest

from support.platform import Calls
from support.provisioned import Provisioned, provision

CATALOG = "/data/foundation/catalog"
EXPORT = "/data/foundation/export"
JANE = {"person": {"name": {"firstName": "Jane"}}}
NUMBER = {"person": {"name": {"firstName": 7}}}


async def send(calls: Calls, flow: Provisioned, records: list[Any]) -> None:
    answer = await calls.post(
        f"/collection/batch/{flow.inlet_id}",
        {"messages": records},
        headers={"x-adobe-flow-id": flow.flow_id},
    )
    assert answer.status == 207, answer.body
    assert (await calls.post("/_emulator/settle?wait=20")).status == 204


@pytest.fixture
async def flow(client: Any, calls: Calls) -> Provisioned:
    """A flow of whose five records two failed."""
    flow = provision(client.emulator.platform)
    await send(calls, flow, [JANE, NUMBER, JANE, NUMBER, JANE])
    return flow


async def listed(calls: Calls, query: str = "") -> Any:
    answer = await calls.get(f"{CATALOG}/batches?{query}")
    assert answer.status == 200, answer.body
    return answer.body


async def test_a_batch_tells_how_many_records_landed_or_failed_and_why(
    calls: Calls, flow: Provisioned
) -> None:
    batches = await listed(calls, f"dataSet={flow.dataset_id}")

    by_status = {each["status"]: each for each in batches.values()}
    landed, failed = by_status["success"], by_status["failed"]
    assert landed["relatedObjects"] == [{"type": "dataSet", "id": flow.dataset_id}]
    assert (landed["metrics"]["outputRecordCount"], landed["recordCount"]) == (3, 3)
    assert (failed["metrics"]["failedRecordCount"], failed["failedRecordCount"]) == (2, 2)
    (error,) = failed["errors"]
    assert error["code"].startswith("INGEST-")
    assert error["recordCount"] == 2


async def test_batches_are_found_by_dataset_status_and_time(
    client: Any, calls: Calls, flow: Provisioned
) -> None:
    other = provision(client.emulator.platform)
    await send(calls, other, [JANE])

    assert len(await listed(calls)) == 3
    assert len(await listed(calls, f"dataSet={other.dataset_id}")) == 1
    assert len(await listed(calls, "status=failed")) == 1
    assert len(await listed(calls, "createdAfter=1&limit=2")) == 2
    assert await listed(calls, "createdBefore=1") == {}
    (batch,) = await listed(calls, "status=failed&properties=status")
    assert set((await calls.get(f"{CATALOG}/batches/{batch}")).body) == {batch}
    assert (await calls.get(f"{CATALOG}/batches/NONE")).status == 404


async def test_failed_records_are_handed_out_with_what_is_wrong_with_them(
    calls: Calls, flow: Provisioned
) -> None:
    (batch,) = await listed(calls, "status=failed")
    path = f"{EXPORT}/batches/{batch}/failed"

    files = (await calls.get(path)).body
    name = files["data"][1]["name"]
    file = await calls.get(f"{path}?path={name}")
    records = [json.loads(line) for line in file.body.splitlines()]

    assert [each["name"] for each in files["data"]] == ["_SUCCESS", name]
    assert files["data"][1]["length"] == str(len(file.body))
    assert files["data"][1]["_links"]["self"]["href"].endswith(f"?path={name}")
    assert files["_page"] == {"limit": 100, "count": 2}
    assert len(records) == 2
    (error,) = records[0]["_validationErrors"]
    assert error["keyword"] == "type"
    assert error["pointerToViolation"] == "#/person/name/firstName"
    assert records[0]["body"]["xdmEntity"]["person"]["name"]["firstName"] == 7
    assert (await calls.get(f"{path}?path=_SUCCESS")).body == b""


async def test_files_come_in_pages(calls: Calls, flow: Provisioned) -> None:
    (batch,) = await listed(calls, "status=failed")
    path = f"{EXPORT}/batches/{batch}/failed"

    first = (await calls.get(f"{path}?limit=1")).body
    second = (await calls.get(f"{path}?limit=1&start=1")).body

    assert first["_links"]["next"]["href"].endswith("?start=1&limit=1")
    assert "next" not in second["_links"]
    assert (await calls.get(f"{path}?limit=x")).status == 400


async def test_a_batch_that_landed_has_no_failed_files(calls: Calls, flow: Provisioned) -> None:
    (batch,) = await listed(calls, "status=success")
    path = f"{EXPORT}/batches/{batch}"

    assert (await calls.get(f"{path}/failed")).body["data"] == []
    assert (await calls.get(f"{path}/meta")).body["data"] == []
    assert (await calls.get(f"{path}/failed?path=_SUCCESS")).status == 404


@pytest.mark.parametrize("what", ["failed?path=none", "meta?path=none"])
async def test_a_file_or_batch_that_does_not_exist_is_not_found(
    calls: Calls, flow: Provisioned, what: str
) -> None:
    (batch,) = await listed(calls, "status=failed")

    assert (await calls.get(f"{EXPORT}/batches/{batch}/{what}")).status == 404
    assert (await calls.get(f"{EXPORT}/batches/NONE/{what}")).status == 404


async def test_errors_are_diagnosed_by_rows_and_by_a_sample(
    calls: Calls, flow: Provisioned
) -> None:
    (batch,) = await listed(calls, "status=failed")
    path = f"{EXPORT}/batches/{batch}/meta"

    names = [each["name"] for each in (await calls.get(path)).body["data"]]
    (rows,) = (await calls.get(f"{path}?path=row_errors")).body["data"]

    assert names == ["row_errors", "input_files", "row_errors_sample.json"]
    whole = (await calls.get(f"{path}?path={rows['name']}")).body
    for spelling in ("row_errors_sample.json", "row_error_samples.json"):
        assert (await calls.get(f"{path}?path={spelling}")).body == whole
    assert len(whole.splitlines()) == 2
    assert (await calls.get(f"{path}?path=input_files")).body["data"] == []
