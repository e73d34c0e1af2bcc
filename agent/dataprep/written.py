"""What does an expression say before there is a record? Numbers, texts, and the steps of paths."""

import re
from typing import TYPE_CHECKING, cast

from agent.dataprep.faults import EvaluationError, ExpressionError
from agent.dataprep.functions import TABLE
from agent.dataprep.grammar import RESERVED
from agent.dataprep.paths import EVERY, PathStep, names_of, unescaped
from agent.dataprep.values import checked

if TYPE_CHECKING:
    from lark import Token, Tree

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def path(node: "Tree[Token]") -> tuple[PathStep, ...] | None:
    """The path that a node is by itself; None where it is something else."""
    if node.data == "wrapped":
        return tuple(names_of(cast("Token", node.children[0])[2:-1]))
    if node.data != "name":
        return None
    token = cast("Token", node.children[0])
    if token in RESERVED or token in TABLE:
        what = "the name of a function" if token in TABLE else "a word of the language"
        raise ExpressionError(
            f"{token} is {what}: write ${{{token}}} for a field of that name", token.start_pos
        )
    return (unescaped(token),)


def steps(trailer: "Tree[Token]") -> tuple[PathStep, ...]:
    """The steps of a trailer, as far as they are known without a record."""
    child = trailer.children[0]
    if trailer.data == "member":
        return (unescaped(str(child)),)
    if trailer.data == "wrapped_member":
        return tuple(names_of(str(child)[2:-1]))
    if trailer.data == "elements":
        return (EVERY,)
    if trailer.data == "element" and not isinstance(child, str) and child.data == "number":
        written = str(child.children[0])
        return (int(written),) if written.isdecimal() and len(written) < 10 else ()
    return ()


def number(written: str) -> int | float:
    """The number that a literal is. Raises ExpressionError where it is too large."""
    value: int | float
    if written[:2] in ("0x", "0X"):
        value = int(written.rstrip("lLhH"), 16)
    else:
        digits = written.rstrip("lLhHbBdDfF")
        value = int(digits) if digits.isdecimal() and len(digits) < 1000 else float(digits)
    try:
        checked(value)
    except EvaluationError as error:
        raise ExpressionError(str(error)) from None
    return value


def text(written: str) -> str:
    """The text that a literal is, its quotation marks taken off."""
    written = written[1:-1]
    return _ESCAPE.sub(_meant, written) if "\\" in written else written


def _meant(escape: re.Match[str]) -> str:
    """What an escape means; those that mean nothing stay as they are, for regular expressions."""
    if escape[1]:
        return chr(int(escape[1], 16))
    return _ESCAPED.get(escape[2], escape[0])
