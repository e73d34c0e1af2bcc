"""What happens to a request at the inlet: which records are kept, and what is answered?"""

import asyncio
from itertools import groupby
from typing import Any

from aiohttp import web

from agent.emulator import answers, broken, judging, messages
from agent.emulator.answers import Answer, Inlet, Verdicts
from agent.emulator.arrivals import Rejection
from agent.emulator.faults import Firing
from agent.emulator.platform import ORG_ID
from agent.emulator.routing import route
from agent.emulator.state import State
from agent.emulator.submission import Submission, read_body, submitted

_ID_IN_XDM = ("body", "xdmEntity", "_id")


class InletRoutes:
    """The two endpoints of an inlet: one record, or many."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._org_id = state.options.ims_org_id or ORG_ID

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.post("/collection/{inlet_id}", self.single),
            web.post("/collection/batch/{inlet_id}", self.batch),
        ]

    async def single(self, request: web.Request) -> web.StreamResponse:
        """POST /collection/{inletId}: one record is the whole body."""
        return await self._receive(request, "single")

    async def batch(self, request: web.Request) -> web.StreamResponse:
        """POST /collection/batch/{inletId}: `{"messages": [...]}`."""
        return await self._receive(request, "batch")

    async def _receive(self, request: web.Request, path: str) -> web.StreamResponse:
        counts = self._state.counts
        status: int | None = None
        inlet = Inlet(request.match_info["inlet_id"], self._org_id)
        with counts.request(path, request.transport):
            try:
                body = await read_body(request, self._state.options)
                counts.body(body.wire, body.text, body.encoding)
                submission = submitted(request, path, body, self._state, inlet)
                firing = self._state.faults.fire(path, submission.encoding, submission.records)
                answer = self._decide(inlet, path, submission, firing)
                await self._wait(firing)
                if await broken.is_broken(request, answer, firing.answer):
                    return web.Response()  # there is no connection left to write it to
                status = answer.status
                return broken.response(answer)
            finally:
                counts.answered(status)
                self._state.traffic.answered(inlet.id, status, answers.now_ms())

    def _decide(self, inlet: Inlet, path: str, submission: Submission, firing: Firing) -> Answer:
        """Keep the records, unless a fault comes first, and return what shall be answered."""
        fault = firing.answer
        if fault is not None and fault.is_final:
            answer = broken.fault_answer(inlet, fault)
        else:
            answer = self._true_answer(inlet, path, submission, firing)
            if fault is not None and fault.status is not None:
                answer = broken.fault_answer(inlet, fault)
        if fault is not None:
            broken.add_headers(answer, fault)
        return answer

    def _true_answer(
        self, inlet: Inlet, path: str, submission: Submission, firing: Firing
    ) -> Answer:
        refused = submission.refused
        try:
            if refused is None and path == "batch":
                return self._take_batch(inlet, submission, firing)
            if refused is None:
                return self._take_single(inlet, submission, firing)
            if refused.spoiled is not None:
                message = answers.message_of(refused.answer)
                self._refuse([Rejection(refused.spoiled, 400, message, None, is_json=False)])
            return refused.answer
        except OSError as error:
            return answers.problem(500, f"the emulator cannot keep the records: {error.strerror}")

    def _take_batch(self, inlet: Inlet, submission: Submission, firing: Firing) -> Answer:
        chance = self._state.faults.random
        verdicts = answers.batch_verdicts(
            inlet,
            len(submission.records),
            firing.refusals | submission.refusals,
            self._state.traps.dialect,
            firing.shape,
            chance,
        )
        self._keep(submission, verdicts)
        items = [answers.failed_item(verdicts, index) for index in verdicts.refusals]
        self._refuse(
            [
                Rejection(
                    submission.records[index],
                    int(refusal.status),
                    refusal.message,
                    item.get("xactionId"),
                )
                for (index, refusal), item in zip(verdicts.refusals.items(), items, strict=True)
            ]
        )
        return answers.batch_answer(inlet, verdicts, firing.shape, chance)

    def _take_single(self, inlet: Inlet, submission: Submission, firing: Firing) -> Answer:
        refusal = (firing.refusals | submission.refusals).get(0)
        if refusal is not None:
            worded = inlet.words(refusal, "documented")
            status = int(worded.status)
            self._refuse([Rejection(submission.records[0], status, worded.message, None)])
            if submission.validate:
                return answers.sync_validation_failed(inlet, [_cause(refusal.message)])
            return answers.problem(status, worded.message)
        if submission.validate and (causes := self._objections(submission)):
            return answers.sync_validation_failed(inlet, causes)
        received_ms = answers.now_ms()
        xaction_id = answers.transaction_id(received_ms)
        self._keep(submission, Verdicts("", received_ms, [xaction_id], ["documented"], {}))
        flow_id = None if submission.is_xdm else submission.flow_ids[0]
        answer = answers.single_answer(inlet, xaction_id, received_ms, flow_id, firing.shape)
        return answers.with_sync_validation(answer) if submission.validate else answer

    def _keep(self, submission: Submission, verdicts: Verdicts) -> None:
        records, ids, flow_ids = submission.records, verdicts.ids, submission.flow_ids
        path_of_id = _ID_IN_XDM if submission.is_xdm else ("_id",)
        accepted = [index for index in range(len(records)) if index not in verdicts.refusals]
        for flow_id, run in groupby(accepted, key=flow_ids.__getitem__):
            indexes = list(run)
            kept = [records[index] for index in indexes]
            self._append(flow_id, [ids[index] for index in indexes], kept, verdicts.received_ms)
            event_ids = messages.event_ids(kept, path_of_id)
            self._state.counts.accepted(flow_id, kept, event_ids)

    def _objections(self, submission: Submission) -> list[dict[str, Any]]:
        """What synchronous validation says of the one record of a request."""
        found = route(self._state.platform, submission.flow_ids[0])
        if found is None:
            return []
        judge = self._state.judges.of(found, self._state.traps.schema_cache)
        return judging.objections(found, judge, submission.records[0])

    def _append(self, flow_id: str, ids: list[str], records: list[bytes], received_ms: int) -> None:
        """Keep records, and let the data plane hear of them where their flow was provisioned."""
        arrivals, data_plane = self._state.arrivals, self._state.data_plane
        start = arrivals.end
        found = route(self._state.platform, flow_id)
        if found is None:
            arrivals.append(flow_id, ids, records, received_ms=received_ms)
            data_plane.passed(start)
            return
        lost = self._state.losses.why(found, len(records), received_ms)
        arrivals.append(
            flow_id, ids, records, inlet_id=found.inlet_id, received_ms=received_ms, lost=lost
        )
        data_plane.arrived(flow_id, len(records))

    def _refuse(self, rejections: list[Rejection]) -> None:
        if rejections:
            self._state.arrivals.reject(rejections)
            self._state.counts.rejected(len(rejections))

    async def _wait(self, firing: Firing) -> None:
        seconds = self._state.options.latency + firing.delay
        if seconds:
            await asyncio.sleep(seconds)


def _cause(message: str) -> dict[str, Any]:
    """What synchronous validation says of a message that is refused on its face."""
    return {
        "schemaLocation": "#",
        "pointerToViolation": "#",
        "causingExceptions": [],
        "keyword": "required",
        "message": f"#: {message}",
    }
