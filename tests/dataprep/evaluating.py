"""Evaluates expressions at one moment."""

from datetime import UTC, datetime
from typing import Any

from agent.dataprep import compile_expression

NOW = datetime(2021, 10, 26, 10, 10, 24, 123000, tzinfo=UTC)


def value_of(expression: str, record: Any = None) -> Any:
    """What an expression gives for a record."""
    return compile_expression(expression).evaluate(
        {} if record is None else record, now=lambda: NOW
    )
