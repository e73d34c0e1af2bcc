"""Does every refusal of the control plane tell what to do, and does doing it again complete?"""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError, PlatformError
from provision.stage import ONE_OF_EACH, ORDERS, Stage, staged

# every call that changes something, in the order in which they are made
CALLS = {
    "base connection": r"^POST /data/foundation/flowservice/connections",
    "source connection": r"^POST /data/foundation/flowservice/sourceConnections",
    "field group": r"^POST /data/foundation/schemaregistry/tenant/fieldgroups",
    "schema": r"^POST /data/foundation/schemaregistry/tenant/schemas",
    "identity": r"^POST /data/foundation/schemaregistry/tenant/descriptors",
    "Profile": r"^PATCH /data/foundation/schemaregistry/tenant/schemas",
    "dataset": r"^POST /data/foundation/catalog/dataSets",
    "target connection": r"^POST /data/foundation/flowservice/targetConnections",
    "mapping": r"^POST /data/foundation/conversion/mappingSets",
    "flow": r"^POST /data/foundation/flowservice/flows",
}
READS = {
    "tenant": r"^GET /data/foundation/schemaregistry/stats",
    "connections": r"^GET /data/foundation/flowservice/connections",
    "schemas": r"^GET /data/foundation/schemaregistry/tenant/schemas",
    "descriptors": r"^GET /data/foundation/schemaregistry/tenant/descriptors",
    "datasets": r"^GET /data/foundation/catalog/dataSets",
    "mapping sets": r"^GET /data/foundation/conversion/mappingSets",
    "flow specs": r"^GET /data/foundation/flowservice/flowSpecs",
    "flows": r"^GET /data/foundation/flowservice/flows",
}
CHANGES = {
    "field group": r"^PATCH /data/foundation/schemaregistry/tenant/fieldgroups",
    "dataset": r"^PATCH /data/foundation/catalog/dataSets",
    "mapping": r"^PUT /data/foundation/conversion/mappingSets",
    "flow": r"^PATCH /data/foundation/flowservice/flows",
}
DELETES = {
    "flow": r"^DELETE /data/foundation/flowservice/flows",
    "source connection": r"^DELETE /data/foundation/flowservice/sourceConnections",
    "target connection": r"^DELETE /data/foundation/flowservice/targetConnections",
    "base connection": r"^DELETE /data/foundation/flowservice/connections",
    "dataset": r"^DELETE /data/foundation/catalog/dataSets",
    "identity": r"^DELETE /data/foundation/schemaregistry/tenant/descriptors",
    "schema": r"^DELETE /data/foundation/schemaregistry/tenant/schemas",
    "field group": r"^DELETE /data/foundation/schemaregistry/tenant/fieldgroups",
}
ANSWERS: dict[str, dict[str, Any]] = {
    "401": {"status": 401},
    "403": {"status": 403},
    "403 empty": {"status": 403, "body": "empty"},
    "409": {"status": 409},
    "412": {"status": 412},
    "429": {"status": 429},
    "500": {"status": 500},
    "HTML": {"status": 502, "body": "html"},
    "HTML in 200": {"status": 200, "body": "html"},
    "broken off": {"reset": 0},
    "done, and told otherwise": {"status": 500, "accept": True},
    "done, and broken off": {"accept_then_reset": True},
}
PROFILE = ORDERS.replace("dataset: {", "  profile: true\ndataset: {profile: true, identity: true, ")


@pytest.mark.parametrize("answer", ANSWERS)
async def test_each_call_that_changes_something_may_fail_in_turn(
    tmp_path: Path, answer: str
) -> None:
    async with staged(tmp_path, PROFILE) as stage:
        for call, pattern in CALLS.items():
            error = await _refused(stage, pattern, ANSWERS[answer])
            await _check(stage, error, call)
        stage.emulator.set_faults([])
        await stage.apply()

        assert await stage.objects() == ONE_OF_EACH
        assert all(each.made for each in stage.state.objects)
        assert (await stage.apply()).changed == 0


@pytest.mark.parametrize("answer", ["403", "500", "HTML in 200"])
async def test_each_call_that_reads_may_fail_in_turn(tmp_path: Path, answer: str) -> None:
    async with staged(tmp_path) as stage:
        for call, pattern in READS.items():
            error = await _refused(stage, pattern, ANSWERS[answer])
            await _check(stage, error, call)
        stage.emulator.set_faults([])
        await stage.apply()

        assert await stage.objects() == ONE_OF_EACH


@pytest.mark.parametrize("answer", ANSWERS)
async def test_each_call_that_changes_what_is_there_may_fail_in_turn(
    tmp_path: Path, answer: str
) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        stage.edit("attribute: firstName", "attribute: givenName")
        stage.edit("All of them", "Every one")
        stage.edit("minimum: 0}", "minimum: 0}\n    - {path: order.note}")
        for call, pattern in CHANGES.items():
            _set_fault(stage, pattern, ANSWERS[answer])
            # what can be done twice may have been done by the time the answer is lost
            with suppress(PlatformError):
                await stage.apply()
            assert stage.emulator.stats()["faults"]["refused"] > 0 or "done" in answer, call
        stage.emulator.set_faults([])
        await stage.apply()

        assert await stage.actions() == {}
        assert await stage.objects() == ONE_OF_EACH


@pytest.mark.parametrize("answer", ANSWERS)
async def test_each_call_that_takes_away_may_fail_in_turn(tmp_path: Path, answer: str) -> None:
    async with staged(tmp_path) as stage:
        await stage.apply()
        for call, pattern in DELETES.items():
            _set_fault(stage, pattern, ANSWERS[answer])
            try:
                await stage.destroy()
            except PlatformError as error:
                await _check(stage, error, call)
        stage.emulator.set_faults([])
        await stage.destroy()

        assert await stage.objects() == {"mappingSets": 1}


async def _refused(stage: Stage, pattern: str, effect: dict[str, Any]) -> AgentError:
    """What is said when this call is answered so, for as long as it is tried."""
    _set_fault(stage, pattern, effect)
    with pytest.raises(AgentError) as caught:
        await stage.apply()
    return caught.value


def _set_fault(stage: Stage, pattern: str, effect: dict[str, Any]) -> None:
    when = {"path": "platform", "matching": pattern, "requests": 2}
    stage.emulator.set_faults([{"name": "refused", "when": when, **effect}])


async def _check(stage: Stage, error: AgentError, call: str) -> None:
    words = str(error)
    assert isinstance(error, PlatformError), call
    assert error.next_step, words
    assert re.search(r"(GET|POST|PATCH|DELETE) /data/foundation/", words), words
    assert "emulated-secret" not in words
    assert "<html" not in words.lower()
