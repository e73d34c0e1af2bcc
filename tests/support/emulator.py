"""An inlet on a free port, in a thread of its own, for tests that wait for another process."""

import asyncio
import http.client
import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from agent.emulator.options import EmulatorOptions
from agent.emulator.rules import parse_script
from agent.emulator.server import Emulator
from support.provisioned import Provisioned, provision


def in_turn(faults: Mapping[str, dict[str, Any]], requests: int = 1000) -> list[dict[str, Any]]:
    """Rules under which each request meets the next of these faults, and after some none."""
    return [
        {
            "name": name,
            **fault,
            "when": {"after": place, "every": len(faults), "requests": requests},
        }
        for place, (name, fault) in enumerate(faults.items())
    ]


class Remote:
    """An emulator, wherever it runs, asked over HTTP as anybody would."""

    def __init__(self, port: int, inlet_url: str, flow_id: str) -> None:
        self.port = port
        self.inlet_url = inlet_url
        self.flow_id = flow_id

    def stats(self) -> dict[str, Any]:
        """Its counters."""
        return dict(json.loads(self._asked("GET", "stats")))

    def set_faults(self, *rules: dict[str, Any], seed: int = 0) -> None:
        """Put another script to work; no rules end all faults."""
        self._asked("PUT", "faults", json.dumps({"seed": seed, "rules": rules}).encode())

    def revoke_tokens(self) -> None:
        """Let no token be good that was issued so far."""
        self._asked("DELETE", "tokens")

    def throughput(self) -> dict[str, Any]:
        """Records of each of the last seconds."""
        return dict(json.loads(self._asked("GET", "throughput")))

    def traps(self) -> dict[str, Any]:
        """The platform's traps as they are set."""
        return dict(json.loads(self._asked("GET", "traps"))["traps"])

    def settle(self) -> None:
        """Wait until everything that was accepted has landed, or failed to."""
        self._asked("POST", "settle")

    def records(self) -> list[bytes]:
        """The exact bytes of every accepted record, in order of arrival."""
        return self._asked("GET", "records").split(b"\n")[:-1]

    def records_by_id(self) -> dict[str, bytes]:
        """Accepted records by the xactionId they were given."""
        found: dict[str, bytes] = {}
        for line in self._asked("GET", "records?ids=1").split(b"\n")[:-1]:
            at = line.index(b',"record":')
            found[json.loads(line[:at] + b"}")["xaction_id"]] = line[at + len(b',"record":') : -1]
        return found

    def refusals(self) -> dict[bytes, list[dict[str, Any]]]:
        """What was said of each refused record, every time it was refused."""
        said: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
        for line in self._asked("GET", "rejected").split(b"\n")[:-1]:
            at = line.rindex(b',"status":')
            record = line[len(b'{"record":') : at]
            said[record].append(json.loads(b"{" + line[at + 1 :]))
        return said

    def _asked(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, f"/_emulator/{path}", body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, content
        return content


class RunningEmulator(Remote):
    """`with RunningEmulator(faults=[...], dialect="observed") as emulator: ...`"""

    def __init__(self, faults: Any = (), **options: Any) -> None:
        self._emulator = Emulator(EmulatorOptions(**options), parse_script(faults or []))
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop = self._ready.result()
        port = int(self._emulator.listening.rpartition(":")[2])
        super().__init__(port, self._emulator.inlet_url, self._emulator.flow_id)
        self.token_url = self._emulator.token_url
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def provision(self, **what: Any) -> Provisioned:
        """A flow to a dataset of its own, as `support.provisioned.provision` puts it there."""

        async def provisioned() -> Provisioned:
            return provision(self._emulator.platform, **what)

        return asyncio.run_coroutine_threadsafe(provisioned(), self._loop).result(10)

    async def _serve(self) -> None:
        try:
            async with self._emulator:
                self._ready.set_result(asyncio.get_running_loop())
                await self._stop.wait()
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
