"""What does a flow take from the top level? Whatever it does not say itself, key by key.

Where two keys stand for each other (a token, or a file with a token), a flow that says one of them
takes none of the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from agent.config.flows import FlowSettings
from agent.config.keys import KeyPath, is_in_flow, key_at
from agent.config.section import names
from agent.errors import ConfigError

Tree = Mapping[str, Any]

SECTIONS = names(FlowSettings)
_STAND_FOR_EACH_OTHER = (
    ("token", "token_file", "credentials"),
    ("client_secret", "client_secret_file"),
    ("flow", "url"),
    ("flow", "flow_id"),
)


def completed(tree: Tree) -> dict[str, Any]:
    """The *tree* of a configuration, each of its flows with what it takes from the top level.

    An inlet of the top level is no inlet then, and goes.
    """
    flows = tree.get("flows")
    if not isinstance(flows, Mapping) or not flows:
        return dict(tree)
    common = {name: tree[name] for name in SECTIONS if name in tree}
    whole = {name: _laid_over(common, {} if own is None else own) for name, own in flows.items()}
    return {**{name: tree[name] for name in tree if name != "inlet"}, "flows": whole}


def each_flow(tree: Tree) -> Iterator[tuple[KeyPath, Tree]]:
    """The path and the tree of each flow of a completed tree; where there are none, the whole."""
    flows = tree.get("flows")
    if not isinstance(flows, Mapping) or not flows:
        yield (), tree
        return
    for name, flow in flows.items():
        if isinstance(flow, Mapping):
            yield ("flows", name), flow


def home(path: KeyPath, tree: Tree) -> KeyPath:
    """Where what a flow has at *path* was written, in the *tree* before it was completed."""
    if is_in_flow(path) and not _is_written(path, tree) and _is_written(path[2:], tree):
        return path[2:]
    return path


def alone(tree: Tree, flow: str) -> dict[str, Any]:
    """The *tree* with only one of its flows: that of this name; for an empty name, the only one.

    Raises ConfigError where it is not clear which flow is meant.
    """
    flows = tree.get("flows")
    if not isinstance(flows, Mapping) or not flows:
        if flow:
            raise ConfigError(f"--flow {flow}: the configuration has no flows; leave it out")
        return dict(tree)
    if not flow and len(flows) > 1:
        raise ConfigError(f"there are several flows; choose one: --flow {', '.join(flows)}")
    name = flow or next(iter(flows))
    if name not in flows:
        raise ConfigError(f"--flow {name}: {no_such_flow(name, flows)}")
    sources = tree.get("sources")
    mine = {**tree, "flows": {name: flows[name] or {}}}
    if isinstance(sources, list):
        mine["sources"] = [each for each in sources if _is_for(name, each)] or None
    return mine


def no_such_flow(name: str, flows: Sequence[str] | Mapping[str, Any]) -> str:
    """What to say of a flow that is not there."""
    near = get_close_matches(name, flows, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(flows)}"
    return f"no flow has this name; {meant}"


def _is_for(flow: str, source: Any) -> bool:
    return not isinstance(source, Mapping) or source.get("flow") in (None, flow)


def _laid_over(common: Any, own: Any, path: KeyPath = ()) -> Any:
    """*own* settings, completed from the *common* ones where both are sections."""
    if not isinstance(own, Mapping) or not isinstance(common, Mapping):
        return own
    if _is_another_type(common, own, path):
        return own
    taken = {name for group in _STAND_FOR_EACH_OTHER for name in group if _says_another(group, own)}
    whole = {name: value for name, value in common.items() if name not in taken or name in own}
    for name, value in own.items():
        below = common.get(name)
        if value is None and isinstance(below, Mapping):
            continue  # a section of which every key is commented out
        whole[name] = _laid_over(below, value, (*path, name))
    return whole


def _is_another_type(common: Tree, own: Tree, path: KeyPath) -> bool:
    """Whether `type` makes these two different kinds of section, which share no keys."""
    key = key_at(path)
    has_types = key is not None and key.types
    return bool(has_types) and own.get("type", common.get("type")) != common.get("type")


def _says_another(group: Sequence[str], own: Tree) -> bool:
    return any(own.get(name) is not None for name in group)


def _is_written(path: KeyPath, tree: Tree) -> bool:
    here: Any = tree
    for part in path:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return False
    return bool(path)
