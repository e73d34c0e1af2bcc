"""The gateway before all services: which calls pass, and in which words others are refused."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator
from support.platform import Calls

LIST = "/data/foundation/sandbox-management/sandboxes"
NEW = {"name": "dev", "title": "Development", "type": "development"}


def calls_of(client: Any) -> Calls:
    return Calls(client.emulator.listening, client.session)


@pytest.mark.parametrize(
    ("changed", "status", "body"),
    [
        (
            {"Authorization": ""},
            403,
            {"error_code": "403010", "message": "Oauth token is missing."},
        ),
        (
            {"Authorization": "Bearer "},
            403,
            {"error_code": "403010", "message": "Oauth token is missing."},
        ),
        (
            {"Authorization": "Basic abc"},
            401,
            {"error_code": "401013", "message": "Oauth token is not valid"},
        ),
        ({"x-api-key": ""}, 403, {"error_code": "403000", "message": "Api Key is required"}),
        ({"x-gw-ims-org-id": ""}, 400, {"error_code": "400003", "message": "Missing header"}),
    ],
)
async def test_a_call_without_what_every_call_must_have_is_refused_by_the_gateway(
    calls: Calls, changed: dict[str, str], status: int, body: dict[str, str]
) -> None:
    answer = await calls.get(LIST, headers=changed)

    assert (answer.status, answer.body) == (status, body)


async def test_a_body_of_an_unknown_media_type_is_refused_as_catalog_does(calls: Calls) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await calls.post(LIST, NEW, headers=form)

    assert answer.status == 400
    assert answer.body == {
        "type": "/placeholder/type/uri",
        "status": 400,
        "title": "BadRequestError",
        "detail": "A valid content-type must be specified",
    }


async def test_a_call_that_names_no_sandbox_goes_to_prod(calls: Calls) -> None:
    assert (await calls.get(LIST, headers={"x-sandbox-name": ""})).status == 200


async def test_a_sandbox_that_does_not_exist_is_told_of_until_it_is_made(calls: Calls) -> None:
    there = {"x-sandbox-name": "dev"}
    before = await calls.get(LIST, headers=there)
    flow = await calls.get("/data/foundation/flowservice/flows", headers=there)

    made = await calls.post(LIST, NEW)

    assert before.status == 404
    assert "dev" in before.body["detail"]
    assert flow.body["type"] == "https://ns.adobe.com/aep/errors/FLOW-2100-404"
    assert made.status == 202
    assert (await calls.get(LIST, headers=there)).status == 200


async def test_every_answer_has_a_request_id_and_takes_the_one_it_was_given(calls: Calls) -> None:
    assert len((await calls.get(LIST)).headers["x-request-id"]) == 32
    refused = await calls.get(LIST, headers={"x-api-key": "", "x-request-id": "mine"})
    assert refused.headers["x-request-id"] == "mine"


async def test_paths_and_methods_that_no_service_has_are_told_of_in_the_gateways_words(
    calls: Calls,
) -> None:
    unknown = await calls.get("/data/foundation/nowhere")
    not_allowed = await calls.put(LIST, NEW)
    without_conversion = await calls.get("/data/foundation/mappingSets?limit=1&start=0")

    assert unknown.status == without_conversion.status == 404
    assert unknown.body["error_code"] == "404001"
    assert not_allowed.status == 405
    assert not_allowed.headers["Allow"] == "GET,HEAD,POST"


async def test_with_an_identity_service_only_what_it_issued_passes(start: Any) -> None:
    client = await start(client_id="me", client_secret="mine", ims_org_id="ORG@AdobeOrg")
    calls = calls_of(client)
    form = {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": "mine",
        "scope": "openid",
    }
    async with client.session.post(client.emulator.token_url, data=form) as answer:
        token = (await answer.json())["access_token"]
    good = {
        "Authorization": f"Bearer {token}",
        "x-api-key": "me",
        "x-gw-ims-org-id": "ORG@AdobeOrg",
    }

    async def code(**changed: str) -> Any:
        sent = {**good, **{name.replace("_", "-"): value for name, value in changed.items()}}
        answer = await calls.get(LIST, headers=sent)
        return answer.status if answer.status == 200 else answer.body["error_code"]

    assert await code() == 200
    assert await code(Authorization="Bearer invented") == "401013"
    assert await code(x_api_key="another") == "403003"
    assert await code(x_gw_ims_org_id="other@AdobeOrg") == "403025"
    client.emulator.revoke_tokens()
    assert await code() == "401013"


async def test_faults_reach_calls_to_the_platform_only_where_they_say_so(start: Any) -> None:
    client = await start([{"status": 500}])
    calls = calls_of(client)
    assert (await calls.get(LIST)).status == 200

    client.emulator.set_faults(
        [
            {
                "when": {"path": "platform", "matching": "^POST .*sandboxes\n.*dev"},
                "status": 429,
                "retry_after": 3,
            }
        ]
    )
    refused = await calls.post(LIST, NEW)

    assert (await calls.get(LIST)).status == 200
    assert refused.status == 429
    assert refused.body == {"error_code": "429050", "message": "Too many requests"}
    assert refused.headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        ({"status": 401}, 401),
        ({"status": 503, "body": "html"}, 503),
        ({"body_is": "error_in_200"}, 200),
    ],
)
async def test_a_fault_answers_instead_of_the_service_and_nothing_is_made(
    start: Any, effect: dict[str, Any], status: int
) -> None:
    client = await start([{"when": {"path": "platform", "requests": 1}, **effect}])
    calls = calls_of(client)

    answer = await calls.post(LIST, NEW)

    assert answer.status == status
    assert b"<html>" in answer.body if "body" in effect else "error_code" in answer.body
    assert (await calls.get(f"{LIST}/dev")).status == 404


async def test_what_was_made_stays_made_though_the_answer_is_lost(start: Any) -> None:
    client = await start([{"when": {"path": "platform", "requests": 1}, "accept_then_reset": True}])
    calls = calls_of(client)

    with pytest.raises(aiohttp.ClientConnectionError):
        await calls.post(LIST, NEW)

    assert (await calls.get(f"{LIST}/dev")).status == 200


async def test_sandboxes_outlive_a_restart(tmp_path: Path) -> None:
    async def listed(body: dict[str, str] | None) -> list[str]:
        async with (
            aiohttp.ClientSession() as session,
            Emulator(EmulatorOptions(directory=tmp_path)) as emulator,
        ):
            calls = Calls(emulator.listening, session)
            if body is not None:
                await calls.post(LIST, body)
            return [each["name"] for each in (await calls.get(LIST)).body["sandboxes"]]

    await listed(NEW)

    assert await listed(None) == ["prod", "dev"]
