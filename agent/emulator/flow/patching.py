"""What may a PATCH change of a connection or a flow?

Whatever was said when it was made; what the service itself has added stays. All of the operations
apply, or none does.
"""

from collections.abc import Mapping
from typing import Any

from agent.emulator import patches
from agent.emulator.flow.problems import Problem

_OPERATIONS = ("add", "replace", "remove")
GIVEN = frozenset(
    (
        *("id", "etag", "version", "createdAt", "updatedAt", "createdBy", "updatedBy"),
        *("createdClient", "updatedClient", "sandboxId", "sandboxName", "imsOrgId"),
        *("inheritedAttributes", "lastOperation", "lastRunDetails", "runs"),
    )
)


def patched(body: Mapping[str, Any], operations: Any) -> dict[str, Any]:
    """A changed copy of a body. Raises Problem."""
    if not operations:
        raise Problem("1405-400")
    if isinstance(operations, Mapping):
        operations = [operations]  # the reference shows a lone one for connections
    if not isinstance(operations, list):
        raise _bad("write a list of operations")
    for operation in operations:
        _check(operation)
    try:
        changed = patches.patched(body, operations)
    except patches.UnusableOperation as error:
        raise _bad(str(error)) from None
    assert isinstance(changed, dict)  # no operation replaces the whole
    return changed


def _check(operation: Any) -> None:
    if not isinstance(operation, Mapping):
        raise _bad("an operation is an object with op, path and value")
    if operation.get("op") not in _OPERATIONS:
        raise Problem("1434-400", name=operation.get("op"))
    path = operation.get("path")
    if not isinstance(path, str) or path in ("", "/"):
        raise _bad('Missing field "path".')
    name = path.split("/")[1] if path.startswith("/") else ""
    if name == "connectionSpec":
        raise Problem("1414-400")
    if name in GIVEN:
        raise _bad(f"{path} cannot be changed.")


def _bad(reason: str) -> Problem:
    return Problem("1455-400", reason=reason)
