"""The platform's traps: each can be set, and does to good records what the platform does."""

import argparse
import asyncio
from typing import Any

import pytest

from agent.cli.emulate import add_arguments
from agent.emulator import traps
from agent.emulator.traps import Traps
from agent.errors import ConfigError
from support.lake import open_lake
from support.provisioned import EVENT_CLASS

JANE = {"person": {"name": {"firstName": "Jane"}}}
ENABLED = {"unifiedProfile": ["enabled:true"]}


def test_each_trap_has_a_meaning() -> None:
    assert list(traps.DESCRIPTIONS) == list(Traps.__struct_fields__)


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("warmup=300", "'warmup' is not known; there are warm_up, "),
        ("warm_up", "found 'warm_up'; write NAME=VALUE, such as warm_up=300"),
        ("warm_up=-1", "Expected `float` >= 0"),
        ("dialect=french", "Invalid enum value 'french'"),
        ("allow=here", "'here' does not appear to be an IPv4 or IPv6 network"),
        ("warm_up=[", "cannot be read as a value"),
    ],
)
def test_a_trap_that_is_written_wrongly_is_explained(written: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as error:
        traps.changed(Traps(), traps.parse_lines([written]))
    assert wrong in str(error.value)


def test_traps_are_written_as_yaml_values() -> None:
    lines = ["warm-up=300", "retry_after=2", "allow=10.0.0.0/8", "sync_validation_here=false"]
    set_ = traps.changed(Traps(), traps.parse_lines(lines))
    assert (set_.warm_up, set_.retry_after, set_.allow) == (300, 2, ["10.0.0.0/8"])
    assert set_.sync_validation_here is False


async def test_what_a_new_flow_accepts_in_its_warm_up_is_lost_silently() -> None:
    async with open_lake(traps={"warm_up": 300}) as lake:
        flow = lake.provision()
        await lake.send(flow, [JANE, JANE])
        assert (await lake.counts(flow))["lost"] == {"warm-up": 2}
        assert await lake.rows(flow) == []
        assert await lake.failed() == []
        await lake.ask("traps", "PUT", {"warm_up": 0})
        await lake.send(flow, [JANE])
        assert len(await lake.rows(flow)) == 1


async def test_a_flow_that_is_disabled_loses_what_it_accepts() -> None:
    async with open_lake() as lake:
        flow = lake.provision()
        flows = lake.emulator.platform.flows
        found = flows.get(flow.flow_id)
        assert found
        flows.replace(flow.flow_id, {**found.body, "state": "disabled"})
        await lake.send(flow, [JANE])
        assert (await lake.counts(flow))["lost"] == {"the flow is disabled": 1}


async def test_changed_schemas_are_not_seen_while_they_are_cached() -> None:
    async with open_lake(traps={"schema_cache": 900}) as lake:
        flow = lake.provision(schema=[EVENT_CLASS])
        event = {"_id": "1", "timestamp": "2026-01-01T00:00:00Z"}
        await lake.send(flow, [event])
        await lake.ask("settle", "POST")
        schemas = lake.emulator.platform.schemas
        found = schemas.get(flow.schema_id)
        assert found
        schemas.replace(flow.schema_id, {**found.body, "required": ["eventType"]})
        await lake.send(flow, [event])
        assert len(await lake.rows(flow)) == 2
        await lake.ask("traps", "PUT", {"schema_cache": 0})
        await lake.send(flow, [event])
        assert len(await lake.rows(flow)) == 2
        assert len(await lake.failed()) == 1


async def test_what_is_too_long_for_profile_lands_all_the_same() -> None:
    async with open_lake(traps={"profile_bytes": 200}) as lake:
        flow = lake.provision(identity="/personalEmail/address", tags=ENABLED)
        short = {"personalEmail": {"address": "a@b.org"}}
        long = {**short, "person": {"name": {"firstName": "x" * 200}}}
        await lake.send(flow, [short, long])
        assert len(await lake.rows(flow)) == 2
        (profile,) = (await lake.ask("profiles"))["profiles"]
        assert profile["attributes"] == short
        assert (await lake.counts(flow))["too_long_for_profile"] == 1


async def test_more_records_than_the_organisation_bought_are_skipped() -> None:
    async with open_lake(traps={"capacity": 1, "capacity_window": 4}) as lake:
        flow = lake.provision()
        await lake.send(flow, [JANE] * 3)
        await lake.send(flow, [JANE] * 2)
        counts = await lake.counts(flow)
        assert (counts["landed"], counts["lost"]) == (3, {"capacity exceeded": 2})


async def test_who_is_not_on_the_list_gets_a_403_without_a_body() -> None:
    async with open_lake(traps={"allow": "10.0.0.0/8"}) as lake:
        flow = lake.provision()
        assert await lake.post(flow, JANE) == (403, None)
        await lake.ask("traps", "PUT", {"allow": ["127.0.0.0/8", "::1/128"]})
        assert (await lake.post(flow, JANE))[0] == 200


@pytest.mark.parametrize(("retry_after", "header"), [(None, None), (3, "3")])
async def test_too_many_requests_are_answered_429_with_or_without_retry_after(
    retry_after: int | None, header: str | None
) -> None:
    chosen = {"requests_per_second": 1, "retry_after": retry_after}
    async with open_lake(traps=chosen) as lake:
        flow = lake.provision()
        answers = [await lake.answer(flow, JANE) for _ in range(4)]
        statuses = [answer.status for answer in answers]
        assert 429 in statuses
        assert 200 in statuses
        for answer in answers:
            if answer.status == 429:
                assert answer.headers.get("Retry-After") == header


async def test_the_dialect_of_batch_answers_can_be_changed_while_it_runs() -> None:
    async with open_lake() as lake:
        flow = lake.provision()
        (documented,) = await lake.send(flow, [JANE])
        await lake.ask("traps", "PUT", {"dialect": "observed"})
        (observed,) = await lake.send(flow, [JANE])
        assert documented.endswith(":0")
        assert observed.endswith("-0")


async def test_tokens_live_as_long_as_the_trap_says() -> None:
    async with open_lake(client_id="c", traps={"token_life": 0.05}) as lake:
        token = await lake.token()
        await asyncio.sleep(0.1)
        flow = lake.provision(authenticated=True)
        assert (await lake.post(flow, JANE, token=token))[0] == 401
        await lake.ask("traps", "PUT", {"token_life": 3600})
        assert (await lake.post(flow, JANE, token=await lake.token()))[0] == 200


async def test_traps_that_cannot_be_set_are_explained_and_nothing_changes() -> None:
    async with open_lake() as lake:
        status, text = await lake.problem("traps", "PUT", {"warm_up": "soon"})
        assert (status, text) == (400, "Expected `float`, got `str` - at `$.warm_up`")
        assert (await lake.problem("traps", "PUT", [1]))[0] == 400
        answer = await lake.ask("traps")
        assert answer["traps"]["warm_up"] == 0
        assert set(answer["traps"]) == set(answer["meanings"])


async def test_sync_validation_is_for_sixty_requests_a_minute_and_one_place() -> None:
    async with open_lake(traps={"sync_validations": 2}) as lake:
        flow = lake.provision()
        statuses = [(await lake.post(flow, JANE, syncValidation="true"))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await lake.post(flow, JANE))[0] == 200
        await lake.ask("traps", "PUT", {"sync_validation_here": False})
        assert (await lake.post(flow, JANE, syncValidation="true"))[0] == 501


async def test_sync_validation_names_every_violation_and_keeps_nothing_that_fails() -> None:
    async with open_lake() as lake:
        flow = lake.provision()
        wrong = {"person": {"name": {"firstName": 7, "lastName": True}}}
        status, body = await lake.post(flow, wrong, syncValidation="true")
        assert (status, body["report"]["message"].endswith("Message is invalid")) == (400, True)
        (whole,) = body["report"]["cause"]["_streamingValidation"]
        assert whole["message"] == "2 schema violations found"
        assert [each["pointerToViolation"] for each in whole["causingExceptions"]] == [
            "#/person/name/firstName",
            "#/person/name/lastName",
        ]
        assert await lake.failed() == []
        status, body = await lake.post(flow, JANE, syncValidation="true")
        assert (status, body["syncValidation"]) == (200, {"status": "pass"})
        assert len(await lake.rows(flow)) == 1


def test_the_command_line_sets_traps() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args: Any = parser.parse_args(["--trap", "warm_up=300", "--trap", "capacity=1500"])
    assert traps.parse_lines(args.trap) == {"warm_up": 300, "capacity": 1500}
