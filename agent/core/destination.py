"""Whether the destination may be asked now, or who may ask it next.

One failure is the batch's own bad luck. When failures follow each other with no success between,
the destination is away: it is asked by one probe at a time, ever more rarely, until it answers.
Where it says itself how long to wait, that is a floor for everybody. An answer to a request that
was sent before the last change tells nothing new.
"""

from dataclasses import dataclass

from agent.core.retrying import backoff
from agent.core.statuses import Advice

READY, DOWN, THROTTLED, AUTH_BLOCKED = "ready", "down", "throttled", "auth_blocked"

_STATE_OF = {Advice.THROTTLED: THROTTLED, Advice.UNAUTHORIZED: AUTH_BLOCKED}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds: the first wait at most, and the longest."""

    initial: float
    ceiling: float


class Destination:
    """The inlet's state as its answers show it. All times are of one monotonic clock."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self.state = READY
        self.since = 0.0  # when it came into this state
        self.failures = 0  # in a row, counting requests sent at the same time as one
        self._closed_until = 0.0
        self._changed = 0.0
        self._probe_sent: float | None = None

    def may_send(self, now: float) -> float:
        """Seconds to wait before sending; 0 is leave to send, and must be used or given back."""
        if self.state == READY:
            return 0.0
        if self._probe_sent is not None:
            return self._policy.ceiling  # woken by the probe's answer
        if now < self._closed_until:
            return self._closed_until - now
        self._probe_sent = now
        return 0.0

    def another_token(self, now: float) -> None:
        """Credentials that were refused have been replaced: whoever is next may ask at once."""
        if self.state == AUTH_BLOCKED:
            self._closed_until = min(self._closed_until, now)

    def gave_up(self) -> None:
        """A request that had leave was not answered because we stopped it."""
        self._probe_sent = None

    def succeeded(self, sent: float, now: float) -> bool:
        """Any usable answer; says whether this changed the state."""
        self._answered(sent)
        if sent < self._changed and now < self._closed_until:
            return False  # an answer to before it asked for a pause
        changed = self.state != READY
        self.failures = 0
        if changed:
            self.state, self.since, self._changed = READY, now, now
        return changed

    def failed(
        self, advice: Advice, sent: float, now: float, *, dice: float, retry_after: float | None
    ) -> bool:
        """A request that was refused or not answered; says whether this changed the state."""
        self._answered(sent)
        before = self.state
        if sent >= self._changed:
            self.failures += 1
            self._changed = now
            wait = backoff(
                self.failures,
                dice=dice,
                initial=self._policy.initial,
                ceiling=self._policy.ceiling,
            )
            if self.failures > 1 or advice is not Advice.RETRY:
                self._close(_STATE_OF.get(advice, DOWN), now + wait, now)
        if retry_after is not None:
            self._close(_STATE_OF.get(advice, DOWN), now + retry_after, now)
        return self.state != before

    def _answered(self, sent: float) -> None:
        if self._probe_sent is not None and sent >= self._probe_sent:
            self._probe_sent = None

    def _close(self, state: str, until: float, now: float) -> None:
        if state != self.state:
            self.state, self.since = state, now
        self._closed_until = max(self._closed_until, until)
        self._changed = now
