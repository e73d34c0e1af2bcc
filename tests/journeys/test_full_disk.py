"""A disk smaller than the buffer: intake waits, nothing is lost, and room is all it needs."""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from support.accounts import accounted_for
from support.agent import Finished, Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.records import lines
from support.spools import spooled
from torture.disk import SmallDisk, can_mount

Inlet = Callable[..., RunningEmulator]
Start = Callable[..., Running]
Configured = Callable[..., Path]

DOWN = [{"status": 503}]
QUICKLY = {"retry": {"initial": "10ms", "max": "100ms"}}
BUFFER = {"max_bytes": "1GiB", "memory_bytes": "2MiB"}  # on a disk of 8 MiB
RECORDS = [
    b'{"n":%d,"noise":"%s"}' % (number, Random(number).randbytes(500).hex().encode())
    for number in range(24_000)
]


@pytest.fixture
def disk(data_dir: Path) -> Iterator[SmallDisk]:
    with _small(data_dir) as mounted:
        yield mounted


def _small(data_dir: Path, size: int = 8 << 20) -> SmallDisk:
    if not can_mount():
        pytest.skip("NOT RUN: only a superuser can mount the small disk that this test fills")
    return SmallDisk(data_dir, size)


class Writer:
    """Writes to an agent's standard input, as fast as it is read, and closes it."""

    def __init__(self, agent: Running, content: bytes) -> None:
        self.written = 0
        self._agent = agent
        self._content = memoryview(content)
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def waits(self) -> bool:
        """Whether nothing was read for a second."""
        before = self.written
        time.sleep(1)
        return before == self.written < len(self._content)

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive(), "the agent did not read on"

    def _write(self) -> None:
        stdin = self._agent.process.stdin
        assert stdin
        while self.written < len(self._content):
            try:
                self.written += stdin.write(self._content[self.written :][:4096])
                stdin.flush()
            except BrokenPipeError:  # it was told to stop
                break
        with suppress(BrokenPipeError):
            stdin.close()


def _end_of(agent: Running) -> Finished:
    agent.process.stdin = None  # whoever wrote to it has closed it
    return agent.finished()


def _told(done: Finished) -> list[str]:
    return [line["event"] for line in done.log]


def test_while_the_disk_is_full_intake_waits_and_an_inlet_that_is_back_is_all_it_takes(
    disk: SmallDisk, inlet: Inlet, configured: Configured, start: Start, data_dir: Path
) -> None:
    emulator = inlet(faults=DOWN)
    agent = start("run", configured(emulator, buffer=BUFFER, delivery=QUICKLY))
    writer = Writer(agent, lines(RECORDS))
    eventually(lambda: spooled(data_dir) > 5000)
    eventually(writer.waits)
    assert agent.process.poll() is None
    emulator.set_faults()
    writer.join()
    done = _end_of(agent)

    assert done.code == 0, done.stderr[-2000:]
    assert "no room" in done.logged("the store takes nothing")[0]["reason"]
    assert "the store takes entries again" in _told(done)
    assert done.log[-1]["accepted"] == len(RECORDS)
    kept = accounted_for({"stdin": RECORDS}, emulator, data_dir)
    assert not kept.dead_letters


