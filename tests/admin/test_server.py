import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from admin.serving import serving
from agent.admin.health import Verdict
from agent.admin.server import Admin
from agent.config.admin import AdminSettings
from agent.errors import ConfigError
from agent.telemetry.meters import Meters
from agent.telemetry.redaction import forget, redact

ROOT = Path(__file__).parents[2]
PATHS = ["/", "/metrics", "/livez", "/readyz", "/status"]


class Agent:
    """What the admin listener asks: the tests change its answers."""

    def __init__(self) -> None:
        self.meters = Meters()
        self.status: dict[str, object] = {"state": "running", "held": {"records": 12}}
        self.ready: Verdict = (True, "ready")
        self.live: Verdict = (True, "alive")

    def admin(self, listen: str) -> Admin:
        settings = AdminSettings(listen=listen)
        return Admin(
            settings,
            {"": self.meters},
            lambda seconds, flow: self.status,
            lambda: self.ready,
            lambda: self.live,
        )


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
async def admin(agent: Agent) -> AsyncIterator[Admin]:
    admin = agent.admin("127.0.0.1:0")
    async with serving(admin):
        yield admin


@pytest.fixture
async def client(admin: Admin) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://{admin.address}") as client:
        yield client


async def test_the_index_names_every_route(client: aiohttp.ClientSession) -> None:
    async with client.get("/") as answer:
        text = await answer.text()
    assert answer.status == 200
    assert answer.content_type == "text/plain"
    assert all(path in text for path in PATHS)


async def test_metrics_are_served_as_text(agent: Agent, client: aiohttp.ClientSession) -> None:
    agent.meters.records_accepted.add(500)
    async with client.get("/metrics") as answer:
        families = {family.name for family in text_string_to_metric_families(await answer.text())}
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {row.name.removesuffix("_total") for row in agent.meters.table()} <= families


