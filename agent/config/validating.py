"""How does a tree of what was written become a section, and what in it is wrong?

This is what needs pydantic: it takes the fields of sections as they are, and has their checks
pointed out to it here.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from agent.config.section import MARK, Section

_Section = TypeVar("_Section", bound=Section)


class Invalid(ValueError):
    """What was written is no such section; *mistakes* has what is wrong, one by one."""

    def __init__(self, mistakes: Sequence[ErrorDetails]) -> None:
        # not what was found: that may be a secret
        super().__init__(
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in mistakes)
        )
        self.mistakes = mistakes


def validated(model: type[_Section], written: object) -> _Section:
    """The section that was *written*, which remembers what it says. Raises Invalid."""
    try:
        section: _Section = _adapter(model).validate_python(written)
    except ValidationError as error:
        raise Invalid(error.errors(include_url=False)) from None
    _note_said(section, written)
    return section


def json_schema(model: type[Section]) -> dict[str, Any]:
    """The JSON Schema of what can be written."""
    return _adapter(model).json_schema()


_ADAPTERS: dict[type[Section], TypeAdapter[Any]] = {}


def _adapter(model: type[Section]) -> TypeAdapter[Any]:
    if model not in _ADAPTERS:
        for section in _sections(Section):
            _point_out_checks(section)
        # Nobody's plugins have a say in this, and to look for them takes 20 ms.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        _ADAPTERS[model] = TypeAdapter(model)
    return _ADAPTERS[model]


def _sections(above: type[Section]) -> Iterator[type[Section]]:
    for section in above.__subclasses__():
        yield section
        yield from _sections(section)


def _point_out_checks(section: type[Section]) -> None:
    """Have pydantic call the checks of a section, and those it has from what is above it."""
    for base in reversed(section.__mro__):
        for name, found in list(vars(base).items()):
            method = getattr(found, "wrapped", found)  # where it was pointed out before
            keys = getattr(method, MARK, None)
            if keys is not None:
                call = field_validator(*keys) if keys else model_validator(mode="after")
                setattr(section, name, call(method))


def _note_said(value: Any, written: Any) -> None:
    """Note on each section which of its keys were written."""
    if isinstance(value, Section) and isinstance(written, Mapping):
        said = set()
        for each in fields(value):
            key = each.metadata.get("alias", each.name)
            if key in written:
                said.add(each.name)
                _note_said(getattr(value, each.name), written[key])
        vars(value)["_said"] = frozenset(said)
    elif isinstance(value, Mapping) and isinstance(written, Mapping):
        for key, below in value.items():
            _note_said(below, written.get(key))
    elif isinstance(value, tuple) and isinstance(written, Sequence):
        for below, each in zip(value, written, strict=False):
            _note_said(below, each)
