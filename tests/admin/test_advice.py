from dataclasses import replace

import pytest

from agent.admin.advice import Standing, waits, words_of
from agent.core.destination import DISK_FULL, READY, STATES, THROTTLED

WELL = Standing(
    state=READY,
    state_seconds=None,
    buffer_full_seconds=None,
    full_in_seconds=None,
    paced=False,
    store_trouble=None,
    residue=0,
)


def causes(**what: object) -> list[str]:
    return [each.cause for each in waits(replace(WELL, **what))]  # type: ignore[arg-type]


def test_where_all_is_well_nothing_waits() -> None:
    assert causes() == []
    assert causes(full_in_seconds=86_400.0) == []


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_words_and_all_but_one_say_what_to_do(state: str) -> None:
    says, next_step = words_of(state)

    assert says.endswith(".")
    assert bool(next_step) == (state != READY)
    assert causes(state=state) == ([] if state == READY else [state])


def test_what_a_person_has_to_see_to_comes_first() -> None:
    found = causes(
        residue=3, store_trouble="no room", state=THROTTLED, buffer_full_seconds=4.0, paced=True
    )

    assert found == ["residue", "store", "throttled", "buffer_full", "paced"]


def test_a_full_disk_is_told_once() -> None:
    assert causes(state=DISK_FULL, store_trouble="no room is left") == ["store"]


def test_a_buffer_that_fills_is_told_of_before_it_is_full() -> None:
    assert causes(full_in_seconds=600.0) == ["buffer_filling"]
    assert causes(full_in_seconds=600.0, buffer_full_seconds=1.0) == ["buffer_full"]


def test_what_is_told_is_whole() -> None:
    (wait,) = waits(replace(WELL, state=THROTTLED, state_seconds=12.5))

    assert wait.as_json()["seconds"] == 12.5
    assert set(wait.as_json()) == {"cause", "says", "next_step", "seconds"}
