import pytest

from agent.core.sharing import most_each


@pytest.mark.parametrize(
    ("wanted", "available", "most"),
    [
        ([10, 20], 30, 20),
        ([10, 20], 29, 19),
        ([10_000, 1000, 1000], 768, 256),
        ([10_000, 5, 1000], 705, 350),
        ([7], 3, 3),
        ([5, 5, 5], 2, 1),
        ([], 100, 1),
    ],
)
def test_who_wants_little_has_it_and_the_others_share_the_rest(
    wanted: list[int], available: int, most: int
) -> None:
    assert most_each(wanted, available) == most
