"""Errors are told by their kind: neither one line for each record, nor two kinds as one."""

from random import Random

from agent.preflight.findings import KINDS_MAX, Findings, Kinds, Place


def _add(kinds: Kinds, keyword: str, pointer: str, message: str, line: int = 1) -> None:
    kinds.add(keyword, pointer, message, b'{"a":1}', Place("orders", line))


def test_values_and_places_in_lists_make_no_kinds() -> None:
    kinds = Kinds(2)
    for line in range(1, 6):
        message = f"[{line}] is not a valid date"
        _add(kinds, "format", f"#/lines/{line}/day", message, line)

    (kind,) = kinds
    assert (kind.count, kind.pointer) == (5, "#/lines/*/day")
    assert kind.message == "[1] is not a valid date"
    assert [place.line for place in kind.places] == [1, 2]


def test_names_of_keys_make_kinds_and_so_do_types() -> None:
    kinds = Kinds(5)
    for name in ("a", "b", "a"):
        _add(kinds, "required", "#", f"required key [{name}] not found")
    for found in ("Long", "Null"):
        _add(kinds, "type", "#/a", f"expected type: String, found: {found}")

    assert [kind.count for kind in kinds] == [2, 1, 1, 1]


def test_what_a_failing_expression_was_given_makes_no_kinds() -> None:
    kinds = Kinds(5)
    for value in ("'x'", "'y z'"):
        _add(kinds, "mapping", "person.birthYear", f"{value} is not a number")
    _add(kinds, "mapping", "person.birthYear", "there is no function born")

    assert [kind.count for kind in kinds] == [2, 1]


def test_beyond_so_many_kinds_the_others_are_counted_together() -> None:
    kinds = Kinds(1)
    for number in range(KINDS_MAX + 50):
        name = f"additional {number}"
        _add(kinds, "additionalProperties", "#", f"extraneous key [{name}] is not permitted")

    assert len(kinds) == KINDS_MAX + 1
    first, *_ = kinds
    assert (first.count, first.keyword) == (50, "further kinds, not told apart")


def test_put_together_in_any_portions_it_is_the_same() -> None:
    dice = Random(3)
    lines = [(dice.choice("abc"), line) for line in range(1, 200)]

    def found(portion: list[tuple[str, int]]) -> Findings:
        some = Findings(3)
        for name, line in portion:
            some.records += 1
            _add(some.errors, "required", "#", f"required key [{name}] not found", line)
        return some

    whole, parts = found(lines), Findings(3)
    for start in range(0, len(lines), 17):
        parts.merge(found(lines[start : start + 17]))

    assert parts.as_json() == whole.as_json()


def test_only_of_the_first_kinds_a_whole_record_is_kept() -> None:
    kinds = Kinds(1, whole_max=1)
    for name in ("a", "b"):
        record = b'{"x":"%b"}' % (b"x" * 5000)
        kinds.add("required", "#", f"required key [{name}] not found", record, Place("o", 1))

    assert sorted(len(kind.sample) for kind in kinds) == [2000, 5008]
