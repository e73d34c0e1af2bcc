"""What is a function of the language: its name, how it is called, and what the API tells of it?

Each module of this package is one category. Its functions are plain Python; the first paragraph of
their docstring is the description that `GET /languages/el/functions` gives, their parameters are
its parameters, and their examples are run as tests.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

_JAVA = {
    "str": ("string", "java.lang.String"),
    "int": ("integer", "java.lang.Integer"),
    "float": ("number", "java.lang.Double"),
    "bool": ("boolean", "java.lang.Boolean"),
    "datetime": ("string", "java.time.ZonedDateTime"),
    "list": ("array", "java.util.List"),
    "dict": ("object", "java.util.Map"),
}
_ANY = ("object", "java.lang.Object")

Call = TypeVar("Call", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, in the API's words."""

    name: str
    type: str
    data_type: str
    required: bool
    many: bool
    nullable: bool  # whether null is a value for it


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what to call, with how many values, and what is told of it."""

    name: str
    category: str
    call: Callable[..., Any]
    description: str
    returns: str
    parameters: tuple[Parameter, ...]
    example: str
    result: Any
    evaluated: bool  # whether it is given the evaluation before its values

    @property
    def least(self) -> int:
        """How few values it takes."""
        return sum(each.required for each in self.parameters)

    @property
    def most(self) -> int | None:
        """How many values it takes; None where there may be any number."""
        return None if any(each.many for each in self.parameters) else len(self.parameters)

    @property
    def return_type(self) -> str:
        """The Java class of what it gives."""
        return _JAVA.get(self.returns, _ANY)[1]

    @property
    def syntax(self) -> str:
        """How it is written, as the API shows it."""
        values = [each.name.upper() + ("..." if each.many else "") for each in self.parameters]
        return f"{self.name}({', '.join(values)})"


@dataclass
class Category:
    """Functions that belong together."""

    name: str
    functions: list[Function] = field(default_factory=list)

    def function(
        self, example: str = "", result: Any = None, *, name: str | None = None
    ) -> Callable[[Call], Call]:
        """Takes a Python function into the category, under its own name or another."""

        def take(call: Call) -> Call:
            names = list(inspect.signature(call).parameters.values())
            evaluated = bool(names) and names[0].name == "evaluation"
            self.functions.append(
                Function(
                    name=name or call.__name__.rstrip("_"),
                    category=self.name,
                    call=call,
                    description=" ".join((inspect.getdoc(call) or "").split("\n\n")[0].split()),
                    returns=_kind(inspect.signature(call).return_annotation),
                    parameters=tuple(map(_parameter, names[evaluated:])),
                    example=example,
                    result=result,
                    evaluated=evaluated,
                )
            )
            return call

        return take


def _parameter(parameter: inspect.Parameter) -> Parameter:
    type_, data_type = _JAVA.get(_kind(parameter.annotation), _ANY)
    many = parameter.kind is inspect.Parameter.VAR_POSITIONAL
    return Parameter(
        name=parameter.name.rstrip("_"),
        type=type_,
        data_type=data_type,
        required=parameter.default is inspect.Parameter.empty and not many,
        many=many,
        nullable=(type_, data_type) == _ANY or NoneType in get_args(parameter.annotation),
    )


def _kind(annotation: Any) -> str:
    """`str | None` and `list[Any]` are of the kinds str and list; a union of several is of none."""
    if isinstance(annotation, UnionType):
        kinds = [each for each in get_args(annotation) if each is not NoneType]
        return _kind(kinds[0]) if len(kinds) == 1 else ""
    return getattr(get_origin(annotation) or annotation, "__name__", "")