async def test_metrics_are_served_as_openmetrics_when_asked(client: aiohttp.ClientSession) -> None:
    headers = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.3"}
    async with client.get("/metrics", headers=headers) as answer:
        text = await answer.text()
    assert answer.content_type == "application/openmetrics-text"
    assert text.endswith("# EOF\n")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_probe_says_why_in_one_line(
    agent: Agent, client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(path) as well:
        assert (well.status, await well.text()) == (200, agent_word(agent, path) + "\n")
    agent.live = agent.ready = (False, "the disk is full")
    async with client.get(path) as unwell:
        assert (unwell.status, await unwell.text()) == (503, "the disk is full\n")


def agent_word(agent: Agent, path: str) -> str:
    return (agent.live if path == "/livez" else agent.ready)[1]


async def test_a_probe_answers_in_json_when_asked(
    agent: Agent, client: aiohttp.ClientSession
) -> None:
    agent.ready = (False, "draining")
    async with client.get("/readyz", headers={"Accept": "application/json"}) as answer:
        assert await answer.json() == {"ok": False, "reason": "draining"}
    assert answer.status == 503


async def test_status_is_json_without_secrets(agent: Agent, client: aiohttp.ClientSession) -> None:
    redact("hush-hush-2")
    agent.status["inlet"] = {
        "url": "https://me:pw@host/hush-hush-2",
        "token": "abc",
        "path": Path("/x"),
        "odd": "\udcff",
    }
    async with client.get("/status") as answer:
        status = await answer.json()
    forget("hush-hush-2")
    assert status["held"] == {"records": 12}
    assert status["inlet"] == {
        "url": "https://[redacted]@host/[redacted]",
        "token": "[redacted]",
        "path": "/x",
        "odd": "\\udcff",
    }


@pytest.mark.parametrize("path", PATHS)
async def test_head_tells_the_same_without_a_body(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as full, client.head(path) as head:
        assert (head.status, head.content_type) == (full.status, full.content_type)
        assert await head.read() == b""


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
async def test_every_answer_tells_browsers_to_be_careful(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(path) as answer:
        assert answer.status == (404 if path == "/nowhere" else 200)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "aep-agent"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", PATHS)
async def test_nothing_but_reading_is_allowed(
    client: aiohttp.ClientSession, method: str, path: str
) -> None:
    async with client.request(method, path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_a_request_with_a_body_is_refused(client: aiohttp.ClientSession) -> None:
    async with client.get("/metrics", data=b"x" * 100_000) as answer:
        assert answer.status == 413
        assert answer.headers["Connection"] == "close"


async def test_headers_that_are_too_large_are_refused(client: aiohttp.ClientSession) -> None:
    async with client.get("/", headers={"X-Large": "x" * 20_000}) as answer:
        assert answer.status == 400


async def test_a_status_that_cannot_be_told_is_an_answer_without_details(
    agent: Agent, client: aiohttp.ClientSession
) -> None:
    agent.live = None  # type: ignore[assignment]
    async with client.get("/livez") as answer:
        assert answer.status == 500
        assert "Traceback" not in await answer.text()
    async with client.get("/readyz") as answer:
        assert answer.status == 200


async def test_many_may_scrape_at_once_while_the_agent_counts(
    agent: Agent, client: aiohttp.ClientSession
) -> None:
    async def scrape() -> int:
        async with client.get("/metrics") as answer:
            return len(list(text_string_to_metric_families(await answer.text())))

    async def count() -> None:
        for number in range(500):
            agent.meters.records_read.add(1, f"source-{number}")
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(count())
        scrapes = [tasks.create_task(scrape()) for _ in range(10)]
    assert len({scraped.result() for scraped in scrapes}) == 1
    assert agent.meters.records_held.value() == 500


async def test_a_stopped_listener_listens_no_more_and_may_start_again(
    agent: Agent, admin: Admin, client: aiohttp.ClientSession
) -> None:
    await admin.stop()
    await admin.stop()
    assert admin.address == ""
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get("/")
    admin.start()
    assert admin.address.startswith("127.0.0.1:")


async def test_a_port_that_is_taken_is_a_matter_of_configuration(
    agent: Agent, admin: Admin
) -> None:
    with pytest.raises(ConfigError, match=r"admin\.listen.*in use.*choose another address"):
        agent.admin(admin.address).start()


@pytest.mark.parametrize(
    ("listen", "word"),
    [
        ("192.0.2.1:0", "does not have that address"),
        ("127.0.0.1 :0", "choose another address"),
        ("a" * 64 + ".example:0", "choose another address"),
    ],
)
async def test_an_address_that_is_not_here_is_a_matter_of_configuration(
    agent: Agent, listen: str, word: str
) -> None:
    with pytest.raises(ConfigError, match=word):
        agent.admin(listen).start()


@pytest.mark.parametrize(
    "listen", ["9600", ":9600", "127.0.0.1", "127.0.0.1:x", "::1:9600", "[h]:1", "h:65536", "h:²"]
)
async def test_what_is_no_address_is_refused_with_an_example(agent: Agent, listen: str) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:9600"):
        agent.admin(listen).start()


@pytest.fixture
def ipv6() -> Iterator[None]:
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        yield


async def test_it_listens_on_ipv6(agent: Agent, ipv6: None) -> None:
    admin = agent.admin("[::1]:0")
    async with serving(admin):
        assert admin.address.startswith("[::1]:")
        url = f"http://{admin.address}/readyz"
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            assert answer.status == 200


async def test_who_comes_before_anybody_answers_waits_and_who_never_came_is_not_waited_for(
    agent: Agent,
) -> None:
    early, never = agent.admin("127.0.0.1:0"), agent.admin("127.0.0.1:0")
    early.start()
    reader, writer = await asyncio.open_connection(*early.address.split(":"))
    writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    answering = asyncio.create_task(early.serve())
    assert (await reader.read()).endswith(b"\r\n\r\nalive\n")
    writer.close()
    answering.cancel()
    await early.stop()

    async with serving(never):
        pass
    assert never.address == ""


def test_importing_the_listener_imports_no_web_server() -> None:
    code = "import sys, agent.admin.server; print('aiohttp' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"
