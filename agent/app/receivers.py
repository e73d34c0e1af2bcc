"""Which source stands behind the settings of a socket?"""

import socket
from collections.abc import Callable, Mapping
from functools import partial

from agent.config.sockets import ConnectionSettings, SocketSource, TcpSource, UdpSource
from agent.core.announced import LengthPrefixedFramer, OctetCountedFramer
from agent.core.frames import Framer
from agent.core.framing import LineFramer
from agent.core.separated import JsonSequenceFramer, NulFramer
from agent.delivery.intake import IntakeLimits
from agent.sources.connections import ConnectionLimits
from agent.sources.datagrams import DatagramSource
from agent.sources.encryption import encryption_of
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
    """The source that receives what the settings say.

    Raises ConfigError where certificates cannot be loaded.
    """
    name, listening = settings.shown_name, _listening(settings)
    if isinstance(settings, ConnectionSettings):
        kind = _FRAMERS[settings.framing]
        framer = partial(kind, limits.record_bytes_max, limits.dead_letter_bytes_max)
        parts = listening, framer, _limits(settings), block_bytes, meters
        if not isinstance(settings, TcpSource) or (by := encryption_of(settings.tls)) is None:
            return ConnectionSource(name, *parts)
        return ConnectionSource(name, *parts, by.connection, by.renew)
    return DatagramSource(
        name,
        listening,
        block_bytes,
        meters,
        head_bytes=limits.dead_letter_bytes_max,
        receive_buffer=settings.receive_buffer if isinstance(settings, UdpSource) else None,
    )


def _listening(settings: SocketSource) -> Listening:
    is_stream = isinstance(settings, ConnectionSettings)
    kind = socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM
    if isinstance(settings, TcpSource | UdpSource):
        return Listening(settings.listen, kind, reuse_port=settings.reuse_port)
    return Listening(settings.listen, kind, mode=settings.mode)


def _limits(settings: ConnectionSettings) -> ConnectionLimits:
    return ConnectionLimits(
        connections=settings.max_connections,
        idle=settings.idle_timeout,
        unfinished=settings.unfinished_timeout,
        unfinished_bytes=settings.max_unfinished_bytes,
        networks=settings.networks if isinstance(settings, TcpSource) else (),
    )
