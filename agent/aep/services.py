"""What do the clients of all services have in common?"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from agent.aep.calling import Session
from agent.aep.calls import Call, Reply
from agent.errors import PlatformAway, PlatformError

Query = Sequence[tuple[str, str]]


class Service:
    """One service of the platform, below a path of its own."""

    name: ClassVar[str]
    root: ClassVar[str]

    def __init__(self, session: Session) -> None:
        self.session = session

    def path(self, *parts: str) -> str:
        """A path of this service; parts that come from outside are quoted."""
        return "/".join([self.root, *(quote(part, safe="") for part in parts)])

    def call(self, method: str, *parts: str, query: Query = (), **more: Any) -> Call:
        """A call of this service; see `Call` for what else there is to say."""
        return Call(self.name, method, self.path(*parts), query, **more)

    async def ask(self, method: str, *parts: str, query: Query = (), **more: Any) -> Reply:
        """Make a call."""
        return await self.session.ask(self.call(method, *parts, query=query, **more))

    async def object(self, method: str, *parts: str, query: Query = (), **more: Any) -> Any:
        """Make a call that is answered with an object, and return that."""
        call = self.call(method, *parts, query=query, **more)
        reply = await self.session.ask(call)
        if not isinstance(reply.body, Mapping):
            raise self.unusable(call, reply, "the answer holds no JSON object")
        return dict(reply.body)

    def listed(self, call: Call, reply: Reply, key: str | None) -> list[dict[str, Any]]:
        """The objects that an answer lists below a *key*, or is a list of where that is None.

        An answer that is no list is an error and never an empty list: what is not found would be
        made anew.
        """
        items = reply.body
        if key is not None:
            items = reply.body.get(key) if isinstance(reply.body, Mapping) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self.unusable(call, reply, f"the answer holds no {key or 'list'}")
        return items

    def unusable(self, call: Call, reply: Reply, reason: str) -> PlatformError:
        """A success that does not say what it should."""
        return PlatformAway(
            reason,
            service=self.name,
            call=call.shown,
            status=reply.status,
            request_id=reply.headers.get("x-request-id"),
            next_step="check platform.url; what answers there may not be the platform",
            maybe_done=call.method != "GET" and not call.repeatable,
        )


def equal(found: Mapping[str, Any], wanted: Mapping[str, object]) -> bool:
    """Whether an object has these values, each by a dotted path."""
    for path, value in wanted.items():
        here: Any = found
        for part in path.split("."):
            here = here.get(part) if isinstance(here, Mapping) else None
        if here != value:
            return False
    return True
