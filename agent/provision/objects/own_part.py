"""What has a field group below the tenant's namespace, and how do two such trees differ?"""

from collections.abc import Iterator, Mapping
from typing import Any

_COMPARED = ("type", "format", "enum", "pattern", "minimum", "maximum")


def own_part(body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """What a field group has below the tenant's namespace."""
    for each in (body.get("definitions") or {}).values():
        own = (each.get("properties") or {}).get(f"_{tenant}")
        if isinstance(own, dict):
            return own
    return {}


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a tree, each with what its values are, in a few words."""
    if tree.get("type") == "array":
        yield from leaves(tree.get("items") or {}, f"{path}[*]")
        return
    required = tree.get("required") or ()
    for name, below in (tree.get("properties") or {}).items():
        inner = f"{path}.{name}" if path else name
        shown = dict(leaves(below, inner))
        if name in required:
            shown = {place: f"{rules} required" for place, rules in shown.items()}
        yield from shown.items()
    if not tree.get("properties") and path:
        rules = (f"{tree[key]}" for key in _COMPARED if tree.get(key) is not None)
        yield path, " ".join(rules)


def merged(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """*now* with what *wanted* has besides, below the same names."""
    whole = {**now, **{name: value for name, value in wanted.items() if name not in now}}
    for name in now.keys() & wanted.keys():
        if isinstance(now[name], Mapping) and isinstance(wanted[name], Mapping):
            whole[name] = merged(now[name], wanted[name])
        elif isinstance(now[name], list) and name == "required":
            whole[name] = list(dict.fromkeys([*now[name], *wanted[name]]))
    return whole
