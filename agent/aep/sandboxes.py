"""Which sandboxes are there? The sandbox API's client."""

from typing import Any

from agent.aep.services import Service
from agent.errors import NotFound


class Sandboxes(Service):
    """Sandboxes. Which there are is asked without naming one, for that may be the wrong one."""

    name = "Sandbox service"
    root = "/data/foundation/sandbox-management"

    async def usable(self) -> list[dict[str, Any]]:
        """The sandboxes that we may use: `name`, `title`, `state`, `type`."""
        call = self.call("GET", "", sandboxed=False)
        reply = await self.session.ask(call)
        return self.listed(call, reply, "sandboxes")

    async def get(self, name: str) -> dict[str, Any]:
        """One of the sandboxes that we may use. Raises NotFound, naming those there are."""
        found = await self.usable()
        for each in found:
            if each.get("name") == name:
                return each
        names = ", ".join(sorted(str(each.get("name")) for each in found)) or "none"
        raise NotFound(
            f"there is no sandbox {name} that these credentials may use",
            service=self.name,
            call=f"GET {self.path('')}",
            next_step=f"write one of those there are: {names}",
        )

    async def create(self, name: str, title: str, kind: str = "development") -> dict[str, Any]:
        """Have a sandbox made, which takes minutes: its `state` is `creating` meanwhile."""
        body = {"name": name, "title": title, "type": kind}
        return dict(await self.object("POST", "sandboxes", body=body))
