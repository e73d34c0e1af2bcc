"""What does Data Access hand out of the records of a batch that did not land?

* GET /data/foundation/export/batches/{id}/failed         the files; ?start= and ?limit= (100)
* GET …/failed?path=NAME                                  one file: a JSON object a line
* GET …/batches/{id}/meta                                 what there is to diagnose errors with
* GET …/meta?path=row_errors|row_errors/NAME|row_errors_sample.json|input_files

Each object is the XDM message with `_validationErrors` or `_errors` beside it. Files of batches
that landed are not handed out: /_emulator/datasets shows their rows.
"""

from typing import Any

from aiohttp import web

from agent.emulator import refusals
from agent.emulator.calls import answered, caller, count_in_query
from agent.emulator.refusals import Refused
from agent.emulator.state import State

PATH = "/data/foundation/export"
_LIMIT = 100
_SAMPLES = 10
_SAMPLES_NAMES = ("row_errors_sample.json", "row_error_samples.json")  # both are documented
_PART = "part-00000-{id}.json"


class Export:
    """The routes of Data Access."""

    def __init__(self, state: State) -> None:
        self._batches = state.platform.batches
        self._data_plane = state.data_plane

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.get(f"{PATH}/batches/{{id}}/failed", self.failed),
            web.get(f"{PATH}/batches/{{id}}/meta", self.meta),
        ]

    async def failed(self, request: web.Request) -> web.Response:
        """The files of a failed batch, or one of them."""
        lines = self._failed_lines(request)
        part = _PART.format(id=request.match_info["id"])
        path = request.query.get("path")
        if path is None:
            files = [("_SUCCESS", 0), (part, _length(lines))] if lines else []
            return _listed(request, files)
        if path == "_SUCCESS" and lines:
            return _file([])
        if path != part or not lines:
            raise _not_found(f"path {path} of batch {request.match_info['id']}")
        return _file(lines)

    async def meta(self, request: web.Request) -> web.Response:
        """What there is to diagnose the errors of a batch with."""
        lines = self._failed_lines(request)
        part = _PART.format(id=request.match_info["id"])
        path = request.query.get("path", "")
        samples = lines[:_SAMPLES]
        files = {
            "": [("row_errors", 0), ("input_files", 0), (_SAMPLES_NAMES[0], _length(samples))],
            "row_errors": [(f"row_errors/{part}", _length(lines))],
            "input_files": [],
        }
        if path in files and (lines or not path):
            return _listed(request, files[path] if lines else [])
        if path == f"row_errors/{part}" and lines:
            return _file(lines)
        if path in _SAMPLES_NAMES and lines:
            return _file(samples)
        raise _not_found(f"path {path} of batch {request.match_info['id']}")

    def _failed_lines(self, request: web.Request) -> list[bytes]:
        """The records of the batch that did not land. Raises Refused: there is no such batch."""
        id_ = request.match_info["id"]
        if self._batches.get(id_, sandbox=caller(request).sandbox) is None:
            raise _not_found(f"batch {id_}")
        with self._data_plane.lock:
            failed = self._data_plane.failed_batches
            return [] if failed.get(id_) is None else list(failed.failed_records(id_))


def _length(lines: list[bytes]) -> int:
    return sum(map(len, lines)) + len(lines)


def _file(lines: list[bytes]) -> web.Response:
    body = b"".join(line + b"\n" for line in lines)
    return web.Response(body=body, content_type="application/octet-stream")


def _listed(request: web.Request, files: list[tuple[str, int]]) -> web.Response:
    limit = count_in_query(request, "limit", _bad, default=_LIMIT, most=_LIMIT)
    start = count_in_query(request, "start", _bad, default=0)
    root = f"{request.url.origin()}{request.path}"
    page = files[start : start + limit]
    shown = [
        {
            "name": name,
            "length": str(length),
            "_links": {"self": {"href": f"{root}?path={name}"}},
        }
        for name, length in page
    ]
    links: dict[str, Any] = {
        "page": {"href": f"{root}?start={{?start}}&limit={{?limit}}", "templated": True}
    }
    if start + limit < len(files):
        links["next"] = {"href": f"{root}?start={start + limit}&limit={limit}"}
    count = {"limit": limit, "count": len(page)}
    return answered({"data": shown, "_page": count, "_links": links})


def _bad(detail: str) -> Refused:
    return refusals.as_placeholder(400, "BadRequestError", detail)


def _not_found(what: str) -> Refused:
    return refusals.as_placeholder(404, "NotFoundError", f"The {what} was not found")
