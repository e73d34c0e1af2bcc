"""Would the agent take the settings that a manifest has for it?"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.keys import KeyPath
from agent.config.model import Config
from agent.config.problems import explain
from agent.config.validating import Invalid, validated

_OURS = ("url", "flow_id", "ready_at", "envelope", "credentials", "token", "token_file")


def unfit_settings(settings: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """What the agent would not take of the settings, as far as it can be told without variables."""
    inlet = settings.get("inlet") or {}
    if not isinstance(inlet, Mapping):
        yield ("inlet",), "found text; write keys and values below it"
        return
    for key in _OURS:
        if key in inlet:
            yield ("inlet", key), "it is written by apply; leave it out"
    if "flows" in settings:
        yield ("flows",), "a manifest is about one flow; leave it out"
        return
    stub = {**inlet, "url": "https://localhost/collection/0", "flow_id": "0"}
    try:
        validated(Config, {**settings, "inlet": stub})
    except Invalid as error:
        for details in error.mistakes:
            if details["loc"] and "${" not in str(details.get("input")):
                yield explain(details)
