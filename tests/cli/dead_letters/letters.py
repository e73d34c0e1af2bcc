"""Three dead letters as they come about."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.record import DeadLetter, Position

REJECTED = DeadLetter(
    record='{"name":"Zoë\\u0000","n":12345678901234567890}'.encode(),
    length=44,
    reason="rejected",
    stage="platform",
    message="inletId: [57e8] Message has unknown xdm format",
    source="/var/log/orders.ndjson",
    position=Position(4711, 1_000_000),
    attempts=2,
    first_at=1_700_000_000.125,
    last_at=1_700_000_060.5,
    status=400,
    xaction_id="1565628583792:1485:153:7",
)


BROKEN = replace(
    REJECTED,
    record=b'{"a":\xff\xfe\x00',
    length=8,
    reason="invalid_utf8",
    stage="validate",
    message="not valid UTF-8 at byte 5",
    position=Position(1, 0),
    attempts=0,
    status=None,
    xaction_id=None,
    last_at=1_700_000_000.125,
)


CUT = replace(BROKEN, record=b"[" * 100, length=10**8, sha256="ab" * 32, reason="too_large")


Settle = Callable[[Sequence[DeadLetter]], None]
