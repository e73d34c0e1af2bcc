import asyncio
import fcntl
import os
import pty
import socket
import threading
import time
from pathlib import Path

import pytest

from agent.sources.blocks import Blocks, FileBlocks, PipeBlocks, open_blocks

UNCACHED = Path("/proc/version")  # a regular file, but one that the cache knows nothing of
SOON = 5.0  # seconds that nothing here may take


async def all_of(blocks: Blocks, size: int = 7) -> bytes:
    parts = []
    while part := await asyncio.wait_for(blocks.read(size), SOON):
        assert len(part) <= size
        parts.append(part)
    return b"".join(parts)


def opened(path: Path, flags: int = os.O_RDONLY) -> int:
    return os.open(path, flags)


async def test_a_file_is_read_whole_whatever_the_size_of_the_blocks(tmp_path: Path) -> None:
    content = os.urandom(10_000)
    path = tmp_path / "f"
    path.write_bytes(content)
    for size in (1000, 4096, 9999, 10_000, 10_001, 1_000_000):
        blocks = open_blocks(opened(path))
        assert isinstance(blocks, FileBlocks)
        assert await all_of(blocks, size) == content
        assert blocks.progress() == (10_000, 10_000)
        blocks.close()


async def test_a_file_is_read_from_where_its_descriptor_stands(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    descriptor = opened(path)
    os.lseek(descriptor, 4, os.SEEK_SET)
    blocks = open_blocks(descriptor)
    assert blocks.progress() == (0, 6)
    assert await blocks.read(4) == b"4567"
    assert blocks.progress() == (4, 6)
    assert await all_of(blocks) == b"89"
    blocks.close()


async def test_others_have_their_turn_every_moment_while_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\n" * 2**20)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(other())
    blocks = open_blocks(opened(path))
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < 0.3:
        assert await blocks.read(1)
    beside.cancel()
    assert 2 < turns <= passed / 0.010 + 1
    blocks.close()


async def test_what_is_written_to_a_file_while_it_is_read_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"first")
    blocks = open_blocks(opened(path))
    assert await blocks.read(100) == b"first"
    with path.open("ab") as file:
        file.write(b"second")
    assert await blocks.read(100) == b"second"
    assert blocks.progress() == (11, 11)
    blocks.close()


async def test_a_file_cut_short_while_it_is_read_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100)
    blocks = open_blocks(opened(path))
    assert await blocks.read(10) == b"x" * 10
    os.truncate(path, 20)
    assert await all_of(blocks) == b"x" * 10
    assert blocks.progress() == (20, 100)
    blocks.close()


async def test_a_file_that_no_page_cache_holds_is_read_by_a_thread() -> None:
    descriptor = opened(UNCACHED)
    with pytest.raises(OSError, match="not supported"):
        os.preadv(descriptor, [bytearray(10)], 0, os.RWF_NOWAIT)
    blocks = open_blocks(descriptor)
    assert isinstance(blocks, FileBlocks)
    assert await all_of(blocks) == UNCACHED.read_bytes()  # noqa: ASYNC240
    blocks.close()


async def test_reading_a_file_lets_others_run_between_blocks(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(count())
        blocks = open_blocks(opened(path))
        await all_of(blocks, 1)
        counting.cancel()
    blocks.close()
    assert turns >= 100


async def test_a_file_that_was_stopped_gives_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100)
    blocks = open_blocks(opened(path))
    await blocks.read(1)
    blocks.stop()
    assert await blocks.read(1) == b""
    blocks.close()


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


