"""What does a schema look like with everything it refers to in its place?"""

from collections.abc import Mapping
from typing import Any, Final

from agent.xdm.shape import Shape

_KEPT: Final = (
    "title",
    "description",
    "format",
    "enum",
    "meta:enum",
    "default",
    "examples",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "meta:status",
)
_TEXT: Final = frozenset({"title", "description", "examples"})
_VOCABULARIES: Final[Mapping[str, str]] = {
    "_" + word: word for word in ("schema", "repo", "dc", "xmpDM", "iptc4xmpExt", "id3")
}
_WIDTHS: Final = ((128, "byte"), (32768, "short"), (2147483648, "int"))


def resolved(shape: Shape, head: Mapping[str, Any], *, text: bool = True) -> dict[str, Any]:
    """The schema in one piece; `head` is what is said of it as a whole (`$id`, `meta:class`, …)."""
    # Of text, the schema as a whole has its own only, not that of its class.
    inside = {
        word: value for word, value in _resolved(shape, text, {}).items() if word not in _TEXT
    }
    made = {**head, **inside, **head}
    return made if text else {word: made[word] for word in made if word not in _TEXT - {"title"}}


def _resolved(
    shape: Shape, text: bool, entered: Mapping[int, int], vocabulary: str = "xdm"
) -> dict[str, Any]:
    made = {word: shape[word] for word in _KEPT if shape[word] is not None}
    if not text:
        made = {word: value for word, value in made.items() if word not in _TEXT}
    if shape.type != "any":
        made["type"] = "object" if shape.type == "map" else shape.type
        made["meta:xdmType"] = _xdm_type(shape)
    within = shape.entered(entered)
    if within is None:
        return made
    if shape.properties:
        made["properties"] = {
            name: {
                "meta:xdmField": _published_name(name, vocabulary),
                **_resolved(inner, text, within, _VOCABULARIES.get(name, "xdm")),
            }
            for name, inner in shape.properties.items()
        }
    if shape.required:
        made["required"] = list(shape.required)
    if shape.items is not None:
        made["items"] = _resolved(shape.items, text, within)
    if shape.values is not None:
        made["additionalProperties"] = _resolved(shape.values, text, within)
    if shape.choices:
        made["oneOf"] = [_resolved(choice, text, within) for choice in shape.choices]
    return made


def _xdm_type(shape: Shape) -> str:
    if shape.type == "string" and shape["format"] in {"date", "date-time"}:
        return str(shape["format"])
    if shape.type == "integer":
        # Without bounds it is an int; where they are wider than one, a long.
        bound = max(abs(shape["minimum"] or 0), abs(shape["maximum"] or 0))
        if shape["minimum"] is None or shape["maximum"] is None:
            return "long" if bound > 2**31 else "int"
        return next((name for width, name in _WIDTHS if bound <= width), "long")
    return shape.type


def _published_name(name: str, vocabulary: str) -> str:
    if name.startswith("_"):
        return "@" + name[1:] if name in {"_id", "_type"} else name
    return f"{vocabulary}:{name}"
