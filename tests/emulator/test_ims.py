"""The identity service beside the inlet: who gets a token, and what one is good for."""

import base64
import json
import time
from typing import Any

import aiohttp
import pytest

FORM = {
    "grant_type": "client_credentials",
    "client_id": "me",
    "client_secret": "mine",
    "scope": "openid",
}


async def ask(client: Any, how: str = "data", **changed: str) -> tuple[int, Any]:
    form = {name: value for name, value in (FORM | changed).items() if value}
    url = client.emulator.token_url
    async with client.session.post(url, **{how: form}) as answer:
        body = await answer.read()
        try:
            return answer.status, json.loads(body)
        except ValueError:
            return answer.status, body


async def started(start: Any, faults: Any = (), **options: Any) -> Any:
    return await start(faults, client_id="me", client_secret="mine", **options)


@pytest.mark.parametrize("how", ["data", "params"])
async def test_a_client_gets_a_token_and_the_inlet_takes_it(start: Any, how: str) -> None:
    client = await started(start)
    status, answer = await ask(client, how)
    assert status == 200
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 86_399)
    for authorization in (f"Bearer {answer['access_token']}", answer["access_token"]):
        bearing = {"Authorization": authorization}
        assert (await client.batch([b"{}"], headers=bearing))[0] == 207
        assert (await client.single(b"{}", headers=bearing))[0] == 200


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        ("", "Ims service token is empty"),
        ("Bearer made-up", "Ims service token is invalid"),
        ("Bearer", "Ims service token is invalid"),
    ],
)
async def test_the_inlet_refuses_every_other_token(
    start: Any, authorization: str, words: str
) -> None:
    client = await started(start)
    status, answer = await client.batch([b"{}"], headers={"Authorization": authorization})
    assert (status, answer["status"]) == (401, "401")
    assert answer["report"]["message"].endswith(words)
    assert list(client.emulator.records()) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "somebody"}, "invalid_client"),
        ({"client_secret": "guessed"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
async def test_whoever_is_not_the_client_gets_none(
    start: Any, changed: dict[str, str], code: str
) -> None:
    client = await started(start)
    status, answer = await ask(client, **changed)
    assert (status, answer["error"]) == (400, code)
    assert client.emulator.stats()["tokens"]["good"] == 0


async def test_a_token_expires(start: Any) -> None:
    client = await started(start, token_life=0.05)
    _, answer = await ask(client)
    assert answer["expires_in"] == 0.05
    bearing = {"Authorization": f"Bearer {answer['access_token']}"}
    assert (await client.batch([b"{}"], headers=bearing))[0] == 207
    await client.until(lambda stats: stats["tokens"]["good"] == 0)
    assert (await client.batch([b"{}"], headers=bearing))[0] == 401


async def test_tokens_can_be_revoked(start: Any) -> None:
    client = await started(start)
    for revoke in (client.emulator.revoke_tokens, None):
        _, answer = await ask(client)
        if revoke:
            revoke()
        else:
            assert (await client.ask("tokens", "DELETE"))[0] == 204
        bearing = {"Authorization": f"Bearer {answer['access_token']}"}
        assert (await client.batch([b"{}"], headers=bearing))[0] == 401


async def test_requests_for_tokens_are_counted_apart(start: Any) -> None:
    client = await started(start)
    await ask(client)
    await ask(client, client_secret="guessed")
    stats = await client.stats()
    assert stats["tokens"] == {
        "requests": 2,
        "requests_by_status": {"200": 1, "400": 1},
        "good": 1,
    }
    assert stats["requests"] == 0


async def test_without_a_client_there_is_no_token_endpoint(client: Any) -> None:
    assert client.emulator.token_url is None
    async with client.session.post(client.emulator.listening + "/ims/token/v3") as answer:
        assert answer.status == 404
    assert "tokens" not in await client.stats()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 500}, (500, "server_error")),
        ({"status": 401}, (401, "invalid_client")),
        ({"status": 429, "retry_after": 3}, (429, "slow_down")),
    ],
)
async def test_a_fault_that_names_the_path_meets_requests_for_tokens_alone(
    start: Any, fault: dict[str, Any], expected: tuple[int, str]
) -> None:
    client = await started(start, [{"when": {"path": "token", "requests": 1}, **fault}])
    assert (await client.batch([b"{}"]))[0] == 401, "the inlet is asked first, and not met"
    status, answer = await ask(client)
    assert (status, answer["error"]) == expected
    assert (await ask(client))[0] == 200


