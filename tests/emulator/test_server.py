import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator
from agent.errors import AgentError, ConfigError


async def test_an_emulator_listens_inside_its_block_only() -> None:
    emulator = Emulator(EmulatorOptions())
    with pytest.raises(RuntimeError, match="not listening"):
        emulator.stats()
    async with emulator, aiohttp.ClientSession() as session:
        assert emulator.inlet_url.startswith("http://127.0.0.1:")
        async with session.get(emulator.listening + "/_emulator/stats") as answer:
            assert answer.status == 200
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(emulator.listening)


async def test_it_listens_on_ipv6_too() -> None:
    async with Emulator(EmulatorOptions(listen="[::1]:0")) as emulator:
        assert emulator.listening.startswith("http://[::1]:")
        async with (
            aiohttp.ClientSession() as session,
            session.get(emulator.listening + "/_emulator/stats") as answer,
        ):
            assert answer.status == 200


async def test_a_port_that_is_taken_is_reported_with_what_to_do() -> None:
    async with Emulator(EmulatorOptions()) as first:
        listen = first.listening.removeprefix("http://")
        with pytest.raises(AgentError, match=f"cannot listen on {listen}: .*choose another port"):
            async with Emulator(EmulatorOptions(listen=listen)):
                pass


async def test_an_address_that_is_not_ours_is_reported() -> None:
    with pytest.raises(AgentError, match=r"cannot listen on 192\.0\.2\.1:0"):
        async with Emulator(EmulatorOptions(listen="192.0.2.1:0")):
            pass


async def test_ending_does_not_wait_for_hung_requests() -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        async with Emulator(EmulatorOptions()) as emulator:
            emulator.set_faults([{"hang": True}])
            flow = {"x-adobe-flow-id": emulator.flow_id}
            hung = asyncio.ensure_future(session.post(emulator.inlet_url, json={}, headers=flow))
            await asyncio.sleep(0.1)
            assert emulator.stats()["requests_in_flight"] == 1
            began = loop.time()
        assert loop.time() - began < 3
        with pytest.raises(aiohttp.ClientError):
            await hung


async def test_a_directory_keeps_the_records_for_the_next_emulator(tmp_path: Path) -> None:
    for count in (1, 2):
        async with (
            Emulator(EmulatorOptions(directory=tmp_path)) as emulator,
            aiohttp.ClientSession() as session,
        ):
            flow = {"x-adobe-flow-id": emulator.flow_id}
            async with session.post(emulator.inlet_url, json={"n": 1}, headers=flow) as answer:
                assert answer.status == 200
            assert len(list(emulator.records())) == count
    assert (tmp_path / "records.ndjson").read_bytes() == b'{"n": 1}\n' * 2


async def test_records_can_be_forgotten_from_inside(client: Any) -> None:
    await client.batch([b"{}", b"7"])
    client.emulator.forget_records()
    assert list(client.emulator.records()) == []
    assert client.emulator.rejected() == b""


async def test_a_directory_in_use_is_reported(tmp_path: Path) -> None:
    async with Emulator(EmulatorOptions(directory=tmp_path)):
        with pytest.raises(AgentError, match="no other emulator"):
            async with Emulator(EmulatorOptions(directory=tmp_path)):
                pass


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"listen": "8010"}, "--listen: found"),
        ({"listen": "127.0.0.1:99999"}, "--listen: found"),
        ({"listen": ":8010"}, "--listen: found"),
        ({"inlet_id": "xyz"}, "--inlet-id: found"),
        ({"flow_id": "xyz"}, "--flow-id: found"),
        ({"more_flow_ids": ("xyz",)}, "--flow-id: found"),
        ({"dialect": "old"}, "--dialect: found"),
        ({"latency": -1.0}, "--latency: write"),
        ({"max_request_bytes": 0}, "--max-request-bytes: write"),
        ({"token": ""}, "--token: write"),
        ({"client_id": ""}, "--client-id: write"),
        ({"client_id": "x", "client_secret": ""}, "--client-secret: write"),
        ({"token_life": 0.0}, "--token-life: write"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        EmulatorOptions(**options)  # type: ignore[arg-type]


async def test_who_does_not_speak_http_is_answered_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Emulator(EmulatorOptions()) as emulator:
        host, port = emulator.listening.removeprefix("http://").split(":")
        for said in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(said)
            assert (await reader.readline()).endswith(b" 400 Bad Request\r\n")
            writer.close()
    assert not caplog.records
