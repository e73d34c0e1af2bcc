"""What has a flow done, quarter of an hour by quarter of an hour?

A streaming flow has no runs of its own making: the platform groups what it did into windows of 15
minutes. Who judges records counts them here, once for every batch.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from agent.emulator.flow.kinds import Body, Kind
from agent.emulator.flow.problems import Problem
from agent.emulator.platform import Platform
from agent.emulator.resources import Resource

WINDOW_MS = 15 * 60 * 1000
_MOST_ERRORS = 10  # kinds of errors that one run tells


class Runs(Kind):
    """Runs, which nobody can make or change."""

    name = "runs"
    own_fields = frozenset(("flowId", "flowSpec", "providerRefId", "metrics", "activities"))

    def checked(self, body: Body, sandbox: str, old: Body | None) -> Body:
        raise Problem("1427-400")

    def shown(self, resource: Resource, root: str) -> Body:
        return {}

    def check_removal(self, resource: Resource) -> None:
        raise Problem("1427-400")


def count(
    platform: Platform,
    flow_id: str,
    *,
    now_ms: int,
    landed: int,
    failed: int,
    bytes_in: int = 0,
    bytes_out: int = 0,
    errors: Sequence[Mapping[str, str]] = (),
) -> None:
    """Count judged records of a flow into its present window; errors are {code, message}.

    A flow that was deleted meanwhile has no runs. Raises OSError where it cannot be kept.
    """
    flow = platform.flows.get(flow_id)
    if flow is None:
        return
    began = now_ms - now_ms % WINDOW_MS
    id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{flow_id}-{began}"))
    run = platform.runs.get(id_)
    if run is None:
        run = platform.runs.add(_empty(flow, began), id=id_, sandbox=flow.sandbox)
    metrics = run.body["metrics"]
    told = list(metrics["statusSummary"].get("errors", ()))
    for error in map(dict, errors):
        if error not in told[:_MOST_ERRORS]:
            told.append(error)
    records, sizes = metrics["recordSummary"], metrics["sizeSummary"]
    all_failed = records["failedRecordCount"] + failed
    summary: dict[str, Any] = {"status": "partial" if all_failed else "success"}
    if told:
        summary["errors"] = told[:_MOST_ERRORS]
    changed = {
        "durationSummary": {"startedAtUTC": began, "completedAtUTC": now_ms},
        "sizeSummary": {
            "inputBytes": sizes["inputBytes"] + bytes_in,
            "outputBytes": sizes["outputBytes"] + bytes_out,
        },
        "recordSummary": {
            "inputRecordCount": records["inputRecordCount"] + landed + failed,
            "outputRecordCount": records["outputRecordCount"] + landed,
            "failedRecordCount": all_failed,
        },
        "fileSummary": {"inputFileCount": 0, "outputFileCount": 0},
        "statusSummary": summary,
    }
    platform.runs.replace(id_, {**run.body, "metrics": changed})


def _empty(flow: Resource, began: int) -> Body:
    return {
        **{name: flow.body[name] for name in _OF_FLOW if name in flow.body},
        "flowId": flow.id,
        "providerRefId": f"S-{flow.id}-{began}",
        "activities": [],
        "metrics": {
            "durationSummary": {"startedAtUTC": began, "completedAtUTC": began},
            "sizeSummary": {"inputBytes": 0, "outputBytes": 0},
            "recordSummary": {
                "inputRecordCount": 0,
                "outputRecordCount": 0,
                "failedRecordCount": 0,
            },
            "fileSummary": {"inputFileCount": 0, "outputFileCount": 0},
            "statusSummary": {"status": "success"},
        },
    }


_OF_FLOW = ("flowSpec", "imsOrgId", "createdBy", "updatedBy", "createdClient", "updatedClient")
