"""Reloads while files, connections and requests come in, and the inlet is away now and then."""

import http.client
import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.accounts import kept_in
from support.agent import eventually
from support.emulator import RunningEmulator
from support.listening import Listening, connected, listening
from support.records import lines, orders

pytestmark = [pytest.mark.alone, pytest.mark.timeout(900)]

RELOADS = int(os.environ.get("RELOADS", "100"))  # RELOADS=500 takes two and a half minutes
SECONDS = 1.2 * RELOADS  # each starts a process that reads: a third of a second of CPU
TOKENS = ("first", "second")
ENDS = ("the configuration was read again", "the configuration is wrong, going on with the old one")
NOTHING_TAKEN = (401, 429, 503)


class Load:
    """Writes to all doors at once until it is told to stop; what it wrote is in `written`."""

    def __init__(self, folder: Path, web: str) -> None:
        self.written: list[bytes] = []
        self.answers: Counter[int] = Counter()
        self.folder = folder
        self.web = web
        self._stop = threading.Event()
        self._numbers = iter(range(1, 10_000_000, 10))
        self._failed: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def start(self, client: socket.socket) -> None:
        """Begin."""
        for work in (self._logs, self._push, lambda: self._connection(client)):
            self._threads.append(threading.Thread(target=self._until_stopped, args=(work,)))
            self._threads[-1].start()

    def stop(self) -> None:
        """Write no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        assert not self._failed, self._failed

    def _until_stopped(self, work: Callable[[], None]) -> None:
        try:
            while not self._stop.wait(0.004):
                work()
        except BaseException as error:  # noqa: BLE001  # told by `stop`
            self._failed.append(error)

    def _next(self) -> list[bytes]:
        records = orders(10, first=next(self._numbers))
        self.written += records
        return records

    def _logs(self) -> None:
        for name in ("app.log", "other.log"):
            with (self.folder / name).open("ab") as file:
                file.write(lines(self._next()))

    def _connection(self, client: socket.socket) -> None:
        client.sendall(lines(self._next()))

    def _push(self) -> None:
        """Send until it is taken; whatever is not 200 must mean that nothing was."""
        body = lines(self._next())
        for attempt in range(10_000):
            token = TOKENS[attempt % 2]
            with closing(http.client.HTTPConnection(self.web, timeout=30)) as client:
                client.request("POST", "/", body, {"Authorization": f"Bearer {token}"})
                answer = client.getresponse()
                said = answer.read()
            self.answers[answer.status] += 1
            if answer.status == 200:
                return
            assert answer.status in NOTHING_TAKEN, (answer.status, said)
            assert b"taken" not in said, said
            time.sleep(0.005)


def a_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def configurations(
    whole: dict[str, Any], folder: Path, taken: str, seed: int
) -> Iterator[tuple[str, bool]]:
    """Texts of configurations, and whether each is right."""
    dice = random.Random(seed)
    door, logs, web, other, guest = whole["sources"]
    for number in range(RELOADS):
        logs = {**logs, "poll": f"{40 + dice.randrange(3)}ms"} if dice.random() < 0.3 else logs
        if number % 10 == 0:
            web = {**web, "token": dice.choice(TOKENS)}
        sources = [door, logs, web]
        if dice.random() < 0.6:
            sources.append(other)
        if dice.random() < 0.5:
            sources.append(guest)
        good = {
            **whole,
            "sources": sources,
            "batch": {"max_wait": "20ms", "max_records": dice.choice([50, 200, 5000])},
            "delivery": {**whole["delivery"], "max_in_flight": dice.choice([2, 8, 32])},
            "inlet": {**whole["inlet"], "headers": {"x-number": str(number)}},
            "buffer": {"memory_bytes": dice.choice(["8MiB", "16MiB"])},
        }
        missing = {"cert_file": str(folder / "missing.pem")}
        wrong = [
            json.dumps({**good, "batch": {"max_wait": "soon"}}),
            json.dumps({**good, "sources": [*sources, {**guest, "name": "x", "listen": taken}]}),
            json.dumps({**good, "sources": [{**guest, "tls": missing}]}),
            json.dumps(good)[:-5],
        ]
        is_good = dice.random() < 0.7
        yield (json.dumps(good) if is_good else dice.choice(wrong)), is_good


def standing(agent: Listening) -> tuple[int, int, int]:
    """Descriptors, threads and tasks that it has."""
    pid = agent.agent.process.pid
    tasks = int(agent.metrics()["aep_agent_loop_tasks"])
    threads = len([*Path(f"/proc/{pid}/task").iterdir()])
    return len([*Path(f"/proc/{pid}/fd").iterdir()]), threads, tasks


def test_reloads_lose_no_record_and_leave_nothing_behind(data_dir: Path, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201  # to have the same again
    web, taken = f"127.0.0.1:{a_port()}", socket.create_server(("127.0.0.1", 0))
    with closing(taken), RunningEmulator() as emulator:
        path = tmp_path / "agent.json"
        whole = {
            "data_dir": str(data_dir),
            "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
            "sources": [
                {"type": "tcp", "name": "door", "listen": f"127.0.0.1:{a_port()}"},
                {"type": "file", "name": "app", "paths": [str(tmp_path / "app.log")]},
                {"type": "http", "name": "web", "listen": web, "token": TOKENS[0]},
                {"type": "file", "name": "other", "paths": [str(tmp_path / "other.log")]},
                {"type": "tcp", "name": "guest", "listen": f"127.0.0.1:{a_port()}"},
            ],
            "batch": {"max_wait": "20ms"},
            "delivery": {"retry": {"initial": "10ms", "max": "100ms"}, "max_in_flight": 32},
            "admin": {"listen": "127.0.0.1:0"},
            "shutdown": {"grace": "10s"},
            "log": {"format": "json", "repeat": "0s"},
        }
        path.write_text(json.dumps(whole))
        with listening(["run", path], 3) as agent, connected(agent.addresses[0]) as client:
            load = Load(tmp_path, web)
            load.start(client)
            assert reload(agent, path, json.dumps(whole))
            time.sleep(0.5)
            before = standing(agent)
            begun = time.monotonic()
            outcomes: Counter[bool] = Counter()
            for number, (text, is_good) in enumerate(
                configurations(whole, tmp_path, f"127.0.0.1:{taken.getsockname()[1]}", seed)
            ):
                if number % 50 == 20:
                    emulator.set_faults({"status": 503, "retry_after": 0})
                if number % 50 == 40:
                    emulator.set_faults()
                assert reload(agent, path, text) == is_good, agent.said(ENDS[1])[-1:]
                outcomes[is_good] += 1
            took = time.monotonic() - begun
            emulator.set_faults()
            assert reload(agent, path, json.dumps(whole))
            load.stop()
            written = Counter(load.written)
            eventually(lambda: emulator.stats()["records_accepted"] >= len(load.written))
            eventually(lambda: agent.status()["held"] == 0)
            after = standing(agent)
            print(  # noqa: T201  # what was measured
                f"{outcomes[True]} good, {outcomes[False]} bad in {took:.1f} s;"
                f" {len(load.written)} records, answers {dict(load.answers)}; descriptors, threads"
                f" and tasks: {before} before, {after} after"
            )
            assert agent.status()["ledger"]["residue"] == 0
            agent.agent.signal(signal.SIGTERM)
            assert agent.finished().code == 0
        came = Counter(emulator.records())

    assert came == written, f"lost {(written - came).total()}, doubled {(came - written).total()}"
    assert len(kept_in(data_dir).receipts) == len(load.written)
    assert took < SECONDS
    assert after[2] <= before[2], "tasks are left"
    assert after[0] <= before[0], "descriptors are left"


def reload(agent: Listening, path: Path, text: str) -> bool:
    """Have it read that configuration; whether it took it."""
    seen = [len(agent.said(event)) for event in ENDS]
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)
    agent.agent.signal(signal.SIGHUP)
    eventually(lambda: [len(agent.said(event)) for event in ENDS] != seen)
    return len(agent.said(ENDS[0])) > seen[0]
