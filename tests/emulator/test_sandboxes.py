"""Sandboxes: listed, made, refused and removed."""

import pytest

from support.platform import Calls

ROOT = "/data/foundation/sandbox-management"
NEW = {"name": "dev", "title": "Development", "type": "development"}


async def test_prod_is_there_and_is_the_default(calls: Calls) -> None:
    usable = (await calls.get(f"{ROOT}/")).body

    (prod,) = usable["sandboxes"]
    assert (prod["name"], prod["type"], prod["state"], prod["isDefault"]) == (
        "prod",
        "production",
        "active",
        True,
    )
    assert usable["_page"]["count"] == 1
    types = (await calls.get(f"{ROOT}/sandboxTypes")).body["sandboxTypes"]
    assert [each["id"] for each in types] == ["production", "development"]


async def test_a_sandbox_is_made_once_and_removed_again(calls: Calls) -> None:
    made = await calls.post(f"{ROOT}/sandboxes", NEW)
    again = await calls.post(f"{ROOT}/sandboxes", NEW)
    found = await calls.get(f"{ROOT}/sandboxes/dev")
    removed = await calls.delete(f"{ROOT}/sandboxes/dev")

    assert made.status == 202
    assert made.body["state"] == "creating"
    assert again.status == 409
    assert found.body["id"] == made.body["id"]
    assert found.body["state"] == "active"
    assert removed.status == 202
    assert (await calls.get(f"{ROOT}/sandboxes/dev")).status == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "Dev"}, "lower case"),
        ({"title": ""}, "title"),
        ({"type": "staging"}, "production or development"),
    ],
)
async def test_a_sandbox_that_makes_no_sense_is_refused_with_what_to_write(
    calls: Calls, changed: dict[str, str], said: str
) -> None:
    answer = await calls.post(f"{ROOT}/sandboxes", {**NEW, **changed})

    assert answer.status == 400
    assert said in answer.body["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
async def test_a_body_that_is_no_object_is_refused(calls: Calls, body: bytes) -> None:
    answer = await calls.post(f"{ROOT}/sandboxes", body)

    assert answer.status == 400
    assert "the body is" in answer.body["detail"]


async def test_prod_cannot_be_removed(calls: Calls) -> None:
    assert (await calls.delete(f"{ROOT}/sandboxes/prod")).status == 400
