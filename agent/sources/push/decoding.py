"""What is in a body once its Content-Encoding is taken off, without trusting its sender?

Nothing is decompressed beyond the limit: a few bytes may stand for gigabytes.
"""

import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, cast

from agent.sources.push.refusing import Refused, too_large

try:
    from isal import isal_zlib as gzip_codec
except ImportError:  # it has wheels for the usual processors only
    import zlib as gzip_codec  # type: ignore[no-redef]

_ERRORS = (zlib.error, cast("type[Exception]", gzip_codec.error))
_GZIP, _ZLIB, _RAW = 31, zlib.MAX_WBITS, -zlib.MAX_WBITS  # what zlib calls window bits
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_MEMBERS = 1000  # of one gzip body
_ZSTD_WINDOW_LOG = 24  # 16 MiB: level 19 needs half of it

Decode = Callable[[bytes, int], bytes]


def decoder_of(encoding: str) -> Decode | None:
    """What takes this Content-Encoding off; None where there is none. Raises Refused (415).

    What is returned takes the body and the most bytes that may come of it; it raises Refused.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    decode = _DECODERS.get(encoding)
    if decode is None:
        known = ", ".join(name for name in _DECODERS if not name.startswith("x-"))
        raise Refused(415, f"Content-Encoding {encoding[:40]!r} is not known; send {known} or none")
    return decode


def _gunzip(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for _ in range(_MOST_MEMBERS):
        if not body.startswith(_GZIP_MAGIC):
            raise Refused(400, "the body is not gzip, though Content-Encoding says so")
        part, body = _inflated(body, limit - size, _GZIP, "gzip")
        parts.append(part)
        size += len(part)
        if not body:
            return parts[0] if len(parts) == 1 else b"".join(parts)
    raise Refused(400, f"the gzip body has more than {_MOST_MEMBERS} members")


def _deflate(body: bytes, limit: int) -> bytes:
    """What HTTP calls deflate is zlib's format; some send what zlib calls so, without a header."""
    has_header = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    text, rest = _inflated(body, limit, _ZLIB if has_header else _RAW, "deflate")
    if rest:
        raise Refused(400, "the deflate body is followed by something else")
    return text


def _inflated(body: bytes, limit: int, window: int, name: str) -> tuple[bytes, bytes]:
    """The text of one compressed stream, and what follows it."""
    stream: Any = gzip_codec.decompressobj(window)
    try:
        text = stream.decompress(body, limit + 1)
    except _ERRORS:
        raise Refused(400, f"the body is not {name}, though Content-Encoding says so") from None
    if len(text) > limit:
        raise too_large(limit)
    if not stream.eof:
        raise Refused(400, f"the {name} body ends before it is complete")
    return text, stream.unused_data


def _unzstd(body: bytes, limit: int) -> bytes:
    zstd = _zstd_library()
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    parts: list[bytes] = []
    size = 0
    for _ in range(_MOST_MEMBERS):
        frame = zstd.ZstdDecompressor(options=options)
        try:
            part = frame.decompress(body, limit - size + 1)
        except zstd.ZstdError:
            raise Refused(400, "the body is not zstd with a window of 16 MiB at most") from None
        parts.append(part)
        size += len(part)
        if size > limit:
            raise too_large(limit)
        if not frame.eof:
            raise Refused(400, "the zstd body ends before it is complete")
        body = frame.unused_data
        if not body:
            return b"".join(parts)
    raise Refused(400, f"the zstd body has more than {_MOST_MEMBERS} frames")


def _zstd_library() -> Any:
    for name in ("compression.zstd", "backports.zstd"):  # the first one from Python 3.14 on
        with suppress(ImportError):
            return import_module(name)
    raise Refused(415, "zstd needs a library here: pip install 'aep-agent[zstd]', or send gzip")


_DECODERS: Mapping[str, Decode] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "zstd": _unzstd,
}