def test_what_somebody_else_left_no_room_for_is_read_on_once_there_is_some(
    disk: SmallDisk, inlet: Inlet, configured: Configured, start: Start, data_dir: Path
) -> None:
    emulator = inlet(faults=DOWN)
    agent = start("run", configured(emulator, buffer=BUFFER, delivery=QUICKLY))
    writer = Writer(agent, lines(RECORDS))
    eventually(lambda: spooled(data_dir) > 100)
    disk.fill()
    eventually(writer.waits)
    before = spooled(data_dir)
    disk.free()
    eventually(lambda: spooled(data_dir) > before)
    emulator.set_faults()
    writer.join()
    done = _end_of(agent)

    assert done.code == 0, done.stderr[-2000:]
    told = _told(done)
    assert told.index("the store takes nothing, waiting") < told.index(
        "the store takes entries again"
    )
    assert not accounted_for({"stdin": RECORDS}, emulator, data_dir).dead_letters


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ending_while_the_disk_is_full_loses_nothing_that_can_be_read_again(
    number: signal.Signals,
    disk: SmallDisk,
    inlet: Inlet,
    configured: Configured,
    start: Start,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.ndjson"
    path.write_bytes(lines(RECORDS))
    emulator = inlet(faults=DOWN)
    config = configured(emulator, path, buffer=BUFFER, delivery=QUICKLY)
    agent = start("run", config)
    eventually(lambda: spooled(data_dir) > 5000)
    disk.fill()
    eventually(lambda: not _grows(data_dir))
    asked = time.monotonic()
    agent.signal(number)
    ended = agent.finished()
    took, left = time.monotonic() - asked, spooled(data_dir)
    disk.free()
    emulator.set_faults()
    done = aep_agent("run", config)

    assert took < 10  # a grace of one second, and a last try to write
    if number is signal.SIGTERM:
        _nothing_is_glossed_over(ended, left)
    assert done.code == 0, done.stderr[-2000:]
    assert not accounted_for({str(path): RECORDS}, emulator, data_dir).dead_letters


def test_a_pipe_whose_records_cannot_be_written_before_the_end_is_no_success(
    disk: SmallDisk, inlet: Inlet, configured: Configured, start: Start, data_dir: Path
) -> None:
    agent = start("run", configured(inlet(faults=DOWN), buffer=BUFFER, delivery=QUICKLY))
    writer = Writer(agent, lines(RECORDS))
    eventually(lambda: spooled(data_dir) > 5000)
    disk.fill()
    eventually(writer.waits)
    agent.signal(signal.SIGTERM)
    writer.join()
    _nothing_is_glossed_over(_end_of(agent), spooled(data_dir))


@pytest.mark.parametrize("megabytes", [4, 6, 12])
def test_tiny_disks_and_batches_of_the_usual_size_go_together(
    megabytes: int,
    inlet: Inlet,
    configured: Configured,
    start: Start,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    """Of batches that fill such a disk by the handful, most are answered before they fit on it."""
    path = tmp_path / "app.ndjson"
    path.write_bytes(lines(RECORDS))
    emulator = inlet(faults=DOWN)
    with _small(data_dir, megabytes << 20):
        config = configured(emulator, path, batch={"max_wait": "100ms"}, delivery=QUICKLY)
        agent = start("run", config)
        eventually(lambda: spooled(data_dir))
        eventually(lambda: not _grows(data_dir))
        emulator.set_faults()
        done = agent.finished()

        assert done.code == 0, done.stderr[-2000:]
        assert done.logged("the store takes nothing")
        assert not accounted_for({str(path): RECORDS}, emulator, data_dir).dead_letters


def test_a_store_that_is_removed_under_the_agent_is_told_and_nothing_goes_on_as_if_it_were_there(
    inlet: Inlet, configured: Configured, start: Start, data_dir: Path
) -> None:
    emulator = inlet(faults=DOWN)
    agent = start("run", configured(emulator, delivery=QUICKLY))
    agent.write(lines(RECORDS[:500]))
    eventually(lambda: spooled(data_dir) == 500)
    shutil.rmtree(data_dir)
    agent.write(lines(RECORDS[500:1000]))
    eventually(lambda: b"removed or replaced" in agent.process.stderr.readline())
    emulator.set_faults()
    eventually(lambda: len(emulator.records()) == 1000)
    agent.signal(signal.SIGTERM)
    ended = agent.finished()

    assert ended.code == 1
    assert ended.logged("not everything that was read")[0]["records"] == 500
    assert (ended.log[-1]["accepted"], ended.log[-1]["held"]) == (500, 500)


def _nothing_is_glossed_over(ended: Finished, on_disk: int) -> None:
    last = ended.log[-1]
    assert ended.code == 1
    assert ended.logged("not everything that was read")[0]["records"] == last["held"] > 0
    assert (last["held_on_disk"], last["held"] + on_disk) == (on_disk, last["read"])


def _grows(data_dir: Path) -> bool:
    """Whether anything was spooled for a second."""
    before = spooled(data_dir)
    time.sleep(1)
    return spooled(data_dir) != before
