"""What does the agent tell whoever watches it? Admin listener and systemd, by the same verdicts."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from agent import __version__
from agent.admin.health import Verdict, liveness, readiness
from agent.admin.loop_watch import LoopWatch
from agent.admin.server import Admin
from agent.app.parts import Parts
from agent.app.pipeline import Pipeline
from agent.app.summary import Snapshot
from agent.config.model import Config
from agent.core.destination import READY, THROTTLED, WARMING_UP
from agent.telemetry.logs import get_logger

if TYPE_CHECKING:
    from agent.app.service import Service

_LEDGER = ("read", "accepted", "dead_lettered", "filtered", "dropped")
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
        self._loop_watch = LoopWatch(next(iter(parts.each)).meters)
        self._admin: Admin | None = None
        if config.admin.listen:
            self._admin = Admin(
                config.admin.listen, parts.meters, self._status, self._ready, self._live
            )
        self.service = self._of_systemd()
        for pipeline in parts.each:
            pipeline.meters.oldest_held_seconds.read_from(partial(_oldest_held, pipeline))

    async def start(self) -> None:
        """Listen, where that is configured. Raises ConfigError where the address is taken."""
        if self._admin:
            await self._admin.start()
            log.info("admin listens", address=self._admin.address)

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

    async def stop(self) -> None:
        """Listen no more."""
        if self._admin:
            await self._admin.stop()

    def _of_systemd(self) -> "Service | None":
        if not os.environ.get("NOTIFY_SOCKET"):
            return None
        from agent.app.service import Service
        from agent.telemetry.notify import ServiceManager

        manager = ServiceManager.of()
        return Service(manager, self._snapshot, self._ready, self._live) if manager else None

    def _status(self) -> Mapping[str, object]:
        ready, why = self._ready()
        snapshot, balance = self._snapshot(), self._parts.store.balance
        return {
            "version": __version__,
            "stage": self.stage,
            "ready": ready,
            "why": why,
            **snapshot.as_json(),
            **_of(self._parts.each),
            "ledger": {
                **{entry: balance.of(entry) for entry in _LEDGER},
                "held": balance.held,
                "residue": balance.residue,
            },
            **({"flows": self._flows(snapshot)} if snapshot.flows else {}),
        }

    def _flows(self, snapshot: Snapshot) -> Mapping[str, object]:
        flows = snapshot.flows_as_json()
        return {
            name: {**flows[name], **_of([pipeline])}
            for name, pipeline in self._parts.pipelines.items()
        }

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
                oldest_held=_oldest_held(pipeline),
                idle=time.monotonic()
                - max(pipeline.settler.totals.last_at, pipeline.destination.since),
                reachable=pipeline.destination.is_open and state != WARMING_UP,
                throttled=state == THROTTLED,
            )
            if not alive:
                return False, f"{why}{_of_flow(pipeline.name)}"
        return True, why


def _of(pipelines: Iterable[Pipeline]) -> Mapping[str, object]:
    """What /status says of a flow, or of all of them together."""
    pipelines = list(pipelines)
    away = [each.destination.since for each in pipelines if each.destination.state != READY]
    return {
        "destination_since_seconds": round(time.monotonic() - min(away), 1) if away else None,
        "buffer": {
            "held_bytes": sum(each.budget.held for each in pipelines),
            "limit_bytes": sum(each.budget.limit for each in pipelines),
            "batches": sum(each.spool.statistics().batches for each in pipelines),
            "oldest_seconds": round(max(map(_oldest_held, pipelines)), 1),
        },
        "requests_in_flight": sum(each.senders.in_flight for each in pipelines),
        "sources": {
            source.name: {
                "read": source.progress().read,
                "total": source.progress().total,
                **source.details(),
            }
            for each in pipelines
            for source in each.sources
        },
    }


def _of_flow(name: str) -> str:
    return f" of flow {name}" if name else ""


def _full_for(pipeline: Pipeline) -> float | None:
    """Seconds for which readers have waited in vain; None where that is no time to speak of."""
    since = pipeline.budget.exhausted_since
    waited = time.monotonic() - since if since is not None else 0.0
    return waited if waited > _NO_ROOM_SECONDS else None


def _oldest_held(pipeline: Pipeline) -> float:
    oldest = pipeline.spool.statistics().oldest_read_at
    return max(0.0, time.time() - oldest) if oldest is not None else 0.0
