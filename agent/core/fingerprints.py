"""What do records that were refused have in common? Their shape: which keys, and types of values.

Shapes only say where to look first. A record is never refused for its shape: what has the shape of
a bad one is sent apart from the others, and the platform decides.
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

import orjson

_SHAPES_MAX = 256
_DEEPEST = 64  # levels; what is nested deeper is alike
_TYPES = {str: "s", int: "i", float: "f", bool: "b", type(None): "n"}


def shape(record: bytes) -> bytes | None:
    """A digest of the record's key paths and types of values; None where it cannot be read."""
    try:
        written = _written(orjson.loads(record), _DEEPEST)
    except orjson.JSONDecodeError:
        return None
    return blake2b(written.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _written(value: object, levels: int) -> str:
    """The shape as text: the order of keys, and how often a kind of item comes, make no odds."""
    if not levels:
        return "_"
    if isinstance(value, dict):
        keys = sorted(f"{key!r}:{_written(item, levels - 1)}" for key, item in value.items())
        return f"{{{','.join(keys)}}}"
    if isinstance(value, list):
        return f"[{','.join(sorted({_written(item, levels - 1) for item in value}))}]"
    return _TYPES[type(value)]


class BadShapes:
    """The shapes of the last records that were refused by themselves."""

    def __init__(self) -> None:
        self._shapes: OrderedDict[bytes, None] = OrderedDict()

    def remember(self, record: bytes) -> None:
        """This record was refused, alone."""
        if (found := shape(record)) is not None:
            self._shapes[found] = None
            self._shapes.move_to_end(found)
            if len(self._shapes) > _SHAPES_MAX:
                self._shapes.popitem(last=False)

    def among(self, records: Sequence[bytes]) -> list[int]:
        """The indexes of those records that look like bad ones; none where all of them do."""
        if not self._shapes:
            return []
        found = [index for index, record in enumerate(records) if shape(record) in self._shapes]
        return found if len(found) < len(records) else []
