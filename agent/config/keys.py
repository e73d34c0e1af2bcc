"""Which keys are there? The models, flattened to dotted paths such as `inlet.tls.ca_file`.

Items of lists have no number here: the paths of a file source are `sources.paths`. The keys of a
flow are those of the top level that it may say anew: `flows.orders.batch.max_wait` is
`batch.max_wait`. All of this is about the configuration, unless another file's *model* is named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agent.config.fields import Quantity
from agent.config.flows import FlowSettings
from agent.config.model import Config

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Key:
    """One key of the configuration."""

    path: str
    field: FieldInfo
    scalar: bool  # a single value, which the environment can set
    types: tuple[str, ...]  # where `type` chooses among kinds of section: its values

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown."""
        extra = self.field.json_schema_extra
        return isinstance(extra, dict) and bool(extra.get("writeOnly"))

    @property
    def shown_default(self) -> str | None:
        """Its default the way people write it, where it is a quantity."""
        kinds = [kind for kind in self.field.metadata if isinstance(kind, Quantity)]
        default = self.field.default
        return kinds[0].show(default) if kinds and default is not None else None


def _leaves(annotation: Any) -> Iterator[Any]:
    """The plain types in an annotation, from inside its unions, lists and mappings."""
    if arguments := get_args(annotation):
        for argument in arguments:
            yield from _leaves(argument)
    else:
        yield annotation


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a key may hold."""
    return [
        leaf
        for leaf in _leaves(annotation)
        if isinstance(leaf, type) and issubclass(leaf, BaseModel)
    ]


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    own = model.__annotations__  # come first, before what it has in common with others
    for name, field in sorted(model.model_fields.items(), key=lambda item: item[0] not in own):
        path = f"{prefix}{field.alias or name}"
        models = models_in(field.annotation)
        container = get_origin(field.annotation) in (tuple, dict)
        types = tuple(
            tag
            for kind in models[1:] and models
            for tag in _leaves(kind.model_fields["type"].annotation)
        )
        yield Key(path, field, not models and not container, types)
        for inner in models:
            if inner is not FlowSettings:
                yield from _walk(inner, f"{path}.")


@cache
def all_keys(model: type[BaseModel] = Config) -> dict[str, Key]:
    """Every key by its dotted path; where kinds of a section share a key, the first one's."""
    keys: dict[str, Key] = {}
    for key in _walk(model, ""):
        keys.setdefault(key.path, key)
    return keys


def dotted(path: Sequence[str | int]) -> str:
    """The path without the numbers of list items and the names of flows, as in `all_keys`."""
    if is_in_flow(path):
        path = path[2:]
    return ".".join(part for part in path if isinstance(part, str))


def is_in_flow(path: Sequence[str | int]) -> bool:
    """Whether the path leads to one of the flows, or to a key of it."""
    return len(path) > 1 and path[0] == "flows"


def key_at(path: Sequence[str | int], model: type[BaseModel] = Config) -> Key | None:
    """The key that a path in a configuration belongs to; entries of mappings belong to them."""
    for end in range(len(path), 0, -1):
        if key := all_keys(model).get(dotted(path[:end])):
            return key
    return None


def beside(path: Sequence[str | int], model: type[BaseModel] = Config) -> list[str]:
    """The names of the keys in a section."""
    if is_in_flow(path) and not dotted(path):
        return list(FlowSettings.model_fields)
    prefix = f"{dotted(path)}." if dotted(path) else ""
    inner = [key.removeprefix(prefix) for key in all_keys(model) if key.startswith(prefix)]
    return [name for name in inner if "." not in name]


def suggestion(path: Sequence[str | int], model: type[BaseModel] = Config) -> str | None:
    """The known key that an unknown one most likely stands for: its last part, or a whole path."""
    *section, last = path
    elsewhere = [known for known in all_keys(model) if known.rpartition(".")[2] == last]
    near = elsewhere or get_close_matches(str(last), beside(section, model), n=1)
    return near[0] if near else None


def path_of(loc: Sequence[str | int], model: type[BaseModel] = Config) -> KeyPath:
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
