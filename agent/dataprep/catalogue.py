"""What does the API tell of the language: its functions, and its operators?

In the shapes of `GET /languages/el/functions` and `GET /languages/el/operators`.
"""

import json
from typing import Any

from agent.dataprep.functions import TABLE
from agent.dataprep.functions.table import Function


def _told(function: Function) -> dict[str, Any]:
    return {
        "category": function.category,
        "function": function.name,
        "description": function.description,
        "syntax": function.syntax,
        "returns": function.description,
        "returnType": function.return_type,
        "example": function.example,
        "result": json.dumps(function.result) if function.example else "",
        "params": [
            {
                "name": each.name,
                "description": _how_many(each.required, each.many),
                "type": each.type,
                "dataType": f"[L{each.data_type};" if each.many else each.data_type,
                "position": position,
            }
            for position, each in enumerate(function.parameters, 1)
        ],
        "since": 1,
    }


def _how_many(required: bool, many: bool) -> str:
    return "Zero or more arguments" if many else "Required" if required else "Optional"


FUNCTIONS: list[dict[str, Any]] = [_told(function) for function in TABLE.values()]

OPERATORS: list[dict[str, Any]] = [
    {
        "operatorSymbol": symbol,
        "methodName": method,
        "numberOfOperands": operands,
        "description": description,
        "example": example,
    }
    for symbol, method, operands, description, example in (
        ("+", "add", 2, "Addition; joins texts where one operand is a text", "1 + 2"),
        ("-", "subtract", 2, "Subtraction", "2 - 1"),
        ("*", "multiply", 2, "Multiplication", "2 * 3"),
        ("/", "divide", 2, "Division, of integers without a rest; also the word div", "4 / 2"),
        ("%", "mod", 2, "What division leaves; also the word mod", "5 % 2"),
        ("~", "complement", 1, "Every bit turned round", "~44"),
        ("-", "negate", 1, "The number with the other sign", "-12"),
        ("!", "not", 1, "Whether it is not true; also the word not", "!cond1"),
        ("==", "equals", 2, "Whether both are the same; also the word eq", "a == b"),
        ("!=", "notEquals", 2, "Whether both differ; also the word ne", "a != b"),
        ("<", "lessThan", 2, "Whether it comes before; also the word lt", "1 < 2"),
        ("<=", "lessThanOrEqual", 2, "Whether it comes not after; also the word le", "1 <= 2"),
        (">", "greaterThan", 2, "Whether it comes after; also the word gt", "2 > 1"),
        (">=", "greaterThanOrEqual", 2, "Whether it comes not before; also the word ge", "2 >= 1"),
        ("&&", "and", 2, "Whether both are true; also the word and", "cond1 && cond2"),
        ("||", "or", 2, "Whether one is true; also the word or", "cond1 || cond2"),
        ("&", "bitwiseAnd", 2, "The bits that are in both", "6 & 3"),
        ("|", "bitwiseOr", 2, "The bits that are in either", "6 | 3"),
        ("^", "bitwiseXor", 2, "The bits that are in one of them", "6 ^ 3"),
        (
            "?:",
            "conditional",
            3,
            "One value where the condition is true, else the other",
            "a ? 1 : 2",
        ),
    )
]
