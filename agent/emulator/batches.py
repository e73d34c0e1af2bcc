"""What does Catalog say of the batches in which records landed or failed?

* GET /data/foundation/catalog/batches          keyed by id; ?dataSet=, ?status=, ?createdAfter= …
* GET /data/foundation/catalog/batches/{id}

The data plane makes them; nobody else does.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.emulator.calls import answered, caller
from agent.emulator.catalog import PATH, not_found
from agent.emulator.catalog_lists import chosen, projected
from agent.emulator.resources import Resource
from agent.emulator.state import State

_BY_NAME = ("status", "version", "createdClient", "createdUser", "updatedUser", "dataSet")
_INGESTION = "acp_core_statistics_service"


class Batches:
    """The routes to batches."""

    def __init__(self, state: State) -> None:
        self._kept = state.platform.batches

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.get(f"{PATH}/batches", self.every),
            web.get(f"{PATH}/batches/{{id}}", self.one),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """GET the batches that the query means."""
        org = caller(request).org_id
        lying = self._kept.all(sandbox=caller(request).sandbox)
        found = chosen(
            ((each.id, {**_shown(each, org), "dataSet": _dataset_of(each.body)}) for each in lying),
            request.query,
            _BY_NAME,
        )
        return answered({id_: _without_dataset(each) for id_, each in found.items()})

    async def one(self, request: web.Request) -> web.Response:
        """GET one batch."""
        id_ = request.match_info["id"]
        found = self._kept.get(id_, sandbox=caller(request).sandbox)
        if found is None:
            raise not_found("batch", id_)
        return answered({id_: projected(_shown(found, caller(request).org_id), request.query)})


def _shown(kept: Resource, org_id: str) -> dict[str, Any]:
    metrics = kept.body["metrics"]
    return {
        **kept.body,
        "imsOrg": org_id,
        "created": kept.created_ms,
        "createdClient": _INGESTION,
        "createdUser": _INGESTION,
        "updatedUser": _INGESTION,
        "updated": kept.updated_ms,
        "version": f"1.0.{kept.revision - 1}",
        "recordCount": metrics["outputRecordCount"],
        "failedRecordCount": metrics["failedRecordCount"],
        "inputFormat": {"format": "json"},
    }


def _dataset_of(body: Mapping[str, Any]) -> str:
    return str(body["relatedObjects"][0]["id"])


def _without_dataset(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The key is there to be asked for, and is not one of a batch's own."""
    return {key: value for key, value in shown.items() if key != "dataSet"}
