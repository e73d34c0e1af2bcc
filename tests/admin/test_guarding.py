"""The admin listener before those who mean it no good, over real connections."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from admin.serving import serving
from agent.admin.server import Admin
from agent.config.admin import AdminSettings
from agent.config.validating import validated
from agent.errors import ConfigError
from agent.telemetry.meters import Meters

CERTIFICATES = Path(__file__).parents[1] / "delivery" / "certificates"
TOKEN = "a-long-enough-token"
SECRET = "hush-hush-admin"
Start = Callable[..., Coroutine[Any, Any, Admin]]
LETTERS = {"last_dead_letters": [{"reason": "rejected", "message": "Zürich is no city"}]}


def status(seconds: float, flow: str) -> dict[str, object]:
    return {"version": "1", **LETTERS, "flows": {"orders": dict(LETTERS)}}


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts listeners: `await start(token=...)`."""
    async with AsyncExitStack() as stack:

        async def started(**settings: Any) -> Admin:
            made = validated(AdminSettings, {"listen": "127.0.0.1:0", **settings})
            well = (True, "well")
            admin = Admin(made, {"": Meters()}, status, lambda: well, lambda: well)
            await stack.enter_async_context(serving(admin))
            return admin

        yield started


async def said(admin: Admin, request: bytes, seconds: float = 5.0) -> bytes:
    """All that a connection is told that sends just these bytes."""
    host, _, port = admin.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()


async def answered(admin: Admin, request: bytes) -> None:
    """Ask until it is answered with 200."""
    for _ in range(100):
        if (await said(admin, request)).startswith(b"HTTP/1.1 200"):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it was never answered")


