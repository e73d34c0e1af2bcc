"""What does the agent tell whoever watches it? The admin listener, and the verdicts it gives."""

import time
from collections.abc import Callable, Mapping

from agent import __version__
from agent.admin.health import Verdict, liveness, readiness
from agent.admin.loop_watch import LoopWatch
from agent.admin.server import Admin
from agent.app.parts import Parts
from agent.app.summary import Snapshot
from agent.config.model import Config
from agent.core.destination import READY, THROTTLED, WARMING_UP
from agent.telemetry.logs import get_logger

_LEDGER = ("read", "accepted", "dead_lettered", "filtered", "dropped")
_NO_ROOM_SECONDS = 10.0  # a reader that waits a moment is flow control, not distress

log = get_logger("admin")


class Watch:
    """Looks at the parts of one run from outside. `stage` is starting, running or draining."""

    def __init__(self, parts: Parts, config: Config, snapshot: Callable[[], Snapshot]) -> None:
        self.stage = "starting"
        self._parts = parts
        self._snapshot = snapshot
        self._loop_watch = LoopWatch(parts.meters)
        self._admin: Admin | None = None
        if config.admin.listen:
            self._admin = Admin(
                config.admin.listen, parts.meters, self._status, self._ready, self._live
            )
        parts.meters.oldest_held_seconds.read_from(self._oldest_held)

    async def start(self) -> None:
        """Listen, where that is configured. Raises ConfigError where the address is taken."""
        if self._admin:
            await self._admin.start()
            log.info("admin listens", address=self._admin.address)

    async def run(self) -> None:
        """Measure the loop until cancelled."""
        await self._loop_watch.run()

    async def stop(self) -> None:
        """Listen no more."""
        if self._admin:
            await self._admin.stop()

    def _status(self) -> Mapping[str, object]:
        ready, why = self._ready()
        destination, balance = self._parts.destination, self._parts.store.balance
        return {
            "version": __version__,
            "stage": self.stage,
            "ready": ready,
            "why": why,
            **self._snapshot().as_json(),
            "destination_since_seconds": round(time.monotonic() - destination.since, 1)
            if destination.state != READY
            else None,
            "ledger": {
                **{entry: balance.of(entry) for entry in _LEDGER},
                "held": balance.held,
                "residue": balance.residue,
            },
            "buffer": {
                "held_bytes": self._parts.budget.held,
                "limit_bytes": self._parts.budget.limit,
                "batches": self._parts.spool.statistics().batches,
                "oldest_seconds": round(self._oldest_held(), 1),
            },
            "requests_in_flight": self._parts.senders.in_flight,
            "sources": {
                source.name: {
                    "read": source.progress().read,
                    "total": source.progress().total,
                    **source.details(),
                }
                for source in self._parts.sources
            },
        }

    def _ready(self) -> Verdict:
        since = self._parts.budget.exhausted_since
        waited = time.monotonic() - since if since is not None else 0.0
        full = f"the buffer has been full for {waited:.0f} s" if waited > _NO_ROOM_SECONDS else None
        return readiness(
            starting=self.stage == "starting", draining=self.stage == "draining", no_room=full
        )

    def _live(self) -> Verdict:
        state = self._parts.destination.state
        return liveness(
            loop_lag=self._loop_watch.lag,
            oldest_held=self._oldest_held(),
            idle=time.monotonic()
            - max(self._parts.settler.totals.last_at, self._parts.destination.since),
            reachable=self._parts.destination.is_open and state != WARMING_UP,
            throttled=state == THROTTLED,
        )

    def _oldest_held(self) -> float:
        oldest = self._parts.spool.statistics().oldest_read_at
        return max(0.0, time.time() - oldest) if oldest is not None else 0.0
