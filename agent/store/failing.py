"""What did the store fail with for good, and who is told?"""

import asyncio
from pathlib import Path
from typing import Any

from agent.errors import StoreCorrupt
from agent.store.database import suspect
from agent.store.trouble import is_refusal


class Failure:
    """The first failure of the store in *data_dir* that waiting does not mend."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._failed: asyncio.Future[None] | None = None

    async def watch(self, seconds: float) -> None:
        """Go on so long, or until there is one; then raise it."""
        if self._failed is None:
            self._failed = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._failed], timeout=seconds)
        for failed in done:
            failed.result()

    def note(self, written: "asyncio.Future[Any]") -> None:
        """Something was written or read, or was not."""
        if written.cancelled() or (error := written.exception()) is None:
            return
        if isinstance(error, StoreCorrupt):
            suspect(self._data_dir)
        if self._failed is None:
            self._failed = written.get_loop().create_future()
        if not self._failed.done():
            self._failed.set_exception(error)
            self._failed.exception()  # perhaps nobody watches

    def note_read(self, read: "asyncio.Future[Any]") -> None:
        """Something was read, or was not; what the disk refuses is read again by who asked."""
        error = None if read.cancelled() else read.exception()
        if error is None or not is_refusal(error.__cause__ or error):
            self.note(read)
