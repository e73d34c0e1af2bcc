"""Inlets that are looked up: what they come to, what is remembered, and when the agent starts."""

import asyncio
import io
import json
import logging
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aep.flows import INLET, flow, just_now, kept
from aep.scripted import Answer, Scripted, asking
from agent.app.discovery import Discovery
from agent.config import load
from agent.config.model import Config
from agent.errors import ConfigError, CredentialsRefused, PlatformAway
from agent.telemetry import logs

AWAY = Answer(status=503)


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.level, root.handlers.copy()
    stream = io.StringIO()
    logs.configure("info", "json", 0.0, stream)
    yield stream
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logs._voice.settle_on("info", "auto", 30.0, "auto", None)


def said(log: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


def written(tmp_path: Path, url: str, text: str) -> Config:
    file = tmp_path / "agent.yaml"
    platform = (
        f"platform: {{url: '{url}', org_id: o, token: t-secret, api_key: k, retry_initial: 1ms,"
        " retry_max: 2ms, refresh: 10ms, warm_up: 5m}\n"
    )
    file.write_text(f"data_dir: {tmp_path / 'data'}\n{platform}{text}")
    return load(file, environ={})


class Looking:
    """A configuration, looked up at a scripted platform that can be given other answers."""

    def __init__(self, tmp_path: Path, script: Scripted, text: str) -> None:
        self.script = script
        self.config = written(tmp_path, script.url, text)

    def answers(self, *answers: Any) -> None:
        self.script._answers[:] = answers

    async def located(self) -> Config:
        self.discovery = Discovery(self.config)
        return await self.discovery.located()


BY_NAME = "inlet: {flow: orders}"


async def test_the_flow_that_is_named_is_found_and_nothing_else_is_changed(tmp_path: Path) -> None:
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, "inlet: {flow: orders, compression: none}")
        config = await looking.located()
    assert config.inlet
    assert (config.inlet.url, config.inlet.flow_id) == (INLET["inletUrl"], "f1")
    assert (config.inlet.flow, config.inlet.compression) == (None, "none")
    assert config.inlet.ready_at is None
    assert config.batch == looking.config.batch
    by_hand = f"inlet: {{url: '{INLET['inletUrl']}', flow_id: f1}}"
    wanted = written(tmp_path, script.url, by_hand).inlet
    assert wanted
    assert config.inlet.destination == wanted.destination


async def test_several_flows_are_looked_up_beside_one_that_is_written(tmp_path: Path) -> None:
    text = (
        "flows:\n  a: {inlet: {flow: orders}}\n  b: {inlet: {flow_id: f2}}\n"
        "  c: {inlet: {url: 'https://x/collection/c', flow_id: f3}}\n"
        "sources: [{type: stdin, flow: a}]"
    )
    async with asking(kept(flow(), flow("f2", "clicks"))) as (_, script):
        config = await Looking(tmp_path, script, text).located()
    found = {name: (each.inlet.url, each.inlet.flow_id) for name, each in config.flows.items()}
    assert found == {
        "a": (INLET["inletUrl"], "f1"),
        "b": (INLET["inletUrl"], "f2"),
        "c": ("https://x/collection/c", "f3"),
    }


async def test_two_ways_to_write_one_flow_are_found_out(tmp_path: Path) -> None:
    text = (
        "flows:\n  a: {inlet: {flow: orders}}\n  b: {inlet: {flow_id: f1}}\n"
        "sources: [{type: stdin, flow: a}]"
    )
    async with asking(kept(flow())) as (_, script):
        with pytest.raises(ConfigError, match=r"flows\.b\.inlet: goes where flow a goes"):
            await Looking(tmp_path, script, text).located()


async def test_what_cannot_be_used_is_told_with_the_key(tmp_path: Path) -> None:
    async with asking(kept(flow(state="disabled"))) as (_, script):
        with pytest.raises(ConfigError, match=r"^inlet\.flow: flow orders \(f1\) is disabled"):
            await Looking(tmp_path, script, BY_NAME).located()


async def test_a_new_flow_is_not_sent_to_before_it_takes_records(tmp_path: Path) -> None:
    async with asking(kept(flow(createdAt=just_now()))) as (_, script):
        config = await Looking(tmp_path, script, BY_NAME).located()
    assert config.inlet
    assert config.inlet.ready_at
    assert 290 < config.inlet.ready_at.timestamp() - time.time() <= 300


@pytest.mark.parametrize("trouble", [AWAY, Answer(status=None), Answer(b"<html>")])
async def test_while_the_platform_is_away_what_was_found_before_counts(
    tmp_path: Path, log: io.StringIO, trouble: Answer
) -> None:
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, BY_NAME)
        before = await looking.located()
        looking.answers(trouble)
        asked = len(script.asked)
        assert await looking.located() == before
        assert len(script.asked) == asked + 1
    assert "the inlet cannot be looked up, starting with what was found before" in said(log)
    file = tmp_path / "data" / "inlets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "t-secret" not in file.read_text() + log.getvalue()


