"""How are mapping sets kept, tried and listed, and what can their language do? Data Prep.

* GET, POST         /data/foundation/conversion/mappingSets; the list needs both limit and start
* GET, PUT, DELETE  …/mappingSets/{id}[?version=N]; a PUT makes a new version
* GET               …/mappingSets/{id}/mappings[/{mapping}]
* POST              …/mappingSets/validate   each mapping is held against the schema
* POST              …/mappingSets/preview    what becomes of records, by a mapping set not yet kept
* POST              …/languages/el/validate; GET …/languages/el/functions and …/operators

Both vocabularies are taken (`mapping_sets`). What makes no sense is refused with every reason there
is. The codes of errors (MAPPER-…) are not Adobe's own, since those are not documented.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.dataprep import (
    FUNCTIONS,
    OPERATORS,
    ExpressionError,
    Judge,
    MappingError,
    MappingSet,
    compile_expression,
)
from agent.emulator import mapping_sets, refusals
from agent.emulator.calls import answered, caller, object_of
from agent.emulator.filters import rank, value_at
from agent.emulator.refusals import Refused
from agent.emulator.resources import Resource
from agent.emulator.state import State
from agent.errors import SchemaError
from agent.xdm import Schema

PATH = "/data/foundation/conversion"
_PREVIEWED_MAX = 1000
_LIMIT_MAX = 1000


class DataPrep:
    """The routes of Data Prep."""

    def __init__(self, state: State) -> None:
        self._platform = state.platform
        self._kept = state.platform.mapping_sets
        self._registry = state.registry

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        every, one = f"{PATH}/mappingSets", f"{PATH}/mappingSets/{{id}}"
        language = f"{PATH}/languages/el"
        return [
            web.get(every, self.every),
            web.post(every, self.make),
            web.post(f"{every}/validate", self.validate),
            web.post(f"{every}/preview", self.preview),
            web.get(one, self.one),
            web.put(one, self.replace),
            web.delete(one, self.remove),
            web.get(f"{one}/mappings", self.mappings),
            web.get(f"{one}/mappings/{{mapping}}", self.mapping),
            web.post(f"{language}/validate", self.validate_expression),
            web.get(f"{language}/functions", self.functions),
            web.get(f"{language}/operators", self.operators),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """GET the mapping sets; both limit and start must be given."""
        limit, start = _count(request, "limit"), _count(request, "start")
        limit = min(limit, _LIMIT_MAX)
        name, order = request.query.get("name"), request.query.get("orderBy", "")
        every = [
            shown
            for each in self._kept.all(sandbox=caller(request).sandbox)
            if (shown := mapping_sets.whole(each)) is not None and name in (None, shown.get("name"))
        ]
        direction, _, key = order.rpartition(":")
        if order:
            every.sort(
                key=lambda each: rank(value_at(each, key.lstrip("+-"))),
                reverse=direction == "desc" or key.startswith("-"),
            )
        page = every[start : start + limit]
        links: dict[str, Any] = {"page": _link("{limit}", "{start}", templated=True)}
        if start + limit < len(every):
            links["next"] = _link(limit, start + limit)
        count = {"count": len(page), "limit": limit}
        return answered({"data": page, "_page": count, "_links": links})

    async def make(self, request: web.Request) -> web.Response:
        """POST a mapping set: version 0."""
        body = self._checked(request, await object_of(request, _bad))
        who = caller(request)
        made = mapping_sets.made(self._kept, body, who.client_id, who.sandbox)
        return answered(mapping_sets.brief(made))

    async def one(self, request: web.Request) -> web.Response:
        """GET a mapping set, as it is now or in a version."""
        kept = self._named(request)
        shown = self._shown(request, kept)
        if request.query.get("expandSchema") == "true" and "outputSchema" in shown:
            schema = self._schema(mapping_sets.schema_of(shown), kept.sandbox)
            if schema is not None:
                resolved = schema.full()
                shown["outputSchema"] = {**shown["outputSchema"], "jsonSchema": resolved}
        return answered(shown)

    async def replace(self, request: web.Request) -> web.Response:
        """PUT a new version of a mapping set."""
        kept = self._named(request)
        body = self._checked(request, await object_of(request, _bad))
        replaced = mapping_sets.replaced(self._kept, kept, body, caller(request).client_id)
        return answered(mapping_sets.brief(replaced))

    async def remove(self, request: web.Request) -> web.Response:
        """DELETE a mapping set that no flow names."""
        kept = self._named(request)
        for flow in self._platform.flows.all(sandbox=kept.sandbox):
            if any(
                (each.get("params") or {}).get("mappingId") == kept.id
                for each in flow.body.get("transformations") or []
            ):
                raise _bad(f"the mapping set {kept.id} is used by the flow {flow.id}")
        self._kept.remove(kept.id)
        return web.Response(status=204)

    async def mappings(self, request: web.Request) -> web.Response:
        """GET the mappings of a set."""
        return answered(self._shown(request, self._named(request))["mappings"])

    async def mapping(self, request: web.Request) -> web.Response:
        """GET one mapping of a set."""
        id_ = request.match_info["mapping"]
        for each in self._shown(request, self._named(request))["mappings"]:
            if each["id"] == id_:
                return answered(each)
        raise _not_found(f"mapping {id_}")

    async def validate(self, request: web.Request) -> web.Response:
        """POST a mapping set: what is wrong with each of its mappings."""
        asked = await object_of(request, _bad)
        schema = self._schema_of(request, asked)
        listed = asked.get("mappings")
        if not isinstance(listed, list):
            raise _bad("mappings: write a list")
        answers = []
        for each in listed:
            problems = _problems({**asked, "mappings": [each]}, schema)
            errors = [_error(each, problem) for problem in problems] or None
            answers.append({"status": "FAILED" if errors else "SUCCESS", "errors": errors})
        return answered({"validationResponse": answers})

    async def preview(self, request: web.Request) -> web.Response:
        """POST records and a mapping set: what becomes of them."""
        body = await object_of(request, _bad)
        records, asked = body.get("data"), body.get("mappingSet")
        if not isinstance(records, list) or len(records) > _PREVIEWED_MAX:
            raise _bad(f"data: write a list of at most {_PREVIEWED_MAX} records")
        if not isinstance(asked, Mapping):
            raise _bad("mappingSet: write the mapping set")
        mapping, schema = _compiled(asked), self._schema_of(request, asked)
        answers = []
        for record in records:
            if schema is None:
                mapped = mapping.apply(record)
                entity, warnings = mapped.entity, mapped.warnings
            else:
                outcome = Judge(schema, mapping).judge(record)
                entity, warnings = outcome.mapped or {}, outcome.warnings
            errors = [_error(_meant(asked, each.destination), each.message) for each in warnings]
            answers.append({"data": entity, "errors": errors or None})
        return answered(answers)

    async def validate_expression(self, request: web.Request) -> web.Response:
        """POST an expression: whether it is one."""
        text = (await object_of(request, _bad)).get("expression")
        if not isinstance(text, str):
            raise _bad("expression: write a text")
        try:
            compile_expression(text)
        except ExpressionError:
            return answered(False)
        return answered(True)

    async def functions(self, request: web.Request) -> web.Response:
        """GET every function of the language."""
        return answered(FUNCTIONS)

    async def operators(self, request: web.Request) -> web.Response:
        """GET every operator of the language."""
        return answered(OPERATORS)

    def _checked(self, request: web.Request, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of a mapping set. Raises Refused with everything that is wrong with it."""
        schema = self._schema_of(request, asked)
        if schema is None:
            raise _bad("outputSchema.schemaRef (or xdmSchema): name the schema that is mapped to")
        problems = _problems(asked, schema)
        if problems:
            raise _bad("\n".join(problems))
        return mapping_sets.stored(asked, schema.id)

    def _schema_of(self, request: web.Request, asked: Mapping[str, Any]) -> Schema | None:
        return self._schema(mapping_sets.schema_of(asked), caller(request).sandbox)

    def _schema(self, ref: str | None, sandbox: str) -> Schema | None:
        if ref is None:
            return None
        try:
            return self._registry.schema(ref, sandbox)
        except SchemaError as error:
            raise _bad(f"the schema {ref} cannot be used: {error}") from None

    def _named(self, request: web.Request) -> Resource:
        id_ = request.match_info["id"]
        found = self._kept.get(id_, sandbox=caller(request).sandbox)
        if found is None:
            raise _not_found(f"mapping set {id_}")
        return found

    def _shown(self, request: web.Request, kept: Resource) -> dict[str, Any]:
        version = _count(request, "version") if "version" in request.query else None
        shown = mapping_sets.whole(kept, version)
        if shown is None:
            raise _not_found(f"mapping set {kept.id} in version {version}")
        return shown


