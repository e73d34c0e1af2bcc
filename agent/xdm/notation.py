"""How are the standard components written down in a few lines each?

A component is `id: {title, about, extends, for, requires, fields}`, its id without
`https://ns.adobe.com/xdm/`: components it takes everything from, classes it is meant for, and
fields it requires of those it extends. A field is its name and its type; `!` after the name says
that it is required. Types:

    string  boolean  number  integer  byte  short  long  object
    date  date-time  uri  uri-reference  email  ipv4  ipv6    a string of this format
    language                       a language tag, as `fr-CH`
    integer 1..32767   number 0..  string ..20     within bounds (of a string: its length)
    string /^[A-Z]{2}$/            matching a pattern
    one of male | female           these values only
    string: work | home            these are suggested, others are taken, too
    list of T      map of T        an array; an object with keys of any name
    @context/person                another component
    {name: T, …}                   an object of these fields
    [T]            {"*": T}        as `list of`, `map of`
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

XDM: Final = "https://ns.adobe.com/xdm/"
_FORMATS: Final = frozenset(
    {"date", "date-time", "uri", "uri-reference", "email", "ipv4", "ipv6", "hostname"}
)
_LANGUAGE: Final = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
_WIDTHS: Final[Mapping[str, tuple[int, int]]] = {
    "byte": (-128, 127),
    "short": (-32768, 32767),
    "long": (-9007199254740991, 9007199254740991),
}
_BOUNDS: Final = re.compile(r"(?P<low>-?[\d.]*?\d)?\.\.(?P<high>-?\d[\d.]*)?")
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PARTS: Final = ("behaviors", "classes", "datatypes", "fieldgroups")


@cache
def standard_components() -> tuple[dict[str, Any], ...]:
    """Every standard component; they are shared, so nobody may change them."""
    return tuple(
        component
        for kind in _PARTS
        for component in components(
            kind, files("agent.xdm.standard").joinpath(f"{kind}.yaml").read_text("utf-8")
        )
    )


def components(kind: str, text: str) -> Iterator[dict[str, Any]]:
    """The components of one kind that a YAML text in the compact notation describes."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for name, body in yaml.load(text, Loader=loader).items():  # both loaders are safe
        yield _component(kind, name, body)


def _component(kind: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    parents = [_reference(parent) for parent in body.get("extends", ())]
    component: dict[str, Any] = {
        "$id": _reference(name),
        "title": body["title"],
        "description": body.get("about", body["title"]),
        "type": "object",
        "meta:resourceType": kind,
        "meta:extensible": True,
        "meta:abstract": kind != "datatypes",
        "meta:xdmType": "object",
        "meta:containerId": "global",
        "version": "1",
    }
    if "for" in body:
        component["meta:intendedToExtend"] = [_reference(parent) for parent in body["for"]]
    if parents:
        component["meta:extends"] = parents
    if "requires" in body:
        component["required"] = body["requires"]
    component["definitions"] = {"fields": _object(body.get("fields", {}))}
    component["allOf"] = [
        *({"$ref": parent} for parent in parents),
        {"$ref": "#/definitions/fields"},
    ]
    return component


def _reference(name: str) -> str:
    return name if "://" in name else XDM + name


def _object(fields: Mapping[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = []
    for key, written in fields.items():
        name = key.removesuffix("!")
        if name != key:
            required.append(name)
        properties[name] = {"title": title_of(name), **_type(written)}
    made: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        made["required"] = required
    return made


def _type(written: Any) -> dict[str, Any]:
    if isinstance(written, list):
        return _list(written[0])
    if isinstance(written, Mapping):
        return _map(written["*"]) if "*" in written else _object(written)
    text = str(written)
    for start, build in _BUILDERS:
        if text.startswith(start):
            return build(text.removeprefix(start))
    return _scalar(text)


def _list(inner: Any) -> dict[str, Any]:
    return {"type": "array", "items": _type(inner)}


def _map(inner: Any) -> dict[str, Any]:
    return {"type": "object", "meta:xdmType": "map", "additionalProperties": _type(inner)}


def _choice(values: str) -> dict[str, Any]:
    listed = _values(values)
    return {
        "type": "string",
        "enum": listed,
        "meta:enum": {value: title_of(value) for value in listed},
    }


def _suggestions(values: str) -> dict[str, Any]:
    return {"type": "string", "meta:enum": {value: title_of(value) for value in _values(values)}}


def _link(name: str) -> dict[str, Any]:
    return {"$ref": _reference(name)}


_BUILDERS: Final = (
    ("list of ", _list),
    ("map of ", _map),
    ("one of ", _choice),
    ("string: ", _suggestions),
    ("@", _link),
)


def _values(text: str) -> list[str]:
    return [value.strip() for value in text.split("|")]


def _scalar(text: str) -> dict[str, Any]:
    name, _, rest = text.partition(" ")
    made: dict[str, Any] = {"type": name}
    if name == "language":
        made = {"type": "string", "pattern": _LANGUAGE}
    elif name in _FORMATS:
        made = {"type": "string", "format": name}
    elif name in _WIDTHS:
        low, high = _WIDTHS[name]
        made = {"type": "integer", "minimum": low, "maximum": high}
    elif name not in {"string", "boolean", "number", "integer", "object"}:
        raise ValueError(f"no type is written {text!r}: see the notation above")
    if rest.startswith("/"):
        return {**made, "pattern": rest.strip("/")}
    return {**made, **_bounds(name, rest)} if rest else made


def _bounds(name: str, text: str) -> dict[str, Any]:
    found = _BOUNDS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} are no bounds: write low..high, low.. or ..high")
    lower, upper = ("minLength", "maxLength") if name == "string" else ("minimum", "maximum")
    bounds = ((lower, found["low"]), (upper, found["high"]))
    return {word: float(at) if "." in at else int(at) for word, at in bounds if at is not None}


def title_of(name: str) -> str:
    """`First name` for `firstName`: what a person reads where nobody wrote a title."""
    words = _WORDS.findall(name)
    text = " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in words)
    return text[:1].upper() + text[1:] or name
