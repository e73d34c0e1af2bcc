"""What does an editor need to know to complete and check a configuration while it is written?"""

from typing import Any

from agent.config.changes import LATER
from agent.config.keys import models_in
from agent.config.model import Config
from agent.config.validating import json_schema as schema_of

_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# In a file every value may come from a variable, which is text before it is replaced.
_FROM_VARIABLE = {"type": "string", "pattern": r"\$\{"}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file, for editors such as those with a YAML server."""
    schema = schema_of(Config)
    models = [schema, *schema["$defs"].values()]
    for model in models:
        for name, key in model["properties"].items():
            model["properties"][name] = _or_variable(key)
    for path in LATER:
        _told_later(schema, path)
    # What a file leaves out the environment and flags may bring; what a flow does, the top level.
    for model in models:
        if model["title"] in ("Config", "FlowSettings", "InletSettings", "CredentialSettings"):
            model.pop("required", None)
    return {"$schema": _SCHEMA_DIALECT, **schema, "title": "aep-agent configuration"}


def _told_later(schema: dict[str, Any], path: str) -> None:
    """Say of a key that it takes effect at the next start only."""
    section, _, name = path.rpartition(".")
    models = [schema, schema["$defs"]["FlowSettings"]]
    if section:
        kinds = models_in(Config.__dataclass_fields__[section].type)
        models = [schema["$defs"][kind.__name__] for kind in kinds]
    for model in models:
        if key := model["properties"].get(name):
            key["description"] += " Takes effect at the next start."


def _or_variable(key: dict[str, Any]) -> dict[str, Any]:
    """The schema of a key, with a variable as a choice where the key itself takes no text."""
    if key.get("type") != "boolean" and "enum" not in key:
        return key
    values = {name: key.pop(name) for name in ("type", "enum") if name in key}
    return {**key, "anyOf": [values, _FROM_VARIABLE]}
