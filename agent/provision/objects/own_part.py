"""What has a field group below the tenant's namespace, and how do two such trees differ?

The platform may add to what was sent, bounds of whole numbers say; that is no difference.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Rules = dict[str, Any]

_COMPARED = ("type", "format", "enum", "pattern", "minimum", "maximum")
_ADDED = ("minimum", "maximum")  # by the platform, unasked


def own_part(body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """What a field group has below the tenant's namespace."""
    for each in (*(body.get("definitions") or {}).values(), body):
        own = (each.get("properties") or {}).get(f"_{tenant}")
        if isinstance(own, dict):
            return own
    return {}


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Rules]]:
    """The fields of a tree, each with the rules for its values."""
    if tree.get("type") == "array":
        yield from leaves(tree.get("items") or {}, f"{path}[*]")
        return
    required = tree.get("required") or ()
    for name, below in (tree.get("properties") or {}).items():
        for place, rules in leaves(below, f"{path}.{name}" if path else name):
            yield place, {**rules, **({"required": True} if name in required else {})}
    if not tree.get("properties") and path:
        yield path, {key: tree[key] for key in _COMPARED if tree.get(key) is not None}


def broken(found: Rules, wanted: Rules) -> bool:
    """Whether a rule that is wanted is not there, or another one."""
    return any(found.get(key) != rule for key, rule in wanted.items())


def stricter(found: Rules, wanted: Rules) -> bool:
    """Whether there are rules that nobody asked for, and that the platform does not add."""
    return bool(found.keys() - wanted.keys() - set(_ADDED))


def in_words(rules: Rules | None) -> str | None:
    """Rules for people."""
    if rules is None:
        return None
    return ", ".join(f"{key} {rule}" if key != "type" else str(rule) for key, rule in rules.items())


def merged(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """*now* with what *wanted* has besides, below the same names."""
    whole = {**now, **{name: value for name, value in wanted.items() if name not in now}}
    for name in now.keys() & wanted.keys():
        if isinstance(now[name], Mapping) and isinstance(wanted[name], Mapping):
            whole[name] = merged(now[name], wanted[name])
        elif isinstance(now[name], list) and name == "required":
            whole[name] = list(dict.fromkeys([*now[name], *wanted[name]]))
    return whole
