"""What has a flow done, quarter of an hour by quarter of an hour?

A streaming flow has no runs of its own making: the platform groups what it did into windows of 15
minutes. They are put together from the batches that Catalog lists, so that both tell the same.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from agent.emulator.flow.kinds import COMMON, Body, common, quoted
from agent.emulator.platform import Platform
from agent.emulator.resources import Resource

WINDOW_MS = 15 * 60 * 1000
FIELDS = COMMON | {"flowId", "flowSpec", "providerRefId", "metrics", "activities"}
_MOST_ERRORS = 10  # kinds of errors that one run tells

_Windows = dict[tuple[str, int], list[Mapping[str, Any]]]


def every(platform: Platform, sandbox: str) -> Iterator[Body]:
    """The runs of all flows that are there, in order of their first batch."""
    windows: _Windows = {}
    for batch in platform.batches.all(sandbox=sandbox):
        for flow_id in batch.body.get("tags", {}).get("flowId", ()):
            began = batch.body["completed"] // WINDOW_MS * WINDOW_MS
            windows.setdefault((flow_id, began), []).append(batch.body)
    for (flow_id, began), batches in windows.items():
        flow = platform.flows.get(flow_id)
        if flow is not None:
            yield _run(flow, began, batches)


def last_of(platform: Platform, flow: Resource) -> Body | None:
    """What a flow shows of its last run; None where it has had none."""
    runs = [run for run in every(platform, flow.sandbox) if run["flowId"] == flow.id]
    if not runs:
        return None
    run = max(runs, key=lambda each: int(each["createdAt"]))
    metrics = run["metrics"]
    state = metrics["statusSummary"]["status"]
    return {"id": run["id"], "state": state, **metrics["durationSummary"]}


def _run(flow: Resource, began: int, batches: list[Mapping[str, Any]]) -> Body:
    name = f"{flow.id}-{began}"
    ended = max(batch["completed"] for batch in batches)
    etag = quoted(f"{len(batches):08x}-0000-0200-0000-{ended // 1000:08x}0000")
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
        "createdAt": began,
        "updatedAt": ended,
        **common(flow),
        "flowId": flow.id,
        "flowSpec": flow.body["flowSpec"],
        "providerRefId": f"S-{name}",
        "metrics": _metrics(began, ended, batches),
        "activities": [],
        "version": etag,
        "etag": etag,
    }


def _metrics(began: int, ended: int, batches: list[Mapping[str, Any]]) -> Body:
    def total(name: str) -> int:
        return sum(batch["metrics"][name] for batch in batches)

    errors: list[Body] = []
    for batch in batches:
        for error in batch["errors"]:
            told = {"code": error["code"], "message": error["description"]}
            if told not in errors and len(errors) < _MOST_ERRORS:
                errors.append(told)
    failed, landed = total("failedRecordCount"), total("outputRecordCount")
    status = "success" if not failed else "partial" if landed else "failed"
    return {
        "durationSummary": {"startedAtUTC": began, "completedAtUTC": ended},
        "sizeSummary": {
            "inputBytes": total("inputByteSize"),
            "outputBytes": total("outputByteSize"),
        },
        "recordSummary": {
            "inputRecordCount": total("inputRecordCount"),
            "outputRecordCount": landed,
            "failedRecordCount": failed,
        },
        "fileSummary": {"inputFileCount": 0, "outputFileCount": 0},
        "statusSummary": {"status": status, **({"errors": errors} if errors else {})},
    }
