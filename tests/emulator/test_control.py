import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
async def filled(client: Any) -> Any:
    """An emulator that accepted three records and refused one."""
    await client.batch([b'{"n": 1}', b"7", b'{"n": 2}'])
    await client.single('{"n":"é"}'.encode())
    return client


async def test_records_are_listed_one_a_line(filled: Any) -> None:
    assert await filled.ask("records") == (200, '{"n": 1}\n{"n": 2}\n{"n":"é"}\n'.encode())


async def test_records_can_be_chosen_by_flow_and_place(filled: Any) -> None:
    flow = filled.emulator.flow_id
    assert (await filled.ask(f"records?flow_id={flow}&since=2"))[1] == '{"n":"é"}\n'.encode()
    assert (await filled.ask("records?flow_id=other"))[1] == b""
    assert (await filled.ask("records?since=3"))[1] == b""
    status, answer = await filled.ask("records?since=-1")
    assert (status, json.loads(answer)["errors"]) == (
        400,
        ["since: found '-1'; write how many records to leave out"],
    )


async def test_records_can_be_listed_with_their_ids(filled: Any) -> None:
    lines = (await filled.ask("records?ids=1&since=1"))[1].splitlines()
    assert [list(json.loads(line)) for line in lines] == [["xaction_id", "flow_id", "record"]] * 2
    assert lines[0].endswith(b'"record":{"n": 2}}')


async def test_refused_records_are_listed_with_the_reason(filled: Any) -> None:
    status, lines = await filled.ask("rejected")
    (line,) = lines.splitlines()
    assert (status, json.loads(line)["record"], json.loads(line)["status"]) == (200, 7, 400)


async def _page(client: Any, path: str) -> tuple[list[bytes], str]:
    async with client.session.get(f"{client.emulator.listening}/_emulator/{path}") as answer:
        return (await answer.read()).splitlines(), answer.headers["X-Total-Count"]


async def test_both_can_be_read_page_by_page_with_their_total(client: Any) -> None:
    for number in range(7):
        await client.batch([b'{"n":%d}' % number, b'{"n":"%d"}' % number, b"[%d]" % number])

    assert await _page(client, "records?since=3&limit=3") == (
        [b'{"n":"1"}', b'{"n":2}', b'{"n":"2"}'],
        "14",
    )
    lines, total = await _page(client, "rejected?since=5&limit=9")
    assert ([json.loads(line)["record"] for line in lines], total) == ([[5], [6]], "7")
    assert await _page(client, "rejected?limit=0") == ([], "7")
    assert len((await _page(client, "rejected?since=2"))[0]) == 5
    for path in ("records?limit=x", "rejected?limit=x", "rejected?since=x"):
        status, answer = await client.ask(path)
        assert (status, "found 'x'" in json.loads(answer)["errors"][0]) == (400, True)


async def test_a_page_from_the_middle_of_long_files_is_the_same_as_of_short_ones(
    client: Any,
) -> None:
    for number in range(30):  # far beyond the distance of two marks
        records = [b'{"n":%d,"text":"%s"}' % (number * 200 + i, b"x" * 40) for i in range(200)]
        await client.batch([*records, b'"%s"' % (b"y" * 3000)])

    lines, _ = await _page(client, "records?since=5001&limit=2")
    assert [json.loads(line)["n"] for line in lines] == [5001, 5002]
    refused, _ = await _page(client, "rejected?since=29")
    assert len(refused) == 1


async def test_reasons_are_counted(filled: Any) -> None:
    shown = json.loads((await filled.ask("rejected/reasons"))[1])

    (reason,) = shown["reasons"]
    assert (shown["total"], reason["count"], reason["first"], reason["last"]) == (1, 1, 0, 0)
    assert "unknown xdm format" in reason["message"]
    await filled.ask("records", "DELETE")
    assert json.loads((await filled.ask("rejected/reasons"))[1]) == {"total": 0, "reasons": []}


