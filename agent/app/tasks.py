"""Which tasks take the records of one flow from its sources to its inlet?"""

import asyncio
from collections.abc import Callable

from agent.app.pipeline import Lane, Pipeline
from agent.errors import InputError
from agent.supervisor import Supervisor
from agent.telemetry.logs import get_logger

log = get_logger("agent")


class FlowTasks:
    """The tasks of one flow. They end with the supervisor, if nobody has ended them before."""

    def __init__(self, flow: Pipeline, tasks: Supervisor, unreadable: list[str]) -> None:
        """*unreadable* gets what is wrong with sources that cannot be read."""
        self.flow = flow
        self.sending: list[asyncio.Task[None]] = []  # which end by themselves
        self._tasks = tasks
        self._unreadable = unreadable
        self._of = f" of {flow.name}" if flow.name else ""
        self._token: asyncio.Task[None] | None = None
        self._batcher: asyncio.Task[None] | None = None

    def send(self) -> None:
        """Start all that takes batches to the inlet."""
        flow, tasks = self.flow, self._tasks
        with flow.saying():
            self._batcher = tasks.start_endless(f"batcher{self._of}", flow.batcher.run())
        self.renew_token()
        self.add_senders()

    def add_senders(self) -> None:
        """Have as many senders as the limit can ever allow; those that are too many only wait."""
        with self.flow.saying():
            for number in range(len(self.sending) + 1, self.flow.senders.most + 1):
                run = self.flow.senders.run()
                self.sending.append(self._tasks.start(f"sender {number}{self._of}", run))

    def renew_token(self) -> None:
        """Keep the flow's tokens fresh: those that it has now, and no others."""
        if self._token:
            self._token.cancel()
        with self.flow.saying():
            run = self.flow.tokens.run()
            self._token = self._tasks.start_endless(f"token{self._of}", run)

    def lose_patience(self, stop: Callable[[], None]) -> None:
        """Have this called when most records are refused for a while."""
        with self.flow.saying():
            waiting = _lose_patience(self.flow, stop)
            self._tasks.start_endless(f"patience{self._of}", waiting)

    def read(self, lane: Lane) -> None:
        """Start to read a lane."""
        with self.flow.saying():
            lane.reading = self._tasks.start(f"source{self._of}", self._read(lane))

    async def _read(self, lane: Lane) -> None:
        for source in lane.sources:
            try:
                await source.run(lane.doors)
            except InputError as error:
                self._unreadable.append(str(error))
                log.error("a source cannot be read", source=source.name, reason=str(error))

    async def end(self) -> None:
        """End those of a flow that holds nothing and gets nothing any more."""
        self.flow.spool.close()
        await asyncio.wait(self.sending)
        for task in (self._token, self._batcher):
            if task:
                task.cancel()


async def _lose_patience(flow: Pipeline, stop: Callable[[], None]) -> None:
    await flow.senders.stuck.wait()
    log.error(
        "most records are refused, giving up; what has no verdict is held",
        next_step="compare the records with the flow's mapping and schema, and check"
        " inlet.flow_id; then send again",
    )
    stop()
    await asyncio.get_running_loop().create_future()
