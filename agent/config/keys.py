"""Which keys are there? The models, flattened to dotted paths such as `inlet.tls.ca_file`.

Items of lists have no number here: the paths of a file source are `sources.paths`. The keys of a
flow are those of the top level that it may say anew: `flows.orders.batch.max_wait` is
`batch.max_wait`. All of this is about the configuration, unless another file's *model* is named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from agent.config.flows import FlowSettings
from agent.config.model import Config
from agent.config.quantities import Quantity
from agent.config.section import Section, names

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Key:
    """One key of the configuration."""

    path: str
    field: Field[Any]
    scalar: bool  # a single value, which the environment can set
    types: tuple[str, ...]  # where `type` chooses among kinds of section: its values

    @property
    def description(self) -> str:
        """What is told of it."""
        told: str = self.field.metadata.get("description", "")
        return told

    @property
    def examples(self) -> Sequence[Any]:
        """What may be written."""
        examples: Sequence[Any] = self.field.metadata.get("examples", ())
        return examples

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown."""
        return is_secret(self.field)

    @property
    def quantity(self) -> Quantity | None:
        """The kind of quantity that it is, if it is one."""
        return next((kind for kind in _kinds(self.field.type) if isinstance(kind, Quantity)), None)

    @property
    def default(self) -> Any:
        """What it is when nobody says; None where that is unknown, or made up anew each time."""
        return None if self.field.default is MISSING else self.field.default

    @property
    def shown_default(self) -> str | None:
        """Its default the way people write it, where it is a quantity."""
        if self.quantity is None or self.default is None:
            return None
        return self.quantity.show(self.default)


def is_secret(field: Field[Any]) -> bool:
    """Whether the value of a field must never be shown."""
    return bool(field.metadata.get("json_schema_extra", {}).get("writeOnly"))


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """What stands beside a type, saying how it is written."""
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def _plain(annotation: Any) -> Any:
    """A type without what stands beside it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _leaves(annotation: Any) -> Iterator[Any]:
    """The plain types in an annotation, from inside its unions, lists and mappings."""
    if arguments := get_args(annotation):
        for argument in arguments:
            yield from _leaves(argument)
    else:
        yield annotation


def models_in(annotation: Any) -> list[type[Section]]:
    """The sections that a key may hold."""
    return [
        leaf for leaf in _leaves(annotation) if isinstance(leaf, type) and issubclass(leaf, Section)
    ]


def _walk(model: type[Section], prefix: str) -> Iterator[Key]:
    own = model.__annotations__  # come first, before what it has in common with others
    for field in sorted(fields(model), key=lambda field: field.name not in own):
        path = f"{prefix}{field.metadata.get('alias', field.name)}"
        models = models_in(field.type)
        container = get_origin(_plain(field.type)) in (tuple, dict)
        types = tuple(
            tag
            for kind in models[1:] and models
            for tag in _leaves(kind.__dataclass_fields__["type"].type)
        )
        yield Key(path, field, not models and not container, types)
        for inner in models:
            if inner is not FlowSettings:
                yield from _walk(inner, f"{path}.")


_KEYS: dict[type[Section], dict[str, Key]] = {}


def all_keys(model: type[Section] = Config) -> dict[str, Key]:
    """Every key by its dotted path; where kinds of a section share a key, the first one's."""
    if model not in _KEYS:
        keys: dict[str, Key] = {}
        for key in _walk(model, ""):
            keys.setdefault(key.path, key)
        _KEYS[model] = keys
    return _KEYS[model]


def dotted(path: Sequence[str | int]) -> str:
    """The path without the numbers of list items and the names of flows, as in `all_keys`."""
    if is_in_flow(path):
        path = path[2:]
    return ".".join(part for part in path if isinstance(part, str))


def is_in_flow(path: Sequence[str | int]) -> bool:
    """Whether the path leads to one of the flows, or to a key of it."""
    return len(path) > 1 and path[0] == "flows"


def key_at(path: Sequence[str | int], model: type[Section] = Config) -> Key | None:
    """The key that a path in a configuration belongs to; entries of mappings belong to them."""
    for end in range(len(path), 0, -1):
        if key := all_keys(model).get(dotted(path[:end])):
            return key
    return None


def beside(path: Sequence[str | int], model: type[Section] = Config) -> list[str]:
    """The names of the keys in a section."""
    if is_in_flow(path) and not dotted(path):
        return list(names(FlowSettings))
    prefix = f"{dotted(path)}." if dotted(path) else ""
    inner = [key.removeprefix(prefix) for key in all_keys(model) if key.startswith(prefix)]
    return [name for name in inner if "." not in name]


def suggestion(path: Sequence[str | int], model: type[Section] = Config) -> str | None:
    """The known key that an unknown one most likely stands for: its last part, or a whole path."""
    *section, last = path
    elsewhere = [known for known in all_keys(model) if known.rpartition(".")[2] == last]
    near = elsewhere or get_close_matches(str(last), beside(section, model), n=1)
    return near[0] if near else None


def path_of(loc: Sequence[str | int], model: type[Section] = Config) -> KeyPath:
    """The path in the written configuration of a place that pydantic names.

    Pydantic adds the `type` that chose among several kinds of section, and marks keys of mappings.
    """
    path: list[str | int] = []
    tag_follows = False
    for part in loc:
        if tag_follows and isinstance(part, str):
            tag_follows = False
        elif part != "[key]":
            path.append(part)
            key = all_keys(model).get(dotted(path))
            tag_follows = key is not None and bool(key.types)
    return tuple(path)
