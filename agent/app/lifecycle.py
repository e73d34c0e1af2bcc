"""In which order does the agent start, and how does it stop without losing anything?

Start: store and parts, admin, senders, and sources last: nothing is read that could not be sent.
Stop: sources first, since what is not read is not ours to lose; then waits are cut short and half
batches sent; requests in flight get their grace; what is unanswered is released, not failed; the
store closes once everything is written, and admin last, so that all of it can be watched.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from agent.app.parts import Parts, build
from agent.app.pipeline import Pipeline
from agent.app.replay import Replay
from agent.app.summary import Clock, Snapshot, snapshot
from agent.app.watch import Watch
from agent.config.model import Config
from agent.errors import InputError
from agent.sources.source import Doors, Source
from agent.supervisor import Supervisor
from agent.telemetry.logs import get_logger

log = get_logger("agent")

_LOOKS = 10  # at the input within the time it must be silent for

View = Callable[["Agent"], Coroutine[Any, Any, None]]
Beside = Callable[[], Coroutine[Any, Any, None]]


class Agent:
    """One run of the pipeline, from the first byte read to the last verdict.

    Made inside a running loop; `stop` and `abort` are never too early and may come twice.
    """

    def __init__(
        self,
        config: Config,
        replay: Replay | None = None,
        *,
        patient: bool = True,
        beside: Beside | None = None,
    ) -> None:
        """*replay*: dead letters to be sent again, in the place of the sources.

        *beside* goes on beside the work and never ends. Unless *patient*, the agent stops by itself
        when most records are refused for a while.
        """
        self._config = config
        self._replay = replay
        self._patient = patient
        self._beside = beside
        self._clock = Clock()
        self._loop = asyncio.get_running_loop()
        self._stopping: asyncio.Future[None] = self._loop.create_future()
        self._aborting: asyncio.Future[None] = self._loop.create_future()
        self._deadline = 0.0
        self._parts: Parts | None = None
        self._unreadable: list[str] = []

    async def run(self, view: View | None = None) -> Snapshot:
        """Deliver everything the sources give, until they end or `stop`; say what became of it.

        *view* is shown the agent while it runs. Raises ConfigError and StoreError before anything
        is read, and StoreError where the store fails for good.
        """
        async with AsyncExitStack() as cleanup:
            parts = self._parts = build(self._config, self._replay)
            watch = Watch(parts, self._config, self.snapshot)
            cleanup.push_async_callback(watch.stop)
            cleanup.push_async_callback(parts.store.close)
            for pipeline in parts.each:
                cleanup.push_async_callback(pipeline.inlet.close)
            await watch.start()
            for source in parts.sources:
                cleanup.push_async_callback(source.let_go)
                await source.claim()
            async with Supervisor() as tasks:
                tasks.start_endless("store watch", parts.store.watch())
                tasks.start_endless("loop watch", watch.run())
                if watch.listens:
                    tasks.start_endless("samples", watch.sampling.run())
                if watch.service:
                    tasks.start_endless("signs of life", watch.service.run())
                if self._beside:
                    tasks.start_endless("beside", self._beside())
                if view:
                    tasks.start_endless("view", view(self))
                sending = [each for flow in parts.each for each in self._send(tasks, flow)]
                reading = [each for flow in parts.each for each in self._read(tasks, flow)]
                watch.running()
                await _done(reading, or_when=self._stopping)
                watch.draining()
                if self._stopping.done():
                    await self._until_quiet(parts, reading)
                await self._stop_reading(parts, reading)
                await self._drain(parts, tasks, sending)
        return self.snapshot()

    def stop(self) -> None:
        """Take nothing more in, and give what is held `shutdown.grace` to be answered."""
        if not self._stopping.done():
            self._deadline = self._loop.time() + self._config.shutdown.grace
            self._stopping.set_result(None)

    def abort(self) -> None:
        """Wait for no more answers: release what has none at once."""
        self.stop()
        if not self._aborting.done():
            self._aborting.set_result(None)

    def on_signal(self, number: signal.Signals) -> None:
        """The first signal drains, the second one releases.

        When a terminal is closed, kernel and shell both say so by SIGHUP: that is one signal.
        """
        if not self._stopping.done():
            log.info("stopping", signal=number.name, grace_seconds=self._config.shutdown.grace)
            self.stop()
        elif number != signal.SIGHUP:
            log.warning("second signal, releasing what is unanswered", signal=number.name)
            self.abort()

    def snapshot(self) -> Snapshot:
        """What became of everything so far, once `run` has begun."""
        assert self._parts, "the agent has not been started"
        return snapshot(
            self._parts, self._clock, self._unreadable, interrupted=self._stopping.done()
        )

    def _send(self, tasks: Supervisor, flow: Pipeline) -> list[asyncio.Task[None]]:
        """Start all that takes batches of a flow to its inlet; the tasks that end by themselves."""
        with flow.saying():
            tasks.start_endless(f"token{_of(flow)}", flow.tokens.run())
            tasks.start_endless(f"batcher{_of(flow)}", flow.batcher.run())
            if not self._patient:
                tasks.start_endless(f"patience{_of(flow)}", self._lose_patience(flow))
            return [
                tasks.start(f"sender {number}{_of(flow)}", flow.senders.run())
                for number in range(1, flow.senders.most + 1)
            ]

    def _read(self, tasks: Supervisor, flow: Pipeline) -> list[asyncio.Task[None]]:
        """Start all that reads for a flow."""
        with flow.saying():
            return [
                tasks.start(f"source{_of(flow)}", self._read_lane(lane, doors))
                for lane, doors in zip(flow.lanes, flow.doors, strict=True)
            ]

    async def _lose_patience(self, flow: Pipeline) -> None:
        await flow.senders.stuck.wait()
        log.error(
            "most records are refused, giving up; what has no verdict is held",
            next_step="compare the records with the flow's mapping and schema, and check"
            " inlet.flow_id; then send again",
        )
        self.stop()
        await self._loop.create_future()

    async def _read_lane(self, lane: list[Source], doors: Doors) -> None:
        for source in lane:
            try:
                await source.run(doors)
            except InputError as error:
                self._unreadable.append(str(error))
                log.error("a source cannot be read", source=source.name, reason=str(error))

    async def _until_quiet(self, parts: Parts, reading: Sequence[asyncio.Task[None]]) -> None:
        """Read on until the input falls silent, at most for half of the grace.

        Who writes to a sidecar is often stopped later than the sidecar.
        """
        quiet, grace = self._config.shutdown.quiet, self._config.shutdown.grace
        latest = self._deadline - grace / 2
        heard, size = self._loop.time(), _bytes_read(parts)
        while (wait := min(heard + quiet, latest) - self._loop.time()) > 0:
            if self._aborting.done() or all(task.done() for task in reading):
                return
            pending = [task for task in reading if not task.done()]
            await asyncio.wait(
                [*pending, self._aborting],
                timeout=min(wait, quiet / _LOOKS),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if (now := _bytes_read(parts)) != size:
                heard, size = self._loop.time(), now

    async def _stop_reading(self, parts: Parts, reading: Sequence[asyncio.Task[None]]) -> None:
        for source in parts.sources:
            source.stop()
        if self._stopping.done():
            for flow in parts.each:
                flow.lift()  # a reader that waits for room hands over what it holds
            await self._in_grace(reading)
            _cancel(reading)

    async def _drain(
        self, parts: Parts, tasks: Supervisor, sending: Sequence[asyncio.Task[None]]
    ) -> None:
        """Have everything answered for that is held, all flows side by side."""
        ending = [tasks.start(f"end{_of(flow)}", flow.end()) for flow in parts.each]
        await _done([*ending, *sending], or_when=self._stopping)
        if self._stopping.done():
            for flow in parts.each:
                flow.lift()  # the last batch may have waited for room since before the stop
            await self._in_grace(ending)
            for flow in parts.each:
                flow.senders.hurry(self._deadline)
                flow.spool.hurry()
            await self._in_grace(sending)
            _cancel(sending)
        writing = [each for flow in parts.each for each in flow.settler.writing]
        await _done(writing, or_when=self._stopping)
        if self._stopping.done():
            await self._in_grace(each for flow in parts.each for each in flow.settler.writing)

    async def _in_grace(self, futures: Iterable[asyncio.Future[None]]) -> None:
        """Wait for the futures while there is grace left."""
        remaining = self._deadline - self._loop.time()
        try:
            async with asyncio.timeout(max(0.0, remaining)):
                await _done(futures, or_when=self._aborting)
        except TimeoutError:
            log.warning("the grace is over, releasing what is unanswered")


async def _done(futures: Iterable[asyncio.Future[None]], or_when: asyncio.Future[None]) -> None:
    """Wait until all of these are done, or that one is."""
    pending = {future for future in futures if not future.done()}
    while pending and not or_when.done():
        await asyncio.wait([*pending, or_when], return_when=asyncio.FIRST_COMPLETED)
        pending = {future for future in pending if not future.done()}


def _of(flow: Pipeline) -> str:
    """What the names of a flow's tasks end with."""
    return f" of {flow.name}" if flow.name else ""


def _bytes_read(parts: Parts) -> float:
    return sum(flow.meters.bytes_read.total() for flow in parts.each)


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
