"""How are mapping sets and expressions tried before anything is kept?

* POST  /data/foundation/conversion/mappingSets/validate   each mapping is held against the schema
* POST  …/mappingSets/preview                              what becomes of records
* POST  …/languages/el/validate                            whether an expression is one
* GET   …/languages/el/functions and …/languages/el/operators
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
from agent.emulator.calls import answered, caller, object_of
from agent.emulator.dataprep.errors import bad
from agent.emulator.dataprep.problems import problems, schema_of
from agent.emulator.dataprep.routes import PATH
from agent.emulator.state import State

_PREVIEWED_MAX = 1000


class TrialRoutes:
    """The routes that keep nothing."""

    def __init__(self, state: State) -> None:
        self._registry = state.registry

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        language = f"{PATH}/languages/el"
        return [
            web.post(f"{PATH}/mappingSets/validate", self.validate),
            web.post(f"{PATH}/mappingSets/preview", self.preview),
            web.post(f"{language}/validate", self.validate_expression),
            web.get(f"{language}/functions", self.functions),
            web.get(f"{language}/operators", self.operators),
        ]

    async def validate(self, request: web.Request) -> web.Response:
        """POST a mapping set: what is wrong with each of its mappings."""
        asked = await object_of(request, bad)
        schema = schema_of(asked, self._registry, caller(request).sandbox)
        listed = asked.get("mappings")
        if not isinstance(listed, list):
            raise bad("mappings: write a list")
        answers = []
        for each in listed:
            wrong = problems({**asked, "mappings": [each]}, schema)
            errors = [_error(each, problem) for problem in wrong] or None
            answers.append({"status": "FAILED" if errors else "SUCCESS", "errors": errors})
        return answered({"validationResponse": answers})

    async def preview(self, request: web.Request) -> web.Response:
        """POST records and a mapping set: what becomes of them."""
        body = await object_of(request, bad)
        records, asked = body.get("data"), body.get("mappingSet")
        if not isinstance(records, list) or len(records) > _PREVIEWED_MAX:
            raise bad(f"data: write a list of at most {_PREVIEWED_MAX} records")
        if not isinstance(asked, Mapping):
            raise bad("mappingSet: write the mapping set")
        mapping = _compiled(asked)
        schema = schema_of(asked, self._registry, caller(request).sandbox)
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
        text = (await object_of(request, bad)).get("expression")
        if not isinstance(text, str):
            raise bad("expression: write a text")
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


def _compiled(asked: Mapping[str, Any]) -> MappingSet:
    try:
        return MappingSet.from_json(asked)
    except MappingError as error:
        raise bad(str(error)) from None


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
