import asyncio
import gzip
import os
import socket
import struct
from pathlib import Path

import pytest

from agent.errors import InputError
from agent.sources.files import files
from agent.sources.once import ReadOnce, stdin
from agent.sources.source import Progress

SOON = 5.0
BLOCK = 10
ONE_LINE = Progress(8, 72)  # of a block of ten bytes; all ten where the cache cannot be asked
LINES = b'{"a":1}\n' * 10


def of_descriptor(descriptor: int) -> ReadOnce:
    return ReadOnce("pipe", lambda: descriptor, BLOCK)


def of_file(path: Path) -> ReadOnce:
    return files([str(path)], None, BLOCK)[0]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines"
    path.write_bytes(LINES)
    return path


async def test_everything_is_handed_over_and_then_the_end(lines: Path, taken) -> None:
    source = of_file(lines)
    assert source.progress() == Progress(0, 80)
    await source.run(taken)
    assert taken.bytes == LINES
    assert taken.ends == 1
    assert max(map(len, taken.blocks)) <= BLOCK
    assert source.progress() == Progress(80, 80)


async def test_gzip_is_known_by_its_content_and_counted_compressed(tmp_path: Path, taken) -> None:
    path = tmp_path / "not-named-gz"
    path.write_bytes(gzip.compress(b"hello " * 100))
    source = of_file(path)
    await source.run(taken)
    assert taken.bytes == b"hello " * 100
    assert taken.ends == 1
    size = path.stat().st_size
    assert source.progress() == Progress(size, size)


async def test_a_file_named_gz_that_is_not_compressed_is_read_as_it_is(
    tmp_path: Path, taken
) -> None:
    path = tmp_path / "plain.gz"
    path.write_bytes(b'{"a":1}\n')
    await of_file(path).run(taken)
    assert taken.bytes == b'{"a":1}\n'


async def test_a_source_stopped_before_it_runs_opens_nothing(taken) -> None:
    def never() -> int:
        raise AssertionError("opened")

    source = ReadOnce("never", never, BLOCK)
    source.stop()
    source.stop()
    await source.run(taken)
    assert (taken.blocks, taken.ends) == ([], 0)


async def test_stopping_twice_is_stopping_once(taken) -> None:
    reading, writing = os.pipe()
    source = of_descriptor(reading)
    running = asyncio.ensure_future(source.run(taken))
    os.write(writing, b"half a li")
    await taken.has_some()
    source.stop()
    source.stop()
    await asyncio.wait_for(running, SOON)
    source.stop()
    assert taken.bytes == b"half a li"
    os.close(writing)


async def test_half_a_line_from_a_pipe_is_handed_over_when_it_is_stopped(taken) -> None:
    reading, writing = os.pipe()
    source = of_descriptor(reading)
    running = asyncio.ensure_future(source.run(taken))
    os.write(writing, b"half a li")
    await taken.has_some()
    source.stop()
    await asyncio.wait_for(running, SOON)
    assert taken.ends == 1
    os.close(writing)


async def test_half_a_line_of_a_file_stays_in_the_file_when_it_is_stopped(
    lines: Path, taken
) -> None:
    source = of_file(lines)
    taken.room.clear()
    running = asyncio.ensure_future(source.run(taken))
    await asyncio.sleep(0.02)
    source.stop()
    taken.room.set()
    await asyncio.wait_for(running, SOON)
    assert len(taken.blocks) == 1
    assert taken.ends == 0


async def test_half_a_line_of_a_compressed_file_stays_there_too(tmp_path: Path, taken) -> None:
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n' * 10))
    source = of_file(path)
    taken.room.clear()
    running = asyncio.ensure_future(source.run(taken))
    await asyncio.sleep(0.02)
    source.stop()
    taken.room.set()
    await asyncio.wait_for(running, SOON)
    assert taken.bytes == b'{"a":1}\n{"'
    assert taken.ends == 0


