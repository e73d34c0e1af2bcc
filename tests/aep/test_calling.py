"""When calls of the control plane are made again, and what their errors say."""

import io
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aep.scripted import TOKEN, Answer, Asked, asking, client
from agent.aep.platform import Platform
from agent.config.platform import PlatformSettings
from agent.config.showing import shown
from agent.config.validating import validated
from agent.errors import (
    ConfigError,
    CredentialsRefused,
    NotFound,
    PlatformAway,
    PlatformError,
)
from delivery.rig import talking

FLOWS = "/data/foundation/flowservice/flows"
ITEM = Answer({"items": [{"id": "f"}]})
MADE = Answer({"id": "f", "etag": '"1"'}, 201)
PAGE = Answer(b"<!DOCTYPE html><title>Sign in</title>")
GONE = Answer(status=None)
IDENTITY = {"client_id": "me", "client_secret": "p8e-planted-secret", "token": None}


async def create(platform: Platform) -> Any:
    return await platform.flow.create("flows", {"name": "orders"})


@pytest.mark.parametrize(
    "trouble",
    [Answer(status=429), Answer(status=503), Answer(status=500), Answer(status=408), GONE, PAGE],
    ids=["429", "503", "500", "408", "broken", "login page"],
)
async def test_what_only_reads_is_asked_again(trouble: Answer) -> None:
    async with asking(trouble, trouble, ITEM) as (platform, script):
        assert await platform.flow.get("flows", "f") == {"id": "f"}
    assert len(script.asked) == 3


async def test_it_is_asked_so_often_and_no_oftener() -> None:
    problem = Answer({"title": "Service unavailable"}, 503, {"x-request-id": "rq"})
    async with asking(problem, attempts=3) as (platform, script):
        with pytest.raises(PlatformAway) as raised:
            await platform.flow.get("flows", "f")
    assert len(script.asked) == 3
    assert str(raised.value) == (
        f"Flow Service: GET {FLOWS}/f: 503: Service unavailable (request id rq); try again later;"
        " if this lasts, give Adobe's support the request id"
    )


async def test_what_makes_something_is_asked_again_where_nothing_can_have_been_made() -> None:
    async with asking(Answer(status=429), MADE) as (platform, script):
        await create(platform)
    assert len(script.asked) == 2


@pytest.mark.parametrize(
    "trouble",
    [Answer({"title": "Internal"}, 500), Answer(status=504), Answer(status=408), GONE, PAGE],
    ids=["500", "504", "408", "broken", "login page"],
)
async def test_what_may_have_made_something_is_not_asked_again_and_says_so(
    trouble: Answer,
) -> None:
    async with asking(trouble, MADE) as (platform, script):
        with pytest.raises(PlatformAway, match="it may have been carried out all the same") as got:
            await create(platform)
    assert len(script.asked) == 1
    assert got.value.maybe_done


async def test_what_was_refused_was_not_done() -> None:
    problem = {"type": "https://ns.adobe.com/aep/errors/FLOW-1413-400", "title": "Invalid request"}
    async with asking(Answer(problem, 400)) as (platform, script):
        with pytest.raises(PlatformError, match="400 FLOW-1413-400") as raised:
            await create(platform)
    assert len(script.asked) == 1
    assert not raised.value.maybe_done
    assert "write the id of a spec that exists" in str(raised.value)


async def test_where_nobody_listens_nothing_was_done() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with client(f"http://127.0.0.1:{port}") as platform:
            with pytest.raises(PlatformAway, match=f"cannot connect to 127.0.0.1:{port}") as raised:
                await create(platform)
    assert not raised.value.maybe_done


async def test_what_a_delete_deleted_though_no_answer_came_is_deleted() -> None:
    missing = Answer({"title": "Resource not found"}, 404)
    async with asking(GONE, missing) as (platform, script):
        await platform.flow.delete("flows", "f")
        with pytest.raises(NotFound):
            await platform.flow.delete("flows", "f")
    assert len(script.asked) == 3


