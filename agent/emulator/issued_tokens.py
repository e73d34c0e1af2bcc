"""Which tokens were issued, and is this one still good?"""

import secrets
import time
from collections import Counter
from typing import Any

from agent.emulator.options import EmulatorOptions


class IssuedTokens:
    """The tokens that were issued, and until when each is good."""

    def __init__(self, options: EmulatorOptions) -> None:
        self._options = options
        self.life = options.token_life  # seconds, of tokens issued from now on
        self._ends: dict[str, float] = {}  # of the monotonic clock
        self._statuses: Counter[str] = Counter()

    def issue(self) -> str:
        """A new token, good from now on for `life` seconds."""
        now = time.monotonic()
        self._ends = {token: ends for token, ends in self._ends.items() if ends > now}
        token = f"emulated.{secrets.token_urlsafe(32)}"
        self._ends[token] = now + self.life
        return token

    def revoke(self) -> None:
        """No token is good any more."""
        self._ends.clear()

    def objection(self, authorization: str) -> str | None:
        """What an authenticated inlet says to this header; None where it takes it.

        Where no token is chosen and none is issued, any will do.
        """
        token = authorization.removeprefix("Bearer ")
        if not token:
            return "Ims service token is empty"
        if not self._options.authenticated:
            return None
        if self._options.token is not None and token == self._options.token:
            return None
        if self._ends.get(token, 0.0) > time.monotonic():
            return None
        return "Ims service token is invalid"

    def answered(self, status: int | None) -> None:
        """Count an answer to a request for a token; None where it never got a whole one."""
        self._statuses["none" if status is None else str(status)] += 1

    def as_json(self) -> dict[str, Any]:
        """What /_emulator/stats says of tokens."""
        now = time.monotonic()
        return {
            "requests": self._statuses.total(),
            "requests_by_status": dict(self._statuses),
            "good": sum(ends > now for ends in self._ends.values()),
        }
