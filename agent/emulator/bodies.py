"""What did the client send: the bytes on the wire, and the text after its Content-Encoding?

Both are bounded, so that neither a long body nor a gzip bomb costs memory.
"""

from typing import cast

from aiohttp import web

try:
    from isal import isal_zlib as gzip_codec
except ImportError:  # it has wheels for the usual processors only
    import zlib as gzip_codec  # type: ignore[no-redef]

_GZIP_ERROR = cast("type[Exception]", gzip_codec.error)
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # window bits that mean: a gzip header and trailer, nothing else
_MOST_MEMBERS = 1000
_MOST_DRAINED = 64_000_000  # bytes read of a body that is too long, so that it can be answered


class TooLarge(Exception):
    """The body is longer than the inlet takes."""


class BadGzip(ValueError):
    """The body says it is gzip and is not, or stops in the middle."""


async def read_wire(request: web.Request, limit: int) -> bytes:
    """The body as sent, at most `limit` bytes. Raises TooLarge.

    A body that is too long is read on and thrown away for a while: a client that is still
    writing would otherwise see a broken connection and never the 413.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := await request.content.readany():
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
        else:
            pieces.clear()
        if size > limit + _MOST_DRAINED:
            break
    if size > limit:
        raise TooLarge
    return b"".join(pieces)


def wire_limit(limit: int) -> int:
    """The longest gzip body that can hold `limit` bytes: incompressible text grows a little."""
    return limit + limit // 1000 + 1024


def gunzip(wire: bytes, limit: int) -> bytes:
    """The text of a gzip body of one or more members. Raises BadGzip, or TooLarge over `limit`."""
    text = b""
    rest = wire
    for _ in range(_MOST_MEMBERS):
        if not rest.startswith(_GZIP_MAGIC):
            raise BadGzip("the body is not gzip")
        member = gzip_codec.decompressobj(_GZIP_WINDOW)
        try:
            text += member.decompress(rest, limit + 1 - len(text))
        except _GZIP_ERROR as error:
            raise BadGzip(f"the body is not gzip: {error}") from None
        if len(text) > limit:
            raise TooLarge
        if not member.eof:
            raise BadGzip("the gzip body stops before its end")
        rest = member.unused_data
        if not rest:
            return text
    raise BadGzip(f"the gzip body has more than {_MOST_MEMBERS} members")
