"""Inlets of several kinds in virtual time, each asked as fast as the limit allows."""

import heapq
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.concurrency import BEGINNING, Limit

Latency = Callable[[int, float], float]  # of a request: how many are in flight with it, and when


class Sending:
    """A sender with endless work, and an inlet that takes *latency* to answer."""

    def __init__(self, limit: Limit, latency: Latency) -> None:
        self.limit = limit
        self.latency = latency
        self.now = 100.0
        self.answered = 0
        self._in_flight: list[tuple[float, float]] = []  # when it is answered, when it was sent

    def run(self, seconds: float, at_most: int = 10**6) -> list[int]:
        """Go on for so long, with so many in flight *at_most*; what was allowed at each answer."""
        end = self.now + seconds
        allowed = []
        while True:
            while len(self._in_flight) < min(self.limit.allowed, at_most):
                seconds = self.latency(len(self._in_flight) + 1, self.now)
                heapq.heappush(self._in_flight, (self.now + seconds, self.now))
                self.limit.sent(len(self._in_flight), self.now)
            if self._in_flight[0][0] > end:
                self.now = end
                return allowed
            self.now, sent = heapq.heappop(self._in_flight)
            self.limit.answered(sent, self.now)
            self.answered += 1
            allowed.append(self.limit.allowed)


def always(seconds: float) -> Latency:
    return lambda in_flight, now: seconds


def queue(workers: int, seconds: float) -> Latency:
    """So many requests are answered at once; the others stand in a line."""
    free_at = [0.0] * workers

    def latency(in_flight: int, now: float) -> float:
        begun = max(now, heapq.heappop(free_at))
        heapq.heappush(free_at, begun + seconds)
        return begun + seconds - now

    return latency


def noisy(latency: Latency, seed: int = 1) -> Latency:
    dice = random.Random(seed)
    return lambda in_flight, now: latency(in_flight, now) * dice.lognormvariate(0, 0.3)


def test_a_fixed_limit_never_moves() -> None:
    limit = Limit(8, adaptive=False)
    sending = Sending(limit, queue(2, 0.5))
    assert set(sending.run(60)) == {8}
    limit.pushed_back(sending.now, sending.now)
    limit.begin_again()
    assert limit.allowed == 8


@pytest.mark.parametrize("seconds", [0.001, 0.2, 5.0], ids=["fast", "far away", "slow"])
def test_an_inlet_that_bears_any_load_is_given_all_there_may_be_within_a_few_round_trips(
    seconds: float,
) -> None:
    limit = Limit(32)
    assert limit.allowed == BEGINNING
    allowed = Sending(limit, always(seconds)).run(4.5 * seconds)
    assert allowed[-1] == 32
    assert sorted(allowed) == allowed


def test_at_200_ms_it_is_soon_ahead_of_eight_at_a_time() -> None:
    adaptive, fixed = (
        Sending(limit, always(0.2)) for limit in (Limit(32), Limit(8, adaptive=False))
    )
    adaptive.run(1.0)
    fixed.run(1.0)
    assert adaptive.answered >= fixed.answered
    adaptive.run(9.0)
    fixed.run(9.0)
    assert adaptive.answered > 3.5 * fixed.answered


@pytest.mark.parametrize("workers", [1, 3, 8, 20])
def test_where_requests_stand_in_a_line_no_more_are_sent_than_keep_the_inlet_busy(
    workers: int,
) -> None:
    sending = Sending(Limit(256), noisy(queue(workers, 0.2)))
    sending.run(20)
    allowed = sending.run(100)
    assert sum(allowed) / len(allowed) < 3 * workers + 2
    before = sending.answered
    sending.run(100)
    possible = 100 / 0.2 * workers
    assert sending.answered - before > 0.8 * possible


def test_more_is_not_allowed_where_less_is_sent_than_might_be() -> None:
    limit = Limit(32)
    Sending(limit, always(0.2)).run(60, at_most=BEGINNING - 1)
    assert limit.allowed == BEGINNING


