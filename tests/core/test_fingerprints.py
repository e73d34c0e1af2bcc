import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.fingerprints import BadShapes, shape


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1,"b":"x"}', b'{"b":"y","a":2}'),
        (b'{"a":{"b":null}}', b' { "a" : { "b" : null } } '),
        (b'{"a":[1,2,3]}', b'{"a":[4]}'),
        (b'{"a":[1,"x"]}', b'{"a":["y",2,3]}'),
        (b'{"a":true}', b'{"a":false}'),
        (b'{"a":"\\u00e9"}', b'{"a":"e"}'),
    ],
)
def test_records_that_differ_in_values_only_have_one_shape(one: bytes, other: bytes) -> None:
    assert shape(one) == shape(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1}', b'{"b":1}'),
        (b'{"a":1}', b'{"a":1.5}'),
        (b'{"a":1}', b'{"a":"1"}'),
        (b'{"a":1}', b'{"a":true}'),
        (b'{"a":null}', b"{}"),
        (b'{"a":{"b":1}}', b'{"a":1,"b":1}'),
        (b'{"a":[]}', b'{"a":[1]}'),
        (b'{"a":[1]}', b'{"a":1}'),
        (b'{"a,b":1}', b'{"a":1,"b":1}'),
        (b'{"a:i,\'b":1}', b'{"a":1,"\'b":1}'),
    ],
)
def test_other_keys_or_types_are_another_shape(one: bytes, other: bytes) -> None:
    assert shape(one) != shape(other)


def test_what_cannot_be_read_has_no_shape() -> None:
    assert shape(b'{"a":') is None
    bad = BadShapes()
    bad.remember(b'{"a":')
    bad.remember(b'{"b":1}')
    assert bad.among([b'{"a":', b'{"b":2}']) == [1]


def test_a_record_may_be_nested_as_deeply_as_it_likes() -> None:
    deep = b'{"a":' * 1000 + b"1" + b"}" * 1000
    assert shape(deep) == shape(deep.replace(b"1", b'"x"')) is not None


def test_records_that_look_like_a_bad_one_are_found() -> None:
    bad = BadShapes()
    records = [b'{"order":%d}' % n for n in range(10)]
    assert bad.among(records) == []
    bad.remember(b'{"order":"ten"}')
    assert bad.among(records) == []
    records[3] = records[7] = b'{"order":"three"}'
    assert bad.among(records) == [3, 7]


def test_a_shape_that_all_have_tells_nothing() -> None:
    bad = BadShapes()
    bad.remember(b'{"order":-1}')
    assert bad.among([b'{"order":1}', b'{"order":2}']) == []


def test_only_the_last_shapes_are_remembered() -> None:
    bad = BadShapes()
    for n in range(400):
        bad.remember(b'{"k%d":1}' % n)
        bad.remember(b'{"again":1}')
    assert bad.among([b'{"k0":1}', b'{"k399":1}', b'{"again":1}', b'{"good":1}']) == [1, 2]
    assert len(bad._shapes) == 256


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_every_record_that_can_be_read_has_a_shape(value: object) -> None:
    record = json.dumps(value).encode()
    readable = True
    try:
        orjson.loads(record)
    except orjson.JSONDecodeError:
        readable = False
    assert (shape(record) is not None) == readable


@given(st.binary())
def test_no_bytes_at_all_fail(record: bytes) -> None:
    shape(record)
