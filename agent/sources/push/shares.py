"""How much of what clients send is read before anybody has looked at it?"""

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web

_READ_AHEAD = 1 << 23  # bytes that all connections may have read and not handed over, roughly
_LEAST_SHARE, _MOST_SHARE = 1 << 12, 1 << 18  # of it, for one connection


def share_of(connections: int) -> int:
    """Bytes that each of so many may have read ahead."""
    return min(max(_READ_AHEAD // connections, _LEAST_SHARE), _MOST_SHARE)


class InShares(asyncio.BufferedProtocol):
    """Reads for a connection, no more at once than its share.

    Left to itself a loop reads a quarter of a megabyte of each of any number of connections before
    the first of them gets to refuse what it is sent.
    """

    def __init__(
        self,
        connection: web.RequestHandler,
        buffer: memoryview,
        admits: Callable[[asyncio.BaseTransport], bool],
    ) -> None:
        self._connection = connection
        self._buffer = buffer
        self._admits = admits
        self._is_admitted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._is_admitted = self._admits(transport)
        if self._is_admitted:
            self._connection.connection_made(transport)
        else:
            cast(asyncio.Transport, transport).abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_admitted:
            self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()

    def eof_received(self) -> None:
        """Nothing: the connection ends then."""

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_admitted:
            self._connection.data_received(bytes(self._buffer[:nbytes]))
