import pytest

from agent.admin.health import liveness, readiness

WELL = {"loop_lag": 0.01, "oldest_held": 1.0, "idle": 0.5, "reachable": True, "throttled": False}


def test_the_agent_is_ready_while_it_can_take_input() -> None:
    assert readiness(starting=False, draining=False, no_room=None) == (True, "ready")


@pytest.mark.parametrize(
    ("starting", "draining", "no_room", "word"),
    [
        (True, False, None, "starting"),
        (False, True, None, "draining"),
        (True, True, None, "draining"),
        (False, False, "the disk is full", "the disk is full"),
    ],
)
def test_it_is_not_ready_while_it_cannot(
    starting: bool, draining: bool, no_room: str | None, word: str
) -> None:
    ready, reason = readiness(starting=starting, draining=draining, no_room=no_room)
    assert not ready
    assert word in reason


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"loop_lag": 4.9},
        {"oldest_held": 1e6, "reachable": False, "idle": 1e6},
        {"oldest_held": 1e6, "throttled": True, "idle": 1e6},
        {"oldest_held": 1e6, "idle": 10.0},
        {"oldest_held": 0.0, "idle": 1e6},
    ],
    ids=["all well", "a little late", "outage", "throttled", "just back", "nothing to do"],
)
def test_it_is_alive_while_a_restart_would_not_help(change: dict[str, float]) -> None:
    assert liveness(**{**WELL, **change}) == (True, "alive")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loop_lag": 5.0}, "5.0 s late"),
        ({"oldest_held": 1e6, "idle": 400.0}, "nothing moved for 400 s"),
        ({"oldest_held": 301.0, "idle": 1e6}, "nothing moved for 301 s"),
    ],
)
def test_it_is_not_alive_when_the_loop_hardly_turns_or_work_lies_still(
    change: dict[str, float], words: str
) -> None:
    alive, reason = liveness(**{**WELL, **change})  # type: ignore[arg-type]
    assert not alive
    assert words in reason
