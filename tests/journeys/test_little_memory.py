"""With 64 MiB of memory, as a small container has, the agent is not killed and loses nothing."""

import pytest

from benchmarks.footprint import LITTLE, can_limit, measure
from benchmarks.pipeline import Agent

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


def test_a_stalled_inlet_and_endless_input_fit_64_mib_and_all_of_it_arrives() -> None:
    if not can_limit():
        pytest.skip("NOT RUN: only a superuser, where cgroups can be made, can limit memory")
    made = measure(Agent(), 4.0, limit=LITTLE, stalled=True)

    assert made.records > 10_000
    assert '"event":"memory is limited, less is held at a time","limit":"64MiB"' in made.log


def test_a_service_under_full_load_takes_little_more_than_an_idle_one() -> None:
    made = measure(Agent(), 4.0)

    assert made.idle_rss < 56_000_000
    assert made.peak_rss < 105_000_000
