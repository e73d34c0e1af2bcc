import pytest

from benchmarks.pipeline import Agent
from benchmarks.soak import Sample, growing, soak
from benchmarks.steadiness import Column, chart, grows, growth

RSS = Column("rss", "MB", 6)


def course(*values: float) -> list[tuple[float, float]]:
    return [(10.0 * at, value) for at, value in enumerate(values)]


def test_a_leak_of_a_megabyte_a_minute_grows_within_ten_minutes() -> None:
    leak = course(*(70 + minute / 3 for minute in range(60)))

    assert growth(leak) == pytest.approx(14.67, abs=0.01)
    assert grows(RSS, leak)


def test_noise_outliers_and_warming_up_are_no_growth() -> None:
    noisy = [75 + (-1) ** at for at in range(60)]
    noisy[30] = noisy[55] = 120

    assert not grows(RSS, course(*noisy))
    assert not grows(RSS, course(*range(40, 55), *([75] * 45)))
    assert growth(course(75)) == 0


def test_the_course_is_shown_from_its_least_to_its_most() -> None:
    assert chart([1, 2, 3, 4, 5, 6, 7, 8]) == "▁▂▃▄▅▆▇█"
    assert chart([5, 5]) == "▁▁"
    assert len(chart([*range(600)])) == 60


def test_a_soak_samples_the_agent_and_every_record_arrives() -> None:
    told: list[Sample] = []
    samples = soak(Agent(), 4.0, 500.0, 1.0, told.append)

    assert samples == told
    assert len(samples) == 4
    assert all(40 < each.rss < 200 and each.descriptors > 5 for each in samples)
    assert all(0 < each.lag_p50 <= each.lag_p99 for each in samples[1:])
    assert not growing(samples)