def get(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def test_with_a_token_only_probes_and_the_empty_page_are_for_everybody(start: Start) -> None:
    admin = await start(token=TOKEN)
    for path in ("/status", "/metrics", "/nowhere"):
        refused = await said(admin, get(path))
        assert refused.startswith(b"HTTP/1.1 401")
        assert b"WWW-Authenticate: Bearer" in refused
        assert TOKEN.encode() not in refused
    for path in ("/livez", "/readyz", "/", "/_page/look.css"):
        assert (await said(admin, get(path))).startswith(b"HTTP/1.1 200"), path
    for path in ("/status", "/metrics"):
        told = await said(admin, get(path, f"Authorization: Bearer {TOKEN}"))
        assert told.startswith(b"HTTP/1.1 200")


async def test_a_token_in_a_file_may_be_replaced(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    admin = await start(token_file=file)
    assert b"200 OK" in await said(admin, get("/status", f"Authorization: Bearer {TOKEN}"))
    file.write_text("another-long-token\n")
    await answered(admin, get("/status", "Authorization: Bearer another-long-token"))
    assert b"401" in await said(admin, get("/status", f"Authorization: Bearer {TOKEN}"))


async def test_a_token_file_that_holds_none_is_told_at_the_start(
    start: Start, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"admin\.token_file"):
        await start(token_file=tmp_path / "none")


async def test_tls_is_spoken_where_there_is_a_certificate(start: Start) -> None:
    admin = await start(tls={"cert_file": CERTIFICATES / "localhost.pem"})
    context = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
    url = f"https://localhost:{admin.address.rpartition(':')[2]}/readyz"
    async with aiohttp.ClientSession() as client, client.get(url, ssl=context) as answer:
        assert answer.status == 200
    assert not (await said(admin, get("/readyz"))).startswith(b"HTTP")


async def test_a_certificate_that_cannot_be_loaded_names_its_key(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "cert.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match=r"admin\.tls"):
        await start(tls={"cert_file": tmp_path / "cert.pem"})


async def test_a_browser_that_was_led_here_by_another_name_is_refused(start: Start) -> None:
    admin = await start()
    for path in ("/", "/status", "/metrics", "/_page/status.js"):
        refused = await said(
            admin, get(path).replace(b"Host: 127.0.0.1", b"Host: evil.example:9600")
        )
        assert refused.startswith(b"HTTP/1.1 421"), path
        assert b"admin.hosts" in refused
    assert b"Access-Control" not in await said(admin, get("/status", "Origin: http://evil.example"))


@pytest.mark.parametrize(
    "path",
    [
        "/_page/../server.py",
        "/_page/..%2f..%2fserver.py",
        "/_page/%2e%2e/%2e%2e/config/model.py",
        "/_page/....//server.py",
        "/_page//etc/passwd",
        "/_page/%00look.css",
        "/_page/__init__.py",
        "/../../../etc/passwd",
        "//etc/passwd",
        "/status/../../etc/passwd",
    ],
)
async def test_no_path_leads_to_another_file(start: Start, path: str) -> None:
    told = await said(await start(), get(path))
    assert told.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), told
    assert b"root:" not in told
    assert b"import" not in told


async def test_a_page_that_is_none_of_ours_gets_none_of_the_platforms_words(start: Start) -> None:
    beyond = await start(listen="0.0.0.0:0")
    bare = json.loads((await said(beyond, get("/status"))).partition(b"\r\n\r\n")[2])
    assert bare["last_dead_letters"] == [{"reason": "rejected", "message": None}]
    assert bare["flows"]["orders"] == {"last_dead_letters": bare["last_dead_letters"]}
    here = json.loads((await said(await start(), get("/status"))).partition(b"\r\n\r\n")[2])
    assert here["last_dead_letters"][0]["message"] == "Zürich is no city"


async def test_what_is_no_http_is_told_so_and_who_we_are_is_not(start: Start) -> None:
    admin = await start()
    for nonsense in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x1b[31m\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        get("/status", "X: y\r\n z\x00"),
    ):
        told = await said(admin, nonsense)
        assert re.match(rb"HTTP/1\.[01] 400 ", told), told
        assert b"aiohttp" not in told
        assert b"Python" not in told


async def test_long_lines_and_many_headers_are_refused(start: Start) -> None:
    admin = await start()
    assert b" 400 " in (await said(admin, get("/" + "x" * 10_000))).split(b"\r\n")[0]
    many = [f"X-{number}: y" for number in range(500)]
    assert b" 400 " in (await said(admin, get("/status", *many))).split(b"\r\n")[0]


async def test_a_request_that_does_not_end_is_not_waited_for_long(start: Start) -> None:
    admin = await start(idle_timeout=0.3)
    assert await said(admin, b"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", 5) == b""
    assert await said(admin, b"", 5) == b""


async def test_no_more_connections_than_wanted_are_kept_and_places_are_given_again(
    start: Start,
) -> None:
    admin = await start(max_connections=2, idle_timeout=0.5)
    host, _, port = admin.address.rpartition(":")
    idle = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
    await asyncio.sleep(0.1)
    refused = await said(admin, get("/readyz"))
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"admin.max_connections" in refused
    await answered(admin, get("/readyz"))
    for _, writer in idle:
        writer.close()


async def test_what_is_asked_never_gets_into_the_log(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = await start(token=TOKEN)
    for line in (
        get("/status%0a%1b[31mforged"),
        get("/nowhere", f"Authorization: Bearer {SECRET}", "User-Agent: \\u001b[31mforged"),
        b"GET /\x1b[31mforged HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        await said(admin, line)
    written = "".join(capsys.readouterr())
    assert "forged" not in written
    assert SECRET not in written


async def test_the_history_that_is_asked_for_is_a_number(start: Start) -> None:
    admin = await start()
    for wrong in ("x", "-1", "1e9", "1" * 50, "%C2%B2"):
        assert b" 400 " in (await said(admin, get(f"/status?history={wrong}"))).split(b"\r\n")[0]
    assert b" 200 " in (await said(admin, get("/status?history=300"))).split(b"\r\n")[0]
