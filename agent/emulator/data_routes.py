"""What landed, what did not, and why: how do people and tests look into the data plane?

* GET  /_emulator/datasets       [{"id", "name", "schema", "tags", "rows"}]: every dataset
* GET  /_emulator/datasets/{id}  its rows, {"total", "rows": [{"xactionId", "receivedTimeMs",
                                 "flowId", "batchId", "entity"}]}; ?limit= (100) and ?offset=;
                                 ?sql= one SELECT from `dataset`: {"columns", "rows", "truncated"}
* GET  /_emulator/failed         records that were accepted and did not land, {"total", "failed":
                                 [{"xactionId", "flowId", "datasetId", "batchId", "message",
                                 "record", "failed"}]}; ?limit=, ?offset=, ?flow_id=
* GET  /_emulator/failed/batches  the same by batch, {"total", "batches": [{"id", "datasetId",
                                 "flowId", "completedMs", "records", "reasons": [{"code",
                                 "description", "records"}]}]}; ?limit=, ?offset=
* GET  /_emulator/failed/reasons  {"total", "reasons": [{"status", "message", "count", …}]}
* GET  /_emulator/profiles       {"total", "duplicates", "profiles": [{"identity", "attributes",
                                 "events"}]}; ?identity=a@b.org or Email:a@b.org; ?limit=, ?offset=
* GET  /_emulator/flows          [{"id", "name", "inletId", "dataset", "landed", "failed", …}]
* GET  /_emulator/traps          {"traps", "meanings"}; PUT {"warm_up": 300} changes some of them
* POST /_emulator/settle         answers once everything accepted is judged; ?wait=SECONDS (30)

All that read take ?wait=SECONDS, too: they answer when everything is judged, or at the latest then.
"""

import asyncio
from itertools import islice
from typing import Any

import msgspec
import orjson
from aiohttp import web

from agent.emulator import queries, traps
from agent.emulator.questions import (
    Answering,
    Wrong,
    answered,
    answered_with,
    page,
    seconds_of,
    told,
)
from agent.emulator.routing import route
from agent.emulator.state import State


