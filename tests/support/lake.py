"""An emulator and what lands in it: records in, and what became of them out."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from agent.emulator.options import CLIENT_SECRET, EmulatorOptions
from agent.emulator.server import Emulator
from support.provisioned import Provisioned, provision


class Answered(NamedTuple):
    """An answer of an inlet."""

    status: int
    headers: Mapping[str, str]
    text: bytes


class Lake:
    """A running emulator: records in, and what became of them out."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self._session = session

    def provision(self, **how: Any) -> Provisioned:
        return provision(self.emulator.platform, **how)

    async def send(self, flow: Provisioned, records: Sequence[Any]) -> list[str]:
        """The records' xactionIds; all of them are accepted."""
        url = f"{self.emulator.listening}/collection/batch/{flow.inlet_id}"
        async with self._session.post(
            url, json={"messages": records}, headers={"x-adobe-flow-id": flow.flow_id}
        ) as answer:
            assert answer.status == 207
            return [item["xactionId"] for item in (await answer.json())["responses"]]

    async def send_bytes(self, flow: Provisioned, body: bytes) -> None:
        """Send the body of a batch as it is."""
        url = f"{self.emulator.listening}/collection/batch/{flow.inlet_id}"
        headers = {"x-adobe-flow-id": flow.flow_id, "Content-Type": "application/json"}
        async with self._session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 207

    async def post(
        self, flow: Provisioned, record: Any, token: str = "", **query: str
    ) -> tuple[int, Any]:
        """The status and the parsed body of the answer to one record."""
        answer = await self.answer(flow, record, token, **query)
        return answer.status, json.loads(answer.text) if answer.text else None

    async def answer(
        self, flow: Provisioned, record: Any, token: str = "", **query: str
    ) -> Answered:
        url = f"{self.emulator.listening}/collection/{flow.inlet_id}"
        headers = {"x-adobe-flow-id": flow.flow_id, "Authorization": f"Bearer {token}"}
        async with self._session.post(url, json=record, headers=headers, params=query) as answer:
            return Answered(answer.status, answer.headers, await answer.read())

    async def token(self) -> str:
        """A token that the emulator issued."""
        asked = {
            "grant_type": "client_credentials",
            "client_id": "c",
            "client_secret": CLIENT_SECRET,
            "scope": "openid",
        }
        async with self._session.post(str(self.emulator.token_url), data=asked) as answer:
            return str((await answer.json())["access_token"])

    async def ask(self, path: str, method: str = "GET", body: Any = None, **query: str) -> Any:
        """An answer of the emulator's own, once everything is judged."""
        url = f"{self.emulator.listening}/_emulator/{path}"
        query = query if method == "PUT" else {"wait": "20", **query}
        async with self._session.request(method, url, json=body, params=query) as answer:
            text = await answer.read()
            assert answer.status < 300, text
            return json.loads(text) if text else None

    async def problem(self, path: str, method: str = "GET", body: Any = None, **query: str) -> Any:
        """The status and the text of an answer that is a problem."""
        url = f"{self.emulator.listening}/_emulator/{path}"
        async with self._session.request(method, url, json=body, params=query) as answer:
            return answer.status, (await answer.json())["title"]

    async def rows(self, flow: Provisioned, **query: str) -> list[Any]:
        rows: list[Any] = (await self.ask(f"datasets/{flow.dataset_id}", **query))["rows"]
        return rows

    async def failed(self, **query: str) -> list[Any]:
        failed: list[Any] = (await self.ask("failed", **query))["failed"]
        return failed

    async def counts(self, flow: Provisioned) -> dict[str, Any]:
        found: dict[str, Any] = {each["id"]: each for each in await self.ask("flows")}
        counts: dict[str, Any] = found[flow.flow_id]
        return counts


@asynccontextmanager
async def open_lake(**options: Any) -> AsyncIterator[Lake]:
    """A new emulator with these options."""
    async with (
        Emulator(EmulatorOptions(**options)) as emulator,
        aiohttp.ClientSession() as session,
    ):
        yield Lake(emulator, session)
