"""What do sources have in common that listen, and cannot read anything twice?"""

from collections.abc import Mapping

from agent.record import BEGINNING
from agent.sources.listening import Listeners, Listening
from agent.sources.source import Progress, Source
from agent.store.positions import SavedPosition
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

log = get_logger("source")


class Receiver(Source):
    """A source with an address of its own, from `claim` until `let_go`."""

    def __init__(self, name: str, listening: Listening, block_bytes: int, meters: Meters) -> None:
        """*block_bytes* go on together, where there are so many."""
        self.name = name
        self._listeners = Listeners(listening)
        self._block_bytes = block_bytes
        self._meters = meters
        self._start = BEGINNING
        self._read = 0
        self._stopped = False

    def resume(self, saved: Mapping[str, SavedPosition]) -> None:
        """Number the lines on from where an earlier run had got to."""
        if before := saved.get(self.name):
            self._start = before.position

    def follow(self, former: Source) -> bool:
        """Listen on the sockets of another, where it is there that this one is to listen."""
        return isinstance(former, Receiver) and self._listeners.follow(former._listeners)

    def succeed(self) -> None:
        """The sockets are those of this source from now on."""
        self._listeners.succeed()

    async def claim(self) -> None:
        """Listen: what comes is queued from now on. Raises ConfigError."""
        self._listeners.open()
        for address in self._listeners.addresses:
            log.info("a source listens", source=self.name, address=address)

    async def let_go(self, *, patiently: bool = False) -> None:
        """Listen no more."""
        self._listeners.close()

    def progress(self) -> Progress:
        """Bytes received; how many will come is not known."""
        return Progress(self._read, None)

    def details(self) -> Mapping[str, object]:
        """Where it listens."""
        return {"listen": self._listeners.addresses}
