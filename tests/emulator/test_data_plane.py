"""What was accepted is judged in the background: it lands in its dataset, or in a failed batch."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from support.lake import Lake, open_lake
from support.provisioned import EVENT_CLASS, PROFILE_CLASS, Provisioned

JANE = {"person": {"name": {"firstName": "Jane"}}}
NUMBER = {"person": {"name": {"firstName": 7}}}


@pytest.fixture
async def lake() -> AsyncIterator[Lake]:
    async with open_lake() as lake:
        yield lake


async def test_what_fits_the_schema_lands_in_the_dataset_with_its_ids(lake: Lake) -> None:
    flow = lake.provision()
    ids = await lake.send(flow, [JANE, {}])
    rows = await lake.rows(flow)
    assert [row["entity"] for row in rows] == [JANE, {}]
    assert [row["xactionId"] for row in rows] == ids
    assert {row["flowId"] for row in rows} == {flow.flow_id}
    assert all(row["receivedTimeMs"] > 1_700_000_000_000 for row in rows)
    (batch,) = lake.emulator.platform.batches.all()
    assert {row["batchId"] for row in rows} == {batch.id}
    assert batch.body["status"] == "success"
    assert batch.body["relatedObjects"] == [{"type": "dataSet", "id": flow.dataset_id}]
    assert batch.body["metrics"]["outputRecordCount"] == 2


async def test_what_breaks_the_schema_is_in_a_failed_batch_with_the_platforms_words(
    lake: Lake,
) -> None:
    flow = lake.provision()
    ids = await lake.send(flow, [JANE, NUMBER])
    (failure,) = await lake.failed()
    assert (failure["xactionId"], failure["record"]) == (ids[1], NUMBER)
    (violation,) = failure["failed"]["_validationErrors"]
    assert violation["message"] == "expected type: String, found: Long"
    assert violation["pointerToViolation"] == "#/person/name/firstName"
    assert failure["failed"]["body"]["xdmEntity"] == NUMBER
    assert failure["failed"]["header"]["xactionId"] == ids[1]
    batch = lake.emulator.platform.batches.get(failure["batchId"])
    assert batch
    assert batch.body["status"] == "failed"
    assert batch.body["metrics"]["failedRecordCount"] == 1
    assert batch.body["errors"] == [
        {"code": "INGEST-1212-400", "description": violation["message"], "recordCount": 1}
    ]
    assert len(await lake.rows(flow)) == 1
    counts = await lake.counts(flow)
    assert (counts["accepted"], counts["landed"], counts["failed"]) == (2, 1, 1)


async def test_failures_are_told_by_batch_and_counted_by_reason(lake: Lake) -> None:
    flow = lake.provision()
    await lake.send(flow, [NUMBER, JANE, NUMBER])
    (first,) = (await lake.ask("failed/batches"))["batches"]
    await lake.send(flow, [{"person": 7}])

    told = await lake.ask("failed/batches", offset="1")
    (last,) = told["batches"]
    assert told["total"] == 2
    assert (first["records"], last["records"]) == (2, 1)
    assert (last["datasetId"], last["flowId"]) == (flow.dataset_id, flow.flow_id)
    assert last["id"] == (await lake.failed())[2]["batchId"]
    assert first["completedMs"] <= last["completedMs"]
    (reason,) = first["reasons"]
    counted = await lake.ask("failed/reasons")
    assert counted["total"] == 3
    assert counted["reasons"][0] == {
        "status": reason["code"],
        "message": reason["description"],
        "count": 2,
        "first": 0,
        "last": 1,
    }
    assert (counted["reasons"][1]["count"], counted["reasons"][1]["first"]) == (1, 2)


async def test_an_xdm_inlet_judges_the_entity_and_whether_its_header_agrees_with_the_flow(
    lake: Lake,
) -> None:
    flow = lake.provision(data_type="xdm")

    def message(entity: Any, dataset_id: str = "", schema_id: str = "") -> dict[str, Any]:
        ref = {
            "id": schema_id or flow.schema_id,
            "contentType": "application/vnd.adobe.xed-full-notext+json; version=1.0",
        }
        header = {
            "schemaRef": ref,
            "flowId": flow.flow_id,
            "datasetId": dataset_id or flow.dataset_id,
        }
        return {"header": header, "body": {"xdmMeta": {"schemaRef": ref}, "xdmEntity": entity}}

    sent = [
        message(JANE),
        message(NUMBER),
        message(JANE, dataset_id="another"),
        message(JANE, schema_id="https://ns.adobe.com/another"),
    ]
    ids = await lake.send(flow, sent)
    assert [row["entity"] for row in await lake.rows(flow)] == [JANE]
    failures = [each["failed"] for each in await lake.failed()]
    assert "_validationErrors" in failures[0]
    assert failures[0]["body"] == sent[1]["body"]
    assert failures[0]["header"] == {**sent[1]["header"], "xactionId": ids[1]}
    assert [each["_errors"]["_streamingValidation"][0]["message"] for each in failures[1:]] == [
        "Payload header has a wrong datasetId [another]",
        "Payload header has a wrong schemaRef [https://ns.adobe.com/another]",
    ]


async def test_records_of_the_ready_made_flow_land_nowhere(lake: Lake) -> None:
    ready_made = Provisioned(lake.emulator.flow_id, lake.emulator.inlet_url[-64:], "", "", "")
    await lake.send(ready_made, [JANE])
    assert await lake.ask("flows") == []
    assert await lake.ask("datasets") == []
    assert list(lake.emulator.records()) == [b'{"person": {"name": {"firstName": "Jane"}}}']


async def test_records_whose_flow_is_gone_are_counted_as_lost(lake: Lake) -> None:
    flow = lake.provision()
    target_id = lake.emulator.platform.flows.get(flow.flow_id).body["targetConnectionIds"][0]  # type: ignore[union-attr]
    lake.emulator.platform.target_connections.remove(target_id)
    await lake.send(flow, [JANE])
    assert (await lake.counts(flow))["lost"] == {"the flow or its dataset is gone": 1}


async def test_failures_of_pretty_printed_records_are_a_line_each(lake: Lake) -> None:
    flow = lake.provision()
    record = b'{\r\n"person":\r\n{"name":\r{"firstName": 7}}}'
    await lake.send_bytes(flow, b'{"messages":[%b,%b]}' % (record, record))
    assert [each["record"] for each in await lake.failed()] == [NUMBER, NUMBER]


async def test_a_schema_that_does_not_compile_fails_every_record(lake: Lake) -> None:
    flow = lake.provision(schema=[PROFILE_CLASS, "https://ns.adobe.com/nowhere"])
    await lake.send(flow, [JANE])
    (failure,) = await lake.failed()
    assert "https://ns.adobe.com/nowhere" in failure["message"]


async def test_rows_and_failures_are_read_in_pages(lake: Lake) -> None:
    flow = lake.provision()
    for number in range(3):
        record = {"person": {"name": {"firstName": str(number)}}}
        await lake.send(flow, [record, NUMBER, record])
        await lake.ask("settle", "POST")
    first_names = [
        row["entity"]["person"]["name"]["firstName"]
        for row in await lake.rows(flow, offset="1", limit="4")
    ]
    assert first_names == ["0", "1", "1", "2"]
    assert await lake.rows(flow, offset="6") == []
    assert len(await lake.failed(offset="1", limit="1")) == 1
    assert await lake.failed(flow_id="another") == []
    status, text = await lake.problem("failed", limit="many")
    assert (status, text) == (400, "limit: found 'many'; write a whole number up to 10000")
    assert (await lake.problem("datasets/unknown"))[0] == 404


async def test_what_was_accepted_and_not_judged_is_judged_after_a_restart(tmp_path: Path) -> None:
    async with open_lake(directory=tmp_path) as lake:
        flow = lake.provision()
        await lake.send(flow, [JANE, NUMBER])
        await lake.ask("settle", "POST")
        before = await lake.rows(flow), await lake.failed()
        await lake.send(flow, [JANE] * 3)  # the pause for further records is not over at the end
    async with open_lake(directory=tmp_path) as lake:
        rows, failed = await lake.rows(flow), await lake.failed()
        assert (rows[:1], failed) == before
        assert [row["entity"] for row in rows] == [JANE] * 4
        assert len({row["xactionId"] for row in rows}) == 4
        counts = await lake.counts(flow)
        assert (counts["accepted"], counts["landed"], counts["failed"]) == (5, 4, 1)
        assert len(list(lake.emulator.platform.batches.all())) == 3


async def test_what_a_killed_emulator_had_half_written_is_cut_off_and_judged_again(
    tmp_path: Path,
) -> None:
    async with open_lake(directory=tmp_path) as lake:
        flow = lake.provision(identity="/personalEmail/address", tags=ENABLED)
        await lake.send(flow, [person("a", firstName="Jane"), NUMBER])
        await lake.ask("settle", "POST")
        whole = await lake.rows(flow), await lake.failed()
    directory = tmp_path / "data_plane"
    steps = directory / "steps.ndjson"
    steps.write_bytes(steps.read_bytes()[:-5])  # as if it had been killed while writing the line
    async with open_lake(directory=tmp_path) as lake:
        again = await lake.rows(flow), await lake.failed()
        for rows, same in zip(again, whole, strict=True):
            assert [row["xactionId"] for row in rows] == [row["xactionId"] for row in same]
        assert [each["records"] for each in (await lake.ask("profiles"))["profiles"]] == [1]


async def test_half_a_batch_of_rows_is_nowhere_to_be_seen_after_a_kill(tmp_path: Path) -> None:
    async with open_lake(directory=tmp_path) as lake:
        flow = lake.provision()
        await lake.send(flow, [JANE])
        await lake.rows(flow)
    rows = tmp_path / "data_plane/datasets" / flow.dataset_id / "rows.ndjson"
    rows.write_bytes(rows.read_bytes() + b'{"xactionId":"half')
    async with open_lake(directory=tmp_path) as lake:
        answer = await lake.ask(f"datasets/{flow.dataset_id}", sql="SELECT count(*) FROM dataset")
        assert answer["rows"] == [[1]]


async def test_what_cannot_be_written_is_judged_again_until_it_can(tmp_path: Path) -> None:
    in_the_way = tmp_path / "data_plane/datasets"
    async with open_lake(directory=tmp_path) as lake:
        in_the_way.write_bytes(b"")
        flow = lake.provision()
        await lake.send(flow, [JANE, NUMBER])
        assert (await lake.problem("settle", "POST", wait="0.5"))[0] == 504
        assert (await lake.ask("flows", wait="0"))[0]["waiting"] == 2
        in_the_way.unlink()
        assert len(await lake.rows(flow)) == len(await lake.failed()) == 1
        counts = await lake.counts(flow)
        assert (counts["landed"], counts["failed"], counts["waiting"]) == (1, 1, 0)


async def test_forgotten_records_are_not_judged_any_more(lake: Lake) -> None:
    flow = lake.provision()
    await lake.send(flow, [JANE])
    await lake.ask("settle", "POST")
    await lake.ask("records", "DELETE")
    await lake.send(flow, [JANE])
    assert len(await lake.rows(flow)) == 2
    counts = await lake.counts(flow)
    assert (counts["landed"], counts["waiting"]) == (2, 0)


ENABLED = {"unifiedProfile": ["enabled:true"]}
EMAIL = "/personalEmail/address"


def person(email: str, **name: str) -> dict[str, Any]:
    return {"personalEmail": {"address": f"{email}@b.org"}, "person": {"name": name}}


async def test_profile_merges_records_by_their_primary_identity(lake: Lake) -> None:
    flow = lake.provision(identity=EMAIL, tags=ENABLED)
    await lake.send(flow, [person("a", firstName="Jane", lastName="Doe"), person("b")])
    await lake.send(flow, [person("a", lastName="Roe")])
    (found,) = (await lake.ask("profiles", identity="a@b.org"))["profiles"]
    assert found["identity"] == {"namespace": "Email", "id": "a@b.org"}
    assert found["attributes"] == person("a", firstName="Jane", lastName="Roe")
    assert (await lake.ask("profiles", identity="Email:b@b.org"))["profiles"][0]["records"] == 1
    assert (await lake.ask("profiles", limit="1"))["total"] == 2


async def test_profile_ignores_an_event_it_has_and_the_dataset_keeps_it(lake: Lake) -> None:
    flow = lake.provision(schema=[EVENT_CLASS], tags=ENABLED)
    event = {
        "_id": "1",
        "timestamp": "2026-01-01T00:00:00Z",
        "identityMap": {"ECID": [{"id": "7"}, {"id": "8", "primary": True}]},
    }
    await lake.send(flow, [event, event, {**event, "_id": "2"}])
    assert len(await lake.rows(flow)) == 3
    answer = await lake.ask("profiles", identity="ECID:8")
    assert [each["_id"] for each in answer["profiles"][0]["events"]] == ["1", "2"]
    assert answer["duplicates"] == 1


async def test_a_dataset_that_is_not_enabled_makes_no_profiles(lake: Lake) -> None:
    flow = lake.provision(identity=EMAIL)
    await lake.send(flow, [person("a")])
    assert (await lake.ask("profiles"))["total"] == 0


async def test_an_upsert_is_for_profile_only_and_can_delete(lake: Lake) -> None:
    tags = {"unifiedProfile": ["enabled:true", "isUpsert:true"]}
    flow = lake.provision(identity=EMAIL, tags=tags)

    def upsert(data: str, body: dict[str, Any]) -> dict[str, Any]:
        header = {"flowId": flow.flow_id, "datasetId": flow.dataset_id}
        return {"header": {**header, "operations": {"data": data}}, "body": body}

    await lake.send(flow, [upsert("create", person("a", firstName="Jane", lastName="Doe"))])
    await lake.send(flow, [upsert("merge", person("a", lastName="Roe"))])
    (found,) = (await lake.ask("profiles", identity="a@b.org"))["profiles"]
    assert found["attributes"]["person"]["name"] == {"firstName": "Jane", "lastName": "Roe"}
    await lake.send(flow, [upsert("delete", person("a"))])
    assert (await lake.ask("profiles"))["total"] == 0
    assert await lake.rows(flow) == []
    assert (await lake.counts(flow))["landed"] == 3


async def test_a_raw_record_goes_through_the_mapping_of_its_flow(lake: Lake) -> None:
    mapping = [("given", "person.name.firstName"), ("mail", "personalEmail.address")]
    flow = lake.provision(mapping=mapping, identity=EMAIL, tags=ENABLED)
    sent = [{"given": 7, "mail": "a@b.org", "more": 1}, {"given": "Joe"}]
    ids = await lake.send(flow, sent)
    (row,) = await lake.rows(flow)
    assert row["entity"] == person("a", firstName="7")
    (failure,) = await lake.failed()
    assert (failure["xactionId"], failure["record"]) == (ids[1], sent[1])
    assert failure["message"] == "required key [personalEmail] not found"
    assert failure["failed"]["body"]["xdmEntity"] == {"person": {"name": {"firstName": "Joe"}}}


async def test_a_flow_uses_the_version_of_its_mapping_that_it_names(lake: Lake) -> None:
    flow = lake.provision(mapping=[("given", "person.name.firstName")])
    mapping_sets = lake.emulator.platform.mapping_sets
    (kept,) = mapping_sets.all()
    newer = [{"sourceType": "STATIC", "source": "x", "destination": "person.name.firstName"}]
    earlier = {"0": {**kept.body, "version": 0}}
    mapping_sets.replace(
        kept.id, {**kept.body, "version": 1, "mappings": newer, "earlier": earlier}
    )
    await lake.send(flow, [{"given": "Jane"}])
    assert [row["entity"] for row in await lake.rows(flow)] == [JANE]


async def test_what_the_mapping_warns_of_is_counted_and_the_record_lands(lake: Lake) -> None:
    flow = lake.provision(mapping=[("given", "person.name.firstName")])
    platform = lake.emulator.platform
    (kept,) = platform.mapping_sets.all()
    broken = {
        "sourceType": "EXPRESSION",
        "source": "date(given)",
        "destination": "person.birthDate",
    }
    mappings = [*kept.body["mappings"], broken]
    platform.mapping_sets.replace(kept.id, {**kept.body, "mappings": mappings})
    await lake.send(flow, [{"given": "Jane"}])
    assert [row["entity"] for row in await lake.rows(flow)] == [JANE]
    counts = await lake.counts(flow)
    assert counts["warnings"] == 1
    assert counts["last_warnings"][0].startswith("person.birthDate: ")


async def test_datasets_that_are_kept_are_parquet_files_too(tmp_path: Path) -> None:
    async with open_lake(directory=tmp_path) as lake:
        flow = lake.provision()
        await lake.send(flow, [JANE, {}, {"person": {"name": {}}}])
        await lake.ask("settle", "POST")
        parquet = tmp_path / "data_plane/datasets" / flow.dataset_id / "rows.parquet"
        assert _parquet(parquet, "count(*), max(person.name.firstName)") == [(3, "Jane")]
        await lake.send(flow, [JANE])
        await lake.rows(flow)
    assert _parquet(parquet, "count(*), count(DISTINCT _landed.xactionId)") == [(4, 4)]
    assert [file.name for file in parquet.parent.iterdir() if file.suffix == ".new"] == []


def _parquet(file: Path, columns: str) -> list[Any]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM read_parquet(?)", [str(file)]).fetchall()


async def test_a_dataset_is_asked_in_sql(lake: Lake) -> None:
    flow = lake.provision()
    await lake.send(flow, [JANE, JANE])
    answer = await lake.ask(
        f"datasets/{flow.dataset_id}",
        sql="SELECT person.name.firstName, count(*) FROM dataset GROUP BY 1",
    )
    assert answer["rows"] == [["Jane", 2]]
    status, text = await lake.problem(f"datasets/{flow.dataset_id}", sql="DROP TABLE dataset")
    assert (status, text) == (400, "write one SELECT, such as: select * from dataset limit 10")