def _compiled(asked: Mapping[str, Any]) -> MappingSet:
    try:
        return MappingSet.from_json(asked)
    except MappingError as error:
        raise _bad(str(error)) from None


def _problems(asked: Mapping[str, Any], schema: Schema | None) -> list[str]:
    """What keeps a mapping set from being used, each with the place of its mapping."""
    try:
        mapping = MappingSet.from_json(asked)
    except MappingError as error:
        return [str(each) for each in error.problems]
    return [] if schema is None else mapping.problems(schema)


def _meant(asked: Mapping[str, Any], destination: str) -> Any:
    """The mapping that has this destination."""
    for each in asked["mappings"]:
        if destination in (each.get("destination"), each.get("destinationXdmPath")):
            return each
    return {}


def _error(mapping: Any, exception: str) -> dict[str, Any]:
    given = mapping if isinstance(mapping, Mapping) else {}
    kind = given.get("sourceType") or "ATTRIBUTE"
    return {
        "source": str(given.get("source", given.get("sourceAttribute", ""))),
        "destination": str(given.get("destination", given.get("destinationXdmPath", ""))),
        "sourceType": kind if kind in ("EXPRESSION", "STATIC") else "ATTRIBUTE",
        "exception": exception.removeprefix("mappings[0]: "),
    }


def _link(limit: object, start: object, *, templated: bool = False) -> dict[str, Any]:
    return {
        "href": f"{PATH}/mappingSets?limit={limit}&start={start}",
        "templated": templated,
    }


def _count(request: web.Request, name: str) -> int:
    text = request.query.get(name)
    if text is None:
        raise _bad(f"Required Integer parameter '{name}' is not present")
    if not (text.isascii() and text.isdecimal()):
        raise _bad(f"{name}: found {text!r}, which is not a whole number")
    return int(text)


def _bad(detail: str) -> Refused:
    report = {"detailed-message": detail}
    return refusals.by_service("MAPPER-1000-400", "Bad request", detail, report)


def _not_found(what: str) -> Refused:
    detail = f"The {what} is not found"
    return refusals.by_service("MAPPER-1001-404", "Not found", detail, {"detailed-message": detail})
