"""What is one call of the control plane, and when is it made again?

A call is made again after 429, 5xx, a broken connection or a timeout, so often and no oftener, if
that cannot do something twice: because it only reads, because doing it twice is doing it once, or
because the platform certainly has not begun it. A POST that got no answer is not repeated; its
error says that it may have been carried out.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from agent.aep.bearers import Bearer
from agent.aep.transport import Phases
from agent.core import retrying
from agent.errors import PlatformError
from agent.telemetry.logs import get_logger

_ASKED_WAIT_MAX = 60.0  # seconds: who asks for a longer wait is given up

log = get_logger("platform")


@dataclass(frozen=True, slots=True)
class CallLimits(Phases):
    """Besides what bounds one request: how often it is made, and the seconds between."""

    attempts: int = 4
    pause: float = 0.5  # doubles, with jitter
    pause_max: float = 8.0

    section: ClassVar[str] = "platform.timeouts"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what is asked of which service."""

    service: str  # as people know it
    method: str
    path: str  # below the platform's URL, its parts quoted
    query: Sequence[tuple[str, str]] = ()
    body: object = None  # sent as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False  # a POST or PUT that may well be carried out twice
    sandboxed: bool = True  # whether it is about what is in a sandbox

    @property
    def shown(self) -> str:
        """What to call it in an error."""
        return f"{self.method} {self.path}"

    @property
    def may_repeat(self) -> bool:
        """Whether doing it twice is doing it once."""
        return self.repeatable or self.method in ("GET", "DELETE") or "If-Match" in self.headers


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: Any  # what the JSON says; None where there is no body


@dataclass(eq=False)
class Failure(Exception):
    """One attempt came to nothing."""

    error: PlatformError
    passing: bool
    undone: bool
    retry_after: float | None = None


@dataclass(slots=True)
class Tried:
    """What was tried of one call so far, and whether it is tried again."""

    call: Call
    limits: CallLimits
    bearer: Bearer
    attempts: int = 0
    in_doubt: bool = False  # whether an earlier attempt may have been carried out
    renewed: bool = False

    def wait_after(self, failure: Failure, token: str) -> float:
        """Seconds until the call is made again. Raises its error where it is not."""
        error = failure.error
        if error.status == 401 and not self.renewed and self.bearer.refused(token):
            self.renewed = True
            return 0.0
        self.attempts += 1
        self.in_doubt = self.in_doubt or not failure.undone
        wait = self._wait(failure)
        if wait is None:
            changes = self.call.method != "GET" and not self.call.repeatable
            error.maybe_done = self.in_doubt and changes
            raise error from None
        log.info("the platform did not answer usably, asking again", reason=str(error))
        return wait

    def _wait(self, failure: Failure) -> float | None:
        limits, asked = self.limits, failure.retry_after or 0.0
        if self.attempts >= limits.attempts or asked > _ASKED_WAIT_MAX or not failure.passing:
            return None
        if not (failure.undone or self.call.may_repeat):
            return None
        initial, ceiling = limits.pause, limits.pause_max
        wait = retrying.backoff(
            self.attempts, dice=random.random(), initial=initial, ceiling=ceiling
        )
        return max(wait, asked)
