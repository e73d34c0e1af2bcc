"""What have all objects of Flow Service in common?

[Flow Service; platform facts 3.2, 3.4]
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from agent.aep.platform import Platform
from agent.provision.objects.kind import (
    Changeable,
    Difference,
    Found,
    Known,
    Removable,
    changed_text,
)

_UNFINISHED = ("initializing", "inProgress", "updating", "enabling")

Group = Literal["connections", "sourceConnections", "targetConnections", "flows"]


class FlowServiceKind(Changeable, Removable):
    """What Flow Service has in common for all its objects."""

    group: ClassVar[Group]

    @property
    def name(self) -> str:
        return self.manifest.flow.name

    @property
    def description(self) -> str | None:
        """What it is for."""
        return self.manifest.flow.description

    def told(self) -> dict[str, Any]:
        """Name and description, as each body has them."""
        description = {"description": self.description} if self.description else {}
        return {"name": self.name, **description}

    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        return _found(await platform.flow.get(self.group, id))

    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        wanted = {"name": self.name, **self.distinct()}
        return [_found(body) for body in await platform.flow.find(self.group, **wanted)]

    def distinct(self) -> dict[str, str]:
        """What besides its name tells it from others, by dotted path."""
        return {}

    async def change(
        self, platform: Platform, found: Found, differences: Sequence[Difference], known: Known
    ) -> None:
        operations = [each.mend for each in differences]
        await platform.flow.patch(self.group, found.id, operations, found.etag)

    async def delete(self, platform: Platform, id: str) -> None:
        await platform.flow.delete(self.group, id)

    def is_settled(self, found: Found, known: Known) -> bool:
        return found.body.get("state") not in _UNFINISHED

    def described(self, found: Found) -> list[Difference]:
        """How its description differs."""
        now = found.body.get("description")
        op = {"op": "replace" if now else "add", "path": "/description", "value": self.description}
        return changed_text("description", now, self.description, op)


def _found(body: Mapping[str, Any]) -> Found:
    return Found(str(body["id"]), body, str(body.get("etag") or body.get("version") or ""))
