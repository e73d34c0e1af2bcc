"""`property` expressions: what they choose, and which are refused with which code."""

from typing import Any

import pytest

from agent.emulator.flow.filters import Filter, Projection, parse
from agent.emulator.flow.problems import Problem

ITEM = {
    "id": "1f086c23",
    "name": "Streaming dataflow",
    "state": "enabled",
    "createdAt": 1617743929826,
    "sourceConnectionIds": ["a", "b"],
    "auth": {"params": {"dataType": "raw", "authenticationRequired": True, "sourceId": None}},
    "transformations": [{"params": {"mappingId": "m1"}}, {"params": {"mappingId": "m2"}}],
    "description": 'a "quoted", text',
}
FIELDS = frozenset(ITEM)


@pytest.mark.parametrize(
    ("text", "is_chosen"),
    [
        ("name==Streaming dataflow", True),
        ('name=="Streaming dataflow"', True),
        ('name == "Streaming dataflow"', True),
        ("name==streaming dataflow", False),
        ("state==disabled,enabled", True),
        ('state=="disabled,enabled"', False),
        ('state=="disabled" , "enabled"', True),
        (r'description=="a \"quoted\", text"', True),
        ("createdAt==1617743929826", True),
        ("createdAt>=1617743929826", True),
        ("createdAt>1617743929826", False),
        ("createdAt<1617743929827", True),
        ("createdAt<=1617743929825", False),
        ("auth.params.dataType==raw", True),
        ("auth.params.dataType==xdm", False),
        ("auth.params.authenticationRequired==true", True),
        ("auth.params.authenticationRequired==false", False),
        ("auth.params.sourceId==null", True),
        ("auth.params.absent==null", False),
        ("sourceConnectionIds[]==b,c", True),
        ("sourceConnectionIds[]==c", False),
        ("sourceConnectionIds==b", False),
        ("transformations[].params.mappingId==m2", True),
        ("transformations[].params.mappingId==m3", False),
        ("transformations.params.mappingId==m2", False),
        ('name=="Streaming', False),
    ],
)
def test_an_expression_chooses_items(text: str, is_chosen: bool) -> None:
    made = parse(text, FIELDS)
    assert isinstance(made, Filter)
    assert made.chooses(ITEM) is is_chosen


def test_names_without_an_operator_choose_what_is_shown() -> None:
    assert parse("id, name", FIELDS) == Projection(("id", "name"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name~Stream", "1440-400"),
        ("name!=x", "1440-400"),
        ("createdAt<=1,2", "1443-400"),
        ("id>=a", "1448-400"),
        ("connections==a", "1449-400"),
        ("connections", "1449-400"),
        ("createdAt!>1", "1450-400"),
        ("name=x", "1450-400"),
        ("createdAt>=soon", "1452-400"),
        ("createdAt==", "1453-400"),
        ("==x", "1453-400"),
        ("", "1453-400"),
    ],
)
def test_an_expression_that_makes_no_sense_is_refused(text: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        parse(text, FIELDS)
    assert refused.value.code == code


@pytest.mark.parametrize("value", ["0", "1617743929826.5", "true", "x"])
def test_numbers_are_compared_as_numbers_and_truth_as_truth(value: str) -> None:
    item: dict[str, Any] = {"name": True, "createdAt": 1617743929826}
    made = parse(f"createdAt=={value}", FIELDS)
    assert isinstance(made, Filter)
    assert not made.chooses(item)
    made = parse(f"name=={value}", FIELDS)
    assert isinstance(made, Filter)
    assert made.chooses(item) is (value == "true")
