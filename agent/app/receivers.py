"""Which source stands behind the settings of a socket?"""

from collections.abc import Callable, Mapping
from functools import partial

from agent.config.sockets import SocketSource, TcpSource, called
from agent.core.announced import LengthPrefixedFramer, OctetCountedFramer
from agent.core.frames import Framer
from agent.core.framing import LineFramer
from agent.core.separated import JsonSequenceFramer, NulFramer
from agent.delivery.intake import IntakeLimits
from agent.sources.connections import ConnectionLimits
from agent.sources.listening import Listening
from agent.sources.receiving import ConnectionSource
from agent.sources.source import Source
from agent.telemetry.meters import Meters

_FRAMERS: Mapping[str, Callable[[int, int], Framer]] = {
    "newline": LineFramer,
    "octet_counted": OctetCountedFramer,
    "nul": NulFramer,
    "length_prefixed": LengthPrefixedFramer,
    "json_seq": JsonSequenceFramer,
}


def receiver(
    settings: SocketSource, limits: IntakeLimits, block_bytes: int, meters: Meters
) -> Source:
    """The source that receives what the settings say."""
    framer = partial(
        _FRAMERS[settings.framing], limits.record_bytes_max, limits.dead_letter_bytes_max
    )
    return ConnectionSource(
        called(settings), _listening(settings), framer, _limits(settings), block_bytes, meters
    )


def _listening(settings: SocketSource) -> Listening:
    if isinstance(settings, TcpSource):
        return Listening(settings.listen, reuse_port=settings.reuse_port)
    return Listening(settings.listen, mode=settings.mode)


def _limits(settings: SocketSource) -> ConnectionLimits:
    return ConnectionLimits(
        connections=settings.max_connections,
        idle=settings.idle_timeout,
        unfinished=settings.unfinished_timeout,
        unfinished_bytes=settings.max_unfinished_bytes,
    )