async def test_a_change_with_an_etag_can_be_asked_for_twice() -> None:
    async with asking(Answer(status=500), Answer({"id": "f", "etag": '"2"'})) as (platform, script):
        assert (await platform.flow.patch("flows", "f", [], '"1"')).etag == '"2"'
    assert len(script.asked) == 2


async def test_a_wait_that_is_asked_for_is_kept_and_one_of_an_hour_is_not() -> None:
    busy = Answer({"message": "busy"}, 429, {"Retry-After": "0.3"})
    began = time.monotonic()
    async with asking(busy, ITEM) as (platform, _):
        await platform.flow.get("flows", "f")
    assert time.monotonic() - began >= 0.3
    busy = Answer({"message": "busy"}, 429, {"Retry-After": "3600"})
    async with asking(busy, ITEM) as (platform, script):
        with pytest.raises(PlatformAway, match="429: busy; wait a while"):
            await platform.flow.get("flows", "f")
    assert len(script.asked) == 1


async def test_silence_is_an_error_after_a_while_and_names_the_setting() -> None:
    async def silent(head: bytes, reader: Any, writer: Any) -> None:
        await reader.read()

    limits = {"connect": "1s", "answer": "50ms", "total": "2s"}
    async with (
        talking(silent) as place,
        client(f"http://{place}", timeouts=limits, attempts=2) as platform,
    ):
        with pytest.raises(PlatformAway, match=r"no answer in time \(platform.timeouts.answer\)"):
            await platform.flow.get("flows", "f")


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    long = Answer(b'{"items":[' + b" " * 100_000)
    async with asking(long, max_answer_bytes="64KB", attempts=1) as (platform, _):
        with pytest.raises(PlatformAway, match="longer than 64000 bytes"):
            await platform.flow.get("flows", "f")


async def test_another_address_than_the_platforms_is_no_missing_object() -> None:
    async with asking(Answer(b"<html>no such page", 404)) as (platform, script):
        with pytest.raises(PlatformError, match=r"an HTML page.*check platform\.url") as raised:
            await platform.flow.get("flows", "f")
    assert type(raised.value) is PlatformError
    assert len(script.asked) == 1


async def test_a_redirect_is_not_followed_with_a_token() -> None:
    moved = Answer(status=302, headers={"Location": "http://127.0.0.1:9/"})
    async with asking(moved) as (platform, script):
        with pytest.raises(PlatformError, match="302"):
            await platform.flow.get("flows", "f")
    assert len(script.asked) == 1


async def test_a_sandbox_that_is_not_there_is_no_missing_object() -> None:
    body = {"type": "https://ns.adobe.com/aep/errors/FLOW-2100-404", "title": "Sandbox not found"}
    async with asking(Answer(body, 404)) as (platform, _):
        with pytest.raises(PlatformError, match=r"check platform\.sandbox") as raised:
            await platform.flow.get("flows", "f")
    assert not isinstance(raised.value, NotFound)


async def test_the_gateways_words_about_credentials_are_told_with_what_to_check() -> None:
    body = {"error_code": "403003", "message": "Api Key is invalid"}
    async with asking(Answer(body, 403)) as (platform, script):
        with pytest.raises(
            CredentialsRefused, match=r"Api Key is invalid; check platform\.api_key"
        ):
            await platform.flow.get("flows", "f")
    assert len(script.asked) == 1


def issuing(tokens: list[str], refused: set[str]) -> Any:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/ims/token/v3":
            return Answer({"access_token": tokens.pop(0), "expires_in": 86_399})
        if asked.headers["Authorization"].removeprefix("Bearer ") in refused:
            return Answer({"error_code": "401013", "message": "Oauth token is not valid"}, 401)
        return ITEM

    return answer


async def with_identity(answer: Any, **settings: Any) -> tuple[list[Any], list[Asked]]:
    """What two calls come to where tokens are issued by the same host, and all requests."""
    found: list[Any] = []
    async with asking(answer) as (_, script):
        url = f"{script.url}/ims/token/v3"
        async with client(script.url, token_url=url, **{**IDENTITY, **settings}) as platform:
            for _ in range(2):
                try:
                    found.append(await platform.flow.get("flows", "f"))
                except PlatformError as error:
                    found.append(error)
    return found, script.asked


