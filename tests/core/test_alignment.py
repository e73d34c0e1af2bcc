import pytest

from agent.core.alignment import align
from agent.core.items import Item, Outcome


def ok(index: int) -> Item:
    return Item(Outcome.ACCEPTED, None, "A", f"b:{index}", index)


def no(letter: str, index: int | None = None) -> Item:
    xaction_id = None if index is None else f"b:{index}"
    return Item(Outcome.REJECTED, 400, letter, xaction_id, index)


def later() -> Item:
    return Item(Outcome.AGAIN, 503, "l", None, None)


def opaque(name: str) -> Item:
    return Item(Outcome.ACCEPTED, None, "A", name, None)


def verdicts(items: list[Item], count: int) -> str:
    """One letter a record: A for accepted, l for later, . for none, else that of its refusal."""
    return "".join(item.message if item else "." for item in align(items, count))


@pytest.mark.parametrize(
    ("items", "count", "expected"),
    [
        ([ok(0), ok(1), no("x", 2)], 3, "AAx"),
        ([ok(0), no("x"), ok(2), no("y")], 4, "AxAy"),
        ([no("x"), no("y"), ok(2)], 3, "xyA"),
        ([opaque("p"), no("x"), opaque("q")], 3, "AxA"),
        ([ok(0), later(), ok(2)], 3, "AlA"),
    ],
)
def test_one_item_a_record_in_order_is_read_as_it_stands(
    items: list[Item], count: int, expected: str
) -> None:
    assert verdicts(items, count) == expected


@pytest.mark.parametrize(
    ("items", "count", "expected"),
    [
        ([], 2, ".."),
        ([ok(1)], 3, ".A."),
        ([ok(0), no("x"), ok(3)], 4, "A..A"),
        ([ok(0), ok(2), no("x")], 4, "A.A."),
        ([opaque("p"), opaque("q")], 3, "..."),
        ([no("x")], 2, ".."),
    ],
)
def test_a_record_that_no_item_certainly_speaks_of_gets_none(
    items: list[Item], count: int, expected: str
) -> None:
    assert verdicts(items, count) == expected


@pytest.mark.parametrize(
    ("items", "count", "expected"),
    [
        ([ok(0), ok(0), no("x"), ok(2)], 3, "AxA"),
        ([ok(0), no("x"), ok(2), ok(0)], 3, "AxA"),
        ([ok(2), ok(0), no("x"), ok(2)], 3, "AxA"),
        ([ok(0), no("x"), ok(2), ok(3), ok(9)], 3, "AxA"),
        ([ok(9), no("x"), no("y"), ok(2)], 3, "xyA"),
        ([ok(0), no("x"), no("x")], 2, "Ax"),
        ([ok(0), no("x"), no("y")], 2, "Ax"),
        ([ok(0), no("x"), opaque("p")], 2, "A."),
        ([ok(0), later(), no("x")], 2, "A."),
        ([opaque("p"), no("x"), opaque("p")], 2, "Ax"),
        ([opaque("p"), no("x"), opaque("p")], 3, "..."),
    ],
)
def test_items_too_many_take_nothing_that_is_not_theirs(
    items: list[Item], count: int, expected: str
) -> None:
    assert verdicts(items, count) == expected


def test_a_double_that_was_moved_does_not_lend_its_place() -> None:
    # without the double, the opaque item would seem to stand just where record 1 belongs
    items = [ok(0), opaque("p"), ok(2), no("x"), ok(2)]
    assert verdicts(items, 3) == "A.A"


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([ok(2), no("x"), ok(0)], "AxA"),
        ([no("x"), ok(2), ok(0)], "AxA"),
        ([ok(2), opaque("p"), ok(0)], "A.A"),
        ([ok(2), later(), ok(0)], "A.A"),
        ([ok(2), ok(0)], "A.A"),
        ([ok(2), ok(1), ok(0)], "AAA"),
        ([no("x"), ok(2), no("x"), ok(0)], "A.A"),
    ],
)
def test_when_the_order_is_broken_only_what_makes_no_difference_is_placed(
    items: list[Item], expected: str
) -> None:
    assert verdicts(items, 3) == expected


def test_different_refusals_out_of_order_are_not_told_apart() -> None:
    assert verdicts([ok(3), no("x"), no("y"), ok(0)], 4) == "A..A"


@pytest.mark.parametrize("items", [[ok(0), no("x", 0)], [no("x", 0), ok(0)]])
def test_items_that_contradict_each_other_count_for_nothing(items: list[Item]) -> None:
    assert verdicts([*items, ok(1)], 2) == ".A"


def test_thousands_of_items_are_placed_in_no_time() -> None:
    items = [ok(index) if index % 2 else no("x") for index in range(20_000)]
    assert verdicts(items, 20_000) == "xA" * 10_000


@pytest.mark.parametrize(
    ("items", "count", "expected"),
    [
        ([no("x"), no("x"), ok(1), ok(1), later()], 4, ".A.."),
        ([ok(4), no("x"), later(), ok(2), ok(4), no("y", 3), no("z")], 5, "..AyA"),
        ([ok(0), ok(2), no("x"), ok(3)], 4, "AxAA"),
        ([ok(0), ok(2), later(), ok(3)], 4, "A.AA"),
    ],
)
def test_items_out_of_their_place_blame_nobody_unless_it_makes_no_difference(
    items: list[Item], count: int, expected: str
) -> None:
    assert verdicts(items, count) == expected
