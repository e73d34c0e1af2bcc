"""What does every section of the configuration have in common?

Sections are plain dataclasses, so that a process that only has a configuration does not load what
reads one: pydantic, which costs 100 ms and 10 MB. What a setting says of itself is kept in the
metadata of its field, where `validating` has pydantic find it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NoReturn,
    Protocol,
    Self,
    TypeVar,
    dataclass_transform,
)

from agent.config.fields import Text

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

_Method = TypeVar("_Method")


def setting(
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    description: str | None = None,
    examples: Sequence[Any] | None = None,
    alias: str | None = None,
    json_schema_extra: Mapping[str, Any] | None = None,
    validate_default: bool | None = None,
    masked: Callable[[Any], Any] | None = None,
    repr: bool = True,
) -> Any:
    """A key of a section: what it is when nobody says, and what is told of it.

    `alias` is its name where people write it, if that is another one. `masked` makes of its value
    what may be shown, where that is less than all of it.
    """
    said = {
        "description": description,
        "examples": examples,
        "alias": alias,
        "json_schema_extra": json_schema_extra,
        "validate_default": validate_default,
        "masked": masked,
    }
    metadata = {name: value for name, value in said.items() if value is not None}
    return field(default=default, default_factory=default_factory, repr=repr, metadata=metadata)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(setting,))
class Section:
    """A mapping of known keys; a frozen dataclass.

    What `dataclass` would write for each section, 39 times, it takes 25 ms to write: here it is
    written once.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "hide_input_in_errors": True}
    _said: ClassVar[frozenset[str]] = frozenset()  # each one that was read has its own
    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls) -> None:
        dataclass(init=False, repr=False, eq=False, match_args=False, kw_only=True)(cls)

    def __init__(self, **values: Any) -> None:
        """A section with these values, which are not checked, and the defaults of the others."""
        for each in fields(self):
            if each.name in values:
                vars(self)[each.name] = values.pop(each.name)
            elif each.default_factory is not MISSING:
                vars(self)[each.name] = each.default_factory()
            elif each.default is not MISSING:
                vars(self)[each.name] = each.default
            else:
                raise TypeError(f"{type(self).__name__} needs {each.name}")
        if values:
            raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and dict(self) == dict(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        told = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
        return f"{type(self).__name__}({', '.join(told)})"

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """The names of its keys, each with its value."""
        return ((each.name, getattr(self, each.name)) for each in fields(self))

    def says(self, name: str) -> bool:
        """Whether somebody said this key, instead of leaving it to its default."""
        return name in self._said

    def replaced(self, **changes: Any) -> Self:
        """The same but for these keys, which are said from now on; nothing is checked."""
        return self._carrying(**changes, _said=self._said | changes.keys())

    def _carrying(self, **attributes: Any) -> Self:
        """A copy with these attributes, which need be no keys."""
        carrying = copy(self)
        vars(carrying).update(attributes)
        return carrying


class SourceSection(Section):
    """What every kind of source may say."""

    flow: Annotated[str | None, Text("the name of one of the flows", optional=True)] = setting(
        default=None,
        description="Which of the flows takes its records; unset where there is only one.",
        examples=["orders"],
    )


def names(section: type[Section]) -> tuple[str, ...]:
    """The names of the keys of a section."""
    return tuple(each.name for each in fields(section))


class ByType:
    """Says of a union of sections that their key `type` chooses among them."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: "GetCoreSchemaHandler"
    ) -> "CoreSchema":
        from pydantic import Field

        return handler(Annotated[source, Field(discriminator="type")])


class SoFar(Protocol):
    """What is known of a section while it is read."""

    @property
    def data(self) -> dict[str, Any]:
        """The keys that come before the one being checked, without those that are wrong."""


MARK = "_checks"  # the attribute of a check that says of which keys, or of none, it is one


def checks(*keys: str) -> Callable[[_Method], _Method]:
    """Marks a class method that checks each of these keys, once it is read by itself.

    It takes the value, perhaps what there is `SoFar`, and returns the value or raises `Wrong`.
    """

    def mark(method: _Method) -> _Method:
        vars(method)[MARK] = keys
        return method

    return mark


def checks_section(method: _Method) -> _Method:
    """Marks a method that checks a section as a whole, once each of its keys is right.

    It returns the section or raises `Wrong`.
    """
    vars(method)[MARK] = ()
    return method
