"""Which sandboxes does the organisation have?

* GET    /data/foundation/sandbox-management/                   those that the caller may use
* GET    /data/foundation/sandbox-management/sandboxes          all of them; POST makes one (202)
* GET    /data/foundation/sandbox-management/sandboxes/{name}   one; DELETE removes it (202)
* GET    /data/foundation/sandbox-management/sandboxTypes       which types there can be

`prod` is always there. A new one is active at once.
"""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from agent.emulator import refusals
from agent.emulator.calls import answered, caller, object_of
from agent.emulator.refusals import Refused
from agent.emulator.resources import SANDBOX, Resource, Resources

PATH = "/data/foundation/sandbox-management"
DEFAULT_SANDBOX = SANDBOX
_OF_NEW = ("id", "name", "title", "type", "region")
_TYPES = ("production", "development")
_NAME = re.compile("[a-z][a-z0-9-]{0,254}")
_IDS = uuid.UUID("d537df80-c5d7-11e9-aafb-87c71c35cac8")


class Sandboxes:
    """The sandboxes, and the routes to them."""

    def __init__(self, kept: Resources) -> None:
        self._kept = kept
        if DEFAULT_SANDBOX not in kept:
            kept.add({"title": "Production", "type": "production"}, id=DEFAULT_SANDBOX)

    def __contains__(self, name: object) -> bool:
        return name in self._kept

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.get(f"{PATH}/", self.usable),
            web.get(f"{PATH}/sandboxTypes", self.types),
            web.get(f"{PATH}/sandboxes", self.every),
            web.post(f"{PATH}/sandboxes", self.make),
            web.get(f"{PATH}/sandboxes/{{name}}", self.one),
            web.delete(f"{PATH}/sandboxes/{{name}}", self.remove),
        ]

    async def usable(self, request: web.Request) -> web.Response:
        """Every active sandbox: there are no permissions here."""
        return answered(_listed([_shown(each) for each in self._kept.all()]))

    async def types(self, request: web.Request) -> web.Response:
        """What `type` may be."""
        return answered({"sandboxTypes": [{"id": each, "title": each.title()} for each in _TYPES]})

    async def every(self, request: web.Request) -> web.Response:
        """Every sandbox, as an administrator sees them."""
        return answered(_listed([_shown_in_full(each) for each in self._kept.all()]))

    async def one(self, request: web.Request) -> web.Response:
        """One sandbox."""
        return answered(_shown_in_full(self._named(request)))

    async def make(self, request: web.Request) -> web.Response:
        """A new sandbox, empty."""
        body = await object_of(request, _bad)
        name, title, kind = body.get("name"), body.get("title"), body.get("type")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _bad("name: write a letter, then letters, digits and hyphens, all lower case")
        if not isinstance(title, str) or not title:
            raise _bad("title: write a text")
        if kind not in _TYPES:
            raise _bad(f"type: write {' or '.join(_TYPES)}")
        if name in self._kept:
            raise refusals.as_placeholder(409, "Conflict", f"a sandbox {name} exists already")
        kept = {"title": title, "type": kind, "by": caller(request).client_id}
        made = self._kept.add(kept, id=name)
        asked = {key: value for key, value in _shown_in_full(made).items() if key in _OF_NEW}
        return answered({**asked, "state": "creating"}, 202)

    async def remove(self, request: web.Request) -> web.Response:
        """Remove a sandbox; what lies in it is out of reach from then on."""
        found = self._named(request)
        if found.id == DEFAULT_SANDBOX:
            raise _bad(f"the sandbox {DEFAULT_SANDBOX} cannot be deleted")
        self._kept.remove(found.id)
        return answered({**_shown(found), "state": "deleted"}, 202)

    def _named(self, request: web.Request) -> Resource:
        name = request.match_info["name"]
        found = self._kept.get(name)
        if found is None:
            raise refusals.as_placeholder(
                404, "SandboxNotFoundError", f"there is no sandbox {name}"
            )
        return found


def sandbox_id(name: str) -> str:
    """The id of a sandbox, which is the same wherever the emulator runs."""
    return str(_IDS) if name == DEFAULT_SANDBOX else str(uuid.uuid5(_IDS, name))


def sandbox_type(name: str) -> str:
    """The type that resources repeat of the sandbox they lie in."""
    return "production" if name == DEFAULT_SANDBOX else "development"


def _shown(kept: Resource) -> dict[str, Any]:
    by = kept.body.get("by", "{CREATED_BY}")
    return {
        "name": kept.id,
        "title": kept.body["title"],
        "state": "active",
        "type": kept.body["type"],
        "region": "VA7",
        "isDefault": kept.id == DEFAULT_SANDBOX,
        "etag": kept.revision,
        "createdDate": _iso(kept.created_ms),
        "lastModifiedDate": _iso(kept.updated_ms),
        "createdBy": by,
        "modifiedBy": by,
    }


def _shown_in_full(kept: Resource) -> dict[str, Any]:
    return {"id": sandbox_id(kept.id), **_shown(kept)}


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _listed(shown: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "sandboxes": shown,
        "_page": {"limit": 200, "count": len(shown)},
        "_links": {
            "page": {"href": f"{PATH}/?limit={{limit}}&offset={{offset}}", "templated": True}
        },
    }


def _bad(detail: str) -> Refused:
    return refusals.as_placeholder(400, "BadRequestError", detail)
