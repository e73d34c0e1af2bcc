"""What is kept in the spool of these tests, and who looks at it?"""

from collections.abc import Callable

from agent.record import DeadLetter, Position
from agent.store.disk import StoreLimits
from agent.store.releasing import REASON

XDM = {"type": "xdm", "schema_id": "https://ns.adobe.com/acme/schemas/1", "dataset_id": "5f3c"}


OTHER_XDM = {**XDM, "dataset_id": "6f3c"}


RECORDS = [b'{"n":%d,"city":"Z\xc3\xbcrich"}' % number for number in range(10)]


LETTER = DeadLetter(b"", 1, REASON, "spool", "by hand", "a.ndjson", Position(1, 0), 0, 1.0, 1.0)


LIMITS = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)


Command = Callable[..., tuple[int, bytes, str]]