async def test_a_pipe_is_read_as_it_is_written(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    blocks = open_blocks(reading)
    assert isinstance(blocks, PipeBlocks)
    assert blocks.progress() == (0, None)
    for part in (b"one", b"two"):
        waiting = asyncio.ensure_future(blocks.read(100))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        os.write(writing, part)
        assert await asyncio.wait_for(waiting, SOON) == part
    os.close(writing)
    assert await all_of(blocks) == b""
    assert blocks.progress() == (6, None)
    blocks.close()


async def test_a_pipe_larger_than_any_buffer_arrives_whole(pipe: tuple[int, int]) -> None:
    content = os.urandom(3_000_000)
    reading, writing = pipe

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    blocks = open_blocks(reading)
    assert await all_of(blocks, 65_536) == content
    blocks.close()
    writer.join()


async def test_stop_ends_a_read_that_waits_and_leaves_the_rest_in_the_pipe(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    blocks = open_blocks(os.dup(reading))
    waiting = asyncio.ensure_future(blocks.read(100))
    await asyncio.sleep(0.01)
    blocks.stop()
    blocks.stop()
    assert await asyncio.wait_for(waiting, SOON) == b""
    os.write(writing, b"left")
    assert await blocks.read(100) == b""
    blocks.close()
    assert os.read(reading, 100) == b"left"
    os.close(reading)
    os.close(writing)


async def test_a_read_that_is_cancelled_leaves_the_descriptor_to_others(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    blocks = open_blocks(os.dup(reading))
    waiting = asyncio.ensure_future(blocks.read(100))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.write(writing, b"x")
    assert await asyncio.wait_for(blocks.read(100), SOON) == b"x"
    blocks.close()
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("flags", [0, os.O_NONBLOCK])
async def test_a_descriptor_is_left_as_it_was_found(pipe: tuple[int, int], flags: int) -> None:
    reading, writing = pipe
    fcntl.fcntl(reading, fcntl.F_SETFL, flags)
    before = fcntl.fcntl(reading, fcntl.F_GETFL)
    blocks = open_blocks(os.dup(reading))  # as standard input is: shared with other programs
    os.write(writing, b"x")
    assert await asyncio.wait_for(blocks.read(100), SOON) == b"x"
    assert fcntl.fcntl(reading, fcntl.F_GETFL) == before
    blocks.close()
    assert fcntl.fcntl(reading, fcntl.F_GETFL) == before
    os.close(reading)
    os.close(writing)


async def test_bytes_that_another_reader_took_first_are_waited_for_again(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    os.set_blocking(reading, False)
    blocks = open_blocks(os.dup(reading))
    waiting = asyncio.ensure_future(blocks.read(100))
    await asyncio.sleep(0.01)
    os.write(writing, b"gone")
    asyncio.get_running_loop().call_soon(os.read, reading, 100)  # before the reader's turn
    await asyncio.sleep(0.01)
    os.write(writing, b"ours")
    assert await asyncio.wait_for(waiting, SOON) in (b"gone", b"ours")
    blocks.close()
    os.close(reading)
    os.close(writing)


async def test_a_terminal_is_read_line_by_line_until_control_d() -> None:
    master, slave = pty.openpty()
    blocks = open_blocks(slave)
    os.write(master, b'{"a":1}\n')
    assert await asyncio.wait_for(blocks.read(100), SOON) == b'{"a":1}\n'
    os.write(master, b"\x04")
    assert await asyncio.wait_for(blocks.read(100), SOON) == b""
    blocks.close()
    os.close(master)


async def test_a_socket_is_read_until_its_other_end_closes() -> None:
    ours, theirs = socket.socketpair()
    blocks = open_blocks(ours.detach())
    theirs.sendall(b"x" * 10)
    theirs.close()
    assert await all_of(blocks, 3) == b"x" * 10
    blocks.close()


@pytest.mark.parametrize(("device", "content"), [("/dev/null", b""), ("/dev/zero", b"\0" * 7)])
async def test_devices_that_are_always_ready_are_read(device: str, content: bytes) -> None:
    blocks = open_blocks(os.open(device, os.O_RDONLY))
    assert await asyncio.wait_for(blocks.read(7), SOON) == content
    blocks.close()


async def test_a_fifo_waits_for_its_writer_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    blocks = open_blocks(opened(path, os.O_RDONLY | os.O_NONBLOCK))
    waiting = asyncio.ensure_future(blocks.read(100))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    writing = opened(path, os.O_WRONLY)
    await asyncio.sleep(0.02)
    assert not waiting.done()
    os.write(writing, b"x")
    assert await asyncio.wait_for(waiting, SOON) == b"x"
    os.close(writing)
    assert await all_of(blocks) == b""
    blocks.close()
