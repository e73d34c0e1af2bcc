"""Whatever is written as an expression, whatever record it meets: an answer or an error, soon."""

import json
import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dataprep import (
    EvaluationError,
    ExpressionError,
    Judge,
    MappingError,
    MappingSet,
    compile_expression,
)
from agent.dataprep.functions import TABLE
from agent.dataprep.functions.table import Function
from agent.dataprep.methods import NAMES
from dataprep.evaluating import NOW
from dataprep.schemas import items, members, schema_of, text

FEW_MS = 3000  # of one example, on a machine that does other things, too
EXAMPLES = 300

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "2019-10-23 11:24",
            "http://a/b?c=d#e",
            "a,b;c",
            "(a+)+$",
            "[",
            "UTC",
            "12",
            "yyyy-MM-dd",
            "\ud800",
        ]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "", "a.b"]), inner, max_size=4)
    ),
    max_leaves=12,
)
records = st.dictionaries(st.sampled_from(["a", "b", "c"]), values, max_size=3)

leaves = st.one_of(
    st.sampled_from(
        ["a", "b", "c", "a.b", "a[0].b", "a[*].b", "b[*]", "${a}", "${First Name}", "null"]
    ),
    scalars.filter(lambda each: not isinstance(each, float) or each == each).map(
        lambda each: json.dumps(each, ensure_ascii=False)
    ),
    st.sampled_from(
        ["'yyyy-MM-dd HH:mm'", "'[a-z]+'", "'(.)(.)'", "'MM'", "','", "-1", "0", "2.5"]
    ),
)
SIGNS = (
    *("+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "&", "|", "^", "?:"),
    *("and", "or", "eq", "ne", "lt", "le", "gt", "ge", "div", "mod"),
)
operators = st.sampled_from(SIGNS)


def _call(function: Function, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A call with as many values as the function takes."""
    values = st.lists(inner, min_size=function.least, max_size=function.most or 5)
    return values.map(lambda each: f"{function.name}({', '.join(each)})")


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, max_size=5).map(", ".join)
    return st.one_of(
        st.tuples(inner, operators, inner).map(" ".join),
        st.sampled_from(list(TABLE.values())).flatmap(lambda function: _call(function, inner)),
        st.tuples(st.sampled_from(["concat", "now", "date", "left"]), several).map(
            lambda call: f"{call[0]}({call[1]})"
        ),
        st.tuples(inner, st.sampled_from(sorted(NAMES)), several).map(
            lambda call: f"({call[0]}).{call[1]}({call[2]})"
        ),
        st.tuples(inner, inner, inner).map(lambda each: f"{each[0]} ? {each[1]} : {each[2]}"),
        st.tuples(st.sampled_from("!-~"), inner).map("".join),
        st.tuples(inner, inner).map(lambda each: f"({each[0]})[{each[1]}]"),
        several.map(lambda each: f"[{each}]"),
        st.tuples(inner, inner).map(lambda each: f"{{{each[0]}: {each[1]}}}"),
        inner.map(lambda each: f"({each}).b"),
        st.tuples(st.sampled_from(["filterArray", "transformArray"]), inner, inner).map(
            lambda each: f"{each[0]}({each[1]}, b -> {each[2]})"
        ),
    )


expressions = st.recursive(leaves, _larger, max_leaves=12)
FRAGMENTS = (
    *("a", "b.c", "(", ")", "[", "]", "{", "}", "${", "'", '"', "\\", ".", ",", ":", "?", "*"),
    *("1", "0x", "1e9", "concat(", "not ", "new ", " or ", "==", "=", "&&", "->", "\n"),
    *("ä", "\ud800", "\x00"),
)
fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join)


def _evaluated(expression: str, record: Any) -> None:
    """No other error than these two; and what comes out is JSON."""
    try:
        found = compile_expression(expression).evaluate(record, now=lambda: NOW)
    except (ExpressionError, EvaluationError) as error:
        found = str(error)
    json.dumps(found)


@settings(max_examples=EXAMPLES, deadline=FEW_MS)
@given(expressions, records)
def test_expressions_that_are_well_formed_give_json_or_say_why_not(
    expression: str, record: Any
) -> None:
    _evaluated(expression, record)


@settings(max_examples=EXAMPLES, deadline=FEW_MS)
@given(st.text(max_size=60) | st.text(string.printable, max_size=60) | fragments, values)
def test_any_text_at_all_is_an_expression_or_an_error(expression: str, record: Any) -> None:
    _evaluated(expression, record)


paths = st.sampled_from(
    [
        "a",
        "a.b",
        "a[*].b",
        "b[*]",
        "a[*].b[*].c",
        "a[1].b",
        "b[0]",
        "c.a.b",
        r"a\.b",
        "${a.b}",
        "a[*]",
    ]
)
mapping = st.one_of(
    st.fixed_dictionaries({"source": paths, "destination": paths}),
    st.fixed_dictionaries(
        {"sourceType": st.just("EXPRESSION"), "source": expressions, "destination": paths}
    ),
    st.fixed_dictionaries(
        {"sourceType": st.just("STATIC"), "source": scalars, "destination": paths}
    ),
    values,
)
SCHEMA = schema_of(
    a=items(members(b=items(members(c=text())), a=text())),
    b=items(text()),
    c=members(a=members(b=text(format="date-time")), b={"type": "integer"}),
)


@settings(max_examples=EXAMPLES // 2, deadline=FEW_MS)
@given(st.lists(mapping, max_size=6), st.booleans(), records | values)
def test_any_mapping_set_judges_any_record(
    mappings: list[Any], allow_nulls: bool, record: Any
) -> None:
    try:
        read = MappingSet.from_json({"mappings": mappings, "allowNullValues": allow_nulls})
    except MappingError:
        return
    before = json.dumps(record)

    outcome = Judge(SCHEMA, read).judge(record)

    assert (outcome.entity is None) == bool(outcome.violations)
    assert json.dumps(record) == before
    json.dumps(outcome.mapped)
    assert all(isinstance(each, str) for each in read.problems(SCHEMA))