async def test_a_token_is_asked_for_once_and_carried_by_all_calls() -> None:
    found, asked = await with_identity(issuing(["t1"], set()))
    assert found == [{"id": "f"}] * 2
    assert [each.path for each in asked] == ["/ims/token/v3", f"{FLOWS}/f", f"{FLOWS}/f"]
    assert b"grant_type=client_credentials&client_id=me&client_secret=p8e-pl" in asked[0].body
    assert {each.headers["x-api-key"] for each in asked[1:]} == {"key"}


async def test_a_token_that_is_refused_is_replaced_once() -> None:
    found, asked = await with_identity(issuing(["t1", "t2"], {"t1"}))
    assert found == [{"id": "f"}] * 2
    tokens = [each.headers.get("Authorization") for each in asked]
    assert tokens == [None, "Bearer t1", None, "Bearer t2", "Bearer t2"]
    found, asked = await with_identity(issuing(["t1", "t2", "t3", "t4"], {"t1", "t2", "t3", "t4"}))
    assert all(isinstance(each, CredentialsRefused) for each in found)
    assert (
        len(asked) == 8 - 1
    )  # the second call begins with the token that the first one ended with


async def test_a_client_that_is_refused_says_so_without_its_secret(log: io.StringIO) -> None:
    secret = IDENTITY["client_secret"]
    body = {"error": "invalid_client", "error_description": f"secret {secret} is wrong"}
    (error, _), asked = await with_identity(Answer(body, 400))
    assert isinstance(error, CredentialsRefused)
    assert "Identity service: no token: status 400: invalid_client" in str(error)
    assert "check platform.client_id and client_secret" in str(error)
    assert str(secret) not in str(error) + log.getvalue()
    assert len(asked) == 2


async def test_an_identity_service_that_is_away_is_asked_again_and_then_told_of() -> None:
    (error, _), asked = await with_identity(Answer(status=503), attempts=2)
    assert isinstance(error, PlatformAway)
    assert "check the way to the token endpoint" in str(error)
    assert len(asked) == 4


async def test_a_token_that_an_answer_repeats_is_not_shown(log: io.StringIO) -> None:
    echo = Answer({"message": f"not valid: {TOKEN}"}, 401)
    async with asking(echo) as (platform, script):
        with pytest.raises(CredentialsRefused) as raised:
            await platform.flow.get("flows", "f")
    assert TOKEN not in str(raised.value) + repr(raised.value) + log.getvalue()
    assert len(script.asked) == 1


async def test_a_token_file_is_read_for_each_call_and_again_when_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")

    def answer(asked: Asked) -> Answer:
        if asked.headers["Authorization"] == "Bearer old":
            file.write_text("new\n")
            return Answer({"error_code": "401013", "message": "Oauth token is not valid"}, 401)
        return ITEM

    async with asking(answer, token=None, token_file=str(file)) as (platform, script):
        assert await platform.flow.get("flows", "f") == {"id": "f"}
        file.unlink()
        with pytest.raises(ConfigError, match=r"platform\.token_file"):
            await platform.flow.get("flows", "f")
    assert len(script.asked) == 2


async def test_the_proxy_is_used_and_its_password_never_shown() -> None:
    async with asking(ITEM) as (_, proxy):
        by = proxy.url.replace("//", "//user:proxy-password@")
        async with client("http://platform.invalid", proxy=by) as platform:
            assert await platform.flow.get("flows", "f") == {"id": "f"}
    assert proxy.asked[0].headers["Host"] == "platform.invalid"
    async with client("http://platform.invalid", proxy=by, attempts=1) as platform:
        with pytest.raises(PlatformAway) as raised:
            await platform.flow.get("flows", "f")
    assert "proxy-password" not in str(raised.value)
    settings = validated(
        PlatformSettings, {"org_id": "o", "token": "t", "api_key": "k", "proxy": by}
    )
    assert "proxy-password" not in f"{shown(settings)} {settings!r}"
