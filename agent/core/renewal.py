"""When is the next token asked for?

Early in the last fifth of a token's life, by chance, so that a fleet does not ask at once. After a
failure ever more rarely. And when the inlet refuses a token that should still be good: at once, but
where new tokens are refused as well, ever more rarely too.
"""

from agent.core.retrying import backoff

_EARLIEST, _SPREAD = 0.8, 0.1  # shares of a token's life


class Renewal:
    """The times of one token. All times are of one clock that never steps back."""

    def __init__(
        self, *, before: float, refresh_interval: float, initial: float, ceiling: float
    ) -> None:
        """Seconds: the least life left at a renewal, between two tokens that are refused, the first
        wait after a failure at most, and the longest.
        """
        self._before = before
        self._interval = refresh_interval
        self._initial = initial
        self._ceiling = ceiling
        self._failures = 0
        self._useless = 0  # tokens in a row that were refused as soon as they came
        self._refused = False  # the present token
        self._due = 0.0
        self._asked = float("-inf")
        self._issued = float("-inf")
        self._ends = float("-inf")

    @property
    def failures(self) -> int:
        """Requests in a row that brought no token."""
        return self._failures

    def is_due(self, now: float) -> bool:
        """Whether a token is to be asked for."""
        return now >= self._due

    def wait(self, now: float) -> float:
        """Seconds until one is."""
        return max(0.0, self._due - now)

    def left(self, now: float) -> float:
        """Seconds that the token lives yet; 0 where there is none."""
        return max(0.0, self._ends - now)

    def issued(self, asked: float, life: float, *, dice: float) -> None:
        """A token came, which was asked for then and lives so long; *dice* is 0 <= dice < 1."""
        self._asked = self._issued = asked
        self._ends = asked + life
        self._failures = 0
        self._refused = False
        early = min(life * (_EARLIEST + _SPREAD * dice), life - self._before)
        self._due = asked + max(life / 2, early)

    def failed(self, asked: float, now: float, *, dice: float, retry_after: float | None) -> None:
        """No token came; *retry_after* is how long we were asked to wait, in seconds."""
        self._asked = asked
        self._failures += 1
        wait = backoff(self._failures, dice=dice, initial=self._initial, ceiling=self._ceiling)
        self._due = now + max(wait, retry_after or 0.0)

    def refused(self, now: float) -> None:
        """The inlet refused the present token: another is due, now or after an interval."""
        if self._refused or self._failures:
            return  # another is being asked for already
        self._refused = True
        wait = min(self._ceiling, self._interval * 2.0 ** min(self._useless, 40))
        if now - self._issued > 2 * max(wait, self._interval):
            self._useless = 0  # it has been good for a while
        self._useless += 1
        self._due = min(self._due, max(now, self._issued + max(wait, self._interval)))

    def secret_changed(self) -> None:
        """What was refused may be taken now: ask again, within the interval."""
        self._due = min(self._due, self._asked + self._interval)
