"""How bodies are compressed: igzip where it has a wheel, the standard library elsewhere."""

import zlib
from contextlib import suppress
from types import ModuleType

codec: ModuleType = zlib
with suppress(ImportError):  # no wheel for this machine: four times the CPU, the same format
    from isal import isal_zlib as codec

_LEVEL = 1  # of both: more costs three times the CPU for a few per cent
_GZIP = 31  # window bits that mean: with a gzip header


def gzip(body: bytes) -> bytes:
    """The body as one gzip member, made in one call that releases the GIL."""
    compressed: bytes = codec.compress(body, _LEVEL, _GZIP)
    return compressed


def gunzip(body: bytes) -> bytes:
    """What `gzip` was given. Only for bodies made here: the size is not bounded."""
    return zlib.decompress(body, _GZIP)
