"""What describes fields of schemas: which is an identity, which points to another schema?

* GET, POST         /data/foundation/schemaregistry/tenant/descriptors
* GET, PUT, DELETE  …/tenant/descriptors/{id}

Lists are grouped by type, or with an `xdm-v2` Accept header paged. The global container has none.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.emulator.calls import answered, caller, object_of
from agent.emulator.resources import Resource
from agent.emulator.sandboxes import sandbox_id, sandbox_type
from agent.emulator.schemas import accept
from agent.emulator.schemas.accept import Form
from agent.emulator.schemas.errors import Words
from agent.emulator.schemas.lists import Page
from agent.emulator.schemas.registry import IDENTITY, Registry, is_in_union
from agent.emulator.schemas.routes import PATH
from agent.errors import SchemaError

_TYPES = {
    IDENTITY: ("xdm:sourceProperty", "xdm:namespace"),
    "xdm:alternateDisplayInfo": ("xdm:sourceProperty",),
    "xdm:descriptorOneToOne": ("xdm:sourceProperty", "xdm:destinationSchema"),
    "xdm:descriptorRelationship": ("xdm:sourceProperty", "xdm:destinationSchema"),
    "xdm:descriptorReferenceIdentity": ("xdm:sourceProperty", "xdm:identityNamespace"),
    "xdm:descriptorDeprecated": ("xdm:sourceProperty",),
    "xdm:descriptorLabel": (),
}


class DescriptorRoutes:
    """The routes to descriptors."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept = registry.kept_descriptors

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        own = f"{PATH}/tenant/descriptors"
        return [
            web.get(f"{PATH}/{{container:global|tenant}}/descriptors", self.every),
            web.post(own, self.make),
            web.get(f"{own}/{{id}}", self.one),
            web.put(f"{own}/{{id}}", self.replace),
            web.delete(f"{own}/{{id}}", self.remove),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """GET all descriptors."""
        words = _words(request)
        form = accept.of_descriptors(request.headers.get("Accept", ""), words)
        every = [_shown(each) for each in self._kept.all(sandbox=caller(request).sandbox)]
        if request.match_info["container"] == "global":
            every = []
        page = Page(every, request.path, request.query, words)
        if form.is_paged:
            body = page.as_json(lambda each: _in_form(each, form))
        else:
            body = {}
            for each in page.components:
                body.setdefault(each["@type"], []).append(_in_form(each, form))
        return answered(body, content_type=form.media_type)

    async def one(self, request: web.Request) -> web.Response:
        """GET one descriptor."""
        words = _words(request)
        form = accept.of_descriptor(request.headers.get("Accept", ""), words)
        return answered(_shown(self._named(request)), content_type=form.media_type)

    async def make(self, request: web.Request) -> web.Response:
        """POST a descriptor."""
        who = caller(request)
        body = self._checked(request, await object_of(request, _words(request).bad), None)
        made = self._kept.add(body, id=secrets.token_hex(20), sandbox=who.sandbox)
        return answered(_shown(made), 201)

    async def replace(self, request: web.Request) -> web.Response:
        """PUT a descriptor in place of the present one."""
        found = self._named(request)
        asked = await object_of(request, _words(request).bad)
        return answered(
            _shown(self._kept.replace(found.id, self._checked(request, asked, found.id)))
        )

    async def remove(self, request: web.Request) -> web.Response:
        """DELETE a descriptor, unless Profile relies on it."""
        found = self._named(request)
        schema = self._registry.found(
            "schemas", found.body["xdm:sourceSchema"], caller(request).sandbox
        )
        if found.body.get("xdm:isPrimary") and schema is not None and is_in_union(schema.body):
            raise _words(request).bad(
                f"{schema.id} is enabled for Profile: its primary identity cannot be deleted"
            )
        self._kept.remove(found.id)
        return web.Response(status=204)

    def _named(self, request: web.Request) -> Resource:
        id_ = request.match_info["id"]
        found = self._kept.get(id_, sandbox=caller(request).sandbox)
        if found is None:
            raise _words(request).not_found("descriptors", id_)
        return found

    def _checked(
        self, request: web.Request, asked: Mapping[str, Any], id_: str | None
    ) -> dict[str, Any]:
        """What is kept of a descriptor; `id_` is its own where it is there already."""
        who, words = caller(request), _words(request)
        kind = asked.get("@type")
        if not isinstance(kind, str) or kind not in _TYPES:
            raise words.bad(f"@type: found {kind!r}; write one of {', '.join(_TYPES)}")
        for name in ("xdm:sourceSchema", *_TYPES[kind]):
            if not isinstance(asked.get(name), str) or not asked[name]:
                raise words.bad(f"{name}: a {kind} needs it")
        schema = self._registry.found("schemas", asked["xdm:sourceSchema"], who.sandbox)
        if schema is None:
            raise words.not_composed(f"xdm:sourceSchema: no schema {asked['xdm:sourceSchema']}")
        if "xdm:sourceProperty" in asked:
            self._check_property(schema.id, str(asked["xdm:sourceProperty"]), who.sandbox, words)
        self._check_others(asked, id_, schema.id, who.sandbox, words)
        defaults: dict[str, Any] = {"xdm:sourceVersion": 1}
        if kind == IDENTITY:
            defaults |= {"xdm:property": "xdm:code", "xdm:isPrimary": False}
        given = {key: value for key, value in asked.items() if not key.startswith(("@id", "meta:"))}
        return {**defaults, **given, "xdm:sourceSchema": schema.id, "imsOrg": who.org_id}

    def _check_property(self, ref: str, pointer: str, sandbox: str, words: Words) -> None:
        try:
            schema = self._registry.schema(ref, sandbox)
        except SchemaError as error:
            raise words.not_composed(str(error)) from None
        path = pointer.strip("/").replace("/properties/", "/").replace("/", ".")
        if not pointer.startswith("/") or schema.field(path) is None:
            raise words.bad(f"xdm:sourceProperty: {ref} has no field {pointer}")

    def _check_others(
        self, asked: Mapping[str, Any], id_: str | None, ref: str, sandbox: str, words: Words
    ) -> None:
        for each in self._kept.all(sandbox=sandbox):
            body = each.body
            if each.id == id_ or body["xdm:sourceSchema"] != ref or body["@type"] != asked["@type"]:
                continue
            if body.get("xdm:sourceProperty") == asked.get("xdm:sourceProperty"):
                raise words.bad(f"{each.id} describes {body.get('xdm:sourceProperty')} already")
            if body.get("xdm:isPrimary") and asked.get("xdm:isPrimary"):
                raise words.bad(f"{body['xdm:sourceProperty']} is the primary identity already")


def _words(request: web.Request) -> Words:
    return Words(caller(request).request_id)


def _shown(kept: Resource) -> dict[str, Any]:
    return {
        "@id": kept.id,
        **kept.body,
        "version": str(kept.revision),
        "meta:containerId": "tenant",
        "meta:sandboxId": sandbox_id(kept.sandbox),
        "meta:sandboxType": sandbox_type(kept.sandbox),
    }


def _in_form(shown: dict[str, Any], form: Form) -> Any:
    if form.is_id:
        return shown["@id"]
    return f"{PATH}/tenant/descriptors/{shown['@id']}" if form.is_link else shown
