"""How does the agent come by a token of its own, and keep it fresh?

The OAuth server-to-server flow of Adobe's identity service: an id and a secret are exchanged for a
token that lives for a day. One task asks for it, so that there is never more than one request, and
nobody who sends waits for it: what was issued is used until the next one is there, for a server's
"expired" counts and our clock does not.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.aep.exchange import Exchange, client_form
from agent.aep.tokens import WATCH_SECONDS, Hidden, WatchedFile
from agent.aep.transport import Phases, Route
from agent.core.renewal import Renewal
from agent.core.token_answers import NoToken, Token, Trouble
from agent.errors import ConfigError, Unauthorized
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters
from agent.telemetry.redaction import scrub_text

_FIRST_ANSWER_SECONDS = 2.0  # how long the first records wait before the destination is blocked

log = get_logger("credentials")


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for a token, and where."""

    token_url: str
    client_id: str
    read_secret: Callable[[], str]  # raises ConfigError
    secret_file: Path | None  # where the secret is read from, if it is a file
    scopes: tuple[str, ...]


class ClientCredentials:
    """Tokens issued to a client; made from configuration, without asking for one yet.

    Raises ConfigError where TLS, the proxy or the secret cannot be had as configured.
    """

    def __init__(
        self, client: Client, route: Route, phases: Phases, renewal: Renewal, meters: Meters
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._client = client
        self._exchange = Exchange(client.token_url, route, phases)
        self._renewal = renewal
        self._meters = meters
        self._token: str | None = None
        self._why = "the token endpoint has not answered yet"
        self._secret_doubtful = False
        self._answered = asyncio.Event()
        self._wake = asyncio.Event()
        self._secrets, self._tokens = Hidden(), Hidden()
        self._secret_file = WatchedFile(client.secret_file) if client.secret_file else None
        self._secrets.add(client.read_secret())

    async def current(self) -> str | None:
        """The token as it is now; the first one is waited for, but only a moment.

        Raises Unauthorized, with the reason, while there is none.
        """
        if not self._answered.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_ANSWER_SECONDS):
                    await self._answered.wait()
        if self._token is None:
            raise Unauthorized(f"no token yet: {self._why}")
        return self._token

    def refused(self, token: str) -> None:
        """The inlet refused this token: unless it was replaced since, another is asked for."""
        if token == self._token:
            self._renewal.refused(now())
            self._wake.set()

    async def run(self) -> None:
        """Ask for a token whenever one is due, until cancelled."""
        self._meters.token_expires_seconds.read_from(lambda: self._renewal.left(now()))
        while True:
            while not self._renewal.is_due(now()):
                await self._pause()
            await self._ask()

    async def _pause(self) -> None:
        """Wait until a token may be due; briefly, as a secret may be replaced meanwhile."""
        if self._secret_doubtful and self._secret_file and self._secret_file.look():
            self._renewal.secret_changed()
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(WATCH_SECONDS, self._renewal.wait(now()))):
                await self._wake.wait()

    async def _ask(self) -> None:
        asked = now()
        retry_after = None
        if self._secret_file:
            self._secret_file.look()
        try:
            secret = self._client.read_secret()
        except ConfigError as error:
            step = "put the client secret there; it is read again when that changes"
            found: Token | NoToken = NoToken(Trouble.REFUSED, str(error), step)
        else:
            self._secrets.add(secret)
            found, retry_after = await self._request(secret)
            outcome = "issued" if isinstance(found, Token) else found.trouble
            self._meters.token_requests.add(1, outcome)
        if isinstance(found, Token):
            self._issued(found, asked)
        else:
            self._failed(found, asked, retry_after)
        self._answered.set()

    async def _request(self, secret: str) -> tuple[Token | NoToken, float | None]:
        """One request: what it brought, and the seconds we were asked to wait."""
        return await self._exchange.ask(
            client_form(self._client.client_id, secret, self._client.scopes)
        )

    def _issued(self, token: Token, asked: float) -> None:
        self._renewal.issued(asked, token.life, dice=random.random())
        self._secret_doubtful = False
        self._tokens.add(token.text)
        log.info(
            "a token was issued",
            lives_seconds=round(token.life),
            renewed_in_seconds=round(self._renewal.wait(now()), 1),
        )
        if token.text != self._token:
            self._token = token.text
            self.on_change()

    def _failed(self, found: NoToken, asked: float, retry_after: float | None) -> None:
        self._renewal.failed(asked, now(), dice=random.random(), retry_after=retry_after)
        self._secret_doubtful = found.trouble is Trouble.REFUSED
        self._why = scrub_text(found.reason)
        log.warning(
            "no token could be had, asking again",
            once_per="reason",
            reason=self._why,
            next_step=found.next_step,
            attempts=self._renewal.failures,
            again_in_seconds=round(self._renewal.wait(now()), 1),
            old_one_lives_seconds=round(self._renewal.left(now())),
        )


def now() -> float:
    """Seconds on a clock that never steps, and that goes on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
