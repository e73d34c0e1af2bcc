"""What does one flow see of the store that all flows share? What is its own."""

import asyncio

from agent.record import Batch, Position
from agent.store.disk import Store
from agent.store.entry import Entry, Owner
from agent.store.spooling import Damaged, Share


class Partition:
    """The store in the hands of one flow: its entries, batches, and positions of its sources."""

    def __init__(self, store: Store, flow: str = "", key: str | None = None) -> None:
        """*key* is that of the flow's destination, where its batches are spooled."""
        self._store = store
        self.found = Share("", 0, 0, 0)  # what waited for this flow when the store was opened
        self.newest = 0  # the highest number that any batch had then
        destination_id = 0
        if key is not None:
            assert store.contents.spool, "the store was opened without a spool"
            own = store.contents.spool.mine[key]
            self.found, destination_id = own.share, own.destination_id
            self.newest = own.newest
        self._owner = Owner(flow, destination_id)

    def follow(self, source: str, start: Position, identity: str | None) -> None:
        """See `Store.follow`."""
        self._store.follow(source, start, identity)

    def read(self, source: str, end: Position, count: int, identity: str | None = None) -> None:
        """See `Store.read`."""
        self._store.read(source, end, count, identity)

    def leave(self, source: str, *, forget: bool) -> None:
        """See `Store.leave`."""
        self._store.leave(source, forget=forget)

    def write(self, entry: Entry) -> "asyncio.Future[None]":
        """Make an entry of this flow durable, see `Store.write`."""
        return self._store.write(entry, self._owner)

    def next_number(self) -> int:
        """The number of one more batch."""
        return self._store.next_number()

    def load(self, after: int, max_bytes: int) -> "asyncio.Future[list[Batch | Damaged]]":
        """The next batches of this flow, see `Store.load`."""
        return self._store.load(self._owner.destination_id, after, max_bytes)

    def hold(self, number: int, reason: str) -> None:
        """Offer a row of the spool no more, for that reason."""
        self._store.hold(number, reason)
