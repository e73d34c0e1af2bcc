"""Who wants to be told, and in which words."""

import os
import socket
from pathlib import Path

import pytest

from agent.telemetry.notify import ServiceManager


def bound(address: str) -> socket.socket:
    """A manager's socket there."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind("\0" + address[1:] if address.startswith("@") else address)
    made.settimeout(5)
    return made


@pytest.mark.parametrize("abstract", [False, True])
def test_all_of_it_is_one_datagram(tmp_path: Path, abstract: bool) -> None:
    address = f"@aep-agent-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with bound(address) as there:
        manager = ServiceManager.of({"NOTIFY_SOCKET": address})
        assert manager
        manager.tell(RELOADING=1, MONOTONIC_USEC=12, STATUS="one\nREADY=1 line, Zürich")
        assert there.recv(4096).decode() == (
            "RELOADING=1\nMONOTONIC_USEC=12\nSTATUS=one READY=1 line, Zürich"
        )


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative"])
def test_who_does_not_listen_is_not_told(address: str) -> None:
    assert ServiceManager.of({"NOTIFY_SOCKET": address}) is None


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_who_it_is_meant_for(
    environ: dict[str, str], seconds: float | None
) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": "/there", **environ})
    assert manager
    assert manager.watchdog == seconds


def test_telling_somebody_who_is_gone_is_no_error(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "gone"), None).tell(READY=1)
