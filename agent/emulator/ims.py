"""Who gets a token? The identity service beside the inlet.

* POST /ims/token/v3      grant_type=client_credentials, client_id, client_secret and scope, as a
                          form or in the query; expires_in counts seconds
* POST /ims/exchange/jwt  client_id, client_secret and jwt_token, as the deprecated service accounts
                          do it; expires_in counts milliseconds. The claims are looked at, the
                          signature is not: the emulator has no key to check it with

Errors are those of RFC 6749, 5.2, since the service's own are not documented. A fault applies here
only where it says so, with `when: {path: token}`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from agent.emulator import answers, broken
from agent.emulator.answers import Answer, Inlet
from agent.emulator.faults import TOKEN, AnswerFault
from agent.emulator.jwt_claims import jwt_objection
from agent.emulator.options import TOKEN_PATH
from agent.emulator.state import State

JWT_PATH = "/ims/exchange/jwt"
_CODES = {400: "invalid_request", 401: "invalid_client", 403: "access_denied", 429: "slow_down"}


class ImsRoutes:
    """The token endpoint."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._options = state.options
        self._inlet = Inlet(state.options.inlet_id, state.options.ims_org_id or "")

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [web.post(TOKEN_PATH, self.token), web.post(JWT_PATH, self.exchange)]

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Exchange a client's id and secret for a token."""
        return await self._answer(request, self._exchanged)

    async def exchange(self, request: web.Request) -> web.StreamResponse:
        """Exchange a signed JWT for a token."""
        return await self._answer(request, self._exchanged_jwt)

    async def _answer(
        self, request: web.Request, exchanged: Callable[[dict[str, Any]], Answer]
    ) -> web.StreamResponse:
        status: int | None = None
        try:
            asked = {**request.query, **await request.post()}
            firing = self._state.faults.fire(TOKEN, "identity", [])
            fault = firing.answer
            answer = self._fault_answer(fault) if fault else None
            if answer is None:
                answer = exchanged(asked)
            if fault:
                broken.add_headers(answer, fault)
            await asyncio.sleep(self._options.latency + firing.delay)
            if await broken.is_broken(request, answer, fault):
                return web.Response()  # there is no connection left to write it to
            status = answer.status
            return broken.response(answer)
        finally:
            self._state.issued.answered(status)

    def _exchanged(self, asked: dict[str, Any]) -> Answer:
        options = self._options
        if asked.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type", "write grant_type=client_credentials")
        if asked.get("client_id") != options.client_id:
            return _error(400, "invalid_client", "invalid client_id parameter")
        if asked.get("client_secret") != options.client_secret:
            return _error(400, "invalid_client", "invalid client_secret parameter")
        if not asked.get("scope"):
            return _error(400, "invalid_scope", "a scope is required")
        return self._issued(self._state.issued.life)

    def _exchanged_jwt(self, asked: dict[str, Any]) -> Answer:
        options = self._options
        if asked.get("client_id") != options.client_id:
            return _error(400, "invalid_client", "invalid client_id parameter")
        if asked.get("client_secret") != options.client_secret:
            return _error(400, "invalid_client", "invalid client_secret parameter")
        objection = jwt_objection(str(asked.get("jwt_token", "")), str(options.client_id))
        if objection is not None:
            return _error(400, "invalid_token", objection)
        return self._issued(self._state.issued.life * 1000)

    def _issued(self, life: float) -> Answer:
        body = {
            "access_token": self._state.issued.issue(),
            "token_type": "bearer",
            "expires_in": int(life) if life == int(life) else life,
        }
        return Answer(200, orjson.dumps(body))

    def _fault_answer(self, fault: AnswerFault) -> Answer | None:
        """The answer that a fault wants; None where it is the true one, perhaps cut short."""
        if fault.status is None:
            return Answer(500, b"") if fault.is_final else None  # which is never sent
        if fault.body not in (None, "problem"):
            return broken.fault_answer(self._inlet, fault)
        return _error(fault.status, _CODES.get(fault.status, "server_error"), "as the faults say")


def _error(status: int, code: str, description: str) -> Answer:
    return Answer(
        status, orjson.dumps({"error": code, "error_description": description}), answers.JSON
    )
