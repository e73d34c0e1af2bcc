"""May this call pass to a service of the platform?

Everything below /data/ comes through here: a token, an API key, an organisation and a sandbox are
asked for in this order, and a media type of whoever sends a body. Where the emulator issues tokens
(`client_id`), the token, the key and the organisation must be the right ones; without, any will do,
so that nobody needs an account to try. Calls without `x-sandbox-name` go to `prod`.

A fault applies here only where it says so, with `when: {path: platform}`; `matching` then looks at
`METHOD /path?query`, a line break, and the body.
"""

import asyncio
import http
import uuid

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agent.emulator import answers, broken, refusals
from agent.emulator.answers import Answer, Inlet
from agent.emulator.calls import CALLER, Caller
from agent.emulator.faults import PLATFORM, AnswerFault, Firing
from agent.emulator.flow.problems import Problem
from agent.emulator.platform import ORG_ID
from agent.emulator.refusals import Refused
from agent.emulator.sandboxes import DEFAULT_SANDBOX, Sandboxes
from agent.emulator.state import State

_WITH_BODY = ("POST", "PUT", "PATCH")
_NOT_OURS = frozenset(("Content-Length", "Content-Type", "Date", "Server"))
_CODES = {
    401: ("401013", "Oauth token is not valid"),
    403: ("403025", "Profile is not valid"),
    404: ("404001", "The requested resource was not found"),
    405: ("405001", "Method not allowed"),
    429: ("429050", "Too many requests"),
}


class Gateway:
    """What stands before all services."""

    def __init__(self, state: State, sandboxes: Sandboxes) -> None:
        self._state = state
        self._options = state.options
        self._sandboxes = sandboxes
        self._inlet = Inlet(state.options.inlet_id, state.options.ims_org_id or ORG_ID)

    def middleware(self) -> Middleware:
        """What aiohttp calls with every request; paths of others pass untouched."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith("/data/"):
                return await handler(request)
            return await self._pass(request, handler)

        return guarded

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request.headers.get("x-request-id") or uuid.uuid4().hex
        body = await request.read()
        line = f"{request.method} {request.path_qs}\n".encode()
        firing = self._state.faults.fire(PLATFORM, "identity", [line + body])
        fault = firing.answer
        if fault is not None and fault.is_final:
            answer = self._of_fault(fault)
        else:
            answer = await self._of_service(request, request_id, handler)
            if fault is not None and fault.status is not None:
                answer = self._of_fault(fault)
        if fault is not None:
            broken.add_headers(answer, fault)
        answer.headers.setdefault("x-request-id", request_id)
        await self._wait(firing)
        if await broken.is_broken(request, answer, fault):
            return web.Response()  # there is no connection left to write it to
        return broken.response(answer)

    async def _of_service(self, request: web.Request, request_id: str, handler: Handler) -> Answer:
        try:
            request[CALLER] = self._caller(request, request_id)
            given = await handler(request)
        except Refused as refused:
            return _answer_of(refused)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            unknown = refusals.by_gateway(*_code(error.status))
            if "Allow" in error.headers:
                unknown.headers["Allow"] = error.headers["Allow"]
            return _answer_of(unknown)
        except OSError as error:
            said = f"the emulator cannot keep this: {error.strerror}"
            return _answer_of(refusals.as_placeholder(500, "InternalServerError", said))
        assert isinstance(given, web.Response)  # no service streams
        text = given.body if isinstance(given.body, bytes) else b""
        rest = {name: each for name, each in given.headers.items() if name not in _NOT_OURS}
        return Answer(given.status, text, given.headers.get("Content-Type", answers.JSON), rest)

    def _caller(self, request: web.Request, request_id: str) -> Caller:
        headers = request.headers
        self._check_token(headers.get("Authorization", ""))
        client_id = headers.get("x-api-key", "").strip()
        if not client_id:
            raise refusals.by_gateway("403000", "Api Key is required")
        if self._options.client_id is not None and client_id != self._options.client_id:
            raise refusals.by_gateway("403003", "Api Key is invalid")
        org_id = headers.get("x-gw-ims-org-id", "").strip()
        if not org_id:
            raise refusals.by_gateway("400003", "Missing header")
        if self._options.ims_org_id not in (None, org_id):
            raise refusals.by_gateway("403025", "Profile is not valid")
        _check_content_type(request)
        sandbox = headers.get("x-sandbox-name", "").strip() or DEFAULT_SANDBOX
        if sandbox not in self._sandboxes:
            raise _no_sandbox(request.path, sandbox, request_id)
        return Caller(request_id, client_id, org_id, sandbox)

    def _check_token(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if not token.strip():
            raise refusals.by_gateway("403010", "Oauth token is missing.")
        if scheme.lower() != "bearer":
            raise refusals.by_gateway("401013", "Oauth token is not valid")
        if self._options.client_id is None:
            return
        if self._state.issued.objection(f"Bearer {token.strip()}") is not None:
            raise refusals.by_gateway("401013", "Oauth token is not valid")

    def _of_fault(self, fault: AnswerFault) -> Answer:
        """The answer that a fault wants in place of the true one."""
        if fault.status is None:
            return Answer(500, b"")  # which is never sent
        if fault.body not in (None, "problem"):
            return broken.fault_answer(self._inlet, fault)
        failed = fault.status if fault.status >= 300 else 500  # an error in a success
        answer = _answer_of(refusals.by_gateway(*_code(failed)))
        answer.status = fault.status
        return answer

    async def _wait(self, firing: Firing) -> None:
        seconds = self._options.latency + firing.delay
        if seconds:
            await asyncio.sleep(seconds)


def _check_content_type(request: web.Request) -> None:
    if request.method not in _WITH_BODY or not request.body_exists:
        return
    media_type = request.content_type
    if media_type != "application/json" and not media_type.endswith("+json"):
        detail = "A valid content-type must be specified"
        raise refusals.as_placeholder(400, "BadRequestError", detail)


def _no_sandbox(path: str, sandbox: str, request_id: str) -> Refused:
    if path.startswith("/data/foundation/flowservice/"):
        return Problem("2100-404", name=sandbox).refused(request_id)
    detail = f"The sandbox {sandbox} was not found. Create it, or correct x-sandbox-name."
    return refusals.as_placeholder(404, "SandboxNotFoundError", detail)


def _code(status: int) -> tuple[str, str]:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return _CODES.get(status, (f"{status}000", phrase))


def _answer_of(refused: Refused) -> Answer:
    return Answer(refused.status, orjson.dumps(refused.body), answers.JSON, dict(refused.headers))
