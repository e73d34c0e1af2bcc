from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.pacing import Bucket, Pacing


def paced(**rates: float) -> Pacing:
    limits = {"records_per_second": None, "requests_per_second": None, "bytes_per_second": None}
    return Pacing(**{**limits, **rates})


def sent(pacing: Pacing, requests: Sequence[tuple[int, int]], start: float = 50.0) -> list[float]:
    """When each request goes, if all of them are waiting from *start* on."""
    now, times = start, []
    for records, size in requests:
        for _ in range(3):  # a wait may have to be topped up for the last bit of a float
            wait = pacing.may_send(records, size, now)
            if not wait:
                break
            now += wait
        else:
            pytest.fail("the wait that was asked for was not enough")
        times.append(now - start)
    return times


def test_without_limits_everything_goes_at_once() -> None:
    assert sent(paced(), [(1000, 10**6)] * 50) == [0.0] * 50
    assert paced().is_free
    assert not paced(bytes_per_second=1).is_free


@pytest.mark.parametrize(
    ("rates", "request_", "expected"),
    [
        ({"requests_per_second": 2}, (100, 10), [0, 0, 0.5, 1.0, 1.5]),
        ({"records_per_second": 100}, (50, 10), [0, 0, 0.5, 1.0, 1.5]),
        ({"bytes_per_second": 1000}, (1, 500), [0, 0, 0.5, 1.0, 1.5]),
        ({"records_per_second": 100}, (300, 10), [0, 3.0, 6.0, 9.0, 12.0]),
        ({"records_per_second": 100, "requests_per_second": 1}, (50, 1), [0, 1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_requests_that_wait_go_at_the_pace_of_the_narrowest_limit(
    rates: dict[str, float], request_: tuple[int, int], expected: list[float]
) -> None:
    assert sent(paced(**rates), [request_] * 5) == pytest.approx(expected)


def test_a_pause_saves_up_for_one_second_and_not_for_more() -> None:
    pacing = paced(requests_per_second=10)
    assert sent(pacing, [(1, 1)] * 10, start=0.0) == [0.0] * 10
    times = sent(pacing, [(1, 1)] * 12, start=3600.0)
    assert times == pytest.approx([0.0] * 10 + [0.1, 0.2])


def test_a_request_that_must_wait_takes_from_no_limit() -> None:
    pacing = paced(records_per_second=1000, requests_per_second=1)
    assert pacing.may_send(900, 1, 0.0) == 0.0
    assert pacing.may_send(100, 1, 0.0) == pytest.approx(1.0)
    assert pacing.may_send(900, 1, 1.0) == 0.0, "the refused one did not count as records"


def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away() -> None:
    bucket = Bucket(10)
    assert bucket.wait(10, 5.0) == 0.0
    bucket.take(10)
    assert bucket.wait(1, 5.0) == pytest.approx(0.1)
    assert bucket.wait(1, 4.0) > 0.1


@given(
    st.floats(0.5, 5000),
    st.lists(st.tuples(st.integers(1, 3000), st.floats(0, 3)), min_size=1, max_size=60),
)
def test_over_any_time_no_more_goes_than_the_rate_one_second_and_one_request(
    rate: float, requests: list[tuple[int, float]]
) -> None:
    pacing = paced(records_per_second=rate)
    now = 0.0
    went: list[tuple[float, int]] = []
    for records, pause in requests:
        now += pause
        while wait := pacing.may_send(records, 1, now):
            now += max(wait, 1e-6)
        went.append((now, records))
    for start in range(len(went)):
        for end in range(start, len(went)):
            seconds = went[end][0] - went[start][0]
            total = sum(records for _, records in went[start:end])
            assert total <= rate * (seconds + 1) * 1.001 + max(r for _, r in went[start : end + 1])
