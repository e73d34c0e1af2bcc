"""Which token do calls of the control plane carry?

Who calls does so now and then: a token is asked for when one is needed, kept while it lives, and
asked for once more when the platform refuses it. Requests with records have tokens of their own
(`ims`), which are renewed beside the sending.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol

from agent.aep.exchange import Exchange
from agent.aep.tokens import Hidden
from agent.core.retrying import backoff
from agent.core.token_answers import NoToken, Token, Trouble
from agent.errors import ConfigError, CredentialsRefused, PlatformAway
from agent.telemetry.redaction import scrub_text

_LEAST_LIFE = 60.0  # seconds that a token should have left for a call to be answered

Forms = Callable[[], dict[str, str]]


class Bearer(Protocol):
    """Where the token of calls comes from."""

    async def current(self) -> str:
        """The token to send. Raises PlatformError or ConfigError where there is none."""

    def refused(self, token: str) -> bool:
        """The platform refused this token; whether another one may be had."""


class Given:
    """A token that somebody else had issued: text, or what a file holds whenever it is asked."""

    def __init__(self, read: Callable[[], str]) -> None:
        """*read* raises ConfigError where there is none."""
        self._read = read
        self._hidden = Hidden()

    async def current(self) -> str:
        """The token as it is now."""
        token = self._read()
        self._hidden.add(token)
        return token

    def refused(self, token: str) -> bool:
        """Another one may be there by now."""
        try:
            return self._read() != token
        except ConfigError:
            return False


class Issued:
    """Tokens that are asked for when one is needed."""

    def __init__(
        self, exchange: Exchange, form: Forms, *, attempts: int, pause: float, pause_max: float
    ) -> None:
        """*form* says who asks; it raises ConfigError where a secret cannot be read."""
        self._exchange = exchange
        self._form = form
        self._attempts = attempts
        self._pause = pause
        self._pause_max = pause_max
        self._hidden = Hidden()
        self._token: str | None = None
        self._ends = 0.0
        self._asking = asyncio.Lock()

    async def current(self) -> str:
        """The token; the first one, and each after the last one's end, is asked for here."""
        async with self._asking:
            if self._token is None or time.monotonic() > self._ends:
                await self._ask()
            assert self._token
            return self._token

    def refused(self, token: str) -> bool:
        """Have another one asked for."""
        if token == self._token:
            self._token = None
        return True

    async def _ask(self) -> None:
        for attempt in range(1, self._attempts + 1):
            asked = time.monotonic()
            found, asked_wait = await self._exchange.ask(self._form())
            if isinstance(found, Token):
                self._hidden.add(found.text)
                self._token = found.text
                self._ends = asked + max(found.life - _LEAST_LIFE, found.life / 2)
                return
            if found.trouble is not Trouble.UNAVAILABLE or attempt == self._attempts:
                raise _no_token(found)
            dice, initial = random.random(), self._pause
            wait = backoff(attempt, dice=dice, initial=initial, ceiling=self._pause_max)
            await asyncio.sleep(max(wait, min(asked_wait or 0.0, self._pause_max)))


def _no_token(found: NoToken) -> CredentialsRefused | PlatformAway:
    is_away = found.trouble is not Trouble.REFUSED
    next_step = found.next_step
    if found.trouble is Trouble.UNAVAILABLE:
        next_step = "try again later; if this lasts, check the way to the token endpoint"
    kind = PlatformAway if is_away else CredentialsRefused
    return kind(
        f"no token: {scrub_text(found.reason)}", service="Identity service", next_step=next_step
    )
