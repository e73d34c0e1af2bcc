"""What is wrong with a configuration, in words that say what to write instead?"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.config.keys import KeyPath, beside, dotted, is_in_flow, key_at, path_of, suggestion
from agent.config.model import Config
from agent.config.section import Section
from agent.config.variables import SHORT_NAMES
from agent.config.written import Wrong

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_VARIABLES = {key: variable for variable, key in SHORT_NAMES.items()}


@dataclass(frozen=True)
class Problem:
    """One thing to put right: where it was written, the key, and what to write instead."""

    origin: str  # a file, an environment variable, the command line
    line: int | None
    path: KeyPath
    text: str

    def __str__(self) -> str:
        place = self.origin if self.line is None else f"{self.origin}:{self.line}"
        return ": ".join(part for part in (place, show_path(self.path), self.text) if part)


def show_path(path: Sequence[str | int]) -> str:
    """`sources[0].paths` for a path in the configuration; unprintable keys are escaped."""
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{_one_line(part)}"
    return shown.removeprefix(".")


def show(value: object, *, secret: bool = False) -> str:
    """What was found, in a few words on one line: never a secret, never a whole section."""
    match value:
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list" if value else "an empty list"
    if secret:
        return "a value (not shown: it is secret)"
    # Whoever pastes a URL into the wrong place may paste a user and password with it.
    text = re.sub(r"//\S*@", "//…@", str(value))
    if len(text) > 80:
        text = f"{text[:60]}…"
    return f'"{_one_line(text)}"'


def _one_line(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def explain(error: "ErrorDetails", model: type[Section] = Config) -> tuple[KeyPath, str]:
    """The path of the key that a validation error is about, and the sentence about it."""
    path, kind, context = path_of(error["loc"], model), error["type"], error.get("ctx", {})
    if isinstance(mistake := context.get("error"), Wrong):
        context = vars(mistake)
    if kind == "unexpected_keyword_argument":
        return path, _unknown(path, model)
    below = tuple(int(key) if key.isdecimal() else key for key in _below(context))
    path += below
    found = None if kind == "missing" else error["input"]
    for key in below:
        found = _item(found, key)
    advice = _ADVICE.get(kind, _example)(path, context, model)
    sentence = f"{_found(found, path, error, model)}; write {advice}"
    if found is None and model is Config and (variable := _VARIABLES.get(dotted(path))):
        sentence += f", or set {variable}"
    return path, sentence


def _below(context: Mapping[str, Any]) -> list[str]:
    """The keys that lead from the place pydantic names to the one that is wrong."""
    if "discriminator" in context:
        return ["type"]
    return context["key"].split(".") if context.get("key") else []


def _item(found: Any, key: str | int) -> Any:
    """What was written for a key of a section or list; None where nothing was."""
    try:
        return found[key]
    except (KeyError, IndexError, TypeError):
        return None


def _found(found: object, path: KeyPath, error: "ErrorDetails", model: type[Section]) -> str:
    if found is None:
        return "missing"
    if error["loc"][-1:] == ("[key]",):
        return "found this name"
    if error["type"] in _SECTION_EXPECTED and not isinstance(found, dict | list | tuple):
        return "found text"  # which may be a secret that belongs into the section
    key = key_at(path, model)
    if key is not None and key.shown_default and found is key.default:
        return f"found {key.shown_default}, the default"
    return f"found {show(found, secret=key is None or key.secret)}"


def _unknown(path: KeyPath, model: type[Section]) -> str:
    section, name = path[:-1], path[-1]
    if name in beside(section, model):
        return "belongs to another type of this section; remove it or change `type`"
    if is_in_flow(section) and not dotted(section) and name in beside(()):
        return "is the same for all flows; write it at the top level"
    if near := suggestion(path, model):
        return f"unknown key; did you mean {near}?"
    return f"unknown key; known here: {', '.join(beside(section, model))}"


def _section(path: KeyPath, context: Mapping[str, Any], model: type[Section]) -> str:
    names = beside(path, model)
    return f"keys below it: {', '.join(names)}" if names else "keys and values below it"


def _example(path: KeyPath, context: Mapping[str, Any], model: type[Section]) -> str:
    key = key_at(path, model)
    if key is None or not key.examples:
        return _section(path, context, model) if beside(path, model) else "a value"
    example = key.examples[0]
    return f"one such as {example if isinstance(example, str) else json.dumps(example)}"


def _tags(path: KeyPath, context: Mapping[str, Any], model: type[Section]) -> str:
    key = key_at(path[:-1], model)
    return " or ".join(key.types) if key else "a type"


def _choices(path: KeyPath, context: Mapping[str, Any], model: type[Section]) -> str:
    return str(context["expected"]).replace("'", "")


_SECTION_EXPECTED = ("dataclass_type", "model_attributes_type", "dict_type")
_Advice = Callable[[KeyPath, Mapping[str, Any], type[Section]], str]
_ADVICE: Mapping[str, _Advice] = {
    "value_error": lambda path, context, model: str(context["advice"]),
    "dataclass_type": _section,
    "model_attributes_type": _section,
    "dict_type": _section,
    "union_tag_not_found": _tags,
    "union_tag_invalid": _tags,
    "literal_error": _choices,
    "bool_type": lambda path, context, model: "true or false",
    "bool_parsing": lambda path, context, model: "true or false",
    "tuple_type": lambda path, context, model: "a list, each item on its own line after a dash",
}
