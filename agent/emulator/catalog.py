"""Which datasets are there, and what came of the batches of their records?

* GET, POST           /data/foundation/catalog/dataSets
* GET, PATCH, PUT, DELETE  …/dataSets/{id}; PATCH takes an object to merge or a list of operations
* PATCH               …/v2/dataSets/{id}, with If-Match

Answers to what changes a dataset are lists of references, `["@/dataSets/ID"]`; lists are objects
keyed by id (`catalog_lists`). Tags are kept as they came: `unifiedProfile` and `unifiedIdentity`
enable a dataset, `profile` and `identity`, which old tutorials write, do nothing.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.emulator import patches, refusals
from agent.emulator.calls import answered, caller, json_of, object_of
from agent.emulator.catalog_lists import bad, chosen, projected
from agent.emulator.refusals import Refused
from agent.emulator.resources import Resource
from agent.emulator.state import State

PATH = "/data/foundation/catalog"
_GIVEN = ("id", "imsOrg", "created", "updated", "createdClient", "createdUser", "updatedUser")
_BY_NAME = ("name", "description", "version", "createdClient", "createdUser", "updatedUser")
_FORMATS = ("", "csv", "text", "parquet", "json", "sequencefile", "avro", "delta")


class Catalog:
    """The routes of Catalog."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._datasets = state.platform.datasets

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        one = f"{PATH}/dataSets/{{id}}"
        return [
            web.get(f"{PATH}/dataSets", self.every),
            web.post(f"{PATH}/dataSets", self.make),
            web.get(one, self.one),
            web.patch(one, self.patch),
            web.put(one, self.replace),
            web.delete(one, self.remove),
            web.patch(f"{PATH}/v2/dataSets/{{id}}", self.patch),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """GET /dataSets: keyed by id."""
        lying = self._datasets.all(sandbox=caller(request).sandbox)
        return answered(
            chosen(((each.id, _shown(each)) for each in lying), request.query, _BY_NAME)
        )

    async def make(self, request: web.Request) -> web.Response:
        """POST /dataSets."""
        asked = self._checked(await object_of(request, bad), caller(request).sandbox)
        who = caller(request)
        body = {**asked, "imsOrg": who.org_id, "createdClient": who.client_id}
        made = self._datasets.add(body, sandbox=who.sandbox)
        where = {"Location": f"{PATH}/dataSets/{made.id}"}
        return answered(_references(made), 201, headers=where)

    async def one(self, request: web.Request) -> web.Response:
        """GET /dataSets/{id}: keyed as lists are."""
        found = self._named(request)
        shown = projected(_shown(found), request.query)
        return answered({found.id: shown}, headers={"ETag": f'"{found.etag}"'})

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH /dataSets/{id} or /v2/dataSets/{id}: an object to merge, or operations."""
        found = self._named(request)
        _check_etag(request, found)
        asked = await json_of(request, bad)
        if isinstance(asked, list):
            try:
                body = patches.patched(found.body, asked)
            except patches.UnusableOperation as error:
                raise bad(str(error)) from None
        elif isinstance(asked, dict):
            body = patches.merged(found.body, asked)
        else:
            raise bad("the body is neither an object nor a list of operations")
        return self._kept(found, body)

    async def replace(self, request: web.Request) -> web.Response:
        """PUT /dataSets/{id}: all that was said before is gone."""
        found = self._named(request)
        _check_etag(request, found)
        return self._kept(found, await object_of(request, bad))

    async def remove(self, request: web.Request) -> web.Response:
        """DELETE /dataSets/{id}."""
        found = self._named(request)
        self._datasets.remove(found.id)
        return answered(_references(found))

    def _named(self, request: web.Request) -> Resource:
        id_ = request.match_info["id"]
        found = self._datasets.get(id_, sandbox=caller(request).sandbox)
        if found is None:
            raise not_found("dataSet", id_)
        return found

    def _kept(self, found: Resource, body: Any) -> web.Response:
        if not isinstance(body, dict):
            raise bad("a dataset is an object")
        as_before = {key: found.body.get(key) for key in ("imsOrg", "createdClient")}
        kept = self._datasets.replace(found.id, {**self._checked(body, found.sandbox), **as_before})
        return answered(_references(kept), headers={"ETag": f'"{kept.etag}"'})

    def _checked(self, asked: Mapping[str, Any], sandbox: str) -> dict[str, Any]:
        """What is kept of a dataset that was written. Raises Refused where it makes no sense."""
        kept = {key: value for key, value in asked.items() if key not in _GIVEN}
        name = kept.get("name")
        if not isinstance(name, str) or not name.strip():
            raise bad("name: write the dataset's name")
        _check_tags(kept.get("tags", {}))
        self._check_schema(kept.get("schemaRef"), sandbox)
        file = kept.setdefault("fileDescription", {"format": "parquet", "persisted": True})
        if not isinstance(file, Mapping) or file.get("format", "parquet") not in _FORMATS:
            raise bad(f"fileDescription.format: write one of {', '.join(_FORMATS[1:])}")
        return kept

    def _check_schema(self, ref: Any, sandbox: str) -> None:
        if ref is None:
            return
        if not isinstance(ref, Mapping) or not isinstance(ref.get("id"), str):
            raise bad("schemaRef: write {id, contentType}")
        if not self._state.registry.has_schema(ref["id"], sandbox):
            raise bad(f"schemaRef.id: the Schema Registry has no schema {ref['id']}")


def not_found(kind: str, id_: str) -> Refused:
    """A 404 in Catalog's words."""
    return refusals.as_placeholder(404, "NotFoundError", f"Unable to find {kind} with id {id_}")


def _check_etag(request: web.Request, found: Resource) -> None:
    """If-Match, where it is sent, must name what is there now."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and wanted.strip() not in ("*", f'"{found.etag}"'):
        detail = f"If-Match names {wanted}, but dataSet {found.id} has changed since"
        raise refusals.as_placeholder(412, "PreconditionFailedError", detail)


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, Mapping):
        raise bad("tags: write lists of texts by name")
    for name, values in tags.items():
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise bad(f'tags.{name}: write a list of texts, such as ["enabled:true"]')


def _shown(kept: Resource) -> dict[str, Any]:
    return {
        "name": kept.body["name"],
        "version": f"1.0.{kept.revision - 1}",
        **kept.body,
        "created": kept.created_ms,
        "updated": kept.updated_ms,
        "createdUser": kept.body.get("createdClient", ""),
        "updatedUser": kept.body.get("createdClient", ""),
        "tags": kept.body.get("tags", {}),
        "namespace": "ACP",
        "state": "DRAFT",
        "files": f"@/dataSetFiles?dataSetId={kept.id}",
    }


def _references(kept: Resource) -> list[str]:
    return [f"@/dataSets/{kept.id}"]
