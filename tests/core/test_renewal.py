"""When tokens are asked for, on a clock that the test turns."""

import random

import pytest

from agent.core.renewal import Renewal

DAY = 86_400.0


def renewal(**settings: float) -> Renewal:
    chosen = {"before": 300.0, "refresh_interval": 10.0, "initial": 0.5, "ceiling": 60.0}
    return Renewal(**(chosen | settings))


def test_the_first_token_is_due_at_once_and_has_no_life_yet() -> None:
    times = renewal()
    assert times.is_due(0.0)
    assert times.left(0.0) == 0.0


@pytest.mark.parametrize(
    ("life", "dice", "after"),
    [
        (DAY, 0.0, 0.8 * DAY),
        (DAY, 0.999, 0.8999 * DAY),
        (1800.0, 0.9, 1500.0),  # five minutes before the end
        (700.0, 0.0, 400.0),
        (400.0, 0.5, 200.0),  # never in the first half
        (1.0, 0.5, 0.5),
    ],
)
def test_a_token_is_renewed_early_by_chance_and_well_before_its_end(
    life: float, dice: float, after: float
) -> None:
    times = renewal()
    times.issued(1000.0, life, dice=dice)
    assert times.wait(1000.0) == pytest.approx(after)
    assert not times.is_due(1000.0 + after - 0.01)
    assert times.is_due(1000.0 + after + 0.01)
    assert times.left(1000.0) == life
    assert times.left(1000.0 + 2 * life) == 0.0


def test_failures_are_followed_by_ever_longer_waits_up_to_the_ceiling() -> None:
    times, now, waits = renewal(), 0.0, []
    for _ in range(12):
        times.failed(now, now, dice=1.0, retry_after=None)
        waits.append(times.wait(now))
        now += times.wait(now)
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == 60.0
    assert times.failures == 12
    times.issued(now, DAY, dice=0.0)
    assert times.failures == 0


def test_retry_after_is_a_floor() -> None:
    times = renewal()
    times.failed(0.0, 1.0, dice=0.0, retry_after=120.0)
    assert times.wait(1.0) == 120.0


def test_an_hour_of_failures_costs_few_requests() -> None:
    times, now, asked, dice = renewal(), 0.0, 0, random.Random(4711)
    while now < 3600.0:
        if times.is_due(now):
            asked += 1
            times.failed(now, now, dice=dice.random(), retry_after=None)
        now += 0.1
    assert 60 < asked < 200


def test_a_token_that_was_good_for_a_while_is_replaced_as_soon_as_it_is_refused() -> None:
    times = renewal()
    times.issued(0.0, DAY, dice=0.0)
    times.refused(1000.0)
    assert times.is_due(1000.0)


def test_a_fresh_token_that_is_refused_is_replaced_after_an_interval_and_then_ever_later() -> None:
    times, now, gaps = renewal(), 0.0, []
    for _ in range(6):
        times.issued(now, DAY, dice=0.0)
        for _ in range(32):
            times.refused(now + 0.1)
        gaps.append(round(times.wait(now), 3))
        now += times.wait(now)
    assert gaps == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_after_a_token_that_was_good_for_a_while_the_interval_is_the_first_one_again() -> None:
    times = renewal()
    for now in (0.0, 10.0, 30.0):
        times.issued(now, DAY, dice=0.0)
        times.refused(now + 0.1)
    times.issued(70.0, DAY, dice=0.0)
    times.refused(5000.0)
    assert times.is_due(5000.0)
    times.issued(5000.0, DAY, dice=0.0)
    times.refused(5000.1)
    assert times.wait(5000.0) == pytest.approx(20.0)


def test_a_refusal_while_a_token_is_asked_for_in_vain_changes_nothing() -> None:
    times = renewal()
    times.issued(0.0, DAY, dice=0.0)
    times.failed(70_000.0, 70_000.0, dice=1.0, retry_after=40.0)
    times.refused(70_001.0)
    assert times.wait(70_000.0) == 40.0


def test_an_interval_above_the_ceiling_is_kept() -> None:
    times = renewal(refresh_interval=100.0)
    times.issued(0.0, DAY, dice=0.0)
    times.refused(0.1)
    assert times.wait(0.0) == 100.0


def test_a_changed_secret_is_tried_within_the_interval_not_after_the_back_off() -> None:
    times = renewal()
    times.failed(0.0, 0.0, dice=1.0, retry_after=50.0)
    times.secret_changed()
    assert times.wait(0.0) == 10.0
    times.failed(0.0, 0.0, dice=0.0, retry_after=3.0)
    times.secret_changed()
    assert times.wait(0.0) == 3.0