async def test_a_fault_that_names_no_path_is_the_inlets(start: Any) -> None:
    client = await started(start, [{"when": {"requests": 1}, "status": 503}])
    assert (await ask(client))[0] == 200
    assert (await client.batch([b"{}"]))[0] == 503


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ({"status": 200, "body": "html"}, b"<html>"),
        ({"status": 200, "body": "empty"}, b""),
        ({"status": 200, "body": "garbage"}, b"garbage"),
        ({"status": 200, "body": {"access_token": ""}}, b"{"),
    ],
)
async def test_a_token_endpoint_can_talk_nonsense(
    start: Any, fault: dict[str, Any], body: bytes
) -> None:
    client = await started(start, [{"when": {"path": "token"}, **fault}])
    async with client.session.post(client.emulator.token_url, data=FORM) as answer:
        assert answer.status == 200
        assert (await answer.read()).startswith(body)


@pytest.mark.parametrize("fault", [{"hang": 0.05}, {"reset": 0}, {"reset": 20}, {"truncate": 5}])
async def test_a_token_can_be_lost_on_its_way(start: Any, fault: dict[str, Any]) -> None:
    client = await started(start, [{"when": {"path": "token"}, **fault}])
    with pytest.raises(aiohttp.ClientError):
        await ask(client)
    assert client.emulator.stats()["tokens"]["requests_by_status"] == {"none": 1}


async def test_a_token_can_be_late(start: Any) -> None:
    client = await started(start, [{"when": {"path": "token"}, "delay": 0.1}], latency=0.05)
    begun = time.monotonic()
    assert (await ask(client))[0] == 200
    assert time.monotonic() - begun >= 0.15


async def test_a_token_given_on_the_command_line_is_good_too(start: Any) -> None:
    client = await started(start, token="fixed")
    assert (await client.batch([b"{}"], headers={"Authorization": "Bearer fixed"}))[0] == 207


def _jwt(alg: str = "RS256", **changed: Any) -> str:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    ims = "https://ims-na1.adobelogin.com"
    claims = {
        "iss": "ORG@AdobeOrg",
        "sub": "account@techacct.adobe.com",
        "aud": f"{ims}/c/me",
        "exp": int(time.time())
        + 3600,  # parameters are made when tests are collected, long before they run
        f"{ims}/s/ent_dataservices_sdk": True,
    } | changed
    return f"{part({'alg': alg})}.{part(claims)}.c2lnbmF0dXJl"


async def exchange(client: Any, **changed: str) -> tuple[int, Any]:
    form = {"client_id": "me", "client_secret": "mine", "jwt_token": _jwt()} | changed
    url = client.emulator.listening + "/ims/exchange/jwt"
    async with client.session.post(url, data=form) as answer:
        return answer.status, await answer.json()


async def test_a_jwt_is_exchanged_for_a_token_whose_life_is_told_in_milliseconds(
    start: Any,
) -> None:
    client = await started(start, token_life=60.0)

    status, answer = await exchange(client)
    good, _ = await client.batch(
        [b"{}"], headers={"Authorization": f"Bearer {answer['access_token']}"}
    )

    assert status == 200
    assert answer["expires_in"] == 60_000
    assert answer["token_type"] == "bearer"
    assert good == 207


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"client_id": "another"}, "invalid_client", "client_id"),
        ({"client_secret": "wrong"}, "invalid_client", "client_secret"),
        ({"jwt_token": "no jwt"}, "invalid_token", "three parts"),
        ({"jwt_token": "a.b.c"}, "invalid_token", "decoded"),
        ({"jwt_token": _jwt(exp=1)}, "invalid_token", "expired"),
        ({"jwt_token": _jwt(sub=None)}, "invalid_token", "lacks sub"),
        ({"jwt_token": _jwt(aud="https://ims/c/other")}, "invalid_token", "/c/"),
        ({"jwt_token": _jwt(alg="none")}, "invalid_token", "RS256"),
        (
            {"jwt_token": _jwt(**{"https://ims-na1.adobelogin.com/s/ent_dataservices_sdk": False})},
            "invalid_token",
            "metascope",
        ),
        ({"jwt_token": "W10.W10.x"}, "invalid_token", "decoded"),
    ],
)
async def test_a_jwt_that_claims_the_wrong_things_gets_no_token(
    start: Any, changed: dict[str, str], error: str, said: str
) -> None:
    client = await started(start)

    status, answer = await exchange(client, **changed)

    assert status == 400
    assert answer["error"] == error
    assert said in answer["error_description"]
