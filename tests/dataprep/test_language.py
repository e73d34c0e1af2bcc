"""The language itself: operators, literals, paths, reserved words, and what is no expression."""

import subprocess
import sys
from typing import Any

import pytest

from agent.dataprep import (
    FUNCTIONS,
    OPERATORS,
    EvaluationError,
    ExpressionError,
    compile_expression,
)
from dataprep.evaluating import value_of

RECORD = {
    "a": 3,
    "b": "x",
    "f": 2.5,
    "no": None,
    "First Name": "Jim",
    "First.Name": "Joe",
    "date": "2020",
    "or": 1,
    "order": {"or": 2, "date": "2021", "Last Name": "S", "div": {"mod": 1}},
    "list": [{"a": 1, "l": [1, 2]}, {"a": 2}, {"l": [3]}],
    "größe": 7,
    "$dollar": 8,
    "_under": 9,
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 div 2", 3),
        ("7.0 / 2", 3.5),
        ("7 % 3", 1),
        ("-7 mod 3", -1),
        ("7.5 % 2", 1.5),
        ("~44", -45),
        ("-a", -3),
        ("6 & 3 | 8 ^ 1", 6 & 3 | (8 ^ 1)),
        ('1 + "2"', "12"),
        ('"a" + true + 1.5 + a', "atrue1.53"),
        ("1 + 2.5", 3.5),
        ("a == 3 && b == 'x'", True),
        ("a eq 3 and b ne 'x'", False),
        ("a != 3 || b == 'y' or true", True),
        ("!(a == 3)", False),
        ("not a", False),
        ("a < 4", True),
        ("a lt 3", False),
        ("a <= 3", True),
        ("a le 2", False),
        ("a > 2", True),
        ("a gt 3", False),
        ("a >= 3", True),
        ("a ge 4", False),
        ('"abc" < "abd"', True),
        ('a == "3"', True),
        ('a == "three"', False),
        ('"2" < 10', True),
        ("true == 1", False),
        ("no == null", True),
        ("a == null", False),
        ("no < 1", False),
        ("[1, 2] == [1, 2]", True),
        ('date("2020-01-01") < now()', True),
        ("a > 2 ? 'much' : 'little'", "much"),
        ("false ? 1 : true ? 2 : 3", 2),
        ("no ?: b", "x"),
        ("b ?: 1", "x"),
        ("a and b", True),
        ('"" or no or 0', False),
        ("null", None),
        ("1.5e3", 1500.0),
        ("0x1F", 31),
        ("12L", 12),
        ("2.5d", 2.5),
        (".5", 0.5),
        ('"a\\"b"', 'a"b'),
        ("'a\\'b'", "a'b"),
        (r'"\d\n\u00e4\|\\"', "\\d\nä\\|\\"),
        ("[]", []),
        ("[1, 'a', null]", [1, "a", None]),
        ("{'a': 1, b: [2]}", {"a": 1, "x": [2]}),
        ("{:}", {}),
        ("b", "x"),
        ("${First Name}", "Jim"),
        (r"${First\.Name}", "Joe"),
        (r"First\.Name", "Joe"),
        ("${date}", "2020"),
        ("${or}", 1),
        ("order.or", 2),
        ("order.date", "2021"),
        ("order.div.mod", 1),
        ("order.${Last Name}", "S"),
        ("${order.Last Name}", "S"),
        ("order['Last Name']", "S"),
        ("order[b]", None),
        ("list[0].a", 1),
        ("list[1 - 1].a", 1),
        ("list[9].a", None),
        ("list[-1]", None),
        ("list[*].a", [1, 2, None]),
        ("list[*].l[*]", [1, 2, 3]),
        ("to_array(false, list[*].a)[0][1]", 2),
        ("order.nothing.at.all", None),
        ("b.c.d", None),
        ("größe + $dollar + _under", 24),
        ("empty(no) and empty('') and not empty(a)", True),
        ("size('abc') + size(list)", 6),
        ("b.length()", 1),
        ("no.length()", None),
        ("(b + 'y').toUpperCase().equals('XY')", True),
        ("list.size()", 3),
        ("list.get(1).a", 2),
        ("order.get('or')", 2),
        ("filterArray(list, each -> each.a == 2)[0].a", 2),
        ("filterArray(list, a -> a.a > 0).size() + a", 5),
        ("transformArray(list[*].a, x -> coalesce(x, 0) + a)", [4, 5, 3]),
        ("transformArray([1, 2], x -> transformArray([10, 20], y -> x * y))", [[10, 20], [20, 40]]),
        ("transformArray(no, x -> x)", None),
        ("order.containsKey('or')", True),
    ],
)
def test_an_expression_means(expression: str, expected: Any) -> None:
    found = value_of(expression, RECORD)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('"Hello".substring(1)', "ello"),
        ('"Hello".substring(1, 3)', "el"),
        ('"Hello".charAt(1)', "e"),
        ('"Hello".indexOf("l")', 2),
        ('"Hello".indexOf("l", 3)', 3),
        ('"Hello".lastIndexOf("l")', 3),
        ('"Hello".contains("ell")', True),
        ('"Hello".startsWith("He")', True),
        ('"Hello".endsWith("lo")', True),
        ('"Hello".isEmpty()', False),
        ('" ".isBlank()', True),
        ('"Hello".concat("!")', "Hello!"),
        ('" a ".trim()', "a"),
        ('" a ".strip()', "a"),
        ('"Hello".replace("l", "L")', "HeLLo"),
        (r'"a1b22".replaceAll("[0-9]+", "<$0>")', "a<1>b<22>"),
        (r'"a1b22".replaceAll("[a-z]", "\$")', "$1$22"),
        ('"a1b22".replaceFirst("[0-9]+", "#")', "a#b22"),
        ('"a1".matches("[a-z][0-9]")', True),
        ('"a,b,,".split(",")', ["a", "b"]),
        ('"b".compareTo("a")', 1),
        ('"B".compareToIgnoreCase("b")', 0),
        ('"hello".hashCode()', 99162322),
        ('"Hello".toLowerCase()', "hello"),
        ("(1).toString()", "1"),
        ("(1).equals(1)", True),
        ("[1, 2].contains(2)", True),
        ("[1, 2].indexOf(2)", 1),
        ("[].isEmpty()", True),
        ("{'a': 1}.keySet()", ["a"]),
        ("{'a': 1}.values()", [1]),
        ("{'a': 1}.getOrDefault('b', 2)", 2),
        ("{'a': 1}.containsValue(1)", True),
        ("{'a': 1}.size()", 1),
        ("{'a': 1}.isEmpty()", False),
    ],
)
def test_values_have_the_methods_of_java(call: str, expected: Any) -> None:
    assert value_of(call) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "there is no expression"),
        ("a +", "the expression ends where a value was expected"),
        ("(a", r"the expression ends where a \) is missing"),
        ("[1, 2", "the expression ends where a ] is missing"),
        ("a b", r"did not expect b here \(at character 2\)"),
        ('"abc', "did not expect"),
        ("a..b", "did not expect .b here"),
        ("1x", "did not expect 1x here"),
        ("a = 1", "did not expect = 1 here|did not expect = here"),
        ("new + 1", "new is a word of the language: write \\${new} for a field of that name"),
        ("date", "date is the name of a function: write \\${date} for a field of that name"),
        ("_errors", "_errors is a word of the language"),
        ("uper(a)", "there is no function uper; is upper meant"),
        ("zzz()", "there is no function zzz"),
        ("concat(x -> x)", "second value of filterArray and transformArray only"),
        ("x -> x", "did not expect > here"),
        ("filterArray(a -> a, a)", "second value of filterArray and transformArray only"),
        ("substr(a)", r"substr\(STRING, START_INDEX, LENGTH\) is not called with 1 values"),
        ("now(1)", r"now\(\) is not called with 1 values"),
        ("a.explode(',')", "there is no method explode"),
        ("${.}", "has no name"),
        ("9" * 4000, "too many digits|no finite number"),
        ("1e999", "no finite number"),
        ("a" * 5000, "an expression may have 4096 characters, this one has 5000"),
        ("(" * 100 + "a" + ")" * 100, "nested 64 deep at most"),
        ("!" * 200 + "a", "nested 64 deep at most"),
        ("a" + "[*]" * 1000, "a path has 64 steps at most"),
        ("a" + ".trim()" * 500, "a path has 64 steps at most"),
    ],
)
def test_what_is_no_expression_is_told_with_what_to_write(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        compile_expression(expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "division by zero"),
        ("no + 1", r"coalesce\(field, 0\)"),
        ("no + 'x'", r'coalesce\(field, ""\)'),
        ("b * 2", "'x' is not a number"),
        ("list + 1 < list", "compared|a number was expected"),
        ("list < order", "cannot be compared"),
        ("~1.5", "an integer was expected"),
        ("(1).length()", "a number has no method length"),
        ("'a'.substring(2)", "there is no substring from 2 to 1"),
        ("'a'.substring()", "substring is not called with 0 values"),
        ("list.get(9)", "an array of 3 elements has none at 9"),
        ("to_object('a')", "each key needs a value"),
        ("to_object(list, 1)", "a key cannot be an array"),
        ("md5('a', 'EBCDIC')", "none of UTF-16, UTF-8"),
        ("to_integer('1.5')", "is not an integer"),
        ("json_to_object('{')", "is not JSON"),
        ("json_to_object('[NaN]')", "is not JSON"),
        ("get_keys('a')", "an object was expected, found a text"),
        ("contains_key('a..b')", "is no path"),
        ("arrays_to_object('a', 1)", "is to be followed by an array"),
        ("size_of(1)", "a number has no size"),
        ("filterArray(list, b)", "an expression of each"),
        ("get_url_query_str('http://x/?a=b', 'keep')", "one of retain, remove and append"),
        ("date('tomorrow')", "a date in no known form"),
        ("date(1)", "a date was expected, found a number"),
        ("date_part('century', now())", "no part of a date"),
        ("set_date_part('week', 1, now())", "can be set, not week"),
        ("set_date_part('month', 13, now())", "the expression fails: month must be in 1..12"),
        ("zone_date_to_zone(now(), 'Mars/Base')", "is no time zone"),
        ("make_date_time(2021, 13, 1, 0, 0, 0, 0, 'UTC')", "the expression fails"),
        ("dformat('soon', 'yyyy')", "is not a number"),
        ("to_bigint('1e999999999')", "is not a number"),
        ("to_float('1e39')", "too large for a float"),
    ],
)
def test_what_fails_says_why(expression: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        value_of(expression, RECORD)


@pytest.mark.parametrize(
    "expression", ["upper(no)", "substr(no, 1, 2)", "split(b, no)", "sha1(no)"]
)
def test_a_function_of_null_is_null(expression: str) -> None:
    assert value_of(expression, RECORD) is None


def test_the_tables_have_the_shape_of_the_api() -> None:
    functions = {each["function"]: each for each in FUNCTIONS}

    assert functions["first"] == {
        "category": "Hierarchies - Arrays",
        "function": "first",
        "description": "Returns the first element of an array, or of all values.",
        "syntax": "first(VALUES...)",
        "returns": "Returns the first element of an array, or of all values.",
        "returnType": "java.lang.Object",
        "example": 'first("1", "2", "3")',
        "result": '"1"',
        "params": [
            {
                "name": "values",
                "description": "Zero or more arguments",
                "type": "object",
                "dataType": "[Ljava.lang.Object;",
                "position": 1,
            }
        ],
        "since": 1,
    }
    assert functions["substr"]["syntax"] == "substr(STRING, START_INDEX, LENGTH)"
    assert len(functions) == len(FUNCTIONS) > 90
    assert all(each["description"] and "\n" not in each["description"] for each in FUNCTIONS)
    assert set(OPERATORS[0]) == {
        *("operatorSymbol", "methodName", "numberOfOperands", "description", "example"),
    }


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each["methodName"])
def test_the_example_of_an_operator_can_be_evaluated(operator: dict[str, Any]) -> None:
    record = {"a": 1, "b": 2, "cond1": True, "cond2": False}

    assert value_of(operator["example"], record) is not None


def test_whoever_only_names_the_rule_book_waits_for_no_parser() -> None:
    asked = "import sys, agent.dataprep; print({'lark', 'regex'} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, timeout=60
    )

    assert shown.stdout == "set()\n"
