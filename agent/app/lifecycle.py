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
from typing import TYPE_CHECKING, Any

from agent.app import memory
from agent.app.parts import Parts, build
from agent.app.pipeline import Pipeline
from agent.app.reloading import Reloading, Report
from agent.app.running import Running
from agent.app.summary import Clock, Snapshot, snapshot
from agent.app.tasks import FlowTasks
from agent.app.terminal import Terminal
from agent.app.watch import Watch
from agent.config.model import Config
from agent.supervisor import Supervisor
from agent.telemetry.logs import get_logger

if TYPE_CHECKING:
    from agent.app.replay import Replay

log = get_logger("agent")

_LOOKS = 10  # at the input within the time it must be silent for

View = Callable[["Agent"], Coroutine[Any, Any, None]]
Beside = Callable[[], Coroutine[Any, Any, None]]
Rereading = tuple[Config, Callable[[], Config]]


class Agent:
    """One run of the pipeline, from the first byte read to the last verdict.

    Made inside a running loop; `stop` and `abort` are never too early and may come twice.
    """

    def __init__(
        self,
        config: Config,
        replay: "Replay | None" = None,
        *,
        patient: bool = True,
        beside: Beside | None = None,
        rereading: Rereading | None = None,
    ) -> None:
        """*replay*: dead letters to be sent again, in the place of the sources.

        *beside* goes on beside the work and never ends. Unless *patient*, the agent stops by itself
        when most records are refused for a while. *rereading* are the configuration as it was
        written, and how to read it again for `reload`.
        """
        self._config = memory.fitted(config)
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
        self._rereading = rereading
        self._reloading: Reloading | None = None
        self._reload_early = False  # before there was anything to go on with another configuration
        self._terminal = Terminal()

    async def run(self, view: View | None = None) -> Snapshot:
        """Deliver everything the sources give, until they end or `stop`; say what became of it.

        *view* is shown the agent while it runs. Raises ConfigError and StoreError before anything
        is read, and StoreError where the store fails for good.
        """
        async with AsyncExitStack() as cleanup:
            parts = self._parts = build(self._config, self._replay)
            watch = Watch(parts, self._config, self.snapshot)
            cleanup.push_async_callback(watch.stop)
            answering = await cleanup.enter_async_context(Supervisor())
            cleanup.push_async_callback(parts.store.close)
            cleanup.push_async_callback(parts.close_inlets)
            watch.start()
            if watch.listens:
                answering.start_endless("admin", watch.serve())
            cleanup.push_async_callback(parts.let_go)
            for source in parts.sources:
                await source.claim()
            async with Supervisor() as tasks:
                tasks.start_endless("store watch", parts.store.watch())
                tasks.start_endless("loop watch", watch.run())
                tasks.start_endless("memory", memory.tidy())
                if watch.listens:
                    tasks.start_endless("samples", watch.sampling.run())
                if watch.service:
                    tasks.start_endless("signs of life", watch.service.run())
                if self._beside:
                    tasks.start_endless("beside", self._beside())
                if view:
                    tasks.start_endless("view", view(self))
                flows = self._begin(parts, tasks)
                self._begin_reloading(parts, tasks, flows, watch)
                watch.running()
                await self._until_read(parts)
                watch.draining()
                if self._reloading:
                    await self._reloading.end()
                reading = parts.reading
                sending = [each for flow in flows.values() for each in flow.sending]
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

    def reload(self) -> None:
        """Read the configuration again, and go on with it if nothing is wrong with it."""
        if self._stopping.done():
            log.warning("stopping, the configuration is not read again")
        elif self._reloading:
            self._reloading.ask()
        else:
            self._reload_early = True

    def on_signal(self, number: signal.Signals) -> None:
        """The first signal drains, the second one releases; SIGHUP reloads, where that was wanted.

        When a terminal is closed, kernel and shell both say so by SIGHUP: that is one signal.
        """
        if number == signal.SIGHUP and self._rereading and not self._terminal.was_closed():
            self.reload()
        elif not self._stopping.done():
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

    def _begin(self, parts: Parts, tasks: Supervisor) -> dict[str, FlowTasks]:
        """Start all senders, then all that reads."""
        flows = {
            name: FlowTasks(flow, tasks, self._unreadable) for name, flow in parts.pipelines.items()
        }
        for each in flows.values():
            each.send()
            if not self._patient:
                each.lose_patience(self.stop)
        for each in flows.values():
            for lane in each.flow.lanes:
                each.read(lane)
        return flows

    def _begin_reloading(
        self, parts: Parts, tasks: Supervisor, flows: dict[str, FlowTasks], watch: Watch
    ) -> None:
        if self._rereading is None:
            return
        written, reread = self._rereading

        def ended(report: Report) -> None:
            self._config = running.config
            watch.reloaded(report)

        running = Running(parts, tasks, flows, written, self._config, self._unreadable)
        self._reloading = Reloading(running, reread, watch.reloading, ended)
        if self._reload_early:
            self._reloading.ask()

    async def _until_read(self, parts: Parts) -> None:
        """Wait until all sources have ended and no others are to come, or it is to stop."""
        while not self._stopping.done():
            pending = [task for task in parts.reading if not task.done()]
            if self._reloading and self._reloading.busy:
                pending.append(self._reloading.busy)
            if not pending:
                return
            await asyncio.wait([*pending, self._stopping], return_when=asyncio.FIRST_COMPLETED)

    async def _until_quiet(self, parts: Parts, reading: Sequence[asyncio.Future[None]]) -> None:
        """Read on until the input falls silent, at most for half of the grace.

        Who writes to a sidecar is often stopped later than the sidecar.
        """
        quiet, grace = self._config.shutdown.quiet, self._config.shutdown.grace
        latest = self._deadline - grace / 2
        heard, size = self._loop.time(), parts.bytes_read
        while (wait := min(heard + quiet, latest) - self._loop.time()) > 0:
            if self._aborting.done() or all(task.done() for task in reading):
                return
            pending = [task for task in reading if not task.done()]
            await asyncio.wait(
                [*pending, self._aborting],
                timeout=min(wait, quiet / _LOOKS),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if (now := parts.bytes_read) != size:
                heard, size = self._loop.time(), now

    async def _stop_reading(self, parts: Parts, reading: Sequence[asyncio.Future[None]]) -> None:
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


def _cancel(tasks: Iterable[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
