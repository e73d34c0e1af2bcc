"""Are records changed where they should be, and nowhere else?"""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.conditions import ABSENT, EACH, path
from agent.core.changes import CannotChangeError, Hashing, Removing, Setting
from agent.core.validation import fault
from core.odd_json import NAMES, Object, objects, read

names = st.sampled_from(NAMES)
paths = st.tuples(names).flatmap(
    lambda first: st.lists(names | st.sampled_from([0, 1, EACH]), max_size=2).map(
        lambda rest: (*first, *rest)
    )
)
ABC = b' {"a" : {"b":1.50,"c":[{"d":"x","e":null},{"d":"y"}]} , "n":123456789012345678901234567890}'


def altered(value: Any, steps: tuple[Any, ...], change: Any) -> Any:
    """The oracle: what is at the path, put through *change*, which gives a list of values."""
    if not steps:
        return change(value)
    step, rest = steps[0], steps[1:]
    if isinstance(value, Object) and isinstance(step, str):
        members = Object()
        for name, each in value:
            there = altered(each, rest, change) if name == step else [each]
            members += [(name, one) for one in there]
        return [members]
    if isinstance(value, list) and not isinstance(value, Object) and isinstance(step, int):
        elements = []
        for index, each in enumerate(value):
            elements += altered(each, rest, change) if step in (index, EACH) else [each]
        return [elements]
    return [value]


@given(objects, paths.filter(lambda steps: isinstance(steps[-1], str)))
@example(b'{"a":1}', ("a",))
@example(b'{"a":1 , "a":2 }', ("a",))
@example(b'{"b":0, "a":1 }', ("a",))
@example(b'{"b":{"a":1}, "c":"\\"a\\":2"}', ("a",))
@example(b'{"\\"a":1}', ("a",))
@example(b'{"a":{"a":{"a":1}}}', ("a", "a"))
@example(b'{"x":"\\ud800","a":1}', ("a",))
def test_what_is_removed_is_gone_and_all_else_stays(record: bytes, steps: tuple[Any, ...]) -> None:
    changed = Removing(steps)(record)

    assert read(changed) == altered(read(record), steps, lambda _: [])[0]


@given(objects, paths, st.booleans())
@example(b'{"a":" A@B.c "}', ("a",), True)
def test_what_is_hashed_is_a_hash_and_all_else_stays(
    record: bytes, steps: tuple[Any, ...], normalize: bool
) -> None:
    changed = Hashing(steps, normalize)(record)

    def hashed(value: Any) -> list[Any]:
        if value is None or (type(value) is str and not (value.strip() if normalize else value)):
            return [value]
        if type(value) is str:
            text = value.strip().lower() if normalize else value
            return [sha256(text.encode("utf-8", "surrogatepass")).hexdigest()]
        return [ANY_HASH]

    assert read(changed) == altered(read(record), steps, hashed)[0]


class _AnyHash:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and len(other) == 64

    __hash__ = None  # type: ignore[assignment]


ANY_HASH = _AnyHash()


@given(objects, st.lists(names, min_size=1, max_size=2).map(tuple), st.sampled_from([1, "é", None]))
@example(b"{ }", ("a", "b"), 1)
@example(b'{"a":{}}', ("a", "b"), 1)
@example(b'{"b":1}', ("a",), 1)
@example(b'{"a":1}', ("a", "b"), 1)
@example(b'{"a":null}', ("a", "b"), 1)
@example(b'{"a":{"b":0},"a":{}}', ("a", "b"), 1)
def test_what_is_set_is_there_and_all_else_stays(
    record: bytes, steps: tuple[str, ...], value: Any
) -> None:
    setting = Setting(steps, value)
    within = last(read(record), steps[:-1])
    if within is not ABSENT and not isinstance(within, Object):
        with pytest.raises(CannotChangeError, match="is no object"):
            setting(record)
        return
    changed = setting(record)

    assert fault(changed) is None
    assert last(json.loads(changed, object_pairs_hook=Object), steps) == value
    taken_out = Removing(steps)(changed)
    if len(steps) == 1:
        assert read(taken_out) == altered(read(record), steps, lambda _: [])[0]


def last(value: Any, steps: tuple[str, ...]) -> Any:
    """What is at the path; of a name that is there twice, the last."""
    for step in steps:
        found = [each for name, each in value if name == step] if isinstance(value, Object) else []
        value = found[-1] if found else ABSENT
        if not found:
            break
    return value


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a", b' {"n":123456789012345678901234567890}'),
        ("n", b' {"a" : {"b":1.50,"c":[{"d":"x","e":null},{"d":"y"}]} }'),
        ("a.b", ABC.replace(b'"b":1.50,', b"")),
        ("a.c", ABC.replace(b',"c":[{"d":"x","e":null},{"d":"y"}]', b"")),
        ("a.c[0].d", ABC.replace(b'"d":"x",', b"")),
        ("a.c[*].d", ABC.replace(b'"d":"x",', b"").replace(b'"d":"y"', b"")),
        ("a.c[2].d", ABC),
        ("d", ABC),
        ("a.d", ABC),
    ],
)
def test_a_field_is_taken_out_with_its_comma_and_nothing_else(text: str, changed: bytes) -> None:
    assert Removing(path(text))(ABC) == changed


def test_an_address_is_hashed_as_adobe_hashes_it() -> None:
    """Trimmed, lower case, SHA-256, lower-case hexadecimal, without salt."""
    known = b"973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"
    record = b'{"identityMap":{"Email":[{"id":" Test@Example.com\\t","primary":true}]}}'

    hashed = Hashing(path("identityMap.Email[*].id"), normalize=True)(record)

    assert hashed == record.replace(b" Test@Example.com\\t", known)


@pytest.mark.parametrize("empty", [b'""', b"null", b'"  "', b'"\\u0020"'])
def test_nothing_is_not_made_an_identity_of(empty: bytes) -> None:
    record = b'{"email":%b}' % empty

    assert Hashing(("email",), normalize=True)(record) == record
