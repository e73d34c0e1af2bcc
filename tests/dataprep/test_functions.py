"""Every example of the function table is so."""

from datetime import UTC, datetime

import pytest

from agent.dataprep.expression import compile_expression
from agent.dataprep.functions import TABLE
from agent.dataprep.functions.table import Function

NOW = datetime(2021, 10, 26, 10, 10, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    "function", [each for each in TABLE.values() if each.example], ids=lambda each: each.name
)
def test_the_example_of_a_function_gives_what_it_says(function: Function) -> None:
    assert compile_expression(function.example).evaluate({}, now=lambda: NOW) == function.result
