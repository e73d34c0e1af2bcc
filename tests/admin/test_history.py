import math
from itertools import pairwise

import pytest

from agent.admin.history import COUNTED, History, Sample, quantile, until_full

BOUNDS = (0.1, 1.0, math.inf)


def sample(at: float, accepted: int, *, held: int = 0, lags: tuple[int, ...] = (0, 0, 0)) -> Sample:
    """A flow that was read and accepted so much by then."""
    counted = [accepted if name in ("read", "accepted") else 0 for name in COUNTED]
    return Sample(at, counted, (held, 10 * held, 0), lags, 0.05 * lags[0] + 0.5 * lags[1])


def history(*samples: Sample, seconds: int = 300) -> History:
    made = History(BOUNDS, seconds)
    for each in samples:
        made.add(each)
    return made


def test_rates_are_of_the_last_seconds_and_of_the_last_minute() -> None:
    steady = [sample(at, 100 * at) for at in range(100)]
    burst = [sample(at, 9900 + 1000 * (at - 99)) for at in range(100, 110)]

    rates = history(*steady, *burst).rates()

    assert rates["10s"]["accepted"] == 1000
    assert rates["60s"]["accepted"] == pytest.approx((50 * 100 + 10 * 1000) / 60)
    assert rates["60s"]["dropped"] == 0


@pytest.mark.parametrize("samples", [[], [sample(5, 700)]])
def test_nothing_is_made_up_before_there_is_anything_to_compare(samples: list[Sample]) -> None:
    found = history(*samples)

    assert found.rates()["60s"]["accepted"] == 0
    assert found.receive_lag()["10s"] == {"mean": None, "p50": None, "p99": None}
    assert found.growth("held") == 0
    assert list(found.columns(300)["accepted"]) == []  # type: ignore[call-overload]


def test_it_never_holds_more_than_its_seconds() -> None:
    found = history(*(sample(at, at) for at in range(1000)), seconds=30)

    assert list(found.columns(9999)["ago"]) == list(range(29, -1, -1))  # type: ignore[call-overload]
    assert len(found.columns(10)["ago"]) == 10  # type: ignore[arg-type]


def test_each_second_has_its_rate_its_level_and_its_lag() -> None:
    found = history(
        sample(0, 0), sample(1, 50, held=3, lags=(50, 0, 0)), sample(2, 50, held=7, lags=(50, 0, 0))
    ).columns(300)

    assert list(found["accepted"]) == [50, 0]  # type: ignore[call-overload]
    assert list(found["held"]) == [3, 7]  # type: ignore[call-overload]
    first, second = found["lag_mean"]  # type: ignore[misc]
    assert first == 0.05
    assert math.isnan(second)


def test_a_counter_that_began_anew_is_no_negative_rate() -> None:
    assert history(sample(0, 900), sample(1, 10)).rates()["10s"]["accepted"] == 0


def test_lag_is_of_the_records_of_the_window_alone() -> None:
    slow = sample(0, 100, lags=(0, 100, 0))
    quick = sample(30, 300, lags=(200, 100, 0))

    lag = history(slow, sample(19.9, 100, lags=(0, 100, 0)), quick).receive_lag()

    assert lag["10s"] == {"mean": 0.05, "p50": 0.05, "p99": 0.099}
    assert lag["60s"]["mean"] == 0.05


def test_growth_is_told_by_the_second() -> None:
    found = history(*(sample(at, at, held=5 * at) for at in range(31)))

    assert found.growth("held") == 5
    assert found.growth("spooled_bytes") == 0


def test_flows_add_up() -> None:
    both = Sample.of_all([sample(1, 10, held=2, lags=(1, 2, 3)), sample(1, 5, lags=(1, 0, 0))])

    assert both.counted[COUNTED.index("accepted")] == 15
    assert list(both.levels) == [2, 20, 0]
    assert list(both.lags) == [2, 2, 3]


def test_quantiles_are_as_prometheus_tells_them() -> None:
    assert quantile(BOUNDS, (10, 0, 0), 0.5) == 0.05
    assert quantile(BOUNDS, (5, 5, 0), 0.99) == pytest.approx(0.982)
    assert quantile(BOUNDS, (0, 0, 10), 0.5) == 1.0
    for one, other in pairwise(quantile(BOUNDS, (3, 9, 2), q / 10) for q in range(1, 10)):
        assert one <= other


def test_time_to_full_is_told_where_it_fills() -> None:
    assert until_full(500, 1000, 10) == 50
    assert until_full(1200, 1000, 10) == 0
    assert until_full(500, 1000, 0) is None
    assert until_full(500, 1000, -1) is None
    assert until_full(500, 0, 10) is None
