"""How does somebody look at records as they pass? GET /tap, with the token of the admin port.

The answer is a line of JSON for each record that was picked, and once a second one that counts.
"""

import asyncio
from collections.abc import Callable, Mapping

import orjson
from aiohttp import web

from agent.admin.access import Access
from agent.core.masking import Masking
from agent.delivery.tap import Seen, Tap, Watcher

Taps = Callable[[], Mapping[str, Tap]]
"""The tap of each flow there is, by its name."""

_LOOKS = 1.0  # seconds between two counts
_WATCHERS_MOST = 4
_RATE, _RATE_MOST = 10.0, 1000.0
_NAMES_MOST = 100
_MASKED_BYTES_MOST = 65_536  # of one record: masking goes on in the loop that delivers


class Tapping:
    """The route. `end` sends everybody home, so that nobody keeps the agent from stopping."""

    def __init__(self, taps: Taps, access: Callable[[], Access]) -> None:
        """Whoever gets here has the token, where there is one; where there is none, nobody may."""
        self._taps = taps
        self._access = access
        self._watchers: set[Watcher] = set()
        self._is_over = False

    async def end(self, _: web.Application) -> None:
        """The agent stops."""
        self._is_over = True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Show records until the client goes, or the agent ends."""
        if self._access().token is None:
            raise web.HTTPForbidden(text="records are shown to nobody: set admin.token_file\n")
        flow, watcher = request.query.get("flow"), _watcher(request)
        masking = _masking(request)
        if flow is not None and flow not in self._taps():
            raise web.HTTPNotFound(text=f"flow: there is {_names(self._taps())}\n")
        if len(self._watchers) >= _WATCHERS_MOST:
            raise web.HTTPTooManyRequests(text=f"{_WATCHERS_MOST} are looking already\n")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        self._watchers.add(watcher)
        try:
            await response.prepare(request)
            await self._show(response, watcher, flow, masking)
        except (ConnectionError, asyncio.CancelledError):
            pass  # whoever looked has gone
        finally:
            self._watchers.discard(watcher)
            for tap in self._taps().values():
                tap.leave(watcher)
        return response

    async def _show(
        self,
        response: web.StreamResponse,
        watcher: Watcher,
        flow: str | None,
        masking: Masking | None,
    ) -> None:
        shown = 0
        while not self._is_over:
            for name, tap in self._taps().items():  # also of flows that have come by now
                if flow in (None, name):
                    tap.join(watcher, name)
            until = asyncio.get_running_loop().time() + _LOOKS
            while not self._is_over and (left := until - asyncio.get_running_loop().time()) > 0:
                await watcher.wait(left)
                for seen in watcher.taken():
                    shown += 1
                    await response.write(_line(seen, masking))
            counts = {"passed": watcher.passed, "shown": shown, "missed": watcher.missed}
            await response.write(orjson.dumps(counts, option=orjson.OPT_APPEND_NEWLINE))


def _line(seen: Seen, masking: Masking | None) -> bytes:
    shown: bytes | None = seen.record
    if masking:
        is_short = len(seen.record) <= _MASKED_BYTES_MOST
        shown = masking.masked(seen.record) if is_short else None
    head: dict[str, str | float] = {
        "flow": seen.flow,
        "source": seen.source,
        "line": seen.line,
        "at": seen.read_at,
    }
    told = orjson.dumps({key: _text(value) for key, value in head.items()})
    body = b"null" if shown is None else shown
    return b'%s,"bytes":%d,"record":%s}\n' % (told[:-1], len(seen.record), body)


def _text(value: str | float) -> str | float:
    """A name of a file is any bytes, and not always what JSON can hold."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _watcher(request: web.Request) -> Watcher:
    asked = request.query.get("rate", str(_RATE))
    try:
        rate = float(asked)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate <= _RATE_MOST:
        raise web.HTTPBadRequest(text=f"rate: write records a second, up to {_RATE_MOST:.0f}\n")
    return Watcher(rate, request.query.get("source"))


def _masking(request: web.Request) -> Masking | None:
    names = [name for name in request.query.getall("redact", [])[:_NAMES_MOST] if name]
    return None if request.query.get("show") == "all" else Masking(names)


def _names(taps: Mapping[str, Tap]) -> str:
    return ", ".join(name for name in taps if name) or "only one, and it has no name"
