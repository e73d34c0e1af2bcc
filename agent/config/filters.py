"""Which records of a source go on, and what is changed in them?"""

from typing import Annotated, ClassVar, Literal, Self

from agent.conditions import EACH, condition, path, scalar
from agent.config.fields import Text
from agent.config.quantities import Share
from agent.config.section import Section, SourceSection, checks_section, setting
from agent.config.written import Written, Wrong

_KINDS = ("keep", "drop", "sample", "remove", "hash", "set")


class Conditions(Written):
    """One condition, or a list of them; as texts, each of which `condition` reads."""

    json_types: ClassVar[tuple[str, ...]] = ("string", "array", "null")
    optional = True
    advice = "a condition such as 'type = \"order\"' or 'order.total > 100', or a list of them"

    def read(self, value: object) -> tuple[str, ...]:
        texts = _listed(value)
        for text in texts:
            try:
                condition(text)
            except ValueError as error:
                raise Wrong(f"another condition: {error}") from error
        return texts


class Paths(Written):
    """One path of a field, or a list of them."""

    json_types: ClassVar[tuple[str, ...]] = ("string", "array", "null")
    optional = True
    advice = "a path such as person.email, or a list of them"

    def read(self, value: object) -> tuple[str, ...]:
        texts = _listed(value)
        for text in texts:
            _path(text)
        return texts


class Path(Written):
    """One path of a field."""

    json_types: ClassVar[tuple[str, ...]] = ("string", "null")
    optional = True
    advice = "a path such as order.id"

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("not text")
        if EACH in _path(value):
            raise Wrong("a path of one field, without [*]")
        return value


class Values(Written):
    """Values by the path of the field that is to have them."""

    json_types: ClassVar[tuple[str, ...]] = ("object", "null")
    optional = True
    advice = "paths with their values, such as {environment: production}"

    def read(self, value: object) -> dict[str, str | int | float | bool | None]:
        if not isinstance(value, dict) or not value:
            raise ValueError("not a mapping")
        read = {}
        for name, written in value.items():
            if not isinstance(name, str) or isinstance(written, dict | list):
                raise ValueError("not paths with values")
            if not all(isinstance(step, str) for step in _path(name)):
                raise Wrong("paths of names only, without [ ]")
            read[name] = _scalar(written) if isinstance(written, str) else written
        return read


def _listed(value: object) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not texts:
        raise ValueError("neither text nor a list")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not all of it is text")
    return tuple(texts)


def _path(text: str) -> tuple[str | int, ...]:
    try:
        return path(text)
    except ValueError as error:
        raise Wrong(f"another path: {error}") from error


def _scalar(text: str) -> str | int | float | bool | None:
    try:
        return scalar(text)
    except ValueError as error:
        raise Wrong(f"another value: {error}") from error


class FilterSettings(Section):
    """sources.filters: one step on the way of a source's records."""

    name: Annotated[str | None, Text("a name", optional=True)] = setting(
        default=None,
        description="Name in metrics and in the ledger; unset is its kind and place, as drop-2.",
        examples=["heartbeats"],
    )
    keep: Annotated[tuple[str, ...] | None, Conditions()] = setting(
        default=None,
        description="Only records for which all of these conditions hold go on.",
        examples=['type = "order"'],
    )
    drop: Annotated[tuple[str, ...] | None, Conditions()] = setting(
        default=None,
        description="Records for which all of these conditions hold go no further.",
        examples=['type in ["heartbeat", "debug"]'],
    )
    sample: Annotated[float | None, Share("0", "1", optional=True)] = setting(
        default=None,
        description="Share of the records that goes on: always the same ones, in every run.",
        examples=[0.1],
    )
    by: Annotated[str | None, Path()] = setting(
        default=None,
        description="Field whose value decides in sample; unset: the bytes of the record.",
        examples=["session.id"],
    )
    remove: Annotated[tuple[str, ...] | None, Paths()] = setting(
        default=None,
        description="Fields that are taken out.",
        examples=["person.phone"],
    )
    hash: Annotated[tuple[str, ...] | None, Paths()] = setting(
        default=None,
        description="Fields whose values are replaced by their SHA-256 in hexadecimal.",
        examples=["person.email"],
    )
    normalize: bool = setting(
        default=False,
        description="Whether hash trims texts and makes them lower-case, as AEP asks for e-mail.",
    )
    set: Annotated[dict[str, str | int | float | bool | None] | None, Values()] = setting(
        default=None,
        description="Fields and the values that they have from here on, in every record.",
        examples=[{"environment": "production"}],
    )

    @property
    def kind(self) -> str:
        """What it does: keep, drop, sample, remove, hash or set."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @checks_section
    def _does_one_thing(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise Wrong(f"one of {', '.join(_KINDS)} for each filter, in their order")
        if self.by is not None and self.sample is None:
            raise Wrong("`by` beside sample only", key="by")
        if self.normalize and self.hash is None:
            raise Wrong("`normalize` beside hash only", key="normalize")
        for text in self.remove or ():
            if not isinstance(path(text)[-1], str):
                raise Wrong("paths that end with a name: elements stay in arrays", key="remove")
        return self


class Filtered(SourceSection):
    """What can be said of the records of every source."""

    filters: tuple[FilterSettings, ...] = setting(
        default=(),
        description="What is left out or changed on the way, in this order; nothing by default.",
        examples=[[{"drop": 'type = "heartbeat"'}]],
    )
    non_json: Literal["dead_letter", "drop"] = setting(
        default="dead_letter",
        description="What becomes of lines that are no JSON object; drop leaves them out, counted.",
    )

    @property
    def filter_names(self) -> tuple[str, ...]:
        """The name of each filter in the books."""
        return tuple(
            each.name or f"{each.kind}-{number}" for number, each in enumerate(self.filters, 1)
        )
