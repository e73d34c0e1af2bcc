"""How is a path, a number or the name of an XDM component read from what a person wrote?"""

import re
from dataclasses import dataclass
from typing import ClassVar

from agent.config.written import Written

TENANT: str = "_tenant"  # stands in paths for the namespace of the organisation, such as _acme
_XDM = "https://ns.adobe.com/xdm/context/"
_CLASSES = {"profile": f"{_XDM}profile", "event": f"{_XDM}experienceevent"}
_NAME = r"[A-Za-z_@][A-Za-z0-9_:@-]*"
_OWN = re.compile(rf"{_NAME}(\[\*\])?(\.{_NAME}(\[\*\])?)*")
_XDM_PATH = re.compile(rf"{_NAME}(\[(\*|\d+)\])?(\.{_NAME}(\[(\*|\d+)\])?)*")
_COMPONENT = re.compile(r"https://ns\.adobe\.com/[!-~]+|[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class OwnPath(Written):
    """Where a field of one's own is, below the tenant's namespace: `order.lines[*].sku`."""

    @property
    def advice(self) -> str:
        return "a path such as order.id, or order.lines[*].sku for a field in a list"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _OWN.fullmatch(value) or value.startswith("_tenant."):
            raise ValueError("not a path of an own field")
        return value


@dataclass(frozen=True)
class XdmPath(Written):
    """A dotted XDM path; `_tenant` at its start stands for the tenant's namespace."""

    @property
    def advice(self) -> str:
        return "an XDM path such as person.name.firstName, or _tenant.order.id for an own field"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _XDM_PATH.fullmatch(value):
            raise ValueError("not an XDM path")
        return value


@dataclass(frozen=True)
class ComponentId(Written):
    """The `$id` of an XDM component, or the last word of one of Adobe's own."""

    noun: str = "field group"

    @property
    def advice(self) -> str:
        if self.noun == "class":
            return "profile, event, or the $id of a class"
        return f"the $id of a {self.noun}, or a word for Adobe's own such as profile-person-details"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _COMPONENT.fullmatch(value):
            raise ValueError("not an XDM component")
        if self.noun == "class" and value in _CLASSES:
            return _CLASSES[value]
        if self.noun == "class" and not value.startswith("https://"):
            raise ValueError("no such class")
        return value if value.startswith("https://") else _XDM + value


@dataclass(frozen=True)
class Number(Written):
    """A number, whole or not."""

    optional: bool = False
    json_types: ClassVar[tuple[str, ...]] = ("number", "string")

    @property
    def advice(self) -> str:
        return "a number"

    def read(self, value: object) -> float | int:
        text = str(value)
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) else float(text)


def with_tenant(path: str, tenant: str) -> str:
    """*path* with the namespace of this tenant where it says `_tenant`."""
    return f"_{tenant}{path.removeprefix(TENANT)}" if is_own(path) else path


def is_own(path: str) -> bool:
    """Whether a path leads below the tenant's namespace, whatever that is called."""
    return path == TENANT or path.startswith(f"{TENANT}.")
