from agent.telemetry.repeats import Repeats


def test_the_first_is_let_through_and_the_next_ones_are_held_back() -> None:
    repeats = Repeats(30)
    assert [repeats.admit("down", now) for now in (0.0, 1.0, 29.9)] == [0, None, None]


def test_the_one_after_the_window_tells_how_many_were_held_back() -> None:
    repeats = Repeats(30)
    for now in (0.0, 1.0, 2.0):
        repeats.admit("down", now)
    assert [repeats.admit("down", now) for now in (30.0, 31.0, 60.0)] == [2, None, 1]


def test_different_keys_do_not_hold_each_other_back() -> None:
    repeats = Repeats(30)
    assert [repeats.admit(key, 0) for key in ("a", "b", ("a", 503))] == [0, 0, 0]


def test_a_window_of_zero_lets_everything_through() -> None:
    repeats = Repeats(0)
    assert [repeats.admit("a", 0), repeats.admit("a", 0)] == [0, 0]


def test_the_table_is_bounded_and_forgets_the_longest_unseen() -> None:
    repeats = Repeats(30, most=2)
    for key in ("a", "b", "a", "c"):
        repeats.admit(key, 0)
    assert repeats.admit("a", 1) is None
    assert repeats.admit("b", 1) == 0
