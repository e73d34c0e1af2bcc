"""What does systemd know of the agent? When it takes input, how it stands, and that it is alive.

It is loaded only where systemd asks for it. That all is well is said by the loop itself, and only
while /livez would say so, too: an agent that hangs, or whose work lies still, is started anew.
"""

import asyncio
import faulthandler
import time
from collections.abc import Callable

from agent.admin.health import Verdict
from agent.app.summary import Snapshot
from agent.telemetry.logs import get_logger
from agent.telemetry.notify import ServiceManager

_INTERVAL = 5.0  # seconds from one line of status to the next, at most
_SIGNS_IN_TIME = 3  # signs of life within the time of the watchdog
_CLOSING = 30.0  # seconds that stopping may take beyond the last sign of life

log = get_logger("service")


class Service:
    """Tells the service manager of one run."""

    def __init__(
        self,
        manager: ServiceManager,
        snapshot: Callable[[], Snapshot],
        ready: Callable[[], Verdict],
        live: Callable[[], Verdict],
    ) -> None:
        """*ready* and *live*: whether all is well and a line on why, as of /readyz and /livez."""
        self._manager = manager
        self._snapshot = snapshot
        self._ready = ready
        self._live = live
        self._stopping = False
        self._but = ""  # what is not as it should be, though input is taken
        self._looked_at, self._accepted = time.monotonic(), 0
        self._interval = _INTERVAL
        if manager.watchdog:
            self._interval = min(_INTERVAL, manager.watchdog / _SIGNS_IN_TIME)
            faulthandler.enable()  # the watchdog's SIGABRT writes down where every thread stands

    def running(self, but: str = "") -> None:
        """Input is taken: what waits for the agent may start. Ends a reload, too.

        *but* is what somebody should see to; it is told until the next reload.
        """
        self._but = but
        self._manager.tell(READY=1, STATUS=but or "takes input")

    def reloading(self) -> None:
        """The configuration is read again; until `running` the service counts as reloading."""
        now = int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)
        self._manager.tell(RELOADING=1, MONOTONIC_USEC=now, STATUS="reads its configuration again")

    def stopping(self) -> None:
        """No more input is taken; what is held is being answered for."""
        self._stopping = True
        self._manager.tell(STOPPING=1, **self._more_time(), STATUS=self._status())

    async def run(self) -> None:
        """Give signs of life until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            alive, why = self._live()
            if alive:
                self._manager.tell(WATCHDOG=1, **self._more_time(), STATUS=self._status())
            else:
                log.error("no sign of life is given to systemd", reason=why, once_per="reason")
                self._manager.tell(STATUS=f"not alive: {why}")

    def _more_time(self) -> dict[str, int]:
        """While it stops it is given time for as long as it is alive, whatever its grace is."""
        return {"EXTEND_TIMEOUT_USEC": int(_CLOSING * 1e6)} if self._stopping else {}

    def _status(self) -> str:
        seen, now = self._snapshot(), time.monotonic()
        rate = (seen.accepted - self._accepted) / max(now - self._looked_at, 0.001)
        self._looked_at, self._accepted = now, seen.accepted
        words = f"{self._but}; {self._ready()[1]}" if self._but else self._ready()[1]
        return (
            f"{words}; {rate:,.0f} accepted/s, {seen.held:,} held,"
            f" {seen.dead_letters:,} dead letters; destination {seen.state}"
        )
