"""Synchronous validation: asked at its pace, and its answers read, whatever they are."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from agent.delivery.inlet import Inlet, InletAddress, InletLimits
from agent.errors import ConfigError, Unavailable
from agent.preflight.examining import Remark, Verdict
from agent.preflight.findings import Place
from agent.preflight.synchronous import Pace, Sample, compared

LIMITS = InletLimits(
    connect=2.0, answer=2.0, total=5.0, answer_bytes=65_536, connection_age=60.0, max_in_flight=1
)


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, most: int = 60) -> Pace:
        return Pace(most, lambda: self.now, self.sleep)


def _sample(*errors: str) -> Sample:
    remarks = [Remark("required", "#", words) for words in errors]
    return Sample(Place("orders", 7), Verdict(7, b"{}", b"{}", remarks, []), b"{}")


async def _asked(
    answer: Callable[[web.Request], Awaitable[web.Response]], samples: list[Sample], clock: Clock
) -> Any:
    app = web.Application()
    app.router.add_post("/collection/in", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    inlet = Inlet(InletAddress(f"{site.name}/collection/in", {}), LIMITS)
    try:
        return await compared(inlet, samples, clock.pace())
    finally:
        await inlet.close()
        await runner.cleanup()


async def test_no_more_than_sixty_are_sent_in_any_minute() -> None:
    clock = Clock()
    pace = clock.pace(3)
    sent = []
    for _ in range(8):
        await pace.turn()
        sent.append(clock.now)
        clock.now += 1.0

    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[3:], strict=False))
    assert [seconds for seconds in clock.slept if seconds] == [57.0, 57.0]


async def test_nested_causes_are_read_as_what_they_are_made_of() -> None:
    leaf = {"keyword": "required", "pointerToViolation": "#", "message": "no a"}
    inner = {"causingExceptions": [leaf, {**leaf, "message": "no b"}], "message": "2 found"}
    report = {"message": "invalid", "cause": {"_streamingValidation": [inner]}}

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"status": 400, "report": report}, status=400)

    (found,) = await _asked(answer, [_sample("no a", "no b")], Clock())

    assert found.agree
    assert found.theirs == found.ours == ("required #: no a", "required #: no b")


async def test_a_crowded_platform_is_asked_again_when_it_says() -> None:
    answers = iter([429, 503, 200])
    clock = Clock()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=next(answers), headers={"Retry-After": "9"})

    (found,) = await _asked(answer, [_sample()], clock)

    assert found.agree
    assert clock.slept == [9.0, 9.0]


async def test_a_platform_that_is_always_crowded_is_given_up() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=429)

    with pytest.raises(Unavailable, match="429 Too Many Requests"):
        await _asked(answer, [_sample()], Clock())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", json.dumps({"report": 7}).encode()])
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_what_says_nothing_of_the_record_is_no_verdict_on_it(
    status: int, body: bytes
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    with pytest.raises(ConfigError, match=str(status)):
        await _asked(answer, [_sample()], Clock())
