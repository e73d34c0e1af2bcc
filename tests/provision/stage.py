"""An emulated platform, a manifest, and what becomes of it; with death wherever it is wanted."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from agent.aep.calling import Session
from agent.aep.calls import Call, Reply
from agent.aep.platform import Platform
from agent.emulator.options import CLIENT_ID, CLIENT_SECRET, EmulatorOptions
from agent.emulator.platform import ORG_ID
from agent.emulator.server import Emulator
from agent.provision import agent_config, state
from agent.provision.apply import Applied, apply
from agent.provision.destroy import Fate, destroy, fates
from agent.provision.manifest.loading import Written, load
from agent.provision.objects.kind import Known
from agent.provision.plan import Step, planned
from agent.provision.state import Place, State, StateFile, path_beside, read

PLATFORM = """\
platform:
  url: ${AEP_PLATFORM_URL}
  token_url: ${AEP_TOKEN_URL}
  org_id: ${AEP_ORG_ID}
  client_id: ${AEP_CLIENT_ID}
  client_secret: ${AEP_CLIENT_SECRET}
  attempts: 2
  retry_initial: 1ms
  retry_max: 1ms
"""
ORDERS = f"""\
{PLATFORM}
source: {{type: http, authenticated: true}}
schema:
  title: Orders
  field_groups: [profile-person-details]
  fields:
    - {{path: order.id, type: string}}
    - {{path: order.total, type: number, minimum: 0}}
  identities:
    - {{path: _tenant.order.id, namespace: CRMID, primary: true}}
dataset: {{name: Orders, description: All of them}}
mapping:
  - {{to: person.name.firstName, attribute: firstName}}
  - {{to: _tenant.order.id, expression: 'concat(shop, ":", id)'}}
  - {{to: _tenant.order.total, attribute: total}}
flow: {{name: Orders, description: From the shop}}
"""
XDM = ORDERS.replace("type: http,", "type: http, data_type: xdm,").replace(
    ORDERS[ORDERS.index("mapping:") : ORDERS.index("flow:")], ""
)
ONE_OF_EACH = {
    "connections": 1,
    "sourceConnections": 1,
    "targetConnections": 1,
    "flows": 1,
    "schemas": 1,
    "fieldgroups": 1,
    "descriptors": 1,
    "dataSets": 1,
    "mappingSets": 1,
}


class Cut(BaseException):
    """As if the process ended here."""


class Life:
    """Counts what cannot be undone: calls that were answered, and files that were written.

    It ends after as many as it is given, if it is given any.
    """

    def __init__(self, moments: int | None = None) -> None:
        self.moments = 0
        self._last = moments

    def goes_on(self) -> None:
        """One moment is over."""
        self.moments += 1
        if self._last is not None and self.moments >= self._last:
            raise Cut


class MortalSession:
    """A session that ends when its life does, right after a call was answered."""

    def __init__(self, session: Session, life: Life) -> None:
        self._session = session
        self._life = life

    async def ask(self, call: Call) -> Reply:
        reply = await self._session.ask(call)
        self._life.goes_on()
        return reply


class Stage:
    """`async with staged(tmp_path) as stage: await stage.apply()`"""

    def __init__(self, emulator: Emulator, directory: Path, text: str) -> None:
        self.emulator = emulator
        self.path = directory / "orders.yaml"
        self.environ = {
            "AEP_PLATFORM_URL": emulator.listening,
            "AEP_TOKEN_URL": emulator.token_url or "",
            "AEP_ORG_ID": ORG_ID,
            "AEP_CLIENT_ID": CLIENT_ID,
            "AEP_CLIENT_SECRET": CLIENT_SECRET,
            "HOME": str(directory),
        }
        self.told: list[str] = []
        self.write(text)

    def write(self, text: str) -> None:
        """Write the manifest."""
        self.path.write_text(text)

    def edit(self, old: str, new: str) -> None:
        """Change something in the manifest."""
        text = self.path.read_text()
        assert old in text
        self.write(text.replace(old, new))

    @property
    def state(self) -> State:
        """What is noted."""
        return read(path_beside(self.path), self._place(self.written()))

    def noted(self, key: str) -> str:
        """The id that is noted for an object."""
        return next(str(each.id) for each in self.state.objects if each.key == key)

    def written(self) -> Written:
        """The manifest as it is read."""
        return load(self.path, self.environ)

    def platform(self, life: Life | None = None) -> Platform:
        """A way to the platform, which may end."""
        found = Platform.of(self.written().manifest.platform)
        if life is None:
            return found
        return _Mortal(found, life)

    async def plan(self) -> list[Step]:
        """What would be done."""
        written = self.written()
        async with self.platform() as platform:
            known = Known(await platform.schemas.tenant())
            return await planned(written.manifest, self.state, platform, known)

    async def actions(self) -> dict[str, str]:
        """The same in short: what would be done about what is not as it should be."""
        return {each.kind.key: str(each.action) for each in await self.plan() if each.differs}

    async def apply(self, life: Life | None = None) -> Applied:
        """Do it."""
        written = self.written()
        place = self._place(written)
        async with self.platform(life) as platform:
            with StateFile.open(path_beside(self.path), place) as file:
                return await apply(written, file, platform, self.told.append)

    async def destroy(self, life: Life | None = None) -> list[Fate]:
        """Take it away again; what stays."""
        written = self.written()
        async with self.platform(life) as platform:
            with StateFile.open(path_beside(self.path), self._place(written)) as file:
                found = await fates(written.manifest, file.state, platform)
                return await destroy(found, file, platform, self.told.append)

    async def objects(self) -> dict[str, int]:
        """How many of each there are on the platform, asked as anybody would."""
        async with self.platform() as platform:
            counts: Counter[str] = Counter()
            for kind in ("connections", "sourceConnections", "targetConnections", "flows"):
                counts[kind] = len(await platform.flow.find(kind))
            counts["schemas"] = len(await platform.schemas.find("schemas"))
            counts["fieldgroups"] = len(await platform.schemas.find("fieldgroups"))
            counts["descriptors"] = len(await platform.schemas.descriptors())
            counts["dataSets"] = len(await platform.catalog.find_datasets())
            counts["mappingSets"] = len(await platform.dataprep.find())
        return {kind: count for kind, count in counts.items() if count}

    def _place(self, written: Written) -> Place:
        settings = written.manifest.platform
        return Place(url=settings.url, org_id=settings.org_id, sandbox=settings.sandbox)


class _Mortal(Platform):
    def __init__(self, found: Platform, life: Life) -> None:
        super().__init__(MortalSession(found.flow.session, life), found.sandbox)  # type: ignore[arg-type]
        self._found = found

    async def __aenter__(self) -> Self:
        return self

    async def close(self) -> None:
        await self._found.close()


def let_files_end(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this life end after files that are written, too."""
    for module in (state, agent_config):
        put = module.put

        def put_and_go_on(path: Path, content: bytes, put: Any = put) -> None:
            put(path, content)
            life.goes_on()

        monkeypatch.setattr(module, "put", put_and_go_on)


@asynccontextmanager
async def staged(directory: Path, text: str = ORDERS) -> AsyncIterator[Stage]:
    """An empty platform, and a manifest."""
    options = EmulatorOptions(client_id=CLIENT_ID)
    async with Emulator(options) as emulator:
        yield Stage(emulator, directory, text)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The same for a process of its own."""
    return {**os.environ, **environ, "PYTHONPATH": str(Path.cwd())}
