from typing import Any

import pytest

from agent.emulator.faults import Faults
from agent.emulator.rules import parse_script

RECORDS = [b'{"id":"a"}', b'{"id":"b"}', b'{"id":"ab"}']


def fired(rule: dict[str, Any], times: int = 12, path: str = "batch") -> list[int]:
    """The requests, of so many, to which a rule of its own applies."""
    faults = Faults(parse_script([{"delay": 1, **rule}]))
    return [n for n in range(times) if faults.fire(path, "gzip", RECORDS).delay]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, list(range(12))),
        ({"requests": 3}, [0, 1, 2]),
        ({"after": 10}, [10, 11]),
        ({"after": 2, "requests": 2}, [2, 3]),
        ({"every": 4}, [3, 7, 11]),
        ({"after": 1, "every": 4, "requests": 1}, [4]),
        ({"probability": 0}, []),
        ({"path": "batch"}, list(range(12))),
        ({"path": "single"}, []),
        ({"encoding": "gzip"}, list(range(12))),
        ({"encoding": "identity"}, []),
        ({"matching": '"ab"'}, list(range(12))),
        ({"matching": "^b"}, []),
    ],
)
def test_conditions_choose_requests(when: dict[str, Any], expected: list[int]) -> None:
    assert fired({"when": when}) == expected


def test_only_matching_requests_are_counted() -> None:
    faults = Faults(parse_script([{"when": {"path": "single", "after": 1}, "delay": 1}]))
    paths = ["batch", "single", "batch", "single", "batch"]
    assert [faults.fire(path, "gzip", RECORDS).delay for path in paths] == [0, 0, 0, 1, 0]


def test_the_same_seed_makes_the_same_choices() -> None:
    def choices(seed: int) -> list[list[int]]:
        rule = {"when": {"probability": 0.5}, "reject": 400}
        faults = Faults(parse_script({"seed": seed, "rules": [rule]}))
        return [list(faults.fire("batch", "gzip", RECORDS * 10).refusals) for _ in range(5)]

    assert choices(1) == choices(1)
    assert choices(1) != choices(2)


def test_a_refusal_is_for_matching_records_only() -> None:
    faults = Faults(parse_script([{"when": {"matching": "a"}, "reject": 422}]))
    assert set(faults.fire("batch", "gzip", RECORDS).refusals) == {0, 2}


def test_the_first_refusal_of_a_record_counts() -> None:
    rules = [{"when": {"matching": "a"}, "reject": "first"}, {"reject": "second"}]
    refusals = Faults(parse_script(rules)).fire("batch", "gzip", RECORDS).refusals
    assert [refusals[index].message for index in range(3)] == ["first", "second", "first"]


def test_of_the_rules_for_the_answer_the_first_that_applies_counts_and_is_counted() -> None:
    rules = [{"when": {"requests": 2}, "status": 503}, {"when": {"requests": 2}, "status": 429}]
    faults = Faults(parse_script(rules))
    answers = [faults.fire("batch", "gzip", RECORDS).answer for _ in range(6)]
    assert [answer and answer.status for answer in answers] == [503, 503, 429, 429, None, None]
    assert faults.hits() == {"rule-1": 2, "rule-2": 2}


def test_other_effects_add_up_and_the_first_of_equal_ones_counts() -> None:
    rules = [
        {"status": 503},
        {"delay": 2, "ids": "opaque"},
        {"delay": 3, "ids": "opaque", "add_items": 1},
        {"add_items": 5, "reject": 400},
    ]
    firing = Faults(parse_script(rules)).fire("batch", "gzip", RECORDS)
    assert firing.answer is not None
    assert (firing.delay, firing.shape.ids, firing.shape.add_items) == (2, "opaque", 1)
    assert len(firing.refusals) == 3


def test_a_script_tells_how_often_each_rule_matched_and_applied() -> None:
    rules = [{"name": "late", "when": {"every": 2}, "delay": 1}]
    faults = Faults(parse_script({"seed": 5, "rules": rules}))
    for _ in range(5):
        faults.fire("batch", "gzip", RECORDS)
    assert faults.as_json() == {
        "seed": 5,
        "rules": [{"name": "late", "when": {"every": 2}, "delay": 1, "matched": 5, "applied": 2}],
    }


def test_rules_of_the_same_name_are_counted_together() -> None:
    faults = Faults(parse_script([{"name": "x", "delay": 1}, {"name": "x", "ids": "opaque"}]))
    faults.fire("batch", "gzip", [])
    assert faults.hits() == {"x": 2}
