"""When may the next request go, so that we stay within what was bought?

Throttling is what they ask for; pacing is what we limit ourselves to: an organisation's capacity is
counted in records per second, and going beyond it costs everybody in it. [Adobe: guardrails, 1,500
records/s unless more is bought]
"""

from collections.abc import Sequence

_NO_TIME = 1e-6  # seconds: less is an error of rounding


class Bucket:
    """A token bucket: *rate* a second on average, and one second's worth at once.

    Invariant: over any time T, what is taken is at most rate x (T + 1) and one amount more, since
    an amount that is larger than the bucket goes when the bucket is full, and leaves a debt.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._level = rate  # negative: a debt
        self._at: float | None = None  # when the level was true, on the caller's clock

    def wait(self, amount: float, now: float) -> float:
        """Seconds until *amount* may be taken; 0 where it may be at once."""
        level = self._level
        if self._at is not None:
            level = min(self.rate, level + (now - self._at) * self.rate)
        self._level, self._at = level, now
        seconds = (min(amount, self.rate) - level) / self.rate
        return seconds if seconds > _NO_TIME else 0.0

    def take(self, amount: float) -> None:
        """Take *amount*, which `wait` has just allowed."""
        self._level -= amount


class Pacing:
    """Several limits at once: a request goes when all of them allow it, and then counts in each."""

    def __init__(
        self,
        *,
        records_per_second: float | None,
        requests_per_second: float | None,
        bytes_per_second: float | None,
    ) -> None:
        self._rates = (records_per_second, requests_per_second, bytes_per_second)
        self._buckets = [Bucket(rate) if rate else None for rate in self._rates]
        self.is_free = not any(self._buckets)  # whether it never asks anybody to wait

    def may_send(self, records: int, size: int, now: float) -> float:
        """Seconds to wait before a request of that size; 0 is leave to send it, and counts."""
        amounts: Sequence[float] = (records, 1, size)
        limits = [
            (bucket, amount)
            for bucket, amount in zip(self._buckets, amounts, strict=True)
            if bucket
        ]
        wait = max((bucket.wait(amount, now) for bucket, amount in limits), default=0.0)
        if not wait:
            for bucket, amount in limits:
                bucket.take(amount)
        return wait
