"""Does the platform say the same of a few records? Its synchronous validation is asked.

It takes one record at a time, 60 a minute for an inlet, and in one place only; what passes is
taken in as any other record is, what does not is dropped. [platform facts 1.8]
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent.core.retrying import retry_after
from agent.delivery.inlet import Answer, Inlet, reason
from agent.errors import ConfigError, Unavailable
from agent.preflight.examining import Verdict
from agent.preflight.findings import Place

REQUESTS_A_MINUTE = 60
_MINUTE = 60.0
_PAUSE = 5.0  # seconds after a 429 that says no other
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that is sent, and what we say of it."""

    place: Place
    verdict: Verdict
    body: bytes  # the record, or the XDM message round it


@dataclass(frozen=True, slots=True)
class Compared:
    """What was said of one record, here and there: errors as `keyword pointer: message`."""

    place: Place
    ours: tuple[str, ...]
    theirs: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether it would be taken by both, or by neither."""
        return bool(self.ours) == bool(self.theirs)


class Pace:
    """So many requests in any minute, and no more."""

    def __init__(
        self,
        most: int = REQUESTS_A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque(maxlen=most)

    async def turn(self) -> None:
        """Wait until one more may be sent."""
        if len(self._sent) == self._sent.maxlen:
            await self._sleep(max(0.0, self._sent[0] + _MINUTE - self._clock()))
        self._sent.append(self._clock())

    async def pause(self, seconds: float) -> None:
        """Wait, as the platform asks for."""
        await self._sleep(seconds)


async def compared(inlet: Inlet, samples: Sequence[Sample], pace: Pace) -> list[Compared]:
    """What the platform says of each, beside what we say. Raises Unavailable, ConfigError."""
    found = []
    for sample in samples:
        ours = tuple(
            f"{each.keyword} {each.pointer}: {each.message}" for each in sample.verdict.errors
        )
        found.append(Compared(sample.place, ours, await _said(inlet, sample.body, pace)))
    return found


async def _said(inlet: Inlet, body: bytes, pace: Pace) -> tuple[str, ...]:
    for _ in range(_ATTEMPTS):
        await pace.turn()
        answer = await inlet.post(body, gzipped=False)
        if answer.status not in (429, 500, 503):
            return _errors(answer)
        wait = retry_after(answer.retry_after, time.time())
        await pace.pause(_PAUSE if wait is None else min(wait, _MINUTE))
    raise Unavailable(f"synchronous validation: the inlet answered {reason(answer.status)}")


def _errors(answer: Answer) -> tuple[str, ...]:
    """What keeps the record from being taken; nothing where it is. Raises ConfigError."""
    if answer.status == 200:
        return ()
    if answer.status == 501:
        raise ConfigError(
            "--sync: this inlet's data centre has no synchronous validation; leave --sync out"
        )
    body = _object(answer.body)
    causes = _part(_part(body, "report"), "cause").get("_streamingValidation")
    if answer.status == 400 and isinstance(causes, list):
        return tuple(words for cause in causes for words in _leaves(cause))
    said = _part(body, "report").get("message") or ""
    raise ConfigError(
        f"--sync: the inlet answered {reason(answer.status)}: {said or 'nothing'}; check that the"
        " flow's inlet takes records from here, with this token"
    )


def _leaves(cause: Any) -> list[str]:
    """The violations that others are made of."""
    if not isinstance(cause, dict):
        return []
    inner = cause.get("causingExceptions")
    if isinstance(inner, list) and inner:
        return [words for each in inner for words in _leaves(each)]
    keyword, pointer = cause.get("keyword", ""), cause.get("pointerToViolation", "")
    return [f"{keyword} {pointer}: {cause.get('message', '')}"]


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}
