"""An agent with a connection to it, for commands that look at a running one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.emulator import Remote
from support.listening import Listening, configured, listening

TCP = {"type": "tcp", "listen": "127.0.0.1:0", "name": "shop"}


@contextmanager
def watched(emulator: Remote, directory: Path, **settings: object) -> Iterator[Listening]:
    """An agent that runs, with a source called shop."""
    sources = settings.pop("sources", [TCP])
    assert isinstance(sources, list)
    path = configured(directory / "agent.yaml", emulator, directory / "data", *sources, **settings)
    with listening(["run", path], len(sources)) as agent:
        yield agent


def address_of(agent: Listening) -> str:
    """host:port of its admin port."""
    return str(agent.said("admin listens")[0]["address"])
