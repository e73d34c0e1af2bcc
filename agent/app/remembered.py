"""Which inlets were found before? A file in the data directory, for when the platform is away.

It holds no secrets. Who knows an inlet can write to it, so others cannot read the file.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.aep.discovery import Inlet, Wanted
from agent.config.platform import PlatformSettings
from agent.telemetry.logs import get_logger

log = get_logger("discovery")

_NAME = "inlets.json"


class Remembered:
    """What was found of flows, by where they were looked up."""

    def __init__(self, data_dir: Path, platform: PlatformSettings) -> None:
        self._path = data_dir / _NAME
        self._place = {
            "platform": platform.url,
            "org_id": platform.org_id,
            "sandbox": platform.sandbox,
        }

    def get(self, wanted: Wanted) -> Inlet | None:
        """What was found of a flow the last time; None where it never was."""
        for entry in self._entries():
            if self._is_of(entry, wanted):
                try:
                    return Inlet(**entry["inlet"])
                except (KeyError, TypeError):
                    return None
        return None

    def put(self, wanted: Wanted, inlet: Inlet) -> None:
        """Remember what was found. A file that cannot be written costs only this."""
        entries = [entry for entry in self._entries() if not self._is_of(entry, wanted)]
        entries.append({**self._place, "wanted": asdict(wanted), "inlet": asdict(inlet)})
        beside = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.touch(mode=0o600)
            with beside.open("w") as file:
                json.dump({"inlets": entries}, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            log.warning(
                "the inlet that was found cannot be remembered",
                reason=str(error),
                next_step="make room or give the right to write there; until then a start needs"
                " the platform",
            )

    def _entries(self) -> list[dict[str, Any]]:
        try:
            found = json.loads(self._path.read_bytes())["inlets"]
            return [entry for entry in found if isinstance(entry, dict)]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("what was remembered of inlets cannot be read", reason=str(error))
            return []

    def _is_of(self, entry: dict[str, Any], wanted: Wanted) -> bool:
        place = {name: entry.get(name) for name in self._place}
        return place == self._place and entry.get("wanted") == asdict(wanted)
