"""What would Real-Time Customer Profile know, much reduced?

Records of datasets that are enabled for it are merged by their primary identity: of two values for
one field the last one wins. Events are kept in order; one whose `_id` the profile has is ignored,
though it did land in its dataset. There are no merge policies, no identity graph (two identities
are two people), no segments and no time to live.

Changes are kept in `profiles.ndjson`, one a line, and read again at a start.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from agent.emulator.appending import AppendFile

MAX_PROFILES = 100_000
MAX_EVENTS = 500  # of each profile; the oldest ones go

Identity = tuple[str, str]  # namespace and id


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one record says of one person."""

    identity: Identity
    entity: dict[str, Any]
    how: Literal["merge", "create", "delete", "event"] = "merge"


@dataclass(slots=True)
class Profile:
    """One person."""

    identity: Identity
    attributes: dict[str, Any] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)  # by _id
    records: int = 0

    def as_json(self) -> dict[str, Any]:
        """As /_emulator/profiles answers it."""
        namespace, id_ = self.identity
        return {
            "identity": {"namespace": namespace, "id": id_},
            "attributes": self.attributes,
            "events": list(self.events.values()),
            "records": self.records,
        }


_change = msgspec.json.Decoder(Change)


class Profiles:
    """All profiles. `duplicates` counts ignored events, `beyond` what found no room."""

    def __init__(self, directory: Path) -> None:
        self._file = AppendFile.named(directory / "profiles.ndjson")
        self._profiles: dict[Identity, Profile] = {}
        self.duplicates = 0
        self.beyond = 0

    def __len__(self) -> int:
        return len(self._profiles)

    @property
    def end(self) -> int:
        """Where the next change is written."""
        return self._file.end

    def cut(self, end: int) -> None:
        """Cut off what lies behind `end`."""
        self._file.truncate(end)

    def reread(self) -> None:
        """Make all changes again."""
        for line in self._file.lines():
            self.make(_change.decode(line))

    def write(self, changes: list[Change]) -> None:
        """Write changes at the end; they count once they are made. Raises OSError."""
        self._file.append(b"".join(msgspec.json.encode(change) + b"\n" for change in changes))

    def make(self, change: Change) -> None:
        """Change a profile."""
        profile = self._profiles.get(change.identity)
        if change.how == "delete":
            self._profiles.pop(change.identity, None)
            return
        if profile is None:
            if len(self._profiles) >= MAX_PROFILES:
                self.beyond += 1
                return
            profile = self._profiles[change.identity] = Profile(change.identity)
        if change.how == "event":
            self._append(profile, change.entity)
            return
        profile.records += 1
        if change.how == "create":
            profile.attributes = {}
        _merge(profile.attributes, change.entity)

    def find(self, id_: str) -> list[Profile]:
        """The profiles of an identity, `a@b.org`, or with its namespace, `Email:a@b.org`."""
        namespace, separator, rest = id_.partition(":")
        exact = self._profiles.get((namespace, rest)) if separator else None
        if exact is not None:
            return [exact]
        return [profile for profile in self._profiles.values() if profile.identity[1] == id_]

    def some(self, offset: int = 0, limit: int = 100) -> Iterator[Profile]:
        """At most `limit` profiles without the first `offset`, in order of their making."""
        yield from list(self._profiles.values())[offset : offset + limit]

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._file.close()

    def _append(self, profile: Profile, event: dict[str, Any]) -> None:
        id_ = str(event.get("_id"))
        if id_ in profile.events:
            self.duplicates += 1
            return
        profile.records += 1
        profile.events[id_] = event
        if len(profile.events) > MAX_EVENTS:
            del profile.events[next(iter(profile.events))]


def _merge(into: dict[str, Any], newer: Mapping[str, Any]) -> None:
    """Objects are merged field by field; whatever else is newer takes the place of the older."""
    for name, value in newer.items():
        present = into.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        else:
            into[name] = value
