"""What have connections, source connections, target connections and flows in common?"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from agent.emulator.calls import Caller
from agent.emulator.flow.patching import GIVEN
from agent.emulator.flow.problems import Problem, provider
from agent.emulator.platform import Platform
from agent.emulator.resources import Resource
from agent.emulator.sandboxes import sandbox_id

COMMON = GIVEN | {"name", "description", "state", "connectionSpec"}
_STATES = ("enabled", "disabled")

Body = dict[str, Any]


class Kind(ABC):
    """One kind of resource: which bodies it takes, and how it shows them."""

    name: ClassVar[str]  # in the path
    own_fields: ClassVar[frozenset[str]] = frozenset()
    states: ClassVar[tuple[str, ...]] = _STATES

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.resources = platform[self.name]

    @property
    def fields(self) -> frozenset[str]:
        """What an item may have, and can be searched by."""
        return COMMON | self.own_fields

    @abstractmethod
    def checked(self, body: Body, sandbox: str, old: Body | None) -> Body:
        """What is kept of a body, of a new resource or one in place of `old`. Raises Problem."""

    @abstractmethod
    def shown(self, resource: Resource, root: str) -> Body:
        """What an item says beside what all items do; `root` is the URL of this emulator."""

    @abstractmethod
    def check_removal(self, resource: Resource) -> None:
        """Raises Problem where something still needs the resource."""

    def made(self, body: Body, caller: Caller) -> Resource:
        """A new resource. Raises Problem."""
        self._check_state(body.get("state", "enabled"))
        kept = self.checked(_said(body), caller.sandbox, None)
        by = {
            "createdBy": caller.client_id,
            "updatedBy": caller.client_id,
            "createdClient": caller.client_id,
            "updatedClient": caller.client_id,
            "imsOrgId": caller.org_id,
        }
        kept = {**kept, "state": kept.get("state", "enabled"), **by}
        return self.resources.add(kept, sandbox=caller.sandbox)

    def changed(self, old: Resource, body: Body, caller: Caller) -> Resource:
        """The resource with another body in place of the old one. Raises Problem."""
        self._check_state(body.get("state"))
        kept = self.checked(_said(body), caller.sandbox, old.body)
        return self._replaced(old, kept, caller, "update")

    def moved(self, old: Resource, state: str, caller: Caller, operation: str) -> Resource:
        """The resource in another state; whether the rest still makes sense is not asked."""
        return self._replaced(old, {**_said(old.body), "state": state}, caller, operation)

    def item(self, resource: Resource, root: str) -> Body:
        """A resource as it is answered."""
        body = resource.body
        etag = quoted(resource.etag)
        return {
            "id": resource.id,
            "createdAt": resource.created_ms,
            "updatedAt": resource.updated_ms,
            **common(resource),
            **{name: value for name, value in body.items() if name not in GIVEN},
            **self.shown(resource, root),
            "version": etag,
            "etag": etag,
        }

    def _replaced(self, old: Resource, kept: Body, caller: Caller, operation: str) -> Resource:
        as_before = {name: old.body[name] for name in GIVEN if name in old.body}
        by = {"updatedBy": caller.client_id, "updatedClient": caller.client_id}
        last = {"lastOperation": {"operation": operation}}
        return self.resources.replace(old.id, {**as_before, **kept, **by, **last})

    def _check_state(self, state: Any) -> None:
        if state not in self.states:
            raise Problem("1456-400", state=state, allowed=", ".join(self.states))


_BY = ("createdBy", "updatedBy", "createdClient", "updatedClient", "imsOrgId")


def common(resource: Resource) -> Body:
    """By whom a resource is, and where."""
    return {
        **{name: resource.body[name] for name in _BY if name in resource.body},
        "sandboxId": sandbox_id(resource.sandbox),
        "sandboxName": resource.sandbox,
    }


def quoted(etag: str) -> str:
    """An etag as it travels: the quotation marks are part of it."""
    return f'"{etag}"'


def text(body: Mapping[str, Any], name: str, where: str = "") -> str:
    """A text that must be there. Raises Problem."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise provider(f"{where}{name} is missing, or no text")
    return value


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object in a body, empty where there is none. Raises Problem."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise provider(f"{name} is no object")
    return value


def spec_ref(
    body: Mapping[str, Any], name: str, known: Mapping[str, Any] | tuple[str, ...]
) -> Body:
    """A reference to a spec, with its version. Raises Problem where the spec is not known."""
    ref = body.get(name)
    id_ = ref.get("id") if isinstance(ref, Mapping) else None
    if not isinstance(id_, str) or id_ not in known:
        said = "missing" if id_ is None else f"found {id_}"
        raise Problem("1413-400", reason=f" ({name}.id: {said})")
    assert isinstance(ref, Mapping)
    return {"id": id_, "version": str(ref.get("version") or "1.0")}


def _said(body: Body) -> Body:
    """What the caller can say; the rest is the service's own."""
    return {name: value for name, value in body.items() if name not in GIVEN}