async def test_a_file_redirected_to_standard_input_is_a_file(lines: Path, taken) -> None:
    before = os.dup(0)
    descriptor = os.open(lines, os.O_RDONLY)
    os.lseek(descriptor, 8, os.SEEK_SET)
    os.dup2(descriptor, 0)
    try:
        source = stdin("stdin", BLOCK)
        taken.room.clear()
        running = asyncio.ensure_future(source.run(taken))
        await asyncio.sleep(0.02)
        assert source.progress() in (ONE_LINE, Progress(10, 72))
        source.stop()
        taken.room.set()
        await asyncio.wait_for(running, SOON)
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(descriptor)
    assert taken.bytes in (b'{"a":1}\n', b'{"a":1}\n{"')
    assert taken.ends == 0


async def test_standard_input_stays_open_after_it_was_read(taken) -> None:
    before = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.write(writing, b"\x1f\x8b is not gzip here")
    os.close(writing)
    try:
        await stdin("stdin", 100).run(taken)
        os.fstat(0)
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(reading)
    assert taken.bytes == b"\x1f\x8b is not gzip here"
    assert taken.ends == 1


async def test_a_file_that_vanished_is_an_input_error_with_its_name(lines: Path, taken) -> None:
    source = of_file(lines)
    os.unlink(lines)  # noqa: PTH108
    with pytest.raises(InputError, match=f"^{lines}: No such file or directory$"):
        await source.run(taken)
    assert taken.ends == 0


async def test_a_directory_on_standard_input_is_an_input_error(tmp_path: Path, taken) -> None:
    source = of_descriptor(os.open(tmp_path, os.O_RDONLY))
    with pytest.raises(InputError, match=r"^pipe: cannot be read: Is a directory$"):
        await source.run(taken)


async def test_what_a_broken_connection_gave_is_handed_over_before_the_error(taken) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listener.getsockname())
    ours, _ = listener.accept()
    source = of_descriptor(ours.detach())
    theirs.sendall(b"half a li")
    running = asyncio.ensure_future(source.run(taken))
    await taken.has_some()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    with pytest.raises(InputError, match=r"^pipe: cannot be read: Connection reset by peer$"):
        await asyncio.wait_for(running, SOON)
    listener.close()
    assert taken.bytes == b"half a li"
    assert taken.ends == 1


async def test_a_damaged_gzip_file_gives_what_it_holds_and_names_itself(
    tmp_path: Path, taken
) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"line\n" * 20)[:-8])
    with pytest.raises(InputError, match=f"^{path}: the gzip file is cut short"):
        await of_file(path).run(taken)
    assert taken.bytes == b"line\n" * 20
    assert taken.ends == 1


async def test_a_source_reads_on_only_when_its_feed_took_the_last_block(lines: Path, taken) -> None:
    taken.room.clear()
    source = of_file(lines)
    running = asyncio.ensure_future(source.run(taken))
    await asyncio.sleep(0.02)
    assert source.progress().read in (8, BLOCK)
    taken.room.set()
    await asyncio.wait_for(running, SOON)
    assert taken.bytes == LINES


async def test_a_source_that_is_cancelled_closes_its_descriptor(taken) -> None:
    reading, writing = os.pipe()
    running = asyncio.ensure_future(of_descriptor(reading).run(taken))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)
    os.close(writing)


async def test_a_fifo_nobody_writes_to_stops_nothing_else(tmp_path: Path, taken) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    source = of_file(path)
    running = asyncio.ensure_future(source.run(taken))
    await asyncio.sleep(0.02)  # never returns where opening the FIFO waits for a writer
    writing = os.open(path, os.O_WRONLY)
    os.write(writing, b"x\n")
    os.close(writing)
    await asyncio.wait_for(running, SOON)
    assert taken.bytes == b"x\n"
    assert taken.ends == 1


async def test_a_fifo_nobody_writes_to_can_be_stopped(tmp_path: Path, taken) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    source = of_file(path)
    running = asyncio.ensure_future(source.run(taken))
    await asyncio.sleep(0.02)
    source.stop()
    await asyncio.wait_for(running, SOON)
    assert taken.blocks == []


async def test_a_closed_standard_input_is_an_input_error(
    monkeypatch: pytest.MonkeyPatch, taken
) -> None:
    monkeypatch.setattr("sys.stdin", None)  # as the interpreter leaves it after `<&-`
    with pytest.raises(InputError, match="standard input is closed"):
        await stdin("stdin", BLOCK).run(taken)
    assert (taken.blocks, taken.ends) == ([], 0)
