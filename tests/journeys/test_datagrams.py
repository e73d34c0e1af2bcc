"""Records that come in datagrams: counted when they come, and counted when they do not."""

import random
import signal
import socket
from pathlib import Path
from typing import Any

from support.accounts import accounted_for
from support.agent import aep_agent, eventually
from support.emulator import RunningEmulator
from support.listening import configured, connected, listening
from support.records import lines, orders

UDP: dict[str, Any] = {"type": "udp", "listen": "127.0.0.1:0", "name": "udp"}


def test_datagrams_of_both_kinds_are_accounted_for_line_by_line(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    local = {"type": "unix_datagram", "listen": str(tmp_path / "dgram"), "name": "local"}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, UDP, local)
    first, second = [*orders(300), b"nonsense"], orders(2000, first=1000)
    with listening(["run", config], 2) as agent:
        with connected(agent.addresses[0], socket.SOCK_DGRAM) as peer:
            for record in first:
                peer.send(record)
        with connected(agent.addresses[1], socket.SOCK_DGRAM) as peer:
            for start in range(0, 2000, 20):
                peer.send(lines(second[start : start + 20]))
        eventually(lambda: agent.status()["accepted"] == 2300)
        assert agent.status()["sources"]["udp"]["dropped_datagrams"] == 0
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
    accounted_for({"udp": first, "local": second}, emulator, data_dir)


def test_what_the_kernel_drops_while_the_inlet_is_down_is_counted_and_told(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    emulator.set_faults({"name": "down", "status": 503})
    size = {"type": "memory", "max_bytes": "2MB", "memory_bytes": "2MB"}
    source = {**UDP, "receive_buffer": "16KiB"}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, source, buffer=size)
    chance = random.Random(1)
    with listening(["run", config]) as agent:
        sent = 0
        with connected(agent.addresses[0], socket.SOCK_DGRAM) as peer:

            def dropped() -> int:
                nonlocal sent
                for _ in range(50):
                    peer.send(b'{"x":"%s"}' % chance.randbytes(15_000).hex().encode())
                    sent += 1
                return int(agent.status()["sources"]["udp"]["dropped_datagrams"])

            eventually(dropped)
        emulator.set_faults()
        eventually(lambda: agent.status()["accepted"] + dropped_by(agent.metrics()) == sent, 60)
        assert agent.status()["ledger"]["residue"] == 0
        assert agent.said("the kernel dropped datagrams, and whatever records were in them")
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
    checked = aep_agent("check", config)
    assert b"it is counted in datagrams, and nobody knows the records" in checked.stdout


def dropped_by(metrics: dict[str, float]) -> float:
    return metrics['aep_agent_source_dropped_datagrams_total{source="udp"}']
