"""What may stand at one place of a record, when all that speaks of this place is taken together?

A schema is composed: it, its class and its field groups may each say something about `person`, by
`allOf` and by `$ref`. A shape gathers what they say. Its properties are shapes, made when they are
asked for: data types that contain themselves have no end and need none.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from agent.errors import SchemaError
from agent.xdm import wellformed
from agent.xdm.library import Library

_DEEPEST_CHAIN: Final = 64  # of $ref and allOf that lead from one component to the next
_DEEPEST_LOOP: Final = 2  # times that a data type is entered on one path, where all is listed
_CHOSEN: Final = "meta:refProperty"  # JSON pointers: of what is referred to, only these fields
_TYPES: Final = frozenset({"string", "integer", "number", "boolean", "object", "array"})


class Part:
    """A piece of JSON schema, and the component that its `#/definitions/…` mean."""

    __slots__ = ("home", "schema")

    def __init__(self, schema: Mapping[str, Any], home: Mapping[str, Any]) -> None:
        self.schema = schema
        self.home = home


class Composer:
    """Makes shapes out of one library; the same pieces taken together are the same shape."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._shapes: dict[tuple[int, ...], Shape] = {}

    def shape(self, parts: tuple[Part, ...], where: str) -> "Shape":
        """What these parts say together; `where` is said in errors."""
        key = tuple(id(part.schema) for part in parts)
        known = self._shapes.get(key)
        if known is None:
            known = self._shapes[key] = Shape(self, parts, where)
        return known

    def layers(self, part: Part, where: str, chain: tuple[int, ...] = ()) -> Iterator[Part]:
        """A part and everything it refers to, itself first: what is said nearer counts more."""
        if id(part.schema) in chain:
            return
        if len(chain) > _DEEPEST_CHAIN:
            raise SchemaError(
                f"{where} is composed by more than {_DEEPEST_CHAIN} references in a row"
            )
        chain = (*chain, id(part.schema))
        yield part
        chosen = part.schema.get(_CHOSEN)
        for inner in self._referred(part, where):
            for layer in self.layers(inner, where, chain):
                yield layer if chosen is None else Part(_only(layer.schema, chosen), layer.home)

    def _referred(self, part: Part, where: str) -> Iterator[Part]:
        if "$ref" in part.schema:
            yield self.referred(part.schema["$ref"], part.home, where)
        for inner in part.schema.get("allOf", ()):
            yield Part(inner, part.home)

    def meant(self, part: Part, where: str) -> Mapping[str, Any]:
        """What a part refers to, or itself where it refers to nothing."""
        if "$ref" not in part.schema:
            return part.schema
        return self.referred(part.schema["$ref"], part.home, where).schema

    def referred(self, ref: str, home: Mapping[str, Any], where: str) -> Part:
        """What a `$ref` means: a component by $id or meta:altId, or a piece of one by `#/…`."""
        name, _, fragment = ref.partition("#")
        component = self._library.get(name) if name else home
        found: Any = component
        for step in filter(None, fragment.split("/")):
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, Mapping) else None
        if component is None or not isinstance(found, Mapping):
            of = home.get("title") or home.get("$id") or "the schema"
            raise SchemaError(
                f"{of}, at {where}, refers to {ref}, which the library does not hold: "
                "add it first, or correct the $ref"
            )
        wrong = wellformed.problem(found) if fragment else None
        if wrong is not None:
            raise SchemaError(f"{ref}, which {where} refers to, is no JSON schema: {wrong}")
        return Part(found, component)


def _only(schema: Mapping[str, Any], chosen: str | list[str]) -> Mapping[str, Any]:
    """A schema without the fields that the JSON pointers do not choose."""
    deeper: dict[str, list[str]] = {}
    for pointer in [chosen] if isinstance(chosen, str) else chosen:
        name, _, rest = pointer.strip("/").partition("/")
        deeper.setdefault(name, []).append(rest)
    return {
        **schema,
        "properties": {
            name: inner if "" in deeper[name] else {"allOf": [inner], _CHOSEN: deeper[name]}
            for name, inner in schema.get("properties", {}).items()
            if name in deeper
        },
        "required": [name for name in schema.get("required", ()) if name in deeper],
    }


class Shape:
    """What is said of one place: its type, its bounds, and the shapes inside it."""

    def __init__(self, composer: Composer, parts: tuple[Part, ...], where: str) -> None:
        self._composer = composer
        self.where = where
        self._layers = [layer for part in parts for layer in composer.layers(part, where)]
        self._types = {id(composer.meant(part, where)) for part in parts}

    def entered(self, before: Mapping[int, int]) -> Mapping[int, int] | None:
        """How often each type was entered on a path that now enters this shape.

        None where the path would go round once more: there is no end to what lies beyond.
        """
        if any(before.get(entered, 0) >= _DEEPEST_LOOP for entered in self._types):
            return None
        return {**before, **{entered: before.get(entered, 0) + 1 for entered in self._types}}

    def __getitem__(self, keyword: str) -> Any:
        """What is said by this JSON schema keyword, by whom is nearest; None when nobody does."""
        for layer in self._layers:
            if keyword in layer.schema:
                return layer.schema[keyword]
        return None

    @cached_property
    def type(self) -> str:
        """string, integer, number, boolean, object, array or map; `any` where nothing is said."""
        said = self["type"]
        if said == "object" or (said is None and self.properties):
            is_map = self["meta:xdmType"] == "map" or (
                self.values is not None and not self.properties
            )
            return "map" if is_map else "object"
        if said is None:
            # Whoever lists the values of a field without its type means strings.
            return "string" if self["meta:enum"] or self["enum"] else "any"
        if said not in _TYPES:
            raise SchemaError(f"{self.where} is of type {said!r}, which XDM does not have")
        return str(said)

    @cached_property
    def properties(self) -> dict[str, "Shape"]:
        """The fields of an object."""
        named: dict[str, list[Part]] = {}
        for layer in self._layers:
            for name, schema in layer.schema.get("properties", {}).items():
                named.setdefault(name, []).append(Part(schema, layer.home))
        return {
            name: self._composer.shape(tuple(parts), f"{self.where}/{name}")
            for name, parts in named.items()
        }

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The fields an object must have, in the order they were asked for."""
        return tuple(
            dict.fromkeys(
                name for layer in self._layers for name in layer.schema.get("required", ())
            )
        )

    @cached_property
    def items(self) -> "Shape | None":
        """What an array consists of."""
        return self._inner("items", "*")

    @cached_property
    def values(self) -> "Shape | None":
        """What stands under keys that have no name here."""
        return self._inner("additionalProperties", "*")

    @property
    def is_closed(self) -> bool:
        """Whether keys that have no name here are refused."""
        said = self["additionalProperties"]
        if self.type != "object" or said is True or self.values is not None:
            return False
        return said is False or bool(self.properties)

    @cached_property
    def choices(self) -> tuple["Shape", ...]:
        """Shapes of which exactly one must fit (`oneOf`)."""
        return tuple(
            self._composer.shape((Part(inner, layer.home),), self.where)
            for layer in self._layers
            for inner in layer.schema.get("oneOf", ())
        )

    def _inner(self, keyword: str, step: str) -> "Shape | None":
        parts = tuple(
            Part(layer.schema[keyword], layer.home)
            for layer in self._layers
            if isinstance(layer.schema.get(keyword), Mapping)
        )
        return self._composer.shape(parts, f"{self.where}/{step}") if parts else None
