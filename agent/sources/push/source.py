"""How do records that others push become lines of one source, and when are they answered?

Requests are read side by side, and taken one after the other: all of a body or nothing of it. What
is answered with 2xx is the agent's from then on, each of its records; anything else means that
nothing was taken, unless the answer says that it may have been.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from agent.config.pushes import HttpSource
from agent.core.pushed import Lines
from agent.sources.encryption import encryption_of
from agent.sources.listening import Listening
from agent.sources.push import answers
from agent.sources.push.answers import Answer, Collection, Plain
from agent.sources.push.entering import Tokens
from agent.sources.push.listener import Listener, Watching, response
from agent.sources.push.refusing import Refused, buffer_is_full, draining, store_is_full
from agent.sources.push.requests import Target, asked, read
from agent.sources.push.room import Place, Room
from agent.sources.receiver import Receiver
from agent.sources.source import Doors, Feed
from agent.store.outcomes import Awaited, Outcomes
from agent.telemetry.meters import Meters

_LAST_WAIT = 1.0  # seconds for what was handed to the store before the end to become durable
_SLACK = 0.05  # seconds: who takes a body gives up on it first, and who sent it after that
_READY = "/readyz"


@dataclass(slots=True)
class _Push:
    """A body that waits to be taken; the future says when that began, or why it did not."""

    data: bytes
    awaited: Awaited
    latest: float  # of the loop's time: until then it waits for room
    taken: asyncio.Future[None]


class PushSource(Receiver):
    """One listener: all that is pushed to it is one source, in the order in which it is taken."""

    def __init__(
        self, settings: HttpSource, target: Target, outcomes: Outcomes, meters: Meters
    ) -> None:
        listening = Listening(settings.listen, mode=settings.mode)
        super().__init__(settings.shown_name, listening, settings.max_body_bytes, meters)
        self._settings = settings
        self._target = target
        self._outcomes = outcomes
        self._encryption = encryption_of(settings.tls)
        self._tokens = Tokens(settings.read_token, settings.token_file)
        self._listener: Listener | None = None
        self._room = Room(settings.max_waiting_bytes, settings.max_waiting_requests)
        self._queue: deque[_Push] = deque()
        self._wake = asyncio.Event()
        self._over = False
        self._waiting: set[Awaited] = set()

    async def run(self, doors: Doors) -> None:
        """Take what is pushed until `stop`."""
        self._meters.push_waiting.read_from(lambda: self._room.requests, self.name)
        feed = doors.feed(self.name, self._start)
        listener = self._listener = Listener(
            self._listeners,
            self._answer,
            Watching(self._meters, self.name),
            max_connections=self._settings.max_connections,
            idle_timeout=self._settings.idle_timeout,
            networks=self._settings.networks,
            encryption=self._encryption,
        )
        if not self._stopped:
            await listener.start()
        while push := await self._next():
            await self._take(push, feed)
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Take what has come, and nothing more."""
        self._stopped = True
        self._wake.set()
        if self._listener:
            self._listener.close()

    async def let_go(self, *, patiently: bool = False) -> None:
        """Answer everybody who still waits, and listen no more."""
        self.stop()
        self._over = not patiently
        for push in self._queue:
            _tell(push, draining())
        self._queue.clear()
        try:
            if (patiently or self._settings.ack == "durable") and self._waiting:
                longest = self._settings.ack_timeout if patiently else _LAST_WAIT
                await asyncio.wait([each.over for each in self._waiting], timeout=longest)
        finally:
            for awaited in self._waiting:
                awaited.end()
            if self._listener:
                await self._listener.stop()
            await super().let_go()

    def renew(self) -> None:
        """Take up a renewed certificate, and a token that was replaced."""
        self._tokens.look()
        if self._encryption:
            self._encryption.renew()

    def details(self) -> Mapping[str, object]:
        """Where it listens, and who waits."""
        waiting = {"requests": self._room.requests, "bytes": self._room.bytes}
        return {**super().details(), "waiting": waiting}

    # --- one after the other ---

    async def _next(self) -> _Push | None:
        while not self._queue:
            if self._stopped:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._queue.popleft()

    async def _take(self, push: _Push, feed: Feed) -> None:
        """Hand over a whole body, or nothing of it where there is no room for it in time."""
        if push.taken.done():
            return  # whoever sent it is gone
        note = self._outcomes.expecting(self.name, push.awaited)

        def taken(lines: range) -> None:
            limit.reschedule(None)
            note(lines)
            _tell(push, None)

        try:
            async with asyncio.timeout_at(push.latest) as limit:
                records = await feed.lines(push.data, on_taken=taken)
        except TimeoutError:
            _tell(push, buffer_is_full())
            return
        self._read += len(push.data)
        push.awaited.whole(records)
        settings = self._settings
        feed.hasten(settings.ack_within, is_awaited=settings.ack == "durable")

    # --- side by side ---

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request; raises ConnectionError where nobody is left to be answered."""
        begun = time.monotonic()
        if request.rel_url.raw_path == _READY and request.method in ("GET", "HEAD"):
            return self._ready()
        try:
            answer = await self._taken(request)
        except Refused as refused:
            answer = answers.problem(refused.status, refused.message, refused.retry_after)
        except ConnectionError:
            self._meters.push_requests.add(1, self.name, "none")
            raise
        self._count(answer.status)
        self._meters.push_answer_seconds.observe(time.monotonic() - begun)
        finished = response(answer)
        if self._stopped:
            finished.force_close()
        return finished

    async def _taken(self, request: web.BaseRequest) -> Answer:
        self._tokens.require(request.headers.get("Authorization"))
        wanted = asked(request, self._settings, self._target)
        self._require_open()
        settings = self._settings
        with self._room.let_in() as place:
            limit = settings.max_body_bytes
            lines = wanted.lines(
                await read(request, place, limit, settings.body_timeout), place, limit
            )
            self._require_open()
            awaited = await self._handed_over(lines, place)
            return await self._acknowledged(awaited, wanted.answers)

    async def _handed_over(self, lines: Lines, place: Place) -> Awaited:
        awaited = Awaited(for_verdicts=self._settings.ack == "accepted")
        if lines.is_empty:
            awaited.whole(0)
            return awaited
        loop = asyncio.get_running_loop()
        latest = loop.time() + self._settings.room_timeout
        push = _Push(lines.data, awaited, latest, loop.create_future())
        self._queue.append(push)
        self._waiting.add(awaited)
        self._wake.set()
        try:
            async with asyncio.timeout_at(latest + _SLACK):
                await push.taken
        except TimeoutError:  # those before it are being taken all the time
            if not _was_taken(push):
                self._forget(awaited)
                raise buffer_is_full() from None
        except BaseException:
            self._forget(awaited)
            raise
        place.hold(0)
        return awaited

    async def _acknowledged(self, awaited: Awaited, wording: Plain | Collection) -> Answer:
        try:
            async with asyncio.timeout(self._settings.ack_timeout):
                await awaited.over
        except TimeoutError:
            pass
        finally:
            self._forget(awaited)
        return self._worded(awaited, wording)

    def _worded(self, awaited: Awaited, wording: Plain | Collection) -> Answer:
        if awaited.dropped:
            return answers.problem(
                503, "records were dropped because the buffer is full (buffer.when_full)", 5
            )
        if self._settings.ack == "durable" and awaited.is_durable:
            return wording.durable(awaited)
        if self._settings.ack == "accepted" and awaited.is_answered:
            return wording.accepted(awaited)
        if self._settings.ack == "accepted" and awaited.is_durable:
            return wording.unanswered(awaited)
        return answers.problem(
            503 if self._over else 504,
            "taken, and not known to be safe yet: sent again, records may arrive twice",
            5,
        )

    def _forget(self, awaited: Awaited) -> None:
        self._waiting.discard(awaited)
        self._outcomes.forget(self.name, awaited)

    def _require_open(self) -> None:
        if self._stopped:
            raise draining()
        if self._outcomes.store_is_full:
            raise store_is_full()

    def _ready(self) -> web.Response:
        try:
            self._require_open()
        except Refused as refused:
            return response(answers.problem(refused.status, refused.message, refused.retry_after))
        return web.Response(text="ready\n", headers={"Server": "aep-agent"})

    def _count(self, status: int) -> None:
        self._meters.push_requests.add(1, self.name, str(status))


def _was_taken(push: _Push) -> bool:
    """Whether it was, when the time was up as well: a busy loop hears of both at once."""
    taken = push.taken
    return taken.done() and not taken.cancelled() and taken.exception() is None


def _tell(push: _Push, refused: Refused | None) -> None:
    if push.taken.done():  # whoever sent it is gone
        return
    if refused:
        push.taken.set_exception(refused)
    else:
        push.taken.set_result(None)
