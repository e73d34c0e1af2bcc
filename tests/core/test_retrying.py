from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.retrying import RETRY_AFTER_MAX, backoff, retry_after

NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC).timestamp()
DICE = st.floats(0, 1, exclude_max=True)
SECONDS = st.floats(0.001, 100)


@given(st.integers(1, 10**6), DICE, SECONDS, SECONDS)
def test_a_wait_is_never_negative_and_never_above_the_ceiling(
    attempt: int, dice: float, initial: float, ceiling: float
) -> None:
    wait = backoff(attempt, dice=dice, initial=initial, ceiling=ceiling)
    assert 0 <= wait <= ceiling
    assert wait <= initial * 2.0 ** min(attempt - 1, 1000)


@pytest.mark.parametrize(
    ("attempt", "longest"), [(1, 0.5), (2, 1), (3, 2), (7, 32), (8, 60), (9, 60), (10**9, 60)]
)
def test_the_longest_wait_doubles_up_to_the_ceiling(attempt: int, longest: float) -> None:
    assert backoff(attempt, dice=1.0, initial=0.5, ceiling=60) == longest


def test_jitter_is_full_so_that_senders_spread_out_over_all_of_the_wait() -> None:
    waits = [backoff(3, dice=dice / 4, initial=0.5, ceiling=60) for dice in range(4)]
    assert waits == [0, 0.5, 1, 1.5]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("007", 7),
        ("3600", 3600),
        ("3601", 3600),
        ("9" * 5000, 3600),
        ("Wed, 01 Jul 2026 12:00:30 GMT", 30),
        ("Wed, 01 Jul 2026 12:00:30 -0000", 30),
        ("Wed, 01 Jul 2026 14:00:30 +0200", 30),
        ("Wednesday, 01-Jul-26 12:00:30 GMT", 30),
        ("Wed Jul  1 12:00:30 2026", 30),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0),
        ("Wed, 01 Jul 2099 12:00:00 GMT", 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
    ],
)
def test_seconds_and_dates_are_understood_within_reason(value: str, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "-1",
        "+1",
        "1e3",
        "inf",
        "nan",
        "soon",
        "7 s",
        "7,5",
        ".5",
        "5.",
        "\u0667",
        "\u00b2",
        "0x10",
        "Wed, 32 Jul 2026 12:00:00 GMT",
        "Wed, 01 Jul 10000 12:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -9900",
        "Wed, 01 Jul 2026",
        "\x00",
        "120, 240",
    ],
)
def test_nonsense_asks_for_nothing(value: str | None) -> None:
    assert retry_after(value, NOW) is None


@given(st.text(max_size=40) | st.text("0123456789,:+- GMTJulWed", max_size=40))
def test_whatever_the_header_says_the_wait_is_sane(value: str) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= RETRY_AFTER_MAX


@given(st.integers(-4000, 4000))
def test_every_date_is_as_far_away_as_it_is(seconds: int) -> None:
    date = format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)
    assert retry_after(date, NOW) == max(0, min(seconds, RETRY_AFTER_MAX))


def test_a_clock_beyond_all_dates_asks_for_nothing() -> None:
    assert retry_after("Wed, 01 Jul 2026 12:00:30 GMT", 1e18) is None
