import errno
import fcntl
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import __main__
from agent.errors import StoreError, StoreFull, StoreLocked
from agent.store import lock
from agent.telemetry import logs

HOLD = """
import sys
from pathlib import Path
from agent.store.lock import take

held = take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_agent(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock."""
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What is logged."""
    stream = io.StringIO()
    logs._voice.settle_on("info", "json", 30.0, "auto", stream)
    yield stream
    logs._voice.settle_on("info", "auto", 30.0, "auto", None)


def test_a_second_agent_is_told_who_has_the_directory_and_what_to_do(tmp_path, other_agent):
    with pytest.raises(StoreLocked) as caught:
        lock.take(tmp_path)
    assert str(caught.value) == (
        f"another aep-agent (pid {other_agent.pid}) uses {tmp_path}; stop it, or choose another"
        " directory with --data-dir or AEP_AGENT_DATA_DIR"
    )


def test_an_agent_that_was_killed_leaves_the_directory_to_the_next(tmp_path, other_agent):
    other_agent.send_signal(signal.SIGKILL)
    other_agent.wait()
    held = lock.take(tmp_path)
    assert (tmp_path / "agent.lock").read_text() == f"{os.getpid()}\n"
    held.close()


def test_a_lock_that_was_closed_can_be_taken_again(tmp_path):
    first = lock.take(tmp_path / "new" / "directory")
    with pytest.raises(StoreLocked, match=f"pid {os.getpid()}"):
        lock.take(tmp_path / "new" / "directory")
    first.close()
    first.close()
    lock.take(tmp_path / "new" / "directory").close()
    assert (tmp_path / "new" / "directory" / "agent.lock").stat().st_mode & 0o777 == 0o600


def test_a_lock_without_a_readable_pid_is_still_a_lock(tmp_path, other_agent):
    (tmp_path / "agent.lock").write_bytes(b"\xff not a pid")
    with pytest.raises(StoreLocked, match="another aep-agent uses"):
        lock.take(tmp_path)


def test_a_locked_directory_is_exit_78(tmp_path, other_agent, monkeypatch, capsys):
    monkeypatch.setattr("agent.cli.schema.run", lambda args: lock.take(tmp_path))
    assert __main__.main(["schema"]) == 78
    assert capsys.readouterr().err.startswith("aep-agent: another aep-agent (pid")


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_warned_about(tmp_path, monkeypatch, said, code):
    def unable(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", unable)
    lock.take(tmp_path).close()
    assert "cannot lock files" in said.getvalue()


def test_a_full_disk_leaves_the_pid_out_and_nothing_else(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    held = lock.take(tmp_path)
    with pytest.raises(StoreLocked, match="another aep-agent uses"):
        lock.take(tmp_path)
    held.close()


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.ENOSPC, StoreFull), (errno.EROFS, StoreError)], ids=str
)
def test_a_lock_that_cannot_be_made_says_what_to_do(tmp_path, monkeypatch, code, kind):
    def refused(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(kind, match=r"--data-dir|free space"):
        lock.take(tmp_path)