def test_an_inlet_that_becomes_slower_for_reasons_of_its_own_keeps_its_requests() -> None:
    limit = Limit(32)
    sending = Sending(limit, lambda in_flight, now: 0.1 if now < 110 else 1.0)
    sending.run(20)
    assert min(sending.run(60)) >= 16, "halved once, to find out"
    assert limit.allowed == 32


def test_an_inlet_that_becomes_faster_again_is_not_measured_by_its_bad_days() -> None:
    limit = Limit(256)

    slow, quick = queue(8, 2.0), queue(8, 0.1)
    sending = Sending(limit, lambda *load: (slow if load[1] < 200 else quick)(*load))
    sending.run(130)
    allowed = sending.run(70)
    assert sum(allowed) / len(allowed) < 26
    assert limit.allowed >= 8


def test_a_storm_of_refusals_counts_once_a_round_and_leaves_one() -> None:
    limit = Limit(32)
    sending = Sending(limit, always(0.2))
    sending.run(5)
    now = sending.now
    for sent in (now - 0.2, now - 0.1, now - 0.05):
        limit.pushed_back(sent, now)
    assert limit.allowed == 16, "those were sent before it was halved"
    for later in range(1, 10):
        limit.pushed_back(now + later, now + later)
    assert limit.allowed == 1


def test_after_a_pause_it_begins_with_a_few_and_doubles_up_to_half_of_what_was_too_much() -> None:
    limit = Limit(64)
    sending = Sending(limit, always(0.2))
    sending.run(5)
    assert limit.allowed == 64
    limit.pushed_back(sending.now, sending.now)
    limit.begin_again()
    assert limit.allowed == BEGINNING
    sending = Sending(limit, always(0.2))
    sending.now += 6
    allowed = sending.run(1.3)
    assert [step for step in (8, 16, 32, 33) if step in allowed] == [8, 16, 32, 33]
    assert 64 not in allowed


def test_after_an_idle_time_it_begins_with_a_few() -> None:
    limit = Limit(64)
    sending = Sending(limit, always(0.2))
    sending.run(5)
    limit.sent(1, sending.now + 20)
    assert limit.allowed == 64
    limit.sent(1, sending.now + 60)
    assert limit.allowed == BEGINNING


def test_answers_to_what_was_sent_before_it_was_halved_tell_nothing() -> None:
    limit = Limit(8)
    limit.pushed_back(10.0, 10.0)
    limit.sent(2, 10.0)
    for _ in range(100):
        limit.answered(9.0, 11.0)
    assert limit.allowed == 2


def test_one_at_a_time_that_is_slow_is_the_inlets_pace() -> None:
    limit = Limit(4)
    sending = Sending(limit, always(0.1))
    sending.run(1)
    for _ in range(3):
        limit.pushed_back(sending.now, sending.now)
    assert limit.allowed == 1
    sending = Sending(limit, always(3.0))
    sending.now += 5
    sending.run(60)
    assert limit.allowed == 4


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "answer", "push back", "begin again"]),
        st.floats(0.0, 40.0),
        st.integers(0, 50),
    ),
    max_size=200,
)


@given(STEPS, st.integers(1, 40), st.booleans())
def test_whatever_happens_it_is_at_least_one_and_at_most_the_ceiling(
    steps: list[tuple[str, float, int]], ceiling: int, adaptive: bool
) -> None:
    limit = Limit(ceiling, adaptive=adaptive)
    now, in_flight = 0.0, []
    for step, seconds, which in steps:
        now += seconds
        before = limit.allowed
        if step == "send":
            in_flight.append(now)
            limit.sent(len(in_flight), now)
        elif step == "answer" and in_flight:
            limit.answered(in_flight.pop(which % len(in_flight)), now)
        elif step == "push back" and in_flight:
            limit.pushed_back(in_flight.pop(which % len(in_flight)), now)
            assert limit.allowed <= before
        elif step == "begin again":
            limit.begin_again()
            assert limit.allowed <= before
        assert 1 <= limit.allowed <= ceiling