async def test_credentials_that_are_refused_stop_no_agent_that_knows_its_inlet(
    tmp_path: Path,
) -> None:
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, BY_NAME)
        before = await looking.located()
        looking.answers(Answer({"error_code": "403003", "message": "no"}, 403))
        assert await looking.located() == before


async def test_what_was_found_counts_for_its_flow_sandbox_and_platform_only(tmp_path: Path) -> None:
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, BY_NAME)
        await looking.located()
        looking.answers(AWAY)
        other = Looking(tmp_path, script, "inlet: {flow: clicks}")
        with pytest.raises(PlatformAway):
            await other.located()
        assert looking.config.platform
        sandbox = looking.config.platform.replaced(sandbox="dev")
        with pytest.raises(PlatformAway):
            await Discovery(looking.config.replaced(platform=sandbox)).located()


async def test_a_flow_that_is_gone_is_not_sent_to_from_memory(tmp_path: Path) -> None:
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, BY_NAME)
        await looking.located()
        looking.answers(kept())
        with pytest.raises(ConfigError, match="no flow named orders"):
            await looking.located()


async def test_without_memory_the_platform_is_asked_again_and_then_told_of(tmp_path: Path) -> None:
    refused = Answer({"error_code": "403010", "message": "Oauth token is missing."}, 403)
    async with asking(AWAY) as (_, script):
        with pytest.raises(PlatformAway, match="503"):
            await Looking(tmp_path, script, BY_NAME).located()
        assert len(script.asked) == 4
    async with asking(refused) as (_, script):
        with pytest.raises(CredentialsRefused, match="Oauth token is missing"):
            await Looking(tmp_path, script, BY_NAME).located()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"inlets": [{"inlet": {}}, 3]}', b"\xff"])
async def test_a_memory_that_makes_no_sense_is_none(tmp_path: Path, content: bytes) -> None:
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, BY_NAME)
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "inlets.json").write_bytes(content)
        await looking.located()
        looking.answers(AWAY)
        await looking.located()


async def test_a_memory_that_cannot_be_written_is_told_of_and_costs_nothing_else(
    tmp_path: Path, log: io.StringIO
) -> None:
    (tmp_path / "data").write_text("a file where a directory should be")
    async with asking(kept(flow())) as (_, script):
        config = await Looking(tmp_path, script, BY_NAME).located()
    assert config.inlet
    assert config.inlet.url
    assert "the inlet that was found cannot be remembered" in said(log)


async def test_what_came_from_memory_is_looked_up_later(tmp_path: Path, log: io.StringIO) -> None:
    elsewhere = {"id": "b1", "auth": {"params": {**INLET, "inletUrl": "https://dcs.example/new"}}}
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, BY_NAME)
        await looking.located()
        for later, event in (
            (kept(flow()), "the inlet was looked up, it is the one in use"),
            (kept(flow(), b1=elsewhere), "the flow has another inlet by now"),
        ):
            looking.answers(AWAY)
            await looking.located()
            looking.answers(AWAY, later)
            task = asyncio.create_task(looking.discovery.look_again())
            async with asyncio.timeout(10):
                while event not in said(log):  # noqa: ASYNC110  # nobody is told
                    await asyncio.sleep(0.01)
            assert "the inlet cannot be looked up yet" in log.getvalue()
            assert not task.done()
            task.cancel()
        looking.answers(AWAY)
        config = await looking.located()
    assert config.inlet
    assert config.inlet.url == "https://dcs.example/new"


async def test_what_the_inlet_asks_for_and_does_not_get_is_told(
    tmp_path: Path, log: io.StringIO
) -> None:
    asks = {**INLET, "dataType": "xdm", "authenticationRequired": True}
    async with asking(kept(flow(), b1={"id": "b1", "auth": {"params": asks}})) as (_, script):
        await Looking(tmp_path, script, BY_NAME).located()
    assert "the inlet takes records in another form than the configuration gives them" in said(log)
    assert "the inlet asks for a token and the configuration has none" in said(log)


async def test_without_asking_only_what_was_found_before_is_known(tmp_path: Path) -> None:
    async with asking(kept(flow())) as (_, script):
        looking = Looking(tmp_path, script, BY_NAME)
        with pytest.raises(ConfigError, match=r"inlet\.flow: it was not looked up yet"):
            Discovery(looking.config).remembered()
        located = await looking.located()
        asked = len(script.asked)
        assert Discovery(looking.config).remembered() == located
        assert len(script.asked) == asked


def test_who_writes_the_inlet_down_does_not_load_what_looks_it_up() -> None:
    script = (
        "import sys; import agent.cli.pipeline, agent.cli.run, agent.cli.send, agent.app.parts;"
        "print([name for name in sys.modules if name in ('agent.aep.platform', 'agent.aep.flow',"
        " 'agent.app.discovery', 'agent.aep.calling')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
