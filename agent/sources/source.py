"""What is a source? Something that reads bytes forwards and hands them to its feed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.core.framing import Oversize
from agent.core.validation import Fault
from agent.record import BEGINNING, Position
from agent.store.positions import SavedPosition


class Feed(Protocol):
    """Where a source puts what it read; what is awaited waits while there is no room.

    `put` and `end` take bytes as they come, the others what the source has framed itself. See
    `agent.delivery.intake.Feed`.
    """

    position: Position  # where the source stands
    identity: str | None  # tells what is read from others, where that changes as it is read

    async def put(self, block: bytes) -> None:
        """Take the next bytes."""
        ...

    async def end(self) -> None:
        """There will be no more."""
        ...

    async def lines(
        self,
        data: bytes,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> int:
        """Take whole lines, after which the source stands at *end*; how many were not blank."""
        ...

    async def refuse(
        self,
        line: bytes,
        fault: Fault,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> None:
        """Take what is no record: it becomes a dead letter."""
        ...

    async def oversize(self, line: Oversize, end: Position | None = None) -> None:
        """Take a line that was too long to be kept: it becomes a dead letter."""
        ...

    def hasten(self, within: float, *, is_awaited: bool) -> None:
        """Have what was taken sent *within* seconds, and durable soon where that *is_awaited*."""
        ...

    def skip(self, end: Position) -> None:
        """Move on past what holds no records."""
        ...

    def refuse_at_once(self, line: bytes, fault: Fault, end: Position | None = None) -> None:
        """What `refuse` does, whether there is room or not: for the last there is to say."""
        ...

    @property
    def unfinished_bytes(self) -> int:
        """Bytes held of what has no end yet."""
        ...

    def completes(self, line: bytes) -> bool:
        """Whether a line that has no end yet is a whole one: what comes behind it could only
        spoil it."""
        ...

    def leave_out(self, name: str, count: int) -> None:
        """Count records that nobody asked for, by the name of what leaves them out."""
        ...

    def leave(self, *, forget: bool = False) -> None:
        """Nothing more will come; *forget*: nor does a later run need to know where it was."""
        ...


class Doors(Protocol):
    """Gives a feed to each stream of bytes that has positions of its own."""

    def feed(
        self,
        source: str,
        start: Position = BEGINNING,
        identity: str | None = None,
        label: str | None = None,
    ) -> Feed:
        """The feed of a stream of that name, which is counted under *label*."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source is: bytes read, and how many there are where that is known."""

    read: int
    total: int | None


class Source(Protocol):
    """One input. `run` returns at its end, or soon after `stop`, which may come at any time.

    Who has nothing to resume, or to claim beforehand, inherits that from here.
    """

    name: str

    def resume(self, saved: Mapping[str, SavedPosition]) -> None:
        """Go on where earlier runs had got to; *saved* are all positions, by name of stream."""
        return

    async def claim(self) -> None:
        """Take what it needs before anything is read. Raises ConfigError."""
        return

    def follow(self, former: "Source") -> bool:
        """Take the place of another source, of which `claim` takes over what it can.

        Whether there is anything: then nobody notices that one goes and another comes.
        """
        return False

    def succeed(self) -> None:
        """What was taken over is this source's alone; the former one is about to be stopped."""
        return

    def renew(self) -> None:
        """Look again at the certificates and secrets that its settings name."""
        return

    async def run(self, doors: Doors) -> None:
        """Read until the end. Raises InputError where that is not possible."""
        ...

    async def let_go(self, *, patiently: bool = False) -> None:
        """Give back what it claimed, whether it ran or not.

        *patiently*: others go on, so that there is time for who waits to be answered.
        """
        return

    def stop(self) -> None:
        """Take nothing more from the input."""
        ...

    def progress(self) -> Progress:
        """How far it is."""
        ...

    def details(self) -> Mapping[str, object]:
        """What else there is to say of it, for /status."""
        return {}
