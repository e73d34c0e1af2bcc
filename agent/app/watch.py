"""What does the agent tell whoever watches it? Admin listener and systemd, by the same verdicts."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from agent.admin.health import Verdict, liveness, readiness
from agent.admin.loop_watch import LoopWatch
from agent.admin.server import Admin
from agent.app.parts import Parts
from agent.app.pipeline import Pipeline
from agent.app.reloading import Report
from agent.app.sampling import Sampling
from agent.app.summary import Snapshot
from agent.config.model import Config
from agent.core.destination import THROTTLED, WARMING_UP
from agent.delivery.tap import Tap
from agent.telemetry.logs import get_logger

if TYPE_CHECKING:
    from agent.app.service import Service
    from agent.app.status import Status

_REFUSED = "the configuration is wrong, going on with the old one"
_NO_ROOM_SECONDS = 10.0  # a reader that waits a moment is flow control, not distress

log = get_logger("admin")


class Watch:
    """Looks at the parts of one run from outside. `stage` is starting, running or draining.

    `service` tells systemd; it is None where nobody there wants to know.
    """

    def __init__(self, parts: Parts, config: Config, snapshot: Callable[[], Snapshot]) -> None:
        self.stage = "starting"
        self._parts = parts
        self._snapshot = snapshot
        self.sampling = Sampling(parts)
        self._loop_watch = LoopWatch(next(iter(parts.each)).meters)
        self._admin: Admin | None = None
        if config.admin.listen:
            self._admin = Admin(
                config.admin, parts.meters, self._status, self._ready, self._live, self._taps
            )
        self.service = self._of_systemd()
        self._reload: Report | None = None

    def start(self) -> None:
        """Listen, where that is configured. Raises ConfigError where the address is taken."""
        if self._admin:
            self._admin.start()
            log.info("admin listens", address=self._admin.address)

    @property
    def listens(self) -> bool:
        """Whether anybody can ask how it stands."""
        return self._admin is not None

    async def serve(self) -> None:
        """Answer whoever asks how it stands; never returns."""
        assert self._admin, "it listens"
        await self._admin.serve()

    async def run(self) -> None:
        """Measure the loop until cancelled."""
        await self._loop_watch.run()

    def running(self) -> None:
        """Input is taken from now on."""
        self.stage = "running"
        if self.service:
            self.service.running()

    def draining(self) -> None:
        """No more input is taken; what is held is being answered for."""
        self.stage = "draining"
        if self.service:
            self.service.stopping()

    def reloading(self) -> None:
        """The configuration is read again."""
        if self.service:
            self.service.reloading()

    def reloaded(self, report: Report) -> None:
        """The configuration was read again, and this came of it."""
        self._reload = report
        if self.service:
            self.service.running(_REFUSED if report.outcome == "refused" else "")

    async def stop(self) -> None:
        """Listen no more."""
        if self._admin:
            await self._admin.stop()

    def _taps(self) -> Mapping[str, Tap]:
        return {name: each.intake.tap for name, each in self._parts.pipelines.items()}

    def _of_systemd(self) -> "Service | None":
        if not os.environ.get("NOTIFY_SOCKET"):
            return None
        from agent.app.service import Service
        from agent.telemetry.notify import ServiceManager

        manager = ServiceManager.of()
        return Service(manager, self._snapshot, self._ready, self._live) if manager else None

    @cached_property
    def _told(self) -> "Status":
        from agent.app.status import Status  # what it takes is loaded when somebody asks first

        return Status(self._parts, self.sampling, self._snapshot, self._ready)

    def _status(self, history_seconds: float, flow: str) -> Mapping[str, object]:
        last_reload = {"last_reload": self._reload.as_json()} if self._reload else {}
        return {**self._told.as_json(self.stage, history_seconds, flow), **last_reload}

    def _ready(self) -> Verdict:
        """A flow that takes nothing is its sources' affair: red only where none takes anything."""
        full = [(each.name, waited) for each in self._parts.each if (waited := _full_for(each))]
        words = [f"the buffer{_of_flow(name)} has been full for {t:.0f} s" for name, t in full]
        all_full = len(full) == len(self._parts.pipelines)
        well, why = readiness(
            starting=self.stage == "starting",
            draining=self.stage == "draining",
            no_room="; ".join(words) if all_full else None,
        )
        return well, "; ".join([why, *words]) if well else why

    def _live(self) -> Verdict:
        why = "alive"
        for pipeline in self._parts.each:
            state = pipeline.destination.state
            alive, why = liveness(
                loop_lag=self._loop_watch.lag,
                oldest_held=pipeline.oldest_held(),
                idle=time.monotonic()
                - max(pipeline.settler.totals.last_at, pipeline.destination.since),
                reachable=pipeline.destination.is_open and state != WARMING_UP,
                throttled=state == THROTTLED,
            )
            if not alive:
                return False, f"{why}{_of_flow(pipeline.name)}"
        return True, why


def _of_flow(name: str) -> str:
    return f" of flow {name}" if name else ""


def _full_for(pipeline: Pipeline) -> float | None:
    """Seconds for which readers have waited in vain; None where that is no time to speak of."""
    since = pipeline.budget.exhausted_since
    waited = time.monotonic() - since if since is not None else 0.0
    return waited if waited > _NO_ROOM_SECONDS else None
