"""Which source stands behind the settings of a socket?"""

import socket
from collections.abc import Callable
from functools import partial
from importlib import import_module

from agent.config.sockets import ConnectionSettings, SocketSource, TcpSource, UdpSource
from agent.core.frames import Framer
from agent.delivery.intake import IntakeLimits
from agent.sources.connections import ConnectionLimits
from agent.sources.encryption import encryption_of
from agent.sources.listening import Listening
from agent.sources.receiving import ConnectionSource
from agent.sources.source import Source
from agent.telemetry.meters import Meters

_FRAMERS = {
    "newline": "framing.LineFramer",
    "octet_counted": "announced.OctetCountedFramer",
    "nul": "separated.NulFramer",
    "length_prefixed": "announced.LengthPrefixedFramer",
    "json_seq": "separated.JsonSequenceFramer",
}  # in agent.core; what nobody uses is not loaded


def receiver(
    settings: SocketSource, limits: IntakeLimits, block_bytes: int, meters: Meters
) -> Source:
    """The source that receives what the settings say.

    Raises ConfigError where certificates cannot be loaded.
    """
    name, listening = settings.shown_name, _listening(settings)
    if isinstance(settings, ConnectionSettings):
        kind = _framer(settings.framing)
        framer = partial(kind, limits.record_bytes_max, limits.dead_letter_bytes_max)
        parts = listening, framer, _limits(settings), block_bytes, meters
        if not isinstance(settings, TcpSource) or (by := encryption_of(settings.tls)) is None:
            return ConnectionSource(name, *parts)
        return ConnectionSource(name, *parts, by.connection, by.renew)
    from agent.sources.datagrams import DatagramSource

    return DatagramSource(
        name,
        listening,
        block_bytes,
        meters,
        head_bytes=limits.dead_letter_bytes_max,
        receive_buffer=settings.receive_buffer if isinstance(settings, UdpSource) else None,
    )


def _framer(framing: str) -> Callable[[int, int], Framer]:
    module, _, name = _FRAMERS[framing].partition(".")
    made: Callable[[int, int], Framer] = getattr(import_module(f"agent.core.{module}"), name)
    return made


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
