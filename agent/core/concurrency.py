"""How many requests may be in flight? As many as the inlet answers without making them wait.

Additive increase, multiplicative decrease, judged a round at a time; a round is the answers to half
of the requests that were allowed, all sent since that last changed. While rounds take no longer
than the quickest one, more are allowed: twice as many until the first sign of trouble, one more a
round from then on. When a round takes much longer, its requests stood in a line, and half as many
are allowed. If that does not help, it was not our doing: the inlet is slower now, and what was
allowed before is allowed again.

Where less was in flight than allowed, a round shows nothing, and changes nothing. [Jacobson:
congestion avoidance and control; Netflix: concurrency-limits]
"""

BEGINNING = 4  # requests in flight at the start, after a pause and after an idle time

_QUEUING = 1.6  # times the quickest round: then requests stand in a line
_NOISE = 0.02  # seconds that are not worth a thought
_FADING = 1.01  # the quickest round counts for a per cent less with every later one
_IDLE = 30.0  # seconds without a request after which what was learnt is not relied upon


class Limit:
    """The number of requests that may be in flight. All times are of one monotonic clock."""

    def __init__(self, ceiling: int, *, adaptive: bool = True) -> None:
        """Never more than *ceiling*; exactly that where it is not *adaptive*."""
        self.ceiling = ceiling
        self.allowed = min(BEGINNING, ceiling) if adaptive else ceiling
        self._adaptive = adaptive
        self._threshold = ceiling  # up to here it is doubled, beyond it only one is added
        self._quickest = 0.0  # median seconds of the quickest round; 0 before the first
        self._round: list[float] = []  # seconds that each answer took
        self._used = False  # as many were in flight as allowed, at some time in this round
        self._changed_at = float("-inf")
        self._last_sent = float("-inf")
        self._before: tuple[int, int, float] | None = None  # allowed, threshold, median

    def sent(self, in_flight: int, now: float) -> None:
        """A request was sent; with it *in_flight* are."""
        if now - self._last_sent > _IDLE:
            self.begin_again()
        self._last_sent = now
        self._used = self._used or in_flight >= self.allowed

    def answered(self, sent: float, now: float) -> None:
        """A request sent at *sent* got a usable answer while nobody had asked for a pause."""
        if not self._adaptive or sent < self._changed_at:
            return  # it was among as many as were allowed before
        self._round.append(now - sent)
        if len(self._round) > self.allowed // 2:
            median = sorted(self._round)[len(self._round) // 2]
            used, self._used = self._used, False
            self._round.clear()
            if used:
                self._judge(median, now)

    def pushed_back(self, sent: float, now: float) -> None:
        """A request sent at *sent* was turned away, or not answered at all."""
        if self._adaptive and sent >= self._changed_at:
            self._before = None
            self._threshold = max(1, self.allowed // 2)
            self._allow(self._threshold, now)

    def begin_again(self) -> None:
        """After a pause: a few requests at first, doubling up to what was allowed before."""
        if self._adaptive:
            self._threshold = max(self._threshold, self.allowed)
            self.allowed = min(self.allowed, BEGINNING)
            self._before = None

    def _judge(self, median: float, now: float) -> None:
        """Decide, after a round that used what was allowed and took *median* seconds."""
        self._quickest = min(median, (self._quickest or median) * _FADING)
        before, self._before = self._before, None
        if before and median > 0.75 * before[2]:  # half as many should have taken half as long
            self._quickest = median
            self._threshold = before[1]
            self._allow(before[0], now)
        elif median <= _QUEUING * self._quickest + _NOISE:
            doubled = min(2 * self.allowed, self._threshold)
            self._allow(min(self.ceiling, max(self.allowed + 1, doubled)), now)
        elif self.allowed > 1:
            self._before = self.allowed, self._threshold, median
            self._threshold = self.allowed // 2
            self._allow(self._threshold, now)
        else:
            self._quickest = median

    def _allow(self, requests: int, now: float) -> None:
        if requests != self.allowed:
            self.allowed = requests
            self._changed_at = now
            self._round.clear()
            self._used = False
