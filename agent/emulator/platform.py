"""What does the emulated platform have, of every kind?"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from agent.emulator.resources import Resources

ORG_ID = "0A1B2C3D4E5F60718293A4B5@AdobeOrg"  # where no other one is chosen


class Platform:
    """The collections behind the services; `platform["dataSets"]` is `platform.datasets`.

    `directory` keeps all of it over a restart. Raises AgentError where it cannot be used.
    """

    def __init__(
        self, directory: Path | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        def kept(name: str, new_id: Callable[[], str] | None = None) -> Resources:
            file = None if directory is None else directory / "platform" / f"{name}.ndjson"
            made = (
                Resources(file, now=now)
                if new_id is None
                else Resources(file, now=now, new_id=new_id)
            )
            self._collections[name] = made
            return made

        self._collections: dict[str, Resources] = {}
        self.sandboxes = kept("sandboxes")
        self.connections = kept("connections")
        self.source_connections = kept("sourceConnections")
        self.target_connections = kept("targetConnections")
        self.flows = kept("flows")
        self.schemas = kept("schemas")
        self.field_groups = kept("fieldgroups")
        self.classes = kept("classes")
        self.data_types = kept("datatypes")
        self.descriptors = kept("descriptors")
        self.datasets = kept("dataSets", lambda: secrets.token_hex(12))
        self.batches = kept("batches", lambda: secrets.token_hex(13).upper())
        self.mapping_sets = kept("mappingSets", lambda: secrets.token_hex(16))

    def __getitem__(self, name: str) -> Resources:
        """The collection that the platform calls so. Raises KeyError."""
        return self._collections[name]

    def close(self) -> None:
        """Close the files; what is in them stays."""
        for collection in self._collections.values():
            collection.close()
