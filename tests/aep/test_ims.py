"""How a client comes by tokens and keeps them fresh, whatever the endpoint answers."""

import asyncio
import io
import json
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from aep.asking import PHASES, Asking, asking, first_then, issuing
from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator
from agent.errors import ConfigError, Unauthorized
from agent.telemetry import logs
from delivery import posting
from delivery.posting import answer_of, resetting, saying
from delivery.rig import Talk, body_of, talking, until

SECRET = "p8e-planted-client-secret"


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_a_token_is_asked_for_as_the_platform_documents_it() -> None:
    seen: list[bytes] = []

    async def talk(head: bytes, reader, writer) -> None:
        seen.extend([head, await body_of(head, reader)])
        writer.write(answer_of(b'{"access_token":"t","expires_in":86399}', "200 OK"))

    async with talking(talk) as place, asking(f"http://{place}/ims/token/v3") as client:
        assert await client.token() == "t"
        assert 86_390 < client.meters.token_expires_seconds.value() <= 86_399
    assert seen[0].startswith(b"POST /ims/token/v3 HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in seen[0]
    assert dict(parse_qsl(seen[1].decode())) == {
        "grant_type": "client_credentials",
        "client_id": "emulated-client",
        "client_secret": "emulated-secret",
        "scope": "openid,session",
    }


async def test_until_there_is_a_token_the_reason_is_told() -> None:
    bad = saying(answer_of(b'{"error":"invalid_client"}', "400 Bad Request"))
    async with talking(bad) as place, asking(f"http://{place}/") as client:
        with pytest.raises(Unauthorized, match=r"^no token yet: status 400: invalid_client$"):
            await client.tokens.current()


async def test_the_first_records_wait_a_moment_for_the_first_answer() -> None:
    async def slow(head: bytes, reader, writer) -> None:
        await asyncio.sleep(0.2)
        await issuing("late")(head, reader, writer)

    async with talking(slow) as place, asking(f"http://{place}/") as client:
        assert await client.tokens.current() == "late"


async def hang(head: bytes, reader, writer) -> None:
    await asyncio.sleep(60)


async def drip(head: bytes, reader, writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await asyncio.sleep(0.02)


def plain(body: bytes, status: str = "200 OK", *headers: str) -> Talk:
    return saying(answer_of(body, status, *headers))


BAD: dict[str, tuple[Talk, str, str]] = {
    "an HTML page": (plain(b"<html>sign in"), "unusable", "an HTML page"),
    "nothing": (plain(b""), "unusable", "an empty body"),
    "text": (plain(b"OK"), "unusable", "text without a known error"),
    "a list": (plain(b"[]"), "unusable", "no JSON object"),
    "no token": (plain(b'{"token_type":"bearer"}'), "unusable", "no access_token"),
    "an empty token": (plain(b'{"access_token":""}'), "unusable", "not one word"),
    "two words": (plain(b'{"access_token":"a b"}'), "unusable", "not one word"),
    "a header": (plain(b'{"access_token":"a\\r\\nX: y"}'), "unusable", "not one word"),
    "no UTF-8": (plain(b'{"access_token":"\xff"}'), "unusable", "text without a known error"),
    "gzip that is none": (
        plain(b"no gzip", "200 OK", "Content-Encoding: gzip"),
        "unavailable",
        "the answer broke off",
    ),
    "a huge body": (plain(b" " * 100_000), "unavailable", "longer than 65536 bytes"),
    "a redirect": (
        plain(b"", "302 Found", "Location: http://127.0.0.1:9/steal"),
        "unusable",
        "a redirect, which is not followed",
    ),
    "a wrong client": (
        plain(b'{"error":"invalid_client"}', "401 Unauthorized"),
        "refused",
        "invalid_client",
    ),
    "a wrong grant": (
        plain(b'{"error":"invalid_grant"}', "400 Bad Request"),
        "refused",
        "invalid_grant",
    ),
    "500": (plain(b"<html>", "500 Internal Server Error"), "unavailable", "status 500"),
    "429": (plain(b"", "429 Too Many", "Retry-After: 0"), "unavailable", "status 429"),
    "nonsense in Retry-After": (
        plain(b"", "503 Busy", "Retry-After: when it suits"),
        "unavailable",
        "status 503",
    ),
    "a hung request": (hang, "unavailable", "no answer in time (inlet.timeouts.answer)"),
    "an answer that drips": (drip, "unavailable", "in time (inlet.timeouts.total)"),
    "no HTTP": (saying(b"SSH-2.0-OpenSSH\r\n\r\n"), "unavailable", ""),
    "a reset": (resetting(b""), "unavailable", ""),
    "a closed connection": (posting.closing(b""), "unavailable", "closed before the answer"),
    "an answer cut short": (
        posting.closing(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
        "unavailable",
        "the answer broke off",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_answer_is_told_and_the_next_one_is_used(name: str, log: io.StringIO) -> None:
    talk, trouble, words = BAD[name]
    phases = replace(PHASES, answer=0.15, total=0.3)
    async with (
        talking(first_then(talk, issuing("good"))) as place,
        asking(f"http://{place}/", phases=phases, secret=SECRET) as client,
    ):
        assert await client.token() == "good"
        assert (client.requests(trouble), client.requests("issued")) == (1, 1)
    (said,) = [line for line in lines(log) if line["level"] == "warning"]
    assert said["event"] == "no token could be had, asking again"
    assert words in str(said["reason"])
    assert said["next_step"]
    assert SECRET not in log.getvalue()


@pytest.mark.parametrize("name", BAD)
async def test_the_old_token_is_kept_whatever_becomes_of_its_renewal(name: str) -> None:
    talk, trouble, _ = BAD[name]
    phases = replace(PHASES, answer=0.15, total=0.3)
    async with (
        talking(first_then(issuing("old", expires_in=0.1), talk)) as place,
        asking(f"http://{place}/", phases=phases, ceiling=0.5) as client,
    ):
        await client.outcomes(trouble)
        assert await client.tokens.current() == "old"
        await asyncio.sleep(0.1)
        assert await client.tokens.current() == "old"
        assert client.meters.token_expires_seconds.value() == 0


async def test_an_endpoint_that_is_not_there_is_asked_ever_more_rarely() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/secret-path"
        async with asking(url, initial=0.05, ceiling=10.0) as client:
            await asyncio.sleep(0.6)
            assert 1 <= client.requests("unavailable") < 20
            with pytest.raises(Unauthorized) as raised:
                await client.tokens.current()
    assert "cannot connect to 127.0.0.1:" in str(raised.value)
    assert "secret-path" not in str(raised.value)


async def test_retry_after_is_waited_for() -> None:
    busy = plain(b"", "429 Too Many", "Retry-After: 1")
    begun = time.monotonic()
    async with (
        talking(first_then(busy, issuing("t"))) as place,
        asking(f"http://{place}/") as client,
    ):
        await client.token()
    assert 1.0 <= time.monotonic() - begun < 3.0


async def test_a_redirect_never_carries_the_secret_elsewhere() -> None:
    stolen: list[dict[str, str]] = []
    async with talking(issuing("no", forms=stolen)) as thief:
        away = plain(b"", "307 Temporary Redirect", f"Location: http://{thief}/")
        async with (
            talking(first_then(away, issuing("t"))) as place,
            asking(f"http://{place}/") as client,
        ):
            assert await client.token() == "t"
    assert stolen == []


async def test_a_token_is_renewed_before_it_expires_and_the_change_is_told() -> None:
    async with (
        Emulator(EmulatorOptions(client_id="emulated-client", token_life=0.5)) as emulator,
        asking(str(emulator.token_url)) as client,
    ):
        first = await client.token()
        second = await client.another(first)
        await client.another(second)
        assert client.changes >= 3
        assert 3 <= client.requests("issued") <= 5


@pytest.mark.parametrize("expires_in", [1, "1", 0.5])
async def test_an_exp_of_another_clock_inside_the_token_is_not_looked_at(
    expires_in: object,
) -> None:
    long_gone = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2ln"  # {"exp": 1}
    async with (
        talking(issuing(long_gone, expires_in=expires_in)) as place,
        asking(f"http://{place}/") as client,
    ):
        assert await client.token() == long_gone
        assert client.meters.token_expires_seconds.value() > 0


async def test_the_wall_clock_says_nothing_of_a_tokens_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with talking(issuing("t")) as place, asking(f"http://{place}/") as client:
        await client.token()
        year = 365 * 86_400
        monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0 + year)
        await asyncio.sleep(0.05)
        assert client.meters.token_expires_seconds.value() > 86_000
        monkeypatch.setattr(time, "time", lambda: 0.0)
        await asyncio.sleep(0.05)
        assert client.requests("issued") == 1


async def test_a_storm_of_refusals_asks_for_one_token() -> None:
    forms: list[dict[str, str]] = []

    async def slow(head: bytes, reader, writer) -> None:
        await asyncio.sleep(0.05)
        await talk(head, reader, writer)

    talk = issuing("first", "second", forms=forms)
    async with talking(slow) as place, asking(f"http://{place}/") as client:
        first = await client.token()
        await asyncio.sleep(0.12)  # it has been good for a while
        for _ in range(3):
            for _ in range(32):
                client.tokens.refused(first)
            await asyncio.sleep(0.02)
        assert await client.another(first) == "second"
        for _ in range(32):
            client.tokens.refused(first)  # late answers to what was sent with the old one
        await asyncio.sleep(0.2)
        assert len(forms) == 2


async def test_fresh_tokens_that_are_refused_too_are_replaced_ever_more_rarely() -> None:
    tokens = [f"t{number}" for number in range(50)]
    async with (
        talking(issuing(*tokens)) as place,
        asking(f"http://{place}/", refresh_interval=0.05, ceiling=0.4) as client,
    ):
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            client.tokens.refused(await client.token())
            await asyncio.sleep(0.001)
        assert 3 <= client.requests("issued") <= 6


async def test_a_secret_that_was_rotated_is_read_again_for_the_next_token(tmp_path: Path) -> None:
    forms: list[dict[str, str]] = []
    secret = tmp_path / "secret"
    secret.write_text("old-secret\n")
    async with (
        talking(issuing("first", "second", forms=forms)) as place,
        asking(f"http://{place}/", secret=secret) as client,
    ):
        first = await client.token()
        secret.write_text("new-secret\n")
        await asyncio.sleep(0.12)
        client.tokens.refused(first)
        await client.another(first)
    assert [form["client_secret"] for form in forms] == ["old-secret", "new-secret"]


async def test_a_secret_that_was_refused_is_tried_again_soon_after_it_was_replaced(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    async with (
        Emulator(EmulatorOptions(client_id="emulated-client")) as emulator,
        asking(str(emulator.token_url), secret=secret, initial=500.0, ceiling=500.0) as client,
    ):
        await client.outcomes("refused")
        replacement = tmp_path / "replacement"
        replacement.write_text("emulated-secret")
        replacement.replace(secret)
        await client.token()
        assert client.requests("refused") == 1


async def test_a_secret_that_is_gone_or_half_written_is_waited_for(
    tmp_path: Path, log: io.StringIO
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("emulated-secret")

    def read() -> str:
        if not secret.exists():
            raise ConfigError(f"inlet.credentials.client_secret_file ({secret}): No such file")
        return secret.read_text()

    async with Emulator(EmulatorOptions(client_id="emulated-client", token_life=0.4)) as emulator:
        url = str(emulator.token_url)
        async with asking(url, secret=secret, read_secret=read, ceiling=500.0) as client:
            first = await client.token()
            secret.unlink()
            await until(lambda: "No such file" in log.getvalue())
            asked = emulator.stats()["tokens"]["requests"]
            secret.write_text("emula")
            secret.write_text("emulated-secret")
            await client.another(first)
            assert emulator.stats()["tokens"]["requests"] >= asked + 1
    assert any("put the client secret there" in str(line.get("next_step")) for line in lines(log))


async def test_neither_the_secret_nor_a_token_is_ever_said(log: io.StringIO) -> None:
    echo = json.dumps({"error": "invalid_client", "error_description": f"{SECRET} is wrong"})
    told = plain(echo.encode(), "400 Bad Request")
    async with (
        talking(first_then(told, issuing("planted-access-token", "another-planted"))) as place,
        asking(f"http://{place}/", secret=SECRET) as client,
    ):
        await client.outcomes("refused")
        why = client.tokens._why
        token = await client.token()
        logs.get_logger("anybody").info(f"sent with {token}")
    assert "is wrong" in why
    assert "is wrong" in log.getvalue()
    assert "planted" not in log.getvalue() + why


async def test_a_client_that_is_stopped_while_the_endpoint_hangs_ends_at_once() -> None:
    async with talking(hang) as place, asking(f"http://{place}/") as client:
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        assert isinstance(client, Asking)
    assert time.monotonic() - begun < 0.5


Clock = Callable[[], float]


async def test_a_machine_that_slept_renews_when_it_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        talking(issuing("first", "second")) as place,
        asking(f"http://{place}/") as client,
    ):
        first = await client.token()
        clock: Clock = lambda: time.clock_gettime(time.CLOCK_MONOTONIC) + 90_000  # noqa: E731
        monkeypatch.setattr("agent.aep.ims.now", clock)
        assert await client.another(first) == "second"
