"""What can go wrong, as a tree.

* AgentError
    * ConfigError            the configuration is wrong: exit 78 before anything starts
    * Unavailable            the destination did not answer usably: try again
        * Throttled          it asked for fewer requests, perhaps saying for how long
        * Unauthorized       it refused our credentials: pause, never blame the record
    * Rejected               the platform refused this record: dead letter
    * StoreError             the store on disk failed
        * StoreFull          no room: input waits
        * StoreCorrupt       set the file aside, never delete it
        * StoreFormat        written by a newer agent: refuse, do not touch
        * StoreLocked        another agent uses it: exit 78, so that nobody starts us for ever
    * InputError             a source could not be opened or read
    * Stopped                work ended because we were asked to stop: not a failure
"""


class AgentError(Exception):
    """Anything this agent raises on purpose."""


class ConfigError(AgentError):
    """The configuration is wrong; `str()` is a readable report of every problem in it."""


class Unavailable(AgentError):
    """The destination did not give a usable answer; the same request may succeed later."""


class Throttled(Unavailable):
    """The destination asked us to slow down; `retry_after` is in seconds, or None."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unauthorized(Unavailable):
    """The destination refused our credentials."""


class Rejected(AgentError):
    """The platform will never take this record."""


class StoreError(AgentError):
    """The store on disk failed."""


class StoreFull(StoreError):
    """The store has no room left."""


class StoreCorrupt(StoreError):
    """The store's file cannot be read as a store."""


class StoreFormat(StoreError):
    """The store was written by a newer version of the agent."""


class StoreLocked(StoreError):
    """Another agent uses the store."""


class InputError(AgentError):
    """A source could not be opened or read."""


class Stopped(AgentError):
    """Work ended because the agent was asked to stop."""
