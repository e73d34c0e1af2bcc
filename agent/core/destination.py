"""Whether the destination may be asked now, or who may ask it next.

One failure is the batch's own bad luck. When failures follow each other with no success between,
the destination is away: it is asked by one probe at a time, ever more rarely, until it answers.
Where it says itself how long to wait, that is a floor for everybody. An answer to a request that
was sent before the last change tells nothing new.

It can be in several states at once. The one shown is the first of `STATES` that holds: what a
person has to see to comes before what passes by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.core.retrying import backoff
from agent.core.statuses import Advice

AUTH_BLOCKED = "auth_blocked"  # it refuses our credentials
SCHEMA_CHANGED = "schema_changed"  # it answers, and refuses most records
DISK_FULL = "disk_full"  # the store takes nothing, so that verdicts cannot be kept
DOWN = "down"  # it does not answer usably
THROTTLED = "throttled"  # it asks for fewer requests
WARMING_UP = "warming_up"  # its flow is so new that it would lose records
DRAINING = "draining"  # the agent is stopping
READY = "ready"

STATES = (
    AUTH_BLOCKED,
    SCHEMA_CHANGED,
    DISK_FULL,
    DOWN,
    THROTTLED,
    WARMING_UP,
    DRAINING,
    READY,
)

_STATE_OF = {Advice.THROTTLED: THROTTLED, Advice.UNAUTHORIZED: AUTH_BLOCKED}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds: the first wait at most, and the longest."""

    initial: float
    ceiling: float


class Destination:
    """The inlet's state as its answers show it. All times are of one monotonic clock."""

    def __init__(self, policy: RetryPolicy, *, warm_at: float | None = None) -> None:
        """Nothing is sent before *warm_at*."""
        self.policy = policy
        self._answers = READY  # what they show: READY, or why only probes may be sent
        self._marks = set() if warm_at is None else {WARMING_UP}  # what holds besides
        self._warm_at = warm_at or 0.0
        self.state = READY
        self.since = 0.0  # when it came into this state
        self.failures = 0  # in a row, counting requests sent at the same time as one
        self._closed_until = 0.0
        self._changed = 0.0
        self._probe_sent: float | None = None
        self.states: tuple[str, ...] = ()  # every state it is in, the one that is shown first
        self._show(0.0)

    @property
    def is_open(self) -> bool:
        """Whether any number of requests may be sent, as far as its answers go."""
        return self._answers == READY

    @property
    def closed_until(self) -> float:
        """When it may be asked next, as far as is known; long ago where it is open."""
        return self._warm_at if WARMING_UP in self._marks else self._closed_until

    @property
    def asked_to_wait(self) -> bool:
        """Whether a request before its time would be worse than none."""
        return self._answers == THROTTLED or WARMING_UP in self._marks

    def may_send(self, now: float) -> float:
        """Seconds to wait before sending; 0 is leave to send, and must be used or given back."""
        if WARMING_UP in self._marks:
            if now < self._warm_at:
                return self._warm_at - now
            self.mark(WARMING_UP, False, now)
        if self._answers == READY:
            return 0.0
        if self._probe_sent is not None:
            return self.policy.ceiling  # woken by the probe's answer
        if now < self._closed_until:
            return self._closed_until - now
        self._probe_sent = now
        return 0.0

    def another_token(self, now: float) -> None:
        """Credentials that were refused have been replaced: whoever is next may ask at once."""
        if self._answers == AUTH_BLOCKED:
            self._closed_until = min(self._closed_until, now)

    def gave_up(self) -> None:
        """A request that had leave was not answered because we stopped it."""
        self._probe_sent = None

    def succeeded(self, sent: float, now: float) -> None:
        """Any usable answer."""
        self._answered(sent)
        if sent < self._changed and now < self._closed_until:
            return  # an answer to before it asked for a pause
        self.failures = 0
        if self._answers != READY:
            self._answers, self._changed = READY, now
            self._show(now)

    def failed(
        self, advice: Advice, sent: float, now: float, *, dice: float, retry_after: float | None
    ) -> None:
        """A request that was refused or not answered."""
        self._answered(sent)
        if sent >= self._changed:
            wait = self._count_failure(now, dice)
            if self.failures > 1 or advice is not Advice.RETRY:
                self._close(_STATE_OF.get(advice, DOWN), now + wait, now)
        if retry_after is not None:
            self._close(_STATE_OF.get(advice, DOWN), now + retry_after, now)

    def refused(self, sent: float, now: float, *, dice: float) -> None:
        """An answer that shows most records to be refused: a probe at a time is enough."""
        self._answered(sent)
        if self._answers != SCHEMA_CHANGED:
            self.failures = 0
        if sent >= self._changed or self._answers == READY:
            wait = self._count_failure(now, dice)
            self._close(SCHEMA_CHANGED, now + wait, now)

    def mark(self, state: str, holds: bool, now: float) -> None:
        """Say whether DISK_FULL or DRAINING holds from now on."""
        (self._marks.add if holds else self._marks.discard)(state)
        self._show(now)

    def _answered(self, sent: float) -> None:
        if self._probe_sent is not None and sent >= self._probe_sent:
            self._probe_sent = None

    def _count_failure(self, now: float, dice: float) -> float:
        self.failures += 1
        self._changed = now
        policy = self.policy
        return backoff(self.failures, dice=dice, initial=policy.initial, ceiling=policy.ceiling)

    def _close(self, answers: str, until: float, now: float) -> None:
        self._answers = answers
        self._closed_until = max(self._closed_until, until)
        self._changed = now
        self._show(now)

    def _holding(self) -> Iterator[str]:
        for state in STATES[:-1]:
            if state in self._marks or state == self._answers:
                yield state
        if not self._marks and self._answers == READY:
            yield READY

    def _show(self, now: float) -> None:
        self.states = tuple(self._holding())
        state = self.states[0]
        if state != self.state:
            self.state, self.since = state, now
