"""How do Adobe's published component files become components of the registry?

The files name properties by their vocabulary (`xdm:person`, `@id`, `schema:name`), the registry by
what records hold: `person`, `_id`, `_schema.name`. The rest is taken as it stands.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from agent.errors import SchemaError
from agent.xdm.library import KINDS, Library, kind_of

_EXTENSIBLE: Final = "https://ns.adobe.com/xdm/common/extensible"
_PREFIXES: Final[Mapping[str, str]] = {
    "https://ns.adobe.com/xdm/": "",
    "https://ns.adobe.com/": "",
}
_WORDS_OF_LINKED_DATA: Final = frozenset({"@context"})
_SCHEMA_LISTS: Final = ("allOf", "oneOf", "anyOf")
_SCHEMAS: Final = ("items", "additionalProperties")


def load_directory(library: Library, directory: Path) -> None:
    """Add every `*.schema.json` below a directory to the library.

    Raises SchemaError, naming the file, when there is none or one is not a component.
    """
    paths = sorted(directory.rglob("*.schema.json"))
    if not paths:
        raise SchemaError(
            f"{directory} holds no *.schema.json: give the directory of Adobe's XDM components"
        )
    for path in paths:
        library.add(_read(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        published = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path} cannot be read as an XDM component: {error}") from error
    if not isinstance(published, dict) or not isinstance(published.get("$id"), str):
        raise SchemaError(f"{path} is not an XDM component: it has no $id")
    component = registered(published)
    named = (part for part in reversed(path.parts) if part in KINDS)
    component["meta:resourceType"] = next(named, None) or kind_of(component)
    return component


def registered(published: Mapping[str, Any]) -> dict[str, Any]:
    """A published component with the names the registry gives its properties."""
    return {**_schema(published), "meta:containerId": "global"}


def path_of(name: str) -> tuple[str, ...]:
    """Where a published property lies in a record: `("_schema", "name")` for `schema:name`."""
    if name.startswith("@"):
        return ("_" + name[1:],)
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            first, *rest = name.removeprefix(prefix).split("/")
            return ("_" + first, *rest)
    vocabulary, colon, word = name.partition(":")
    if not colon:
        return (name,)
    return (word,) if vocabulary == "xdm" else ("_" + vocabulary, word)


def _schema(published: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for word, value in published.items():
        if word == "properties":
            made["properties"] = _properties(value)
        elif word == "definitions":
            made[word] = {name: _schema(inner) for name, inner in value.items()}
        elif word in _SCHEMA_LISTS:
            made[word] = [_schema(inner) for inner in value if not _is_linked_data(inner)]
        elif word in _SCHEMAS and isinstance(value, Mapping):
            made[word] = _schema(value)
        elif word not in {"required", "patternProperties"}:
            made[word] = value
    _require(made, published.get("required", ()))
    return made


def _is_linked_data(published: Mapping[str, Any]) -> bool:
    return str(published.get("$ref", "")).startswith(_EXTENSIBLE)


def _properties(published: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in published.items():
        if name in _WORDS_OF_LINKED_DATA:
            continue
        *outer, last = path_of(name)
        place = made
        for step in outer:
            place = place.setdefault(step, {"type": "object", "properties": {}})["properties"]
        place[last] = _schema(value)
    return made


def _require(made: dict[str, Any], published: Iterable[str]) -> None:
    for name in published:
        place = made
        *outer, last = path_of(name)
        for step in outer:
            _need(place, step)
            place = place.setdefault("properties", {}).setdefault(step, {})
        _need(place, last)


def _need(place: dict[str, Any], name: str) -> None:
    needed = place.setdefault("required", [])
    if name not in needed:
        needed.append(name)