class DataRoutes:
    """The routes below /_emulator about what became of accepted records."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._data = state.data_plane

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.get("/_emulator/datasets", self._read(self.datasets)),
            web.get("/_emulator/datasets/{id}", self._read(self.dataset)),
            web.get("/_emulator/failed", self._read(self.failed)),
            web.get("/_emulator/failed/batches", self._read(self.failed_batches)),
            web.get("/_emulator/failed/reasons", self._read(self.failed_reasons)),
            web.get("/_emulator/profiles", self._read(self.profiles)),
            web.get("/_emulator/flows", self._read(self.flows)),
            web.get("/_emulator/traps", self._read(self.traps)),
            web.put("/_emulator/traps", told(self.set_traps)),
            web.post("/_emulator/settle", told(self.settle)),
        ]

    async def datasets(self, request: web.Request) -> web.Response:
        """Every dataset that there is, or in which something landed."""
        landed = self._data.datasets
        known = {each.id: each.body for each in self._state.platform.datasets.all()}
        return answered(
            [
                {
                    "id": id_,
                    "name": known.get(id_, {}).get("name"),
                    "schema": (known.get(id_, {}).get("schemaRef") or {}).get("id"),
                    "tags": known.get(id_, {}).get("tags", {}),
                    "rows": landed.count(id_),
                }
                for id_ in dict.fromkeys((*known, *landed.ids()))
            ]
        )

    async def dataset(self, request: web.Request) -> web.Response:
        """The rows of one dataset."""
        id_ = request.match_info["id"]
        landed = self._data.datasets
        if id_ not in self._state.platform.datasets and id_ not in landed.ids():
            raise Wrong(f"there is no dataset {id_}", 404)
        if "sql" in request.query:
            return await self._asked(id_, request.query["sql"])
        offset, limit = page(request)
        with self._data.lock:
            total, rows = landed.count(id_), list(landed.rows(id_, offset, limit))
        return answered_with({"total": total}, "rows", rows)

    async def failed(self, request: web.Request) -> web.Response:
        """Records that did not land."""
        offset, limit = page(request)
        failed = self._data.failed_batches
        with self._data.lock:
            lines = list(failed.failures(offset, limit, flow_id=request.query.get("flow_id")))
            total = failed.records
        return answered_with({"total": total}, "failed", lines)

    async def failed_batches(self, request: web.Request) -> web.Response:
        """The batches in which they are."""
        offset, limit = page(request)
        failed = self._data.failed_batches
        with self._data.lock:
            total, batches = len(failed), failed.batches(offset, limit)
        batches_told = [
            {
                "id": batch.id,
                "datasetId": batch.dataset_id,
                "flowId": batch.flow_id,
                "completedMs": batch.completed_ms,
                "records": batch.records,
                "reasons": msgspec.to_builtins(batch.reasons),
            }
            for batch in batches
        ]
        return answered({"total": total, "batches": batches_told})

    async def failed_reasons(self, request: web.Request) -> web.Response:
        """Why records did not land."""
        failed = self._data.failed_batches
        with self._data.lock:
            return answered({"total": failed.records, "reasons": failed.reasons.as_json()})

    async def profiles(self, request: web.Request) -> web.Response:
        """What Profile knows."""
        offset, limit = page(request)
        profiles = self._data.profiles
        identity = request.query.get("identity")
        with self._data.lock:
            some = profiles.some(offset, limit) if identity is None else profiles.find(identity)
            found = [orjson.dumps(each.as_json()) for each in islice(some, limit)]
            head = {
                "total": len(profiles),
                "duplicates": profiles.duplicates,
                "beyond": profiles.beyond,
            }
        return answered_with(head, "profiles", found)

    async def flows(self, request: web.Request) -> web.Response:
        """Every flow, and what became of its records."""
        platform = self._state.platform
        with self._data.lock:
            ids = dict.fromkeys(
                (*(each.id for each in platform.flows.all()), *self._data.flow_ids())
            )
            counts = {id_: self._data.counts(id_).as_json() for id_ in ids}
        return answered([self._flow(id_, counts[id_]) for id_ in ids])

    async def traps(self, request: web.Request) -> web.Response:
        """The traps that are set."""
        return answered(traps.as_json(self._state.traps))

    async def set_traps(self, request: web.Request) -> web.Response:
        """Set some of them anew."""
        try:
            some = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            some = None
        if not isinstance(some, dict):
            raise Wrong('write a JSON object with some traps, such as {"warm_up": 300}')
        self._state.set_traps(some)
        return await self.traps(request)

    async def settle(self, request: web.Request) -> web.Response:
        """Wait until everything accepted is judged."""
        seconds = seconds_of(request.query.get("wait", "30"))
        if not await asyncio.to_thread(self._data.settle, seconds):
            raise Wrong(f"after {seconds:g} s there are still records to be judged", 504)
        await self._state.write_parquet()
        return web.Response(status=204)

    def _flow(self, id_: str, counts: dict[str, Any]) -> dict[str, Any]:
        found = route(self._state.platform, id_)
        way = {} if found is None else msgspec.to_builtins(found)
        names = {
            "name": "name",
            "inletId": "inlet_id",
            "source": "source",
            "datasetId": "dataset_id",
            "dataset": "dataset",
            "schemaId": "schema_id",
            "mappingId": "mapping_id",
            "mappingVersion": "mapping_version",
            "profile": "profile",
            "upsert": "upsert",
            "enabled": "enabled",
            "changedMs": "changed_ms",
        }
        about = {name: way.get(key) for name, key in names.items()}
        data_type = None if found is None else "xdm" if found.is_xdm else "raw"
        return {"id": id_, **about, "dataType": data_type, **counts}

    async def _asked(self, dataset_id: str, sql: str) -> web.Response:
        if not queries.is_installed():
            raise Wrong(queries.INSTALL, 501)
        content = await queries.ask(self._data.datasets.file(dataset_id), sql)
        return web.Response(body=content, content_type="application/json")

    def _read(self, answer: Answering) -> Answering:
        """A route that waits first, where that is asked for."""

        async def waited(request: web.Request) -> web.Response:
            if "wait" in request.query:
                await asyncio.to_thread(self._data.settle, seconds_of(request.query["wait"]))
            return await answer(request)

        return told(waited)
