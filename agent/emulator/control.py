"""How do people and tests look into a running emulator and steer it?

* GET    /_emulator/records    accepted records, NDJSON, exact bytes, in order of arrival;
                               ?flow_id=ID one flow only, ?since=N without the first N,
                               ?limit=N no more than N,
                               ?ids=1 as {"xaction_id", "flow_id", "record"}
* DELETE /_emulator/records    forget accepted and refused records
* GET    /_emulator/rejected   refused records, NDJSON of {"record", "status", "message",
                               "xaction_id"}; text that is not JSON is a string, and what is not
                               UTF-8 is "record_base64"; ?since=N and ?limit=N as above
* GET    /_emulator/rejected/reasons   {"total", "reasons": [{"status", "message", "count",
                               "first", "last"}]}: how often each was the reason, and which
                               refused records (0 is the first) were its first and its last
* GET    /_emulator/inlets     {"inlets": [...]}: what can be sent to, and how
* GET    /_emulator/stats      counters, among them duplicates (equal bytes came before) and
                               repeated_ids (the record's _id came before); DELETE sets them to zero
* GET    /_emulator/throughput {"until", "accepted", "rejected"}: records in each of the last 300
                               seconds, the oldest first, up to the time `until`
* DELETE /_emulator/tokens     revoke every token that was issued
* GET    /_emulator/faults     the script at work, with counts; PUT replaces it, DELETE ends it

Records and refused records come with a header X-Total-Count: how many there are without `since`,
`limit` and `flow_id`. A line break between the tokens of a pretty-printed record is written as a
space.
"""

from collections.abc import Iterator

from aiohttp import web

from agent.emulator.faults import Script
from agent.emulator.options import TOKEN_PATH
from agent.emulator.questions import answered, problem
from agent.emulator.state import State
from agent.errors import ConfigError

NDJSON = "application/x-ndjson"


class ControlRoutes:
    """The routes below /_emulator."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.get("/_emulator/records", self.records),
            web.delete("/_emulator/records", self.forget_records),
            web.get("/_emulator/rejected", self.rejected),
            web.get("/_emulator/rejected/reasons", self.reasons),
            web.get("/_emulator/inlets", self.inlets),
            web.get("/_emulator/stats", self.stats),
            web.delete("/_emulator/stats", self.clear_stats),
            web.get("/_emulator/throughput", self.throughput),
            web.delete("/_emulator/tokens", self.revoke_tokens),
            web.get("/_emulator/faults", self.faults),
            web.put("/_emulator/faults", self.set_faults),
            web.delete("/_emulator/faults", self.clear_faults),
        ]

    async def records(self, request: web.Request) -> web.StreamResponse:
        """The accepted records."""
        query = request.query
        arrivals = self._state.arrivals
        try:
            since, limit = _page(request)
        except ConfigError as error:
            return problem(str(error))
        read = (
            arrivals.records_with_ids
            if query.get("ids", "0") in ("1", "true")
            else arrivals.records
        )
        runs = read(flow_id=query.get("flow_id"), since=since)
        blocks = (b"\n".join(run) + b"\n" for run in _at_most(limit, runs))
        return await _streamed(request, blocks, arrivals.accepted)

    async def rejected(self, request: web.Request) -> web.StreamResponse:
        """The refused records."""
        arrivals = self._state.arrivals
        try:
            since, limit = _page(request)
        except ConfigError as error:
            return problem(str(error))
        total = arrivals.refused
        if since == 0 and limit is None:
            return await _streamed(request, arrivals.rejected(), total)
        lines = arrivals.some_rejected(since, total if limit is None else limit)
        return await _streamed(request, lines, total)

    async def reasons(self, request: web.Request) -> web.Response:
        """Why records were refused."""
        arrivals = self._state.arrivals
        return answered({"total": arrivals.refused, "reasons": arrivals.reasons.as_json()})

    async def inlets(self, request: web.Request) -> web.Response:
        """What can be sent to."""
        options = self._state.options
        root = str(request.url.origin())
        issues_tokens = options.client_id is not None
        inlets = [
            {
                "id": inlet.id,
                "ready_made": inlet.id == options.inlet_id,
                "url": f"{root}/collection/{inlet.id}",
                "batch_url": f"{root}/collection/batch/{inlet.id}",
                "data_type": "xdm" if inlet.is_xdm else "raw",
                "authenticated": inlet.authenticated,
                "flow_ids": sorted(inlet.flow_ids, key=lambda id_: (id_ != options.flow_id, id_)),
                "token_url": root + TOKEN_PATH if issues_tokens and inlet.authenticated else None,
                "client_id": options.client_id,
            }
            for inlet in self._state.inlets.all()
        ]
        return answered({"inlets": inlets})

    async def forget_records(self, request: web.Request) -> web.Response:
        """Forget accepted and refused records."""
        self._state.forget_records()
        return web.Response(status=204)

    async def stats(self, request: web.Request) -> web.Response:
        """The counters."""
        return answered(self._state.stats())

    async def clear_stats(self, request: web.Request) -> web.Response:
        """Count from zero again; the records stay."""
        self._state.counts.clear()
        return web.Response(status=204)

    async def throughput(self, request: web.Request) -> web.Response:
        """Records by the second."""
        return answered(self._state.counts.throughput.as_json())

    async def revoke_tokens(self, request: web.Request) -> web.Response:
        """Let no token be good that was issued so far."""
        self._state.issued.revoke()
        return web.Response(status=204)

    async def faults(self, request: web.Request) -> web.Response:
        """The script at work."""
        return answered(self._state.faults.as_json())

    async def set_faults(self, request: web.Request) -> web.Response:
        """Replace the script."""
        try:
            self._state.set_faults(await request.read())
        except ConfigError as error:
            return problem(str(error))
        return answered(self._state.faults.as_json())

    async def clear_faults(self, request: web.Request) -> web.Response:
        """End all faults."""
        self._state.set_faults(Script())
        return web.Response(status=204)


def _page(request: web.Request) -> tuple[int, int | None]:
    """(since, limit) of a request. Raises ConfigError."""
    since, limit = request.query.get("since", "0"), request.query.get("limit")
    if not since.isdecimal():
        raise ConfigError(f"since: found {since!r}; write how many records to leave out")
    if limit is not None and not limit.isdecimal():
        raise ConfigError(f"limit: found {limit!r}; write how many records to answer at most")
    return int(since), None if limit is None else int(limit)


def _at_most(limit: int | None, runs: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
    """The first `limit` records of these runs."""
    if limit is None:
        yield from runs
        return
    while limit > 0 and (run := next(runs, None)) is not None:
        yield run[:limit]
        limit -= len(run)


async def _streamed(
    request: web.Request, blocks: Iterator[bytes], total: int
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": NDJSON, "X-Total-Count": str(total)})
    await response.prepare(request)
    for block in blocks:
        await response.write(block)
    await response.write_eof()
    return response
