"""How is an answer late, lost, or cut in the middle?"""

import asyncio
import email.utils
import http
import re
import socket
import struct
import time

import orjson
from aiohttp import web
from multidict import CIMultiDict

from agent.emulator.answers import JSON, Answer, Inlet, problem, unauthorized
from agent.emulator.faults import AnswerFault

_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST in place of FIN
_FLUSH_SECONDS = 0.02
_HTML = b"<html><head><title>%d %b</title></head><body><h1>%d %b</h1><hr>proxy</body></html>\n"
_EMPTY_BY_NATURE = (204, 304, 403)  # 403 is documented to come without a body


def fault_answer(inlet: Inlet, fault: AnswerFault) -> Answer:
    """The answer a fault wants in place of the true one; its `status` is set."""
    status = fault.status or 200
    body = fault.body
    if body is None:
        body = "empty" if status in _EMPTY_BY_NATURE else "problem"
    if body == "problem":
        if status == 401:
            return unauthorized(inlet, "Ims service token is invalid")
        failed = status if status >= 300 else 500  # an error in a success
        answer = problem(failed, inlet.says(_phrase(failed)), _phrase(failed))
        answer.status = status
        return answer
    if body == "empty":
        return Answer(status, b"")
    if body == "html":
        phrase = _phrase(status).encode()
        return Answer(status, _HTML % (status, phrase, status, phrase), "text/html")
    if isinstance(body, str):
        return Answer(status, body.encode(), "text/plain")
    return Answer(status, orjson.dumps(body), JSON)


def add_headers(answer: Answer, fault: AnswerFault) -> None:
    """Put the headers that a fault wants on an answer."""
    answer.headers.update(fault.headers)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = _retry_after(fault.retry_after)


def response(answer: Answer) -> web.Response:
    """The answer in aiohttp's form."""
    return web.Response(status=answer.status, body=answer.body, headers=_headers(answer))


async def reset(request: web.Request, answer: Answer, sent: int) -> None:
    """Send the first `sent` bytes of the answer, then reset the connection."""
    transport = request.transport
    if transport is None:
        return
    if sent:
        transport.write(_on_the_wire(answer)[:sent])
        await asyncio.sleep(_FLUSH_SECONDS)  # a reset at once could overtake the bytes
    sock: socket.socket = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()


async def truncate(request: web.Request, answer: Answer, sent: int | None) -> None:
    """Send the whole head and the first `sent` bytes of the body, then close the connection.

    With None nothing is sent at all.
    """
    transport = request.transport
    if transport is None:
        return
    if sent is not None:
        whole = _on_the_wire(answer)
        transport.write(whole[: len(whole) - len(answer.body) + sent])
    transport.close()


async def is_broken(request: web.Request, answer: Answer, fault: AnswerFault | None) -> bool:
    """Let a fault destroy the answer, if it wants to."""
    if fault is None:
        return False
    if fault.hang is not None:
        await asyncio.sleep(fault.hang)
        await truncate(request, answer, None)
    elif fault.reset is not None:
        await reset(request, answer, fault.reset)
    elif fault.truncate is not None:
        await truncate(request, answer, fault.truncate)
    else:
        return False
    return True


def _on_the_wire(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in _headers(answer).items()]
    lines += [f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8") + answer.body


def _headers(answer: Answer) -> CIMultiDict[str]:
    headers = CIMultiDict({"Content-Type": answer.content_type})
    headers.update(answer.headers)
    return headers


def _retry_after(text: str) -> str:
    match = re.fullmatch(r"date\+([0-9]+(?:\.[0-9]+)?)s?", text)
    if match is None:
        return text
    return email.utils.formatdate(time.time() + float(match[1]), usegmt=True)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