async def test_totals_and_reasons_outlive_a_restart(start: Any, tmp_path: Path) -> None:
    first = await start(directory=tmp_path)
    await first.batch([b'{"n":1}', b"7", b'{"n":2}', b"8"])
    before = json.loads((await first.ask("rejected/reasons"))[1])
    await first.emulator.__aexit__(None, None, None)
    with (tmp_path / "rejected.ndjson").open("ab") as file:
        file.write(b'{"record":9,"sta')  # killed while it wrote

    second = await start(directory=tmp_path)

    assert json.loads((await second.ask("rejected/reasons"))[1]) == before
    assert await _page(second, "records?limit=1") == ([b'{"n":1}'], "2")
    await second.batch([b"10"])
    assert [json.loads(line)["record"] for line in (await _page(second, "rejected"))[0]] == [
        7,
        8,
        10,
    ]


async def test_inlets_say_how_to_send(start: Any) -> None:
    client = await start(client_id="me", more_flow_ids=("00000000-0000-4000-8000-000000000000",))

    (inlet,) = json.loads((await client.ask("inlets"))[1])["inlets"]

    assert inlet == {
        "id": client.emulator.inlet_url.rpartition("/")[2],
        "ready_made": True,
        "url": client.single_url,
        "batch_url": client.batch_url,
        "data_type": "raw",
        "authenticated": True,
        "flow_ids": [client.emulator.flow_id, "00000000-0000-4000-8000-000000000000"],
        "token_url": client.emulator.token_url,
        "client_id": "me",
    }


async def test_records_can_be_forgotten(filled: Any) -> None:
    assert (await filled.ask("records", "DELETE"))[0] == 204
    assert (await filled.ask("records"))[1] == (await filled.ask("rejected"))[1] == b""
    stats = await filled.stats()
    assert (stats["records_accepted"], stats["records_rejected"], stats["requests"]) == (0, 0, 2)


async def test_stats_name_every_counter_and_can_be_cleared(filled: Any) -> None:
    stats = await filled.stats()
    assert stats.pop("seconds") >= 0
    assert stats == {
        "connections": 1,
        "requests": 2,
        "requests_in_flight": 0,
        "requests_by_path": {"batch": 1, "single": 1},
        "requests_by_status": {"207": 1, "200": 1},
        "requests_gzip": 0,
        "bytes_wire": 46,
        "bytes_uncompressed": 46,
        "records_accepted": 3,
        "records_rejected": 1,
        "records_by_flow": {filled.emulator.flow_id: 3},
        "duplicates": 0,
        "repeated_ids": 0,
        "faults": {},
    }
    assert (await filled.ask("stats", "DELETE"))[0] == 204
    assert (await filled.stats())["requests"] == 0
    assert len((await filled.ask("records"))[1].splitlines()) == 3


@pytest.mark.parametrize(
    "script", [b'[{"status": 503}]', b"seed: 1\nrules:\n  - status: 503\n    retry_after: 1\n"]
)
async def test_a_script_can_be_put_to_work_and_ended(client: Any, script: bytes) -> None:
    status, shown = await client.ask("faults", "PUT", script)
    assert (status, json.loads(shown)["rules"][0]["status"]) == (200, 503)
    assert (await client.batch([b"{}"]))[0] == 503
    assert json.loads((await client.ask("faults"))[1])["rules"][0]["applied"] == 1
    assert (await client.ask("faults", "DELETE"))[0] == 204
    assert (await client.batch([b"{}"]))[0] == 207
    assert json.loads((await client.ask("faults"))[1]) == {"seed": 0, "rules": []}


async def test_a_bad_script_is_refused_and_the_present_one_stays(client: Any) -> None:
    await client.ask("faults", "PUT", b"[{status: 503}]")
    status, answer = await client.ask("faults", "PUT", b"[{stats: 503}, {delay: x}]")
    assert status == 400
    assert [line[:12] for line in json.loads(answer)["errors"]] == ["rule 1: stat", "rule 2: dela"]
    assert (await client.batch([b"{}"]))[0] == 503


async def test_an_unknown_path_or_method_is_a_problem(client: Any) -> None:
    async with client.session.get(client.emulator.listening + "/nowhere") as answer:
        assert (answer.status, (await answer.json(content_type=None))["status"]) == (404, 404)
    async with client.session.get(client.single_url) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
