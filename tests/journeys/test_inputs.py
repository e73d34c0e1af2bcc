"""Whatever can be read is read to its end, once: pipes, files, patterns, gzip, FIFOs."""

import gzip
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from support.accounts import accounted_for, kept_in
from support.agent import Finished, aep_agent, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]


def test_patterns_gzip_members_crlf_empty_files_and_torn_last_lines(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    logs = tmp_path / "logs with spaces"
    logs.mkdir()
    one, two, three, four = (orders(400, first=1000 * place) for place in range(1, 5))
    (logs / "a.json").write_bytes(lines(one)[:-1])
    (logs / "b.json").write_bytes(lines(two).replace(b"\n", b"\r\n"))
    (logs / "c.json").write_bytes(b"")
    members = [three[:100], three[100:101], [], three[101:]]
    torn = b"".join(gzip.compress(lines(member)) for member in members[:-1])
    torn += gzip.compress(lines(members[-1])[:7000]) + gzip.compress(lines(members[-1])[7000:-1])
    (logs / "d.json.gz").write_bytes(torn)
    (logs / "e [1].json").write_bytes(lines(four))
    (logs / "link.json").symlink_to(logs / "a.json")
    (logs / "directory.json").mkdir()
    done = send(emulator, logs / "*.json*", logs / "e [1].json", logs / "a.json")

    assert done.code == 0, done.stderr
    sources = {"a.json": one, "b.json": two, "d.json.gz": three, "e [1].json": four}
    accounted_for({str(logs / name): file for name, file in sources.items()}, emulator, data_dir)


def test_a_damaged_gzip_file_gives_what_can_be_read_and_says_so(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    whole = gzip.compress(lines(orders(3000)))
    (tmp_path / "cut.json.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "fine.json").write_bytes(lines(orders(10, first=90_000)))
    done = send(emulator, tmp_path / "cut.json.gz", tmp_path / "fine.json")

    assert done.code == 1
    (problem,) = done.summary["unreadable"]
    assert "cut.json.gz" in problem
    assert "cut short" in problem
    landed = emulator.records()
    assert set(orders(10, first=90_000)) < set(landed)
    assert 100 < len(set(landed) & set(orders(3000))) < 3000
    assert done.summary["held"] == 0
    assert len(kept_in(data_dir).dead_letters) <= 1, "at most the line that was torn"


def test_process_substitution_and_a_fifo_are_read_like_files(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    first, second = orders(500), orders(500, first=501)
    (tmp_path / "a").write_bytes(lines(first))
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_bytes, args=(lines(second),))
    writer.start()
    arguments = send_arguments(emulator, data_dir, tmp_path / "fifo")
    command = shlex.join([sys.executable, "-m", "agent", *arguments])
    script = f"{command} <(gzip -c {shlex.quote(str(tmp_path / 'a'))})"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60, check=False)
    writer.join()

    assert done.returncode == 0, done.stderr
    assert sorted(emulator.records()) == sorted(first + second)


def test_a_file_redirected_to_stdin_is_read_from_where_it_stands(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    records = orders(300)
    path = tmp_path / "orders.ndjson"
    path.write_bytes(lines(records))
    with path.open("rb", buffering=0) as file:
        file.seek(len(lines(records[:100])))
        done = send(emulator, "-", stdin=file)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records[100:]}, emulator, data_dir)


def test_nothing_to_read_is_no_error(send: Send, emulator: RunningEmulator, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    with Path(os.devnull).open("rb") as nothing:
        done = send(
            emulator, "-", os.devnull, tmp_path / "empty", tmp_path / "empty.gz", stdin=nothing
        )

    assert (done.code, done.stderr) == (0, b"")
    assert done.summary["read"] == 0
    assert emulator.stats()["requests"] == 0


def test_a_closed_stdin_is_an_error_beside_files_that_are_read(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    records = orders(20)
    (tmp_path / "a").write_bytes(lines(records))
    arguments = send_arguments(emulator, data_dir, "-", tmp_path / "a")
    command = shlex.join([sys.executable, "-m", "agent", *arguments])
    done = subprocess.run(
        ["bash", "-c", f"{command} <&-"], capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert b"standard input is closed" in done.stdout
    accounted_for({str(tmp_path / "a"): records}, emulator, data_dir)


def test_records_arrive_although_no_standard_stream_is_open(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    records = orders(20)
    (tmp_path / "a").write_bytes(lines([*records, b"nonsense"]))
    arguments = send_arguments(emulator, data_dir, tmp_path / "a")
    command = shlex.join([sys.executable, "-m", "agent", *arguments])
    done = subprocess.run(["bash", "-c", f"{command} <&- >&- 2>&-"], timeout=60, check=False)

    assert done.returncode == 3
    accounted_for({str(tmp_path / "a"): [*records, b"nonsense"]}, emulator, data_dir)


def test_what_cannot_be_opened_is_named_before_anything_is_read(
    send: Send, emulator: RunningEmulator, tmp_path: Path
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_bytes(lines(orders(1)))
    done = send(emulator, tmp_path / "file", tmp_path / "loop", tmp_path, tmp_path / "file" / "x")

    assert done.code == 78
    said = done.stderr.decode()
    assert "loop: Too many levels of symbolic links" in said
    assert "is a directory" in said
    assert "file/x: Not a directory" in said
    assert emulator.stats()["requests"] == 0


def test_a_file_that_fails_while_it_is_read_stops_no_other(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    records = orders(20)
    (tmp_path / "z").write_bytes(lines(records))
    done = send(emulator, "/proc/self/mem", tmp_path / "z")

    assert done.code == 1
    assert "/proc/self/mem: cannot be read" in done.summary["unreadable"][0]
    assert sorted(emulator.records()) == sorted(records)


def test_what_was_read_may_be_sent_again_into_the_same_store(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    (tmp_path / "a").write_bytes(lines(orders(20)))
    assert send(emulator, tmp_path / "a").code == 0
    assert send(emulator, tmp_path / "a").code == 0

    found = aep_agent("receipts", "find", f"{tmp_path / 'a'}:7", "--json", "--data-dir", data_dir)
    assert len(found.stdout.splitlines()) == 2
    assert emulator.stats()["duplicates"] == 20
