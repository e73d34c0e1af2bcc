"""When is the configuration read again, and what is told of it?

One reload after the other: what is asked for meanwhile is done afterwards, once.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from agent.app.running import Running, end_if_empty
from agent.config.model import Config
from agent.errors import ConfigError, ConfigUnread
from agent.telemetry.logs import get_logger

_LOOK = 0.2  # seconds between two looks at whether a flow that was removed has ended

log = get_logger("reload")

Outcome = Literal["applied", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a reload."""

    at: float  # wall clock
    outcome: Outcome
    at_once: Sequence[str] = ()  # what took effect
    later: Sequence[str] = ()  # keys that wait for the next start
    problems: Sequence[str] = ()

    def as_json(self) -> dict[str, object]:
        """For /status."""
        return {
            "outcome": self.outcome,
            "at": round(self.at, 3),
            "applied": [*self.at_once],
            "at_the_next_start": [*self.later],
            "problems": [*self.problems],
        }


class Reloading:
    """Reads the configuration again whenever that is asked for."""

    def __init__(
        self,
        running: Running,
        reread: Callable[[], Config],
        begun: Callable[[], None],
        ended: Callable[[Report], None],
    ) -> None:
        """*reread* raises ConfigError and ConfigUnread; *begun* and *ended* hear of each reload."""
        self._running = running
        self._reread = reread
        self._begun, self._ended = begun, ended
        self._asked = asyncio.Event()
        self.busy: asyncio.Future[None] | None = None  # done when no reload is to come
        self._task = running.tasks.start_endless("reloading", self._run())

    def ask(self) -> None:
        """Have it read again: soon, or when what goes on now is done."""
        self._asked.set()
        if self.busy is None:
            self.busy = asyncio.get_running_loop().create_future()

    async def end(self) -> None:
        """Reload no more; what goes on now is broken off, and no source is lost by that."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        running = self._running
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK if running.leaving else None):
                    await self._asked.wait()
            if self._asked.is_set():
                self._asked.clear()
                await self._reload()
                if self.busy and not self._asked.is_set():
                    self.busy.set_result(None)
                    self.busy = None
            for name in [*running.leaving]:
                await end_if_empty(running, name)

    async def _reload(self) -> None:
        log.info("reading the configuration again")
        self._begun()
        from agent.app.changeover import Changeover
        from agent.config.changes import changes

        running = self._running
        try:
            after = await asyncio.to_thread(self._reread)
            found = changes(running.written, after, running.leaving)
            await Changeover(running, found).carry_out()
        except ConfigError as error:
            self._refuse("is wrong", str(error).splitlines())
            return
        except ConfigUnread as error:
            self._refuse("could not be read", [str(error)])
            return
        for warning in after.warnings:
            log.warning(warning)
        for key in found.later:
            log.warning("takes effect at the next start", key=key)
        outcome: Outcome = "applied" if found.at_once else "unchanged"
        log.info("the configuration was read again", outcome=outcome, applied=[*found.at_once])
        self._report(Report(time.time(), outcome, found.at_once, found.later))

    def _refuse(self, what: str, problems: Sequence[str]) -> None:
        for problem in problems:
            log.error(f"the configuration {what}, going on with the old one", reason=problem)
        self._report(Report(time.time(), "refused", problems=problems))

    def _report(self, report: Report) -> None:
        meters = next(iter(self._running.parts.each)).meters
        meters.reloads.add(1, report.outcome)
        meters.reload_successful.set(int(report.outcome != "refused"))
        self._ended(report)
