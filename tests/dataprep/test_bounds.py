"""No expression and no record can hang the judge, or eat its memory."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from agent.dataprep import EvaluationError
from dataprep.evaluating import value_of

SECONDS_MAX = 10.0  # generous: the slowest takes a fraction of one
BYTES_MAX = 150_000_000
LONG = "x" * 900_000
RECORD = {
    "s": LONG,
    "l": list(range(50_000)),
    "o": {str(number): number for number in range(50_000)},
    "e": "a" * 60_000 + "!",
    "deep": json.loads("[" * 800 + "]" * 800),
    "n": 10**300,
}


def _many(expression: str, times: int) -> str:
    return ", ".join([expression] * times)


@pytest.fixture(autouse=True)
def _quick_and_small() -> Iterator[None]:
    started = time.monotonic()
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < BYTES_MAX
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < SECONDS_MAX


@pytest.mark.parametrize(
    "expression",
    [
        f"concat({_many('s', 1000)})",
        " + ".join(["s"] * 1000),
        f"to_array(true, {_many('s', 1000)})",
        f"to_array(true, {_many('l', 1000)})",
        f"[{_many('o', 1000)}]",
        f"[{_many('l', 400)}].toString()",
        f"concat([{_many('s', 400)}])",
        f"join_arrays({_many('l', 1000)})",
        f"add_to_map({_many('o', 1000)})",
        "lpad('x', 2000000000, 'y')",
        "rpad('x', 999999999999999999999, 'y')",
        f"to_array(true, {_many('lpad(0, 999999, 1)', 150)})",
        "replacestr(s, 'x', s)",
        "replacestr(replacestr(replacestr(e, 'a', e), 'a', e), 'a', e)",
        "e.replaceAll('a', e)",
        "join(s, l)",
        "transformArray(l, x -> s)",
        "filterArray(l, x -> filterArray(l, y -> x == y).size() > 1)",
        "array_to_string(s, l)",
        "upper(concat(s, s))",
        "explode(s, '')",
        f"explode({'s + '}s, 'x')",
        "split(s, 'x') == l ? explode(s, 'x') : explode(s, 'x')",
        " * ".join(["n"] * 600),
        "extract_regex(e, '(?:a?){50000}a{50000}x')",
        "e.replaceAll('(a|aa)+$', 'b')",
        "e.split('(a+)+!!')",
        "'x'.matches('" + "(" * 900 + "x" + ")" * 900 + "')",
        "'x'.matches('((((x{1000}){1000}){1000}){1000})')",
        "'x'.matches('([a-z]{999}){999}')",
        "'x'.matches('(?:a{50000}b){50}')",
        "format(now(), e)",
        "dformat(0, '" + "yyyyyyyyyyyyyyyyyyyy" * 5 + "')",
        "date(e, 'yyyy')",
        "get_values(s, 'a', 'x', 'x')",
        "str_to_object(s, 'x', 'x')",
        f"[{_many('sha512(s)', 200)}]",
        f"[{_many('instr(s, s)', 200)}]",
        "json_to_object(s)",
        "get_url_encoded(concat(s, s))",
        "aa_get_product_names(replacestr(s, 'x', ','))",
    ],
)
def test_what_does_too_much_ends_soon_and_gives_nothing(expression: str) -> None:
    with pytest.raises(EvaluationError):
        value_of(expression, RECORD)


@pytest.mark.parametrize(
    "expression",
    [
        " or ".join(["matches_regex(e, '(a|a)*b')"] * 60),
        "extract_regex(e, '(.*)(.*)(.*)(.*)(.*)=')",
        "explode(e, '(a*)*b')",
        f"[{_many('l == [1]', 300)}]",
        "md5(deep)",
        "concat(deep)",
        "flattenArray(deep)",
    ],
)
def test_what_only_looks_like_too_much_gives_something_soon(expression: str) -> None:
    assert value_of(expression, RECORD) != ""


@pytest.mark.parametrize(
    "expression",
    [
        "matches_regex(e, '(a|aa)+$')",
        "extract_regex(e, '(a|aa)+$')",
        "explode(e, '(a|aa)+$')",
        "e.replaceAll('(a|aa)+$', '')",
        "e.matches('(a|aa)+$')",
    ],
)
def test_a_match_that_backtracks_for_ever_is_ended(expression: str) -> None:
    with pytest.raises(EvaluationError, match="takes too long with this text"):
        value_of(expression, RECORD)


def test_large_values_that_are_only_passed_on_are_no_trouble() -> None:
    assert value_of("s", RECORD) == LONG
    assert value_of("upper(left(s, 3))", RECORD) == "XXX"
    assert value_of("size_of(l)", RECORD) == 50_000


def test_every_problem_is_told_without_the_record_in_it() -> None:
    with pytest.raises(EvaluationError) as caught:
        value_of("to_integer(s)", RECORD)

    assert len(str(caught.value)) < 100


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def test_a_record_nested_beyond_reason_is_an_error_of_the_expression() -> None:
    with pytest.raises(EvaluationError, match="nested too deeply"):
        value_of("a", _nested(5000))
