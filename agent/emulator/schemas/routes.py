"""What does the Schema Registry answer?

* GET         /data/foundation/schemaregistry/stats   the tenant's name, among others
* GET, POST   …/{global|tenant}/{kind}                schemas, fieldgroups (or mixins), classes,
                                                      datatypes, behaviors, unions
* GET, PUT, PATCH, DELETE  …/{container}/{kind}/{ref}  by meta:altId, or `$id` quoted for URLs

`global` is read-only. What GET answers depends on Accept (`accept`); lists come in pages
(`lists`).
"""

from typing import Any

from aiohttp import web

from agent.emulator import patches
from agent.emulator.calls import answered, caller, json_of, object_of
from agent.emulator.resources import Resource
from agent.emulator.schemas import accept, forms
from agent.emulator.schemas.composing import Composer
from agent.emulator.schemas.errors import Words
from agent.emulator.schemas.lists import Page
from agent.emulator.schemas.registry import OWN_KINDS, TENANT, Registry, is_in_union
from agent.errors import SchemaError

PATH = "/data/foundation/schemaregistry"
_KINDS = "schemas|fieldgroups|mixins|classes|datatypes|behaviors|unions"
_FORMER = {"mixins": "fieldgroups"}
_RECENT = 10


class SchemaRoutes:
    """The routes to components."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        every = f"{PATH}/{{container:global|tenant}}/{{kind:{_KINDS}}}"
        return [
            web.get(f"{PATH}/stats", self.stats),
            web.get(every, self.every),
            web.post(every, self.make),
            web.get(f"{every}/{{ref}}", self.one),
            web.put(f"{every}/{{ref}}", self.replace),
            web.patch(f"{every}/{{ref}}", self.patch),
            web.delete(f"{every}/{{ref}}", self.remove),
        ]

    async def stats(self, request: web.Request) -> web.Response:
        """GET /stats."""
        who = caller(request)
        own = {kind: list(self._registry.own(kind).all(sandbox=who.sandbox)) for kind in OWN_KINDS}
        every = [each for kept in own.values() for each in kept]
        created = sorted(every, key=lambda each: each.created_ms, reverse=True)
        updated = sorted(every, key=lambda each: each.updated_ms, reverse=True)
        return answered(
            {
                "imsOrg": who.org_id,
                "tenantId": TENANT,
                "counts": {
                    "schemas": len(own["schemas"]),
                    "mixins": len(own["fieldgroups"]),
                    "datatypes": len(own["datatypes"]),
                    "classes": len(own["classes"]),
                    "unions": len(list(self._registry.unions(who.sandbox))),
                },
                "recentlyCreatedResources": [_brief(each) for each in created[:_RECENT]],
                "recentlyUpdatedResources": [_brief(each) for each in updated[:_RECENT]],
                "classUsage": self._class_usage(own["schemas"], who.sandbox),
            }
        )

    async def every(self, request: web.Request) -> web.Response:
        """GET a list of components."""
        words = _words(request)
        form = accept.of_list(request.headers.get("Accept", ""), words)
        components = self._components(request)
        page = Page(components, request.path, request.query, words)
        body = page.as_json(lambda component: forms.listed(component, form))
        link = f"{request.url.origin()}{PATH}/global/schemas"
        body["_links"]["global_schemas"] = {"href": link}
        return answered(body, content_type=form.media_type)

    async def make(self, request: web.Request) -> web.Response:
        """POST a component of the tenant's own."""
        kind = self._own_kind(request)
        words = _words(request)
        asked = await object_of(request, words.bad)
        who = caller(request)
        body = Composer(self._registry, who, words).made(kind, asked)
        made = self._registry.own(kind).add(body, id=body["$id"], sandbox=who.sandbox)
        return answered(forms.whole(made), 201)

    async def one(self, request: web.Request) -> web.Response:
        """GET a component in the form that was asked for."""
        words, ref = _words(request), request.match_info["ref"]
        form = accept.of_single(request.headers.get("Accept", ""), words)
        for component in self._components(request):
            if ref in (component["$id"], component["meta:altId"]):
                break
        else:
            raise words.not_found(_kind(request), ref, form.version)
        if form.version != 1:
            raise words.not_found(_kind(request), ref, form.version)
        try:
            shown = forms.single(component, form, self._registry, caller(request).sandbox)
        except SchemaError as error:
            raise words.not_composed(str(error)) from None
        return answered(shown, content_type=form.media_type)

    async def replace(self, request: web.Request) -> web.Response:
        """PUT a component: all that was said before is gone."""
        kept = self._own(request)
        return self._changed(request, kept, await object_of(request, _words(request).bad))

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH a component by a list of operations."""
        kept, words = self._own(request), _words(request)
        operations = await json_of(request, words.bad)
        if not isinstance(operations, list):
            raise words.bad("the body is no list of JSON Patch operations")
        try:
            asked = patches.patched(kept.body, operations)
        except patches.UnusableOperation as error:
            raise words.bad(str(error)) from None
        return self._changed(request, kept, asked)

    async def remove(self, request: web.Request) -> web.Response:
        """DELETE a component that nothing relies on."""
        kept, words, who = self._own(request), _words(request), caller(request)
        if is_in_union(kept.body):
            raise words.bad(f"{kept.id} is enabled for Profile and cannot be deleted any more")
        if self._registry.is_used(kept.id):
            raise words.bad(f"{kept.id} is the schema of a dataset: delete that first")
        for kind in OWN_KINDS:
            for each in self._registry.own(kind).all(sandbox=who.sandbox):
                if _refers(each.body, kept.id) and each.id != kept.id:
                    raise words.bad(f"{kept.id} is part of {each.id}: change that first")
        self._registry.forget_descriptors(kept.id, who.sandbox)
        self._registry.own(_kind(request)).remove(kept.id)
        return web.Response(status=204)

    def _changed(self, request: web.Request, kept: Resource, asked: Any) -> web.Response:
        kind = _kind(request)
        composer = Composer(self._registry, caller(request), _words(request))
        body = composer.changed(kind, kept.body, asked)
        return answered(forms.whole(self._registry.own(kind).replace(kept.id, body)))

    def _components(self, request: web.Request) -> list[dict[str, Any]]:
        """Every component of the container and kind that the path names, in full."""
        kind, sandbox = _kind(request), caller(request).sandbox
        if request.match_info["container"] == "global":
            return list(self._registry.standard.all(kind))
        if kind == "unions":
            return list(self._registry.unions(sandbox))
        if kind not in OWN_KINDS:
            return []
        return [forms.whole(each) for each in self._registry.own(kind).all(sandbox=sandbox)]

    def _own_kind(self, request: web.Request) -> str:
        kind, container = _kind(request), request.match_info["container"]
        if container != "tenant" or kind not in OWN_KINDS:
            raise _words(request).read_only(container if container == "global" else kind)
        return kind

    def _own(self, request: web.Request) -> Resource:
        kind, ref = self._own_kind(request), request.match_info["ref"]
        found = self._registry.found(kind, ref, caller(request).sandbox)
        if found is None:
            raise _words(request).not_found(kind, ref)
        return found

    def _class_usage(self, schemas: list[Resource], sandbox: str) -> list[dict[str, Any]]:
        users: dict[str, list[Resource]] = {}
        for each in schemas:
            users.setdefault(each.body["meta:class"], []).append(each)
        library = self._registry.library(sandbox)
        return [
            {
                "$id": class_id,
                "title": (library.get(class_id) or {}).get("title", ""),
                "numberOfSchemas": len(using),
                "schemas": [_brief(each) for each in using],
            }
            for class_id, using in users.items()
        ]


def _words(request: web.Request) -> Words:
    return Words(caller(request).request_id)


def _kind(request: web.Request) -> str:
    kind = request.match_info["kind"]
    return _FORMER.get(kind, kind)


def _brief(kept: Resource) -> dict[str, Any]:
    return {
        "title": kept.body["title"],
        "$id": kept.id,
        "meta:altId": kept.body["meta:altId"],
        "version": f"1.{kept.revision - 1}",
    }


def _refers(component: Any, ref: str) -> bool:
    """Whether a component names another one anywhere."""
    if isinstance(component, list):
        return any(_refers(each, ref) for each in component)
    if not isinstance(component, dict):
        return False
    return component.get("$ref") == ref or any(_refers(each, ref) for each in component.values())
