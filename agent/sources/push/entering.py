"""May whoever sent this request come in? The bearer token says so, where one is set."""

import hmac
import time
from collections.abc import Callable
from pathlib import Path

from agent.aep.tokens import WATCH_SECONDS, Hidden, WatchedFile
from agent.errors import ConfigError
from agent.sources.push.refusing import Refused
from agent.telemetry.logs import get_logger

log = get_logger("push")


class Tokens:
    """The token that is asked for. Where it is in a file, that may be replaced."""

    def __init__(self, read: Callable[[], str | None], file: Path | None) -> None:
        """*read* raises ConfigError where the *file* holds none, as does this."""
        self._read = read
        self._file = WatchedFile(file) if file else None
        if self._file:
            self._file.look()
        self._hidden = Hidden()
        self._next_look = 0.0
        self._token: bytes | None = None
        self._take(read())

    def current(self) -> str | None:
        """The token as it is now; None where none is set."""
        self._look()
        return None if self._token is None else self._token.decode()

    def require(self, authorization: str | None) -> None:
        """Raise Refused (401) unless the header's value carries the token, if one is set."""
        self._look()
        if self._token is None:
            return
        scheme, _, given = (authorization or "").strip().partition(" ")
        offered = given.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() != "bearer" or not hmac.compare_digest(offered, self._token):
            raise Refused(401, "send the agent's token: Authorization: Bearer …")

    def _take(self, token: str | None) -> None:
        if token is not None:
            self._hidden.add(token)
            self._token = token.encode()

    def _look(self) -> None:
        if time.monotonic() >= self._next_look:
            self.look()

    def look(self) -> None:
        """Take up what is in the file by now, where there is one."""
        self._next_look = time.monotonic() + WATCH_SECONDS
        if self._file and self._file.look():
            try:
                self._take(self._read())
            except ConfigError as error:
                log.warning("the token cannot be read, keeping the old one", reason=str(error))
