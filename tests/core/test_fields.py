"""Are fields found, whatever a record looks like?"""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from agent.conditions import ABSENT, EACH
from agent.core.fields import Field, Reader, value_of, walk
from core.odd_json import NAMES, Object, objects, read

DEEP = b'{"a":' + b"[" * 5000 + b"]" * 5000 + b',"b":{"c":7}}'
paths = st.tuples(st.sampled_from(NAMES)).flatmap(
    lambda first: st.lists(st.sampled_from([*NAMES, 0, 1]), max_size=2).map(
        lambda rest: (*first, *rest)
    )
)


def value_at(record: bytes, steps: tuple[Any, ...]) -> Any:
    """The oracle: of a name that is there twice, the last one counts."""
    value = read(record)
    for step in steps:
        if isinstance(value, Object):
            found = [each for name, each in value if name == step]
        elif isinstance(value, list) and isinstance(step, int):
            found = value[step : step + 1]
        else:
            found = []
        if not found:
            return ABSENT
        value = found[-1]
    return value


@given(objects, st.lists(paths, min_size=1, max_size=3))
@example(b'{"a":{"b":1},"a":{"b":2}}', [("a", "b")])
@example(b'{"a":[{"b":1}],"x":"\\ud800"}', [("a", 0, "b"), ("x",), ("b",)])
@example(b'{"a":"x"}', [("a", 0), ("a", "b")])
@example(b'{"a":["\\ud800"],"a":0}', [("a", 0)])
@example(b'{"a":["x",{"b":1}]}', [("a", 0), ("a", 1, "b")])
def test_a_value_is_the_one_that_stands_there(record: bytes, steps: list[tuple[Any, ...]]) -> None:
    for each, value in zip(steps, Reader(steps).values(record), strict=True):
        there = value_at(record, each)
        assert (value is ABSENT) == (there is ABSENT)
        if value is not ABSENT:
            place = Field(each).last(record)
            assert place
            assert value_of(record[place.start : place.end]) == value
            assert read(record[place.start : place.end]) == there


@given(objects, paths)
def test_the_short_way_to_a_field_finds_what_the_long_one_does(
    record: bytes, steps: tuple[Any, ...]
) -> None:
    assert Field(steps).places(record) == list(walk(record, steps))


def test_what_is_nested_too_deeply_for_decoders_is_walked_through() -> None:
    assert Reader([("b", "c"), ("x",)]).values(DEEP) == [7, ABSENT]
    assert [DEEP[p.start : p.end] for p in Field(("b", "c")).places(DEEP)] == [b"7"]
    assert Field(("c",)).places(DEEP) == []
    assert Reader([("a",)]).values(DEEP) == [DEEP[5:10005].decode()]


def test_every_element_is_a_place() -> None:
    record = b'{"a":[1,{"b":2},[3]]}'

    assert [record[p.start : p.end] for p in walk(record, ("a", EACH))] == [
        b"1",
        b'{"b":2}',
        b"[3]",
    ]
    assert [place.start for place in walk(b"{}", ())] == [0]
