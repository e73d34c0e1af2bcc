"""What do all objects on the platform have in common?

An object has a key in the state file, a name by which it is found again, and what the manifest
wants of it. It is compared with what the platform has now, never with what was sent last time.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from agent.aep.platform import Platform
from agent.errors import NotFound
from agent.provision.manifest.model import Manifest

NEW = "(new)"  # the id of what is not there yet


class Cure(StrEnum):
    """What can be done about a difference."""

    CHANGE = "change"
    REPLACE = "replace"  # the platform has no call to change it: it is made anew
    REFUSE = "refuse"  # only a person can decide
    NOTE = "note"  # nothing: it is shown


@dataclass(frozen=True, slots=True)
class Difference:
    """Something is not as the manifest says. Values are shown, so no secret is ever in them."""

    path: str
    found: Any
    wanted: Any
    cure: Cure
    advice: str = ""  # for REFUSE and NOTE: what to do, or what it means
    mend: Any = None  # for CHANGE: what the call that mends it takes


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it is on the platform."""

    id: str
    body: Mapping[str, Any]
    etag: str = ""

    @property
    def name(self) -> str | None:
        """What it is called there; None where it has no name of its own."""
        found = self.body.get("name") or self.body.get("title")
        return str(found) if found else None

    def at(self, path: str) -> Any:
        """What is at a dotted path of it; None where nothing is."""
        here: Any = self.body
        for part in path.split("."):
            here = here.get(part) if isinstance(here, Mapping) else None
        return here


@dataclass
class Known:
    """What is known of the platform on the way: ids by key, and what only an answer tells."""

    tenant: str
    ids: dict[str, str] = field(default_factory=dict)
    inlet_url: str | None = None
    mapping_version: int = 0
    flow_spec: tuple[str, str] = (NEW, "1.0")  # id and version

    def id(self, key: str) -> str:
        """The id of an object; NEW where it is yet to be made."""
        return self.ids.get(key, NEW)


class Kind(ABC):
    """One object that the manifest wants."""

    noun: ClassVar[str]
    key: str  # in the state
    given: str | None = None  # its id, where the manifest names one that exists
    is_named: ClassVar[bool] = True  # whether the platform has its name, too

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @property
    @abstractmethod
    def name(self) -> str:
        """The name by which it is found again."""

    @abstractmethod
    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        """The object with this id. Raises NotFound."""

    @abstractmethod
    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        """All objects of this kind that have its name."""

    @abstractmethod
    def differences(self, found: Found, known: Known) -> list[Difference]:
        """How an object that was found differs from what the manifest wants."""

    @abstractmethod
    async def create(self, platform: Platform, known: Known) -> str:
        """Make it; its id."""

    @abstractmethod
    def stays(self, found: Found) -> str:
        """Why it cannot be taken away; empty where it can: then it is a Removable."""

    def is_settled(self, found: Found, known: Known) -> bool:
        """Whether the platform has finished making it."""
        return True

    def learn(self, found: Found, known: Known) -> None:
        """Note what only the answer tells."""
        return

    def foresee(self, known: Known) -> None:
        """Note what changing it will come to, where it is only planned."""
        return

    async def by_id(self, platform: Platform, id: str, known: Known) -> Found | None:
        """The object with this id, or None where there is none any more."""
        try:
            return await self.get(platform, id, known)
        except NotFound:
            return None


class Changeable(Kind):
    """One that the platform has a call to change: only of these, differences can be mended."""

    @abstractmethod
    async def change(
        self, platform: Platform, found: Found, differences: Sequence[Difference], known: Known
    ) -> None:
        """Mend the differences whose cure is CHANGE."""


class Removable(Kind):
    """One that the platform has a call to delete."""

    def stays(self, found: Found) -> str:
        return ""

    @abstractmethod
    async def delete(self, platform: Platform, id: str) -> None:
        """Take it away. Raises NotFound where it is gone."""


def changed_text(path: str, found: Any, wanted: str | None, mend: Any) -> list[Difference]:
    """The difference between two texts, where nothing and an empty text are the same."""
    if (found or None) == (wanted or None) or wanted is None:
        return []
    return [Difference(path, found, wanted, Cure.CHANGE, mend=mend)]
