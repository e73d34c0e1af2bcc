"""Clients of every temper at once: each whole record is accounted for, and each piece of one."""

import random
import signal
import socket
import struct
import threading
import time
from collections import Counter
from pathlib import Path

from support.accounts import kept_in
from support.agent import eventually
from support.emulator import RunningEmulator
from support.listening import Listening, configured, listening

SEED = 11
CLIENTS = 60


class Client(threading.Thread):
    """Writes records in pieces of chance, with pauses, and ends in one of three ways."""

    def __init__(self, number: int, agent: Listening) -> None:
        super().__init__(daemon=True)
        self._chance = random.Random(SEED * 1000 + number)
        self._agent = agent
        count = self._chance.choice((1, 10, 200, 2000))
        self.records = [
            b'{"client":%d,"number":%d,"x":"%s"}'
            % (number, each, b"y" * self._chance.randrange(300))
            for each in range(count)
        ]
        self.torn = b'{"client":%d,"torn":' % number if number % 3 else b""
        self.how = ("close", "reset", "half")[number % 3 if number % 2 else 0]

    def _record(self, client: int, number: int) -> bytes:
        filler = b"y" * self._chance.randrange(300)
        return b'{"client":%d,"number":%d,"x":"%s"}' % (client, number, filler)

    def run(self) -> None:
        peer = self._agent.connect()
        content = b"".join(record + b"\n" for record in self.records) + self.torn
        while content:
            size = self._chance.choice((1, 7, 100, 5000, 100_000))
            peer.sendall(content[:size])
            content = content[size:]
            if self._chance.random() < 0.1:
                time.sleep(self._chance.random() / 50)
        if self.how == "reset":
            time.sleep(0.5)  # what was not yet read is gone with a reset, and that is no news
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self.how == "half":
            peer.shutdown(socket.SHUT_WR)
            assert peer.recv(1) == b""
        peer.close()


def test_every_record_and_every_piece_of_one_is_accounted_for(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    emulator.set_faults({"name": "now and then", "status": 503, "when": {"probability": 0.2}})
    source = {"type": "tcp", "listen": "127.0.0.1:0", "name": "tcp"}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, source)
    with listening(["run", config]) as agent:
        clients = [Client(number, agent) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(60)
        whole = Counter(record for client in clients for record in client.records)
        torn = Counter(client.torn for client in clients if client.torn)
        eventually(lambda: agent.status()["accepted"] == whole.total(), 60)
        eventually(lambda: agent.status()["dead_lettered"] == torn.total())
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
    assert Counter(emulator.records()) == whole
    letters = kept_in(data_dir).dead_letters
    assert Counter(letter.record for letter in letters) == torn
    assert {letter.reason for letter in letters} == {"torn"}
