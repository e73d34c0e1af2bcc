"""A client that asks for tokens, and token endpoints that are written in the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from agent.aep.ims import Client, ClientCredentials
from agent.aep.transport import DIRECT, Phases, Route
from agent.core.renewal import Renewal
from agent.emulator.options import CLIENT_ID, CLIENT_SECRET
from agent.errors import Unauthorized
from agent.telemetry.meters import Meters
from delivery.posting import answer_of
from delivery.rig import SOON, Talk, body_of

PHASES = Phases(connect=1.0, answer=1.0, total=2.0, answer_bytes=65_536)


class Asking:
    """A running client: what it logged, how often it changed its token."""

    def __init__(self, tokens: ClientCredentials, meters: Meters) -> None:
        self.tokens = tokens
        self.meters = meters
        self.changes = 0
        tokens.on_change = self._changed

    def _changed(self) -> None:
        self.changes += 1

    async def token(self) -> str:
        """The token, once there is one."""
        async with asyncio.timeout(SOON):
            while True:
                with suppress(Unauthorized):
                    token = await self.tokens.current()
                    assert token
                    return token
                await asyncio.sleep(0.005)

    async def another(self, than: str) -> str:
        """The token, once it is another one."""
        async with asyncio.timeout(SOON):
            while (token := await self.token()) == than:  # noqa: ASYNC110  # nobody is told
                await asyncio.sleep(0.005)
        return token

    def requests(self, outcome: str) -> float:
        """How many requests came out like this."""
        return self.meters.token_requests.value(outcome)

    async def outcomes(self, outcome: str, count: int = 1) -> None:
        """Wait for so many requests that came out like this."""
        async with asyncio.timeout(SOON):
            while self.requests(outcome) < count:  # noqa: ASYNC110  # nobody is told
                await asyncio.sleep(0.002)


@asynccontextmanager
async def asking(
    url: str,
    *,
    secret: str | Path = CLIENT_SECRET,
    read_secret: Callable[[], str] | None = None,
    phases: Phases = PHASES,
    route: Route = DIRECT,
    running: bool = True,
    **times: float,
) -> AsyncIterator[Asking]:
    """A client of the endpoint at *url*, its task running."""
    file = secret if isinstance(secret, Path) else None
    read = read_secret or (lambda: file.read_text().strip() if file else str(secret))
    client = Client(url, CLIENT_ID, read, file, ("openid", "session"))
    chosen = {"before": 300.0, "refresh_interval": 0.05, "initial": 0.01, "ceiling": 0.05}
    meters = Meters()
    tokens = ClientCredentials(client, route, phases, Renewal(**(chosen | times)), meters)
    task = asyncio.create_task(tokens.run()) if running else None
    try:
        yield Asking(tokens, meters)
    finally:
        if task:
            assert not task.done(), task
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def issuing(*tokens: str, forms: list[dict[str, str]] | None = None, **more: Any) -> Talk:
    """Issue these tokens in turn, the last one for ever; note what was asked."""
    left = list(tokens)

    async def talk(head: bytes, reader, writer) -> None:
        form = dict(parse_qsl((await body_of(head, reader)).decode()))
        if forms is not None:
            forms.append(form)
        token = left.pop(0) if len(left) > 1 else left[0]
        answer = {"access_token": token, "token_type": "bearer", "expires_in": 86_399, **more}
        writer.write(answer_of(json.dumps(answer).encode(), "200 OK"))

    return talk


def first_then(first: Talk, then: Talk, times: int = 1) -> Talk:
    """One way to answer so many times, then another."""
    count = 0

    async def talk(head: bytes, reader, writer) -> None:
        nonlocal count
        count += 1
        await (first if count <= times else then)(head, reader, writer)

    return talk
