"""What systemd is told where all is not well."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.app.service import Service
from agent.app.summary import Snapshot
from agent.telemetry.notify import ServiceManager

STANDS = Snapshot(
    read=1200,
    accepted=0,
    dead_lettered={},
    bytes_read=0,
    state="throttled",
    input_done=0,
    input_total=None,
    seconds=1.0,
    cpu_seconds=1.0,
    safe={},
    unreadable=(),
    interrupted=False,
)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[ServiceManager, socket.socket]]:
    """A service manager whose watchdog is quick, and what it is told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(5)
        yield ServiceManager(str(tmp_path / "notify"), watchdog=0.03), told


async def test_work_that_lies_still_gives_no_sign_of_life_but_says_why(
    manager: tuple[ServiceManager, socket.socket],
) -> None:
    well = [(True, "alive"), (False, "nothing moved for 300 s")]
    service = Service(manager[0], lambda: STANDS, lambda: (True, "ready"), lambda: well.pop(0))
    task = asyncio.create_task(service.run())
    first = await asyncio.to_thread(manager[1].recv, 4096)
    second = await asyncio.to_thread(manager[1].recv, 4096)
    task.cancel()

    assert first.decode().split("\n") == [
        "WATCHDOG=1",
        "STATUS=ready; 0 accepted/s, 1,200 held, 0 dead letters; destination throttled",
    ]
    assert second == b"STATUS=not alive: nothing moved for 300 s"


def test_a_reload_says_when_it_began_until_input_is_taken_again(
    manager: tuple[ServiceManager, socket.socket],
) -> None:
    service = Service(manager[0], lambda: STANDS, lambda: (True, "ready"), lambda: (True, "alive"))
    service.reloading()
    reloading = dict(line.split("=", 1) for line in manager[1].recv(4096).decode().split("\n"))
    service.running("the file is wrong")

    assert reloading["RELOADING"] == "1"
    assert int(reloading["MONOTONIC_USEC"]) > 0
    assert manager[1].recv(4096) == b"READY=1\nSTATUS=the file is wrong"
    service.stopping()
    assert b"STATUS=the file is wrong; ready; 0 accepted/s" in manager[1].recv(4096)
