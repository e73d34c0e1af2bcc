"""How does the tree of an expression become something that is quick to evaluate?

Each node becomes a closure that knows its operands; the tree is walked once, when the expression
is compiled. Paths of names alone, which most operands are, become one closure.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from agent.dataprep import methods, written
from agent.dataprep.calling import caller
from agent.dataprep.evaluation import Evaluation, Step
from agent.dataprep.faults import ExpressionError
from agent.dataprep.operators import BINARY, Binary, complement, negate
from agent.dataprep.paths import EVERY, STEPS_MAX, PathStep, reader, unescaped
from agent.dataprep.values import integer_of, text_of, truth_of

if TYPE_CHECKING:
    from lark import Token, Tree

_TAKE_ARROWS = frozenset({"filterArray", "transformArray"})
_UNITS_OF_COMPARISON = 10_000  # whole objects may be compared


def compiled(node: "Tree[Token]") -> Step:
    """The closure of a node, with those of its operands inside. Raises ExpressionError."""
    return _NODES.get(node.data, _operation)(node)


def _operation(node: "Tree[Token]") -> Step:
    """Operators in a row, from left to right; of bits, the rule alone says which."""
    operands = [compiled(cast("Tree[Token]", each)) for each in node.children[::2]]
    if node.data in BINARY:
        operands = [compiled(cast("Tree[Token]", each)) for each in node.children]
        names = [str(node.data)] * (len(operands) - 1)
    else:
        names = [cast("Token", each).type for each in node.children[1::2]]
    first, *rest = operands
    pairs = [(BINARY[name], operand) for name, operand in zip(names, rest, strict=True)]
    if len(pairs) == 1:
        return _pair(first, *pairs[0])

    def evaluate(evaluation: Evaluation) -> Any:
        value = first(evaluation)
        for operate, operand in pairs:
            value = _operated(evaluation, operate, value, operand(evaluation))
        return value

    return evaluate


def _pair(left: Step, operate: Binary, right: Step) -> Step:
    return lambda evaluation: _operated(evaluation, operate, left(evaluation), right(evaluation))


def _operated(evaluation: Evaluation, operate: Binary, left: Any, right: Any) -> Any:
    evaluation.spend(
        _UNITS_OF_COMPARISON
        if isinstance(left, list | dict)
        else len(left) + 1
        if isinstance(left, str)
        else 1
    )
    return operate(left, right)


def _either(node: "Tree[Token]") -> Step:
    operands = _operands(node)
    return lambda evaluation: any(truth_of(each(evaluation)) for each in operands)


def _both(node: "Tree[Token]") -> Step:
    operands = _operands(node)
    return lambda evaluation: all(truth_of(each(evaluation)) for each in operands)


def _operands(node: "Tree[Token]") -> list[Step]:
    return [compiled(cast("Tree[Token]", each)) for each in node.children[::2]]


def _choice(node: "Tree[Token]") -> Step:
    condition, then, otherwise = map(compiled, cast("list[Tree[Token]]", node.children))
    return lambda evaluation: (
        then(evaluation) if truth_of(condition(evaluation)) else otherwise(evaluation)
    )


def _otherwise(node: "Tree[Token]") -> Step:
    first, second = map(compiled, cast("list[Tree[Token]]", node.children))

    def evaluate(evaluation: Evaluation) -> Any:
        value = first(evaluation)
        return value if truth_of(value) else second(evaluation)

    return evaluate


def _unary(node: "Tree[Token]") -> Step:
    operand = compiled(cast("Tree[Token]", node.children[1]))
    operate: Callable[[Any], Any] = {
        "NOT": lambda value: not truth_of(value),
        "MINUS": negate,
        "COMPLEMENT": complement,
    }[cast("Token", node.children[0]).type]
    return lambda evaluation: operate(operand(evaluation))


def _chain(node: "Tree[Token]") -> Step:
    """A value and what hangs on it: members, elements, methods."""
    first, *trailers = cast("list[Tree[Token]]", node.children)
    if len(trailers) > STEPS_MAX:
        raise ExpressionError(f"a path has {STEPS_MAX} steps at most, this one {len(trailers)}")
    path = written.path(first)
    while path is not None and trailers and (steps := written.steps(trailers[0])):
        path = (*path, *steps)
        trailers.pop(0)
    value = compiled(first) if path is None else _source(path)
    for trailer in trailers:
        value = _trailing(value, trailer)
    return value


def _trailing(value: Step, trailer: "Tree[Token]") -> Step:
    if trailer.data == "method":
        name, *arguments = trailer.children
        return _method(
            value, str(name), [compiled(cast("Tree[Token]", each)) for each in arguments]
        )
    steps = written.steps(trailer)
    if steps:
        read = reader(steps)
        return lambda evaluation: read(value(evaluation))
    place = compiled(cast("Tree[Token]", trailer.children[0]))
    return lambda evaluation: _element(value(evaluation), place(evaluation))


def _method(value: Step, name: str, arguments: list[Step]) -> Step:
    if name not in methods.NAMES:
        raise ExpressionError(f"there is no method {name}")

    def evaluate(evaluation: Evaluation) -> Any:
        own = value(evaluation)
        values = [each(evaluation) for each in arguments]
        evaluation.spend(1 + (len(own) if isinstance(own, str | list | dict) else 0))
        result = methods.call(own, name, values)
        if isinstance(result, str | list):
            evaluation.spend(len(result))
        return result

    return evaluate


def _element(value: Any, place: Any) -> Any:
    if isinstance(value, dict):
        return value.get(text_of(place))
    if isinstance(value, list):
        at = integer_of(place)
        return value[at] if 0 <= at < len(value) else None
    return None


def _source(steps: tuple[PathStep, ...]) -> Step:
    """What reads the record; the places of several arrays are one list, without lists in it."""
    read, flatten = reader(steps), steps.count(EVERY) - 1

    def evaluate(evaluation: Evaluation) -> Any:
        value = read(evaluation.record)
        for _ in range(flatten):
            value = [place for each in value or () if each is not None for place in each]
        return value

    return evaluate if flatten > 0 else lambda evaluation: read(evaluation.record)


def _named(node: "Tree[Token]") -> Step:
    return _source(cast("tuple[PathStep, ...]", written.path(node)))


def _call(node: "Tree[Token]") -> Step:
    token, *arguments = node.children
    nodes = cast("list[Tree[Token]]", arguments)
    if str(token) in _TAKE_ARROWS and len(nodes) == 2 and nodes[1].data == "arrow":
        return caller(cast("Token", token), [compiled(nodes[0]), _arrow(nodes[1])])
    if token == "object_to_map" and len(nodes) == 2 and nodes[1].data == "name":
        # The documents name the attribute without quotes: object_to_map(addresses, type).
        attribute = str(nodes[1].children[0])
        return caller(cast("Token", token), [compiled(nodes[0]), lambda _: attribute])
    return caller(cast("Token", token), [compiled(each) for each in nodes])


def _arrow(node: "Tree[Token]") -> Step:
    """`each -> expression`, as a function: within it, *each* is a field beside the record's."""
    name, body = node.children
    own, inner = unescaped(str(name)), compiled(cast("Tree[Token]", body))
    return lambda evaluation: lambda each: evaluation.beside(own, each, inner)


