"""Do the traps let this request to an inlet pass at all?"""

import time
from collections import Counter, deque
from collections.abc import Callable

from agent.emulator import answers
from agent.emulator.answers import Answer, Inlet
from agent.emulator.traps import Traps

_MINUTE = 60.0


class Admission:
    """Counts requests, and answers those that a trap keeps out. `now` is in seconds."""

    def __init__(
        self, traps: Callable[[], Traps], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._traps = traps
        self._now = now
        self._second = 0
        self._requests = 0
        self._validations: dict[str, deque[float]] = {}  # of the last minute, by inlet
        self.kept_out: Counter[str] = Counter()

    def objection(self, inlet: Inlet, address: str | None, *, validate: bool) -> Answer | None:
        """The answer to a request that may not pass; None where it may."""
        traps = self._traps()
        if not traps.admits(address):
            self.kept_out["network"] += 1
            return Answer(403, b"")
        if traps.requests_per_second and self._is_too_fast(traps.requests_per_second):
            self.kept_out["rate"] += 1
            return _too_many("Too many requests", traps.retry_after)
        if validate and not traps.sync_validation_here:
            return answers.problem(
                501, inlet.says("syncValidation is not supported in this location"), "Unsupported"
            )
        if validate and self._validates_too_often(inlet.id, traps.sync_validations):
            self.kept_out["sync_validations"] += 1
            return _too_many("Too many requests with syncValidation", traps.retry_after)
        return None

    def _is_too_fast(self, most: int) -> bool:
        second = int(self._now())
        if second != self._second:
            self._second, self._requests = second, 0
        self._requests += 1
        return self._requests > most

    def _validates_too_often(self, inlet_id: str, most: int) -> bool:
        now = self._now()
        times = self._validations.setdefault(inlet_id, deque())
        while times and times[0] <= now - _MINUTE:
            times.popleft()
        if len(times) >= most:
            return True
        times.append(now)
        return False


def _too_many(message: str, retry_after: float | None) -> Answer:
    answer = answers.problem(429, message, "Too Many Requests")
    if retry_after is not None:
        answer.headers["Retry-After"] = f"{retry_after:g}"
    return answer
