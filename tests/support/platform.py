"""Calls to the emulated platform, with the headers that the real one asks for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

HEADERS = {
    "Authorization": "Bearer some-token",
    "x-api-key": "some-client",
    "x-gw-ims-org-id": "0A1B2C3D4E5F60718293A4B5@AdobeOrg",
    "x-sandbox-name": "prod",
}


@dataclass(frozen=True)
class Answered:
    """What came back: `body` is parsed JSON where the answer is JSON, and bytes otherwise."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Calls:
    """`await calls.get("/data/...")`; a header given as "" is left out, `body` is sent as JSON."""

    def __init__(self, root: str, session: aiohttp.ClientSession) -> None:
        self.root = root
        self._session = session

    async def get(self, path: str, **how: Any) -> Answered:
        return await self.call("GET", path, **how)

    async def post(self, path: str, body: Any = None, **how: Any) -> Answered:
        return await self.call("POST", path, body, **how)

    async def put(self, path: str, body: Any = None, **how: Any) -> Answered:
        return await self.call("PUT", path, body, **how)

    async def patch(self, path: str, body: Any = None, **how: Any) -> Answered:
        return await self.call("PATCH", path, body, **how)

    async def delete(self, path: str, **how: Any) -> Answered:
        return await self.call("DELETE", path, **how)

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answered:
        """`body` may be bytes, which are sent as they are."""
        sent = {**HEADERS, "Accept": "application/json"}
        written = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if written is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        async with self._session.request(
            method,
            URL(self.root + path, encoded=True),
            data=written,
            headers={name: value for name, value in sent.items() if value},
            skip_auto_headers=("Content-Type",),
        ) as answer:
            content = await answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "") and content
            return Answered(
                answer.status, json.loads(content) if is_json else content, answer.headers
            )