def _misplaced(node: "Tree[Token]") -> Step:
    takers = " and ".join(sorted(_TAKE_ARROWS))
    raise ExpressionError(f"an expression with -> is the second value of {takers} only")


def _array(node: "Tree[Token]") -> Step:
    elements = [compiled(cast("Tree[Token]", each)) for each in node.children]
    return lambda evaluation: [each(evaluation) for each in elements]


def _object(node: "Tree[Token]") -> Step:
    entries = [
        tuple(map(compiled, cast("list[Tree[Token]]", cast("Tree[Token]", each).children)))
        for each in node.children
    ]
    return lambda evaluation: {
        text_of(key(evaluation)): value(evaluation) for key, value in entries
    }


def _number(node: "Tree[Token]") -> Step:
    number = written.number(str(node.children[0]))
    return lambda _: number


def _text(node: "Tree[Token]") -> Step:
    text = written.text(str(node.children[0]))
    return lambda _: text


def _constant(value: Any) -> Callable[["Tree[Token]"], Step]:
    return lambda _: lambda _: value


_NODES: Mapping[str, Callable[["Tree[Token]"], Step]] = {
    "choice": _choice,
    "otherwise": _otherwise,
    "either": _either,
    "both": _both,
    "unary": _unary,
    "chain": _chain,
    "group": lambda node: compiled(cast("Tree[Token]", node.children[0])),
    "name": _named,
    "wrapped": _named,
    "call": _call,
    "arrow": _misplaced,
    "array": _array,
    "object": _object,
    "number": _number,
    "text": _text,
    "true": _constant(True),
    "false": _constant(False),
    "null": _constant(None),
}
