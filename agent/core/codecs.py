"""Whether request bodies are compressed: gzip is not documented for the inlet, so it is tried.

While it is being tried, a refusal that may be gzip's fault is checked by sending the very same
records once without. Only if they are taken then, gzip was to blame, and is given up for good.
"""

_MAY_BE_THE_CODEC = frozenset({400, 415})
_BUSY = 503  # says when to come back, not what was wrong


class Codec:
    """The choice between gzip and plain, and what the inlet's answers have taught."""

    def __init__(self, compression: str) -> None:
        """*compression* is auto, gzip or none."""
        self.gzip = compression != "none"
        self.proven = compression != "auto"

    def is_suspect(self, status: int, *, gzipped: bool) -> bool:
        """Whether that refusal of a body calls for sending it once more without gzip."""
        if not gzipped or (self.gzip and self.proven):
            return False
        return status in _MAY_BE_THE_CODEC or (status >= 500 and status != _BUSY)

    def took(self, *, gzipped: bool) -> None:
        """The inlet read a body sent this way."""
        if gzipped and self.gzip:
            self.proven = True

    def refused_gzip(self) -> bool:
        """The records that gzip was refused for were taken without it; says whether to stop it.

        Where gzip was proven meanwhile, the refusal had another cause.
        """
        given_up = self.gzip and not self.proven
        self.gzip = self.gzip and self.proven
        return given_up
