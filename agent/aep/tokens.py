"""Which token do requests carry, and what is done when the inlet refuses it?

Tokens are taken where requests are sent, and fetched or read elsewhere, by a task of their own:
sending never waits for one.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from agent.errors import ConfigError
from agent.telemetry.logs import forget, get_logger, redact

WATCH_SECONDS = 1.0  # between two looks at a file that somebody may replace

log = get_logger("credentials")


class Tokens(Protocol):
    """Where tokens come from."""

    on_change: Callable[[], None]  # called when another token is there

    async def current(self) -> str | None:
        """The token to send, or None where none is asked for.

        Raises Unauthorized while there is none yet.
        """

    def refused(self, token: str) -> None:
        """The inlet refused this token. Returns at once; if it may help, another is fetched."""

    async def run(self) -> None:
        """Keep the token fresh until cancelled."""


class FixedToken:
    """One token for ever, or none at all."""

    def __init__(self, token: str | None = None) -> None:
        self.on_change: Callable[[], None] = _nothing
        self._token = token
        if token:
            redact(token)

    async def current(self) -> str | None:
        """The token."""
        return self._token

    def refused(self, token: str) -> None:
        """There is no other."""

    async def run(self) -> None:
        """There is nothing to keep fresh."""
        await asyncio.Event().wait()


class TokenFile:
    """The token in a file, which is read again when it was replaced, and when it was refused."""

    def __init__(self, path: Path, read: Callable[[], str]) -> None:
        """*read* reads the file; it raises ConfigError where that holds no token, as does this."""
        self.on_change: Callable[[], None] = _nothing
        self._watched = WatchedFile(path)
        self._read = read
        self._watched.look()
        self._token = read()
        self._hidden = Hidden()
        self._hidden.add(self._token)
        self._refused = asyncio.Event()

    async def current(self) -> str | None:
        """The token as it was last read."""
        return self._token

    def refused(self, token: str) -> None:
        """Read the file again, unless that has been done since."""
        if token == self._token:
            self._refused.set()

    async def run(self) -> None:
        """Look at the file every second."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._refused.wait()
            if self._watched.look() or self._refused.is_set():
                self._refused.clear()
                self._read_again()

    def _read_again(self) -> None:
        try:
            token = self._read()
        except ConfigError as error:
            log.warning("the token cannot be read again, keeping the old one", reason=str(error))
            return
        if token != self._token:
            self._token = token
            self._hidden.add(token)
            log.info("there is another token")
            self.on_change()


class WatchedFile:
    """Notices that a file was written or replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Whether it is another than at the last look; a file that is gone has not changed."""
        try:
            stat = self._path.stat()
        except OSError:
            return False
        seen, self._seen = self._seen, (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return seen != self._seen


class Hidden:
    """Secrets that take each other's place and are never shown: the present one and the last."""

    def __init__(self) -> None:
        self._secrets: list[str] = []

    def add(self, secret: str) -> None:
        """Never show this one either, and forget those that nobody holds any more."""
        if secret in self._secrets:
            return
        redact(secret)
        self._secrets.append(secret)
        for old in self._secrets[:-2]:
            forget(old)
        del self._secrets[:-2]


def _nothing() -> None:
    """Nobody wants to know."""
