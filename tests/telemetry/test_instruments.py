import math
from time import thread_time

import pytest

from agent.telemetry.instruments import MOST_SERIES, Counter, Example, Gauge, Histogram


def counter(*labels: str) -> Counter:
    return Counter("aep_agent_test_things_total", "Things.", *labels)


def gauge(*labels: str) -> Gauge:
    return Gauge("aep_agent_test_things", "Things.", *labels)


def test_a_counter_adds_up_per_label_value_and_in_total() -> None:
    things = counter("source")
    things.add(2, "a")
    things.add(3, "a")
    things.add(5, "b")
    assert (things.value("a"), things.value("b"), things.value("c")) == (5, 5, 0)
    assert things.total() == 10


def test_a_counter_without_labels_is_there_from_the_start() -> None:
    assert list(counter().series()) == [((), 0)]
    assert list(counter("source").series()) == []


@pytest.mark.parametrize("labels", [(), ("a", "b")])
def test_a_wrong_number_of_label_values_is_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="aep_agent_test_things_total"):
        counter("source").add(1, *labels)
    with pytest.raises(ValueError, match="aep_agent_test_things"):
        gauge("source").set(1, *labels)


def test_label_values_beyond_the_cap_are_counted_together_and_none_is_lost() -> None:
    things = counter("source")
    for number in range(3 * MOST_SERIES):
        things.add(1, f"source-{number}")
    assert len(list(things.series())) == MOST_SERIES + 1
    assert things.value("other") == 2 * MOST_SERIES
    assert things.total() == 3 * MOST_SERIES


def test_a_series_known_before_the_cap_keeps_counting_after_it() -> None:
    things = counter("source")
    for number in range(MOST_SERIES + 5):
        things.add(1, f"source-{number}")
    things.add(1, "source-0")
    assert things.value("source-0") == 2


def test_gauges_and_histograms_are_capped_too() -> None:
    level = gauge("source")
    seconds = Histogram("aep_agent_test_seconds", "Seconds.", "source", buckets=(1,))
    for number in range(2 * MOST_SERIES):
        level.set(number, f"source-{number}")
        seconds.observe(0.5, f"source-{number}")
    assert len(list(level.series())) == len(list(seconds.series())) == MOST_SERIES + 1
    assert seconds.count("other") == MOST_SERIES
    assert seconds.total() == 2 * MOST_SERIES


def test_a_gauge_is_read_from_its_owner_each_time() -> None:
    held: list[int] = []
    level = gauge()
    level.read_from(lambda: len(held))
    held.append(1)
    assert level.value() == 1
    held.append(1)
    assert list(level.series()) == [((), 2)]


def test_a_gauge_whose_owner_fails_is_not_a_number() -> None:
    level = gauge()
    level.read_from(lambda: 1 / 0)
    assert math.isnan(level.value())


def test_a_histogram_puts_a_value_at_its_upper_bound_in_that_bucket() -> None:
    seconds = Histogram("aep_agent_test_seconds", "Seconds.", buckets=(1, 2))
    for value in (0.5, 1, 1.5, 2, 99):
        seconds.observe(value)
    assert list(seconds.series()) == [((), [2, 2, 1], 104, {})]


def test_observing_many_equals_observing_each() -> None:
    one, many = (Histogram("aep_agent_test_seconds", "S.", buckets=(1, 2)) for _ in range(2))
    for _ in range(500):
        one.observe(1.5)
    many.observe_many(1.5, 500)
    assert list(one.series()) == list(many.series())
    assert many.count() == 500


def test_a_negative_observation_counts_as_zero() -> None:
    seconds = Histogram("aep_agent_test_seconds", "Seconds.", buckets=(0, 1))
    seconds.observe(-3)
    assert list(seconds.series()) == [((), [1, 0, 0], 0, {})]


def test_the_last_example_of_each_bucket_is_kept() -> None:
    seconds = Histogram("aep_agent_test_seconds", "Seconds.", "flow", buckets=(1, 2))
    seconds.exemplify(Example(0.5, "nobody observed it", 0.0), "orders")
    for value, xaction_id in ((0.5, "a"), (0.7, "b"), (99, "c")):
        seconds.observe(value, "orders")
        seconds.exemplify(Example(value, xaction_id, 7.0), "orders")
    ((_, _, _, examples),) = seconds.series()
    assert examples == {0: Example(0.7, "b", 7.0), 2: Example(99, "c", 7.0)}


def test_counting_costs_well_under_a_microsecond() -> None:
    things = counter("source")
    things.add(1, "stdin")
    best = math.inf
    for _ in range(5):
        start = thread_time()
        for _ in range(20_000):
            things.add(500, "stdin")
        best = min(best, (thread_time() - start) / 20_000)
    assert best < 1e-6  # about 130 ns where nothing else runs
