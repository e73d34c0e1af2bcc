"""Which settings come from environment variables, and how do texts refer to them?"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from agent.config.keys import all_keys

# Stands for a value that could not be made out; the problem has been noted already.
MISSING: Final = object()

PREFIX: Final = "AEP_AGENT_"
SHORT_NAMES: Final = {
    "AEP_INLET_URL": "inlet.url",
    "AEP_FLOW_ID": "inlet.flow_id",
    "AEP_INLET_TOKEN": "inlet.token",
}
# Kubernetes describes a Service called aep-agent to every Pod beside it in such variables.
_SERVICE_LINK = re.compile(r"AEP_AGENT_(SERVICE_(HOST|PORT)|PORT)(_.*)?")
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")


class UnknownVariable(ValueError):
    """A text refers to a variable that is not set; `str()` says so and what to write."""


def expand(text: str, environ: Mapping[str, str]) -> str:
    """`text` with `${VAR}` and `${VAR:-default}` replaced, and `$$` as one dollar.

    As in a shell, the default stands in for a variable that is empty, too. UnknownVariable where
    one without default is not set, or where a reference is not complete.
    """

    def replace(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        if found[0] == "$$":
            return "$"
        if name is None:
            raise UnknownVariable(
                "found `${` that is no variable; write ${VAR}, or $$ for a dollar"
            )
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise UnknownVariable(
                f"found ${{{name}}}, which is not set in the environment; "
                f"set it or write ${{{name}:-default}}"
            )
        return environ[name]

    return _VARIABLE.sub(replace, text)


def variables_in(text: str) -> list[str]:
    """The references in a text, as `${NAME}`: without what stands beside them, or in for them."""
    return [f"${{{found[1]}}}" for found in _VARIABLE.finditer(text) if found[1]]


def variable_of(key: str) -> str:
    """The variable that sets a key: AEP_AGENT_BATCH__MAX_WAIT for batch.max_wait."""
    return PREFIX + key.upper().replace(".", "__")


def from_environment(environ: Mapping[str, str]) -> tuple[dict[str, tuple[str, Any]], list[str]]:
    """Settings by dotted key, each with its variable's name, and warnings about unknown names.

    A variable that is empty sets nothing; one that says `null` unsets the key.
    """
    keys = {variable_of(key.path): key.path for key in all_keys().values() if _settable(key.path)}
    found: dict[str, tuple[str, Any]] = {}
    for names in (SHORT_NAMES, keys):  # the long name is the more specific one: it wins
        for name, key in names.items():
            if value := environ.get(name):
                found[key] = (name, None if value == "null" else value)
    unknown = [
        name
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in keys and not _SERVICE_LINK.fullmatch(name)
    ]
    return found, [f"environment {name}: {_unknown(name, keys)}" for name in unknown]


def _unknown(name: str, known: Iterable[str]) -> str:
    path = name.removeprefix(PREFIX)
    if path.split("__")[0] == "SOURCES":
        return "ignored; sources are set in a file or by flags"
    if path.split("__")[0] == "FLOWS":
        return "ignored; flows are set in a file; ${VARIABLES} in it come from the environment"
    near = get_close_matches(path, [other.removeprefix(PREFIX) for other in known], n=1)
    return "no such setting, so it is ignored" + (
        f"; did you mean {PREFIX}{near[0]}?" if near else ""
    )


def _settable(path: str) -> bool:
    return all_keys()[path].scalar and not path.startswith("sources.")
