"""What can go wrong, as a tree.

* AgentError
    * ConfigError            the configuration is wrong: exit 78 before anything starts
    * ConfigUnread           it could not be read for now: no fault of its own
    * Unavailable            the destination did not answer usably: try again
        * Unauthorized       it refused our credentials: pause, never blame the record
    * PlatformError          a call to the platform's control plane did not do what it was for
        * PlatformAway       no usable answer for now: the same call may succeed later
        * CredentialsRefused our token, key or organisation is not taken, or may not do this
        * NotFound           what was asked for is not there
        * Outdated           it was changed since it was read: read it again
    * StoreError             the store on disk failed
        * StoreFull          no room: input waits
        * StoreCorrupt       set the file aside, never delete it
        * StoreFormat        written by a newer agent: refuse, do not touch
        * StoreLocked        another agent uses it: exit 78, so that nobody starts us for ever
    * InputError             a source could not be opened or read
    * SchemaError            an XDM schema cannot be composed out of what the library holds
    * ExpressionError, MappingError, EvaluationError: `dataprep/faults`
    * Stopped                work ended because we were asked to stop: not a failure
"""


class AgentError(Exception):
    """Anything this agent raises on purpose."""


class ConfigError(AgentError):
    """The configuration is wrong; `str()` is a readable report of every problem in it."""


class ConfigUnread(AgentError):
    """The configuration could not be read, for want of memory; later it may be."""


class Unavailable(AgentError):
    """The destination did not give a usable answer; the same request may succeed later."""


class Unauthorized(Unavailable):
    """The destination refused our credentials."""


class PlatformError(AgentError):
    """A call to the platform's control plane failed; `str()` says which, why, and what to do."""

    def __init__(
        self,
        message: str,
        *,
        service: str,
        call: str = "",
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        next_step: str = "",
        maybe_done: bool = False,
    ) -> None:
        """*call* is its method and path; *maybe_done*: it may have been carried out all the same.

        *status* is None where no answer came, *code* the service's own, as FLOW-1425-400.
        """
        self.message = message
        self.service = service
        self.call = call
        self.status = status
        self.code = code
        self.request_id = request_id
        self.next_step = next_step
        self.maybe_done = maybe_done
        super().__init__(message)

    def __str__(self) -> str:
        answer = " ".join(str(part) for part in (self.status, self.code) if part)
        said = ": ".join(part for part in (self.service, self.call, answer, self.message) if part)
        if self.request_id:
            said += f" (request id {self.request_id})"
        if self.maybe_done:
            said += "; it may have been carried out all the same: look before doing it again"
        return f"{said}; {self.next_step}" if self.next_step else said


class PlatformAway(PlatformError):
    """The control plane gave no usable answer; the same call may succeed later."""


class CredentialsRefused(PlatformError):
    """The control plane does not take our token, key or organisation, or they may not do this."""


class NotFound(PlatformError):
    """The platform has no such object."""


class Outdated(PlatformError):
    """The object was changed since it was read: its etag is another one now."""


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


class SchemaError(AgentError):
    """An XDM schema cannot be composed; `str()` names component, place and what is missing."""


class Stopped(AgentError):
    """Work ended because the agent was asked to stop."""
