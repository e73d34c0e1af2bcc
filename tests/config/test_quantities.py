"""Are quantities taken within their bounds, bounds included, and shown as people write them?"""

import pytest

from agent.config.quantities import Duration, Quantity, Size, Whole

WAIT, ROOM, COUNT = Duration("1s", "1m"), Size("1KB", "1MB"), Whole("1", "256")


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (WAIT, "1s", 1.0),
        (WAIT, "60s", 60.0),
        (WAIT, 1, 1.0),
        (WAIT, 2.5, 2.5),
        (ROOM, "1000", 1000),
        (ROOM, 1_000_000, 1_000_000),
        (COUNT, "1", 1),
        (COUNT, 256, 256),
    ],
)
def test_a_quantity_is_taken_up_to_its_bounds(kind: Quantity, value: object, read: float) -> None:
    assert kind.read(value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (WAIT, "999ms"),
        (WAIT, "1m1ms"),
        (WAIT, float("inf")),
        (WAIT, float("nan")),
        (WAIT, True),
        (WAIT, None),
        (ROOM, 999),
        (ROOM, 1_000_001),
        (ROOM, 1000.5),
        (COUNT, 0),
        (COUNT, 257),
        (COUNT, 1.5),
        (COUNT, True),
    ],
)
def test_a_quantity_beyond_its_bounds_is_refused(kind: Quantity, value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        kind.read(value)


@pytest.mark.parametrize(
    ("kind", "quantity", "shown"), [(WAIT, 60.0, "1m"), (ROOM, 1000.0, "1KB"), (COUNT, 7, "7")]
)
def test_a_quantity_is_shown_as_people_write_it(
    kind: Quantity, quantity: float, shown: str
) -> None:
    assert kind.show(quantity) == shown
