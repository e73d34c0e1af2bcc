"""Is this text an expression of the Data Prep language, and how is it put together?

The language is that of Apache Commons JEXL as far as one expression goes (so the reserved words
tell): operators in symbols and words, `?:`, literals, calls of functions and of methods, but no
statements and assignments. The parser needs no more time than the text is long, and chains
(`a + b + c …`) are flat, so only brackets nest.
"""

from functools import cache
from typing import TYPE_CHECKING

from agent.dataprep.faults import ExpressionError

if TYPE_CHECKING:
    from lark import Lark, Token, Tree
    from lark.exceptions import UnexpectedToken

LENGTH_MAX = 4096  # characters: what a calculated field may have
DEPTH_MAX = 64

# Words that are part of the language; a field of such a name is written ${name}.
RESERVED = frozenset(
    (
        *("new", "mod", "or", "break", "var", "lt", "for", "false", "while", "eq", "gt", "div"),
        *("not", "null", "continue", "else", "and", "ne", "true", "le", "if", "ge", "return"),
        *("_errors", "do", "function", "empty", "size"),
    )
)

_CLOSING = {"RPAR": ")", "RSQB": "]", "RBRACE": "}"}

_GRAMMAR = r"""
    ?start: choice
    ?choice: either
        | either "?" choice ":" choice  -> choice
        | either "?:" choice            -> otherwise
    ?either: both (OR both)*
    ?both: bits_or (AND bits_or)*
    ?bits_or: bits_xor ("|" bits_xor)*
    ?bits_xor: bits_and ("^" bits_and)*
    ?bits_and: equality ("&" equality)*
    ?equality: relation ((EQUAL | UNEQUAL) relation)*
    ?relation: sum ((LESS | LESS_OR_EQUAL | GREATER | GREATER_OR_EQUAL) sum)?
    ?sum: product ((PLUS | MINUS) product)*
    ?product: unary ((TIMES | DIVIDED | REMAINDER) unary)*
    ?unary: (NOT | MINUS | COMPLEMENT) unary
        | chain
    ?chain: primary trailer*
    ?trailer: "." NAME                  -> member
        | "." WRAPPED                   -> wrapped_member
        | "." NAME "(" [_arguments] ")" -> method
        | "[" choice "]"                -> element
        | "[" TIMES "]"                 -> elements
    ?primary: TEXT                      -> text
        | NUMBER                        -> number
        | TRUE                          -> true
        | FALSE                         -> false
        | NULL                          -> null
        | NAME                          -> name
        | WRAPPED                       -> wrapped
        | NAME "(" [_arguments] ")"     -> call
        | "(" choice ")"                -> group
        | "[" [_arguments] "]"          -> array
        | "{" [entry ("," entry)*] "}"  -> object
        | "{" ":" "}"                   -> object
    entry: choice ":" choice
    _arguments: _argument ("," _argument)*
    _argument: choice
        | arrow
    arrow: NAME "->" choice

    OR.3: /\|\||or(?![\w$])/
    AND.3: /&&|and(?![\w$])/
    EQUAL.3: /==|eq(?![\w$])/
    UNEQUAL.3: /!=|ne(?![\w$])/
    LESS.2: /<|lt(?![\w$])/
    LESS_OR_EQUAL.3: /<=|le(?![\w$])/
    GREATER.2: />|gt(?![\w$])/
    GREATER_OR_EQUAL.3: />=|ge(?![\w$])/
    PLUS: "+"
    MINUS: "-"
    TIMES: "*"
    DIVIDED.2: /\/|div(?![\w$])/
    REMAINDER.2: /%|mod(?![\w$])/
    NOT.2: /!|not(?![\w$])/
    COMPLEMENT: "~"
    TRUE.2: /true(?![\w$])/
    FALSE.2: /false(?![\w$])/
    NULL.2: /null(?![\w$])/
    WRAPPED: /\$\{(?:[^}\\]|\\.)+\}/
    NAME: /(?:[^\W\d]|\$(?!\{)|\\[^\w\s])(?:\w|\$(?!\{)|\\[^\w\s])*/
    TEXT: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
    NUMBER: /(?:0x[0-9a-f]+|(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?)[lhbdf]?(?![\w$])/i
    %ignore /[ \t\r\n]+/
"""


def parse(text: str) -> "Tree[Token]":
    """The tree of an expression. Raises ExpressionError for what is none, too long or too deep."""
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    if len(text) > LENGTH_MAX:
        raise ExpressionError(
            f"an expression may have {LENGTH_MAX} characters, this one has {len(text)}"
        )
    if not text.strip():
        raise ExpressionError("there is no expression")
    try:
        tree = _parser().parse(text)
    except UnexpectedToken as error:
        if error.token.type != "$END":
            raise _unexpected(text, error.pos_in_stream) from None
        raise ExpressionError(f"the expression ends where {_expected(error)}", len(text)) from None
    except UnexpectedInput as error:
        raise _unexpected(text, error.pos_in_stream) from None
    _bound_depth(tree)
    return tree


def _bound_depth(tree: "Tree[Token]") -> None:
    """Without recursion: what is too deep for us would be too deep for that, too."""
    level = [tree]
    for _ in range(DEPTH_MAX):
        level = [
            child for node in level for child in node.children if not isinstance(child, str | None)
        ]
        if not level:
            return
    raise ExpressionError(f"brackets and operators may be nested {DEPTH_MAX} deep at most")


@cache
def _parser() -> "Lark":
    from lark import Lark  # 60 ms that only those pay who read an expression

    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _unexpected(text: str, at: int | None) -> ExpressionError:
    rest = text[at or 0 :].split(maxsplit=1)
    return ExpressionError(f"did not expect {rest[0][:20] if rest else 'this'} here", at or 0)


def _expected(error: "UnexpectedToken") -> str:
    if "NAME" in error.accepts:
        return "a value was expected"
    missing = [sign for sign in _CLOSING if sign in error.accepts]
    return f"a {_CLOSING[missing[0]]} is missing" if missing else "something more was expected"
